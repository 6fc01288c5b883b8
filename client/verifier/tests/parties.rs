//! Who a report says answers for a failure.

mod common;

use common::*;
use psephos_protocol::{
    agreement::SetStatement,
    ballot::{Ballot, CastBallot},
    declaration::Missing,
    ids::Digest,
    tally::Contribution,
    wire::Message,
};
use psephos_verifier::report::Party;

/// Who answers for what a change of an honest record does.
fn after(change: impl FnOnce(&mut World)) -> Party {
    let mut world = World::honest();
    change(&mut world);
    world.verify().failure.expect("it fails").party
}

fn first_ballot(world: &mut World) -> &mut CastBallot {
    match &mut world.blocks[CAST][0] {
        Message::Cast(cast) => cast,
        other => panic!("not a ballot: {other:?}"),
    }
}

/// The first voter signs its ballot anew, and the trustees their receipts.
fn sign(world: &mut World) {
    let ballot = first_ballot(world).signed.ballot.clone();
    let (hash, fixture) = (ballot.hash(), &mut world.fixture);
    let signable = Ballot::signable(&fixture.election, &hash);
    let signature = fixture.voters[0].key.sign(&signable, &mut fixture.rng);
    let receipts: Vec<_> = (1..=3).map(|trustee| fixture.receipt(trustee, &hash)).collect();
    let cast = first_ballot(world);
    cast.signed.signature = signature;
    cast.receipts = receipts.try_into().expect("three");
}

#[test]
fn who_signed_an_invalid_ballot_is_named() {
    let voter = World::honest().fixture.voters[0].key.public();
    let signers = Party::Signers { voter, trustees: vec![1, 2, 3] };
    let text = signers.to_string();
    assert!(text.contains(&voter.to_string()) && text.contains("trustees 1, 2, 3, who gave"), "{text}");
    let signed = |change: fn(&mut Ballot)| {
        after(|world| {
            change(&mut first_ballot(world).signed.ballot);
            sign(world);
        })
    };
    assert_eq!(signed(|ballot| ballot.proof[100] ^= 1), signers, "the proof");
    assert_eq!(signed(|ballot| ballot.statement.commitments[0].0 = [255; 32]), signers, "no point");
    assert_eq!(signed(|ballot| ballot.width = 2), signers, "another width");
    assert_eq!(signed(|ballot| ballot.statement.version = 9), signers, "another version");
    // Nobody but the validators is known to have seen a ballot that was changed after it was signed.
    assert_eq!(after(|world| first_ballot(world).signed.ballot.proof[100] ^= 1), Party::Validators);
    let receipts = |world: &mut World| first_ballot(world).receipts[0].signature.0[0] ^= 1;
    assert_eq!(after(receipts), Party::Validators);
    // The voter signed; the trustees' receipts are of the ballot as it was.
    let unvouched = |world: &mut World| {
        let receipts = first_ballot(world).receipts.clone();
        first_ballot(world).signed.ballot.proof[100] ^= 1;
        sign(world);
        first_ballot(world).receipts = receipts;
    };
    assert_eq!(after(unvouched), Party::Validators);
}

#[test]
fn a_trustee_answers_for_a_second_statement_and_not_for_the_first_sent_again() {
    let two = || Party::Trustees(vec![2]);
    let again = |place: usize, index: usize| {
        after(|world| {
            let message = world.blocks[place][index].clone();
            world.blocks[place].push(message);
        })
    };
    assert_eq!(again(AGREE, 1), Party::Validators);
    assert_eq!(again(CONTRIBUTE, 1), Party::Validators);
    let agreement = |world: &mut World| {
        let Message::Agree(first) = &world.blocks[AGREE][1] else { panic!("an agreement") };
        let other = SetStatement { root: Digest([3; 32]), ..first.statement };
        let agreement = world.fixture.agree(2, other);
        world.blocks[AGREE].push(Message::Agree(agreement));
    };
    assert_eq!(after(agreement), two());
    let contribution = |world: &mut World| {
        let Message::Contribute(first) = world.blocks[CONTRIBUTE][1].clone() else { panic!("one") };
        let mut sums = first.sums;
        sums[0] = Default::default();
        let fixture = &mut world.fixture;
        let key = &fixture.trustees[1].signing;
        let other = Contribution::sign(&fixture.election, 2, key, first.root, sums, &mut fixture.rng);
        world.blocks[CONTRIBUTE].push(Message::Contribute(other));
    };
    assert_eq!(after(contribution), two());
    let declarations = |first: Missing, second: Missing| {
        after(|world| {
            for missing in [first, second] {
                let declaration = world.fixture.declare(2, anchor(CLOSES), missing);
                world.blocks[DECLARE].push(Message::Declare(declaration));
            }
        })
    };
    let none = || Missing::Listed(Vec::new().try_into().expect("none"));
    assert_eq!(declarations(none(), none()), Party::Validators);
    assert_eq!(declarations(none(), Missing::All), two());
}

#[test]
fn a_trustee_answers_for_what_it_states_as_its_address() {
    let announced = |url: &str, numbers: [u8; 2]| {
        after(|world| {
            for number in numbers {
                let announcement = world.fixture.announce(2, number, url);
                world.blocks[FREEZE].push(Message::Announce(announcement));
            }
        })
    };
    assert_eq!(announced("no address", [1, 2]), Party::Trustees(vec![2]));
    assert_eq!(announced("https://two.example", [2, 1]), Party::Validators);
}

#[test]
fn a_registrar_and_board_members_answer_for_what_they_signed() {
    let empty = |world: &mut World| {
        let batch = world.fixture.batch(1, Vec::new());
        world.blocks[REGISTER].push(Message::AddBatch(batch));
    };
    assert_eq!(after(empty), Party::Registrar(0));
    let certified = |world: &mut World| {
        let (eid, result) = (world.fixture.election.eid, Digest([1; 32]));
        world.blocks[CERTIFY].clear();
        world.act(CERTIFY, psephos_protocol::board::Action::Certify { eid, result });
    };
    assert_eq!(after(certified), Party::Board(vec![0]), "each approval is checked as if it were the last");
}
