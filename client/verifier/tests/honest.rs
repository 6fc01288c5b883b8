//! Records that must verify.

mod common;

use common::*;
use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    contest::Rule,
    declaration::Missing,
    ids::Digest,
    keys::SigningKey,
    roll::{Access, RollEvent},
    testing::{contest, Params},
    wire::Message,
};
use psephos_verifier::{
    report::{ContestTotals, Outcome},
    verify, Options, Verdict,
};

#[test]
fn an_honest_record_verifies_with_its_totals() {
    let world = World::honest();
    let options = Options {
        genesis: Some(world.fixture.election.genesis),
        board: Some(world.board()),
        eid: Some(world.fixture.election.eid),
        ..Options::default()
    };
    let report = verify(world.bytes().as_slice(), &options).expect("memory can be read");
    assert!(report.verified(), "{report}");
    assert!(report.checks[..16].iter().all(|check| check.verdict == Verdict::Passed), "{report}");
    assert_eq!(
        report.checks.iter().map(|check| check.number).collect::<Vec<_>>(),
        (1..=18).collect::<Vec<_>>()
    );
    let totals: Vec<u64> = report.contests[0].options.iter().map(|(_, total)| *total).collect();
    assert_eq!(totals, [0, 3, 1]);
    assert_eq!((report.ballots, report.counted), (5, 4));
    assert_eq!(report.roll_log, world.roll);
    assert_eq!(report.outcome, report.result.map(|result| Outcome::Certified { result }));
    let unit = &report.units[0];
    assert_eq!((unit.entries, unit.registered, unit.voted), (4, 4, 4));
    assert!(report.to_string().ends_with("\nVERIFIED"));
}

#[test]
fn weights_contests_and_fixed_sums_are_counted() {
    let contests = vec![contest(3, Rule::plurality()), contest(2, Rule::plurality_or_none())];
    let params = Params { voters: vec![1, 2, 5, 1], contests, ..params() };
    let report = World::of(&params, |_| ()).verify();
    assert!(report.verified(), "{report}");
    // Voter 0 (weight 1) changed to the third option, which the second contest lacks; the others, of
    // weights 2, 5 and 1, chose the second.
    let totals = |contest: usize| -> Vec<u64> {
        report.contests[contest].options.iter().map(|(_, total)| *total).collect()
    };
    assert_eq!(totals(0), [0, 8, 1]);
    assert_eq!(totals(1), [0, 8]);
    assert_eq!((report.contests[1].ballots, report.contests[1].weight), (4, 9));
}

#[test]
fn a_rehearsal_verifies_and_says_that_it_is_one() {
    let report = World::of(&params(), |manifest| manifest.rehearsal = Some(4)).verify();
    assert!(report.verified() && report.rehearsal == Some(4), "{report}");
    let text = report.to_string();
    assert!(text.contains("*** REHEARSAL *** It counts for nothing. It held back trustee 4."), "{text}");
    assert!(text.ends_with("\nVERIFIED: a REHEARSAL, which counts for nothing"), "{text}");
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["rehearsal"], 4);
    assert!(!World::honest().verify().to_string().contains("REHEARSAL"));
}

#[test]
fn totals_are_per_cell() {
    let params = Params { units: vec![0, 1, 0, 2], by_unit: true, ..params() };
    let report = World::of(&params, |manifest| manifest.privacy_minimum = 2).verify();
    assert!(report.verified(), "{report}");
    let options = |contests: &[ContestTotals]| -> Vec<u64> {
        contests[0].options.iter().map(|(_, total)| *total).collect()
    };
    assert_eq!(options(&report.contests), [0, 3, 1]);
    assert_eq!((report.contests[0].ballots, report.contests[0].weight), (4, 4));
    let cells: Vec<_> =
        report.cells.iter().map(|cell| (cell.units.join(" "), options(&cell.contests))).collect();
    let cell = |units: &str, totals: [u64; 3]| (String::from(units), totals.to_vec());
    assert_eq!(cells, [cell("Unit 1", [0, 1, 1]), cell("Unit 2 Unit 3", [0, 2, 0])]);
    assert_eq!(report.cells[1].contests[0].ballots, 2);
    assert!(report.checks[11].detail.ends_with("in 2 columns of 2 cells"), "{report}");
    let text = report.to_string();
    assert!(text.contains("Cell 2 of 2: Unit 2, Unit 3"), "{text}");
}

#[test]
fn a_dissenting_trustee_is_named_and_stops_nothing() {
    let mut world = World::honest();
    let set = statement(&world);
    let other = SetStatement { root: Digest([3; 32]), ..set };
    let agreement = world.fixture.agree(4, other);
    // Before the others, or once they have agreed.
    for place in [0, 3] {
        let mut world = World::honest();
        world.blocks[AGREE].insert(place, Message::Agree(agreement));
        let report = world.verify();
        assert!(report.verified(), "{report}");
        assert!(report.checks[10].detail.contains("trustee 4 signed another set"), "{report}");
    }
}

fn statement(world: &World) -> SetStatement {
    match &world.blocks[AGREE][0] {
        Message::Agree(agreement) => agreement.statement,
        other => panic!("not an agreement: {other:?}"),
    }
}

#[test]
fn a_voided_election_verifies_without_a_result() {
    let mut world = World::voted(&params(), |_| ());
    let eid = world.fixture.election.eid;
    world.blocks.truncate(CLOSES);
    let reason = b"the hall burned down".to_vec().try_into().expect("short");
    world.act(RECAST + 1, Action::Void { eid, reason });
    let report = world.verify();
    assert!(report.verified(), "{report}");
    assert_eq!(report.outcome, Some(Outcome::Void { reason: String::from("the hall burned down") }));
    assert_eq!(report.checks[13].verdict, Verdict::NotApplicable);
    assert!(report.contests.is_empty());
}

#[test]
fn an_election_with_every_turn_verifies() {
    // A batch that nobody confirmed, a re-invitation, a postponement, an extension, an early close whose
    // first approval came long before its second.
    let mut world = World::voted(&params(), |_| ());
    let eid = world.fixture.election.eid;
    let credential = |world: &World, voter: usize| world.fixture.voters[voter].key.public();

    let early = world.fixture.approve(Action::Close { eid }, 2);
    let forgotten = world.fixture.entry(1);
    let forgotten = psephos_protocol::roll::RollEntry {
        access: Access::Credential(SigningKey::from_seed([5; 32]).public()),
        ..forgotten
    };
    let batch = world.fixture.batch(1, vec![forgotten]);
    world.blocks[REGISTER].push(Message::AddBatch(batch));

    // The last voter lost the device: a new invitation, and the same credential claims it again.
    let invitation = SigningKey::from_seed([78; 32]);
    let keys: psephos_protocol::roll::InvitationKeys = vec![invitation.public()].try_into().expect("one key");
    world.act(REGISTER, Action::Reinvite { eid, entry: 3, round: 0, keys: keys.clone() });
    world.invitation = invitation;
    let claim = world.register(3, 3);
    world.blocks[REGISTER].push(Message::Register(claim));
    let reinvited = RollEvent::Reinvited { entry: 3, keys }.append_to(&world.roll);
    let roll = RollEvent::Registered { entry: 3, credential: credential(&world, 3) }.append_to(&reinvited);
    world.blocks[FREEZE].clear();
    world.act(FREEZE, Action::Freeze { eid, roll });
    world.act(FREEZE, Action::Postpone { eid, opens_at: time(OPENS) + 1, closes_at: time(CLOSES) });
    // The opening is one block later now: the first ballots come at CAST all the same.
    let reason = b"queues".to_vec().try_into().expect("short");
    world.act(CAST, Action::Extend { eid, closes_at: time(CLOSES + 50), reason });
    world.blocks[CAST].push(Message::Approve(early));
    // The second approval closes, in the block that so becomes the closing block.
    let late = world.fixture.approve(Action::Close { eid }, 0);
    world.blocks[CLOSES].push(Message::Approve(late));
    world.tally();
    let report = world.verify();
    assert!(report.verified(), "{report}");
    assert_eq!(report.notes.iter().filter(|note| note.contains("the board ")).count(), 3, "{report}");
}

#[test]
fn a_ballot_that_too_few_can_serve_is_out_and_its_vouchers_are_named() {
    // Trustees 1 to 3 of 4, t = 2, lack the ballot of voter 1.
    let mut world = World::voted(&params(), |_| ());
    world.tally_without(1, &[1, 2, 3]);
    let report = world.verify();
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
fn a_record_that_ends_too_early_says_that_this_is_all() {
    let mut world = World::honest();
    world.blocks.truncate(CERTIFY);
    let report = world.verify();
    let failure = report.failure.clone().unwrap();
    assert!(failure.is_early_end() && !report.verified(), "{report}");
    assert!(
        report.result.is_some() && report.checks[2..14].iter().all(|check| check.verdict == Verdict::Passed)
    );
    // A file that is cut within is something else.
    let bytes = world.bytes();
    let cut = verify(&bytes[..bytes.len() - 1], &Options::default()).unwrap();
    assert!(!cut.failure.unwrap().is_early_end());
}
