//! Storage proofs (spec 8.4): what the chain stored, proved against a header's state root.

use psephos_protocol::{ids::Eid, keys::PublicKey};
use serde::Deserialize;
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::{blake2_128, twox_128, twox_64};
use sp_trie::{read_trie_value, LayoutV1, StorageProof};

/// The answer to `state_getReadProof`, without the block that it repeats.
#[derive(Debug, Deserialize)]
pub(crate) struct JsonReadProof {
    pub(crate) proof: Vec<String>,
}

/// Why a value of the state can't be used.
pub(crate) const OTHER_FORM: &str =
    "what the chain stores has another form than this software knows; one of the two may be older";

/// A proof that does not lead from the root to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its storage proof does not hold against the state root of the block's header")]
pub(crate) struct BadProof;

/// Where the chain stores the ballot that counts for a credential: `Voting::Ballots[eid][credential]`.
pub(crate) fn ballot_key(eid: &Eid, credential: &PublicKey) -> Vec<u8> {
    of_credential(b"Ballots", eid, credential)
}

/// Where the chain stores a voter: `Voting::Voters[eid][credential]`.
pub(crate) fn voter_key(eid: &Eid, credential: &PublicKey) -> Vec<u8> {
    of_credential(b"Voters", eid, credential)
}

/// Where the chain stores an election's state: `Voting::Elections[eid]`.
pub(crate) fn election_key(eid: &Eid) -> Vec<u8> {
    [twox_128(b"Voting"), twox_128(b"Elections")].concat().into_iter().chain(eid.0).collect()
}

/// Where the chain stores what a trustee declared missing: `Voting::DeclaredMissing[eid][trustee]`.
pub(crate) fn missing_key(eid: &Eid, trustee: u8) -> Vec<u8> {
    let hash = twox_64(&[trustee]);
    [&twox_128(b"Voting")[..], &twox_128(b"DeclaredMissing"), &eid.0, &hash, &[trustee]].concat()
}

/// Where the chain stores a block's time: `Timestamp::Now`.
pub(crate) fn time_key() -> Vec<u8> {
    [twox_128(b"Timestamp"), twox_128(b"Now")].concat()
}

/// Where the chain stores the hash of a block before this one: `System::BlockHash[number]`.
pub(crate) fn block_key(number: u32) -> Vec<u8> {
    let number = number.to_le_bytes();
    [&twox_128(b"System")[..], &twox_128(b"BlockHash"), &twox_64(&number), &number].concat()
}

fn of_credential(map: &[u8], eid: &Eid, credential: &PublicKey) -> Vec<u8> {
    let mut key = twox_128(b"Voting").to_vec();
    key.extend(twox_128(map));
    key.extend(eid.0);
    key.extend(blake2_128(&credential.0));
    key.extend(credential.0);
    key
}

/// The values of keys under a state root, each or its proven absence.
pub(crate) fn read(
    root: [u8; 32],
    nodes: Vec<Vec<u8>>,
    keys: &[Vec<u8>],
) -> Result<Vec<Option<Vec<u8>>>, BadProof> {
    // The nodes are stored under their own hashes, so that only true nodes can be found from the root.
    let database = StorageProof::new(nodes).into_memory_db::<Blake2Hasher>();
    let value = |key: &Vec<u8>| {
        read_trie_value::<LayoutV1<Blake2Hasher>, _>(&database, &H256(root), key, None, None)
            .map_err(|_| BadProof)
    };
    keys.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_trie::{
        trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
        MemoryDB, Recorder, Trie as _, TrieMut as _,
    };

    fn read_one(root: [u8; 32], nodes: Vec<Vec<u8>>, key: &[u8]) -> Result<Option<Vec<u8>>, BadProof> {
        read(root, nodes, &[key.to_vec()]).map(|mut values| values.pop().unwrap())
    }

    /// A state with two ballots and other values, and a proof of `key`.
    fn state(key: &[u8]) -> ([u8; 32], Vec<Vec<u8>>) {
        let mut database: MemoryDB<Blake2Hasher> = StorageProof::empty().into_memory_db();
        let mut root = H256::default();
        {
            let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut database, &mut root).build();
            for voter in 0..20u8 {
                // Longer than a hash, so that the value has a node of its own as it has on the chain.
                trie.insert(&ballot_key(&Eid([7; 32]), &PublicKey([voter; 32])), &[voter; 200]).unwrap();
            }
            trie.insert(b":code", &[1; 500]).unwrap();
        }
        let mut recorder = Recorder::<LayoutV1<Blake2Hasher>>::new();
        {
            let trie =
                TrieDBBuilder::<Blake2Hasher>::new(&database, &root).with_recorder(&mut recorder).build();
            trie.get(key).unwrap();
        }
        (root.0, recorder.drain().into_iter().map(|record| record.data).collect())
    }

    #[test]
    fn the_storage_key_is_the_one_of_the_pallet() {
        let key = ballot_key(&Eid([7; 32]), &PublicKey([1; 32]));
        let validators = [twox_128(b"Grandpa"), twox_128(b"Authorities")].concat();
        assert_eq!(psephos_protocol::finality::VALIDATORS_KEY, validators.as_slice());
        assert_eq!(key.len(), 32 + 32 + 16 + 32);
        assert_eq!(&key[32..64], &[7; 32]);
        assert_eq!(&key[80..], &[1; 32]);
    }

    #[test]
    fn a_proof_shows_presence_and_absence() {
        let present = ballot_key(&Eid([7; 32]), &PublicKey([3; 32]));
        let (root, nodes) = state(&present);
        assert_eq!(read_one(root, nodes, &present), Ok(Some(vec![3; 200])));
        let absent = ballot_key(&Eid([7; 32]), &PublicKey([99; 32]));
        let (root, nodes) = state(&absent);
        assert_eq!(read_one(root, nodes, &absent), Ok(None));
    }

    #[test]
    fn a_tampered_proof_does_not_hold() {
        let key = ballot_key(&Eid([7; 32]), &PublicKey([3; 32]));
        let (root, nodes) = state(&key);
        assert!(nodes.len() >= 2);
        for index in 0..nodes.len() {
            let mut changed = nodes.clone();
            let last = changed[index].len() - 1;
            changed[index][last] ^= 1;
            assert_eq!(read_one(root, changed, &key), Err(BadProof), "node {index} changed");
            let mut missing = nodes.clone();
            missing.remove(index);
            assert_eq!(read_one(root, missing, &key), Err(BadProof), "node {index} missing");
        }
        assert_eq!(read_one([0; 32], nodes.clone(), &key), Err(BadProof), "another root");
        assert_eq!(read_one(root, Vec::new(), &key), Err(BadProof), "nothing");
        // The proof of one credential is no statement about another's.
        let other = ballot_key(&Eid([7; 32]), &PublicKey([4; 32]));
        assert_ne!(read_one(root, nodes, &other), Ok(None));
    }
}
