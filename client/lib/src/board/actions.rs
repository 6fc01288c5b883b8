//! Making the board's actions from what the chain shows now.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    board::Action, bounds::Reason, election::Election, ids::Eid, manifest::Manifest, roll::InvitationKeys,
    tally::CommitmentSums,
};

use super::BoardError;
use crate::{chain::Chain, election::open_election};

/// The creation of an election under the chain's next number, and the identifier that it will have.
///
/// # Errors
/// [`BoardError::Manifest`] naming the rule that the manifest breaks.
pub async fn create_election(chain: &Chain, manifest: Manifest) -> Result<(Action, Eid), BoardError> {
    let number = chain.at_best().next_number().await?;
    let election = Election::new(chain.genesis(), number, manifest)?;
    Ok((Action::CreateElection { number, manifest: election.manifest }, election.eid))
}

/// The confirmation of a roll batch.
///
/// # Errors
/// [`BoardError::NoBatch`].
pub async fn confirm_batch(chain: &Chain, eid: &Eid, batch: u32) -> Result<Action, BoardError> {
    let best = chain.at_best();
    match best.batch(eid, batch).await? {
        Some(known) => Ok(Action::ConfirmBatch { eid: *eid, batch, digest: known.digest }),
        None => {
            let batches = best.election(eid).await?.state.batches;
            Err(BoardError::NoBatch { eid: *eid, batch, batches })
        }
    }
}

/// The confirmations of all batches that wait for one, in order.
///
/// # Errors
/// What the chain says.
pub async fn confirm_batches(chain: &Chain, eid: &Eid) -> Result<Vec<Action>, BoardError> {
    let best = chain.at_best();
    let batches = best.election(eid).await?.state.batches;
    let mut actions = Vec::new();
    for batch in 0..batches {
        if let Some(known) = best.batch(eid, batch).await?.filter(|known| known.first.is_none()) {
            actions.push(Action::ConfirmBatch { eid: *eid, batch, digest: known.digest });
        }
    }
    Ok(actions)
}

/// The re-invitation of a roll entry with new invitation keys.
///
/// # Errors
/// [`BoardError::NoEntry`].
pub async fn reinvite(
    chain: &Chain,
    eid: &Eid,
    entry: u32,
    keys: InvitationKeys,
) -> Result<Action, BoardError> {
    let known = chain.at_best().entry(eid, entry).await?.ok_or(BoardError::NoEntry { eid: *eid, entry })?;
    Ok(Action::Reinvite { eid: *eid, entry, round: known.round, keys })
}

/// The freeze of the roll as it is at the last finalized block.
///
/// # Errors
/// What the chain says.
pub async fn freeze(chain: &Chain, eid: &Eid) -> Result<Action, BoardError> {
    Ok(Action::Freeze { eid: *eid, roll: chain.election(eid).await?.state.roll })
}

/// A later opening and closing, in ms since the Unix epoch.
#[must_use]
pub fn postpone(eid: &Eid, opens_at: u64, closes_at: u64) -> Action {
    Action::Postpone { eid: *eid, opens_at, closes_at }
}

/// A later closing while the election is open, in ms since the Unix epoch.
///
/// # Errors
/// [`BoardError::Reason`].
pub fn extend(eid: &Eid, closes_at: u64, why: &str) -> Result<Action, BoardError> {
    Ok(Action::Extend { eid: *eid, closes_at, reason: reason(why)? })
}

/// The close before its time.
#[must_use]
pub fn close(eid: &Eid) -> Action {
    Action::Close { eid: *eid }
}

/// The certification of the result, after checking its openings against the chain's sums.
///
/// # Errors
/// [`BoardError::NoResult`], or [`BoardError::WrongResult`] when the result does not verify.
pub async fn certify(chain: &Chain, eid: &Eid) -> Result<Action, BoardError> {
    let election = open_election(chain, eid).await?;
    let (state, tally) = (chain.election(eid).await?.state, chain.tally(eid).await?);
    let missing = BoardError::NoResult { eid: *eid, phase: state.phase };
    let (Some(result), Some(cells), Some(sums), Some(agreed)) =
        (tally.result, tally.cells, tally.sums, state.agreed)
    else {
        return Err(missing);
    };
    result.verify(&election.manifest, &cells, &CommitmentSums::from_encodings(&sums)?)?;
    Ok(Action::Certify { eid: *eid, result: result.digest(eid, &agreed.root) })
}

/// Fewer signatures under the set, because so many trustees can never sign again.
///
/// # Errors
/// [`BoardError::Reason`].
pub fn lower_quorum(eid: &Eid, quorum: u8, why: &str) -> Result<Action, BoardError> {
    Ok(Action::LowerQuorum { eid: *eid, quorum, reason: reason(why)? })
}

/// The voiding of the election.
///
/// # Errors
/// [`BoardError::Reason`].
pub fn void(eid: &Eid, why: &str) -> Result<Action, BoardError> {
    Ok(Action::Void { eid: *eid, reason: reason(why)? })
}

fn reason(why: &str) -> Result<Reason, BoardError> {
    match BoundedVec::try_from(why.as_bytes().to_vec()) {
        Ok(reason) if !why.trim().is_empty() => Ok(reason),
        _ => Err(BoardError::Reason(why.len())),
    }
}
