//! The election manifest (spec 3.1): everything about an election that is fixed before it starts.

use alloc::{collections::BTreeSet, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::Range;
use scale_info::TypeInfo;

use crate::{
    ballot::Layout,
    board::{Board, BoardError},
    bounds::*,
    contest::{Contest, Rule},
    ids::Digest,
    keys::PublicKey,
    range_proof::{Shape, GENERATORS_DIGEST},
    transcript,
};

/// A ballot style: which contests a voter of this style sees.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Style {
    /// Its name, in UTF-8.
    pub name: Text,
    /// Indices of contests, ascending.
    pub contests: BoundedVec<u16, ConstU32<MAX_CONTESTS>>,
}

/// A trustee: who keeps shares of the ballots, and with which keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Trustee {
    /// Its name, in UTF-8.
    pub name: Text,
    /// The key that signs its receipts, agreements and contributions.
    pub signing: PublicKey,
    /// The X-Wing public key to which shares are sealed, for this election alone.
    pub kem: BoundedVec<u8, ConstU32<KEM_PUBLIC_KEY_BYTES>>,
}

/// The manifest. Its canonical SCALE encoding is part of the election identifier.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Manifest {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The election's name, in UTF-8.
    pub title: Text,
    /// The contests.
    pub contests: BoundedVec<Contest, ConstU32<MAX_CONTESTS>>,
    /// The ballot styles.
    pub styles: BoundedVec<Style, ConstU32<MAX_STYLES>>,
    /// The reporting units' names, in UTF-8.
    pub units: BoundedVec<Text, ConstU32<MAX_UNITS>>,
    /// The weights that a voter may have, ascending, none zero.
    pub weights: BoundedVec<u64, ConstU32<MAX_WEIGHTS>>,
    /// The most voters that the roll may have; bounds every total.
    pub max_voters: u32,
    /// The fewest ballots of one style or weight that may be opened together (spec 7.1).
    pub privacy_minimum: u32,
    /// Declares that groups below the minimum are opened all the same, their votes public.
    pub small_groups_public: bool,
    /// How many ballots one credential may cast, the first included.
    pub max_ballots: u8,
    /// The trustees; a trustee's index is its place here counted from 1.
    pub trustees: BoundedVec<Trustee, ConstU32<MAX_TRUSTEES>>,
    /// t: how many trustees' shares open the tally, and fewer than how many learn nothing.
    pub threshold: u8,
    /// q: how many trustees must vouch for a ballot and agree on the set.
    pub quorum: u8,
    /// The election's board.
    pub board: Board,
    /// Who may propose roll batches.
    pub registrars: BoundedVec<PublicKey, ConstU32<MAX_REGISTRARS>>,
    /// When voting opens, at the earliest, in ms since the Unix epoch.
    pub opens_at: u64,
    /// When voting closes, in ms since the Unix epoch.
    pub closes_at: u64,
    /// Whether the board may close before `closes_at`, as it may where all have voted.
    pub early_close: bool,
    /// Whether totals are opened per cell, a run of reporting units (spec 7.1).
    pub by_unit: bool,
    /// Of a rehearsal (spec 3.8): the trustee that is held back, from 1; 0 where the quorum needs them all. None of
    /// an election that counts.
    pub rehearsal: Option<u8>,
    /// The digest of the generators ([`crate::range_proof::generators_digest`]).
    pub generators: Digest,
}

/// Why a manifest does not define an election.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Another version of the protocol.
    #[error("version: this is {0}, and this software implements 1")]
    Version(u16),
    /// A required list is empty.
    #[error("{0}: at least one is needed")]
    Empty(&'static str),
    /// A name is not UTF-8.
    #[error("{0}: a name is not UTF-8")]
    Text(&'static str),
    /// A contest's rule can't be fulfilled or its numbers are out of range.
    #[error("contests[{contest}].rule: needs 0 < max_each and min_sum ≤ max_sum ≤ options × max_each, 0 < max_sum, and two options where the sum is fixed; it has max_each {max_each}, min_sum {min_sum}, max_sum {max_sum}")]
    Rule {
        /// The contest, counted from 0.
        contest: usize,
        /// As given.
        max_each: u32,
        /// As given.
        min_sum: u32,
        /// As given.
        max_sum: u32,
    },
    /// A style is empty, names a contest that is not there, or is not in ascending order.
    #[error("styles[{0}]: contests must be ascending indices of contests, at least one")]
    Style(usize),
    /// A ballot of this style would be too large.
    #[error("styles[{style}]: its ballot would need {bits} range bits of at most 4096; split it or lower the limits of its contests")]
    TooLarge {
        /// The style, counted from 0.
        style: usize,
        /// Range bits that it needs.
        bits: usize,
    },
    /// All contests together have too many options.
    #[error("contests: all options together are {0} commitments, the most is 512")]
    Columns(usize),
    /// Weights not ascending or with a zero.
    #[error("weights: must be ascending and more than zero")]
    Weights,
    /// Too many sums.
    #[error(
        "by_unit: units times columns are {0} sums, the most is 4096; join units, or open one total for all"
    )]
    Sums(usize),
    /// Who is held back is no trustee, or can't be.
    #[error("rehearsal: a trustee from 1 to n is held back, or 0, nobody, if and only if quorum = n")]
    Rehearsal,
    /// A total could pass 2^64.
    #[error("max_voters × largest weight × largest value must stay below 2^64")]
    Overflow,
    /// t, q, n outside their bounds.
    #[error("trustees: n = {n}, t = {t}, q = {q}; needed are t ≥ 2, t < n and (n + t)/2 ≤ q ≤ n")]
    Quorum {
        /// Trustees.
        n: usize,
        /// Threshold.
        t: u8,
        /// Quorum.
        q: u8,
    },
    /// Two trustees share a key, or a KEM key has another length.
    #[error("trustees[{0}]: its keys must be its own, and the KEM key 1216 bytes")]
    Trustee(usize),
    /// The board can't act.
    #[error("board: {0}")]
    Board(#[from] BoardError),
    /// A key has two roles.
    #[error("one key may have one role: board, registrar and trustee keys must all differ")]
    SharedKey,
    /// Closing not after opening.
    #[error("closes_at: must be later than opens_at")]
    Times,
    /// The revote cap is out of range.
    #[error("max_ballots: must be 1 to 32")]
    MaxBallots,
    /// The roll cap is out of range.
    #[error("max_voters: must be 1 to 10,000,000")]
    MaxVoters,
    /// Other generators than this software derives.
    #[error("generators: the digest is not that of the generators of this protocol version")]
    Generators,
}

pub(crate) fn has_duplicates<T: Ord>(items: &[T]) -> bool {
    let distinct: BTreeSet<&T> = items.iter().collect();
    distinct.len() != items.len()
}

/// The least quorum for n trustees of whom t open the tally: ⌈(n + t)/2⌉ (spec 3.5).
#[must_use]
pub fn least_quorum(trustees: usize, threshold: u8) -> usize {
    trustees.saturating_add(usize::from(threshold)).div_ceil(2)
}

/// Whether an election may have n trustees of whom t open the tally and q vouch (spec 3.5).
#[must_use]
pub fn quorum_holds(trustees: usize, threshold: u8, quorum: u8) -> bool {
    threshold >= 2
        && usize::from(threshold) < trustees
        && (least_quorum(trustees, threshold)..=trustees).contains(&usize::from(quorum))
}

impl Manifest {
    /// Checks every rule of spec 3.1.
    ///
    /// # Errors
    /// The first rule that the manifest breaks, naming field and limit.
    pub fn validate(&self) -> Result<(), ManifestError> {
        if self.version != crate::VERSION {
            return Err(ManifestError::Version(self.version));
        }
        self.validate_names()?;
        for (index, contest) in self.contests.iter().enumerate() {
            let Rule { max_each, min_sum, max_sum } = contest.rule;
            let capacity = (contest.len() as u64).saturating_mul(u64::from(max_each));
            let fixed_alone = min_sum == max_sum && contest.len() < 2;
            if max_each == 0
                || max_sum == 0
                || min_sum > max_sum
                || u64::from(max_sum) > capacity
                || fixed_alone
            {
                return Err(ManifestError::Rule { contest: index, max_each, min_sum, max_sum });
            }
        }
        self.validate_styles()?;
        self.validate_totals()?;
        let sums = if self.by_unit { self.columns().saturating_mul(self.units.len()) } else { 0 };
        if sums > MAX_SUMS as usize {
            return Err(ManifestError::Sums(sums));
        }
        self.validate_trustees()?;
        self.board.validate()?;
        let keys: Vec<PublicKey> = self
            .board
            .members
            .iter()
            .chain(self.registrars.iter())
            .chain(self.trustees.iter().map(|trustee| &trustee.signing))
            .copied()
            .collect();
        if has_duplicates(&keys) {
            return Err(ManifestError::SharedKey);
        }
        if self.closes_at <= self.opens_at {
            return Err(ManifestError::Times);
        }
        if self.max_ballots == 0 || self.max_ballots > MAX_BALLOTS_PER_CREDENTIAL {
            return Err(ManifestError::MaxBallots);
        }
        if self.generators != GENERATORS_DIGEST {
            return Err(ManifestError::Generators);
        }
        Ok(())
    }

    fn validate_names(&self) -> Result<(), ManifestError> {
        let lists = [
            ("contests", self.contests.is_empty()),
            ("styles", self.styles.is_empty()),
            ("units", self.units.is_empty()),
            ("weights", self.weights.is_empty()),
            ("registrars", self.registrars.is_empty()),
        ];
        if let Some((name, _)) = lists.iter().find(|(_, empty)| *empty) {
            return Err(ManifestError::Empty(name));
        }
        if self.contests.iter().any(Contest::is_empty) {
            return Err(ManifestError::Empty("contests[].options"));
        }
        let names = [("title", &self.title)]
            .into_iter()
            .chain(self.contests.iter().map(|contest| ("contests[].title", &contest.title)))
            .chain(
                self.contests
                    .iter()
                    .flat_map(|contest| contest.options.iter().map(|o| ("contests[].options", o))),
            )
            .chain(self.styles.iter().map(|style| ("styles[].name", &style.name)))
            .chain(self.units.iter().map(|unit| ("units", unit)))
            .chain(self.trustees.iter().map(|trustee| ("trustees[].name", &trustee.name)));
        for (field, name) in names {
            if core::str::from_utf8(name).is_err() {
                return Err(ManifestError::Text(field));
            }
        }
        Ok(())
    }

    fn validate_styles(&self) -> Result<(), ManifestError> {
        let columns = self.columns();
        if columns > MAX_COLUMNS as usize {
            return Err(ManifestError::Columns(columns));
        }
        for (index, style) in self.styles.iter().enumerate() {
            let ascending = style.contests.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            let known = style.contests.iter().all(|c| usize::from(*c) < self.contests.len());
            if style.contests.is_empty() || !ascending || !known {
                return Err(ManifestError::Style(index));
            }
            let bits = Layout::of(&self.style_contests(style)).shape.bits();
            if bits > MAX_RANGE_BITS as usize {
                return Err(ManifestError::TooLarge { style: index, bits });
            }
        }
        Ok(())
    }

    fn validate_totals(&self) -> Result<(), ManifestError> {
        let ascending = self.weights.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if !ascending || self.weights.first() == Some(&0) {
            return Err(ManifestError::Weights);
        }
        if self.max_voters == 0 || self.max_voters > MAX_ROLL {
            return Err(ManifestError::MaxVoters);
        }
        // A vote's sum bounds each of its values, so bounding the sum bounds every total.
        let value = self.contests.iter().map(|contest| contest.rule.max_sum).max().unwrap_or(0);
        let weight = self.weights.last().copied().unwrap_or(0);
        weight
            .checked_mul(u64::from(self.max_voters))
            .and_then(|total| total.checked_mul(u64::from(value)))
            .map(|_| ())
            .ok_or(ManifestError::Overflow)
    }

    fn validate_trustees(&self) -> Result<(), ManifestError> {
        let (n, t, q) = (self.trustees.len(), self.threshold, self.quorum);
        if !quorum_holds(n, t, q) {
            return Err(ManifestError::Quorum { n, t, q });
        }
        let all_needed = usize::from(q) == n;
        if self.rehearsal.is_some_and(|held| usize::from(held) > n || (held == 0) != all_needed) {
            return Err(ManifestError::Rehearsal);
        }
        let mut kems = BTreeSet::new();
        for (index, trustee) in self.trustees.iter().enumerate() {
            if trustee.kem.len() != KEM_PUBLIC_KEY_BYTES as usize || !kems.insert(&trustee.kem) {
                return Err(ManifestError::Trustee(index));
            }
        }
        Ok(())
    }

    /// Whether a trustee takes part in the tally: all do, but the one that a rehearsal holds back.
    #[must_use]
    pub fn takes_part(&self, trustee: u8) -> bool {
        self.rehearsal != Some(trustee)
    }

    /// The digest of what rehearses together (spec 3.8): the trustees' keys, in order, with t and q.
    #[must_use]
    pub fn team(&self) -> Digest {
        let keys: Vec<(&PublicKey, &[u8])> =
            self.trustees.iter().map(|trustee| (&trustee.signing, trustee.kem.as_slice())).collect();
        transcript::trustees(&(keys, self.threshold, self.quorum).encode())
    }

    /// The style of that index.
    #[must_use]
    pub fn style(&self, style: u16) -> Option<&Style> {
        self.styles.get(usize::from(style))
    }

    /// The contests of a style, in ballot order.
    #[must_use]
    pub fn style_contests(&self, style: &Style) -> Vec<&Contest> {
        style.contests.iter().filter_map(|index| self.contests.get(usize::from(*index))).collect()
    }

    /// The shapes of the range proofs of all styles.
    pub fn shapes(&self) -> impl Iterator<Item = Shape> + '_ {
        self.styles.iter().map(|style| Layout::of(&self.style_contests(style)).shape)
    }

    /// How many columns are summed: the committed options of all contests.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.contests.iter().map(Contest::committed).fold(0, usize::saturating_add)
    }

    /// The columns of one contest.
    #[must_use]
    pub fn contest_columns(&self, contest: usize) -> Range<usize> {
        let start = self.contests.iter().take(contest).map(Contest::committed).fold(0, usize::saturating_add);
        let len = self.contests.get(contest).map_or(0, Contest::committed);
        start..start.saturating_add(len)
    }

    /// In how many units ballots are counted before the cells are known (spec 7.1): one where totals are not per
    /// unit.
    #[must_use]
    pub fn counting_units(&self) -> usize {
        if self.by_unit {
            self.units.len()
        } else {
            1
        }
    }

    /// The place of a unit among those.
    #[must_use]
    pub fn counting_unit(&self, unit: u16) -> usize {
        if self.by_unit {
            usize::from(unit)
        } else {
            0
        }
    }

    /// The columns that a ballot of this style adds to, in the order of its commitments.
    #[must_use]
    pub fn style_columns(&self, style: &Style) -> Vec<usize> {
        style.contests.iter().flat_map(|contest| self.contest_columns(usize::from(*contest))).collect()
    }
}
