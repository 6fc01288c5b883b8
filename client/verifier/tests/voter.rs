//! One voter's ballots in a record that is verified.

mod common;

use common::*;
use psephos_protocol::{ids::BallotHash, keys::PublicKey};
use psephos_verifier::voter::{ballots_of, VoterBallots};

fn credential(world: &World, voter: usize) -> PublicKey {
    world.fixture.voters[voter].key.public()
}

fn found(world: &World, voter: usize) -> VoterBallots {
    let ballots =
        ballots_of(world.bytes().as_slice(), &credential(world, voter)).expect("memory can be read");
    assert_eq!(ballots.last, world.verify().last);
    ballots
}

/// Sequence and block of each ballot.
fn places(ballots: &VoterBallots) -> Vec<(u32, u32)> {
    ballots.recorded.iter().map(|ballot| (ballot.sequence, ballot.block.number - FIRST)).collect()
}

#[test]
fn a_voters_ballots_are_found_where_they_are_recorded() {
    let world = World::honest();
    let first = found(&world, 0);
    assert_eq!(places(&first), [(1, CAST as u32), (2, RECAST as u32)]);
    assert_eq!(first.recorded[0].block, anchor(CAST));
    let hashes: Vec<BallotHash> = world
        .cast
        .iter()
        .filter(|ballot| ballot.cast.signed.ballot.statement.credential == credential(&world, 0))
        .map(|ballot| ballot.hash)
        .collect();
    assert_eq!(hashes, [first.recorded[1].hash], "the last one counts");
    assert_eq!(places(&found(&world, 1)), [(1, CAST as u32)]);
    assert!(first.excluded_by.is_empty());
    let nobody = ballots_of(world.bytes().as_slice(), &PublicKey([1; 32])).expect("memory can be read");
    assert_eq!(nobody.recorded, []);
}

#[test]
fn a_ballot_that_is_excluded_is_recorded_and_says_by_whom() {
    let mut world = World::voted(&params(), |_| ());
    world.tally_without(1, &[1, 2, 3]);
    assert!(world.verify().verified());
    let ballots = found(&world, 1);
    assert_eq!((places(&ballots), ballots.excluded_by), (vec![(1, CAST as u32)], vec![1, 2, 3]));
    assert!(found(&world, 0).excluded_by.is_empty());
}

#[test]
fn what_is_no_record_is_refused() {
    let world = World::honest();
    let bytes = world.bytes();
    for bytes in [&b"PSEPHOS"[..], &bytes[..bytes.len() - 1]] {
        assert!(ballots_of(bytes, &credential(&world, 0)).is_err());
    }
}
