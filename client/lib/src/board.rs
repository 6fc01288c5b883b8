//! The election board (spec 3.4): approving actions, and seeing them take effect.
//!
//! Each member approves for itself: [`actions`] makes an action from what the chain shows now, and
//! [`approve`] signs and submits it. The chain carries it out when k of m members have.

pub mod actions;

use psephos_protocol::{
    board::{Action, Approval, Board},
    election::Election,
    ids::{Anchor, Digest, Eid},
    keys::{PublicKey, SigningKey},
    manifest::ManifestError,
    refusal::Refusal,
    state::Phase,
    tally::TallyError,
    wire::Message,
};
use rand_core::OsRng;

use crate::{
    chain::Chain,
    election::{explain_phase, ElectionError},
    error::ChainError,
};

/// Why the board's act did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// The chain could not be asked, or did not take the approval.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The election can't be worked with.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The manifest is none.
    #[error("the manifest breaks a rule: {0}; nothing was submitted")]
    Manifest(#[from] ManifestError),
    /// The key is not the board's.
    #[error("{key} is not the key of a member of {board}: use the key of one of its {members} members")]
    NotMember {
        /// The public key given.
        key: PublicKey,
        /// Which board.
        board: String,
        /// How many members it has.
        members: usize,
    },
    /// No such proposal.
    #[error("no action with digest {0} waits for approval: it was carried out, it expired, or it is of another chain; list what waits")]
    NoProposal(Digest),
    /// No such batch.
    #[error(
        "election {eid} has no roll batch {batch}; its batches are numbered from 0 and it has {batches}"
    )]
    NoBatch {
        /// The election.
        eid: Eid,
        /// The batch asked for.
        batch: u32,
        /// Batches proposed.
        batches: u32,
    },
    /// No such roll entry.
    #[error("the roll of election {eid} has no entry {entry}")]
    NoEntry {
        /// The election.
        eid: Eid,
        /// The entry.
        entry: u32,
    },
    /// There is no result to certify.
    #[error("election {eid} has no result yet: it is in phase {phase}")]
    NoResult {
        /// The election.
        eid: Eid,
        /// Its phase.
        phase: Phase,
    },
    /// The result is wrong.
    #[error("the result on the chain does not verify, {0}: do not certify it; verify the election record")]
    WrongResult(#[from] TallyError),
    /// The reason is empty or too long.
    #[error("a reason of 1 to 1024 bytes must be given; this has {0}")]
    Reason(usize),
}

/// An approval that is in a finalized block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// The action's digest.
    pub digest: Digest,
    /// The block, or the last finalized one if the member had approved before.
    pub block: Anchor,
    /// Members who approved so far; the needed number once the action was carried out.
    pub approvals: usize,
    /// How many are needed.
    pub needed: u8,
    /// Whether the action was carried out.
    pub in_effect: bool,
}

/// The board that decides on an action: the chain's for a creation, otherwise the election's.
///
/// # Errors
/// [`ChainError`].
pub async fn board_of(chain: &Chain, action: &Action) -> Result<Board, ChainError> {
    match action.eid() {
        None => chain.chain_board().await,
        Some(eid) => Ok(chain.election(&eid).await?.manifest.board),
    }
}

/// The index of the member with this key.
#[must_use]
pub fn member_of(board: &Board, key: &PublicKey) -> Option<u8> {
    board.members.iter().position(|member| member == key).and_then(|index| u8::try_from(index).ok())
}

/// Approves an action as the member whose key this is, and waits until the approval is final. Approving
/// again does no harm.
///
/// # Errors
/// [`BoardError::NotMember`], or what the chain says of the action.
pub async fn approve(chain: &Chain, key: &SigningKey, action: Action) -> Result<Approved, BoardError> {
    let board = board_of(chain, &action).await?;
    let public = key.public();
    let member = member_of(&board, &public).ok_or_else(|| BoardError::NotMember {
        key: public,
        board: action.eid().map_or("the chain's board".into(), |eid| format!("the board of election {eid}")),
        members: board.members.len(),
    })?;
    let digest = action.digest();
    let approval = Approval::sign(&chain.genesis(), action.clone(), member, key, &mut OsRng);
    let block = match chain.submit_and_finalize(&Message::Approve(approval)).await {
        Ok(anchor) => anchor,
        // By an attempt before, which may not be final yet.
        Err(ChainError::Refused(Refusal::AlreadyApproved)) => chain.best_finalized().await?,
        Err(error) => {
            if in_effect(chain, &action).await? {
                chain.finalized().await?
            } else {
                let error = match action.eid() {
                    Some(eid) => explain_phase(chain, &eid, needed_phase(&action), error).await,
                    None => error,
                };
                return Err(error.into());
            }
        }
    };
    let waiting = chain.proposals().await?.into_iter().find(|proposal| proposal.action == action);
    let in_effect = waiting.is_none() && in_effect(chain, &action).await?;
    let approvals = match waiting {
        Some(proposal) => proposal.approvals.len(),
        None => usize::from(board.threshold),
    };
    Ok(Approved { digest, block, approvals, needed: board.threshold, in_effect })
}

/// Approves an action that waits, by its digest, after the caller has shown it to the member.
///
/// # Errors
/// [`BoardError::NoProposal`], or as [`approve`].
pub async fn approve_waiting(
    chain: &Chain,
    key: &SigningKey,
    digest: &Digest,
) -> Result<Approved, BoardError> {
    let proposals = chain.at_best().proposals().await?;
    let proposal = proposals.into_iter().find(|proposal| proposal.action.digest() == *digest);
    approve(chain, key, proposal.ok_or(BoardError::NoProposal(*digest))?.action).await
}

/// Approves an action with several keys, one after the other, until it is in effect: for rehearsals and for
/// boards that sit together at one machine.
///
/// # Errors
/// As [`approve`].
pub async fn approve_all(
    chain: &Chain,
    keys: &[SigningKey],
    action: &Action,
) -> Result<Approved, BoardError> {
    let board = board_of(chain, action).await?;
    let mut last = None;
    for key in keys.iter().take(usize::from(board.threshold)) {
        let approved = approve(chain, key, action.clone()).await?;
        if approved.in_effect {
            return Ok(approved);
        }
        last = Some(approved);
    }
    last.ok_or_else(|| BoardError::NotMember {
        key: PublicKey::default(),
        board: "the board, because no key was given".into(),
        members: board.members.len(),
    })
}

/// Waits until the board's action is carried out, at most `blocks` finalized blocks.
///
/// # Errors
/// [`ChainError::Timeout`] when too few members approved in time.
pub async fn await_effect(chain: &Chain, action: &Action, blocks: u32) -> Result<(), ChainError> {
    chain
        .wait_finalized("the board's action", blocks, || async {
            Ok(in_effect(chain, action).await?.then_some(()))
        })
        .await
}

/// Whether an action is in effect at the last finalized block.
///
/// # Errors
/// [`ChainError`].
pub async fn in_effect(chain: &Chain, action: &Action) -> Result<bool, ChainError> {
    let state = match action {
        Action::CreateElection { number, manifest } => {
            let made = Election::new(chain.genesis(), *number, manifest.clone()).map(|election| election.eid);
            return Ok(match made {
                Ok(eid) => chain.elections().await?.contains(&eid),
                Err(_) => false,
            });
        }
        Action::ConfirmBatch { eid, batch, digest } => {
            let known = chain.batch(eid, *batch).await?;
            return Ok(known.is_some_and(|known| known.digest == *digest && known.first.is_some()));
        }
        Action::Reinvite { eid, entry, round, .. } => {
            return Ok(chain.entry(eid, *entry).await?.is_some_and(|known| known.round > *round));
        }
        Action::Freeze { eid, .. }
        | Action::Postpone { eid, .. }
        | Action::Extend { eid, .. }
        | Action::Close { eid }
        | Action::Certify { eid, .. }
        | Action::Void { eid, .. }
        | Action::LowerQuorum { eid, .. } => chain.election(eid).await?.state,
    };
    let frozen = !matches!(state.phase, Phase::Setup | Phase::Registration | Phase::Void);
    let closed = frozen && !matches!(state.phase, Phase::Frozen | Phase::Open);
    Ok(match action {
        Action::Freeze { roll, .. } => frozen && state.roll == *roll,
        Action::Postpone { opens_at, closes_at, .. } => {
            state.opens_at == *opens_at && state.closes_at == *closes_at
        }
        Action::Extend { closes_at, .. } => state.closes_at == *closes_at,
        Action::Close { .. } => closed,
        Action::Certify { result, .. } => state.certified == Some(*result),
        Action::Void { .. } => state.phase == Phase::Void,
        Action::LowerQuorum { quorum, .. } => state.lowered.is_some_and(|lowered| lowered.quorum == *quorum),
        Action::CreateElection { .. } | Action::ConfirmBatch { .. } | Action::Reinvite { .. } => false,
    })
}

/// The phases in which the chain carries an action out.
fn needed_phase(action: &Action) -> &'static str {
    match action {
        Action::CreateElection { .. } => "none",
        Action::ConfirmBatch { .. } => "Setup or Registration",
        Action::Reinvite { .. } | Action::Freeze { .. } => "Registration",
        Action::Postpone { .. } => "Setup, Registration or Frozen",
        Action::Extend { .. } | Action::Close { .. } => "Open",
        Action::Certify { .. } => "Tallied",
        Action::Void { .. } => "any but Certified and Void",
        Action::LowerQuorum { .. } => "Closed",
    }
}
