//! Sizes of what travels (spec 10.1), pinned: a change shows here first.

use codec::Encode;
use psephos_protocol::{
    contest::Rule,
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
