//! Groups and cells (spec 7.1): which ballots may be opened together, and over which units.
//!
//! A cell is a run of consecutive reporting units that keeps the privacy minimum. Ballots are counted per unit first, because
//! the cells are known only when all are: what each unit has is then joined ([`Cells::join`]). Where totals are not per
//! unit, all ballots are counted as if in one.

use alloc::{vec, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, mem, ops::Range};
use scale_info::TypeInfo;

use crate::{
    bounds::{MAX_STYLES, MAX_UNITS, MAX_WEIGHTS},
    manifest::Manifest,
};

/// How many voters, or ballots, there are of each weight and each style, in the manifest's order.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Groups {
    /// Of each weight.
    pub weights: BoundedVec<u32, ConstU32<MAX_WEIGHTS>>,
    /// Of each style.
    pub styles: BoundedVec<u32, ConstU32<MAX_STYLES>>,
}

/// A group that has somebody, but fewer than the privacy minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallGroup {
    /// So many of that weight.
    Weight(u32, u64),
    /// So many of that style.
    Style(u32, u16),
}

impl fmt::Display for SmallGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(count, weight) => write!(f, "{count} voters of weight {weight}"),
            Self::Style(count, style) => write!(f, "{count} voters of style {style}"),
        }
    }
}

impl Groups {
    /// Empty groups for a manifest's weights and styles.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        Self {
            weights: BoundedVec::truncate_from(vec![0; manifest.weights.len()]),
            styles: BoundedVec::truncate_from(vec![0; manifest.styles.len()]),
        }
    }

    /// Empty groups for each unit in which ballots are counted.
    #[must_use]
    pub fn per_unit(manifest: &Manifest) -> Vec<Self> {
        vec![Self::new(manifest); manifest.counting_units()]
    }

    fn change(&mut self, manifest: &Manifest, weight: u64, style: u16, change: fn(u32) -> u32) {
        let weight = manifest.weights.iter().position(|other| *other == weight);
        if let Some(count) = weight.and_then(|index| self.weights.get_mut(index)) {
            *count = change(*count);
        }
        if let Some(count) = self.styles.get_mut(usize::from(style)) {
            *count = change(*count);
        }
    }

    /// Counts one in.
    pub fn add(&mut self, manifest: &Manifest, weight: u64, style: u16) {
        self.change(manifest, weight, style, |count| count.saturating_add(1));
    }

    /// Counts one out.
    pub fn remove(&mut self, manifest: &Manifest, weight: u64, style: u16) {
        self.change(manifest, weight, style, |count| count.saturating_sub(1));
    }

    /// Counts all in that others have, who have the same weights and styles.
    pub fn join(&mut self, other: &Self) {
        let weights = self.weights.iter_mut().zip(&other.weights);
        weights.chain(self.styles.iter_mut().zip(&other.styles)).for_each(|(count, more)| {
            *count = count.saturating_add(*more);
        });
    }

    /// Whether nobody is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.iter().all(|count| *count == 0)
    }

    /// The first group that opening the totals would show, because it is below the manifest's minimum.
    #[must_use]
    pub fn small(&self, manifest: &Manifest) -> Option<SmallGroup> {
        if manifest.small_groups_public {
            return None;
        }
        let small = |count: u32| count > 0 && count < manifest.privacy_minimum;
        let mut weights = self.weights.iter().zip(&manifest.weights);
        let mut styles = self.styles.iter().zip(0u16..);
        let weight = weights.find(|(count, _)| small(**count));
        weight.map(|(count, weight)| SmallGroup::Weight(*count, *weight)).or_else(|| {
            styles.find(|(count, _)| small(**count)).map(|(count, of)| SmallGroup::Style(*count, of))
        })
    }

    /// Whether a cell may have these ballots: some, and no group below the minimum.
    fn is_complete(&self, manifest: &Manifest) -> bool {
        !self.is_empty() && self.small(manifest).is_none()
    }
}

/// The groups of all units together.
#[must_use]
pub fn together(manifest: &Manifest, units: &[Groups]) -> Groups {
    units.iter().fold(Groups::new(manifest), |mut all, unit| {
        all.join(unit);
        all
    })
}

/// The cells: a partition of the reporting units into runs. At least one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Cells(BoundedVec<u16, ConstU32<MAX_UNITS>>);

impl Cells {
    /// One cell of all units.
    #[must_use]
    pub fn all(manifest: &Manifest) -> Self {
        Self::ending(vec![units_of(manifest)])
    }

    /// Cells that end before these units.
    fn ending(ends: Vec<u16>) -> Self {
        Self(BoundedVec::truncate_from(ends))
    }

    /// The cells of these counted ballots, given by unit as [`Groups::per_unit`]. Each keeps the privacy
    /// minimum, or there is one cell alone, which may be withheld.
    #[must_use]
    pub fn of(manifest: &Manifest, units: &[Groups]) -> Self {
        if !manifest.by_unit {
            return Self::all(manifest);
        }
        let mut runs: Vec<(u16, Groups)> = Vec::new();
        let mut run = Groups::new(manifest);
        for (end, unit) in (1u16..).zip(units) {
            run.join(unit);
            if run.is_complete(manifest) {
                runs.push((end, mem::replace(&mut run, Groups::new(manifest))));
            }
        }
        // The last run need not be enough for what is left over: it may have none of a style that is few there.
        let last = units_of(manifest);
        if runs.last().is_none_or(|(end, _)| *end != last) {
            while let Some((_, before)) = runs.pop() {
                run.join(&before);
                if run.is_complete(manifest) {
                    break;
                }
            }
            runs.push((last, run));
        }
        Self::ending(runs.into_iter().map(|(end, _)| end).collect())
    }

    /// How many cells there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // There is always one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether these are cells of this manifest: runs of units, none empty, up to the last.
    #[must_use]
    pub fn fit(&self, manifest: &Manifest) -> bool {
        self.units().all(|units| !units.is_empty()) && self.0.last() == Some(&units_of(manifest))
    }

    /// How many columns are summed in all cells together.
    #[must_use]
    pub fn sums(&self, manifest: &Manifest) -> usize {
        self.len().saturating_mul(manifest.columns())
    }

    /// The cell that a unit is in, from 0.
    #[must_use]
    pub fn cell_of(&self, unit: u16) -> Option<usize> {
        let cell = self.0.partition_point(|end| *end <= unit);
        (cell < self.0.len()).then_some(cell)
    }

    /// The units of each cell, which are consecutive.
    pub fn units(&self) -> impl Iterator<Item = Range<u16>> + '_ {
        let starts = core::iter::once(0).chain(self.0.iter().copied());
        starts.zip(&self.0).map(|(start, end)| start..*end)
    }

    /// Joins what each unit has, `width` items of it one unit after the other, to what each cell has.
    pub fn join<T: Clone>(&self, width: usize, of_units: &[T], add: impl Fn(&mut T, &T)) -> Vec<T> {
        let mut joined: Vec<T> = Vec::new();
        let mut chunks = of_units.chunks(width.max(1));
        for units in self.units() {
            let first = joined.len();
            for chunk in chunks.by_ref().take(units.len()) {
                match joined.get_mut(first..) {
                    Some(cell @ [_, ..]) => cell.iter_mut().zip(chunk).for_each(|(sum, more)| add(sum, more)),
                    _ => joined.extend_from_slice(chunk),
                }
            }
        }
        joined
    }
}

fn units_of(manifest: &Manifest) -> u16 {
    // A manifest has at most 256.
    manifest.units.len().try_into().unwrap_or(u16::MAX)
}
