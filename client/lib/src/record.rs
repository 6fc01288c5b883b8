//! Exporting the election record (spec 9): every message that concerns the election, in chain order.
//!
//! The record begins with the block of the first approval of the election's creation and ends with the
//! block that certified or voided it; every block between is in it, so that the headers link. Every node gives the
//! same bytes, and an export that was cut off goes on where it was. Beside it goes a proof that its last block is
//! final, of which every node has its own.

mod partial;
#[cfg(test)]
mod tests;

use futures::{stream, StreamExt, TryStreamExt};
use psephos_protocol::{
    board::Action,
    bounds::PROPOSAL_LIFETIME,
    finality,
    ids::{Anchor, Digest, Eid, Genesis},
    record::{RecordBlock, RecordHeader},
    state::{ElectionView, Phase},
    wire::Message,
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    pin::pin,
};

use crate::{
    block::ChainBlock,
    chain::Chain,
    election::{open_election, ElectionError},
    error::ChainError,
};

use partial::Partial;

/// Blocks that are fetched at a time while searching the first approval.
const FETCH: u32 = 64;
/// Requests under way at a time.
const PARALLEL: usize = 16;

/// Why a record can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The chain could not be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The election can't be worked with.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The election is not over.
    #[error("election {eid} is in phase {phase}: its record is complete when the board has certified or voided it")]
    NotOver {
        /// The election.
        eid: Eid,
        /// Its phase.
        phase: Phase,
    },
    /// The blocks don't show what the state says.
    #[error("election {eid}: {what} is not in the finalized blocks up to {last}; don't trust this node, ask another")]
    Missing {
        /// The election.
        eid: Eid,
        /// What is missing.
        what: &'static str,
        /// The last block that was looked at.
        last: u32,
    },
    /// A block is larger than a frame may be.
    #[error("block {0} would be a frame of more than 8 MiB")]
    TooLarge(u32),
    /// Another export writes the same file.
    #[error("{0}: another export is writing it; nothing was done")]
    Busy(PathBuf),
    /// What an export left is not of this election.
    #[error("{path} is what an export of election {eid} on chain {genesis} left; nothing was done: export under another name, or move it away")]
    Other {
        /// The file.
        path: PathBuf,
        /// Its election.
        eid: Eid,
        /// Its chain.
        genesis: Genesis,
    },
    /// What lies where a record grows is something else.
    #[error("{0} is not what an export left; nothing was done: move it away")]
    NotPartial(PathBuf),
    /// The file can't be written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The first block of the record.
    pub first: u32,
    /// The block that was written last.
    pub block: u32,
    /// The last finalized block when the export began; the record ends at it or before.
    pub last: u32,
}

/// A record that was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The first block.
    pub first: u32,
    /// The last block: the one that certified or voided the election.
    pub last: Anchor,
    /// Messages that concern the election.
    pub messages: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// What an earlier export, which was cut off, had left of it.
    pub resumed: Resumed,
}

/// What an export that was cut off left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resumed {
    /// Blocks that were taken from it, not fetched again.
    pub blocks: u32,
    /// Whether it had blocks that are not on the chain, which were taken off.
    pub forked: bool,
}

/// Where what is written of a record is until it is whole: beside it.
#[must_use]
pub fn partial_path(record: &Path) -> PathBuf {
    partial::path_of(record)
}

/// Where the finality proof of a record is: beside it.
#[must_use]
pub fn finality_path(record: &Path) -> PathBuf {
    let mut beside = record.as_os_str().to_owned();
    beside.push(finality::SUFFIX);
    beside.into()
}

/// Writes the record of an election that is over to `path`, which appears only once it is complete, and its finality
/// proof to [`finality_path`] before that. Until then it grows in [`partial_path`]; what an export that was cut off
/// left there is taken, as far as it is on the chain.
///
/// # Errors
/// [`RecordError::NotOver`]; [`RecordError::Other`] or [`RecordError::NotPartial`] where something else lies there; what
/// chain or disk say.
pub async fn export(
    chain: &Chain,
    eid: &Eid,
    path: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Exported, RecordError> {
    let view = chain.election(eid).await?;
    let phase = view.state.phase;
    let action = ending(&view).ok_or(RecordError::NotOver { eid: *eid, phase })?;
    let threshold = view.manifest.board.threshold;
    let ending = Ending { action, members: BTreeSet::new(), expires: 0, threshold };
    write(chain, &view, path, Some(ending), &mut progress).await
}

/// Writes what there is of the record of an election that is not over, up to the last finalized block, to `path`. A
/// verifier carries out the checks up to there, and then misses the end.
///
/// # Errors
/// What chain or disk say.
pub async fn draft(chain: &Chain, eid: &Eid, path: &Path) -> Result<Exported, RecordError> {
    let view = chain.election(eid).await?;
    write(chain, &view, path, None, &mut |_| ()).await
}

/// Writes a record up to its ending; without one, up to the last finalized block.
async fn write(
    chain: &Chain,
    view: &ElectionView,
    path: &Path,
    ending: Option<Ending>,
    progress: &mut impl FnMut(Progress),
) -> Result<Exported, RecordError> {
    let eid = &view.eid;
    // Derives the identifier again, so that the record is of this manifest.
    open_election(chain, eid).await?;
    let header = RecordHeader {
        version: psephos_protocol::VERSION,
        genesis: chain.genesis(),
        board: chain.chain_board().await?,
        eid: *eid,
    };
    let finalized = chain.finalized().await?.number;
    let scope = Scope::of(view);
    let first = first_approval(chain, view, &scope, header.board.threshold).await?;
    let mut told = |block| progress(Progress { first, block, last: finalized });
    let ends_itself = ending.is_some();
    let mut partial = Partial::open(partial_path(path), &header, first, ending, &mut told)?;
    let resumed = partial.resume(chain).await?;
    let next = partial.state().last.map_or(first, |last| last.number.saturating_add(1));
    let missing = |what| RecordError::Missing { eid: *eid, what, last: finalized };
    let mut blocks = pin!(chain.follow_finalized(next));
    let last = loop {
        let block = blocks.next().await.ok_or_else(|| missing("its end"))??;
        let (parent, anchor) = (block.parent, block.anchor);
        let is_end = partial.write(parent, anchor, &scope.select(block))?;
        told(anchor.number);
        if is_end || (!ends_itself && anchor.number >= finalized) {
            break anchor;
        }
        if anchor.number >= finalized {
            return Err(missing("its certification or voiding"));
        }
    };
    let finality = chain.finality_proof(last).await?.to_bytes();
    let state = partial.finish(path, &finality_path(path), &finality)?;
    Ok(Exported { first, last, messages: state.messages, bytes: state.bytes, resumed })
}

/// What concerns an election.
struct Scope {
    eid: Eid,
    creation: Digest,
}

impl Scope {
    fn of(view: &ElectionView) -> Self {
        let creation =
            Action::CreateElection { number: view.state.number, manifest: view.manifest.clone() }.digest();
        Self { eid: view.eid, creation }
    }

    fn holds(&self, message: &Message) -> bool {
        match (message.eid(), message) {
            (Some(eid), _) => eid == self.eid,
            (None, Message::Approve(approval)) => approval.action.digest() == self.creation,
            (None, _) => false,
        }
    }

    fn select(&self, block: ChainBlock) -> RecordBlock {
        let messages = block.messages.into_iter().filter(|message| self.holds(message)).collect();
        RecordBlock { header: block.header, time: block.time, messages }
    }

    /// The members who approve the creation in this block.
    fn creators<'a>(&'a self, block: &'a ChainBlock) -> impl Iterator<Item = u8> + 'a {
        block.messages.iter().filter_map(|message| match message {
            Message::Approve(approval) if approval.action.digest() == self.creation => Some(approval.member),
            _ => None,
        })
    }
}

/// The block with the first of the k approvals that created the election, found backwards from there.
async fn first_approval(
    chain: &Chain,
    view: &ElectionView,
    scope: &Scope,
    threshold: u8,
) -> Result<u32, RecordError> {
    let created = view.state.created;
    let earliest = created.saturating_sub(PROPOSAL_LIFETIME).max(1);
    let mut members = BTreeSet::new();
    let mut next = created;
    loop {
        let start = next.saturating_sub(FETCH - 1).max(earliest);
        let fetches: Vec<_> = (start..=next).rev().map(|number| chain.block_at(number)).collect();
        let blocks: Vec<ChainBlock> = stream::iter(fetches).buffered(PARALLEL).try_collect().await?;
        for block in &blocks {
            members.extend(scope.creators(block));
            if members.len() >= usize::from(threshold) {
                return Ok(block.anchor.number);
            }
        }
        if start <= earliest {
            let what = "the board's approval of its creation";
            return Err(RecordError::Missing { eid: view.eid, what, last: created });
        }
        next = start - 1;
    }
}

/// The digest of the action that ended the election; none while it is not over.
fn ending(view: &ElectionView) -> Option<Digest> {
    let (eid, state) = (view.eid, &view.state);
    let action = match state.phase {
        Phase::Certified => Action::Certify { eid, result: state.certified? },
        Phase::Void => Action::Void { eid, reason: state.void.clone()? },
        _ => return None,
    };
    Some(action.digest())
}

/// Counts the approvals of the action that ended the election as the chain does.
#[derive(Clone)]
struct Ending {
    action: Digest,
    members: BTreeSet<u8>,
    expires: u32,
    threshold: u8,
}

impl Ending {
    /// Whether the block of this number and with these messages has the approval with which the election ended.
    fn is_reached_by(&mut self, now: u32, messages: &[Message]) -> bool {
        for message in messages {
            let Message::Approve(approval) = message else { continue };
            if approval.action.digest() != self.action {
                continue;
            }
            if self.members.is_empty() || now > self.expires {
                self.members.clear();
                self.expires = now.saturating_add(PROPOSAL_LIFETIME);
            }
            self.members.insert(approval.member);
            if self.members.len() >= usize::from(self.threshold) {
                return true;
            }
        }
        false
    }
}
