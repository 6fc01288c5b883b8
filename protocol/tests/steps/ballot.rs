//! What binds a ballot (spec 6): every public value, its credential, its election, its encodings.

use curve25519_dalek::{ristretto::RistrettoPoint, traits::Identity};
use psephos_protocol::{
    ballot::{Ballot, BallotError, SignedBallot, Statement},
    election::Election,
    group::{EncodingError, Point},
    ids::{Eid, Genesis},
    keys::{verify_signature, Signature},
    manifest::Style,
    testing::{name, Fixture, Params},
};

/// Two styles with the same contests, so that only the proof can tell which was meant.
fn fixture() -> Fixture {
    Fixture::with(&Params::default(), |manifest| {
        let style = Style { name: name("Same"), contests: vec![0].try_into().unwrap() };
        manifest.styles.try_push(style).unwrap();
    })
}

fn ballot(fixture: &mut Fixture) -> Ballot {
    fixture.prepare(0, 1, &[vec![0, 1, 0]]).unwrap().ballot().clone()
}

#[test]
fn the_proof_covers_every_field_of_the_statement() {
    let mut fixture = fixture();
    let ballot = ballot(&mut fixture);
    assert!(ballot.verify(&fixture.election, &fixture.generators).is_ok());
    let changes: [fn(&mut Statement); 10] = [
        |s| s.eid.0[0] ^= 1,
        |s| s.style = 1,
        |s| s.credential.0[0] ^= 1,
        |s| s.sequence += 1,
        |s| s.anchor.number += 1,
        |s| s.anchor.hash[31] ^= 1,
        |s| s.expiry += 1,
        |s| s.commitments[0] = s.commitments[1],
        |s| (s.commitments[0], s.commitments[1]) = (s.commitments[1], s.commitments[0]),
        |s| s.dealing.0[0] ^= 1,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = ballot.clone();
        change(&mut changed.statement);
        // An election of the changed identifier, so that the proof alone can object.
        let election = Election { eid: changed.statement.eid, ..fixture.election.clone() };
        let verdict = changed.verify(&election, &fixture.generators);
        assert_eq!(verdict, Err(BallotError::Proof), "change {index}");
    }
}

#[test]
fn every_part_of_the_proof_counts() {
    let mut fixture = fixture();
    let ballot = ballot(&mut fixture);
    for place in (0..ballot.proof.len()).step_by(16) {
        let mut changed = ballot.clone();
        changed.proof[place] ^= 1;
        assert_eq!(
            changed.verify(&fixture.election, &fixture.generators),
            Err(BallotError::Proof),
            "{place}"
        );
    }
    let zeros = Ballot { proof: vec![0; ballot.proof.len()].try_into().unwrap(), ..ballot };
    assert_eq!(zeros.verify(&fixture.election, &fixture.generators), Err(BallotError::Proof));
}

#[test]
fn a_ballot_has_one_shape() {
    let mut fixture = fixture();
    let ballot = ballot(&mut fixture);
    let refused = |change: fn(&mut Ballot), error: BallotError| {
        let mut changed = ballot.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&fixture.election, &fixture.generators), Err(error));
    };
    refused(|b| b.statement.version = 2, BallotError::Version);
    refused(|b| b.statement.eid = Eid([1; 32]), BallotError::Election);
    refused(|b| b.statement.style = 2, BallotError::Style);
    refused(|b| b.width = 16, BallotError::Shape);
    refused(|b| b.width = 0, BallotError::Shape);
    refused(|b| b.proof.try_extend([0; 32].into_iter()).unwrap(), BallotError::Shape);
    refused(|b| b.proof.truncate(b.proof.len() - 1), BallotError::Shape);
    refused(|b| b.proof.clear(), BallotError::Shape);
    refused(|b| b.statement.commitments.truncate(1), BallotError::Shape);
    refused(|b| b.statement.commitments.try_push(b.statement.commitments[0]).unwrap(), BallotError::Shape);
}

#[test]
fn commitments_are_canonical_points_and_not_the_identity() {
    let mut fixture = fixture();
    let ballot = ballot(&mut fixture);
    // The field's prime p = 2^255 − 19 as if it were zero; a negative number; a point off the curve.
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let mut one_is_negative = [0; 32];
    one_is_negative[0] = 1;
    for bytes in [prime, one_is_negative, [0xff; 32], [0x80; 32]] {
        let mut changed = ballot.clone();
        changed.statement.commitments[1] = Point(bytes);
        let verdict = changed.verify(&fixture.election, &fixture.generators);
        assert_eq!(verdict, Err(BallotError::Commitment(EncodingError::Point)));
    }
    let mut changed = ballot;
    changed.statement.commitments[1] = Point::of(&RistrettoPoint::identity());
    assert_eq!(changed.statement.commitments[1], Point([0; 32]));
    let verdict = changed.verify(&fixture.election, &fixture.generators);
    assert_eq!(verdict, Err(BallotError::Commitment(EncodingError::Identity)));
}

#[test]
fn a_ballot_is_of_one_election() {
    let mut first = Fixture::new(&Params::default());
    let signed = first.sign(0, 1, &[vec![1, 0, 0]]);
    assert!(signed.ballot.verify(&first.election, &first.generators, verify_signature).is_ok());
    let next = Params { number: 2, ..Params::default() };
    let elsewhere = Params { genesis: Genesis([8; 32]), ..Params::default() };
    for params in [next, elsewhere] {
        // The same manifest and keys, run again.
        let other = Fixture::new(&params);
        assert_eq!(other.election.manifest, first.election.manifest);
        assert_ne!(other.election.eid, first.election.eid);
        let verify =
            |ballot: &SignedBallot| ballot.verify(&other.election, &other.generators, verify_signature);
        assert_eq!(verify(&signed.ballot), Err(BallotError::Signature));
        let unsigned = signed.ballot.ballot.verify(&other.election, &other.generators);
        assert_eq!(unsigned, Err(BallotError::Election));
        // Renamed, it needs a new signature, and then fails its proof.
        let mut renamed = signed.ballot.clone();
        renamed.ballot.statement.eid = other.election.eid;
        assert_eq!(verify(&renamed), Err(BallotError::Signature));
        let hash = renamed.ballot.hash();
        renamed.signature =
            other.voters[0].key.sign(&Ballot::signable(&other.election, &hash), &mut first.rng);
        assert_eq!(verify(&renamed), Err(BallotError::Proof));
    }
}

#[test]
fn a_copied_ballot_is_no_ballot() {
    // Another voter takes a published ballot for its own (vote copying).
    let mut fixture = fixture();
    let mut copy = fixture.sign(0, 1, &[vec![1, 0, 0]]).ballot;
    copy.ballot.statement.credential = fixture.voters[1].key.public();
    let hash = copy.ballot.hash();
    copy.signature =
        fixture.voters[1].key.sign(&Ballot::signable(&fixture.election, &hash), &mut fixture.rng);
    assert_eq!(
        copy.verify(&fixture.election, &fixture.generators, verify_signature),
        Err(BallotError::Proof)
    );
}

#[test]
fn the_credential_signs_the_whole_ballot() {
    let mut fixture = fixture();
    let signed = fixture.sign(0, 1, &[vec![1, 0, 0]]).ballot;
    let refused = |changed: SignedBallot| {
        let verdict = changed.verify(&fixture.election, &fixture.generators, verify_signature);
        assert_eq!(verdict, Err(BallotError::Signature));
    };
    let mut changed = signed.clone();
    changed.ballot.proof[0] ^= 1;
    refused(changed);
    let mut changed = signed.clone();
    changed.ballot.statement.expiry += 1;
    refused(changed);
    for place in [0, 31, 32, 63] {
        let mut changed = signed.clone();
        changed.signature.0[place] ^= 1;
        refused(changed);
    }
    refused(SignedBallot { signature: Signature([0; 64]), ..signed.clone() });
    let hash = signed.ballot.hash();
    let by_another =
        fixture.voters[1].key.sign(&Ballot::signable(&fixture.election, &hash), &mut fixture.rng);
    refused(SignedBallot { signature: by_another, ..signed });
}

#[test]
fn the_hash_covers_every_byte() {
    let mut fixture = fixture();
    let ballot = ballot(&mut fixture);
    let mut wider = ballot.clone();
    wider.width = 16;
    let mut proof = ballot.clone();
    proof.proof[100] ^= 1;
    let mut statement = ballot.clone();
    statement.statement.expiry += 1;
    for changed in [wider, proof, statement] {
        assert_ne!(changed.hash(), ballot.hash());
    }
}
