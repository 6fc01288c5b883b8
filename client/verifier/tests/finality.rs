//! Check 17: a proof beside the record shows that its last block is final, and nothing else does.

#[path = "common/chain.rs"]
mod chain;
mod common;

use chain::{first_block, validators, Chain};
use codec::Encode;
use common::*;
use psephos_protocol::{
    finality::FinalityProof,
    ids::{Anchor, Genesis},
    testing::Params,
};
use psephos_verifier::{verify, Options, Report, Verdict};

/// What the verifier says of a chain's record and proofs.
trait Judged {
    fn verify(&self, proof: Vec<u8>) -> Report;
    fn reason(&self, proof: &FinalityProof) -> String;
}

impl Judged for Chain {
    fn verify(&self, proof: Vec<u8>) -> Report {
        let options = Options { finality: Some(proof), ..Options::default() };
        verify(self.world.bytes().as_slice(), &options).unwrap()
    }

    fn reason(&self, proof: &FinalityProof) -> String {
        let report = self.verify(proof.to_bytes());
        assert_eq!(failed(&report), 17, "{report}");
        report.failure.unwrap().reason
    }
}

#[test]
fn without_a_proof_the_report_says_so() {
    let report = World::honest().verify();
    assert!(report.verified());
    assert_eq!(report.checks[16].verdict, Verdict::NotApplicable);
    assert!(report.notes.iter().any(|note| note.contains("does not show that block 115")), "{report}");
}

#[test]
fn more_than_two_thirds_signed_the_last_block_or_one_after_it() {
    let chain = Chain::new(4);
    for later in [0, 1, 5] {
        let report = chain.verify(chain.proof(later, 3).to_bytes());
        assert!(report.verified(), "{report}");
        assert_eq!(report.checks[16].verdict, Verdict::Passed);
        assert!(!report.notes.iter().any(|note| note.contains("final")), "{report}");
    }
    assert!(chain.reason(&chain.proof(0, 2)).starts_with("9.3.4"));
    assert!(Chain::new(3).reason(&Chain::new(3).proof(0, 2)).starts_with("9.3.4"), "two thirds are not more");
}

#[test]
fn a_proof_of_anything_else_is_refused() {
    let chain = Chain::new(4);
    let good = chain.proof(2, 3);
    let wrong = |change: &dyn Fn(&mut FinalityProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        chain.reason(&proof)
    };
    // Another chain: a first block of its own, with validators of its own.
    let other = Chain::new(5);
    let reason = wrong(&|proof| (proof.genesis, proof.state) = (other.genesis.clone(), other.state.clone()));
    assert!(reason.starts_with("9.5.1"), "{reason}");
    // The right first block, and validators that are not in its state.
    let reason = wrong(&|proof| proof.state = other.state.clone());
    assert!(reason.starts_with("8.4"), "{reason}");
    let reason = wrong(&|proof| drop(proof.state.pop()));
    assert!(reason.starts_with("8.4"), "{reason}");
    // A block before the last, which is final: it says nothing of the last.
    let earlier = chain.justification(anchor(CERTIFY - 1), 3);
    let reason = wrong(&|proof| (proof.headers, proof.justification) = (vec![], earlier.clone()));
    assert!(reason.starts_with("9.5.3"), "{reason}");
    // Headers that do not lead there.
    assert!(wrong(&|proof| drop(proof.headers.pop())).starts_with("9.5.3"));
    assert!(wrong(&|proof| drop(proof.headers.remove(0))).starts_with("9.5.3"));
    assert!(wrong(&|proof| proof.headers.swap(0, 1)).starts_with("9.5.3"));
    assert!(wrong(&|proof| proof.headers[1].push(0)).starts_with("9.5.3"));
    assert!(wrong(&|proof| proof.version = 2).starts_with("9.3"));
    // A block that skips a height, signed by all.
    let header = header_with(anchor(CERTIFY).hash, CERTIFY + 2, time(CERTIFY + 2) / SLOT);
    let block = Anchor { number: anchor(CERTIFY).number + 2, hash: hash(&header) };
    let signed = chain.justification(block, 4);
    let reason =
        wrong(&|proof| (proof.headers, proof.justification) = (vec![header.clone()], signed.clone()));
    assert!(reason.starts_with("9.5.3"), "{reason}");
    // Nodes that are not needed are allowed, and not without end.
    let nodes = |count: usize| move |proof: &mut FinalityProof| proof.state.resize(count, vec![0; 40]);
    let mut proof = good.clone();
    nodes(1_024)(&mut proof);
    assert!(chain.verify(proof.to_bytes()).verified());
    assert!(wrong(&nodes(1_025)).starts_with("9.3"));
}

#[test]
fn a_first_block_without_validators_shows_nothing() {
    for list in [None, Some(Vec::<([u8; 32], u64)>::new().encode()), Some(vec![4, 0])] {
        let (genesis, state) = first_block(list);
        let world = World::of(&Params { genesis: Genesis(hash(&genesis)), ..params() }, |_| ());
        let chain = Chain { world, validators: validators(4), genesis, state };
        let reason = chain.reason(&chain.proof(0, 4));
        assert!(reason.starts_with("9.5.2") || reason.starts_with("9.3"), "{reason}");
    }
}

#[test]
fn a_proof_with_one_bit_changed_is_refused() {
    let chain = Chain::new(4);
    let bytes = chain.proof(1, 3).to_bytes();
    for place in (0..bytes.len()).step_by(5) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        // A node of the state that is not on the way to the list may be anything; there is none.
        assert_eq!(failed(&chain.verify(changed)), 17, "byte {place}");
    }
    for length in [0, 7, 8, 9, bytes.len() - 1] {
        assert_eq!(failed(&chain.verify(bytes[..length].to_vec())), 17, "{length} bytes");
    }
    assert_eq!(failed(&chain.verify([bytes, vec![0]].concat())), 17, "a byte more");
}
