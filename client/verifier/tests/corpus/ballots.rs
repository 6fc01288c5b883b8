//! What voters, and whoever writes their ballots into a block, could try.

use psephos_protocol::{
    ballot::{Ballot, CastBallot},
    ids::Anchor,
    keys::SigningKey,
    receipt::Receipt,
    wire::Message,
};

use super::{Check, Corpus, Expected, Unnoticed};
use crate::{
    cases::{EVERYTHING, HONEST},
    common::{anchor, World, CAST, CLOSES, DECLARE, FIRST, OPENS, RECAST, REGISTER},
};

pub fn add(corpus: &mut Corpus) {
    contents(corpus);
    receipts(corpus);
    in_time(corpus);
}

fn ballot(world: &mut World, place: usize, index: usize) -> &mut CastBallot {
    match &mut world.blocks[place][index] {
        Message::Cast(cast) => cast,
        other => panic!("not a ballot: {other:?}"),
    }
}

/// Signature and receipts for a ballot as it is now.
fn signed(world: &mut World, place: usize, index: usize) {
    let message = world.blocks[place][index].clone();
    world.blocks[place][index] = super::sign::signed(world, message);
}

fn contents(corpus: &mut Corpus) {
    let length = ballot(&mut corpus.base(HONEST, ""), CAST, 0).signed.ballot.proof.len();
    // One byte of each of the proof's points and scalars.
    for byte in (0..length).step_by(32) {
        corpus.world(HONEST, format!("ballot: byte {byte} of the proof, signed anew"), Check(8), |world| {
            ballot(world, CAST, 0).signed.ballot.proof[byte] ^= 1;
            signed(world, CAST, 0);
        });
    }
    let mut case = |name: &str, change: fn(&mut World)| {
        corpus.world(HONEST, format!("ballot: {name}"), Check(8), change);
    };
    case("another's commitment, signed anew", |world| {
        let other = ballot(world, CAST, 1).signed.ballot.statement.commitments[0];
        ballot(world, CAST, 0).signed.ballot.statement.commitments[0] = other;
        signed(world, CAST, 0);
    });
    case("two commitments exchanged, signed anew", |world| {
        let commitments = &mut ballot(world, CAST, 0).signed.ballot.statement.commitments;
        (commitments[0], commitments[1]) = (commitments[1], commitments[0]);
        signed(world, CAST, 0);
    });
    case("another's proof, signed anew", |world| {
        let other = ballot(world, CAST, 1).signed.ballot.proof.clone();
        ballot(world, CAST, 0).signed.ballot.proof = other;
        signed(world, CAST, 0);
    });
    case("another's ballot under one's own credential, signed anew", |world| {
        let own = ballot(world, CAST, 0).signed.ballot.statement.credential;
        let other = ballot(world, CAST, 1).signed.ballot.clone();
        ballot(world, CAST, 0).signed.ballot = Ballot { ..other };
        ballot(world, CAST, 0).signed.ballot.statement.credential = own;
        signed(world, CAST, 0);
    });
    case("another's signature", |world| {
        let other = ballot(world, CAST, 1).signed.signature;
        ballot(world, CAST, 0).signed.signature = other;
    });
    case("one's own, in another's block and place", |world| {
        let (one, two) = (world.blocks[CAST][0].clone(), world.blocks[CAST][1].clone());
        let (Message::Cast(one), Message::Cast(two)) = (one, two) else { panic!("ballots") };
        let crossed = CastBallot { signed: one.signed, receipts: two.receipts };
        world.blocks[CAST][0] = Message::Cast(crossed);
    });
    case("credential and signature of another, receipts anew", |world| {
        let key = world.fixture.voters[1].key.public();
        ballot(world, CAST, 0).signed.ballot.statement.credential = key;
        signed(world, CAST, 0);
    });
    case("of one who is not on the roll", |world| {
        world.fixture.voters[1].key = SigningKey::from_seed([6; 32]);
        vote(world, 1, 1);
    });
    case("of a style that is not the voter's", |world| {
        world.fixture.voters[1].style = 0;
        let style = &mut ballot(world, CAST, 0).signed.ballot.statement.style;
        *style = 1;
        signed(world, CAST, 0);
    });
    corpus.world(
        EVERYTHING,
        "ballot: of a style that is not the voter's, proved for it",
        Check(8),
        |world| {
            world.fixture.voters[1].style = 1;
            let votes = world.votes(0);
            let cast = world.fixture.cast(1, 2, &votes).cast;
            world.blocks[RECAST].insert(0, Message::Cast(cast));
        },
    );
}

fn receipts(corpus: &mut Corpus) {
    let mut case = |name: &str, change: fn(&mut World, Vec<Receipt>) -> Vec<Receipt>| {
        corpus.world(HONEST, format!("receipts: {name}"), Check(8), |world| {
            let receipts = ballot(world, CAST, 0).receipts.to_vec();
            let receipts = change(world, receipts);
            ballot(world, CAST, 0).receipts = receipts.try_into().expect("few");
        });
    };
    case("of another ballot", |world, _| ballot(world, CAST, 1).receipts.to_vec());
    case("one of another ballot", |world, mut receipts| {
        receipts[1] = ballot(world, CAST, 1).receipts[1];
        receipts
    });
    case("of one trustee twice", |_, receipts| vec![receipts[0], receipts[0], receipts[1]]);
    case("one too few", |_, receipts| receipts[..2].to_vec());
    case("none", |_, _| Vec::new());
    case("not in order", |_, receipts| receipts.into_iter().rev().collect());
    case("of a trustee who did not sign", |_, mut receipts| {
        receipts[2].trustee = 4;
        receipts
    });
    case("one more than q", |world, mut receipts| {
        let hash = ballot(world, CAST, 0).signed.ballot.hash();
        receipts.push(world.fixture.receipt(4, &hash));
        receipts
    });
    case("of t − 1 trustees, in the names of all", |world, mut receipts| {
        let hash = ballot(world, CAST, 0).signed.ballot.hash();
        for (receipt, trustee) in receipts.iter_mut().zip(1..) {
            *receipt = Receipt { trustee, ..world.fixture.receipt(1, &hash) };
        }
        receipts
    });
    case("of the ballot that the voter cast later", |world, _| ballot(world, RECAST, 1).receipts.to_vec());
}

/// A further ballot of a voter, after the others.
fn vote(world: &mut World, voter: usize, sequence: u32) {
    let votes = world.votes(0);
    let cast = world.fixture.cast(voter, sequence, &votes).cast;
    world.blocks[RECAST + 1].push(Message::Cast(cast));
}

fn in_time(corpus: &mut Corpus) {
    let mut moved = |name: &str, from: usize, index: usize, to: usize, expected: Expected| {
        corpus.world(HONEST, format!("a ballot {name}"), expected, |world| {
            let ballot = world.blocks[from].remove(index);
            world.blocks[to].push(ballot);
        });
    };
    moved("in the block that reaches the close", CAST, 1, CLOSES, Check(8));
    moved("after the close", CAST, 1, CLOSES + 1, Check(8));
    moved("before the opening", CAST, 1, OPENS, Check(8));
    moved("before the freeze", CAST, 1, REGISTER, Check(7));
    moved("after the one that replaced it", CAST, 0, CLOSES - 1, Check(8));
    moved("after those of others", CAST, 1, CLOSES - 1, Check(11));
    moved("to the end of the next block", CAST, 1, CAST + 1, Check(11));
    corpus.world(
        HONEST,
        "ballots a block earlier, in the same order",
        Unnoticed("in which of its blocks a message is"),
        |world| {
            let mut ballots = std::mem::take(&mut world.blocks[RECAST]);
            world.blocks[CAST].append(&mut ballots);
        },
    );
    corpus.world(HONEST, "a ballot again, later", Check(8), |world| {
        let copy = world.blocks[CAST][1].clone();
        world.blocks[RECAST].push(copy);
    });
    corpus.world(HONEST, "a ballot in the tally", Check(8), |world| vote_in(world, DECLARE));

    let mut further = |name: &str, sequence: u32, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("a further ballot: {name}"), expected, |world| {
            change(world);
            vote(world, 1, sequence);
        });
    };
    further("whole, in order, and not in the set that was signed", 2, Check(11), |_| ());
    further("the next but fifteen, and not in the set that was signed", 17, Check(11), |_| ());
    further("its number leaps too far", 18, Check(8), |_| ());
    further("its number was used", 1, Check(8), |_| ());
    further("its number is 0", 0, Check(8), |_| ());
    further("expired", 2, Check(8), |world| world.fixture.expiry = FIRST + 8);
    further("expires in its block, and not in the set that was signed", 2, Check(11), |world| {
        world.fixture.expiry = FIRST + 9;
    });
    further("expires too late", 2, Check(8), |world| world.fixture.expiry = FIRST + OPENS as u32 + 2_401);
    further("expires as late as may be, and not in the set that was signed", 2, Check(11), |world| {
        world.fixture.expiry = FIRST + OPENS as u32 + 2_400;
    });
    further("tied to a block of another chain", 2, Check(8), |world| {
        world.fixture.anchor = Anchor { hash: [4; 32], ..anchor(6) };
    });
    further("tied to its own block", 2, Check(8), |world| world.fixture.anchor = anchor(RECAST + 1));
    further("tied to a later block", 2, Check(8), |world| world.fixture.anchor = anchor(CLOSES));
    further("tied to the parent of the first block, by another hash", 2, Check(8), |world| {
        world.fixture.anchor = Anchor { number: FIRST - 1, hash: [4; 32] };
    });
    further("tied to a block before the record, and not in the set that was signed", 2, Check(11), |world| {
        world.fixture.anchor = Anchor { number: FIRST - 2, hash: [4; 32] };
    });
    corpus.world(HONEST, "more ballots of a voter than the manifest allows", Check(8), |world| {
        for sequence in 2..=6 {
            vote(world, 1, sequence);
        }
    });
}

fn vote_in(world: &mut World, place: usize) {
    vote(world, 1, 2);
    let ballot = world.blocks[RECAST + 1].pop().expect("a ballot");
    world.blocks[place].push(ballot);
}
