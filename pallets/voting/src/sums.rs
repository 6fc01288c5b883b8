//! Summing the commitments after the close (spec 7.1), in bounded steps over several blocks.
//!
//! Which units make a cell is known only when all ballots are counted. So ballots are summed and counted per unit, and
//! the last step joins what the units have to what the cells have.

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::*, weights::Weight};
use psephos_protocol::{
    bounds::{MAX_SUMS, MAX_UNITS},
    cells::{together, Cells, Groups},
    group::Point,
    ids::Eid,
    manifest::Manifest,
    state::{Caster, Phase, RecordedBallot},
    tally::{places, Addition, CommitmentSums, Turnouts},
};
use scale_info::TypeInfo;

use crate::{pallet::*, WeightInfo};

/// Bytes of a storage key within one election's ballots, at most: where the next step goes on.
const MAX_KEY: u32 = 160;
/// Ballots in one step at most, however much weight a block has left.
pub(crate) const MAX_STEP: u64 = 1_000;

/// Columns of the wider of the two benchmarks of a step.
pub(crate) const WIDE: u32 = 127;

/// The sums so far.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Summing {
    /// The storage key of the last ballot that was added.
    pub cursor: Option<BoundedVec<u8, ConstU32<MAX_KEY>>>,
    /// The sums, one point per unit and column; per cell and column once the cells are known.
    pub sums: BoundedVec<SumPoint, ConstU32<MAX_SUMS>>,
    /// Ballots and weights per unit and contest; per cell and contest once the cells are known.
    pub turnout: Turnouts,
    /// Ballots per weight and style in each unit; none once the cells are known.
    pub groups: BoundedVec<Groups, ConstU32<MAX_UNITS>>,
    /// The cells, once all ballots are counted.
    pub cells: Option<Cells>,
}

/// A sum of commitments. It may be the identity (all zeros), as a commitment may not.
pub type SumPoint = Point;

impl<T: Config> Pallet<T> {
    /// Goes on with the first election that has something to sum.
    pub(crate) fn sum_some(remaining: Weight) -> Weight {
        let mut used = T::DbWeight::get().reads(1);
        for eid in Active::<T>::get() {
            used = used.saturating_add(T::DbWeight::get().reads(1));
            let due = Elections::<T>::get(eid).is_some_and(|state| {
                state.phase == Phase::Closed && state.closing.is_some() && !state.summed
            });
            if due {
                let step = Self::sum_step(&eid, remaining.saturating_sub(used)).unwrap_or_default();
                return used.saturating_add(step);
            }
        }
        used
    }

    /// Adds as many ballots as the weight allows.
    fn sum_step(eid: &Eid, remaining: Weight) -> Option<Weight> {
        let manifest = Manifests::<T>::get(eid)?;
        let base = Self::sum_weight(&manifest, 0);
        let each = Self::sum_weight(&manifest, 1).saturating_sub(base);
        let room = remaining.checked_sub(&base)?.checked_div_per_component(&each).unwrap_or(0).min(MAX_STEP);
        if room == 0 {
            return None;
        }
        let excluded = Self::declarations(eid).excluded(&manifest);
        let mut summing = Sums::<T>::get(eid).unwrap_or_else(|| Summing::start(&manifest));
        let mut additions = Vec::new();
        let mut iterator = match &summing.cursor {
            Some(key) => Ballots::<T>::iter_prefix_from(eid, key.to_vec()),
            None => Ballots::<T>::iter_prefix(eid),
        };
        let mut done = 0u64;
        let mut complete = false;
        while done < room {
            let Some((credential, ballot)) = iterator.next() else {
                complete = true;
                break;
            };
            if excluded.binary_search(&credential).is_err() {
                additions.push(summing.count(&manifest, ballot)?);
            }
            done = done.saturating_add(1);
        }
        summing.cursor = Some(BoundedVec::try_from(iterator.last_raw_key().to_vec()).ok()?);
        let sums = psephos_host::add(&summing.sums.encode(), &additions.encode())?;
        summing.sums = DecodeAll::decode_all(&mut sums.as_slice()).ok()?;
        if complete {
            let withheld = together(&manifest, &summing.groups).small(&manifest).is_some();
            summing.complete(&manifest)?;
            let mut ballots = 0;
            Self::update(eid, |state| {
                state.summed = true;
                state.withheld = withheld;
                ballots = state.counted;
            })
            .ok()?;
            Self::deposit_event(Event::Summed { eid: *eid, ballots, withheld });
        }
        Sums::<T>::insert(eid, summing);
        Some(Self::sum_weight(&manifest, done as u32))
    }

    /// What it costs to add that many ballots: measured at two and at [`WIDE`] columns in one unit, on a line through
    /// both for others. A step reads and writes the sums of all units, and a ballot adds to one unit's.
    pub(crate) fn sum_weight(manifest: &Manifest, ballots: u32) -> Weight {
        let on_the_line = |columns: usize, ballots: u32| {
            let narrow = <T as Config>::WeightInfo::sum_narrow(ballots);
            let slope = <T as Config>::WeightInfo::sum_wide(ballots).saturating_sub(narrow);
            let slope = slope.saturating_div(u64::from(WIDE));
            narrow.saturating_add(slope.saturating_mul(columns as u64))
        };
        let columns = manifest.columns();
        let added = on_the_line(columns, ballots).saturating_sub(on_the_line(columns, 0));
        let units = manifest.counting_units();
        // A sum has 32 bytes: as many as 8 of the counts that each unit has besides, a turnout being 3 of them.
        let counts = manifest.contests.len().saturating_mul(3);
        let counts = counts.saturating_add(manifest.weights.len()).saturating_add(manifest.styles.len());
        let sums = units.saturating_mul(columns.saturating_add(counts.div_ceil(8)));
        // The last step takes the sums apart a second time, to join units to cells.
        let times = if units > 1 { 2 } else { 1 };
        on_the_line(sums, 0).saturating_mul(times).saturating_add(added)
    }
}

impl Summing {
    fn start(manifest: &Manifest) -> Self {
        let units = manifest.counting_units();
        Self {
            cursor: None,
            sums: BoundedVec::truncate_from(CommitmentSums::new(manifest, units).encodings()),
            turnout: Turnouts::new(manifest, units),
            groups: BoundedVec::truncate_from(Groups::per_unit(manifest)),
            cells: None,
        }
    }

    /// Counts a ballot, and gives what it adds to the sums.
    fn count(&mut self, manifest: &Manifest, ballot: RecordedBallot) -> Option<Addition> {
        let RecordedBallot { caster: Caster { weight, style, unit, .. }, commitments, .. } = ballot;
        let unit = manifest.counting_unit(unit);
        let places = places(manifest, unit, style, commitments.len(), self.sums.len()).ok()?;
        self.turnout.add(manifest, unit, style, weight).ok()?;
        self.groups.get_mut(unit)?.add(manifest, weight, style);
        let places = places.into_iter().map(|place| place as u16).collect();
        Some(Addition { weight, places, commitments: commitments.into_inner() })
    }

    /// Finds the cells, and joins what the units have to what the cells have.
    fn complete(&mut self, manifest: &Manifest) -> Option<()> {
        let cells = Cells::of(manifest, &self.groups);
        if cells.len() < manifest.counting_units() {
            self.sums = Self::join(manifest, &cells, &self.sums)?;
            self.turnout = self.turnout.join(manifest, &cells);
        }
        self.groups = BoundedVec::default();
        self.cells = Some(cells);
        Some(())
    }

    /// The sums of the cells: each unit's sums are added like a ballot of weight 1. The host takes no identity
    /// as something to add.
    fn join(
        manifest: &Manifest,
        cells: &Cells,
        sums: &[SumPoint],
    ) -> Option<BoundedVec<SumPoint, ConstU32<MAX_SUMS>>> {
        let columns = manifest.columns();
        let units = sums.chunks(columns.max(1)).zip(0u16..);
        let addition = |(unit, index): (&[SumPoint], u16)| {
            let first = cells.cell_of(index)?.saturating_mul(columns);
            let some = (first..).zip(unit).filter(|(_, sum)| **sum != SumPoint::default());
            let (places, commitments) = some.map(|(place, sum)| (place as u16, *sum)).unzip();
            Some(Addition { weight: 1, places, commitments })
        };
        let additions: Vec<Addition> = units.map(addition).collect::<Option<_>>()?;
        let empty = CommitmentSums::new(manifest, cells.len()).encodings();
        let joined = psephos_host::add(&empty.encode(), &additions.encode())?;
        DecodeAll::decode_all(&mut joined.as_slice()).ok()
    }
}
