//! Storage proofs (spec 8.4): what a chain's state holds under a key, by the nodes of its trie on the way there.
//!
//! The state is a Merkle-Patricia trie of radix 16 (Polkadot specification, 2.4 and D.1), its root in the header of
//! every block. A proof is the nodes from the root to the key's place, in any order; each is found by its hash, so
//! that only true nodes can be. Written here, and compared in its tests with the chain's own library, so that a
//! verifier needs nothing of the chain's.

use std::collections::BTreeMap;

use codec::{Compact, Decode};

use crate::header::hash;

/// Nodes of a proof, and bytes of one, that are looked at; the way to a key is far shorter.
const MAX_NODES: usize = 1_024;
const MAX_NODE: usize = 8 * 1_024 * 1_024;
/// Nibbles of the longest key.
const MAX_NIBBLES: usize = 2 * 1_024;

/// A proof that does not lead from the root to the key's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("8.4: the storage proof does not hold against the state root of its block")]
pub struct BadProof;

/// A node that was read, its value and children as they lie in it.
struct Node<'a> {
    /// The nibbles that it and all below it have in common, one a byte.
    partial: Vec<u8>,
    value: Value<'a>,
    /// By nibble; none in a leaf.
    children: [Option<&'a [u8]>; 16],
}

#[derive(Clone, Copy)]
enum Value<'a> {
    None,
    Inline(&'a [u8]),
    /// Long values are nodes of their own.
    Hashed([u8; 32]),
}

/// The value of a key under a state root, or `None` if the proof shows that there is none.
///
/// # Errors
/// [`BadProof`] when a node on the way is missing or malformed.
pub fn value(root: [u8; 32], nodes: &[Vec<u8>], key: &[u8]) -> Result<Option<Vec<u8>>, BadProof> {
    if nodes.len() > MAX_NODES || key.len().saturating_mul(2) > MAX_NIBBLES {
        return Err(BadProof);
    }
    let nodes: BTreeMap<[u8; 32], &[u8]> = nodes.iter().map(|node| (hash(node), node.as_slice())).collect();
    let find = |hash: &[u8; 32]| nodes.get(hash).copied().ok_or(BadProof);
    let nibbles: Vec<u8> = key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect();
    let mut rest = nibbles.as_slice();
    let mut bytes = find(&root)?;
    // Each step but the last uses up a nibble.
    for _ in 0..=nibbles.len() {
        let Some(node) = Node::read(bytes)? else { return Ok(None) };
        let Some(below) = rest.strip_prefix(node.partial.as_slice()) else { return Ok(None) };
        let Some((nibble, after)) = below.split_first() else {
            return match node.value {
                Value::None => Ok(None),
                Value::Inline(value) => Ok(Some(value.to_vec())),
                Value::Hashed(hash) => find(&hash).map(|value| Some(value.to_vec())),
            };
        };
        let child = node.children.get(usize::from(*nibble)).copied().flatten();
        let Some(child) = child else { return Ok(None) };
        // A node shorter than its hash lies in its parent.
        bytes = match <[u8; 32]>::try_from(child) {
            Ok(hash) => find(&hash)?,
            Err(_) => child,
        };
        rest = after;
    }
    Err(BadProof)
}

impl<'a> Node<'a> {
    /// Reads a node; `None` is the empty trie.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, BadProof> {
        if bytes.len() > MAX_NODE {
            return Err(BadProof);
        }
        let mut input = bytes;
        let first = take(&mut input, 1)?.first().copied().ok_or(BadProof)?;
        // Kind, and the bits that are left for the number of nibbles.
        let (branch, valued, hashed, bits) = match first {
            0 => return input.is_empty().then_some(None).ok_or(BadProof),
            0b0100_0000..=0b0111_1111 => (false, true, false, 6),
            0b1000_0000..=0b1011_1111 => (true, false, false, 6),
            0b1100_0000..=0b1111_1111 => (true, true, false, 6),
            0b0010_0000..=0b0011_1111 => (false, true, true, 5),
            0b0001_0000..=0b0001_1111 => (true, true, true, 4),
            _ => return Err(BadProof),
        };
        let partial = nibbles(&mut input, first, bits)?;
        let present = match branch {
            true => {
                <[u8; 2]>::try_from(take(&mut input, 2)?).map(u16::from_le_bytes).map_err(|_| BadProof)?
            }
            false => 0,
        };
        let value = match (valued, hashed) {
            (false, _) => Value::None,
            (true, false) => Value::Inline(counted(&mut input)?),
            (true, true) => Value::Hashed(take(&mut input, 32)?.try_into().map_err(|_| BadProof)?),
        };
        let mut children = [None; 16];
        for (place, child) in children.iter_mut().enumerate() {
            if present >> place & 1 == 1 {
                *child = Some(counted(&mut input)?);
            }
        }
        input.is_empty().then_some(Some(Self { partial, value, children })).ok_or(BadProof)
    }
}

/// The nibbles that a node begins with: their number in the lowest bits of the first byte, and beyond what these
/// hold in further bytes; then the nibbles, the first alone in its byte if they are odd.
fn nibbles(input: &mut &[u8], first: u8, bits: u32) -> Result<Vec<u8>, BadProof> {
    let most = (1usize << bits).saturating_sub(1);
    let mut count = usize::from(first) & most;
    if count == most {
        loop {
            let more = take(input, 1)?.first().copied().ok_or(BadProof)?;
            count = count.saturating_add(usize::from(more));
            if count > MAX_NIBBLES {
                return Err(BadProof);
            }
            if more < u8::MAX {
                break;
            }
        }
    }
    let odd = count % 2;
    let packed = take(input, count.div_ceil(2))?;
    if odd == 1 && packed.first().is_some_and(|byte| byte >> 4 != 0) {
        return Err(BadProof);
    }
    Ok(packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).skip(odd).collect())
}

/// Bytes after their number.
fn counted<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], BadProof> {
    let Compact(count) = Compact::<u32>::decode(input).map_err(|_| BadProof)?;
    take(input, count as usize)
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], BadProof> {
    let (taken, rest) = input.split_at_checked(count).ok_or(BadProof)?;
    *input = rest;
    Ok(taken)
}

#[cfg(test)]
pub(crate) mod tests {
    use codec::Encode;
    use sp_core::{Blake2Hasher, H256};
    use sp_trie::{
        trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
        LayoutV1, MemoryDB, Recorder, StorageProof, Trie as _, TrieMut as _,
    };

    use super::*;

    /// A state, by the chain's own library.
    pub(crate) struct State {
        database: MemoryDB<Blake2Hasher>,
        root: H256,
    }

    impl State {
        pub(crate) fn of(values: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
            let mut database: MemoryDB<Blake2Hasher> = StorageProof::empty().into_memory_db();
            let mut root = H256::default();
            let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut database, &mut root).build();
            values.iter().for_each(|(key, value)| drop(trie.insert(key, value).unwrap()));
            trie.commit();
            drop(trie);
            Self { database, root }
        }

        pub(crate) fn root(&self) -> [u8; 32] {
            self.root.0
        }

        pub(crate) fn proof(&self, key: &[u8]) -> Vec<Vec<u8>> {
            let mut recorder = Recorder::<LayoutV1<Blake2Hasher>>::new();
            {
                let trie = TrieDBBuilder::<Blake2Hasher>::new(&self.database, &self.root)
                    .with_recorder(&mut recorder)
                    .build();
                trie.get(key).unwrap();
            }
            recorder.drain().into_iter().map(|record| record.data).collect()
        }
    }

    /// Keys with much in common and little, values that lie in their nodes and that don't.
    fn values(seed: u64, count: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let draw = |what: u64, index: u64| hash(&(seed, what, index).encode());
        let value = |index: u64| {
            let random = draw(0, index);
            let key: Vec<u8> = draw(1, index % 7)[..usize::from(random[0] % 9)]
                .iter()
                .chain(&random[1..3])
                .copied()
                .collect();
            (key, vec![random[3]; usize::from(random[4] % 70)])
        };
        (0..count).map(value).collect()
    }

    #[test]
    fn proofs_read_as_the_chains_own_library_reads_them() {
        let (mut present, mut absent) = (0, 0);
        for seed in 0..40 {
            let values = values(seed, seed * 5);
            let state = State::of(&values);
            let others = (0..20u8).map(|index| hash(&[index])[..usize::from(index % 12)].to_vec());
            for key in values.keys().cloned().chain(others) {
                let proof = state.proof(&key);
                let read = value(state.root(), &proof, &key);
                assert_eq!(read, Ok(values.get(&key).cloned()), "seed {seed}, key {key:?}");
                let count = if read == Ok(None) { &mut absent } else { &mut present };
                *count += 1;
                for place in 0..proof.len() {
                    let mut without = proof.clone();
                    without.remove(place);
                    let read = value(state.root(), &without, &key);
                    assert!(read.is_err() || proof[place].is_empty(), "seed {seed}, without node {place}");
                }
            }
        }
        assert!(present > 1_000 && absent > 300, "{present} {absent}");
    }

    #[test]
    fn long_ways_and_long_partial_keys() {
        for length in [30, 31, 32, 60, 62, 63, 64, 65, 126, 127, 128, 160, 290, 400] {
            let key = vec![0xabu8; length];
            let mut fork = key.clone();
            *fork.last_mut().unwrap() = 0xac;
            let values: BTreeMap<_, _> = [
                (key.clone(), vec![1; 40]),
                (fork.clone(), vec![2; 3]),
                (key[..length / 2].to_vec(), vec![3; 40]),
            ]
            .into();
            let state = State::of(&values);
            for (key, expected) in &values {
                assert_eq!(
                    value(state.root(), &state.proof(key), key),
                    Ok(Some(expected.clone())),
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn nodes_that_are_none_are_refused() {
        let refused = |node: &[u8]| value(hash(node), &[node.to_vec()], &[0x12]) == Err(BadProof);
        assert_eq!(value(hash(&[0]), &[vec![0]], &[0x12]), Ok(None), "the empty state");
        // A leaf with key 12 and value 7; then each kind of damage.
        assert_eq!(value(hash(&[0x42, 0x12, 4, 7]), &[vec![0x42, 0x12, 4, 7]], &[0x12]), Ok(Some(vec![7])));
        for node in [
            &[][..],
            &[0, 0],
            &[1],
            &[0x0f],
            &[0x42, 0x12, 4],
            &[0x42, 0x12, 8, 7],
            &[0x42, 0x12, 4, 7, 7],
            &[0x42],
            &[0x41, 0x12, 4, 7],
            &[0x7f, 255, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x80],
            &[0x80, 1, 0],
            &[0x80, 1, 0, 8, 1],
            &[0x22, 0x12, 9],
            &[0x10, 0, 0, 7],
        ] {
            assert!(refused(node), "{node:?}");
        }
    }
}
