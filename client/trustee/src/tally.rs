//! The tally (spec 7.2 and 7.3): this trustee signs one set, once, and contributes to it, once.
//!
//! Two sums that differ in one ballot open that ballot. So what may be sent is decided here from
//! three things alone: the set that this trustee rebuilt from finalized blocks, its durable marks,
//! and what the finalized blocks show that it has sent before. The last guards against a store that was
//! restored from an older copy and has forgotten.

use psephos_protocol::{
    agreement::{Accepted, AcceptedSet, Agreement, SetStatement},
    ballot::TrackingCode,
    cells::Cells,
    declaration::{Declaration, Missing},
    envelope::{Deposit, EnvelopeError},
    group::EncodingError,
    ids::{Anchor, BallotHash, Digest},
    keys::PublicKey,
    shares::{Share, ShareError},
    tally::{Columns, Contribution, DealtSums, ShareSums, TallyError as SumError},
};
use rand_core::OsRng;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    config::Keys,
    elections::Served,
    follow::{FollowError, Follower},
    store::{Store, StoreError},
};

/// Ballots whose shares are opened at once; each takes some 4 KB.
const AT_ONCE: usize = 1_000;
/// Ballots between two lines of progress in the log.
const PROGRESS: usize = 10 * AT_ONCE;
/// Missing deposits that are named in the log.
const NAMED: usize = 20;

/// Why this trustee does not sign or contribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain shows that it signed another set.
    #[error("this trustee's key has signed set {signed} on the chain, and the blocks give set {ours}: the store was restored from an old copy, or someone else has the key; nothing is signed")]
    SignedOnChain {
        /// The root on the chain.
        signed: Digest,
        /// The root from the blocks.
        ours: Digest,
    },
    /// Its store shows that it signed another set.
    #[error("this trustee has signed set {signed} before, and the blocks give set {ours} now: the chain was rewritten; nothing is signed")]
    SignedBefore {
        /// The root in the store.
        signed: Digest,
        /// The root from the blocks.
        ours: Digest,
    },
    /// The chain says the set is agreed, its blocks don't.
    #[error("the chain's state says that the set is agreed, and its blocks hold {signers} of {quorum} signatures under set {ours}: nothing is contributed")]
    NotAgreed {
        /// Signatures found.
        signers: usize,
        /// Signatures needed.
        quorum: u8,
        /// The root from the blocks.
        ours: Digest,
    },
    /// The chain has a contribution that the store does not know.
    #[error("this trustee's contribution is on the chain and not in its store: the store was restored from an old copy, or someone else has the key; no other is made")]
    ContributedElsewhere,
    /// The contribution in the store is to another set.
    #[error("this trustee has contributed to set {before}, and the blocks give set {ours} now: no other contribution is made")]
    ContributedBefore {
        /// The root in the store.
        before: Digest,
        /// The root from the blocks.
        ours: Digest,
    },
    /// Shares are missing.
    #[error("{missing} of {ballots} counted ballots were never deposited here, the first is {first}: this trustee can't contribute before its peers have helped it to them")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        ballots: usize,
        /// One of them.
        first: TrackingCode,
    },
    /// A stored share is not good any more.
    #[error("the stored deposits of {} counted ballots are no good shares any more ({reason}): the disk or the KEM key is damaged; its peers are asked to repair them", .ballots.len())]
    Damaged {
        /// Which.
        ballots: Vec<BallotHash>,
        /// What is wrong with the first.
        reason: String,
    },
    /// The cells of the set can't be found.
    #[error(transparent)]
    Cells(#[from] FollowError),
    /// The daemon is stopping.
    #[error("stopping; the sum is made again at the next start")]
    Stopping,
}

/// What this trustee may declare (spec 7.2): marked durably, and the same ever after. None when it is on the chain, or
/// when the rehearsal holds this trustee back.
///
/// # Errors
/// [`StoreError`].
pub fn declare(
    store: &Store,
    keys: &Keys,
    served: &Served,
    follower: &Follower,
    closing: Anchor,
    missing: &[(PublicKey, BallotHash)],
) -> Result<Option<Declaration>, StoreError> {
    if follower.declarations().has(served.index) || !served.takes_part() {
        return Ok(None);
    }
    if let Some(marked) = store.marks(&served.eid())?.declaration {
        return Ok(Some(marked));
    }
    let mut credentials: Vec<PublicKey> = missing.iter().map(|(credential, _)| *credential).collect();
    credentials.sort_unstable();
    // Who has nothing says so, so that where more than n − t have nothing, nothing is opened, not even of the rest.
    let none_left = !missing.is_empty() && missing.len() >= follower.counted();
    let missing = match credentials.try_into() {
        Ok(listed) if !none_left => Missing::Listed(listed),
        _ => Missing::All,
    };
    let made = Declaration::sign(&served.election, served.index, &keys.signing, closing, missing, &mut OsRng);
    store.declare_once(&made).map(Some)
}

/// What q trustees must sign for this set, and this log of all accepted ballots.
#[must_use]
pub fn statement(closing: Anchor, set: &AcceptedSet, log: Digest) -> SetStatement {
    SetStatement { closing, root: set.root(), ballots: u32::try_from(set.len()).unwrap_or(u32::MAX), log }
}

/// The agreement that this trustee may send: marked durably, and the same ever after. None when it is
/// on the chain, or when the rehearsal holds this trustee back.
///
/// # Errors
/// [`TallyError`] when this trustee has signed another set.
pub fn agree(
    store: &Store,
    keys: &Keys,
    served: &Served,
    follower: &Follower,
    statement: SetStatement,
) -> Result<Option<Agreement>, TallyError> {
    if !served.takes_part() {
        return Ok(None);
    }
    // Evidence against that trustee, and no reason to stop: only a set that q trustees signed is opened,
    // and one liar must not block the tally.
    if let Some(other) = follower.conflicting(&statement).filter(|other| other.trustee != served.index) {
        tracing::warn!(
            trustee = other.trustee, theirs = %other.statement.root, ours = %statement.root,
            "another trustee signed another set"
        );
    }
    let standing = bind(store, keys, served, follower, statement)?;
    Ok(follower.agreement_of(served.index).is_none().then_some(standing))
}

/// Binds this trustee to one set for ever: gives its agreement to this set, durably marked as the only one.
fn bind(
    store: &Store,
    keys: &Keys,
    served: &Served,
    follower: &Follower,
    statement: SetStatement,
) -> Result<Agreement, TallyError> {
    let ours = statement.root;
    let on_chain = follower.agreement_of(served.index).copied();
    if let Some(signed) = on_chain.filter(|signed| signed.statement != statement) {
        return Err(TallyError::SignedOnChain { signed: signed.statement.root, ours });
    }
    let standing = match (store.marks(&served.eid())?.agreement, on_chain) {
        (Some(marked), _) => marked,
        (None, Some(sent)) => store.agree_once(sent)?,
        (None, None) => store.agree_once(Agreement::sign(
            &served.election,
            served.index,
            &keys.signing,
            statement,
            &mut OsRng,
        ))?,
    };
    if standing.statement != statement {
        return Err(TallyError::SignedBefore { signed: standing.statement.root, ours });
    }
    Ok(standing)
}

/// The contribution that this trustee may send: made once, marked durably, and the same ever after.
/// None when it is on the chain, or when the rehearsal holds this trustee back.
///
/// # Errors
/// [`TallyError`] when the blocks don't show q signatures under this set, when this trustee
/// contributed before, or when its shares are not all there.
pub fn contribute(
    store: &Store,
    keys: &Keys,
    served: &Served,
    follower: &Follower,
    statement: SetStatement,
    set: &AcceptedSet,
    stop: &AtomicBool,
) -> Result<Option<Contribution>, TallyError> {
    if !served.takes_part() {
        return Ok(None);
    }
    let (eid, ours) = (served.eid(), statement.root);
    let marked = store.marks(&eid)?.contribution;
    if let Some(sent) = follower.contribution_of(served.index) {
        let same = marked.as_ref().is_some_and(|marked| marked.root == sent.root && marked.sums == sent.sums);
        return if same { Ok(None) } else { Err(TallyError::ContributedElsewhere) };
    }
    // Whoever contributes to a set never signs another.
    bind(store, keys, served, follower, statement)?;
    let quorum = follower.quorum(&served.election.manifest);
    let signers = follower.signers(&statement);
    if signers < usize::from(quorum) {
        return Err(TallyError::NotAgreed { signers, quorum, ours });
    }
    let standing = match marked {
        Some(marked) => marked,
        None => {
            let cells = follower.cells(&served.election.manifest, set)?;
            let sums = sum_shares(store, keys, served, set, &cells, stop)?;
            let made =
                Contribution::sign(&served.election, served.index, &keys.signing, ours, sums, &mut OsRng);
            store.contribute_once(&made)?
        }
    };
    if standing.root != ours {
        return Err(TallyError::ContributedBefore { before: standing.root, ours });
    }
    Ok(Some(standing))
}

/// Logs the counted ballots that were never deposited here, and says how many they are.
///
/// # Errors
/// [`StoreError`].
pub fn report_missing(store: &Store, served: &Served, set: &AcceptedSet) -> Result<usize, StoreError> {
    let eid = served.eid();
    let mut missing = 0usize;
    for (_, accepted) in set.iter() {
        if store.deposited(&eid, &accepted.ballot)?.is_none() {
            missing += 1;
            if missing <= NAMED {
                tracing::warn!(%eid, code = %TrackingCode::of(&accepted.ballot), "a counted ballot was never deposited here");
            }
        }
    }
    if missing > 0 {
        tracing::warn!(%eid, missing, ballots = set.len(), "this trustee has gaps; its peers are asked to help");
    }
    Ok(missing)
}

/// Σ w·share over the set, per cell: every share opened and checked against its ballot once more, on all cores, with
/// [`AT_ONCE`] ballots in memory.
fn sum_shares(
    store: &Store,
    keys: &Keys,
    served: &Served,
    set: &AcceptedSet,
    cells: &Cells,
    stop: &AtomicBool,
) -> Result<Columns, TallyError> {
    let (eid, manifest) = (served.eid(), &served.election.manifest);
    let (mut missing, mut first) = (0usize, None);
    let mut sums = ShareSums::new(manifest, cells);
    let counted: Vec<&Accepted> = set.iter().map(|(_, accepted)| accepted).collect();
    let mut damaged: Vec<(BallotHash, BadShare)> = Vec::new();
    for (part, done) in counted.chunks(AT_ONCE).zip((0..).step_by(AT_ONCE)) {
        if stop.load(Ordering::Relaxed) {
            return Err(TallyError::Stopping);
        }
        if done > 0 && done % PROGRESS == 0 {
            tracing::info!(%eid, done, of = set.len(), "adding up shares");
        }
        type Opened = Option<Result<(u16, Share), BadShare>>;
        let shares: Vec<Result<Opened, StoreError>> = part
            .par_iter()
            .map(|accepted| {
                let Some(deposited) = store.deposited(&eid, &accepted.ballot)? else { return Ok(None) };
                Ok(Some(open_share(keys, served, &deposited.deposit, &accepted.ballot)))
            })
            .collect();
        for (accepted, share) in part.iter().zip(shares) {
            let Some(share) = share? else {
                missing += 1;
                first.get_or_insert(TrackingCode::of(&accepted.ballot));
                continue;
            };
            let added = share.and_then(|(style, share)| {
                let cell = cells.cell_of(accepted.unit).ok_or(SumError::Shape)?;
                Ok(sums.add(manifest, cell, style, accepted.weight, &share)?)
            });
            if let Err(error) = added {
                damaged.push((accepted.ballot, error));
            }
        }
    }
    if let Some((_, error)) = damaged.first() {
        let reason = error.to_string();
        return Err(TallyError::Damaged {
            ballots: damaged.into_iter().map(|(ballot, _)| ballot).collect(),
            reason,
        });
    }
    match first {
        Some(first) => Err(TallyError::Missing { missing, ballots: set.len(), first }),
        None => Ok(sums.columns()),
    }
}

/// The trustees whose contributions are not theirs: checked against the dealings of all ballots of the set, which
/// every trustee has. In a dispute the dealings can be published, since they are independent of the votes.
///
/// # Errors
/// [`TallyError::Missing`] when a ballot was never deposited here, [`TallyError::Damaged`], [`TallyError::Stopping`].
pub fn wrong_contributions(
    store: &Store,
    served: &Served,
    set: &AcceptedSet,
    cells: &Cells,
    contributions: &[Contribution],
    stop: &AtomicBool,
) -> Result<Vec<u8>, TallyError> {
    let (eid, manifest) = (served.eid(), &served.election.manifest);
    let counted: Vec<&Accepted> = set.iter().map(|(_, accepted)| accepted).collect();
    let parts: Vec<DealtSums> = counted
        .par_chunks(AT_ONCE)
        .map(|part| {
            let mut sums = DealtSums::new(manifest, cells);
            for Accepted { ballot, weight, unit, .. } in part {
                if stop.load(Ordering::Relaxed) {
                    return Err(TallyError::Stopping);
                }
                let first = TrackingCode::of(ballot);
                let deposited = store.deposited(&eid, ballot)?;
                let deposited =
                    deposited.ok_or(TallyError::Missing { missing: 1, ballots: set.len(), first })?;
                let damaged = |reason: String| TallyError::Damaged { ballots: vec![*ballot], reason };
                let deposit =
                    Deposit::from_bytes(&deposited.deposit).map_err(|error| damaged(error.to_string()))?;
                let statement = &deposit.ballot.ballot.statement;
                let (style, commitments) = (statement.style, &statement.commitments);
                let cell = cells.cell_of(*unit).ok_or(SumError::Shape);
                cell.and_then(|cell| {
                    sums.add_vartime(manifest, cell, style, *weight, commitments, &deposit.dealing)
                })
                .map_err(|error| damaged(error.to_string()))?;
            }
            Ok(sums)
        })
        .collect::<Result<_, TallyError>>()?;
    let sums = parts.iter().fold(DealtSums::new(manifest, cells), DealtSums::merge);
    let wrong = contributions.iter().filter(|contribution| !sums.fit(contribution));
    Ok(wrong.map(|contribution| contribution.trustee).collect())
}

/// Why a stored share can't be added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadShare {
    #[error("it is another ballot's")]
    Ballot,
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Share(#[from] ShareError),
    #[error("commitment: {0}")]
    Commitment(#[from] EncodingError),
    #[error(transparent)]
    Sum(#[from] SumError),
}

/// The share that was kept of a counted ballot, and the ballot's style.
pub(crate) fn open_share(
    keys: &Keys,
    served: &Served,
    deposit: &[u8],
    ballot: &BallotHash,
) -> Result<(u16, Share), BadShare> {
    let deposit = Deposit::from_bytes(deposit)?;
    if deposit.ballot.ballot.hash() != *ballot {
        return Err(BadShare::Ballot);
    }
    let statement = &deposit.ballot.ballot.statement;
    let commitments =
        statement.commitments.iter().map(|point| point.decompress()).collect::<Result<Vec<_>, _>>()?;
    let share = keys.kem.open(&deposit.envelope, &served.eid(), ballot, served.index, commitments.len())?;
    let (dealing, digest) = (&deposit.dealing, &statement.dealing);
    let threshold = served.election.manifest.threshold;
    share.verify(served.index, threshold, &commitments, digest, dealing, &mut OsRng)?;
    Ok((statement.style, share))
}
