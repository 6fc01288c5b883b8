//! A chain with validators, and proofs that blocks of it are final.
#![allow(dead_code)] // Each test file uses a part.

use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{
    finality::{FinalityProof, VALIDATORS_KEY},
    ids::{Anchor, Genesis},
    testing::Params,
};
use sp_core::{Blake2Hasher, H256};
use sp_trie::{
    trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
    LayoutV1, MemoryDB, Recorder, StorageProof, Trie as _, TrieMut as _,
};

use super::common::{anchor, hash, header_with, params, time, World, CERTIFY, SLOT};

/// A chain with some validators, and an election on it.
#[derive(Clone)]
pub struct Chain {
    pub world: World,
    pub validators: Vec<SigningKey>,
    /// The header of its first block, and the way to the list of validators in its state.
    pub genesis: Vec<u8>,
    pub state: Vec<Vec<u8>>,
}

pub fn validators(count: u8) -> Vec<SigningKey> {
    (1..=count).map(|index| SigningKey::from_bytes(&[index; 32])).collect()
}

/// The first block of a chain whose state has this list of validators: its header, and the proof of the list.
pub fn first_block(list: Option<Vec<u8>>) -> (Vec<u8>, Vec<Vec<u8>>) {
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

pub fn list(validators: &[SigningKey]) -> Vec<u8> {
    validators.iter().map(|key| (key.verifying_key().to_bytes(), 1u64)).collect::<Vec<_>>().encode()
}

impl Chain {
    pub fn new(count: u8) -> Self {
        let validators = validators(count);
        let (genesis, state) = first_block(Some(list(&validators)));
        let world = World::of(&Params { genesis: Genesis(hash(&genesis)), ..params() }, |_| ());
        Self { world, validators, genesis, state }
    }

    /// The justification of a block by the first `signers` validators.
    pub fn justification(&self, block: Anchor, signers: usize) -> Vec<u8> {
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
    pub fn proof(&self, later: usize, signers: usize) -> FinalityProof {
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
}
