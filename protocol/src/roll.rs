//! The electoral roll (spec 4): who may vote, with which weight, style and unit.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    bounds::MAX_BATCH,
    election::Election,
    ids::{Digest, Eid},
    keys::{CheckSignature, PublicKey, Signable, Signature},
    transcript::{self, Role},
};

/// The invitation keys of one entry: one, or two made by different parties.
pub type InvitationKeys = BoundedVec<PublicKey, ConstU32<2>>;

/// How a voter comes to a credential.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Access {
    /// By invitation: the voter's device makes the credential and signs it with each invitation key.
    Invitation(InvitationKeys),
    /// The credential key is on the roll itself; its holder made it before.
    Credential(PublicKey),
}

/// One voter on the roll.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RollEntry {
    /// How the voter comes to a credential.
    pub access: Access,
    /// The voter's weight, one of the manifest's.
    pub weight: u64,
    /// Index of the voter's ballot style.
    pub style: u16,
    /// Index of the voter's reporting unit.
    pub unit: u16,
    /// A salted hash of the person's identifier in the official register ([`transcript::person`]).
    pub person: Digest,
}

/// The entries of a batch.
pub type Entries = BoundedVec<RollEntry, ConstU32<MAX_BATCH>>;

/// A batch of entries that a registrar proposes; it counts when the board confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RollBatch {
    /// The election.
    pub eid: Eid,
    /// The registrar's index in the manifest.
    pub registrar: u8,
    /// The batch's number: batches of an election are numbered from 0 without gaps.
    pub batch: u32,
    /// The entries.
    pub entries: Entries,
    /// The registrar's signature over number and digest.
    pub signature: Signature,
}

impl RollBatch {
    /// The digest of the entries, which the board confirms.
    #[must_use]
    pub fn digest(&self) -> Digest {
        transcript::batch(&self.entries.encode())
    }

    /// Whether the registrar named signed this batch.
    #[must_use]
    pub fn verify(&self, check: CheckSignature, election: &Election) -> bool {
        self.eid == election.eid
            && election.manifest.registrars.get(usize::from(self.registrar)).is_some_and(|key| {
                let payload = (self.batch, self.digest()).encode();
                batch_signable(election, self.registrar, &payload).verify(check, &self.signature, key)
            })
    }
}

/// The statement that a registrar signs, over an encoded (number, digest).
#[must_use]
pub fn batch_signable<'a>(election: &'a Election, registrar: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable {
        role: Role::Registrar,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(registrar),
        payload,
    }
}

/// Why a roll entry does not fit its election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not one of the manifest's weights.
    #[error("weight {0} is not on the manifest's list of weights")]
    Weight(u64),
    /// No such style.
    #[error("style {0} is not in the manifest")]
    Style(u16),
    /// No such unit.
    #[error("unit {0} is not in the manifest")]
    Unit(u16),
    /// No invitation key, or the same one twice.
    #[error("an invitation needs one key, or two different ones")]
    Invitation,
}

impl RollEntry {
    /// Checks the entry against the manifest.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn check(&self, election: &Election) -> Result<(), EntryError> {
        let manifest = &election.manifest;
        if !manifest.weights.contains(&self.weight) {
            return Err(EntryError::Weight(self.weight));
        }
        if manifest.style(self.style).is_none() {
            return Err(EntryError::Style(self.style));
        }
        if usize::from(self.unit) >= manifest.units.len() {
            return Err(EntryError::Unit(self.unit));
        }
        match &self.access {
            Access::Invitation(keys) if keys.is_empty() || crate::manifest::has_duplicates(keys) => {
                Err(EntryError::Invitation)
            }
            _ => Ok(()),
        }
    }
}

/// A voter claims an invitation for a credential made on the voter's own device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Registration {
    /// The election.
    pub eid: Eid,
    /// The roll entry.
    pub entry: u32,
    /// The credential.
    pub credential: PublicKey,
    /// By each invitation key of the entry, in the entry's order.
    pub invitations: BoundedVec<Signature, ConstU32<2>>,
    /// By the credential itself.
    pub possession: Signature,
}

impl Registration {
    /// Whether every invitation key of the entry and the credential signed this claim.
    #[must_use]
    pub fn verify(&self, check: CheckSignature, election: &Election, keys: &InvitationKeys) -> bool {
        if self.eid != election.eid || keys.is_empty() || keys.len() != self.invitations.len() {
            return false;
        }
        let payload = transcript::registration(self.entry, &self.credential);
        let signable = |role, index| Signable {
            role,
            genesis: &election.genesis,
            eid: &election.eid,
            index,
            payload: &payload,
        };
        keys.iter().zip(self.invitations.iter()).enumerate().all(|(index, (key, signature))| {
            signable(Role::Invitation, index as u32).verify(check, signature, key)
        }) && signable(Role::Registration, 0).verify(check, &self.possession, &self.credential)
    }

    /// The statement that invitation key number `index` signs, over [`transcript::registration`].
    #[must_use]
    pub fn invitation_signable<'a>(election: &'a Election, index: u32, payload: &'a [u8]) -> Signable<'a> {
        Signable { role: Role::Invitation, genesis: &election.genesis, eid: &election.eid, index, payload }
    }

    /// The statement that the credential signs, over [`transcript::registration`].
    #[must_use]
    pub fn possession_signable<'a>(election: &'a Election, payload: &'a [u8]) -> Signable<'a> {
        Signable {
            role: Role::Registration,
            genesis: &election.genesis,
            eid: &election.eid,
            index: 0,
            payload,
        }
    }
}

/// One event of the roll, as the roll log absorbs it (spec 4.4). The log's head at the freeze is
/// the frozen roll's root: it fixes every entry and every credential.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RollEvent {
    /// The board confirmed a batch.
    Confirmed {
        /// The batch's number.
        batch: u32,
        /// The digest of its entries.
        digest: Digest,
        /// The index of its first entry.
        first: u32,
        /// How many entries it has.
        count: u32,
    },
    /// A voter registered a credential.
    Registered {
        /// The roll entry.
        entry: u32,
        /// The credential.
        credential: PublicKey,
    },
    /// The board re-invited an entry.
    Reinvited {
        /// The roll entry.
        entry: u32,
        /// Its new invitation keys.
        keys: InvitationKeys,
    },
}

impl RollEvent {
    /// The head of the roll log after this event.
    #[must_use]
    pub fn append_to(&self, head: &Digest) -> Digest {
        transcript::log(head, &self.encode())
    }
}
