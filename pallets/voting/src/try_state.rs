//! Invariants of the pallet's storage, checked by tests and by `try-runtime`.

use frame_support::ensure;
use psephos_protocol::{
    cells::{Cells, Groups},
    ids::Eid,
    state::{ElectionState, Phase, RecordedBallot},
};
use sp_runtime::TryRuntimeError;

use crate::{pallet::*, sums::Summing};

impl<T: Config> Pallet<T> {
    /// Checks every invariant.
    pub fn check_invariants() -> Result<(), TryRuntimeError> {
        for (eid, state) in Elections::<T>::iter() {
            ensure!(Manifests::<T>::contains_key(eid), "every election has a manifest");
            let finished = matches!(state.phase, Phase::Certified | Phase::Void);
            ensure!(Active::<T>::get().contains(&eid) != finished, "the clock looks at what is not finished");
            Self::check_roll(&eid, &state)?;
            Self::check_ballots(&eid, &state)?;
            Self::check_tally(&eid, &state)?;
        }
        for (team, eid) in Rehearsed::<T>::iter() {
            let manifest = Manifests::<T>::get(eid).ok_or("a rehearsal is an election")?;
            ensure!(manifest.rehearsal.is_some() && manifest.team() == team, "a team's rehearsal is its own");
            let certified = Elections::<T>::get(eid).is_some_and(|state| state.phase == Phase::Certified);
            ensure!(certified, "a rehearsal counts once it is certified");
        }
        let waiting = Waiting::<T>::get();
        ensure!(
            Proposals::<T>::iter_keys().count() == waiting.len(),
            "every proposal is in the waiting list"
        );
        Ok(())
    }

    fn check_roll(eid: &Eid, state: &ElectionState) -> Result<(), TryRuntimeError> {
        let entries = Entries::<T>::iter_prefix_values(eid).collect::<alloc::vec::Vec<_>>();
        ensure!(entries.len() == state.entries as usize, "entries are counted");
        let registered = entries.iter().filter(|entry| entry.credential.is_some()).count();
        ensure!(registered == state.voters as usize, "voters are counted");
        ensure!(Voters::<T>::iter_prefix_values(eid).count() == registered, "one voter per credential");
        let groups = RollGroups::<T>::get(eid);
        ensure!(groups.weights.iter().sum::<u32>() == state.voters, "every voter has a weight");
        ensure!(groups.styles.iter().sum::<u32>() == state.voters, "every voter has a style");
        let confirmed = Batches::<T>::iter_prefix_values(eid).filter(|batch| batch.first.is_some()).count();
        ensure!(confirmed == state.confirmed as usize, "confirmed batches are counted");
        let waiting = WaitingBatches::<T>::iter_key_prefix(eid).count();
        ensure!(waiting + confirmed == state.batches as usize, "a batch waits or is confirmed");
        Ok(())
    }

    fn check_ballots(eid: &Eid, state: &ElectionState) -> Result<(), TryRuntimeError> {
        ensure!(
            Ballots::<T>::iter_prefix_values(eid).count() == (state.counted + state.excluded) as usize,
            "ballots are counted once"
        );
        let accepted: u32 =
            Ballots::<T>::iter_prefix_values(eid).map(|ballot| u32::from(ballot.caster.ballots)).sum();
        ensure!(accepted == state.ballots, "accepted ballots are counted");
        for (credential, RecordedBallot { caster, .. }) in Ballots::<T>::iter_prefix(eid) {
            let voter = Voters::<T>::get(eid, credential).ok_or("a ballot is by a voter")?;
            let cast = u32::from(caster.ballots);
            ensure!((1..=caster.sequence).contains(&cast), "sequence numbers rise with the ballots");
            ensure!(
                voter.weight == caster.weight && voter.style == caster.style && voter.unit == caster.unit,
                "with the voter's weight, style and unit"
            );
        }
        Ok(())
    }

    fn check_cells(eid: &Eid, summing: &Summing, cells: &Cells) -> Result<(), TryRuntimeError> {
        let manifest = Manifests::<T>::get(eid).ok_or("every election has a manifest")?;
        let excluded = Self::declarations(eid).excluded(&manifest);
        let mut groups = Groups::per_unit(&manifest);
        for (credential, RecordedBallot { caster, .. }) in Ballots::<T>::iter_prefix(eid) {
            if excluded.binary_search(&credential).is_err() {
                let unit =
                    groups.get_mut(manifest.counting_unit(caster.unit)).ok_or("a unit is the manifest's")?;
                unit.add(&manifest, caster.weight, caster.style);
            }
        }
        ensure!(*cells == Cells::of(&manifest, &groups), "the cells are those of the counted ballots");
        ensure!(summing.sums.len() == cells.sums(&manifest), "a sum per cell and column");
        let turnouts = cells.len().saturating_mul(manifest.contests.len());
        ensure!(summing.turnout.0.len() == turnouts, "a turnout per cell and contest");
        Ok(())
    }

    fn check_tally(eid: &Eid, state: &ElectionState) -> Result<(), TryRuntimeError> {
        ensure!(!state.summed || state.closing.is_some(), "sums come after the close");
        let summing = Sums::<T>::get(eid);
        let summed = summing.as_ref().and_then(|summing| Some((summing, summing.cells.clone()?)));
        ensure!(state.summed == summed.is_some(), "the cells are known when all is summed");
        if let Some((summing, cells)) = summed {
            Self::check_cells(eid, summing, &cells)?;
        }
        ensure!(state.agreed.is_none() || state.summed && !state.withheld, "agreement comes after the sums");
        let contributed = Contributions::<T>::iter_key_prefix(eid).next().is_some();
        ensure!(!contributed || state.agreed.is_some(), "contributions come after agreement");
        let stands = matches!(state.phase, Phase::Tallied | Phase::Certified);
        ensure!(!stands || Results::<T>::contains_key(eid), "a tally has a result");
        Ok(())
    }
}
