//! The election board (spec 3.4): officials who act only together, k of m.
//!
//! Every act of the board is an [`Action`]. Each member signs it; the chain carries it out when
//! `threshold` members have. The signatures stay on the record, so that an auditor checks them
//! without the chain's code.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    bounds::{Reason, MAX_BOARD},
    ids::{Digest, Eid, Genesis},
    keys::{CheckSignature, PublicKey, Signable, Signature, SigningKey},
    manifest::Manifest,
    roll::InvitationKeys,
    transcript::{self, Role},
};

/// A board: its members' keys, and how many must agree.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Board {
    /// The members' keys, all different.
    pub members: BoundedVec<PublicKey, ConstU32<MAX_BOARD>>,
    /// How many members must approve an action (k of m).
    pub threshold: u8,
}

/// What a board may do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[allow(clippy::large_enum_variant)] // There are few at a time.
pub enum Action {
    /// The chain's board creates an election under the chain's next number.
    CreateElection {
        /// The chain's next election number, so that the action works once.
        number: u32,
        /// The election's manifest.
        manifest: Manifest,
    },
    /// Confirms a registrar's batch of roll entries, which counts from then on.
    ConfirmBatch {
        /// The election.
        eid: Eid,
        /// The batch's number.
        batch: u32,
        /// The digest of its entries, so that members confirm what they saw.
        digest: Digest,
    },
    /// Gives a roll entry new invitation keys and removes its credential; before the freeze only.
    Reinvite {
        /// The election.
        eid: Eid,
        /// The roll entry.
        entry: u32,
        /// How often this entry has been re-invited, so that the action works once.
        round: u8,
        /// The new invitation keys.
        keys: InvitationKeys,
    },
    /// Freezes the roll; the election opens when its opening time has come.
    Freeze {
        /// The election.
        eid: Eid,
        /// The head of the roll log that the members saw.
        roll: Digest,
    },
    /// Postpones the opening, before it.
    Postpone {
        /// The election.
        eid: Eid,
        /// The new opening time, in ms since the Unix epoch; later than the old one.
        opens_at: u64,
        /// The new closing time; not before the old one.
        closes_at: u64,
    },
    /// Extends voting while the election is open, for a stated reason.
    Extend {
        /// The election.
        eid: Eid,
        /// The new closing time; later than the old one.
        closes_at: u64,
        /// Why.
        reason: Reason,
    },
    /// Closes voting before its time, where the manifest allows it.
    Close {
        /// The election.
        eid: Eid,
    },
    /// Certifies the result.
    Certify {
        /// The election.
        eid: Eid,
        /// The digest of the result ([`crate::tally::ElectionResult::digest`]).
        result: Digest,
    },
    /// Voids the election, for a stated reason.
    Void {
        /// The election.
        eid: Eid,
        /// Why.
        reason: Reason,
    },
    /// Lets fewer trustees agree on the set, because so many can never sign again; for a stated reason, and after
    /// [`crate::bounds::LOWERED_QUORUM_WAIT`] blocks in which everybody can see it.
    LowerQuorum {
        /// The election.
        eid: Eid,
        /// How many trustees must sign the set from then on: at least t.
        quorum: u8,
        /// Why.
        reason: Reason,
    },
}

impl Action {
    /// The election that this concerns; none for its creation, which is the chain's board's.
    #[must_use]
    pub fn eid(&self) -> Option<Eid> {
        match self {
            Self::CreateElection { .. } => None,
            Self::ConfirmBatch { eid, .. }
            | Self::Reinvite { eid, .. }
            | Self::Freeze { eid, .. }
            | Self::Postpone { eid, .. }
            | Self::Extend { eid, .. }
            | Self::Close { eid }
            | Self::Certify { eid, .. }
            | Self::Void { eid, .. }
            | Self::LowerQuorum { eid, .. } => Some(*eid),
        }
    }

    /// The digest under which approvals of this action are collected.
    #[must_use]
    pub fn digest(&self) -> Digest {
        transcript::action(&self.encode())
    }
}

/// One member's approval of an action.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Approval {
    /// What is approved, whole, so that members need no other channel.
    pub action: Action,
    /// The member's index on its board.
    pub member: u8,
    /// The member's signature.
    pub signature: Signature,
}

/// The statement that a member signs to approve an action.
fn approval_signable<'a>(genesis: &'a Genesis, eid: &'a Eid, action: &'a Digest, member: u8) -> Signable<'a> {
    Signable { role: Role::Board, genesis, eid, index: u32::from(member), payload: &action.0 }
}

impl Approval {
    /// Signs an approval as a member of the board.
    pub fn sign(
        genesis: &Genesis,
        action: Action,
        member: u8,
        key: &SigningKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let (eid, digest) = (action.eid().unwrap_or_default(), action.digest());
        let signature = key.sign(&approval_signable(genesis, &eid, &digest, member), rng);
        Self { action, member, signature }
    }

    /// Whether the signature is by that member of `board`.
    #[must_use]
    pub fn verify(&self, check: CheckSignature, genesis: &Genesis, board: &Board) -> bool {
        let (eid, digest) = (self.action.eid().unwrap_or_default(), self.action.digest());
        board.members.get(usize::from(self.member)).is_some_and(|key| {
            approval_signable(genesis, &eid, &digest, self.member).verify(check, &self.signature, key)
        })
    }
}

/// Why a board is not a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// The threshold is zero or more than the members.
    #[error("threshold {threshold} is not between 1 and the {members} members")]
    Threshold {
        /// The threshold given.
        threshold: u8,
        /// The members given.
        members: usize,
    },
    /// Two members have one key.
    #[error("two board members have the same key")]
    Duplicate,
}

impl Board {
    /// Checks that the board can act and that no member counts twice.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn validate(&self) -> Result<(), BoardError> {
        if self.threshold == 0 || usize::from(self.threshold) > self.members.len() {
            return Err(BoardError::Threshold { threshold: self.threshold, members: self.members.len() });
        }
        if crate::manifest::has_duplicates(&self.members) {
            return Err(BoardError::Duplicate);
        }
        Ok(())
    }
}
