//! Whole records for other implementations: what a verifier must say of each.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    contest::Rule,
    ids::Digest,
    testing::{contest, Params},
    wire::Message,
};
use psephos_verifier::report::Verdict;
use serde_json::{json, Value};

use super::common::{
    params, time, verify_bytes, World, ACCEPT, AGREE, CAST, CLOSES, CONTRIBUTE, DECLARE, FREEZE, OPENS,
    RECAST, REGISTER, ROLL,
};

/// Name and bytes of each record.
fn records() -> Vec<(&'static str, Vec<u8>)> {
    let honest = |change: &dyn Fn(&mut World)| {
        let mut world = World::honest();
        change(&mut world);
        world.bytes()
    };
    vec![
        ("plurality, one voter by invitation, one ballot replaced", honest(&|_| ())),
        ("weights; approval, up to three of five, score", many_contests().bytes()),
        ("addresses stated", honest(&announced)),
        ("another set signed by one trustee", honest(&dissent)),
        ("a ballot excluded", excluded(&[1, 2, 3]).bytes()),
        ("postponed, extended, closed early by the board", every_turn().bytes()),
        ("voided while open", voided().bytes()),
        ("a ballot that two of four lack is not in the signed set", excluded(&[1, 2]).bytes()),
        ("a trustee has not accepted", honest(&|world| drop(world.blocks[ACCEPT].pop()))),
        ("a roll batch is confirmed by one member", honest(&|world| drop(world.blocks[ROLL].pop()))),
        ("a registration is missing", honest(&|world| drop(world.blocks[REGISTER].pop()))),
        ("a replaced ballot is missing", honest(&|world| drop(world.blocks[CAST].remove(0)))),
        ("a counted ballot is missing", honest(&|world| drop(world.blocks[RECAST].pop()))),
        ("two blocks of ballots change places", honest(&|world| world.blocks.swap(CAST, RECAST))),
        ("a contribution is missing", honest(&|world| drop(world.blocks[CONTRIBUTE].remove(0)))),
        ("a receipt is of another ballot", honest(&foreign_receipt)),
        ("time goes back", honest(&|world| world.times[6] = time(4))),
    ]
}

fn many_contests() -> World {
    let params = Params {
        contests: vec![
            contest(4, Rule::approval(4)),
            contest(5, Rule { max_each: 1, min_sum: 0, max_sum: 3 }),
            contest(3, Rule::score(9, 3)),
        ],
        voters: vec![1, 1, 5, 5],
        ..Params::default()
    };
    World::of(&params, |_| ())
}

fn announced(world: &mut World) {
    for (number, url) in [(1, "https://two.example"), (3, "https://zwei.example:9960/#sha256=00")] {
        let announcement = world.fixture.announce(2, number, url);
        world.blocks[FREEZE].push(Message::Announce(announcement));
    }
}

fn dissent(world: &mut World) {
    let Message::Agree(first) = &world.blocks[AGREE][0] else { panic!("an agreement") };
    let other = SetStatement { root: Digest([3; 32]), ..first.statement };
    let agreement = world.fixture.agree(4, other);
    world.blocks[AGREE].push(Message::Agree(agreement));
}

fn excluded(declaring: &[u8]) -> World {
    let mut world = World::voted(&params(), |_| ());
    world.tally_without(1, declaring);
    world
}

fn every_turn() -> World {
    // The board closes in block CLOSES, which is then the closing block as if by the clock.
    let mut world = World::voted(&params(), |manifest| {
        (manifest.opens_at, manifest.closes_at) = (time(OPENS) - 1, time(OPENS) + 1);
    });
    let eid = world.fixture.election.eid;
    let reason = || b"the bridge is closed".to_vec().try_into().expect("short");
    let (opens_at, closes_at) = (time(OPENS), time(CLOSES) - 1);
    world.act(FREEZE, Action::Postpone { eid, opens_at, closes_at });
    world.act(RECAST, Action::Extend { eid, closes_at: time(DECLARE + 9), reason: reason() });
    world.act(CLOSES, Action::Close { eid });
    world.tally();
    world
}

fn voided() -> World {
    let mut world = World::voted(&params(), |_| ());
    let eid = world.fixture.election.eid;
    world.blocks.truncate(CLOSES);
    let reason = b"the hall burned down".to_vec().try_into().expect("short");
    world.act(RECAST + 1, Action::Void { eid, reason });
    world
}

fn foreign_receipt(world: &mut World) {
    let (first, rest) = world.blocks[CAST].split_at_mut(1);
    let (Message::Cast(one), Message::Cast(other)) = (&mut first[0], &rest[0]) else { panic!("ballots") };
    one.receipts[0] = other.receipts[0];
}

/// All records with what a verifier must say: the check that fails, if one does, and the totals.
pub fn cases() -> Value {
    let case = |(name, bytes): (&str, Vec<u8>)| {
        let report = verify_bytes(&bytes);
        let failed = report.checks.iter().find(|check| check.verdict == Verdict::Failed);
        let totals: Vec<Vec<u64>> = report
            .contests
            .iter()
            .map(|contest| contest.options.iter().map(|(_, total)| *total).collect())
            .collect();
        json!({
            "name": name, "record": hex::encode(bytes), "verified": report.verified(),
            "failed": failed.map(|check| check.number), "totals": totals,
        })
    };
    Value::Array(records().into_iter().map(case).collect())
}
