//! The registrar's story (spec 4.1): a list of eligible persons becomes invitations and a roll.
//!
//! 1. [`read_persons`] checks the whole list and reports everything that is wrong with it;
//! 2. [`invite`] makes a code per person and channel, and the roll entries;
//! 3. [`write_invitations`] saves the private list **before** anything is submitted;
//! 4. [`batches`] signs, [`submit_roll`] submits; the board confirms.

mod invite;
mod persons;

pub use invite::{invite, write_invitations, Invitation, Invited};
pub use persons::{read_persons, Person, Problem, RollError, RollErrors};

use bounded_collections::BoundedVec;
use codec::Encode;
use psephos_protocol::{
    bounds::MAX_BATCH,
    election::Election,
    ids::Eid,
    invitation::InvitationError,
    keys::{PublicKey, SigningKey},
    refusal::Refusal,
    roll::{batch_signable, RollBatch, RollEntry},
    transcript,
    wire::Message,
};
use rand_core::OsRng;
use std::time::Duration;

use crate::{chain::Chain, election::explain_phase, error::ChainError};

/// Entries in a batch, unless asked otherwise.
pub const BATCH: usize = 1_000;
/// The pause before a batch that comes too early is offered again.
const PAUSE: Duration = Duration::from_millis(500);
/// Finalized blocks that the last batch is waited for, and that a batch may have to wait for its turn.
const PATIENCE: u32 = 150;

/// Why the roll could not be made or submitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrarError {
    /// The chain could not be asked, or did not take a batch.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The list has errors.
    #[error(transparent)]
    Roll(#[from] RollErrors),
    /// An invitation key could not be derived.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// The key is no registrar's.
    #[error("{0} is not the key of a registrar of this election")]
    NotRegistrar(PublicKey),
    /// A batch size out of bounds.
    #[error("a batch has 1 to {MAX_BATCH} entries, not {0}")]
    BatchSize(usize),
    /// A thread failed.
    #[error("a computation was cut off, for want of memory: try again with fewer persons at a time")]
    Device,
    /// Another batch has that number.
    #[error("election {eid} has another batch {batch} already: a registrar was faster; sign the rest again from its next number")]
    NumberTaken {
        /// The election.
        eid: Eid,
        /// The number.
        batch: u32,
    },
    /// The chain refused a batch.
    #[error("batch {batch} was refused: {error}")]
    Refused {
        /// The batch's number.
        batch: u32,
        /// Why.
        error: ChainError,
    },
    /// The private list can't be written.
    #[error("the private list of invitations can't be written: {0}; nothing was submitted")]
    Write(String),
}

/// Signs entries in batches of `size`, numbered from `first`.
///
/// # Errors
/// [`RegistrarError::NotRegistrar`] or [`RegistrarError::BatchSize`].
pub fn batches(
    election: &Election,
    key: &SigningKey,
    first: u32,
    entries: Vec<RollEntry>,
    size: usize,
) -> Result<Vec<RollBatch>, RegistrarError> {
    if size == 0 || size > MAX_BATCH as usize {
        return Err(RegistrarError::BatchSize(size));
    }
    let public = key.public();
    let registrar = election
        .manifest
        .registrars
        .iter()
        .position(|registrar| *registrar == public)
        .and_then(|index| u8::try_from(index).ok())
        .ok_or(RegistrarError::NotRegistrar(public))?;
    let mut signed = Vec::new();
    let mut entries = entries.into_iter().peekable();
    let mut batch = first;
    while entries.peek().is_some() {
        let part = BoundedVec::truncate_from(entries.by_ref().take(size).collect::<Vec<_>>());
        let payload = (batch, transcript::batch(&part.encode())).encode();
        let signature = key.sign(&batch_signable(election, registrar, &payload), &mut OsRng);
        signed.push(RollBatch { eid: election.eid, registrar, batch, entries: part, signature });
        batch = batch.saturating_add(1);
    }
    Ok(signed)
}

/// Submits batches in their order and waits until all are final; `progress` hears how many are on the
/// chain. Submitting the same batches again goes on where it stopped.
///
/// # Errors
/// [`RegistrarError::NumberTaken`], or [`RegistrarError::Refused`] naming the batch.
pub async fn submit_roll(
    chain: &Chain,
    batches: &[RollBatch],
    mut progress: impl FnMut(usize),
) -> Result<(), RegistrarError> {
    for (done, batch) in batches.iter().enumerate() {
        progress(done);
        submit_batch(chain, batch).await?;
    }
    for batch in batches.iter().rev().take(1) {
        chain.wait_finalized("the last batch of the roll", PATIENCE, || is_there(chain, batch)).await?;
    }
    progress(batches.len());
    Ok(())
}

/// Submits a batch once its number is the next, and waits until it is in the best block.
async fn submit_batch(chain: &Chain, batch: &RollBatch) -> Result<(), RegistrarError> {
    let best = chain.at_best();
    let message = Message::AddBatch(batch.clone());
    let start = chain.finalized().await?.number;
    loop {
        if is_there(&best, batch).await?.is_some() {
            return Ok(());
        }
        let refused = |error| RegistrarError::Refused { batch: batch.batch, error };
        match chain.submit(&message).await {
            // It is in the pool; or in a block by now, or its predecessor is not yet; or the board has
            // to confirm batches first.
            Ok(()) | Err(ChainError::SeenBefore | ChainError::PoolFull) => {}
            Err(ChainError::Refused(Refusal::WrongNumber | Refusal::TooManyBatches)) => {}
            Err(error) => {
                return Err(refused(explain_phase(chain, &batch.eid, "Setup or Registration", error).await))
            }
        }
        if chain.finalized().await?.number > start.saturating_add(PATIENCE) {
            let what = format!("roll batch {}'s place on the chain", batch.batch);
            return Err(refused(ChainError::Timeout { what, blocks: PATIENCE }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_there(chain: &Chain, batch: &RollBatch) -> Result<Option<()>, RegistrarError> {
    match chain.batch(&batch.eid, batch.batch).await? {
        Some(known) if known.digest == batch.digest() => Ok(Some(())),
        Some(_) => Err(RegistrarError::NumberTaken { eid: batch.eid, batch: batch.batch }),
        None => Ok(None),
    }
}

/// Fills in the roll entries of invitations, as far as the board has confirmed their batches. `invitations`
/// are in the order of the batches' entries. Gives how many have one.
///
/// # Errors
/// What the chain says.
pub async fn number_entries(
    chain: &Chain,
    batches: &[RollBatch],
    invitations: &mut [Invitation],
) -> Result<usize, RegistrarError> {
    let mut rest = invitations.iter_mut();
    let mut numbered = 0;
    for batch in batches {
        let first = chain.batch(&batch.eid, batch.batch).await?.and_then(|known| known.first);
        for (place, invitation) in (0u32..).zip(rest.by_ref().take(batch.entries.len())) {
            invitation.entry = first.map(|first| first.saturating_add(place));
            numbered += usize::from(first.is_some());
        }
    }
    Ok(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{
        keys::verify_signature,
        testing::{Fixture, Params},
    };

    #[test]
    fn batches_are_numbered_without_gaps_and_signed() {
        let fixture = Fixture::new(&Params { voters: vec![1; 5], ..Params::default() });
        let entries: Vec<_> = (0..5).map(|voter| fixture.entry(voter)).collect();
        let signed = batches(&fixture.election, &fixture.registrars[0], 7, entries.clone(), 2).unwrap();
        assert_eq!(signed.iter().map(|batch| batch.batch).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(signed.iter().flat_map(|batch| batch.entries.to_vec()).collect::<Vec<_>>(), entries);
        assert!(signed.iter().all(|batch| batch.verify(verify_signature, &fixture.election)));
        let stranger = batches(&fixture.election, &fixture.board[0], 0, entries.clone(), 2);
        assert!(matches!(stranger, Err(RegistrarError::NotRegistrar(_))));
        for size in [0, 2_001] {
            let refused = batches(&fixture.election, &fixture.registrars[0], 0, entries.clone(), size);
            assert_eq!(refused.err(), Some(RegistrarError::BatchSize(size)));
        }
    }

    #[test]
    fn invitations_open_their_entries() {
        let fixture = Fixture::new(&Params { voters: vec![1, 2], ..Params::default() });
        let persons =
            read_persons(&fixture.election.manifest, "identifier,weight\nA,1\nB,2\n".as_bytes()).unwrap();
        let invited = invite(&fixture.election, persons, 2, |_| ()).unwrap();
        for (invitation, entry) in invited.invitations.iter().zip(&invited.entries) {
            let keys: Vec<_> = (0u32..)
                .zip(&invitation.codes)
                .map(|(channel, code)| code.signing_key(&fixture.election.eid, channel).unwrap().public())
                .collect();
            assert!(
                matches!(&entry.access, psephos_protocol::roll::Access::Invitation(known) if **known == keys)
            );
            assert!(entry.check(&fixture.election).is_ok());
            assert_eq!(
                entry.person,
                transcript::person(&invitation.salt, invitation.person.identifier.as_bytes())
            );
            assert_eq!(entry.weight, invitation.person.weight);
        }
        let mut out = Vec::new();
        write_invitations(&mut out, &invited.invitations, &[1]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(invited.invitations[0].codes[1].reveal().as_str()));
        assert!(
            !text.contains(invited.invitations[0].codes[0].reveal().as_str()),
            "the channels are kept apart"
        );
    }
}
