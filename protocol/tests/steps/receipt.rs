//! Receipts (spec 5.7, 6.4.8): of q different trustees, for this ballot, each by its trustee.

use psephos_protocol::{
    ballot::{BallotError, CastBallot},
    ids::Genesis,
    keys::{verify_signature, Signature},
    receipt::Receipt,
    testing::{Fixture, Params},
};

fn verify(fixture: &Fixture, cast: &CastBallot) -> Result<(), BallotError> {
    cast.verify(&fixture.election, &fixture.generators, verify_signature).map(|_| ())
}

#[test]
fn a_cast_ballot_verifies_with_any_q_receipts() {
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 0, 1]]);
    assert_eq!(verify(&fixture, &counted.cast), Ok(()));
    for trustees in crate::subsets(4, 3) {
        let receipts: Vec<_> = trustees.iter().map(|i| fixture.receipt(i + 1, &counted.hash)).collect();
        let cast = CastBallot { receipts: receipts.try_into().unwrap(), ..counted.cast.clone() };
        assert_eq!(verify(&fixture, &cast), Ok(()));
    }
}

#[test]
fn receipts_are_of_exactly_q_different_trustees() {
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 0, 1]]);
    let all: Vec<Receipt> = (1..=4).map(|i| fixture.receipt(i, &counted.hash)).collect();
    for trustees in
        [vec![], vec![1, 2], vec![1, 2, 3, 4], vec![1, 1, 2], vec![1, 2, 2], vec![2, 1, 3], vec![3, 2, 1]]
    {
        let receipts: Vec<_> = trustees.iter().map(|i| all[i - 1]).collect();
        let cast = CastBallot { receipts: receipts.try_into().unwrap(), ..counted.cast.clone() };
        assert_eq!(verify(&fixture, &cast), Err(BallotError::Receipts), "{trustees:?}");
    }
}

#[test]
fn a_receipt_is_of_one_trustee_ballot_height_and_election() {
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 0, 1]]);
    let other = fixture.cast(0, 2, &[vec![0, 0, 1]]);
    let good = fixture.receipt(3, &counted.hash);
    let good_for = |receipt: &Receipt| receipt.verify(&fixture.election, &counted.hash, verify_signature);
    assert!(good_for(&good));
    assert!(!good.verify(&fixture.election, &other.hash, verify_signature));
    assert!(!good_for(&Receipt { height: good.height + 1, ..good }));
    for trustee in [0, 1, 2, 4, 5, 255] {
        assert!(!good_for(&Receipt { trustee, ..good }), "{trustee}");
    }
    assert!(!good_for(&Receipt { signature: Signature([0; 64]), ..good }));
    // The same trustee in the same election run again, and on another chain.
    for params in
        [Params { number: 2, ..Params::default() }, Params { genesis: Genesis([8; 32]), ..Params::default() }]
    {
        let mut again = Fixture::new(&params);
        assert!(!good_for(&again.receipt(3, &counted.hash)));
    }
}

#[test]
fn one_wrong_receipt_spoils_the_ballot() {
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 0, 1]]);
    let other = fixture.cast(0, 2, &[vec![0, 0, 1]]);
    for place in 0..3 {
        let mut cast = counted.cast.clone();
        cast.receipts[place] = other.cast.receipts[place];
        assert_eq!(verify(&fixture, &cast), Err(BallotError::Receipts));
        let mut cast = counted.cast.clone();
        cast.receipts[place].signature.0[40] ^= 1;
        assert_eq!(verify(&fixture, &cast), Err(BallotError::Receipts));
    }
}

#[test]
fn an_agreement_key_is_no_receipt() {
    // A trustee's signature in another role, over the very bytes of a receipt.
    use codec::Encode;
    use psephos_protocol::{keys::Signable, transcript::Role};
    let mut fixture = Fixture::new(&Params::default());
    let counted = fixture.cast(0, 1, &[vec![0, 0, 1]]);
    let payload = (&counted.hash, fixture.height).encode();
    let election = fixture.election.clone();
    for role in [Role::Agreement, Role::Contribution, Role::TrusteeAcceptance, Role::Endpoint] {
        let signable =
            Signable { role, genesis: &election.genesis, eid: &election.eid, index: 1, payload: &payload };
        let signature = fixture.trustees[0].signing.sign(&signable, &mut fixture.rng);
        let receipt = Receipt { trustee: 1, height: fixture.height, signature };
        assert!(!receipt.verify(&election, &counted.hash, verify_signature));
    }
}
