//! Evidence in a dispute between trustees (spec 7.7): the dealings of all ballots of the agreed set.
//!
//! Ballots carry their dealings' digests, so a record and the dealings together show of every contribution whether it is
//! the sum of its trustee's shares, whoever publishes them. Dealings are independent of the votes.

use codec::{Decode, Encode};

use crate::{
    agreement::AcceptedSet,
    ids::{BallotHash, Digest, Eid},
    shares::Dealing,
};

/// The first bytes of an evidence file.
pub const MAGIC: [u8; 8] = *b"PSEPHOSE";

/// What the file has after [`MAGIC`]; then come that many [`Dealt`], in the order of the set.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EvidenceHeader {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The election.
    pub eid: Eid,
    /// The root of the agreed set.
    pub root: Digest,
    /// Its ballots.
    pub ballots: u32,
}

impl EvidenceHeader {
    /// Of this set.
    #[must_use]
    pub fn of(eid: Eid, set: &AcceptedSet) -> Self {
        let ballots = u32::try_from(set.len()).unwrap_or(u32::MAX);
        Self { version: crate::VERSION, eid, root: set.root(), ballots }
    }
}

/// A ballot's dealing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Dealt {
    /// The ballot.
    pub ballot: BallotHash,
    /// Its dealing.
    pub dealing: Dealing,
}
