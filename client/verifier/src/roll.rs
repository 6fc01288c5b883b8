//! Check 6: the electoral roll.

use std::collections::HashMap;

use psephos_protocol::{
    bounds::MAX_ROLL,
    election::Election,
    ids::Digest,
    keys::{verify_signature, PublicKey},
    roll::{Access, InvitationKeys, Registration, RollBatch, RollEntry, RollEvent},
};

use crate::report::{Failure, Party, Step, UnitCount};

/// A voter on the roll.
struct Entry {
    access: Access,
    weight: u64,
    style: u16,
    unit: u16,
    batch: u32,
    /// The registered credential, or the one on the roll itself.
    credential: Option<PublicKey>,
    /// How often it was re-invited.
    round: u8,
}

struct Batch {
    digest: Digest,
    first: u32,
    count: u32,
    confirmed: bool,
}

/// What a ballot needs to know of its voter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) entry: u32,
    pub(crate) weight: u64,
    pub(crate) style: u16,
    pub(crate) unit: u16,
}

/// The roll so far.
#[derive(Default)]
pub(crate) struct Roll {
    batches: Vec<Batch>,
    entries: Vec<Entry>,
    /// Every invitation key and credential on the roll: none may be there twice.
    keys: HashMap<PublicKey, u32>,
    /// The head of the roll log.
    log: Digest,
}

type Outcome = Result<(), (Party, String)>;

fn refuse<T>(party: Party, reason: impl Into<String>) -> Result<T, (Party, String)> {
    Err((party, reason.into()))
}

/// Turns what a step of the roll found into a failure of check 6.
pub(crate) fn failure(object: &str, (party, reason): (Party, String)) -> Failure {
    Failure::new(Step::Roll, party, object, reason)
}

impl Roll {
    /// A registrar proposes a batch.
    pub(crate) fn add(&mut self, election: &Election, batch: &RollBatch) -> Outcome {
        let number = batch.batch;
        if !batch.verify(verify_signature, election) {
            return refuse(Party::Validators, format!("batch {number} is not signed by registrar {}", batch.registrar));
        }
        let registrar = Party::Registrar(batch.registrar);
        if number as usize != self.batches.len() {
            return refuse(registrar, format!("batch {number} comes where number {} should", self.batches.len()));
        }
        if batch.entries.is_empty() {
            return refuse(registrar, format!("batch {number} is empty"));
        }
        let limit = (election.manifest.max_voters.min(MAX_ROLL)) as usize;
        if self.entries.len().saturating_add(batch.entries.len()) > limit {
            return refuse(registrar, format!("batch {number} takes the roll beyond max_voters ({limit})"));
        }
        let (first, count) = (self.entries.len() as u32, batch.entries.len() as u32);
        for (place, entry) in batch.entries.iter().enumerate() {
            let object = format!("entry {place} of batch {number}");
            if let Err(error) = entry.check(election) {
                return refuse(registrar, format!("{object}: {error}"));
            }
            let index = self.entries.len() as u32;
            if keys(&entry.access).iter().any(|key| self.keys.insert(*key, index).is_some()) {
                return refuse(registrar, format!("{object}: its credential or invitation key is on the roll already"));
            }
            self.entries.push(Entry::new(entry, number));
        }
        self.batches.push(Batch { digest: batch.digest(), first, count, confirmed: false });
        Ok(())
    }

    /// The board confirms a batch.
    pub(crate) fn confirm(&mut self, number: u32, digest: &Digest) -> Result<(), String> {
        let Some(batch) = self.batches.get_mut(number as usize).filter(|batch| batch.digest == *digest) else {
            return Err(format!("there is no batch {number} with these entries"));
        };
        if batch.confirmed {
            return Err(format!("batch {number} was confirmed before"));
        }
        batch.confirmed = true;
        let event =
            RollEvent::Confirmed { batch: number, digest: batch.digest, first: batch.first, count: batch.count };
        self.log = event.append_to(&self.log);
        Ok(())
    }

    /// A voter claims an entry for a credential.
    pub(crate) fn register(&mut self, election: &Election, claim: &Registration) -> Outcome {
        let (index, credential) = (claim.entry, claim.credential);
        let confirmed = self.is_confirmed(index);
        let Some(entry) = self.entries.get_mut(index as usize).filter(|_| confirmed) else {
            return refuse(Party::Validators, format!("the roll has no confirmed entry {index}"));
        };
        let Access::Invitation(invitations) = &entry.access else {
            return refuse(Party::Validators, format!("entry {index} has its credential from the roll"));
        };
        if entry.credential.is_some() {
            return refuse(Party::Validators, format!("entry {index} has a credential already"));
        }
        if !claim.verify(verify_signature, election, invitations) {
            return refuse(
                Party::Validators,
                format!("the registration is not signed by the invitation keys of entry {index} and by its credential"),
            );
        }
        if self.keys.insert(credential, index).is_some() {
            return refuse(Party::Validators, format!("credential {credential} is on the roll already"));
        }
        entry.credential = Some(credential);
        self.log = RollEvent::Registered { entry: index, credential }.append_to(&self.log);
        Ok(())
    }

    /// The board gives an entry new invitation keys and removes its credential.
    pub(crate) fn reinvite(&mut self, index: u32, round: u8, keys: &InvitationKeys) -> Result<(), String> {
        let confirmed = self.is_confirmed(index);
        let Some(entry) = self.entries.get_mut(index as usize).filter(|_| confirmed) else {
            return Err(format!("the roll has no confirmed entry {index}"));
        };
        if entry.round != round {
            return Err(format!("entry {index} was re-invited {} times, not {round}", entry.round));
        }
        if keys.is_empty() || keys.iter().any(|key| self.keys.insert(*key, index).is_some()) {
            return Err(format!("the new invitation keys of entry {index} are on the roll already, or none"));
        }
        entry.access = Access::Invitation(keys.clone());
        entry.credential = None;
        entry.round = round.saturating_add(1);
        self.log = RollEvent::Reinvited { entry: index, keys: keys.clone() }.append_to(&self.log);
        Ok(())
    }

    /// The board freezes the roll that it saw.
    pub(crate) fn freeze(&self, seen: &Digest) -> Result<(), String> {
        if let Some(number) = self.batches.iter().position(|batch| !batch.confirmed) {
            return Err(format!("batch {number} was not confirmed before the freeze"));
        }
        if *seen != self.log {
            return Err(format!("the board froze the roll {seen}, and the log of the roll recomputed is {}", self.log));
        }
        Ok(())
    }

    /// What the holder of a credential may do.
    pub(crate) fn rights(&self, credential: &PublicKey) -> Option<Rights> {
        let index = *self.keys.get(credential)?;
        let entry = self.entries.get(index as usize)?;
        (entry.credential.as_ref() == Some(credential) && self.is_confirmed(index)).then_some(Rights {
            entry: index,
            weight: entry.weight,
            style: entry.style,
            unit: entry.unit,
        })
    }

    fn is_confirmed(&self, index: u32) -> bool {
        self.entries
            .get(index as usize)
            .and_then(|entry| self.batches.get(entry.batch as usize))
            .is_some_and(|batch| batch.confirmed)
    }

    /// The rights of all voters with a credential, in confirmed batches.
    pub(crate) fn voters(&self) -> impl Iterator<Item = Rights> + '_ {
        self.entries.iter().filter_map(|entry| self.rights(entry.credential.as_ref()?))
    }

    /// The head of the roll log.
    pub(crate) fn log(&self) -> Digest {
        self.log
    }

    /// Confirmed entries and registered ones per unit; nobody has voted yet.
    pub(crate) fn units(&self, election: &Election) -> Vec<UnitCount> {
        let name = |name| UnitCount { name: psephos_protocol::bounds::show(name), entries: 0, registered: 0, voted: 0 };
        let mut units: Vec<UnitCount> = election.manifest.units.iter().map(|unit| name(unit)).collect();
        for (index, entry) in (0u32..).zip(&self.entries) {
            if let Some(unit) = units.get_mut(usize::from(entry.unit)).filter(|_| self.is_confirmed(index)) {
                unit.entries = unit.entries.saturating_add(1);
                unit.registered = unit.registered.saturating_add(u32::from(entry.credential.is_some()));
            }
        }
        units
    }
}

impl Entry {
    fn new(entry: &RollEntry, batch: u32) -> Self {
        let credential = match &entry.access {
            Access::Credential(credential) => Some(*credential),
            Access::Invitation(_) => None,
        };
        let RollEntry { access, weight, style, unit, .. } = entry.clone();
        Self { access, weight, style, unit, batch, credential, round: 0 }
    }
}

/// The keys by which an entry is found.
fn keys(access: &Access) -> Vec<PublicKey> {
    match access {
        Access::Invitation(keys) => keys.to_vec(),
        Access::Credential(credential) => vec![*credential],
    }
}
