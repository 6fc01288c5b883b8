//! Which block is final (spec 9.3): GRANDPA justifications, checked against the validators of the chain's first block.
//!
//! A. Stewart and E. Kokoris-Kogia, *GRANDPA: a Byzantine Finality Gadget* (2020). A justification is precommits of
//! more than two thirds of the validators for blocks at or above one block; that block is final then, with all
//! before it. Two thirds of the validators together can sign anything, fewer can't.
//!
//! The validators are the same for the chain's whole life, so that the state of its first block, whose hash every
//! election's identifier binds, says who they are.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use codec::{Decode, DecodeAll, Encode};
use ed25519_dalek::{Signature, VerifyingKey};
use scale_info::TypeInfo;

use crate::{
    header::{Hash, Header},
    ids::Anchor,
};

/// The number of the set of validators: the first, and only one.
const SET: u64 = 0;
/// The variant of a precommit among GRANDPA's messages.
const PRECOMMIT: u8 = 1;
/// Validators of a chain at most.
pub const MAX_VALIDATORS: usize = 1_024;
/// Bytes of the largest justification that is looked at.
const MAX_BYTES: usize = 1_024 * 1_024;
/// Bytes of the largest finality proof that is looked at.
pub const MAX_PROOF_BYTES: usize = 8 * 1_024 * 1_024;
/// Nodes of the first block's state in a finality proof at most.
const MAX_STATE_NODES: usize = 1_024;
/// What the name of a finality proof's file has after that of its record.
pub const SUFFIX: &str = ".finality";
/// What a finality proof begins with.
const MAGIC: [u8; 8] = *b"PSEPHOSF";

/// The storage key of the validators' list: `Grandpa::Authorities`, twice twox128.
pub const VALIDATORS_KEY: [u8; 32] = [
    0x5f, 0x9c, 0xc4, 0x5b, 0x7a, 0x00, 0xc5, 0x89, 0x93, 0x61, 0xe1, 0xc6, 0x09, 0x96, 0x78, 0xdc, 0x5e,
    0x06, 0x21, 0xc4, 0x86, 0x9a, 0xa6, 0x0c, 0x02, 0xbe, 0x9a, 0xdc, 0xc9, 0x8a, 0x0d, 0x1d,
];

/// The validators with their weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators(BTreeMap<[u8; 32], u64>);

/// What shows that the last block of a record is final, for a reader who knows the hash of the chain's first block
/// (spec 9.5). Nodes have different ones of the same record: it is a file of its own.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FinalityProof {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The header of the chain's first block.
    pub genesis: Vec<u8>,
    /// Nodes of its state's trie, those from the root to [`VALIDATORS_KEY`] among them.
    pub state: Vec<Vec<u8>>,
    /// The headers of the blocks after the record's last, up to the one that is justified; often none.
    pub headers: Vec<Vec<u8>>,
    /// GRANDPA's justification.
    pub justification: Vec<u8>,
}

impl FinalityProof {
    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        (MAGIC, self).encode()
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`FinalityError::Encoding`] when it is none, of another version, too long, or has bytes left over.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, FinalityError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(FinalityError::Encoding);
        }
        let decoded: Result<([u8; 8], Self), _> = DecodeAll::decode_all(&mut bytes);
        match decoded {
            Ok((MAGIC, proof)) if proof.version == crate::VERSION && proof.state.len() <= MAX_STATE_NODES => {
                Ok(proof)
            }
            _ => Err(FinalityError::Encoding),
        }
    }
}

/// Why a justification shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinalityError {
    /// The list of validators is none.
    #[error("9.3: the validators of the first block are not a list of different keys with weights")]
    Validators,
    /// It does not decode.
    #[error("9.3: the proof of finality is malformed, of another version or too long")]
    Encoding,
    /// A precommit is by nobody of the validators, or one's own twice.
    #[error("9.3.1: a precommit is not by a validator, or the second of one")]
    Validator,
    /// A signature does not verify.
    #[error("9.3.2: the signature of a precommit does not verify")]
    Signature,
    /// A precommit is for a block that does not descend from the one that is to be final.
    #[error("9.3.3: a precommit is for a block that does not descend from the one that is to be final")]
    Ancestry,
    /// Too few.
    #[error("9.3.4: not more than two thirds of the validators signed")]
    Weight,
}

/// A precommit, signed.
#[derive(Decode, Encode)]
struct SignedPrecommit {
    target: [u8; 32],
    number: u32,
    signature: [u8; 64],
    validator: [u8; 32],
}

/// GRANDPA's justification, but for the headers, which have no length of their own: they are read one by one.
#[derive(Decode, Encode)]
struct Commit {
    round: u64,
    target: [u8; 32],
    number: u32,
    precommits: Vec<SignedPrecommit>,
}

impl Validators {
    /// The validators that the state of the first block has under [`VALIDATORS_KEY`].
    ///
    /// # Errors
    /// [`FinalityError::Validators`].
    pub fn from_state(mut bytes: &[u8]) -> Result<Self, FinalityError> {
        if bytes.len() > MAX_VALIDATORS.saturating_mul(40).saturating_add(4) {
            return Err(FinalityError::Validators);
        }
        let list: Vec<([u8; 32], u64)> =
            DecodeAll::decode_all(&mut bytes).map_err(|_| FinalityError::Validators)?;
        let count = list.len();
        let validators: BTreeMap<[u8; 32], u64> = list.into_iter().collect();
        let weighty = validators.values().all(|weight| *weight > 0 && *weight <= u64::from(u32::MAX));
        (count > 0 && validators.len() == count && weighty)
            .then_some(Self(validators))
            .ok_or(FinalityError::Validators)
    }

    /// More than two thirds of all weights.
    fn enough(&self, weight: u64) -> bool {
        let all: u64 = self.0.values().fold(0, |sum, weight| sum.saturating_add(*weight));
        weight.saturating_mul(3) > all.saturating_mul(2)
    }

    /// The block that a justification shows to be final. `hash` is the chain's hash of headers, BLAKE2b-256.
    ///
    /// # Errors
    /// [`FinalityError`]: the first check that fails.
    pub fn check(&self, mut justification: &[u8], hash: Hash) -> Result<Anchor, FinalityError> {
        if justification.len() > MAX_BYTES {
            return Err(FinalityError::Encoding);
        }
        let Commit { round, target, number, precommits } =
            Commit::decode(&mut justification).map_err(|_| FinalityError::Encoding)?;
        let headers: Vec<Header> =
            DecodeAll::decode_all(&mut justification).map_err(|_| FinalityError::Encoding)?;
        let parents: BTreeMap<[u8; 32], [u8; 32]> =
            headers.iter().map(|header| (hash(&header.encode()), header.parent)).collect();
        let justified = Anchor { number, hash: target };
        let mut signed = BTreeSet::new();
        let mut weight = 0u64;
        for precommit in &precommits {
            let own = self.0.get(&precommit.validator).ok_or(FinalityError::Validator)?;
            if !signed.insert(precommit.validator) {
                return Err(FinalityError::Validator);
            }
            let payload = (PRECOMMIT, precommit.target, precommit.number, round, SET).encode();
            let key = VerifyingKey::from_bytes(&precommit.validator).map_err(|_| FinalityError::Signature)?;
            key.verify_strict(&payload, &Signature::from_bytes(&precommit.signature))
                .map_err(|_| FinalityError::Signature)?;
            let block = Anchor { number: precommit.number, hash: precommit.target };
            if !descends(block, justified, &parents) {
                return Err(FinalityError::Ancestry);
            }
            weight = weight.saturating_add(*own);
        }
        self.enough(weight).then_some(justified).ok_or(FinalityError::Weight)
    }
}

/// Whether a block is this one, or comes after it by these headers: so many of them as their heights differ by. Of
/// both heights only the block's was signed.
fn descends(block: Anchor, ancestor: Anchor, parents: &BTreeMap<[u8; 32], [u8; 32]>) -> bool {
    let Some(steps) = block.number.checked_sub(ancestor.number) else { return false };
    let mut hash = block.hash;
    for _ in 0..steps {
        match parents.get(&hash) {
            Some(parent) => hash = *parent,
            None => return false,
        }
    }
    hash == ancestor.hash
}
