//! Whole records for other implementations: what a verifier must say of each.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    contest::Rule,
    declaration::Missing,
    ids::Digest,
    keys::SigningKey,
    manifest::Style,
    roll::{InvitationKeys, RollEvent},
    tally::Contribution,
    testing::{contest, name, Params},
    wire::Message,
};
use psephos_verifier::{
    report::{ContestTotals, Verdict},
    verify, Options,
};
use serde_json::{json, Value};

use super::common::{
    anchor, chain::Chain, params, time, World, ACCEPT, AGREE, CAST, CLOSES, CONTRIBUTE, DECLARE, FREEZE,
    OPENS, RECAST, REGISTER, ROLL,
};

/// A record: its name, and the election.
type Record = (&'static str, fn() -> World);

pub const RECORDS: [Record; 27] = [
    (HONEST, World::honest),
    ("weights; approval, up to three of five, score", many_contests),
    ("addresses stated", || changed(announced)),
    ("another set signed by one trustee", || changed(dissent)),
    (EXCLUDED, || excluded(&[1, 2, 3])),
    ("postponed, extended, closed early by the board", every_turn),
    ("voided while open", voided),
    (IN_UNITS, in_units),
    ("totals per unit: what is left over joins two runs before it", left_over),
    ("totals per unit: a ballot excluded joins the cells", excluded_in_units),
    ("totals per unit: small groups are public, so that each unit with a ballot is a cell", public_groups),
    (EVERYTHING, everything),
    (REHEARSAL, rehearsal),
    ("a rehearsal that holds nobody back, because the quorum needs all", rehearsal_of_all),
    (FINAL, || Chain::new(4).world),
    ("a ballot that two of four lack is not in the signed set", || excluded(&[1, 2])),
    ("a trustee has not accepted", || changed(|world| drop(world.blocks[ACCEPT].pop()))),
    ("a roll batch is confirmed by one member", || changed(|world| drop(world.blocks[ROLL].pop()))),
    ("a registration is missing", || changed(|world| drop(world.blocks[REGISTER].pop()))),
    ("a replaced ballot is missing", || changed(|world| drop(world.blocks[CAST].remove(0)))),
    ("a counted ballot is missing", || changed(|world| drop(world.blocks[RECAST].pop()))),
    ("two blocks of ballots change places", || changed(|world| world.blocks.swap(CAST, RECAST))),
    ("a contribution is missing", || changed(|world| drop(world.blocks[CONTRIBUTE].remove(0)))),
    ("a receipt is of another ballot", || changed(foreign_receipt)),
    ("a contribution has each cell's values in the other", || cells_swapped(&[0, 1, 2])),
    ("a contribution has the pairs of one cell of two", one_cell_short),
    ("time goes back", || changed(|world| world.times[6] = time(4))),
];

pub const HONEST: &str = "plurality, one voter by invitation, one ballot replaced";
pub const EXCLUDED: &str = "a ballot excluded";
pub const IN_UNITS: &str = "totals per unit: two cells, the second of two units";
pub const EVERYTHING: &str = "every kind of message and of action";
pub const REHEARSAL: &str = "a rehearsal that holds trustee 4 back";
pub const FINAL: &str = "on a chain of four validators, with its finality proof";

/// The election of that record.
pub fn world(name: &str) -> World {
    let (_, world) = RECORDS.iter().find(|(other, _)| *other == name).expect("a record of that name");
    world()
}

/// Name and bytes of each record.
pub fn records() -> Vec<(&'static str, Vec<u8>)> {
    RECORDS.iter().map(|(name, world)| (*name, world().bytes())).collect()
}

/// The finality proof that lies beside a record, if one does.
pub fn finality(name: &str) -> Option<Vec<u8>> {
    (name == FINAL).then(|| Chain::new(4).proof(2, 3).to_bytes())
}

fn changed(change: fn(&mut World)) -> World {
    let mut world = World::honest();
    change(&mut world);
    world
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

fn public_groups() -> World {
    World::of(&units(), |manifest| {
        manifest.privacy_minimum = 3;
        manifest.small_groups_public = true;
    })
}

fn rehearsal() -> World {
    World::of(&params(), |manifest| {
        manifest.title = name("Rehearsal of the test election");
        manifest.rehearsal = Some(4);
    })
}

fn rehearsal_of_all() -> World {
    let params = Params { trustees: 3, threshold: 2, quorum: 3, ..params() };
    World::of(&params, |manifest| manifest.rehearsal = Some(0))
}

/// A small election in which whatever can be said is said: two styles, units and weights, slack bits; an entry that is
/// registered and re-invited; a ballot excluded; a set that one trustee doubts; and what is without effect, namely a
/// lowered quorum, and one board member who wants to void.
fn everything() -> World {
    let params = Params {
        voters: vec![1, 1, 2],
        units: vec![0, 1, 0],
        contests: vec![contest(3, Rule::plurality()), contest(3, Rule::choose(0, 2))],
        ..params()
    };
    let mut world = World::voted(&params, |manifest| {
        (manifest.opens_at, manifest.closes_at) = (time(OPENS) - 1, time(OPENS) + 1);
        // Of the same shape as the first, so that nothing but the roll tells them apart.
        let style = Style { name: name("All the same"), ..manifest.styles[0].clone() };
        manifest.styles.try_push(style).expect("two styles");
    });
    let eid = world.fixture.election.eid;
    let reason = || b"the bridge is closed".to_vec().try_into().expect("short");

    world.invitation = SigningKey::from_seed([78; 32]);
    let keys: InvitationKeys = vec![world.invitation.public()].try_into().expect("one key");
    world.act(REGISTER, Action::Reinvite { eid, entry: 2, round: 0, keys: keys.clone() });
    let claim = world.register(2, 2);
    let registered = RollEvent::Registered { entry: 2, credential: claim.credential };
    world.blocks[REGISTER].push(Message::Register(claim));
    world.roll = registered.append_to(&RollEvent::Reinvited { entry: 2, keys }.append_to(&world.roll));
    world.blocks[FREEZE].clear();
    world.act(FREEZE, Action::Freeze { eid, roll: world.roll });

    let (opens_at, closes_at) = (time(OPENS), time(CLOSES) - 1);
    world.act(FREEZE, Action::Postpone { eid, opens_at, closes_at });
    announced(&mut world);
    world.act(RECAST, Action::Extend { eid, closes_at: time(CLOSES) + 1, reason: reason() });
    world.act(CLOSES, Action::Close { eid });
    world.tally_without(1, &[1, 2, 3]);
    let nothing = Missing::Listed(Vec::new().try_into().expect("none"));
    let declaration = world.fixture.declare(4, anchor(CLOSES), nothing);
    world.blocks[DECLARE].push(Message::Declare(declaration));
    world.act(DECLARE, Action::LowerQuorum { eid, quorum: 2, reason: reason() });
    let void = world.fixture.approve(Action::Void { eid, reason: reason() }, 2);
    world.blocks[DECLARE].push(Message::Approve(void));
    dissent(&mut world);
    world
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

/// All records with what a verifier must say: the check that fails, if one does, title, whom a rehearsal holds back,
/// the totals, and those of each cell where there are several.
pub fn cases() -> Value {
    let case = |(name, bytes): (&str, Vec<u8>)| {
        let options = Options { finality: finality(name), ..Options::default() };
        let report = verify(bytes.as_slice(), &options).expect("memory can be read");
        let failed = report.checks.iter().find(|check| check.verdict == Verdict::Failed);
        let totals = |contests: &[ContestTotals]| -> Vec<Vec<u64>> {
            let of_contest =
                |contest: &ContestTotals| contest.options.iter().map(|(_, total)| *total).collect();
            contests.iter().map(of_contest).collect()
        };
        let cells = report.cells.iter();
        let cells = cells.map(|cell| json!({ "units": cell.units, "totals": totals(&cell.contests) }));
        json!({
            "name": name, "record": hex::encode(bytes), "finality": finality(name).map(hex::encode),
            "verified": report.verified(), "failed": failed.map(|check| check.number),
            "title": report.title, "rehearsal": report.rehearsal,
            "totals": totals(&report.contests), "cells": cells.collect::<Vec<_>>(),
        })
    };
    Value::Array(records().into_iter().map(case).collect())
}
