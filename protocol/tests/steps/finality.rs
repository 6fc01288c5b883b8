//! Finality (spec 9.3): more than two thirds of the chain's own validators, or nothing.

use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{
    finality::{FinalityError, Validators},
    ids::Anchor,
};
use sha3::{Digest, Sha3_256};

/// Any hash will do here.
fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha3_256::digest(bytes).into()
}

fn key(index: u8) -> SigningKey {
    SigningKey::from_bytes(&[index; 32])
}

fn validators(weights: &[u64]) -> Validators {
    let list: Vec<([u8; 32], u64)> = (1u8..)
        .zip(weights)
        .map(|(index, weight)| (key(index).verifying_key().to_bytes(), *weight))
        .collect();
    Validators::from_state(&list.encode()).unwrap()
}

fn header(parent: [u8; 32], number: u32) -> Vec<u8> {
    (parent, Compact(number), [1u8; 32], [2u8; 32], vec![(6u8, *b"aura", 7u64.encode())]).encode()
}

/// A chain of headers: block 10 and two after it.
fn blocks() -> [(Anchor, Vec<u8>); 3] {
    let mut parent = [9; 32];
    [10, 11, 12].map(|number| {
        let bytes = header(parent, number);
        parent = hash(&bytes);
        (Anchor { number, hash: parent }, bytes)
    })
}

struct Vote {
    validator: u8,
    block: Anchor,
    round: u64,
    set: u64,
    kind: u8,
}

impl Vote {
    fn of(validator: u8, block: Anchor) -> Self {
        Self { validator, block, round: 3, set: 0, kind: 1 }
    }
}

/// A justification of a block in round 3.
fn justification(target: Anchor, votes: &[Vote], headers: &[&Vec<u8>]) -> Vec<u8> {
    let mut bytes = (3u64, target.hash, target.number, Compact(votes.len() as u32)).encode();
    for Vote { validator, block, round, set, kind } in votes {
        let payload = (*kind, block.hash, block.number, round, set).encode();
        let key = key(*validator);
        let signature = key.sign(&payload).to_bytes();
        (block.hash, block.number, signature, key.verifying_key().to_bytes()).encode_to(&mut bytes);
    }
    Compact(headers.len() as u32).encode_to(&mut bytes);
    headers.iter().for_each(|header| bytes.extend_from_slice(header));
    bytes
}

#[test]
fn more_than_two_thirds_make_a_block_final() {
    let [(first, _), (second, header), _] = blocks();
    let set = validators(&[1; 4]);
    let all = [Vote::of(1, first), Vote::of(2, first), Vote::of(3, second)];
    assert_eq!(set.check(&justification(first, &all, &[&header]), hash), Ok(first));
    let few = [Vote::of(1, first), Vote::of(2, first)];
    assert_eq!(set.check(&justification(first, &few, &[]), hash), Err(FinalityError::Weight));
    // Exactly two thirds are not more.
    let thirds = validators(&[1; 3]);
    assert_eq!(thirds.check(&justification(first, &few, &[]), hash), Err(FinalityError::Weight));
    // Weights count.
    let heavy = validators(&[9, 1, 1, 1]);
    assert_eq!(heavy.check(&justification(first, &few, &[]), hash), Ok(first));
    assert_eq!(set.check(&justification(first, &[], &[]), hash), Err(FinalityError::Weight));
}

#[test]
fn a_vote_is_one_validators_for_this_round_set_and_kind() {
    let [(first, _), ..] = blocks();
    let set = validators(&[1; 4]);
    let with = |change: fn(&mut Vote)| {
        let mut votes = [Vote::of(1, first), Vote::of(2, first), Vote::of(3, first)];
        change(&mut votes[2]);
        set.check(&justification(first, &votes, &[]), hash)
    };
    assert_eq!(with(|_| ()), Ok(first));
    assert_eq!(with(|vote| vote.validator = 2), Err(FinalityError::Validator), "twice");
    assert_eq!(with(|vote| vote.validator = 5), Err(FinalityError::Validator), "of another chain");
    assert_eq!(with(|vote| vote.round = 2), Err(FinalityError::Signature), "another round");
    assert_eq!(with(|vote| vote.set = 1), Err(FinalityError::Signature), "another set");
    assert_eq!(with(|vote| vote.kind = 0), Err(FinalityError::Signature), "a prevote");
    let votes = [1, 2, 3].map(|validator| Vote::of(validator, first));
    let good = justification(first, &votes, &[]);
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        assert!(set.check(&bad, hash).is_err(), "byte {place}");
    }
    for length in 0..good.len() {
        assert!(set.check(&good[..length], hash).is_err());
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(set.check(&longer, hash), Err(FinalityError::Encoding));
}

#[test]
fn votes_are_for_descendants_that_are_shown() {
    let [(first, first_header), (second, second_header), (third, third_header)] = blocks();
    let set = validators(&[1; 4]);
    let votes = [1, 2, 3].map(|validator| Vote::of(validator, third));
    let both = justification(first, &votes, &[&second_header, &third_header]);
    assert_eq!(set.check(&both, hash), Ok(first));
    let gap = justification(first, &votes, &[&third_header]);
    assert_eq!(set.check(&gap, hash), Err(FinalityError::Ancestry));
    // The height of the block is nowhere signed but in what leads to it.
    for number in [9, 11, 12] {
        let wrong = Anchor { number, ..first };
        let moved = justification(wrong, &votes, &[&second_header, &third_header]);
        assert_eq!(set.check(&moved, hash), Err(FinalityError::Ancestry), "{number}");
    }
    // Votes for an ancestor say nothing about its descendants.
    let older = [1, 2, 3].map(|validator| Vote::of(validator, first));
    let up = justification(second, &older, &[&first_header, &second_header]);
    assert_eq!(set.check(&up, hash), Err(FinalityError::Ancestry));
    let fork = Anchor { number: 10, hash: [7; 32] };
    assert_eq!(
        set.check(&justification(fork, &votes, &[&second_header, &third_header]), hash),
        Err(FinalityError::Ancestry)
    );
}

#[test]
fn validators_are_different_keys_with_weights() {
    let key = key(1).verifying_key().to_bytes();
    let none: Vec<([u8; 32], u64)> = Vec::new();
    for list in [none, vec![(key, 1), (key, 2)], vec![(key, 0)], vec![(key, u64::MAX)]] {
        assert_eq!(Validators::from_state(&list.encode()), Err(FinalityError::Validators));
    }
    assert_eq!(Validators::from_state(&[4]), Err(FinalityError::Validators));
}

#[test]
fn the_key_is_that_of_the_pallets_storage() {
    let key = psephos_protocol::finality::VALIDATORS_KEY;
    assert_eq!(hex::encode(key), "5f9cc45b7a00c5899361e1c6099678dc5e0621c4869aa60c02be9adcc98a0d1d");
}
