//! The clock (spec 6.6): opens and closes elections at the start of a block.
//!
//! At that point the chain's time is still that of the block before. A close seen here makes that
//! block the closing block: the last whose ballots count. Within a block its own time is known, so that
//! acts which the clock ends are checked against what it will see next.

use frame_support::{traits::Get, weights::Weight};
use psephos_protocol::{
    bounds::MAX_TRUSTEES,
    ids::{Anchor, Eid},
    state::{ElectionState, Phase},
};

use crate::{pallet::*, WeightInfo};

impl<T: Config> Pallet<T> {
    pub(crate) fn tick() -> Weight {
        let active = Active::<T>::get();
        // An election that is not there cannot be moved.
        let settled = active.iter().filter(|eid| Self::tick_election(eid) == Some(true)).count();
        let reads = (settled as u64).saturating_mul(u64::from(MAX_TRUSTEES).saturating_add(2));
        <T as Config>::WeightInfo::tick(active.len() as u32).saturating_add(T::DbWeight::get().reads(reads))
    }

    /// The chain's time in ms: within a block its own, at its start that of the block before.
    pub(crate) fn now() -> u64 {
        pallet_timestamp::Pallet::<T>::get()
    }

    /// The phase that the clock makes of an election's at the chain's time.
    pub(crate) fn due_phase(state: &ElectionState) -> Phase {
        match state.phase {
            Phase::Frozen if Self::now() >= state.opens_at => Phase::Open,
            Phase::Open if Self::now() >= state.closes_at => Phase::Closed,
            phase => phase,
        }
    }

    /// Gives whether agreements were looked at.
    fn tick_election(eid: &Eid) -> Option<bool> {
        let state = Elections::<T>::get(eid)?;
        let phase = Self::due_phase(&state);
        if phase != state.phase {
            Self::enter(eid, phase).ok()?;
        }
        // Closed just now, or by the board in the block before.
        if phase == Phase::Closed && state.closing.is_none() {
            let parent: [u8; 32] = frame_system::Pallet::<T>::parent_hash().into();
            let closing = Anchor { number: Self::height().saturating_sub(1), hash: parent };
            Self::update(eid, |state| state.closing = Some(closing)).ok()?;
        }
        // A lowered quorum is reached by waiting.
        let settles =
            phase == Phase::Closed && state.lowered.is_some_and(|lowered| Self::height() >= lowered.from);
        if settles {
            Self::settle_agreement(eid, &Manifests::<T>::get(eid)?).ok()?;
        }
        Some(settles)
    }
}
