//! Records that must not verify: one change of each kind, and the check that it fails.

#[allow(dead_code)] // The records are the other tests'.
#[path = "common/cases.rs"]
mod cases;
mod common;

use codec::{Compact, Encode};
use common::*;
use psephos_protocol::{
    agreement::SetStatement,
    ballot::CastBallot,
    board::Action,
    bounds::LOWERED_QUORUM_WAIT,
    declaration::{Declaration, Missing},
    endpoint::Announcement,
    group::ScalarBytes,
    ids::{Anchor, Digest, Genesis},
    keys::{PublicKey, SigningKey},
    manifest::Manifest,
    receipt::Receipt,
    record::{frame, RecordBlock},
    roll::Access,
    tally::Finalize,
    testing::some_digest,
    wire::Message,
};
use psephos_verifier::{verify, Options};

/// Tampers with an honest record and gives the check that fails.
fn after(change: impl FnOnce(&mut World)) -> u8 {
    let mut world = World::honest();
    change(&mut world);
    failed(&world.verify())
}

fn ballot(message: &mut Message) -> &mut CastBallot {
    match message {
        Message::Cast(cast) => cast,
        other => panic!("not a ballot: {other:?}"),
    }
}

/// The message at `place`, changed by its pattern.
macro_rules! change {
    ($world:expr, $place:expr, $index:expr, $kind:ident, |$bound:ident| $change:expr) => {
        match &mut $world.blocks[$place][$index] {
            Message::$kind($bound) => $change,
            other => panic!("another message: {other:?}"),
        }
    };
}

#[test]
fn headers_form_one_chain() {
    let swapped = |change: fn(&mut World, &mut Vec<Vec<u8>>)| {
        let mut world = World::honest();
        let mut frames = world.frames();
        change(&mut world, &mut frames);
        let bytes = [psephos_protocol::record::MAGIC.to_vec(), frames.concat()].concat();
        failed(&verify_bytes(&bytes))
    };
    assert_eq!(swapped(|_, frames| frames.swap(8, 9)), 2, "blocks swapped");
    assert_eq!(swapped(|_, frames| drop(frames.remove(9))), 2, "a block dropped");
    assert_eq!(swapped(|_, frames| frames.insert(9, frames[8].clone())), 2, "a block twice");
    let altered = |parent: [u8; 32], slot: u64| {
        let mut frames = World::honest().frames();
        let record = psephos_protocol::record::RecordBlock {
            header: header_with(parent, 6, slot),
            time: time(6),
            messages: Vec::new(),
        };
        frames[7] = frame(&record);
        let bytes = [psephos_protocol::record::MAGIC.to_vec(), frames.concat()].concat();
        failed(&verify_bytes(&bytes))
    };
    assert_eq!(altered([8; 32], time(6) / SLOT), 2, "another parent");
    assert_eq!(altered(anchor(5).hash, time(6) / SLOT + 1), 2, "another slot");
    assert_eq!(after(|world| world.times[6] = time(4)), 2, "time goes back");
    assert_eq!(after(|world| world.times[6] = time(7)), 2, "time outside of its slot");
}

#[test]
fn the_election_is_the_one_that_its_identifier_names() {
    assert_eq!(after(|world| world.fixture.election.eid.0[0] ^= 1), 3, "another identifier");
    assert_eq!(
        after(|world| change!(world, CREATE, 0, Approve, |approval| {
            if let Action::CreateElection { manifest, .. } = &mut approval.action {
                manifest.privacy_minimum = 2;
            }
            *approval = world.fixture.approve(approval.action.clone(), 0);
        })),
        3,
        "another manifest, signed"
    );
    let world = World::honest();
    let expect = |options: Options| failed(&verify(world.bytes().as_slice(), &options).expect("readable"));
    assert_eq!(expect(Options { genesis: Some(Genesis([1; 32])), ..Options::default() }), 3, "another chain");
    let mut board = world.board();
    board.threshold = 1;
    assert_eq!(expect(Options { board: Some(board), ..Options::default() }), 4, "another board");
}

#[test]
fn the_board_creates_together() {
    assert_eq!(after(|world| drop(world.blocks[CREATE].pop())), 4, "one member alone");
    assert_eq!(
        after(|world| {
            let first = world.blocks[CREATE][0].clone();
            world.blocks[CREATE][1] = first;
        }),
        4,
        "one member twice"
    );
    assert_eq!(
        after(|world| change!(world, CREATE, 1, Approve, |approval| approval.member = 2)),
        4,
        "by another"
    );
    assert_eq!(after(|world| world.blocks[CREATE].clear()), 4, "nobody");
}

#[test]
fn an_address_is_its_trustees_own_and_later_than_the_last() {
    let with = |number: u8, url: &str, change: fn(&mut Announcement)| {
        let mut world = World::honest();
        for (number, url) in [(2, "https://two.example"), (number, url)] {
            let announcement = world.fixture.announce(2, number, url);
            world.blocks[FREEZE].push(Message::Announce(announcement));
        }
        let Some(Message::Announce(last)) = world.blocks[FREEZE].last_mut() else { panic!("announced") };
        change(last);
        world.verify()
    };
    assert!(with(3, "https://zwei.example", |_| ()).verified());
    assert_eq!(failed(&with(2, "https://zwei.example", |_| ())), 5, "the same number");
    assert_eq!(failed(&with(3, "https://zwei.example", |other| other.trustee = 1)), 5, "for another");
    assert_eq!(failed(&with(3, "https://zwei.example", |other| other.endpoint.number = 4)), 5, "unsigned");
    assert_eq!(failed(&with(3, "zwei.example", |_| ())), 5, "no address");
}

#[test]
fn every_trustee_accepts() {
    assert_eq!(after(|world| drop(world.blocks[ACCEPT].pop())), 5, "one does not");
    assert_eq!(
        after(|world| change!(world, ACCEPT, 0, Accept, |accept| accept.trustee = 2)),
        5,
        "for another"
    );
    assert_eq!(
        after(|world| {
            let first = world.blocks[ACCEPT][0].clone();
            world.blocks[ACCEPT][1] = first;
        }),
        5,
        "one twice"
    );
}

#[test]
fn the_roll_is_the_board_s() {
    assert_eq!(after(|world| drop(world.blocks[ROLL].pop())), 6, "confirmed by one member only");
    assert_eq!(after(|world| drop(world.blocks[ROLL].remove(0))), 6, "a batch that is not there");
    assert_eq!(
        after(|world| change!(world, ROLL, 1, Approve, |approval| approval.member = 2)),
        6,
        "wrong member"
    );
    assert_eq!(
        after(|world| change!(world, ROLL, 0, AddBatch, |batch| batch.entries[0].unit = 1)),
        6,
        "altered"
    );
    let signed = |place: usize, entries: fn(&mut World) -> Vec<psephos_protocol::roll::RollEntry>| {
        after(|world| {
            let entries = entries(world);
            let batch = world.fixture.batch(1, entries);
            world.blocks[place].push(Message::AddBatch(batch));
        })
    };
    assert_eq!(signed(REGISTER, |world| vec![world.fixture.entry(0)]), 6, "a credential twice");
    assert_eq!(signed(FREEZE, |world| vec![stranger(world)]), 6, "added after the freeze");
    assert_eq!(signed(REGISTER, |world| vec![stranger(world), stranger(world)]), 6, "twice in a batch");
    assert_eq!(signed(REGISTER, |_| Vec::new()), 6, "an empty batch");
    assert_eq!(
        signed(REGISTER, |world| {
            let mut entry = stranger(world);
            entry.weight = 9;
            vec![entry]
        }),
        6,
        "a weight that the manifest does not have"
    );
    assert_eq!(
        after(|world| {
            let batch = world.fixture.batch(2, vec![stranger(world)]);
            world.blocks[REGISTER].push(Message::AddBatch(batch));
        }),
        6,
        "a gap in the numbers"
    );
}

#[test]
fn what_the_roll_no_longer_allows_is_not_approved() {
    assert_eq!(
        after(|world| {
            let entry = world.fixture.entry(0);
            let batch = world.fixture.batch(1, vec![entry]);
            let confirm = Action::ConfirmBatch { eid: batch.eid, batch: 1, digest: batch.digest() };
            world.blocks[ROLL].insert(0, Message::AddBatch(batch));
            world.blocks[ROLL].swap(0, 1);
            let approval = world.fixture.approve(confirm, 0);
            world.blocks[REGISTER].push(Message::Approve(approval));
        }),
        6,
        "a batch whose key came with another"
    );
    let mut world = World::honest();
    let eid = world.fixture.election.eid;
    for round in 0..=u8::MAX {
        let key = SigningKey::from_seed([[1, round]; 16].concat().try_into().expect("32 bytes"));
        let keys = vec![key.public()].try_into().expect("one key");
        world.act(REGISTER, Action::Reinvite { eid, entry: 0, round, keys });
    }
    let report = world.verify();
    assert_eq!(failed(&report), 6, "an entry re-invited too often");
    assert!(report.to_string().contains("entry 0 was re-invited 255 times, which is the most"), "{report}");
}

fn stranger(world: &World) -> psephos_protocol::roll::RollEntry {
    let credential = Access::Credential(SigningKey::from_seed([5; 32]).public());
    psephos_protocol::roll::RollEntry { access: credential, ..world.fixture.entry(0) }
}

#[test]
fn registrations_are_signed() {
    let claim = |key: fn(&mut World)| {
        after(|world| {
            key(world);
            let claim = world.register(3, 3);
            world.blocks[REGISTER][0] = Message::Register(claim);
        })
    };
    assert_eq!(claim(|world| world.invitation = SigningKey::from_seed([1; 32])), 6, "by another invitation");
    let other = SigningKey::from_seed([1; 32]).public();
    assert_eq!(
        after(|world| change!(world, REGISTER, 0, Register, |claim| claim.credential = other)),
        6,
        "for another credential"
    );
    assert_eq!(
        after(|world| change!(world, REGISTER, 0, Register, |claim| claim.entry = 2)),
        6,
        "another entry"
    );
    assert_eq!(
        after(|world| {
            let claim = world.blocks[REGISTER][0].clone();
            world.blocks[REGISTER].push(claim);
        }),
        6,
        "claimed twice"
    );
    assert_eq!(after(|world| world.blocks[REGISTER].clear()), 6, "dropped: the frozen roll is another");
    assert_eq!(
        after(|world| {
            let claim = world.blocks[REGISTER].remove(0);
            world.blocks[CREATE].push(claim);
        }),
        5,
        "before the trustees accepted"
    );
}

#[test]
fn the_board_sets_the_schedule() {
    assert_eq!(after(|world| drop(world.blocks[FREEZE].pop())), 7, "no freeze");
    assert_eq!(
        after(|world| change!(world, FREEZE, 1, Approve, |approval| approval.member = 2)),
        7,
        "wrong member"
    );
    let acts = |place: usize, action: fn(&World) -> Action| {
        after(|world| {
            let action = action(world);
            world.act(place, action);
        })
    };
    let freeze =
        |world: &World| Action::Freeze { eid: world.fixture.election.eid, roll: some_digest("another") };
    assert_eq!(acts(REGISTER, freeze), 6, "another roll frozen");
    let sooner = |world: &World| {
        let eid = world.fixture.election.eid;
        Action::Extend {
            eid,
            closes_at: time(CLOSES) - 1,
            reason: b"why".to_vec().try_into().expect("short"),
        }
    };
    assert_eq!(acts(CAST, sooner), 7, "an extension to an earlier time");
    let late = |world: &World| {
        let eid = world.fixture.election.eid;
        Action::Extend { eid, closes_at: time(90), reason: b"why".to_vec().try_into().expect("short") }
    };
    assert_eq!(acts(AGREE, late), 7, "an extension after the close");
    let postpone = |world: &World| {
        let eid = world.fixture.election.eid;
        Action::Postpone { eid, opens_at: time(80), closes_at: time(90) }
    };
    assert_eq!(acts(CAST, postpone), 7, "a postponement while voting is open");
}

#[test]
fn what_the_clock_ends_is_over_in_that_block() {
    let acts = |place: usize, action: Action| {
        after(|world| {
            let approval = world.fixture.approve(action, 0);
            world.blocks[place].push(Message::Approve(approval));
        })
    };
    let eid = World::honest().fixture.election.eid;
    let reason = b"why".to_vec().try_into().expect("short");
    assert_eq!(acts(CLOSES, Action::Extend { eid, closes_at: time(90), reason }), 7, "an extension");
    assert_eq!(acts(CLOSES, Action::Close { eid }), 7, "an early close");
    let postpone = Action::Postpone { eid, opens_at: time(80), closes_at: time(90) };
    assert_eq!(acts(OPENS, postpone), 7, "a postponement");
    let late = |manifest: &mut Manifest| (manifest.opens_at, manifest.closes_at) = (1, time(FREEZE));
    assert_eq!(failed(&World::voted(&params(), late).verify()), 7, "a freeze");
}

#[test]
fn a_ballot_says_what_was_proved_and_signed() {
    for part in 0..8 {
        let altered = after(|world| {
            let proof = &mut ballot(&mut world.blocks[CAST][0]).signed.ballot.proof;
            let byte = part * proof.len() / 8;
            proof[byte] ^= 1;
        });
        assert_eq!(altered, 8, "a byte of the proof");
    }
    assert_eq!(
        after(|world| {
            let other = ballot(&mut world.blocks[CAST][1]).signed.ballot.statement.commitments[0];
            ballot(&mut world.blocks[CAST][0]).signed.ballot.statement.commitments[0] = other;
        }),
        8,
        "another commitment"
    );
    assert_eq!(
        after(|world| {
            let other = world.fixture.voters[1].key.public();
            let cast = ballot(&mut world.blocks[CAST][0]);
            cast.signed.ballot.statement.credential = other;
        }),
        8,
        "under another credential"
    );
    assert_eq!(
        after(|world| {
            // Whole but for the signature, which is another voter's.
            let hash = ballot(&mut world.blocks[CAST][0]).signed.ballot.hash();
            let fixture = &mut world.fixture;
            let signable = psephos_protocol::ballot::Ballot::signable(&fixture.election, &hash);
            let signature = fixture.voters[1].key.sign(&signable, &mut fixture.rng);
            ballot(&mut world.blocks[CAST][0]).signed.signature = signature;
        }),
        8,
        "signed by another credential"
    );
}

#[test]
fn a_ballot_has_receipts_of_its_own() {
    let with = |change: fn(&mut World, Vec<Receipt>) -> Vec<Receipt>| {
        after(|world| {
            let receipts = ballot(&mut world.blocks[CAST][0]).receipts.to_vec();
            let receipts = change(world, receipts);
            ballot(&mut world.blocks[CAST][0]).receipts = receipts.try_into().expect("few");
        })
    };
    assert_eq!(with(|world, _| ballot(&mut world.blocks[CAST][1]).receipts.to_vec()), 8, "of another ballot");
    assert_eq!(with(|_, receipts| vec![receipts[0], receipts[0], receipts[1]]), 8, "of one trustee twice");
    assert_eq!(with(|_, receipts| receipts[..2].to_vec()), 8, "too few");
    assert_eq!(with(|_, receipts| receipts.into_iter().rev().collect()), 8, "not in order");
    assert_eq!(
        with(|_, mut receipts| {
            receipts[2].trustee = 4;
            receipts
        }),
        8,
        "of a trustee who did not sign"
    );
    assert_eq!(
        with(|world, mut receipts| {
            let hash = ballot(&mut world.blocks[CAST][0]).signed.ballot.hash();
            receipts.push(world.fixture.receipt(4, &hash));
            receipts
        }),
        8,
        "too many"
    );
}

#[test]
fn ballots_come_in_time_and_in_order() {
    let moved = |from: usize, index: usize, to: usize| {
        after(|world| {
            let ballot = world.blocks[from].remove(index);
            world.blocks[to].push(ballot);
        })
    };
    assert_eq!(moved(CAST, 1, CLOSES), 8, "in the block that reaches the closing time");
    assert_eq!(moved(CAST, 1, CLOSES + 1), 8, "after the close");
    assert_eq!(moved(CAST, 1, OPENS), 8, "before voting opened");
    assert_eq!(moved(CAST, 1, REGISTER), 7, "before the freeze");
    assert_eq!(moved(CAST, 0, CLOSES - 1), 8, "an earlier ballot after a later one");
    assert_eq!(
        after(|world| {
            let copy = world.blocks[CAST][1].clone();
            world.blocks[RECAST].push(copy);
        }),
        8,
        "a ballot twice"
    );
    let signed = |change: fn(&mut World), sequence: u32| {
        after(|world| {
            change(world);
            let votes = world.votes(0);
            let ballot = world.fixture.cast(1, sequence, &votes);
            world.blocks[RECAST + 1].push(Message::Cast(ballot.cast));
        })
    };
    assert_eq!(signed(|_| (), 18), 8, "a sequence number that leaps too far");
    assert_eq!(signed(|_| (), 1), 8, "a sequence number used before");
    assert_eq!(signed(|world| world.fixture.expiry = FIRST + 8, 2), 8, "expired");
    assert_eq!(signed(|world| world.fixture.expiry = FIRST + 5_000, 2), 8, "expires too late");
    assert_eq!(
        signed(|world| world.fixture.anchor = Anchor { hash: [4; 32], ..anchor(6) }, 2),
        8,
        "tied to a block of another chain"
    );
    assert_eq!(signed(|world| world.fixture.anchor = anchor(RECAST + 1), 2), 8, "tied to its own block");
    assert_eq!(
        signed(|world| world.fixture.voters[1].key = SigningKey::from_seed([6; 32]), 1),
        8,
        "off the roll"
    );
    // Whole and in order, but the trustees did not count it.
    assert_eq!(signed(|_| (), 2), 11, "a ballot added");
}

#[test]
fn a_ballot_has_its_voter_s_style() {
    let mut world = World::voted(&params(), |manifest| {
        let style = manifest.styles[0].clone();
        manifest.styles.try_push(style).expect("two styles");
    });
    world.fixture.voters[1].style = 1;
    let votes = world.votes(0);
    let ballot = world.fixture.cast(1, 2, &votes);
    world.blocks[RECAST].push(Message::Cast(ballot.cast));
    assert_eq!(failed(&world.verify()), 8);
}

#[test]
fn nobody_casts_more_ballots_than_allowed() {
    let mut world = World::voted(&params(), |manifest| manifest.max_ballots = 2);
    world.vote(0, 1, RECAST);
    assert_eq!(failed(&world.verify()), 8);
}

#[test]
fn small_groups_are_not_opened() {
    let weights = psephos_protocol::testing::Params { voters: vec![1, 1, 1, 2], ..params() };
    let world = World::of(&weights, |manifest| manifest.privacy_minimum = 2);
    assert_eq!(failed(&world.verify()), 10, "on the roll");
    // Four voters on the roll, and three of them vote.
    let mut world = World::voted(&params(), |manifest| manifest.privacy_minimum = 4);
    let last = world.cast.pop().expect("a ballot");
    world.blocks[RECAST].retain(|message| *message != Message::Cast(last.cast.clone()));
    world.tally();
    assert_eq!(failed(&world.verify()), 10, "among the ballots");
}

#[test]
fn a_quorum_agrees_on_the_counted_set() {
    assert_eq!(after(|world| drop(world.blocks[CAST].remove(1))), 11, "a ballot dropped");
    assert_eq!(after(|world| drop(world.blocks[AGREE].pop())), 11, "an agreement missing");
    let signed = |trustees: &[u8], change: fn(&mut SetStatement)| {
        after(|world| {
            let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("not an agreement") };
            let mut statement = first.statement;
            change(&mut statement);
            for trustee in trustees {
                let agreement = world.fixture.agree(*trustee, statement);
                world.blocks[AGREE][usize::from(*trustee) - 1] = Message::Agree(agreement);
            }
        })
    };
    let another_root: fn(&mut SetStatement) = |statement| statement.root = some_digest("another");
    assert_eq!(signed(&[1], another_root), 11, "one of three signed another set");
    assert_eq!(signed(&[1, 2, 3], another_root), 11, "all signed another set");
    assert_eq!(signed(&[1], |statement| statement.ballots = 3), 11, "another number");
    assert_eq!(signed(&[1], |statement| statement.closing = anchor(CLOSES + 1)), 11, "another block");
    assert_eq!(
        after(|world| change!(world, AGREE, 0, Agree, |agreement| agreement.trustee = 4)),
        11,
        "by another"
    );
    assert_eq!(
        after(|world| {
            let first = world.blocks[AGREE][0].clone();
            world.blocks[AGREE][1] = first;
        }),
        11,
        "one trustee twice"
    );
    assert_eq!(
        after(|world| {
            let first = world.blocks[AGREE].remove(0);
            world.blocks[CLOSES].push(first);
        }),
        11,
        "before the close"
    );
}

#[test]
fn contributions_are_signed_and_open_the_sums() {
    let zero = ScalarBytes::default();
    assert_eq!(
        after(|world| change!(world, CONTRIBUTE, 0, Contribute, |contribution| contribution.sums[0].0 = zero)),
        13,
        "altered"
    );
    assert_eq!(
        after(|world| change!(world, CONTRIBUTE, 0, Contribute, |contribution| contribution.trustee = 4)),
        13,
        "by another"
    );
    assert_eq!(
        after(|world| {
            let first = world.blocks[CONTRIBUTE][0].clone();
            world.blocks[CONTRIBUTE].push(first);
        }),
        13,
        "one trustee twice"
    );
    let contributed = |change: fn(&mut psephos_protocol::tally::Contribution)| {
        after(|world| {
            let Message::Contribute(first) = world.blocks[CONTRIBUTE][0].clone() else {
                panic!("another message")
            };
            let mut wrong = first;
            change(&mut wrong);
            let fixture = &mut world.fixture;
            let key = &fixture.trustees[0].signing;
            let signed = psephos_protocol::tally::Contribution::sign(
                &fixture.election,
                1,
                key,
                wrong.root,
                wrong.sums,
                &mut fixture.rng,
            );
            world.blocks[CONTRIBUTE][0] = Message::Contribute(signed);
        })
    };
    assert_eq!(contributed(|wrong| wrong.root = some_digest("another")), 13, "for another set");
    assert_eq!(contributed(|wrong| wrong.sums[0].0 = ScalarBytes([255; 32])), 13, "not a canonical scalar");
    assert_eq!(contributed(|wrong| wrong.sums[0].0 .0[0] ^= 1), 14, "a wrong sum, signed");
}

/// The values of the cells changed places in the contributions of these trustees: of one, or of all alike.
#[test]
fn contributions_open_each_cell() {
    for places in [&[0][..], &[0, 1, 2]] {
        let report = cases::cells_swapped(places).verify();
        assert_eq!(failed(&report), 14);
        let reason = "the opening of column 0 in cell 0 does not open the sum";
        assert!(report.to_string().contains(reason), "{report}");
    }
}

#[test]
fn the_named_contributors_open_the_sums() {
    let named = |contributors: &[u8]| {
        after(|world| {
            let eid = world.fixture.election.eid;
            let contributors = contributors.to_vec().try_into().expect("few");
            world.blocks[FINALIZE][0] = Message::Finalize(Finalize { eid, contributors });
        })
    };
    assert_eq!(named(&[1, 4]), 14, "one who did not contribute");
    assert_eq!(named(&[1]), 14, "too few");
    assert_eq!(named(&[1, 2, 3]), 14, "too many");
    assert_eq!(named(&[2, 1]), 14, "not in order");
    assert_eq!(named(&[1, 1]), 14, "one twice");
    assert_eq!(named(&[1, 3]), 15, "others than those of the certified result");
    assert_eq!(after(|world| world.blocks[FINALIZE].clear()), 14, "nobody");
    assert_eq!(after(|world| world.blocks[CONTRIBUTE].clear()), 14, "nobody contributed");
}

#[test]
fn the_board_certifies_this_result_and_the_record_ends() {
    assert_eq!(after(|world| drop(world.blocks[CERTIFY].pop())), 15, "one member alone");
    assert_eq!(
        after(|world| {
            let eid = world.fixture.election.eid;
            world.blocks[CERTIFY].clear();
            world.act(CERTIFY, Action::Certify { eid, result: Digest([1; 32]) });
        }),
        15,
        "another digest"
    );
    assert_eq!(
        after(|world| change!(world, CERTIFY, 1, Approve, |approval| approval.member = 2)),
        15,
        "by another"
    );
    assert_eq!(
        after(|world| {
            let again = world.blocks[CERTIFY][0].clone();
            world.blocks[CERTIFY].push(again);
        }),
        16,
        "a message after the end"
    );
    assert_eq!(
        after(|world| {
            world.blocks.push(Vec::new());
            world.times.push(time(CERTIFY + 1));
        }),
        16,
        "a block after the end"
    );
    assert_eq!(
        after(|world| {
            let eid = world.fixture.election.eid;
            world.act(CERTIFY, Action::Void { eid, reason: b"late".to_vec().try_into().expect("short") });
        }),
        16,
        "voided after the certification"
    );
    assert_eq!(
        after(|world| {
            let eid = world.fixture.election.eid;
            world.blocks[CERTIFY].clear();
            world.act(CERTIFY, Action::Void { eid, reason: Vec::new().try_into().expect("short") });
        }),
        15,
        "voided without a reason"
    );
}

/// Trustees 1 to 3 of 4, t = 2, lack the ballot of voter 1.
fn without_a_ballot(declaring: &[u8]) -> World {
    let mut world = World::voted(&params(), |_| ());
    world.tally_without(1, declaring);
    world
}

#[test]
fn a_ballot_that_too_few_can_serve_is_out_and_its_vouchers_are_named() {
    let report = without_a_ballot(&[1, 2, 3]).verify();
    assert!(report.verified(), "{report}");
    let note = report.notes.iter().find(|note| note.contains("is not in the set")).expect("it is said");
    assert!(
        note.contains("trustees 1, 2, 3 say") && note.contains("receipts are by trustees 1, 2, 3"),
        "{note}"
    );
    let totals: u64 = report.contests[0].options.iter().map(|(_, total)| total).sum();
    assert_eq!(totals, 3, "one of four is out");
}

#[test]
fn a_ballot_that_enough_may_serve_stays_in() {
    assert_eq!(failed(&without_a_ballot(&[1, 2]).verify()), 11, "n - t are not enough");
    let unheard = || {
        let mut world = without_a_ballot(&[1, 2, 3]);
        world.blocks[DECLARE].pop();
        world
    };
    assert_eq!(failed(&unheard().verify()), 11);
}

#[test]
fn who_is_held_back_in_a_rehearsal_does_not_tally() {
    let with = |place: usize, message: fn(&mut World) -> Message| {
        let mut world = World::of(&params(), |manifest| manifest.rehearsal = Some(4));
        let message = message(&mut world);
        world.blocks[place].push(message);
        failed(&world.verify())
    };
    let declare =
        |world: &mut World| Message::Declare(world.fixture.declare(4, anchor(CLOSES), Missing::All));
    assert_eq!(with(DECLARE, declare), 11);
    let agree = |world: &mut World| match world.blocks[AGREE][0] {
        Message::Agree(first) => Message::Agree(world.fixture.agree(4, first.statement)),
        _ => panic!("agreements are there"),
    };
    assert_eq!(with(AGREE, agree), 11);
    let contribute = |world: &mut World| {
        let counted = world.counted();
        Message::Contribute(world.fixture.contribute(4, &counted))
    };
    assert_eq!(with(CONTRIBUTE, contribute), 13);
}

#[test]
fn a_declaration_is_its_trustees_own_and_made_once() {
    let after = |change: &dyn Fn(&mut World, &mut Declaration)| {
        let mut world = without_a_ballot(&[1, 2, 3]);
        let Some(Message::Declare(mut last)) = world.blocks[DECLARE].pop() else { panic!("declared") };
        change(&mut world, &mut last);
        world.blocks[DECLARE].push(Message::Declare(last));
        failed(&world.verify())
    };
    assert_eq!(after(&|_, last| last.trustee = 4), 11, "for another");
    assert_eq!(after(&|_, last| last.missing = Missing::All), 11, "unsigned");
    assert_eq!(
        after(&|world, last| *last = world.fixture.declare(2, anchor(CLOSES), Missing::All)),
        11,
        "twice"
    );
    assert_eq!(
        after(&|world, last| *last = world.fixture.declare(3, anchor(CLOSES - 1), last.missing.clone())),
        11,
        "another closing block"
    );
    let listing = |keys: Vec<PublicKey>| {
        after(&|world, last| {
            let missing = Missing::Listed(keys.clone().try_into().expect("few"));
            *last = world.fixture.declare(3, anchor(CLOSES), missing);
        })
    };
    let mut keys: Vec<PublicKey> =
        World::honest().fixture.voters.iter().map(|voter| voter.key.public()).collect();
    keys.sort_unstable();
    keys.reverse();
    assert_eq!(listing(keys), 11, "not in order");
    assert_eq!(listing(vec![PublicKey([1; 32])]), 11, "nobody");
    let early = || {
        let mut world = without_a_ballot(&[1, 2, 3]);
        let declaration = world.blocks[DECLARE].remove(0);
        world.blocks[RECAST].push(declaration);
        failed(&world.verify())
    };
    assert_eq!(early(), 11, "before the close");
}

#[test]
fn where_too_many_lack_everything_nothing_is_excluded_any_more() {
    let mut world = World::voted(&params(), |_| ());
    let key = world.fixture.voters[1].key.public();
    let some = Missing::Listed(vec![key].try_into().expect("one"));
    // Trustees 1 and 2 lack all, 3 lacks one: it is excluded. Then 4 lacks all, too.
    for (trustee, missing) in [(1, Missing::All), (2, Missing::All), (3, some), (4, Missing::All)] {
        let declaration = world.fixture.declare(trustee, anchor(CLOSES), missing);
        world.blocks[DECLARE].push(Message::Declare(declaration));
    }
    world.tally();
    let report = world.verify();
    assert!(
        report.verified(),
        "the trustees were wrong about themselves, and the chain takes all again: {report}"
    );
    assert_eq!(report.contests[0].options.iter().map(|(_, total)| total).sum::<u64>(), 4);
}

#[test]
fn a_board_without_threshold_creates_nothing() {
    let mut world = World::honest();
    let mut header = world.header();
    header.board.threshold = 0;
    let mut frames = world.frames();
    frames[0] = frame(&header);
    world.blocks.clear();
    let bytes = [psephos_protocol::record::MAGIC.to_vec(), frames.concat()].concat();
    assert_eq!(failed(&verify_bytes(&bytes)), 4);
}

/// An election whose board lowered the quorum of 3 to 2 in the block after the close; trustees sign `wait` blocks
/// after that, 1 and 2 the set, 3 and 4 another one if `others`.
fn lowered(wait: u32, others: bool) -> World {
    let mut world = World::voted(&params(), |_| ());
    let eid = world.fixture.election.eid;
    let reason = b"two are gone".to_vec().try_into().expect("short");
    world.tally();
    world.act(DECLARE, Action::LowerQuorum { eid, quorum: 2, reason });
    world.blocks[AGREE].pop();
    let mut tail = world.blocks.split_off(AGREE);
    if others {
        let Message::Agree(first) = &tail[0][0] else { panic!("an agreement") };
        let other = SetStatement { root: some_digest("another"), ..first.statement };
        for trustee in [3, 4] {
            let agreement = world.fixture.agree(trustee, other);
            tail[0].insert(0, Message::Agree(agreement));
        }
    }
    world.blocks.resize(DECLARE + wait as usize, Vec::new());
    world.blocks.append(&mut tail);
    world.times = (0..world.blocks.len()).map(time).collect();
    world
}

#[test]
fn a_lowered_quorum_holds_after_the_wait_and_not_before() {
    let report = lowered(LOWERED_QUORUM_WAIT, false).verify();
    assert!(report.verified(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("lowered the quorum for the set to 2")), "{report}");
    // Contributions are one block after the second signature; the quorum must hold by then.
    assert!(lowered(LOWERED_QUORUM_WAIT - 1, false).verify().verified(), "it is reached by waiting");
    assert_eq!(failed(&lowered(LOWERED_QUORUM_WAIT - 2, false).verify()), 11, "a block too early");
    assert_eq!(failed(&lowered(LOWERED_QUORUM_WAIT, true).verify()), 11, "two sets");
}

#[test]
fn the_board_lowers_the_quorum_together_and_not_below_the_threshold() {
    let act = |place: usize, quorum: u8, why: &str, members: usize| {
        let mut world = World::honest();
        let eid = world.fixture.election.eid;
        let reason = why.as_bytes().to_vec().try_into().expect("short");
        let mut approvals = World::honest();
        approvals.blocks[place].clear();
        approvals.act(place, Action::LowerQuorum { eid, quorum, reason });
        world.blocks[place].extend(approvals.blocks[place].drain(..members));
        world.verify()
    };
    assert!(act(DECLARE, 2, "gone", 2).verified());
    assert_eq!(failed(&act(DECLARE, 1, "gone", 2)), 11, "below the threshold");
    assert_eq!(failed(&act(DECLARE, 3, "gone", 2)), 11, "no less");
    assert_eq!(failed(&act(DECLARE, 2, "", 2)), 11, "no reason");
    assert_eq!(failed(&act(CAST, 2, "gone", 2)), 11, "while voting is open");
    assert!(act(DECLARE, 2, "gone", 1).verified(), "one member alone changes nothing");
}

#[test]
fn a_replaced_ballot_is_not_left_out_unnoticed() {
    // The first ballot of voter 0, who votes again.
    assert_eq!(after(|world| drop(world.blocks[CAST].remove(0))), 11);
}

#[test]
fn every_header_names_one_slot() {
    let with = |items: &[(u8, [u8; 4], Vec<u8>)]| {
        let mut frames = World::honest().frames();
        let mut header = (anchor(5).hash, Compact(FIRST + 6), [1u8; 32], [2u8; 32]).encode();
        items.to_vec().encode_to(&mut header);
        frames[7] = frame(&RecordBlock { header, time: time(6), messages: Vec::new() });
        let bytes = [psephos_protocol::record::MAGIC.to_vec(), frames.concat()].concat();
        verify_bytes(&bytes)
    };
    let aura = |slot: u64| (6u8, *b"aura", slot.encode());
    let slot = time(6) / SLOT;
    // The next header names another parent then: that is what fails where the slot is right.
    let reason = |items: &[_]| {
        let report = with(items);
        assert_eq!(failed(&report), 2);
        report.checks[1].detail.clone()
    };
    assert!(reason(&[aura(slot), (5, *b"aura", vec![1])]).contains("parent"));
    for items in
        [&[][..], &[aura(slot), aura(slot)], &[(6, *b"babe", slot.encode())], &[(6, *b"aura", vec![1])]]
    {
        assert!(reason(items).contains("slot"), "{items:?}");
    }
}
