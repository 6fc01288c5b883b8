//! What fewer than t trustees, or a quorum of them, could try: acceptances, addresses, declarations, agreements,
//! contributions, and what anybody makes of these.

use psephos_protocol::{
    agreement::SetStatement,
    declaration::Missing,
    ids::Anchor,
    keys::PublicKey,
    tally::{Contribution, Finalize},
    testing::some_digest,
    wire::Message,
};

use super::{Allowed, Check, Corpus, Expected, Unnoticed};
use crate::{
    cases::{EVERYTHING, EXCLUDED, HONEST, IN_UNITS, REHEARSAL},
    common::{
        anchor, World, ACCEPT, AGREE, CAST, CERTIFY, CLOSES, CONTRIBUTE, DECLARE, FINALIZE, FREEZE, RECAST,
        REGISTER,
    },
};

pub fn add(corpus: &mut Corpus) {
    set_up(corpus);
    declarations(corpus);
    agreements(corpus);
    contributions(corpus);
    openings(corpus);
    held_back(corpus);
}

fn set_up(corpus: &mut Corpus) {
    let mut accept = |name: &str, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("acceptance: {name}"), expected, change);
    };
    accept("one trustee in the name of another", Check(5), |world| {
        let Message::Accept(first) = &mut world.blocks[ACCEPT][0] else { panic!("an acceptance") };
        first.trustee = 2;
    });
    accept("one trustee twice, another never", Check(5), |world| {
        world.blocks[ACCEPT][1] = world.blocks[ACCEPT][0].clone();
    });
    accept("when registration goes on", Check(5), |world| {
        let first = world.blocks[ACCEPT][0].clone();
        world.blocks[REGISTER].push(first);
    });
    accept("a block later, as it may be", Unnoticed("in which of its blocks a message is"), |world| {
        let last = world.blocks[ACCEPT].pop().expect("an acceptance");
        world.blocks[ACCEPT + 1].insert(0, last);
    });

    let mut announce = |name: &str, number: u8, url: &'static str, expected: Expected| {
        corpus.world(HONEST, format!("address: {name}"), expected, |world| {
            for (number, url) in [(2, "https://two.example"), (number, url)] {
                let announcement = world.fixture.announce(2, number, url);
                world.blocks[FREEZE].push(Message::Announce(announcement));
            }
        });
    };
    let stated = Allowed("a trustee stated another address");
    announce("a later one", 3, "https://zwei.example", stated);
    announce("of the same number", 2, "https://zwei.example", Check(5));
    announce("of an earlier number", 1, "https://zwei.example", Check(5));
    announce("without a scheme", 3, "zwei.example", Check(5));
    announce("of another scheme", 3, "ftp://zwei.example", Check(5));
    announce("in capitals", 3, "HTTPS://zwei.example", Check(5));
    announce("with a space", 3, "https://zwei.example/ ", Check(5));
    announce("with a line's end", 3, "https://zwei.example\n", Check(5));
    announce("with a control character", 3, "https://zwei\u{7f}.example", Check(5));
    announce("with white space of another script", 3, "https://zwei\u{3000}.example", Check(5));
    announce("in another script", 3, "https://zwei.example/ü", stated);
}

/// Replaces the declaration of trustee 3, after those of 1 and 2 that they lack a ballot.
fn declarations(corpus: &mut Corpus) {
    let mut third = |name: &str, expected: Expected, change: &dyn Fn(&mut World)| {
        corpus.world(EXCLUDED, format!("declaration: {name}"), expected, |world| {
            world.blocks[DECLARE].pop();
            change(world);
        });
    };
    let declare = |world: &mut World, trustee: u8, closing: Anchor, missing: Missing| {
        let declaration = world.fixture.declare(trustee, closing, missing);
        world.blocks[DECLARE].push(Message::Declare(declaration));
    };
    let listed = |keys: Vec<PublicKey>| Missing::Listed(keys.try_into().expect("few"));
    let lacked = |world: &World| vec![world.fixture.voters[1].key.public()];
    third("two of four are too few to exclude a ballot", Check(11), &|_| ());
    third(
        "of all, which excludes as well",
        Allowed("a trustee says that it lacks all, which it may"),
        &|world| {
            declare(world, 3, anchor(CLOSES), Missing::All);
        },
    );
    third("of nothing", Check(11), &|world| declare(world, 3, anchor(CLOSES), listed(Vec::new())));
    third("by the fourth instead", Allowed("it is as many"), &|world| {
        declare(world, 4, anchor(CLOSES), listed(lacked(world)));
    });
    third("for an earlier closing block", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES - 1), listed(lacked(world)));
    });
    third("by one that declared before", Check(11), &|world| {
        declare(world, 2, anchor(CLOSES), listed(lacked(world)));
    });
    third("of a credential that is nobody's", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES), listed(vec![PublicKey([1; 32])]));
    });
    third("of a credential twice", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES), listed([lacked(world), lacked(world)].concat()));
    });
    third("out of order", Check(11), &|world| {
        let mut keys: Vec<_> = world.fixture.voters.iter().map(|voter| voter.key.public()).collect();
        keys.sort_unstable();
        keys.reverse();
        declare(world, 3, anchor(CLOSES), listed(keys));
    });
    third("by one in the name of another", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES), listed(lacked(world)));
        let Some(Message::Declare(last)) = world.blocks[DECLARE].last_mut() else { panic!("a declaration") };
        last.trustee = 4;
    });
    third("while voting is open", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES), listed(lacked(world)));
        let last = world.blocks[DECLARE].pop().expect("a declaration");
        world.blocks[RECAST].push(last);
    });
    third("when the set is agreed", Check(11), &|world| {
        declare(world, 3, anchor(CLOSES), listed(lacked(world)));
        let last = world.blocks[DECLARE].pop().expect("a declaration");
        world.blocks[CONTRIBUTE].push(last);
    });
    corpus.world(HONEST, "declaration: of a ballot that is in the set all the same", Check(11), |world| {
        for trustee in [1, 2, 3] {
            let missing =
                Missing::Listed(vec![world.fixture.voters[1].key.public()].try_into().expect("one"));
            let declaration = world.fixture.declare(trustee, anchor(CLOSES), missing);
            world.blocks[DECLARE].push(Message::Declare(declaration));
        }
    });
    let back = Allowed("where too many lack all, nothing is excluded");
    corpus.world(HONEST, "declaration: three of four lack all", back, |world| {
        for trustee in [1, 2, 3] {
            let declaration = world.fixture.declare(trustee, anchor(CLOSES), Missing::All);
            world.blocks[DECLARE].push(Message::Declare(declaration));
        }
    });
}

fn agreements(corpus: &mut Corpus) {
    let mut signed =
        |name: &str, trustees: &'static [u8], expected: Expected, change: fn(&mut SetStatement)| {
            corpus.world(HONEST, format!("agreement: {name}"), expected, |world| {
                let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
                let mut statement = first.statement;
                change(&mut statement);
                for trustee in trustees {
                    let agreement = world.fixture.agree(*trustee, statement);
                    world.blocks[AGREE][usize::from(*trustee) - 1] = Message::Agree(agreement);
                }
            });
        };
    let other_root: fn(&mut SetStatement) = |statement| statement.root = some_digest("another");
    signed("one of three on another root", &[1], Check(11), other_root);
    signed("all on another root", &[1, 2, 3], Check(11), other_root);
    signed("all on one ballot more", &[1, 2, 3], Check(11), |statement| statement.ballots += 1);
    signed("all on one ballot less", &[1, 2, 3], Check(11), |statement| statement.ballots -= 1);
    signed("all on another log", &[1, 2, 3], Check(11), |statement| statement.log = some_digest("another"));
    signed("all on an earlier close", &[1, 2, 3], Check(11), |s| s.closing = anchor(CLOSES - 1));
    signed("all on a later close", &[1, 2, 3], Check(11), |s| s.closing = anchor(CLOSES + 1));
    let mut case = |name: &str, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("agreement: {name}"), expected, change);
    };
    case("one too few", Check(11), |world| drop(world.blocks[AGREE].pop()));
    case("t − 1 of them in the names of all", Check(11), |world| {
        let Message::Agree(first) = world.blocks[AGREE][0].clone() else { panic!("an agreement") };
        for (trustee, message) in (1..).zip(&mut world.blocks[AGREE]) {
            let mut agreement = first;
            agreement.trustee = trustee;
            *message = Message::Agree(agreement);
        }
    });
    case("one trustee twice, another never", Check(11), |world| {
        world.blocks[AGREE][1] = world.blocks[AGREE][0].clone();
    });
    case("one trustee on two sets", Check(11), |world| {
        let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
        let other = SetStatement { root: some_digest("another"), ..first.statement };
        let other = world.fixture.agree(1, other);
        world.blocks[AGREE].insert(1, Message::Agree(other));
    });
    case("before the close", Check(11), |world| {
        let first = world.blocks[AGREE].remove(0);
        world.blocks[RECAST].push(first);
    });
    case("in the closing block", Check(11), |world| {
        let first = world.blocks[AGREE].remove(0);
        world.blocks[CLOSES].push(first);
    });
    case("when the totals are opened", Check(11), |world| {
        let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
        let fourth = world.fixture.agree(4, first.statement);
        world.blocks[FINALIZE].push(Message::Agree(fourth));
    });
    let beyond = Allowed("an agreement beyond q");
    case("of the fourth as well", beyond, |world| {
        let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
        let fourth = world.fixture.agree(4, first.statement);
        world.blocks[AGREE].push(Message::Agree(fourth));
    });
    case("all on the set without a ballot that the record has", Check(11), |world| {
        // The board, the trustees and whoever finalizes are one; voter 1's ballot is accepted and not counted.
        let mut other = World::voted(&crate::common::params(), |_| ());
        other.cast.remove(1);
        other.tally();
        for place in AGREE..=CERTIFY {
            world.blocks[place] = other.blocks[place].clone();
        }
    });
    case("all on the set, of which the record has left out a ballot", Check(11), |world| {
        world.blocks[CAST].remove(1);
    });
}

/// Contributions of these trustees, changed and signed anew.
fn contributed(world: &mut World, trustees: &[u8], change: &dyn Fn(&mut Contribution)) {
    for trustee in trustees {
        let place = usize::from(*trustee) - 1;
        let Message::Contribute(mut given) = world.blocks[CONTRIBUTE][place].clone() else {
            panic!("a contribution")
        };
        change(&mut given);
        world.blocks[CONTRIBUTE][place] = super::sign::signed(world, Message::Contribute(given));
    }
}

fn contributions(corpus: &mut Corpus) {
    let mut case =
        |name: &str, trustees: &'static [u8], expected: Expected, change: &dyn Fn(&mut Contribution)| {
            corpus.world(HONEST, format!("contribution: {name}"), expected, |world| {
                contributed(world, trustees, change);
            });
        };
    let spare = Allowed("a contribution that Finalize did not name");
    case("wrong, and named", &[1], Check(14), &|given| given.sums[0].0 .0[0] ^= 1);
    case("wrong in its blinding, and named", &[2], Check(14), &|given| given.sums[1].1 .0[0] ^= 1);
    case("wrong, and not named", &[3], spare, &|given| given.sums[0].0 .0[0] ^= 1);
    case("wrong by all", &[1, 2, 3], Check(14), &|given| given.sums[0].0 .0[0] ^= 1);
    case("not canonical, and not named", &[3], Check(13), &|given| given.sums[1].1 .0 = [255; 32]);
    case("for another set, and not named", &[3], Check(13), &|given| given.root = some_digest("another"));
    case("with one pair too few, and not named", &[3], Check(13), &|given| given.sums.truncate(1));
    case("all zeros", &[1, 2, 3], Check(14), &|given| {
        given.sums.iter_mut().for_each(|pair| *pair = Default::default());
    });
    let mut case = |name: &str, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("contribution: {name}"), expected, change);
    };
    case("of one trustee in the name of another", Check(13), |world| {
        let Message::Contribute(first) = &mut world.blocks[CONTRIBUTE][0] else { panic!("a contribution") };
        first.trustee = 4;
    });
    case("of one trustee twice", Check(13), |world| {
        let first = world.blocks[CONTRIBUTE][0].clone();
        world.blocks[CONTRIBUTE].push(first);
    });
    case("of another trustee, as one's own", Check(14), |world| {
        let Message::Contribute(first) = world.blocks[CONTRIBUTE][0].clone() else {
            panic!("a contribution")
        };
        contributed(world, &[2], &|given| given.sums = first.sums.clone());
    });
    case("before the set is agreed", Check(11), |world| {
        let first = world.blocks[CONTRIBUTE].remove(0);
        world.blocks[DECLARE].push(first);
    });
    case("when the totals are opened", Check(13), |world| {
        let last = world.blocks[CONTRIBUTE].pop().expect("a contribution");
        world.blocks[FINALIZE].push(last);
    });
    case("none", Check(14), |world| world.blocks[CONTRIBUTE].clear());
    let mut cells = |name: &str, trustees: &'static [u8], expected: Expected| {
        corpus.world(
            IN_UNITS,
            format!("contribution: the values of each cell in the other, {name}"),
            expected,
            |world| {
                contributed(world, trustees, &|given| given.sums.iter_mut().into_slice().rotate_left(2));
            },
        );
    };
    cells("of one trustee", &[1], Check(14));
    cells("of all, so that nothing but the sums shows it", &[1, 2, 3], Check(14));
    corpus.world(IN_UNITS, "contribution: one cell left out", Check(13), |world| {
        contributed(world, &[1], &|given| given.sums.truncate(2));
    });
}

fn openings(corpus: &mut Corpus) {
    let mut named = |name: &str, contributors: &'static [u8], expected: Expected| {
        corpus.world(HONEST, format!("finalizing: {name}"), expected, |world| {
            let eid = world.fixture.election.eid;
            let contributors = contributors.to_vec().try_into().expect("few");
            world.blocks[FINALIZE][0] = Message::Finalize(Finalize { eid, contributors });
        });
    };
    named("names one who did not contribute", &[1, 4], Check(14));
    named("names one who is none", &[1, 5], Check(14));
    named("names trustee 0", &[0, 1], Check(14));
    named("names too few", &[1], Check(14));
    named("names too many", &[1, 2, 3], Check(14));
    named("names them out of order", &[2, 1], Check(14));
    named("names one twice", &[1, 1], Check(14));
    named("names nobody", &[], Check(14));
    named("names others than those of the certified result", &[1, 3], Check(15));
    corpus.world(HONEST, "finalizing: before anybody contributed", Check(14), |world| {
        let finalize = world.blocks[FINALIZE].remove(0);
        world.blocks[CONTRIBUTE].insert(0, finalize);
    });
    corpus.world(HONEST, "finalizing: before the set is agreed", Check(11), |world| {
        let finalize = world.blocks[FINALIZE].remove(0);
        world.blocks[DECLARE].push(finalize);
    });
    corpus.world(
        EVERYTHING,
        "finalizing: with contributions over fewer ballots than were agreed",
        Check(14),
        |world| {
            let mut ballots = std::mem::take(&mut world.cast);
            ballots.truncate(1);
            for trustee in [1, 2] {
                let contribution = world.fixture.contribute(trustee, &ballots);
                contributed(world, &[trustee], &|given| given.sums = contribution.sums.clone());
            }
        },
    );
    // Four voters on the roll, of whom three vote, and a minimum of four.
    corpus.world(HONEST, "a group below the privacy minimum among the ballots", Check(10), |world| {
        *world = World::voted(&crate::common::params(), |manifest| manifest.privacy_minimum = 4);
        let last = world.cast.pop().expect("a ballot");
        world.blocks[RECAST].retain(|message| *message != Message::Cast(last.cast.clone()));
        world.tally();
    });
    corpus.world(HONEST, "a group below the privacy minimum on the roll", Check(10), |world| {
        let params =
            psephos_protocol::testing::Params { voters: vec![1, 1, 1, 2], ..crate::common::params() };
        *world = World::voted(&params, |manifest| manifest.privacy_minimum = 2);
        world.blocks.truncate(FREEZE + 1);
    });
}

fn held_back(corpus: &mut Corpus) {
    let mut with = |name: &str, place: usize, expected: Expected, message: fn(&mut World) -> Message| {
        corpus.world(
            REHEARSAL,
            format!("a rehearsal: the trustee that is held back {name}"),
            expected,
            |world| {
                let message = message(world);
                world.blocks[place].push(message);
            },
        );
    };
    with("declares", DECLARE, Check(11), |world| {
        Message::Declare(world.fixture.declare(4, anchor(CLOSES), Missing::All))
    });
    with("agrees", AGREE, Check(11), |world| {
        let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
        let statement = first.statement;
        Message::Agree(world.fixture.agree(4, statement))
    });
    with("contributes", CONTRIBUTE, Check(13), |world| {
        let Message::Contribute(first) = world.blocks[CONTRIBUTE][0].clone() else {
            panic!("a contribution")
        };
        super::sign::signed(world, Message::Contribute(Contribution { trustee: 4, ..first }))
    });
    with("says where it is", DECLARE, Allowed("in all else it is a trustee like the others"), |world| {
        Message::Announce(world.fixture.announce(4, 1, "https://four.example"))
    });
}
