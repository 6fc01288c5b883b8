// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Ballots that voters hand in at this node go on in bundles (spec 8.1): one transaction for all that came within a
//! short while. Gossip, pool, runtime and block then cost each of them a fraction of what a transaction costs.
//!
//! **One ballot never spoils the others.** A bundle that the pool refuses is halved until what is refused stands alone,
//! and has its own answer; that voter's ballots travel alone from then on. A bundle that the pool took is watched until
//! its ballots are final. Halves of it go on when it was lost, because another block took a ballot of one of its voters
//! that came by another node, and when it waits too long, because others hold its ballots' places with bundles of their
//! own. `docs/adr/0024-bundles.md` says why this is here and not with voters or authors.

use crate::{
    ahead::{
        ballots,
        batch::{Batches, Full, Waiting},
        Ahead,
    },
    pool::Pool,
    service::FullClient,
};
use codec::{Decode, Encode};
use futures::{channel::oneshot, future::join_all, FutureExt, StreamExt};
use psephos_protocol::{
    ballot::CastBallot, bounds::MAX_BUNDLE, ids::Eid, keys::PublicKey, refusal::Refusal,
    wire::ballots_to_extrinsic,
};
use psephos_runtime::{opaque::UncheckedExtrinsic, BlockNumber, Hash};
use sc_client_api::{BlockchainEvents, HeaderBackend};
use sc_service::SpawnTaskHandle;
use sc_transaction_pool_api::{
    error::{Error, IntoPoolError},
    TransactionPool, TransactionSource,
};
use sp_runtime::transaction_validity::InvalidTransaction;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bytes of ballots that end the wait for more: as many as the most ballots of ten options that a bundle may have. The
/// larger ballots are, the fewer go together, so that a bundle fits into what is left of a block.
const MOST_BYTES: usize = 170_000;

/// Ballots that may wait for their answers.
const WAITING: usize = 8_192;

/// Final blocks that a bundle waits for its turn. What waits longer some validators don't have: gossip offers a
/// transaction once, and they had no room for it, or another with one of its ballots.
const PATIENCE: BlockNumber = 30;

/// Bundles that are watched. Past them the oldest is forgotten: that is when nothing was final for minutes.
const WATCHED: usize = 1_024;

/// Voters whose ballots travel alone, because one of them spoiled a bundle: so many of the last.
const ALONE: usize = 4_096;

type Answer = Result<Hash, Error>;

/// Passes on what comes from voters and others.
pub struct Bundles {
    maker: Arc<Maker>,
    queue: Batches<Held, Answer>,
    /// Shared by all ballots that wait for their answers: it counts itself and them.
    places: Arc<()>,
}

/// A ballot that waits for its answer.
struct Held {
    ballot: CastBallot,
    _place: Arc<()>,
}

/// Makes bundles, and looks after them.
struct Maker {
    client: Arc<FullClient>,
    pool: Arc<Pool>,
    ahead: Arc<Ahead>,
    made: Mutex<VecDeque<Made>>,
    alone: Mutex<VecDeque<PublicKey>>,
}

/// A bundle that the pool took, or a ballot alone.
struct Made {
    hash: Hash,
    ballots: Vec<CastBallot>,
    /// The last final block when it was made.
    since: BlockNumber,
}

/// Ballots of one election, by different credentials, and whom to answer.
type Part = Vec<Waiting<Held, Answer>>;

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
        let (queue, worker) = Batches::new(
            WAITING,
            MOST_BYTES,
            |held: &Held| held.ballot.encoded_size(),
            move |waiting| {
                let maker = own.clone();
                tasks.spawn("bundle", GROUP, async move { maker.hand_in(maker.parts(waiting)).await });
            },
        );
        spawner.spawn("bundles", GROUP, worker);
        Self { maker, queue, places: Arc::default() }
    }

    /// Takes a transaction: a ballot goes on with others, all else into the pool as it is. Gives the hash that the
    /// transaction would have alone.
    ///
    /// # Errors
    /// Why the pool does not take it.
    pub async fn submit(&self, extrinsic: UncheckedExtrinsic) -> Answer {
        let mut ballots = ballots(&extrinsic);
        let Some(ballot) = ballots.pop().filter(|_| ballots.is_empty()) else {
            return self.maker.offer(extrinsic).await;
        };
        if Arc::strong_count(&self.places) > WAITING {
            return Err(Error::ImmediatelyDropped);
        }
        match self.queue.done(Held { ballot, _place: self.places.clone() }).await {
            Ok(Some(answer)) => answer.map(|_| self.maker.pool.hash_of(&extrinsic)),
            Ok(None) => self.maker.offer(extrinsic).await,
            Err(Full) => Err(Error::ImmediatelyDropped),
        }
    }
}

impl Maker {
    /// What may go together: ballots of one election, one of each credential, that may count. Others stand alone: of what
    /// may not count the runtime says why. What is watched has its answer here.
    fn parts(&self, waiting: Part) -> Vec<Part> {
        let best = self.client.info().best_hash;
        let roll = self.ahead.roll(best);
        let (made, alone) = (lock(&self.made), lock(&self.alone));
        let mut under_way: BTreeMap<PublicKey, Vec<&CastBallot>> = BTreeMap::new();
        for ballot in made.iter().flat_map(|bundle| &bundle.ballots) {
            under_way.entry(credential(ballot)).or_default().push(ballot);
        }
        let alone: BTreeSet<&PublicKey> = alone.iter().collect();
        let (mut together, mut parts) = (Part::new(), Vec::new());
        for (held, to) in waiting {
            let voter = credential(&held.ballot);
            let own = under_way.get(&voter);
            if own.is_some_and(|own| own.contains(&&held.ballot)) {
                answer(to, Err(Error::AlreadyImported(Box::new(()))));
            } else if own.is_none()
                && !alone.contains(&voter)
                && roll.as_ref().is_some_and(|roll| self.ahead.is_worth(best, roll, &held.ballot))
            {
                together.push((held, to));
            } else {
                parts.push(vec![(held, to)]);
            }
        }
        parts.extend(bundles(together));
        parts
    }

    async fn offer(&self, extrinsic: UncheckedExtrinsic) -> Answer {
        let best = self.client.info().best_hash;
        let taken = self.pool.submit_one(best, TransactionSource::Local, extrinsic).await;
        taken.map_err(|error| {
            error.into_pool_error().unwrap_or_else(|error| {
                // The runtime could not judge it: most often because the bytes are no transaction.
                tracing::debug!(target: "ballots", %error, "the runtime gave no verdict");
                Error::InvalidTransaction(InvalidTransaction::Call)
            })
        })
    }

    async fn hand_in(&self, parts: Vec<Part>) {
        join_all(parts.into_iter().map(|part| self.hand_in_one(part))).await;
    }

    /// Offers a part to the pool, in pieces as large as it takes them, and answers each ballot. What is offered a second
    /// time is verified by then, but for bad proofs: each half costs a call of the runtime.
    async fn hand_in_one(&self, part: Part) {
        let mut parts = vec![(part, false)];
        while let Some((mut part, was_halved)) = parts.pop() {
            part.retain(|(_, to)| !to.is_canceled());
            if part.is_empty() {
                continue;
            }
            let Some(bundle) = extrinsic(part.iter().map(|(held, _)| &held.ballot)) else { continue };
            match self.offer(bundle).await {
                Ok(hash) => {
                    let (held, answers): (Vec<_>, Vec<_>) = part.into_iter().unzip();
                    let ballots = held.into_iter().map(|held| held.ballot).collect();
                    self.keep(Made { hash, ballots, since: self.client.info().finalized_number });
                    answers.into_iter().for_each(|to| answer(to, Ok(hash)));
                }
                Err(error) => match whole(&error) {
                    Some(error) => part.into_iter().for_each(|(_, to)| answer(to, Err(error()))),
                    None if part.len() > 1 => {
                        parts.push((part.split_off(part.len() / 2), true));
                        parts.push((part, true));
                    }
                    None => {
                        let Some((held, to)) = part.pop() else { continue };
                        if was_halved && matches!(error, Error::InvalidTransaction(_)) {
                            push_bounded(&self.alone, credential(&held.ballot), ALONE);
                        }
                        answer(to, Err(error));
                    }
                },
            }
        }
    }

    fn keep(&self, bundle: Made) {
        push_bounded(&self.made, bundle, WATCHED);
    }

    async fn watch(self: Arc<Self>) {
        let mut finalized = self.client.finality_notification_stream();
        while let Some(block) = finalized.next().await {
            self.look_after(block.hash, block.header.number).await;
        }
    }

    /// Forgets bundles whose ballots are final, and has halves of those go on that were lost or wait too long.
    async fn look_after(&self, finalized: Hash, number: BlockNumber) {
        let Some(final_roll) = self.ahead.roll(finalized) else { return };
        let count = lock(&self.made).len();
        for _ in 0..count {
            let Some(mut bundle) = lock(&self.made).pop_front() else { return };
            let waits = self.pool.ready_transaction(&bundle.hash).is_some();
            // A ballot alone is one transaction and no other: it can't be taken back for another.
            let is_alone = bundle.ballots.len() == 1;
            if waits && (is_alone || number.saturating_sub(bundle.since) < PATIENCE) {
                self.keep(bundle);
                continue;
            }
            // Of a bundle that waits no longer, nothing may count any more once the block with it is final.
            bundle.ballots.retain(|ballot| final_roll.may_count(ballot));
            let best_roll = self.ahead.roll(self.client.info().best_hash);
            let may_count =
                |ballot: &&CastBallot| best_roll.as_ref().is_some_and(|roll| roll.may_count(ballot));
            let left: Vec<CastBallot> = bundle.ballots.iter().filter(may_count).cloned().collect();
            if !left.is_empty() {
                if waits {
                    self.pool.report_invalid(None, iter::once((bundle.hash, None)).collect()).await;
                }
                tracing::debug!(target: "ballots", ballots = left.len(), waits, "halves of a bundle go on");
                bundle.ballots = self.go_on(left).await;
            }
            if !bundle.ballots.is_empty() {
                self.keep(bundle);
            }
        }
    }

    /// Offers ballots that were together in halves: those for which there was no room, or whose places others hold.
    async fn go_on(&self, ballots: Vec<CastBallot>) -> Vec<CastBallot> {
        let (mut part, answers): (Part, Vec<_>) = ballots
            .iter()
            .map(|ballot| {
                let (to, answer) = oneshot::channel();
                ((Held { ballot: ballot.clone(), _place: Arc::default() }, to), answer)
            })
            .unzip();
        let half = part.split_off(part.len() / 2);
        self.hand_in(vec![part, half]).await;
        let may_later = |answer: oneshot::Receiver<Answer>| {
            let Some(Ok(Err(error))) = answer.now_or_never() else { return false };
            matches!(
                error,
                Error::ImmediatelyDropped | Error::TemporarilyBanned | Error::TooLowPriority { .. }
            )
        };
        let all = ballots.into_iter().zip(answers);
        all.filter_map(|(ballot, answer)| may_later(answer).then_some(ballot)).collect()
    }
}

/// The answer for a whole part, where an error says nothing of a single ballot: the pool is full or was so a moment ago,
/// or the election is not open.
fn whole(error: &Error) -> Option<fn() -> Error> {
    const NOT_OPEN: InvalidTransaction = InvalidTransaction::Custom(Refusal::WrongPhase as u8);
    match error {
        Error::ImmediatelyDropped => Some(|| Error::ImmediatelyDropped),
        Error::TemporarilyBanned => Some(|| Error::TemporarilyBanned),
        Error::InvalidTransaction(NOT_OPEN) => Some(|| Error::InvalidTransaction(NOT_OPEN)),
        _ => None,
    }
}

/// Whoever gave up does not listen.
fn answer(to: oneshot::Sender<Answer>, answer: Answer) {
    let _ = to.send(answer);
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

/// Ballots by election, one of each credential. A credential's others stand alone.
fn bundles(waiting: Part) -> Vec<Part> {
    let mut elections: BTreeMap<Eid, BTreeMap<_, _>> = BTreeMap::new();
    let mut parts = Vec::new();
    for one in waiting {
        let statement = &one.0.ballot.signed.ballot.statement;
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

/// The transaction of one ballot, or of several together; none of none.
fn extrinsic<'a>(ballots: impl Iterator<Item = &'a CastBallot>) -> Option<UncheckedExtrinsic> {
    let bytes = ballots_to_extrinsic(ballots.cloned().collect())?;
    UncheckedExtrinsic::decode(&mut bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests;
