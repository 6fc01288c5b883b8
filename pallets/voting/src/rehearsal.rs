//! Rehearsals (spec 3.8): where the chain asks for them, trustees show first that they can tally.

use psephos_protocol::{
    ids::{Digest, Eid},
    manifest::Manifest,
    refusal::Refusal,
};

use crate::pallet::*;

impl<T: Config> Pallet<T> {
    /// Whether the roll of an election may be frozen: it is a rehearsal, its trustees have done one, or none is asked
    /// for.
    pub(crate) fn check_rehearsed(manifest: &Manifest) -> Result<(), Refusal> {
        let may = manifest.rehearsal.is_some()
            || !RequireRehearsal::<T>::get()
            || Rehearsed::<T>::contains_key(manifest.team());
        may.then_some(()).ok_or(Refusal::NotRehearsed)
    }

    /// Notes a rehearsal that the board has certified. One without ballots has shown nothing.
    pub(crate) fn note_rehearsal(eid: &Eid) -> Result<(), Refusal> {
        let (election, state) = Self::election(eid)?;
        if election.manifest.rehearsal.is_some() && state.counted > 0 {
            Rehearsed::<T>::insert(election.manifest.team(), eid);
        }
        Ok(())
    }

    /// Whether rehearsals are asked for, and the last one of a team.
    pub fn view_rehearsed(team: Digest) -> (bool, Option<Eid>) {
        (RequireRehearsal::<T>::get(), Rehearsed::<T>::get(team))
    }
}
