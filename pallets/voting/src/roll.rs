//! The electoral roll (spec 4): batches, confirmation, registration, and the log of it all.

use alloc::collections::BTreeSet;
use frame_support::pallet_prelude::*;
use psephos_protocol::{
    election::Election,
    ids::{Digest, Eid},
    keys::PublicKey,
    refusal::Refusal,
    roll::{Access, Registration, RollBatch, RollEntry, RollEvent},
    state::{Batch, ElectionState, EntryState, Phase, RegisteredVoter},
};
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{host_verify, pallet::*, priority, ACT_LONGEVITY};

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_add_batch(
        _: TransactionSource,
        batch: &RollBatch,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_batch(batch),
            priority::ACTS,
            ACT_LONGEVITY,
            [("batch", batch.eid, batch.batch)],
        )
    }

    fn check_batch(batch: &RollBatch) -> Result<(), Refusal> {
        let (election, state) = Self::election(&batch.eid)?;
        if !matches!(state.phase, Phase::Setup | Phase::Registration) {
            return Err(Refusal::WrongPhase);
        }
        if batch.batch != state.batches {
            return Err(Refusal::WrongNumber);
        }
        if state.batches.saturating_sub(state.confirmed) >= MAX_WAITING_BATCHES {
            return Err(Refusal::TooManyBatches);
        }
        if !batch.verify(host_verify, &election) {
            return Err(Refusal::NotRegistrar);
        }
        Self::check_entries(&election, &state, &batch.entries)
    }

    /// Checks entries against the manifest, the roll and each other.
    fn check_entries(
        election: &Election,
        state: &ElectionState,
        entries: &[RollEntry],
    ) -> Result<(), Refusal> {
        if entries.is_empty() || entries.iter().any(|entry| entry.check(election).is_err()) {
            return Err(Refusal::InvalidEntry);
        }
        let total = u64::from(state.entries).saturating_add(entries.len() as u64);
        if total > u64::from(election.manifest.max_voters) {
            return Err(Refusal::RollFull);
        }
        let eid = &election.eid;
        let mut seen = BTreeSet::new();
        for entry in entries {
            let fresh = match &entry.access {
                Access::Invitation(keys) => {
                    keys.iter().all(|key| seen.insert(*key) && !Invitations::<T>::contains_key(eid, key))
                }
                Access::Credential(key) => seen.insert(*key) && !Voters::<T>::contains_key(eid, key),
            };
            if !fresh {
                return Err(Refusal::DuplicateCredential);
            }
        }
        Ok(())
    }

    pub(crate) fn do_add_batch(batch: RollBatch) -> Result<(), Refusal> {
        let (eid, number, digest, count) =
            (batch.eid, batch.batch, batch.digest(), batch.entries.len() as u32);
        Self::update(&eid, |state| state.batches = number.saturating_add(1))?;
        Batches::<T>::insert(eid, number, Batch { digest, count, registrar: batch.registrar, first: None });
        WaitingBatches::<T>::insert(eid, number, batch);
        Self::deposit_event(Event::BatchAdded { eid, batch: number, digest, count });
        Ok(())
    }

    pub(crate) fn check_confirm(
        election: &Election,
        state: &ElectionState,
        batch: u32,
        digest: &Digest,
    ) -> Result<(), Refusal> {
        let known = Batches::<T>::get(election.eid, batch).ok_or(Refusal::UnknownBatch)?;
        if known.first.is_some() {
            return Err(Refusal::AlreadyConfirmed);
        }
        if known.digest != *digest {
            return Err(Refusal::UnknownBatch);
        }
        // Another batch may have been confirmed since this one was proposed.
        let waiting = WaitingBatches::<T>::get(election.eid, batch).ok_or(Refusal::UnknownBatch)?;
        Self::check_entries(election, state, &waiting.entries)
    }

    /// How many entries a batch has; none if it is unknown.
    pub(crate) fn batch_count(eid: &Eid, batch: u32) -> u32 {
        Batches::<T>::get(eid, batch).map_or(0, |batch| batch.count)
    }

    /// Puts a confirmed batch's entries on the roll.
    pub(crate) fn confirm_batch(eid: &Eid, number: u32) -> Result<(), Refusal> {
        let (election, state) = Self::election(eid)?;
        let RollBatch { entries, .. } = WaitingBatches::<T>::get(eid, number).ok_or(Refusal::UnknownBatch)?;
        let (first, count) = (state.entries, entries.len() as u32);
        let mut groups = RollGroups::<T>::get(eid);
        let mut voters = 0u32;
        for (index, entry) in (first..).zip(entries) {
            let credential = match &entry.access {
                Access::Invitation(keys) => {
                    keys.iter().for_each(|key| Invitations::<T>::insert(eid, key, index));
                    None
                }
                Access::Credential(key) => {
                    Self::add_voter(eid, index, &entry, *key);
                    groups.add(&election.manifest, entry.weight, entry.style);
                    voters = voters.saturating_add(1);
                    Some(*key)
                }
            };
            Entries::<T>::insert(eid, index, EntryState { entry, batch: number, credential, round: 0 });
        }
        RollGroups::<T>::insert(eid, groups);
        WaitingBatches::<T>::remove(eid, number);
        let mut digest = Digest::default();
        Batches::<T>::mutate(eid, number, |batch| {
            if let Some(batch) = batch {
                batch.first = Some(first);
                digest = batch.digest;
            }
        });
        Self::update(eid, |state| {
            state.entries = first.saturating_add(count);
            state.confirmed = state.confirmed.saturating_add(1);
            state.voters = state.voters.saturating_add(voters);
        })?;
        Self::log_roll(eid, &RollEvent::Confirmed { batch: number, digest, first, count })?;
        Self::deposit_event(Event::BatchConfirmed { eid: *eid, batch: number, first, count });
        Ok(())
    }

    fn add_voter(eid: &Eid, entry: u32, of: &RollEntry, credential: PublicKey) {
        let RollEntry { weight, style, unit, .. } = *of;
        Voters::<T>::insert(eid, credential, RegisteredVoter { entry, weight, style, unit });
    }

    /// Appends to the roll log.
    pub(crate) fn log_roll(eid: &Eid, event: &RollEvent) -> Result<(), Refusal> {
        Self::update(eid, |state| state.roll = event.append_to(&state.roll))
    }

    pub(crate) fn authorize_register(
        _: TransactionSource,
        registration: &Registration,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_registration(registration).map(|_| ()),
            priority::VOTERS,
            ACT_LONGEVITY,
            [("register", registration.eid, registration.entry)],
        )
    }

    fn check_registration(registration: &Registration) -> Result<(Election, EntryState), Refusal> {
        let (election, state) = Self::election(&registration.eid)?;
        if state.phase != Phase::Registration {
            return Err(Refusal::WrongPhase);
        }
        let entry = Entries::<T>::get(registration.eid, registration.entry).ok_or(Refusal::UnknownEntry)?;
        if entry.credential.is_some() {
            return Err(Refusal::AlreadyRegistered);
        }
        let Access::Invitation(keys) = &entry.entry.access else { return Err(Refusal::AlreadyRegistered) };
        if Voters::<T>::contains_key(registration.eid, registration.credential) {
            return Err(Refusal::DuplicateCredential);
        }
        if !registration.verify(host_verify, &election, keys) {
            return Err(Refusal::NotInvited);
        }
        Ok((election, entry))
    }

    pub(crate) fn do_register(registration: Registration) -> Result<(), Refusal> {
        let (election, mut entry) = Self::check_registration(&registration)?;
        let Registration { eid, entry: index, credential, .. } = registration;
        Self::add_voter(&eid, index, &entry.entry, credential);
        RollGroups::<T>::mutate(eid, |groups| {
            groups.add(&election.manifest, entry.entry.weight, entry.entry.style);
        });
        entry.credential = Some(credential);
        Entries::<T>::insert(eid, index, entry);
        Self::update(&eid, |state| state.voters = state.voters.saturating_add(1))?;
        Self::log_roll(&eid, &RollEvent::Registered { entry: index, credential })?;
        Self::deposit_event(Event::Registered { eid, entry: index, credential });
        Ok(())
    }

    /// Takes an entry's credential and invitations off the roll, for a re-invitation.
    pub(crate) fn withdraw_access(eid: &Eid, entry: &EntryState) {
        if let Access::Invitation(keys) = &entry.entry.access {
            keys.iter().for_each(|key| Invitations::<T>::remove(eid, key));
        }
        let (Some(credential), Some(manifest)) = (entry.credential, Manifests::<T>::get(eid)) else { return };
        Voters::<T>::remove(eid, credential);
        RollGroups::<T>::mutate(eid, |groups| {
            groups.remove(&manifest, entry.entry.weight, entry.entry.style)
        });
        // The election is there: its manifest was.
        let _ = Self::update(eid, |state| state.voters = state.voters.saturating_sub(1));
    }

    pub(crate) fn check_freeze(
        election: &Election,
        state: &ElectionState,
        roll: &Digest,
    ) -> Result<(), Refusal> {
        if state.roll != *roll {
            return Err(Refusal::RollChanged);
        }
        let groups = RollGroups::<T>::get(election.eid);
        if Self::now() >= state.closes_at {
            return Err(Refusal::WrongTime);
        }
        if state.voters == 0 || groups.small(&election.manifest).is_some() {
            return Err(Refusal::SmallGroup);
        }
        Self::check_rehearsed(&election.manifest)
    }
}
