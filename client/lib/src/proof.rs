//! Storage proofs (spec 8.4): what the chain stored, proved against a header's state root.

use psephos_protocol::{ids::Eid, keys::PublicKey};
use serde::Deserialize;
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::{blake2_128, twox_128};
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

fn of_credential(map: &[u8], eid: &Eid, credential: &PublicKey) -> Vec<u8> {
    let mut key = twox_128(b"Voting").to_vec();
    key.extend(twox_128(map));
    key.extend(eid.0);
    key.extend(blake2_128(&credential.0));
    key.extend(credential.0);
    key
}

/// The value of a key under a state root, or its proven absence.
pub(crate) fn read(root: [u8; 32], nodes: Vec<Vec<u8>>, key: &[u8]) -> Result<Option<Vec<u8>>, BadProof> {
    // The nodes are stored under their own hashes, so that only true nodes can be found from the root.
    let database = StorageProof::new(nodes).into_memory_db::<Blake2Hasher>();
    read_trie_value::<LayoutV1<Blake2Hasher>, _>(&database, &H256(root), key, None, None)
        .map_err(|_| BadProof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_trie::{
        trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
        MemoryDB, Recorder, Trie as _, TrieMut as _,
    };

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
        assert_eq!(read(root, nodes, &present), Ok(Some(vec![3; 200])));
        let absent = ballot_key(&Eid([7; 32]), &PublicKey([99; 32]));
        let (root, nodes) = state(&absent);
        assert_eq!(read(root, nodes, &absent), Ok(None));
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
            assert_eq!(read(root, changed, &key), Err(BadProof), "node {index} changed");
            let mut missing = nodes.clone();
            missing.remove(index);
            assert_eq!(read(root, missing, &key), Err(BadProof), "node {index} missing");
        }
        assert_eq!(read([0; 32], nodes.clone(), &key), Err(BadProof), "another root");
        assert_eq!(read(root, Vec::new(), &key), Err(BadProof), "nothing");
        // The proof of one credential is no statement about another's.
        let other = ballot_key(&Eid([7; 32]), &PublicKey([4; 32]));
        assert_ne!(read(root, nodes, &other), Ok(None));
    }
}
