//! The clock (spec 6.6): opens and closes elections at the start of a block.
//!
//! At that point the chain's time is still that of the block before. A close seen here makes that
//! block the closing block: the last whose ballots count.

use frame_support::weights::Weight;
use psephos_protocol::{
    ids::{Anchor, Eid},
    state::Phase,
};

use crate::{pallet::*, WeightInfo};

impl<T: Config> Pallet<T> {
    pub(crate) fn tick() -> Weight {
        let active = Active::<T>::get();
        for eid in &active {
            // An election that is not there cannot be moved.
            let _ = Self::tick_election(eid);
        }
        <T as Config>::WeightInfo::tick(active.len() as u32)
    }

    fn tick_election(eid: &Eid) -> Option<()> {
        let state = Elections::<T>::get(eid)?;
        let time = pallet_timestamp::Pallet::<T>::get();
        let closed = match state.phase {
            Phase::Frozen if time >= state.opens_at => {
                Self::enter(eid, Phase::Open).ok()?;
                false
            }
            Phase::Open if time >= state.closes_at => {
                Self::enter(eid, Phase::Closed).ok()?;
                true
            }
            // The board closed early, in the block before.
            Phase::Closed => state.closing.is_none(),
            _ => false,
        };
        if closed {
            let parent: [u8; 32] = frame_system::Pallet::<T>::parent_hash().into();
            let closing = Anchor { number: Self::height().saturating_sub(1), hash: parent };
            Self::update(eid, |state| state.closing = Some(closing)).ok()?;
        }
        Some(())
    }
}
