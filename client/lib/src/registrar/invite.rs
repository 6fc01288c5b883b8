//! Making invitations: codes and the keys that they give, on all cores.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    election::Election,
    invitation::{InvitationCode, InvitationError},
    keys::PublicKey,
    roll::{Access, RollEntry},
    transcript,
};
use rand_core::{OsRng, RngCore};
use std::{
    io::Write,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Mutex,
    },
    thread,
};

use super::{Person, RegistrarError};

/// A person's invitation: private until it is in that person's hands.
#[derive(Clone)]
pub struct Invitation {
    /// The person.
    pub person: Person,
    /// The salt of the identifier's hash on the roll, one per person, so that showing one shows no other.
    pub salt: [u8; 32],
    /// The codes, one per channel.
    pub codes: Vec<InvitationCode>,
    /// The roll entry, once the board has confirmed the batch; voters need not know it.
    pub entry: Option<u32>,
}

/// Invitations and the roll entries that they open, in the order of the list.
pub struct Invited {
    /// Public: what goes on the roll.
    pub entries: Vec<RollEntry>,
    /// Private: what goes to the persons.
    pub invitations: Vec<Invitation>,
}

/// Makes a code per person and channel (1, or 2 that different parties carry), with the invitation keys.
///
/// Each code costs 8 MiB of memory for some hundredths of a second; `progress` hears how many persons
/// are done, from any thread.
///
/// # Errors
/// [`RegistrarError::Invitation`] when memory is short.
pub fn invite(
    election: &Election,
    persons: Vec<Person>,
    channels: u8,
    progress: impl Fn(usize) + Sync,
) -> Result<Invited, RegistrarError> {
    let channels = channels.clamp(1, 2);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let made: Mutex<Vec<Option<(RollEntry, Invitation)>>> = Mutex::new(vec![None; persons.len()]);
    let work = || -> Result<(), RegistrarError> {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(person) = persons.get(place) else { return Ok(()) };
            let pair = invite_one(election, person, channels)?;
            if let Some(slot) = made.lock().map_err(|_| RegistrarError::Device)?.get_mut(place) {
                *slot = Some(pair);
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| RegistrarError::Device)?)
    })?;
    let made = made.into_inner().map_err(|_| RegistrarError::Device)?;
    let (entries, invitations) =
        made.into_iter().collect::<Option<Vec<_>>>().ok_or(RegistrarError::Device)?.into_iter().unzip();
    Ok(Invited { entries, invitations })
}

fn invite_one(
    election: &Election,
    person: &Person,
    channels: u8,
) -> Result<(RollEntry, Invitation), InvitationError> {
    let codes: Vec<_> = (0..channels).map(|_| InvitationCode::generate(&mut OsRng)).collect();
    let keys: Vec<PublicKey> = (0u32..)
        .zip(&codes)
        .map(|(channel, code)| code.signing_key(&election.eid, channel).map(|key| key.public()))
        .collect::<Result<_, _>>()?;
    let mut salt = [0u8; 32];
    OsRng.fill_bytes(&mut salt);
    let entry = RollEntry {
        access: Access::Invitation(BoundedVec::truncate_from(keys)),
        weight: person.weight,
        style: person.style,
        unit: person.unit,
        person: transcript::person(&salt, person.identifier.as_bytes()),
    };
    Ok((entry, Invitation { person: person.clone(), salt, codes, entry: None }))
}

/// Writes the private list as CSV: `identifier,entry,salt` and `code_1`, `code_2` of the channels asked for,
/// counted from 0. The codes of two channels belong in two lists, each with another party.
///
/// # Errors
/// [`RegistrarError::Write`].
pub fn write_invitations(
    out: impl Write,
    invitations: &[Invitation],
    channels: &[usize],
) -> Result<(), RegistrarError> {
    let error = |error: csv::Error| RegistrarError::Write(error.to_string());
    let mut writer = csv::Writer::from_writer(out);
    let columns = channels.iter().map(|channel| format!("code_{}", channel + 1));
    writer
        .write_record(["identifier", "entry", "salt"].into_iter().map(String::from).chain(columns))
        .map_err(error)?;
    for invitation in invitations {
        let entry = invitation.entry.map(|entry| entry.to_string()).unwrap_or_default();
        writer.write_field(&invitation.person.identifier).map_err(error)?;
        writer.write_field(entry).map_err(error)?;
        writer.write_field(hex::encode(invitation.salt)).map_err(error)?;
        for channel in channels {
            let code = invitation.codes.get(*channel).map(InvitationCode::reveal);
            writer.write_field(code.as_ref().map_or("", |code| code.as_str())).map_err(error)?;
        }
        writer.write_record(None::<&[u8]>).map_err(error)?;
    }
    writer.flush().map_err(|error| RegistrarError::Write(error.to_string()))
}
