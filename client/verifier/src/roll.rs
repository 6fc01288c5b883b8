//! Check 6: the electoral roll.

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use psephos_protocol::{
    bounds::show,
    election::Election,
    ids::Digest,
    keys::{verify_signature, PublicKey},
    roll::{Access, Entries, InvitationKeys, Registration, RollBatch, RollEntry, RollEvent},
};

use crate::report::{Party, UnitCount};

/// What a voter may do, by the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) entry: u32,
    pub(crate) weight: u64,
    pub(crate) style: u16,
    pub(crate) unit: u16,
}

/// A voter on the roll: 48 bytes.
struct Entry {
    weight: u64,
    /// The registered credential, or the one on the roll itself.
    credential: Option<PublicKey>,
    style: u16,
    unit: u16,
    /// How often it was re-invited.
    round: u8,
}

impl Entry {
    fn rights(&self, entry: u32) -> Rights {
        let Self { weight, style, unit, .. } = *self;
        Rights { entry, weight, style, unit }
    }
}

/// A batch that a registrar proposed.
struct Batch {
    digest: Digest,
    /// Its entries, until the board confirms it.
    waiting: Option<Entries>,
}

/// The roll so far. Entries are numbered in the order in which their batches were confirmed.
#[derive(Default)]
pub(crate) struct Roll {
    batches: Vec<Batch>,
    entries: Vec<Entry>,
    /// The entry of each credential, while the roll changes.
    voters: HashMap<PublicKey, u32>,
    /// The invitation keys of each entry that has some, while the roll changes.
    invited: HashMap<u32, InvitationKeys>,
    /// All of these.
    invitations: HashSet<PublicKey>,
    /// Since the freeze: the entries with a credential, in the order of their credentials.
    frozen: Option<Vec<u32>>,
    /// The head of the roll log.
    log: Digest,
}

/// Why an act is not allowed, and who answers for it.
pub(crate) type Wrong = (Party, String);

fn wrong<T>(party: Party, reason: impl Into<String>) -> Result<T, Wrong> {
    Err((party, reason.into()))
}

impl Roll {
    /// A registrar proposes a batch.
    pub(crate) fn add(&mut self, election: &Election, batch: RollBatch) -> Result<(), Wrong> {
        let (number, registrar) = (batch.batch, Party::Registrar(batch.registrar));
        if !batch.verify(verify_signature, election) {
            return wrong(
                Party::Validators,
                format!("batch {number} is not signed by registrar {}", batch.registrar),
            );
        }
        if number as usize != self.batches.len() {
            return wrong(
                registrar,
                format!("batch {number} comes where number {} should", self.batches.len()),
            );
        }
        if batch.entries.is_empty() {
            return wrong(registrar, format!("batch {number} is empty"));
        }
        for (place, entry) in batch.entries.iter().enumerate() {
            if let Err(error) = entry.check(election) {
                return wrong(registrar, format!("entry {place} of batch {number}: {error}"));
            }
        }
        if self.is_full(election, batch.entries.len()) {
            return wrong(registrar, format!("batch {number} takes the roll beyond max_voters"));
        }
        if let Some(place) = self.duplicate(&batch.entries) {
            return wrong(
                registrar,
                format!("entry {place} of batch {number}: its credential or invitation key is there already"),
            );
        }
        self.batches.push(Batch { digest: batch.digest(), waiting: Some(batch.entries) });
        Ok(())
    }

    fn is_full(&self, election: &Election, more: usize) -> bool {
        self.entries.len().saturating_add(more) > election.manifest.max_voters as usize
    }

    /// The first entry with a key that is on the roll already or twice among these.
    fn duplicate(&self, entries: &[RollEntry]) -> Option<usize> {
        let mut seen = HashSet::new();
        entries.iter().position(|entry| match &entry.access {
            Access::Invitation(keys) => {
                !keys.iter().all(|key| seen.insert(*key) && !self.invitations.contains(key))
            }
            Access::Credential(key) => !seen.insert(*key) || self.rights(key).is_some(),
        })
    }

    /// Whether the board may confirm a batch.
    pub(crate) fn may_confirm(
        &self,
        election: &Election,
        number: u32,
        digest: &Digest,
    ) -> Result<(), String> {
        let Some(batch) = self.batches.get(number as usize).filter(|batch| batch.digest == *digest) else {
            return Err(format!("there is no batch {number} with these entries"));
        };
        match &batch.waiting {
            None => Err(format!("batch {number} was confirmed before")),
            Some(entries) if self.is_full(election, entries.len()) => {
                Err(format!("batch {number} takes the roll beyond max_voters"))
            }
            // Another batch may have been confirmed since this one was proposed.
            Some(entries) => match self.duplicate(entries) {
                Some(place) => Err(format!("a key of entry {place} of batch {number} is on the roll by now")),
                None => Ok(()),
            },
        }
    }

    /// Puts the entries of a batch on the roll, which may be confirmed.
    pub(crate) fn confirm(&mut self, number: u32) {
        let Some(batch) = self.batches.get_mut(number as usize) else { return };
        let Some(entries) = batch.waiting.take() else { return };
        let (digest, first, count) = (batch.digest, self.entries.len() as u32, entries.len() as u32);
        for (index, entry) in (first..).zip(entries) {
            self.put(index, entry);
        }
        self.append(&RollEvent::Confirmed { batch: number, digest, first, count });
    }

    fn put(&mut self, index: u32, entry: RollEntry) {
        let RollEntry { access, weight, style, unit, .. } = entry;
        let credential = match access {
            Access::Invitation(keys) => {
                self.invite(index, keys);
                None
            }
            Access::Credential(key) => {
                self.voters.insert(key, index);
                Some(key)
            }
        };
        self.entries.push(Entry { weight, credential, style, unit, round: 0 });
    }

    /// Gives an entry invitation keys in place of those that it may have.
    fn invite(&mut self, index: u32, keys: InvitationKeys) {
        for key in self.invited.remove(&index).into_iter().flatten() {
            self.invitations.remove(&key);
        }
        self.invitations.extend(keys.iter().copied());
        self.invited.insert(index, keys);
    }

    fn append(&mut self, event: &RollEvent) {
        self.log = event.append_to(&self.log);
    }

    /// A voter claims an entry for a credential.
    pub(crate) fn register(&mut self, election: &Election, claim: &Registration) -> Result<(), Wrong> {
        let (index, credential) = (claim.entry, claim.credential);
        let Some(entry) = self.entries.get_mut(index as usize) else {
            return wrong(Party::Validators, format!("the roll has no confirmed entry {index}"));
        };
        let (None, Some(keys)) = (entry.credential, self.invited.get(&index)) else {
            return wrong(Party::Validators, format!("entry {index} has a credential already"));
        };
        if self.voters.contains_key(&credential) {
            return wrong(Party::Validators, format!("credential {credential} is on the roll already"));
        }
        if !claim.verify(verify_signature, election, keys) {
            let reason =
                format!("not signed by the invitation keys of entry {index} and by its own credential");
            return wrong(Party::Validators, reason);
        }
        entry.credential = Some(credential);
        self.voters.insert(credential, index);
        self.append(&RollEvent::Registered { entry: index, credential });
        Ok(())
    }

    /// Whether the board may give an entry new invitation keys.
    pub(crate) fn may_reinvite(&self, index: u32, round: u8, keys: &InvitationKeys) -> Result<(), String> {
        let Some(entry) = self.entries.get(index as usize) else {
            return Err(format!("the roll has no confirmed entry {index}"));
        };
        if entry.round != round {
            return Err(format!("entry {index} was re-invited {} times, not {round}", entry.round));
        }
        if round == u8::MAX {
            return Err(format!("entry {index} was re-invited {round} times, which is the most"));
        }
        // None, or one twice.
        if keys.first() == keys.get(1) {
            return Err(format!("the re-invitation of entry {index} needs one key, or two different ones"));
        }
        if keys.iter().any(|key| self.invitations.contains(key)) {
            return Err(format!("a new invitation key of entry {index} is on the roll already"));
        }
        Ok(())
    }

    /// Gives an entry that may be re-invited new invitation keys, and takes its credential away.
    pub(crate) fn reinvite(&mut self, index: u32, keys: InvitationKeys) {
        let Some(entry) = self.entries.get_mut(index as usize) else { return };
        if let Some(credential) = entry.credential.take() {
            self.voters.remove(&credential);
        }
        entry.round = entry.round.saturating_add(1);
        self.invite(index, keys.clone());
        self.append(&RollEvent::Reinvited { entry: index, keys });
    }

    /// The roll does not change any more: what is left in memory is 52 bytes an entry.
    pub(crate) fn freeze(&mut self) {
        let mut entries: Vec<u32> = mem::take(&mut self.voters).into_values().collect();
        entries.sort_unstable_by_key(|entry| self.credential(*entry));
        self.frozen = Some(entries);
        self.invited = HashMap::new();
        self.invitations = HashSet::new();
    }

    /// The entries with a credential, in the order of their credentials, once the roll is frozen.
    pub(crate) fn frozen(&self) -> &[u32] {
        self.frozen.as_deref().unwrap_or_default()
    }

    /// What the holder of a credential may do.
    pub(crate) fn rights(&self, credential: &PublicKey) -> Option<Rights> {
        let entry = match &self.frozen {
            None => *self.voters.get(credential)?,
            Some(entries) => {
                let place = entries.binary_search_by_key(&Some(*credential), |entry| self.credential(*entry));
                *entries.get(place.ok()?)?
            }
        };
        self.entries.get(entry as usize).map(|voter| voter.rights(entry))
    }

    /// The credential of an entry, if it has one.
    pub(crate) fn credential(&self, entry: u32) -> Option<PublicKey> {
        self.entries.get(entry as usize).and_then(|entry| entry.credential)
    }

    /// The rights of everybody with a credential.
    pub(crate) fn voters(&self) -> impl Iterator<Item = Rights> + '_ {
        let entries = (0u32..).zip(&self.entries).filter(|(_, entry)| entry.credential.is_some());
        entries.map(|(index, entry)| entry.rights(index))
    }

    /// The head of the roll log.
    pub(crate) fn log(&self) -> Digest {
        self.log
    }

    /// What the roll holds, in words.
    pub(crate) fn summary(&self) -> String {
        let confirmed = self.batches.iter().filter(|batch| batch.waiting.is_none()).count();
        format!(
            "{confirmed} of {} batches confirmed, {} entries, {} with a credential",
            self.batches.len(),
            self.entries.len(),
            self.voters().count()
        )
    }

    /// Entries and credentials per unit; nobody has voted yet.
    pub(crate) fn units(&self, election: &Election) -> Vec<UnitCount> {
        let count = |unit: &[u8]| UnitCount { name: show(unit), entries: 0, registered: 0, voted: 0 };
        let mut units: Vec<UnitCount> = election.manifest.units.iter().map(|unit| count(unit)).collect();
        for entry in &self.entries {
            if let Some(unit) = units.get_mut(usize::from(entry.unit)) {
                unit.entries = unit.entries.saturating_add(1);
                unit.registered = unit.registered.saturating_add(u32::from(entry.credential.is_some()));
            }
        }
        units
    }
}
