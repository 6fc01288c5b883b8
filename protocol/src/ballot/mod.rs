//! Ballots (spec 5 and 6): prepared, shown as a tracking code, then audited or cast.
//!
//! | stage | type | what was added |
//! |---|---|---|
//! | prepared | [`Ballot`] (public) in a [`Prepared`] (secret) | commitments, proof, hash |
//! | signed | [`SignedBallot`] | the credential's signature: the voter chose to cast |
//! | cast | [`CastBallot`] | q trustees' receipts: what the chain accepts |

mod audit;
pub mod batch;
#[cfg(test)]
mod forced;
#[cfg(test)]
mod hiding;
mod prepare;
mod range;
mod terms;
mod tracking;
mod verify;
mod weights;

pub use audit::{AuditError, AuditOpening};
pub use prepare::{prepare, Ballotpaper, Choices, PrepareError, Prepared, Seed, Signed};
pub use range::{Committed, Layout};
pub use terms::Terms;
#[cfg(feature = "client")]
pub(crate) use tracking::{five_bit_groups, letter, values};
pub use tracking::{TrackingCode, TrackingCodeError};
pub use verify::{BallotError, Checks, VerifiedBallot};

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    bounds::{MAX_BALLOT_BYTES, MAX_COLUMNS, MAX_PROOF, MAX_SLACK, MAX_TRUSTEES},
    group::Point,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::{PublicKey, Signature},
    receipt::Receipt,
    transcript,
};

/// What a ballot says before its proof (spec 5.3): all of it is absorbed by the proof's transcript.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Statement {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The election.
    pub eid: Eid,
    /// The index of the ballot style.
    pub style: u16,
    /// The voter's credential.
    pub credential: PublicKey,
    /// Larger than that of every earlier ballot of this credential, from 1.
    pub sequence: u32,
    /// A recent finalized block.
    pub anchor: Anchor,
    /// The last block that may accept this ballot.
    pub expiry: u32,
    /// One commitment per committed option of each contest, in ballot order.
    pub commitments: BoundedVec<Point, ConstU32<MAX_COLUMNS>>,
    /// One commitment per slack bit of each contest, in ballot order (spec 3.3.3).
    pub slack: BoundedVec<Point, ConstU32<MAX_SLACK>>,
    /// The digest δ of the commitments to the sharing polynomials.
    pub dealing: Digest,
}

/// A prepared ballot: the statement and the proof that every contest is filled in validly.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ballot {
    /// What is proved.
    pub statement: Statement,
    /// Bits of every range: 1, 2, 4, 8, 16, 32 or 64; must be the least that the style needs.
    pub width: u8,
    /// The aggregated range proof ([`crate::range_proof`]).
    pub proof: BoundedVec<u8, ConstU32<MAX_PROOF>>,
}

impl Ballot {
    /// The ballot hash (spec 6.3).
    #[must_use]
    pub fn hash(&self) -> BallotHash {
        transcript::ballot_hash(&self.encode())
    }
}

/// A ballot that its credential signed: the voter chose to cast it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SignedBallot {
    /// The ballot.
    pub ballot: Ballot,
    /// The credential's signature over the ballot hash.
    pub signature: Signature,
}

/// A signed ballot with the receipts that the chain asks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CastBallot {
    /// The signed ballot.
    pub signed: SignedBallot,
    /// Exactly q receipts, of different trustees, ascending.
    pub receipts: BoundedVec<Receipt, ConstU32<MAX_TRUSTEES>>,
}

impl SignedBallot {
    /// Decodes the canonical bytes.
    ///
    /// # Errors
    /// [`BallotError::Encoding`] when too long, malformed, or with bytes left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BallotError> {
        decode(bytes)
    }
}

impl CastBallot {
    /// Decodes the canonical bytes.
    ///
    /// # Errors
    /// [`BallotError::Encoding`] when too long, malformed, or with bytes left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BallotError> {
        decode(bytes)
    }
}

fn decode<T: Decode>(mut bytes: &[u8]) -> Result<T, BallotError> {
    if bytes.len() > MAX_BALLOT_BYTES {
        return Err(BallotError::Encoding);
    }
    T::decode_all(&mut bytes).map_err(|_| BallotError::Encoding)
}
