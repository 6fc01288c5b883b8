//! Whole records for other implementations: what a verifier must say of each.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    contest::Rule,
    ids::Digest,
    tally::Contribution,
    testing::{contest, Params},
    wire::Message,
};
use psephos_verifier::report::{ContestTotals, Verdict};
use serde_json::{json, Value};

use super::common::{
    params, time, verify_bytes, World, ACCEPT, AGREE, CAST, CLOSES, CONTRIBUTE, DECLARE, FREEZE, OPENS,
    RECAST, REGISTER, ROLL,
};

/// Name and bytes of each record.
pub fn records() -> Vec<(&'static str, Vec<u8>)> {
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
        ("totals per unit: two cells, the second of two units", in_units().bytes()),
        ("totals per unit: what is left over joins two runs before it", left_over().bytes()),
        ("totals per unit: a ballot excluded joins the cells", excluded_in_units().bytes()),
        ("a ballot that two of four lack is not in the signed set", excluded(&[1, 2]).bytes()),
        ("a trustee has not accepted", honest(&|world| drop(world.blocks[ACCEPT].pop()))),
        ("a roll batch is confirmed by one member", honest(&|world| drop(world.blocks[ROLL].pop()))),
        ("a registration is missing", honest(&|world| drop(world.blocks[REGISTER].pop()))),
        ("a replaced ballot is missing", honest(&|world| drop(world.blocks[CAST].remove(0)))),
        ("a counted ballot is missing", honest(&|world| drop(world.blocks[RECAST].pop()))),
        ("two blocks of ballots change places", honest(&|world| world.blocks.swap(CAST, RECAST))),
        ("a contribution is missing", honest(&|world| drop(world.blocks[CONTRIBUTE].remove(0)))),
        ("a receipt is of another ballot", honest(&foreign_receipt)),
        ("a contribution has each cell's values in the other", cells_swapped(&[0, 1, 2]).bytes()),
        ("a contribution has the pairs of one cell of two", one_cell_short().bytes()),
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

/// Units of two, one and one voters, and a minimum of two.
fn units() -> Params {
    Params { units: vec![0, 1, 0, 2], by_unit: true, ..params() }
}

fn in_units() -> World {
    World::of(&units(), |manifest| manifest.privacy_minimum = 2)
}

/// Four units: two voters of weight 1; two of weight 1 and two of weight 3; two of weight 1; one of weight 3. The third is
/// enough for itself, and not for the last.
fn left_over() -> World {
    let params = Params {
        voters: vec![1, 1, 1, 1, 3, 3, 1, 1, 3],
        units: vec![0, 0, 1, 1, 1, 1, 2, 2, 3],
        by_unit: true,
        ..params()
    };
    let mut world = World::voted(&params, |manifest| manifest.privacy_minimum = 2);
    (3..8).for_each(|voter| world.vote(voter, voter % 3, RECAST));
    world.tally();
    world
}

fn excluded_in_units() -> World {
    let mut world = World::voted(&units(), |manifest| manifest.privacy_minimum = 2);
    world.tally_without(1, &[1, 2, 3]);
    world
}

/// Signs these contributions anew, changed.
fn contributed(places: &[usize], change: impl Fn(&mut Contribution)) -> World {
    let mut world = in_units();
    for place in places {
        let Message::Contribute(mut given) = world.blocks[CONTRIBUTE][*place].clone() else {
            panic!("a contribution")
        };
        change(&mut given);
        let fixture = &mut world.fixture;
        let (index, key) = (given.trustee, &fixture.trustees[*place].signing);
        let signed =
            Contribution::sign(&fixture.election, index, key, given.root, given.sums, &mut fixture.rng);
        world.blocks[CONTRIBUTE][*place] = Message::Contribute(signed);
    }
    world
}

/// All agree on the wrong order: nothing but the sums themselves shows it.
pub fn cells_swapped(places: &[usize]) -> World {
    contributed(places, |given| given.sums.iter_mut().into_slice().rotate_left(2))
}

fn one_cell_short() -> World {
    contributed(&[0], |given| given.sums.truncate(2))
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

/// All records with what a verifier must say: the check that fails, if one does, the totals, and those of each cell
/// where there are several.
pub fn cases() -> Value {
    let case = |(name, bytes): (&str, Vec<u8>)| {
        let report = verify_bytes(&bytes);
        let failed = report.checks.iter().find(|check| check.verdict == Verdict::Failed);
        let totals = |contests: &[ContestTotals]| -> Vec<Vec<u64>> {
            let of_contest =
                |contest: &ContestTotals| contest.options.iter().map(|(_, total)| *total).collect();
            contests.iter().map(of_contest).collect()
        };
        let cells = report.cells.iter();
        let cells = cells.map(|cell| json!({ "units": cell.units, "totals": totals(&cell.contests) }));
        json!({
            "name": name, "record": hex::encode(bytes), "verified": report.verified(),
            "failed": failed.map(|check| check.number), "totals": totals(&report.contests),
            "cells": cells.collect::<Vec<_>>(),
        })
    };
    Value::Array(records().into_iter().map(case).collect())
}
