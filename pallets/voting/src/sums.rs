//! Summing the commitments after the close (spec 7.1), in bounded steps over several blocks.

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::*, weights::Weight};
use psephos_protocol::{
    bounds::MAX_COLUMNS,
    group::Point,
    ids::Eid,
    manifest::Manifest,
    state::{Phase, RecordedBallot},
    tally::{Addition, CommitmentSums, Turnout, Turnouts},
};
use scale_info::TypeInfo;

use crate::{pallet::*, roll::Groups, WeightInfo};

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
    /// The sums, one point per column; empty before the first step.
    pub sums: BoundedVec<SumPoint, ConstU32<MAX_COLUMNS>>,
    /// Ballots and weights per contest.
    pub turnout: Turnouts,
    /// Ballots per weight and style.
    pub groups: Groups,
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
        let columns = manifest.columns() as u32;
        let base = Self::sum_weight(columns, 0);
        let each = Self::sum_weight(columns, 1).saturating_sub(base);
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
            let withheld = summing.groups.too_small(&manifest);
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
        Some(Self::sum_weight(columns, done as u32))
    }

    /// What it costs to add that many ballots: measured at two and at [`WIDE`] columns, on a line through both
    /// for others.
    pub(crate) fn sum_weight(columns: u32, ballots: u32) -> Weight {
        let narrow = <T as Config>::WeightInfo::sum_narrow(ballots);
        let slope = <T as Config>::WeightInfo::sum_wide(ballots).saturating_sub(narrow);
        let slope = slope.saturating_div(u64::from(WIDE));
        narrow.saturating_add(slope.saturating_mul(u64::from(columns)))
    }
}

impl Summing {
    fn start(manifest: &Manifest) -> Self {
        Self {
            cursor: None,
            sums: BoundedVec::truncate_from(CommitmentSums::new(manifest).encodings()),
            turnout: BoundedVec::truncate_from(alloc::vec![Turnout::default(); manifest.contests.len()]),
            groups: Groups::of(manifest),
        }
    }

    /// Counts a ballot, and gives what it adds to the sums.
    fn count(&mut self, manifest: &Manifest, ballot: RecordedBallot) -> Option<Addition> {
        let style = manifest.style(ballot.style)?;
        for contest in &style.contests {
            let turnout = self.turnout.get_mut(usize::from(*contest))?;
            turnout.ballots = turnout.ballots.saturating_add(1);
            turnout.weight = turnout.weight.checked_add(ballot.weight)?;
        }
        self.groups.add(manifest, ballot.weight, ballot.style);
        let columns = manifest.style_columns(style).into_iter().map(|column| column as u16).collect();
        Some(Addition { weight: ballot.weight, columns, commitments: ballot.commitments.into_inner() })
    }
}
