//! The costly checks of deposits (spec 5.6, 6.4), of all that wait together.
//!
//! One thread takes all deposits that wait, up to [`BATCH`], and checks them as one batch on all cores while
//! the next ones gather, for [`GATHER`] at least. A deposit that comes alone doesn't wait; in a rush each costs a
//! fraction. The verdicts are those of single checks (spec 6.4.10).

use psephos_protocol::{
    ballot::{
        batch::{self, Unverified},
        BallotError, VerifiedBallot,
    },
    envelope::Deposit,
    ids::BallotHash,
    receipt::Receipt,
    refusal::Refusal,
    shares::{self, Dealt, Share},
};
use rand_core::OsRng;
use rayon::prelude::*;
use std::{
    iter,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

use crate::{config::Keys, elections::Served};

/// Deposits in one batch.
const BATCH: usize = 256;
/// Time between the starts of two batches, unless the first was full.
const GATHER: Duration = Duration::from_millis(100);
/// Deposits that wait, some 4 KB each. Who comes when the queue is full waits outside it, within the bound on
/// connections.
const QUEUE: usize = 4 * BATCH;

/// Why a deposit is refused after these checks, and by whose fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The credential itself signed something wrong.
    Voter(Refusal, String),
    /// Anybody may have sent this.
    Sender(Refusal, String),
}

/// A deposit that passed the cheap checks.
pub struct Unchecked {
    /// Its election.
    pub served: Arc<Served>,
    /// What was deposited.
    pub deposit: Deposit,
    /// The ballot's hash.
    pub ballot: BallotHash,
    /// The finalized height for the receipt.
    pub height: u32,
}

struct Job {
    unchecked: Unchecked,
    answer: oneshot::Sender<Result<Receipt, Fault>>,
}

/// Checks deposits, and signs the receipts that stand once they are kept.
pub struct Checker(mpsc::Sender<Job>);

impl Checker {
    /// Starts the thread; it ends with the checker.
    #[must_use]
    pub fn start(keys: Arc<Keys>) -> Self {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
        thread::spawn(move || {
            let mut next = Instant::now();
            while let Some(first) = jobs.blocking_recv() {
                thread::sleep(next.saturating_duration_since(Instant::now()));
                next = Instant::now();
                let others = iter::from_fn(|| jobs.try_recv().ok());
                let batch: Vec<Job> = iter::once(first).chain(others).take(BATCH).collect();
                if batch.len() < BATCH {
                    next += GATHER;
                }
                check_batch(&keys, batch);
            }
        });
        Self(queue)
    }

    /// The receipt for a deposit, to be given when it is kept; `None` when the daemon is stopping.
    pub async fn check(&self, unchecked: Unchecked) -> Option<Result<Receipt, Fault>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Job { unchecked, answer }).await.ok()?;
        answered.await.ok()
    }
}

/// Answers every job of a batch, election by election.
fn check_batch(keys: &Keys, mut jobs: Vec<Job>) {
    while let Some(first) = jobs.first() {
        let served = first.unchecked.served.clone();
        let (own, others): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| Arc::ptr_eq(&job.unchecked.served, &served));
        jobs = others;
        let (unchecked, answers): (Vec<Unchecked>, Vec<_>) =
            own.into_iter().map(|job| (job.unchecked, job.answer)).unzip();
        for (answer, verdict) in answers.into_iter().zip(check_all(keys, &served, &unchecked)) {
            // Who asked may have hung up.
            let _ = answer.send(verdict);
        }
    }
}

/// The verdicts on deposits of one election: ballots first, then envelopes, then shares.
fn check_all(keys: &Keys, served: &Served, unchecked: &[Unchecked]) -> Vec<Result<Receipt, Fault>> {
    let ballots: Vec<_> = unchecked
        .iter()
        .map(|one| {
            let ballot = &one.deposit.ballot;
            served.checks.get(usize::from(ballot.ballot.statement.style)).map(|checks| (ballot, checks))
        })
        .collect();
    let known: Vec<_> =
        ballots.iter().flatten().map(|(ballot, checks)| Unverified::Signed(ballot, checks)).collect();
    let mut verdicts = batch::verify_parallel(&known, &served.generators).into_iter();
    let verified: Vec<Result<VerifiedBallot, BallotError>> = ballots
        .iter()
        .map(|ballot| ballot.and_then(|_| verdicts.next()).unwrap_or(Err(BallotError::Style)))
        .collect();
    let opened: Vec<Result<(VerifiedBallot, Share), Fault>> = unchecked
        .par_iter()
        .zip(verified)
        .map(|(one, verified)| {
            let verified = verified.map_err(of_ballot)?;
            let share = open(keys, served, one, verified.commitments.len())?;
            Ok((verified, share))
        })
        .collect();
    let dealt: Vec<Dealt<'_>> = unchecked
        .iter()
        .zip(&opened)
        .filter_map(|(one, opened)| {
            let (verified, share) = opened.as_ref().ok()?;
            let digest = &one.deposit.ballot.ballot.statement.dealing;
            Some(Dealt { share, commitments: &verified.commitments, digest, dealing: &one.deposit.dealing })
        })
        .collect();
    let threshold = served.election.manifest.threshold;
    let size = dealt.len().div_ceil(rayon::current_num_threads().max(1)).max(1);
    let shares: Vec<_> = dealt
        .par_chunks(size)
        .flat_map_iter(|part| shares::verify_all(part, served.index, threshold, &mut OsRng))
        .collect();
    let mut shares = shares.into_iter();
    unchecked
        .iter()
        .zip(&opened)
        .map(|(one, opened)| {
            opened.as_ref().map_err(Clone::clone)?;
            match shares.next() {
                Some(Ok(())) => Ok(sign(keys, served, one)),
                Some(Err(error)) => Err(bad_share(format!("share: {error}"))),
                None => Err(bad_share(String::from("share: it was not checked"))),
            }
        })
        .collect()
}

/// A signature may have been changed by anybody on the way; what a signature covers is the voter's.
fn of_ballot(error: BallotError) -> Fault {
    match error {
        BallotError::Signature => Fault::Sender(error.into(), error.to_string()),
        _ => Fault::Voter(error.into(), error.to_string()),
    }
}

fn bad_share(detail: String) -> Fault {
    Fault::Sender(Refusal::BadShare, detail)
}

fn open(keys: &Keys, served: &Served, one: &Unchecked, options: usize) -> Result<Share, Fault> {
    if one.deposit.dealing.digest() != one.deposit.ballot.ballot.statement.dealing {
        return Err(bad_share(String::from("dealing: it is not the one that the ballot names")));
    }
    keys.kem
        .open(&one.deposit.envelope, &served.election.eid, &one.ballot, served.index, options)
        .map_err(|error| bad_share(format!("envelope: {error}")))
}

fn sign(keys: &Keys, served: &Served, one: &Unchecked) -> Receipt {
    let (election, index) = (&served.election, served.index);
    Receipt::sign(election, index, &keys.signing, &one.ballot, one.height, &mut OsRng)
}
