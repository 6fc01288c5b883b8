//! What a ballot of one style is checked against.

use alloc::vec::Vec;
use codec::{Decode, Encode};

use super::{BallotError, Layout};
use crate::{
    bounds::MAX_RANGE_BITS,
    contest::Contest,
    election::Election,
    ids::{Eid, Genesis},
    keys::PublicKey,
};

/// All of an election that a ballot's validity depends on, for one style. The chain hands it to the
/// host, whose verdict is a function of ballot and terms alone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// The chain.
    pub genesis: Genesis,
    /// The election.
    pub eid: Eid,
    /// The index of the style.
    pub style: u16,
    /// The style's contests, in ballot order.
    pub contests: Vec<Contest>,
    /// The trustees' signing keys, trustee 1 first.
    pub trustees: Vec<PublicKey>,
    /// q: receipts that a cast ballot carries.
    pub quorum: u8,
}

impl Terms {
    /// The terms of a style.
    ///
    /// # Errors
    /// [`BallotError::Style`] when the manifest doesn't have it.
    pub fn of(election: &Election, style: u16) -> Result<Self, BallotError> {
        let manifest = &election.manifest;
        let contests = manifest.style_contests(manifest.style(style).ok_or(BallotError::Style)?);
        Ok(Self {
            genesis: election.genesis,
            eid: election.eid,
            style,
            contests: contests.into_iter().cloned().collect(),
            trustees: manifest.trustees.iter().map(|trustee| trustee.signing).collect(),
            quorum: manifest.quorum,
        })
    }

    /// Whether ballots of these terms are within the protocol's bounds, as every election's are.
    #[must_use]
    pub fn within_bounds(&self) -> bool {
        !self.contests.is_empty() && self.layout().shape.bits() <= MAX_RANGE_BITS as usize
    }

    /// The layout of these ballots.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.contests.iter().collect::<Vec<_>>())
    }
}
