//! Auditing a ballot (spec 5.5): the Benaloh challenge.
//!
//! The device reveals seed and choices after it showed the tracking code; another device rebuilds
//! the ballot and compares. J. Benaloh, *Simple Verifiable Elections* (EVT 2006).

use codec::{DecodeAll, Encode};

use super::{prepare::build, Ballot, Ballotpaper, Choices, PrepareError, Seed};
use crate::{
    election::Election,
    ids::{BallotHash, Eid},
    range_proof::Generators,
};

/// What a device reveals of a ballot that will never be cast.
pub struct AuditOpening {
    /// The election.
    pub eid: Eid,
    /// What the ballot was prepared for.
    pub paper: Ballotpaper,
    /// The votes that it holds.
    pub choices: Choices,
    /// The seed of all its randomness.
    pub seed: Seed,
}

/// Why an audit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Not the encoding of an opening.
    #[error("not an audit opening: the file is damaged or of another version")]
    Encoding,
    /// Of another election.
    #[error("the opening is of another election")]
    Election,
    /// The choices are no valid vote.
    #[error("the opening holds no valid vote: {0}")]
    Choices(PrepareError),
    /// Seed and choices give another ballot: the device cheated or the file was changed.
    #[error(
        "seed and choices give ballot {rebuilt}, and the device had shown {shown}: do not trust this device"
    )]
    Mismatch {
        /// What seed and choices give.
        rebuilt: BallotHash,
        /// What the device had shown.
        shown: BallotHash,
    },
}

impl AuditOpening {
    /// Rebuilds the ballot from seed and choices.
    ///
    /// # Errors
    /// [`AuditError`], when it can't be.
    pub fn rebuild(&self, election: &Election, generators: &Generators) -> Result<Ballot, AuditError> {
        if self.eid != election.eid {
            return Err(AuditError::Election);
        }
        build(election, generators, &self.paper, &self.choices, &self.seed)
            .map(|built| built.ballot)
            .map_err(AuditError::Choices)
    }

    /// Checks that the ballot whose hash the device had shown is the one that these choices give.
    ///
    /// # Errors
    /// [`AuditError::Mismatch`] when the device had shown another ballot.
    pub fn check(
        &self,
        election: &Election,
        generators: &Generators,
        shown: &BallotHash,
    ) -> Result<&Choices, AuditError> {
        let rebuilt = self.rebuild(election, generators)?.hash();
        if rebuilt != *shown {
            return Err(AuditError::Mismatch { rebuilt, shown: *shown });
        }
        Ok(&self.choices)
    }

    /// The bytes of an audit file.
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        (crate::VERSION, self.eid, self.paper, &self.choices.0, &self.seed.0).encode()
    }

    /// Reads an audit file.
    ///
    /// # Errors
    /// [`AuditError::Encoding`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, AuditError> {
        type Fields = (u16, Eid, Ballotpaper, alloc::vec::Vec<alloc::vec::Vec<u32>>, [u8; 64]);
        if bytes.len() > crate::bounds::MAX_BALLOT_BYTES {
            return Err(AuditError::Encoding);
        }
        let (version, eid, paper, choices, seed) =
            Fields::decode_all(&mut bytes).map_err(|_| AuditError::Encoding)?;
        if version != crate::VERSION {
            return Err(AuditError::Encoding);
        }
        Ok(Self { eid, paper, choices: Choices(choices), seed: Seed(seed) })
    }
}
