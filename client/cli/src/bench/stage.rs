//! An election on the chain, made ready for ballots.

use futures::{stream, StreamExt, TryStreamExt};
use psephos_client::{
    board::{self, actions, approve_all},
    open_election, registrar, Chain, ChainError,
};
use psephos_protocol::{
    agreement::Acceptance, bounds::MAX_BATCH, election::Election, ids::Eid, keys::SigningKey,
    manifest::Manifest, roll::RollEntry, state::Phase, wire::Message,
};
use psephos_trustee::Keys;
use rand_core::OsRng;

use super::keyring::Keyring;
use crate::{error::CliError, output::Output};

/// Finalized blocks that a step may take.
const PATIENCE: u32 = 300;
/// Approvals under way at a time: what a board member may have waiting.
const AT_ONCE: usize = 8;

/// Creates an election and waits until its trustees have accepted it: those whose keys are given do so here.
///
/// # Errors
/// What the chain says.
pub async fn create(
    chain: &Chain,
    chain_board: &[SigningKey],
    manifest: Manifest,
    trustees: &[Keys],
) -> Result<Election, CliError> {
    let (action, eid) = actions::create_election(chain, manifest).await?;
    approve_all(chain, chain_board, &action).await?;
    let election = open_election(chain, &eid).await?;
    let accepting = (1u8..).zip(trustees).map(|(index, keys)| {
        let message = Message::Accept(Acceptance::sign(&election, index, &keys.signing, &mut OsRng));
        async move { chain.submit_and_finalize(&message).await }
    });
    futures::future::try_join_all(accepting).await?;
    until(chain, &eid, Phase::Registration).await?;
    Ok(election)
}

/// Puts this many voters on the roll, batch by batch.
///
/// # Errors
/// What the chain says.
pub async fn enroll(
    chain: &Chain,
    election: &Election,
    keyring: &Keyring,
    voters: u32,
    out: &Output,
) -> Result<(), CliError> {
    let entries: Vec<RollEntry> = (0..voters).map(|voter| keyring.entry(voter)).collect();
    let batches = registrar::batches(election, &keyring.registrar(), 0, entries, MAX_BATCH as usize)?;
    let progress = out.bar(2 * batches.len() as u64, "making the roll");
    registrar::submit_roll(chain, &batches, |done| progress.set_position(done as u64)).await?;
    let confirmations = actions::confirm_batches(chain, &election.eid).await?;
    let key = keyring.board();
    stream::iter(confirmations)
        .map(|action| board::approve(chain, &key, action))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| {
            progress.inc(1);
            async { Ok(()) }
        })
        .await?;
    progress.finish_and_clear();
    Ok(())
}

/// Freezes the roll and waits until voting is open.
///
/// # Errors
/// What the chain says.
pub async fn open(chain: &Chain, eid: &Eid, keyring: &Keyring) -> Result<(), CliError> {
    let action = actions::freeze(chain, eid).await?;
    board::approve(chain, &keyring.board(), action).await?;
    until(chain, eid, Phase::Open).await
}

/// Closes voting before its time.
///
/// # Errors
/// What the chain says.
pub async fn close(chain: &Chain, eid: &Eid, keyring: &Keyring) -> Result<(), CliError> {
    board::approve(chain, &keyring.board(), actions::close(eid)).await?;
    until(chain, eid, Phase::Closed).await
}

/// Voids the election, so that it takes no place among the chain's elections.
///
/// # Errors
/// What the chain says.
pub async fn void(chain: &Chain, eid: &Eid, keyring: &Keyring) -> Result<(), CliError> {
    let action = actions::void(eid, "a measurement that has ended")?;
    board::approve(chain, &keyring.board(), action).await?;
    Ok(())
}

async fn until(chain: &Chain, eid: &Eid, phase: Phase) -> Result<(), CliError> {
    let what = format!("phase {phase}");
    let reached = chain.wait_finalized(&what, PATIENCE, || async {
        let state = chain.election(eid).await?.state;
        Ok::<_, ChainError>((state.phase == phase).then_some(()))
    });
    Ok(reached.await?)
}
