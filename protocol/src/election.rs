//! An election that exists: a valid manifest on a chain, with its identifier.

use codec::Encode;

use crate::{
    ids::{Eid, Genesis},
    manifest::{Manifest, ManifestError, Trustee},
    transcript,
};

/// A manifest with the chain and number that make it an election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    /// The chain's first block.
    pub genesis: Genesis,
    /// The identifier (spec 3.2).
    pub eid: Eid,
    /// The manifest, valid.
    pub manifest: Manifest,
}

impl Election {
    /// Validates the manifest and derives the identifier.
    ///
    /// # Errors
    /// The rule that the manifest breaks.
    pub fn new(genesis: Genesis, number: u32, manifest: Manifest) -> Result<Self, ManifestError> {
        manifest.validate()?;
        let eid = transcript::eid(&genesis, number, &manifest.encode());
        Ok(Self { genesis, eid, manifest })
    }

    /// An election whose manifest was validated, and its identifier derived, before: for the
    /// chain, which reads both from its own storage.
    #[must_use]
    pub fn new_unchecked(genesis: Genesis, eid: Eid, manifest: Manifest) -> Self {
        Self { genesis, eid, manifest }
    }

    /// The trustee with that index, counted from 1.
    #[must_use]
    pub fn trustee(&self, index: u8) -> Option<&Trustee> {
        self.manifest.trustees.get(usize::from(index).checked_sub(1)?)
    }

    /// The trustee with that index, if it takes part in the tally: whose declaration, agreement and contribution
    /// count (spec 3.8).
    #[must_use]
    pub fn tallier(&self, index: u8) -> Option<&Trustee> {
        self.trustee(index).filter(|_| self.manifest.takes_part(index))
    }
}
