//! Check 17: a proof beside the record shows that its last block is final, and nothing else does.

mod common;

use codec::{Compact, Encode};
use common::*;
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{
    finality::{FinalityProof, VALIDATORS_KEY},
    ids::{Anchor, Genesis},
    testing::Params,
};
use psephos_verifier::{verify, Options, Report, Verdict};
use sp_core::{Blake2Hasher, H256};
use sp_trie::{
    trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
    LayoutV1, MemoryDB, Recorder, StorageProof, Trie as _, TrieMut as _,
};

/// A chain with some validators, and an election on it.
struct Chain {
    world: World,
    validators: Vec<SigningKey>,
    /// The header of its first block, and the way to the list of validators in its state.
    genesis: Vec<u8>,
    state: Vec<Vec<u8>>,
}

fn validators(count: u8) -> Vec<SigningKey> {
    (1..=count).map(|index| SigningKey::from_bytes(&[index; 32])).collect()
}

/// The first block of a chain whose state has this list of validators: its header, and the proof of the list.
fn first_block(list: Option<Vec<u8>>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut database: MemoryDB<Blake2Hasher> = StorageProof::empty().into_memory_db();
    let mut root = H256::default();
    let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut database, &mut root).build();
    (0..50u8).for_each(|key| drop(trie.insert(&[key.wrapping_mul(7); 32], &[key; 50]).unwrap()));
    list.iter().for_each(|list| drop(trie.insert(&VALIDATORS_KEY, list).unwrap()));
    drop(trie);
    let mut recorder = Recorder::<LayoutV1<Blake2Hasher>>::new();
    {
        let trie = TrieDBBuilder::<Blake2Hasher>::new(&database, &root).with_recorder(&mut recorder).build();
        trie.get(&VALIDATORS_KEY).unwrap();
    }
    let header = ([0u8; 32], Compact(0u32), root.0, [0u8; 32], Compact(0u32)).encode();
    (header, recorder.drain().into_iter().map(|record| record.data).collect())
}

fn list(validators: &[SigningKey]) -> Vec<u8> {
    validators.iter().map(|key| (key.verifying_key().to_bytes(), 1u64)).collect::<Vec<_>>().encode()
}

impl Chain {
    fn new(count: u8) -> Self {
        let validators = validators(count);
        let (genesis, state) = first_block(Some(list(&validators)));
        let world = World::of(&Params { genesis: Genesis(hash(&genesis)), ..params() }, |_| ());
        Self { world, validators, genesis, state }
    }

    /// The justification of a block by the first `signers` validators.
    fn justification(&self, block: Anchor, signers: usize) -> Vec<u8> {
        let mut bytes = (3u64, block.hash, block.number, Compact(signers as u32)).encode();
        for key in &self.validators[..signers] {
            let payload = (1u8, block.hash, block.number, 3u64, 0u64).encode();
            let signature = key.sign(&payload).to_bytes();
            (block.hash, block.number, signature, key.verifying_key().to_bytes()).encode_to(&mut bytes);
        }
        Compact(0u32).encode_to(&mut bytes);
        bytes
    }

    /// The proof by the block that comes `later` blocks after the record's last.
    fn proof(&self, later: usize, signers: usize) -> FinalityProof {
        let last = anchor(CERTIFY);
        let mut block = last;
        let mut headers = Vec::new();
        for place in CERTIFY + 1..=CERTIFY + later {
            let header = header_with(block.hash, place, time(place) / SLOT);
            block = Anchor { number: block.number + 1, hash: hash(&header) };
            headers.push(header);
        }
        FinalityProof {
            version: 1,
            genesis: self.genesis.clone(),
            state: self.state.clone(),
            headers,
            justification: self.justification(block, signers),
        }
    }

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
