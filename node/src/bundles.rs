// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Ballots that voters hand in at this node go on in bundles (spec 8.1): one transaction for all that came within a
//! short while. Gossip, pool, runtime and block then cost each of them a fraction of what a transaction costs.
//!
//! **One ballot never spoils the others.** A bundle that the pool refuses is halved until what is refused stands alone,
//! and has its own answer; that voter's ballots travel alone from then on. A bundle that the pool lost, because another block took a ballot of one of its voters
//! that came by another node, is watched until its ballots are final: those that were lost with it go on alone.
//! `docs/adr/0024-bundles.md` says why this is here and not with voters or authors.

use crate::{
    ahead::{
        batch::{Batches, Full, Waiting},
        Ahead,
    },
    pool::Pool,
    service::FullClient,
};
use codec::{Decode, Encode};
use futures::{future::join_all, StreamExt};
use psephos_protocol::{
    ballot::CastBallot,
    bounds::MAX_BUNDLE,
    ids::Eid,
    keys::PublicKey,
    wire::{self, Message},
};
use psephos_runtime::{opaque::UncheckedExtrinsic, Hash};
use sc_client_api::{BlockchainEvents, HeaderBackend};
use sc_service::SpawnTaskHandle;
use sc_transaction_pool_api::{
    error::{Error, IntoPoolError},
    TransactionPool, TransactionSource,
};
use sp_runtime::transaction_validity::InvalidTransaction;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    iter, mem,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
};

/// Bytes of ballots that end the wait for more: as many as the most ballots of ten options that a bundle may have. The
/// larger ballots are, the fewer go together, so that a bundle fits into what is left of a block.
const MOST_BYTES: usize = 170_000;

/// Ballots that may wait for their answers.
const WAITING: usize = 8_192;

/// Bundles that are watched. Past them the oldest is forgotten: that is when nothing was final for minutes.
const WATCHED: usize = 1_024;

/// Voters whose ballots travel alone, because one of them spoiled a bundle: so many of the last.
const ALONE: usize = 4_096;

type Answer = Result<Hash, Error>;

/// Passes on what comes from voters and others.
pub struct Bundles {
    maker: Arc<Maker>,
    queue: Batches<CastBallot, Answer>,
    waiting: AtomicUsize,
}

/// Makes bundles, and looks after them.
struct Maker {
    client: Arc<FullClient>,
    pool: Arc<Pool>,
    ahead: Arc<Ahead>,
    made: Mutex<VecDeque<Made>>,
    alone: Mutex<VecDeque<PublicKey>>,
}

/// A bundle that the pool took.
struct Made {
    hash: Hash,
    ballots: Vec<CastBallot>,
}

/// Ballots of one election, by different credentials, and whom to answer.
type Part = Vec<Waiting<CastBallot, Answer>>;

/// A thread that panicked has left these as they were: each change is one call.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bundles {
    /// Starts to pass on to this pool.
    pub fn start(
        client: Arc<FullClient>,
        pool: Arc<Pool>,
        ahead: Arc<Ahead>,
        spawner: SpawnTaskHandle,
    ) -> Self {
        const GROUP: Option<&str> = Some("transaction-pool");
        let maker = Arc::new(Maker { client, pool, ahead, made: Mutex::default(), alone: Mutex::default() });
        spawner.spawn("bundles-watched", GROUP, maker.clone().watch());
        let (own, tasks) = (maker.clone(), spawner.clone());
        let (queue, worker) = Batches::new(WAITING, MOST_BYTES, CastBallot::encoded_size, move |waiting| {
            tasks.spawn("bundle", GROUP, own.clone().hand_in(waiting));
        });
        spawner.spawn("bundles", GROUP, worker);
        Self { maker, queue, waiting: AtomicUsize::new(0) }
    }

    /// Takes a transaction: a ballot goes on with others, all else into the pool as it is. Gives the hash that the
    /// transaction would have alone.
    ///
    /// # Errors
    /// Why the pool does not take it.
    pub async fn submit(&self, extrinsic: UncheckedExtrinsic) -> Answer {
        let Some(ballot) = self.maker.ballot(&extrinsic) else { return self.maker.offer(extrinsic).await };
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let answer = if waiting < WAITING { self.queue.done(ballot).await } else { Err(Full) };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(Some(answer)) => answer.map(|_| self.maker.pool.hash_of(&extrinsic)),
            Ok(None) => self.maker.offer(extrinsic).await,
            Err(Full) => Err(Error::ImmediatelyDropped),
        }
    }
}

impl Maker {
    /// The ballot that a transaction casts, if it may count and its voter's ballots may travel with others. Of what may not
    /// count the runtime says why.
    fn ballot(&self, extrinsic: &UncheckedExtrinsic) -> Option<CastBallot> {
        let Message::Cast(ballot) = Message::from_extrinsic(&extrinsic.encode())? else { return None };
        let best = self.client.info().best_hash;
        self.ahead.job(best, &self.ahead.roll(best)?, &ballot)?;
        let credential = &ballot.signed.ballot.statement.credential;
        let alone = lock(&self.alone).contains(credential);
        (!alone).then_some(ballot)
    }

    async fn offer(&self, extrinsic: UncheckedExtrinsic) -> Answer {
        let best = self.client.info().best_hash;
        let taken = self.pool.submit_one(best, TransactionSource::External, extrinsic).await;
        taken.map_err(|error| {
            error.into_pool_error().unwrap_or_else(|error| {
                // The runtime could not judge it: most often because the bytes are no transaction.
                tracing::debug!(target: "ballots", %error, "the runtime gave no verdict");
                Error::InvalidTransaction(InvalidTransaction::Call)
            })
        })
    }

    /// Offers what waits to the pool, in parts as large as it takes them, and answers each. What is offered a second time
    /// is verified by then, but for bad proofs: each half costs a call of the runtime.
    async fn hand_in(self: Arc<Self>, waiting: Part) {
        let mut parts = parts(waiting);
        let mut were_together = BTreeSet::new();
        while let Some(mut part) = parts.pop() {
            let answer = self.offer(extrinsic(part.iter().map(|(ballot, _)| ballot))).await;
            match answer {
                Err(Error::ImmediatelyDropped) => {
                    part.into_iter().for_each(|(_, to)| drop(to.send(Err(Error::ImmediatelyDropped))));
                }
                Err(_) if part.len() > 1 => {
                    were_together.extend(part.iter().map(|(ballot, _)| credential(ballot)));
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
                Err(error) => {
                    if let Some((ballot, to)) = part.pop() {
                        if were_together.contains(&credential(&ballot)) {
                            push_bounded(&self.alone, credential(&ballot), ALONE);
                        }
                        // Whoever gave up does not listen, here and above.
                        let _ = to.send(Err(error));
                    }
                }
                Ok(hash) => {
                    let (ballots, answers): (Vec<_>, Vec<_>) = part.into_iter().unzip();
                    if ballots.len() > 1 {
                        push_bounded(&self.made, Made { hash, ballots }, WATCHED);
                    }
                    answers.into_iter().for_each(|to| drop(to.send(Ok(hash))));
                }
            }
        }
    }

    async fn watch(self: Arc<Self>) {
        let mut finalized = self.client.finality_notification_stream();
        while let Some(block) = finalized.next().await {
            self.look_after(block.hash).await;
        }
    }

    /// Forgets bundles whose ballots are final, and has the ballots of those that were lost go on alone.
    async fn look_after(&self, finalized: Hash) {
        let made = mem::take(&mut *lock(&self.made));
        for bundle in made {
            // A bundle that is in no block stays in the pool, or is lost.
            if self.pool.ready_transaction(&bundle.hash).is_some() {
                push_bounded(&self.made, bundle, WATCHED);
                continue;
            }
            let rolls = (self.ahead.roll(finalized), self.ahead.roll(self.client.info().best_hash));
            let (Some(final_roll), Some(best)) = rolls else { continue };
            if !bundle.ballots.iter().any(|ballot| final_roll.may_count(ballot)) {
                continue;
            }
            let left: Vec<_> =
                bundle.ballots.iter().filter(|ballot| best.may_count(ballot)).cloned().collect();
            if left.is_empty() {
                push_bounded(&self.made, bundle, WATCHED);
                continue;
            }
            tracing::debug!(target: "ballots", ballots = left.len(), "a bundle was lost; its ballots go on alone");
            let offers = left.iter().map(|ballot| self.offer(extrinsic(iter::once(ballot))));
            let answers = join_all(offers).await;
            let full = |answer: &Answer| matches!(answer, Err(Error::ImmediatelyDropped));
            let again = left.iter().zip(&answers).filter(|(_, answer)| full(answer));
            let ballots: Vec<CastBallot> = again.map(|(ballot, _)| ballot.clone()).collect();
            if !ballots.is_empty() {
                push_bounded(&self.made, Made { hash: bundle.hash, ballots }, WATCHED);
            }
        }
    }
}

/// Adds to a list that forgets its first when it is full.
fn push_bounded<T>(list: &Mutex<VecDeque<T>>, one: T, most: usize) {
    let mut list = lock(list);
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(one);
}

fn credential(ballot: &CastBallot) -> PublicKey {
    ballot.signed.ballot.statement.credential
}

/// What may go together: ballots of one election, one of each credential. A credential's others follow alone.
fn parts(waiting: Part) -> Vec<Part> {
    let mut elections: BTreeMap<Eid, BTreeMap<_, _>> = BTreeMap::new();
    let mut parts = Vec::new();
    for one in waiting {
        let statement = &one.0.signed.ballot.statement;
        let voters = elections.entry(statement.eid).or_default();
        if let Some(before) = voters.insert(statement.credential, one) {
            parts.push(vec![before]);
        }
    }
    for voters in elections.into_values() {
        let mut voters = voters.into_values();
        parts.extend(iter::from_fn(|| {
            Some(voters.by_ref().take(MAX_BUNDLE as usize).collect()).filter(|part: &Part| !part.is_empty())
        }));
    }
    parts
}

/// The transaction of one ballot, or of several together.
fn extrinsic<'a>(ballots: impl Iterator<Item = &'a CastBallot>) -> UncheckedExtrinsic {
    let bytes = match &*ballots.cloned().collect::<Vec<_>>() {
        [ballot] => Message::Cast(ballot.clone()).to_extrinsic(),
        ballots => wire::bundle_to_extrinsic(&wire::Bundle::truncate_from(ballots.to_vec())),
    };
    // The blob is without the length that it is sent with.
    UncheckedExtrinsic::decode(&mut bytes.as_slice()).unwrap_or_default()
}
