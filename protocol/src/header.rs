//! Block headers (spec 9.1), as the chain's own library encodes them.

use alloc::vec::Vec;
use codec::{Compact, Decode, DecodeAll, Encode};
use scale_info::TypeInfo;

/// The chain's hash of headers and of its state: BLAKE2b-256. Who uses this crate brings the implementation.
pub type Hash = fn(&[u8]) -> [u8; 32];

/// A block header.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Encode, TypeInfo)]
pub struct Header {
    /// The hash of the header before.
    pub parent: [u8; 32],
    /// The height.
    pub number: Compact<u32>,
    /// The root of the state after this block.
    pub state_root: [u8; 32],
    /// The root of the block's body.
    pub extrinsics_root: [u8; 32],
    /// What consensus says in the block.
    pub digest: Vec<DigestItem>,
}

/// One item of a header's digest.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Encode, TypeInfo)]
pub enum DigestItem {
    /// Anything.
    #[codec(index = 0)]
    Other(Vec<u8>),
    /// From the runtime to a consensus engine.
    #[codec(index = 4)]
    Consensus([u8; 4], Vec<u8>),
    /// The author's signature.
    #[codec(index = 5)]
    Seal([u8; 4], Vec<u8>),
    /// From a consensus engine to the runtime.
    #[codec(index = 6)]
    PreRuntime([u8; 4], Vec<u8>),
    /// The runtime's code changed.
    #[codec(index = 8)]
    RuntimeEnvironmentUpdated,
}

const AURA: [u8; 4] = *b"aura";

impl Header {
    /// Decodes the canonical bytes.
    ///
    /// # Errors
    /// When they are malformed, or bytes are left over.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, codec::Error> {
        Self::decode_all(&mut bytes)
    }

    /// Aura's slot, which each header names once.
    #[must_use]
    pub fn slot(&self) -> Option<u64> {
        let mut slots = self.digest.iter().filter_map(|item| match item {
            DigestItem::PreRuntime(AURA, slot) => Some(u64::decode_all(&mut slot.as_slice()).ok()),
            _ => None,
        });
        match (slots.next(), slots.next()) {
            (Some(slot), None) => slot,
            _ => None,
        }
    }
}
