//! What a board, members of it, or whoever runs its chain could try.

use codec::Encode;
use psephos_protocol::{
    board::{Action, Board},
    contest::Rule,
    election::Election,
    ids::{Digest, Eid, Genesis},
    keys::PublicKey,
    manifest::{Manifest, Style},
    roll::RollEvent,
    testing::{contest, some_digest},
    transcript,
    wire::Message,
};
use psephos_verifier::Options;

use super::{Allowed, Change, Check, Corpus, Expected};
use crate::{
    cases::{EVERYTHING, HONEST, REHEARSAL},
    common::{
        time, World, AGREE, CAST, CERTIFY, CLOSES, CONTRIBUTE, CREATE, DECLARE, FREEZE, OPENS, RECAST,
        REGISTER, ROLL,
    },
};

pub fn add(corpus: &mut Corpus) {
    wishes(corpus);
    creation(corpus);
    rules(corpus);
    schedule(corpus);
    quorum(corpus);
    end(corpus);
}

fn eid(world: &World) -> Eid {
    world.fixture.election.eid
}

fn reason(why: &str) -> psephos_protocol::bounds::Reason {
    why.as_bytes().to_vec().try_into().expect("short")
}

/// What the reader knows beforehand.
fn wishes(corpus: &mut Corpus) {
    let default = Options::default;
    corpus.options(HONEST, "the reader knows another chain", Check(3), |_| Options {
        genesis: Some(Genesis([1; 32])),
        ..default()
    });
    corpus.options(HONEST, "the reader knows another election", Check(3), |_| Options {
        eid: Some(Eid([1; 32])),
        ..default()
    });
    let changes: [Change<Board>; 3] = [
        ("of another threshold", |board| board.threshold = 1),
        ("in another order", |board| board.members.iter_mut().into_slice().swap(0, 2)),
        ("without a member", |board| board.members.truncate(2)),
    ];
    for (how, change) in changes {
        corpus.options(HONEST, format!("the reader knows a board {how}"), Check(4), |world| {
            let mut board = world.board();
            change(&mut board);
            Options { board: Some(board), ..default() }
        });
    }
    let known = Allowed("it is what the record says");
    corpus.options(HONEST, "the reader knows chain, board and election", known, |world| Options {
        genesis: Some(world.fixture.election.genesis),
        board: Some(world.board()),
        eid: Some(eid(world)),
        ..default()
    });
}

fn creation(corpus: &mut Corpus) {
    let mut case = |name: &str, expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("creation: {name}"), expected, change);
    };
    case("by nobody", Check(4), |world| world.blocks[CREATE].clear());
    case("by one member in the name of another", Check(4), |world| {
        let Message::Approve(approval) = &mut world.blocks[CREATE][1] else { panic!("an approval") };
        approval.member = 2;
    });
    case("by one member alone, twice", Check(4), |world| {
        world.blocks[CREATE][1] = world.blocks[CREATE][0].clone();
    });
    case("again, when it is created", Check(4), |world| {
        let Message::Approve(approval) = &world.blocks[CREATE][0] else { panic!("an approval") };
        let third = world.fixture.approve(approval.action.clone(), 2);
        world.blocks[CREATE].push(Message::Approve(third));
    });
    case("of another election, when it is created", Check(3), |world| {
        let manifest = world.fixture.election.manifest.clone();
        let other = world.fixture.approve(Action::CreateElection { number: 2, manifest }, 2);
        world.blocks[CREATE].push(Message::Approve(other));
    });
    case("of another manifest, by all of the board", Check(3), |world| {
        let mut manifest = world.fixture.election.manifest.clone();
        manifest.privacy_minimum = 2;
        world.blocks[CREATE].clear();
        world.act(CREATE, Action::CreateElection { number: 1, manifest });
    });
    case("of another title, by all of the board", Check(3), |world| {
        let mut manifest = world.fixture.election.manifest.clone();
        manifest.title = psephos_protocol::testing::name("The real one");
        world.blocks[CREATE].clear();
        world.act(CREATE, Action::CreateElection { number: 1, manifest });
    });
    corpus.world(REHEARSAL, "creation: a rehearsal that is passed off as an election", Check(3), |world| {
        let mut manifest = world.fixture.election.manifest.clone();
        manifest.rehearsal = None;
        world.blocks[CREATE].clear();
        world.act(CREATE, Action::CreateElection { number: 1, manifest });
    });
}

/// Creates the election with another manifest, and everything that follows from it: a forgery from its beginning.
fn recreated(world: &mut World, change: impl FnOnce(&mut Manifest)) {
    let Election { genesis, mut manifest, .. } = world.fixture.election.clone();
    change(&mut manifest);
    let eid = transcript::eid(&genesis, 1, &manifest.encode());
    let header_board = world.board();
    world.fixture.election = Election::new_unchecked(genesis, eid, manifest.clone());
    world.fixture.election.manifest.board = header_board;
    world.blocks[CREATE].clear();
    world.act(CREATE, Action::CreateElection { number: 1, manifest });
}

/// Every rule of 3.1, broken by a board that agrees on it.
fn rules(corpus: &mut Corpus) {
    const NO_TEXT: u8 = 255;
    let empty_names = |count: usize| vec![Default::default(); count];
    let mut case = |name: &str, change: &dyn Fn(&mut Manifest)| {
        corpus.world(EVERYTHING, format!("a manifest that breaks a rule: {name}"), Check(3), |world| {
            recreated(world, change);
        });
    };
    case("version", &|m| m.version = 2);
    case("a title that is not UTF-8", &|m| m.title[0] = NO_TEXT);
    case("a contest's title that is not UTF-8", &|m| m.contests[0].title[0] = NO_TEXT);
    case("an option that is not UTF-8", &|m| m.contests[0].options[2][0] = NO_TEXT);
    case("a style's name that is not UTF-8", &|m| m.styles[1].name[0] = NO_TEXT);
    case("a unit that is not UTF-8", &|m| m.units[1][0] = NO_TEXT);
    case("a trustee's name that is not UTF-8", &|m| m.trustees[3].name[0] = NO_TEXT);
    case("no contests", &|m| m.contests.clear());
    case("a contest without options", &|m| m.contests[1].options.clear());
    case("max_each 0", &|m| m.contests[1].rule.max_each = 0);
    case("max_sum 0", &|m| m.contests[1].rule.max_sum = 0);
    case("min_sum above max_sum", &|m| m.contests[1].rule.min_sum = 3);
    case("max_sum above what all options can be given", &|m| m.contests[1].rule.max_sum = 5);
    case("one option alone, with a fixed sum", &|m| {
        m.contests[0] = contest(1, Rule { max_each: 1, min_sum: 1, max_sum: 1 });
    });
    case("no styles", &|m| m.styles.clear());
    case("a style without contests", &|m| m.styles[1].contests.clear());
    case("a style with a contest twice", &|m| m.styles[1].contests = vec![0, 0].try_into().expect("two"));
    case("a style with contests out of order", &|m| {
        m.styles[1].contests = vec![1, 0].try_into().expect("two")
    });
    case("a style with a contest that there is not", &|m| m.styles[1].contests[1] = 2);
    case("a ballot of too many range bits", &|m| {
        m.contests[1] = contest(1, Rule { max_each: 1 << 31, min_sum: 0, max_sum: 1 << 31 });
        m.contests[1].options = empty_names(128).try_into().expect("few");
    });
    case("too many columns", &|m| {
        let options: psephos_protocol::contest::Contest = {
            let mut all = contest(1, Rule::approval(103));
            all.options = empty_names(103).try_into().expect("few");
            all
        };
        m.contests = vec![options; 5].try_into().expect("few");
        let style =
            |contest| Style { name: Default::default(), contests: vec![contest].try_into().expect("one") };
        m.styles = (0..5).map(style).collect::<Vec<_>>().try_into().expect("few");
    });
    case("too many sums", &|m| {
        m.by_unit = true;
        m.contests[1].options = empty_names(15).try_into().expect("few");
        m.units = empty_names(256).try_into().expect("few");
    });
    case("no units", &|m| m.units.clear());
    case("no weights", &|m| m.weights.clear());
    case("a weight of 0", &|m| m.weights[0] = 0);
    case("a weight twice", &|m| m.weights[1] = 1);
    case("weights out of order", &|m| m.weights.iter_mut().into_slice().swap(0, 1));
    case("max_voters 0", &|m| m.max_voters = 0);
    case("max_voters above ten million", &|m| m.max_voters = 10_000_001);
    case("max_ballots 0", &|m| m.max_ballots = 0);
    case("max_ballots 33", &|m| m.max_ballots = 33);
    case("a KEM key that is too short", &|m| m.trustees[1].kem.truncate(1_215));
    case("a KEM key of two trustees", &|m| m.trustees[1].kem = m.trustees[0].kem.clone());
    case("t = 1", &|m| m.threshold = 1);
    case("t = n", &|m| (m.threshold, m.quorum) = (4, 4));
    case("q below (n + t)/2", &|m| m.quorum = 2);
    case("q above n", &|m| m.quorum = 5);
    case("a rehearsal that holds nobody back", &|m| m.rehearsal = Some(0));
    case("a rehearsal that holds back a trustee that there is not", &|m| m.rehearsal = Some(5));
    case("a rehearsal that holds one back though all are needed", &|m| {
        (m.rehearsal, m.quorum) = (Some(1), 4)
    });
    case("a board of threshold 0", &|m| m.board.threshold = 0);
    case("a board of threshold 4", &|m| m.board.threshold = 4);
    case("a board with a key twice", &|m| m.board.members[2] = m.board.members[0]);
    case("no registrar", &|m| m.registrars.clear());
    case("a registrar with a member's key", &|m| m.registrars[0] = m.board.members[0]);
    case("a registrar with a trustee's key", &|m| m.registrars[0] = m.trustees[2].signing);
    case("a trustee with a member's key", &|m| m.trustees[0].signing = m.board.members[2]);
    case("two trustees with one key", &|m| m.trustees[0].signing = m.trustees[1].signing);
    case("closing at the opening", &|m| m.closes_at = m.opens_at);
    case("closing before the opening", &|m| m.closes_at = m.opens_at - 1);
    case("totals that could pass 64 bits", &|m| m.weights[1] = 1 << 60);
    case("other generators", &|m| m.generators = Digest([1; 32]));
    let key = PublicKey([2; 32]);
    case("two registrars with one key", &|m| m.registrars = vec![key, key].try_into().expect("two"));
}

fn schedule(corpus: &mut Corpus) {
    let mut act = |name: &str, place: usize, expected: Expected, action: &dyn Fn(Eid) -> Action| {
        corpus.world(HONEST, format!("the board: {name}"), expected, |world| {
            let action = action(eid(world));
            world.act(place, action);
        });
    };
    let extend =
        |closes_at: u64, why: &'static str| move |eid| Action::Extend { eid, closes_at, reason: reason(why) };
    let postpone = |opens_at: u64, closes_at: u64| move |eid| Action::Postpone { eid, opens_at, closes_at };
    act("freezes another roll", REGISTER, Check(6), &|eid| Action::Freeze {
        eid,
        roll: some_digest("another"),
    });
    act("freezes twice", FREEZE, Check(7), &|eid| Action::Freeze { eid, roll: some_digest("another") });
    act("freezes before the trustees accepted", CREATE, Check(5), &|eid| Action::Freeze {
        eid,
        roll: some_digest("another"),
    });
    act("extends to an earlier time", CAST, Check(7), &extend(time(CLOSES) - 1, "why"));
    act("extends to the same time", CAST, Check(7), &extend(time(CLOSES), "why"));
    act("extends without a reason", CAST, Check(7), &extend(time(90), ""));
    act("extends before the opening", FREEZE, Check(7), &extend(time(90), "why"));
    act("extends in the block that reaches the close", CLOSES, Check(7), &extend(time(90), "why"));
    act("extends after the close", AGREE, Check(7), &extend(time(90), "why"));
    act("postpones in the block that reaches the opening", OPENS, Check(7), &postpone(time(80), time(90)));
    act("postpones while voting is open", CAST, Check(7), &postpone(time(80), time(90)));
    act("postpones to the same opening", REGISTER, Check(7), &postpone(time(OPENS), time(90)));
    act("postpones to an earlier close", REGISTER, Check(7), &postpone(time(OPENS) + 1, time(CLOSES) - 1));
    act("postpones the opening past the close", REGISTER, Check(7), &postpone(time(90), time(90)));
    act("postpones after the close", CONTRIBUTE, Check(7), &postpone(time(80), time(90)));
    act("closes before the opening", FREEZE, Check(7), &|eid| Action::Close { eid });
    act("closes in the block that reaches the close", CLOSES, Check(7), &|eid| Action::Close { eid });
    act("closes after the close", AGREE, Check(7), &|eid| Action::Close { eid });
    act("extends before it freezes", REGISTER, Check(7), &extend(time(90), "why"));
    act("extends before the trustees accepted", CREATE, Check(5), &extend(time(90), "why"));
    corpus.world(HONEST, "the board: freezes without the second member", Check(7), |world| {
        world.blocks[FREEZE].pop();
    });
    corpus.world(
        HONEST,
        "the board: freezes the roll as it was before the last registration",
        Check(6),
        |world| {
            let eid = eid(world);
            let Message::AddBatch(batch) = &world.blocks[ROLL][0] else { panic!("a batch") };
            let (digest, count) = (batch.digest(), batch.entries.len() as u32);
            let confirmed = RollEvent::Confirmed { batch: 0, digest, first: 0, count };
            world.blocks[FREEZE].clear();
            world.act(FREEZE, Action::Freeze { eid, roll: confirmed.append_to(&Digest::default()) });
        },
    );
    corpus.world(HONEST, "the board: closes early where the manifest does not allow it", Check(7), |world| {
        again(world, |manifest| manifest.early_close = false, CAST);
        let eid = eid(world);
        world.act(CAST, Action::Close { eid });
    });
    corpus.world(HONEST, "the board: freezes in the block that reaches the close", Check(7), |world| {
        again(world, |manifest| (manifest.opens_at, manifest.closes_at) = (1, time(FREEZE)), FREEZE);
    });
}

/// The election with another manifest, all of it signed anew, up to a block; without ballots.
fn again(world: &mut World, change: impl FnOnce(&mut Manifest), last: usize) {
    *world = World::voted(&crate::common::params(), change);
    world.blocks.truncate(last + 1);
    world.blocks.iter_mut().skip(CAST).for_each(Vec::clear);
}

fn quorum(corpus: &mut Corpus) {
    let mut lower = |name: &str, place: usize, quorum: u8, why: &'static str, expected: Expected| {
        corpus.world(HONEST, format!("the board: lowers the quorum {name}"), expected, |world| {
            let eid = eid(world);
            let mut then = std::mem::take(&mut world.blocks[place]);
            world.act(place, Action::LowerQuorum { eid, quorum, reason: reason(why) });
            world.blocks[place].append(&mut then);
        });
    };
    lower(
        "for a day",
        DECLARE,
        2,
        "gone",
        Allowed("it says so in public, and the quorum was there all the same"),
    );
    lower("below the threshold", DECLARE, 1, "gone", Check(11));
    lower("to no less", DECLARE, 3, "gone", Check(11));
    lower("without a reason", DECLARE, 2, "", Check(11));
    lower("while voting is open", CAST, 2, "gone", Check(11));
    lower("before the opening", FREEZE, 2, "gone", Check(7));
    lower("when the set is agreed", CONTRIBUTE, 2, "gone", Check(11));
    corpus.world(
        HONEST,
        "the board: lowers the quorum, and two trustees agree at once",
        Check(11),
        |world| {
            let eid = eid(world);
            world.act(DECLARE, Action::LowerQuorum { eid, quorum: 2, reason: reason("gone") });
            world.blocks[AGREE].pop();
        },
    );
    corpus.world(
        HONEST,
        "the board: lowers the quorum by one member alone, and two trustees agree",
        Check(11),
        |world| {
            let eid = eid(world);
            world.act(DECLARE, Action::LowerQuorum { eid, quorum: 2, reason: reason("gone") });
            world.blocks[DECLARE].pop();
            world.blocks[AGREE].pop();
        },
    );
}

fn end(corpus: &mut Corpus) {
    let mut certify = |name: &str, place: usize, expected: Expected, result: Option<Digest>| {
        corpus.world(HONEST, format!("the board: certifies {name}"), expected, |world| {
            let own = match &world.blocks[CERTIFY][0] {
                Message::Approve(approval) => approval.action.clone(),
                other => panic!("another message: {other:?}"),
            };
            let eid = eid(world);
            let action = result.map_or(own, |result| Action::Certify { eid, result });
            world.blocks[CERTIFY].clear();
            world.act(place, action);
        });
    };
    certify("a result that is not the one", CERTIFY, Check(15), Some(Digest([1; 32])));
    certify("before anything was opened", CONTRIBUTE, Check(14), None);
    certify("before the set was agreed", DECLARE, Check(11), None);
    certify("while voting is open", CAST, Check(15), None);
    certify("before the roll is frozen", REGISTER, Check(7), None);
    corpus.world(
        HONEST,
        "the board: certifies, and a message of a kind that has no rule of its own follows",
        Check(16),
        |world| {
            let announcement = world.fixture.announce(1, 1, "https://one.example");
            world.blocks[CERTIFY].push(Message::Announce(announcement));
        },
    );
    corpus.world(HONEST, "the board: certifies, and creates the election again", Check(16), |world| {
        let again = world.blocks[CREATE][0].clone();
        world.blocks[CERTIFY].push(again);
    });
    corpus.world(HONEST, "the board: certifies, and another election follows", Check(16), |world| {
        let mut finalize = world.blocks[crate::common::FINALIZE][0].clone();
        super::sign::set_eid(&mut finalize, Eid([1; 32]));
        world.blocks[CERTIFY].push(finalize);
    });
    let mut void = |name: &str, first: bool, why: &'static [u8], expected: Expected| {
        corpus.world(HONEST, format!("the board: voids {name}"), expected, |world| {
            let eid = eid(world);
            if first {
                world.blocks[CERTIFY].clear();
            }
            let reason = why.to_vec().try_into().expect("short");
            world.act(CERTIFY, Action::Void { eid, reason });
        });
    };
    void("instead of certifying", true, b"why", Allowed("the board may void until it certified"));
    void("when it certified", false, b"why", Check(16));
    void("without a reason", true, b"", Check(15));
    void("for a reason that is not UTF-8", true, &[255], Check(15));
    corpus.world(HONEST, "the board: voids in the middle of the record", Check(16), |world| {
        let eid = eid(world);
        world.act(RECAST, Action::Void { eid, reason: reason("why") });
    });
}
