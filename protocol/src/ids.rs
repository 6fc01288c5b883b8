//! Identifiers: 32-byte hashes, each with a type of its own.

use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A hex string that is not 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits, with or without 0x, and got {0:?}")]
pub struct NotAnId(pub String);

pub(crate) fn parse_hex32(text: &str) -> Result<[u8; 32], NotAnId> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bad = || NotAnId(String::from(text));
    // `from_str_radix` alone takes "+f" for 0f.
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mut bytes = [0u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = core::str::from_utf8(pair).map_err(|_| bad())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(bytes)
}

/// Defines a 32-byte identifier with SCALE encoding, hexadecimal text and total order.
macro_rules! id32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
        )]
        pub struct $name(pub [u8; 32]);

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::ids::NotAnId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::ids::parse_hex32(text).map(Self)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}
pub(crate) use id32;

id32!(
    /// The hash of a chain's first block: which chain this is.
    Genesis
);
id32!(
    /// An election's identifier (spec 3.2): binds version, chain, number and manifest.
    Eid
);
id32!(
    /// The hash of a ballot's canonical bytes (spec 6.3).
    BallotHash
);
id32!(
    /// Any other transcript hash: a root, a log's head, a digest.
    Digest
);

/// A block that something is tied to: number and hash.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Anchor {
    /// The block's height.
    pub number: u32,
    /// The block's hash.
    pub hash: [u8; 32],
}
