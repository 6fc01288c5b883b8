//! Sizes of what travels (spec 10.1), pinned: a change shows here first.

use codec::Encode;
use psephos_protocol::{
    ballot::CastBallot,
    bounds::MAX_BALLOT_BYTES,
    contest::Rule,
    keys::verify_signature,
    testing::{contest, Fixture, Params},
    wire::Message,
};

/// One plurality of ten options with n = 5, t = 3, q = 4.
fn ten_options() -> Fixture {
    Fixture::new(&Params {
        contests: vec![contest(10, Rule::plurality())],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        ..Params::default()
    })
}

#[test]
fn a_ballot_of_ten_options() {
    let mut fixture = ten_options();
    let mut vote = vec![0; 10];
    vote[6] = 1;
    let cast = fixture.cast(0, 1, &[vote]).cast;
    let ballot = &cast.signed.ballot;
    let extrinsic = Message::Cast(cast.clone()).to_extrinsic();
    println!(
        "statement {}, proof {}, ballot {}, signed {}, cast {}, extrinsic {} bytes",
        ballot.statement.encoded_size(),
        ballot.proof.len(),
        ballot.encoded_size(),
        cast.signed.encoded_size(),
        cast.encoded_size(),
        extrinsic.len(),
    );
    assert_eq!(ballot.statement.commitments.len(), 9);
    assert_eq!(ballot.proof.len(), 544);
    assert_eq!(extrinsic.len(), 1_328);
    assert!(extrinsic.len() <= 1_350);
}

#[test]
fn a_deposit_of_ten_options() {
    let mut fixture = ten_options();
    let mut vote = vec![0; 10];
    vote[6] = 1;
    let mut signed = fixture.sign(0, 1, &[vote]);
    let deposits = fixture.deposits(&mut signed);
    let (deposit, envelope) = (deposits[0].encoded_size(), deposits[0].envelope.0.len());
    println!("deposit {deposit}, envelope {envelope} bytes");
    assert_eq!(envelope, 1_120 + 64 * 9 + 16);
    assert_eq!(deposit, 3_336);
}

/// No manifest lets a voter make a ballot that no decoder takes.
#[test]
fn the_largest_ballot_of_any_manifest_is_within_its_bound() {
    let contests = vec![contest(32, Rule { max_each: 1, min_sum: 1, max_sum: 31 }); 16];
    let params = Params { contests, trustees: 16, threshold: 15, quorum: 16, ..Params::default() };
    let mut fixture = Fixture::new(&params);
    let mut vote = vec![0; 32];
    vote[3] = 1;
    let cast = fixture.cast(0, 1, &vec![vote; 16]).cast;
    let bytes = cast.encode();
    assert_eq!(bytes.len(), 20_680);
    assert!(bytes.len() <= MAX_BALLOT_BYTES);
    assert!(CastBallot::from_bytes(&bytes).is_ok());
    assert_eq!(cast.verify(&fixture.election, &fixture.generators, verify_signature).err(), None);
}
