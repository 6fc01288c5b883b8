// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The transaction pool: the SDK's single-state pool, with this node's way of validating.
//!
//! Whatever may enter the pool, from clients or from other nodes, comes through [`Validation`], after the pool has
//! turned away what it knows or refused a moment ago. Here ballots are checked in batches ([`crate::ahead`]) before
//! the runtime judges them. `docs/adr/0012-ballots-in-batches.md` says why it is this pool, and why these bounds.
//!
//! Ballots that came from another node a validator passes on only if they still wait when the pool looks at them again:
//! that node has sent them to all that it knows (`docs/adr/0025-gossip-once.md`).

mod hashes;
mod room;

use crate::{
    ahead::{
        ballots,
        batch::{Batches, Full, Waiting},
        Ahead, BATCH,
    },
    service::FullClient,
};
use async_trait::async_trait;
use codec::Encode;
use hashes::Hashes;
use prometheus_endpoint::Registry;
use psephos_host::{all_known, Job};
use psephos_runtime::{
    opaque::{Block, UncheckedExtrinsic},
    validation::ValidationApi,
    BlockNumber, Hash, Header,
};
use room::{Place, Room};
use sc_cli::TransactionPoolParams;
use sc_client_api::UsageProvider;
use sc_service::SpawnEssentialTaskHandle;
use sc_transaction_pool::{
    BasicPool, ChainApi, FullChainApi, Options, PoolLimit, RevalidationType, ValidateTransactionPriority,
};
use sc_transaction_pool_api::{error::Error as PoolError, TransactionPool};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::TreeRoute;
use sp_runtime::{
    generic::BlockId,
    transaction_validity::{TransactionSource, TransactionValidity, UnknownTransaction, ValidTransaction},
};
use std::{
    iter,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

/// Blocks from one look at a transaction that waits in the pool to the next. The pool asks after every block; but
/// what makes a ballot invalid it mostly learns otherwise: a ballot in a block takes the voter's others out, an
/// expired one goes at its expiry, and what an author finds invalid goes at once. What remains is the close.
pub const REVALIDATION_PERIOD: BlockNumber = 16;

/// The pool.
pub type Pool = BasicPool<Validation, Block>;

type Runtime = FullChainApi<FullClient, Block>;
type Error = <Runtime as ChainApi>::Error;

/// The pool's options, as the command line has them. No transaction of this chain waits for another.
pub fn options(given: &TransactionPoolParams) -> Options {
    let ready = PoolLimit { count: given.pool_limit, total_bytes: given.pool_kbytes.saturating_mul(1_024) };
    let ban_time = given.tx_ban_seconds.map_or(Options::default().ban_time, Duration::from_secs);
    Options { ready, reject_future_transactions: true, ban_time, ..Options::default() }
}

/// Makes the pool, and starts the worker that checks its ballots.
pub fn new(
    options: Options,
    is_validator: bool,
    client: Arc<FullClient>,
    ahead: Arc<Ahead>,
    registry: Option<&Registry>,
    spawner: SpawnEssentialTaskHandle,
) -> Arc<Pool> {
    let (batches, worker) = Batches::new(options.ready.count, BATCH, Submitted::len, {
        let (client, ahead) = (client.clone(), ahead.clone());
        move |waiting| judge(&client, &ahead, waiting)
    });
    spawner.spawn_blocking("ballots-ahead", Some("transaction-pool"), worker);

    let validation = Arc::new(Validation {
        runtime: FullChainApi::new(client.clone(), registry, &spawner),
        ahead,
        batches,
        room: Room::new(&options.ready, is_validator),
        hashes: Hashes::default(),
        is_validator,
        pool: OnceLock::new(),
    });
    let chain = client.usage_info().chain;
    let pool = Arc::new(BasicPool::with_revalidation_type(
        options,
        is_validator.into(),
        validation.clone(),
        registry,
        RevalidationType::Full,
        spawner,
        chain.best_number,
        chain.best_hash,
        chain.finalized_hash,
    ));
    // Empty until now: nothing else sets it.
    let _ = validation.pool.set(Arc::downgrade(&pool));
    pool
}

/// A transaction with ballots, on its way into the pool.
struct Submitted {
    at: Hash,
    source: TransactionSource,
    extrinsic: Arc<UncheckedExtrinsic>,
    jobs: Vec<Job>,
}

impl Submitted {
    fn len(&self) -> usize {
        self.jobs.len()
    }
}

type Verdict = Option<TransactionValidity>;

/// Has the ballots of a batch checked together, and then its transactions judged by the runtime, in one call for those of one
/// source on one state. Where there is no verdict the transaction has to be judged alone.
fn judge(client: &FullClient, ahead: &Ahead, mut batch: Vec<Waiting<Submitted, Verdict>>) {
    let jobs: Vec<&Job> = batch.iter().flat_map(|(submitted, _)| &submitted.jobs).collect();
    ahead.check_in_background(&jobs);
    while let Some((first, _)) = batch.first() {
        let (at, source) = (first.at, first.source);
        let (together, others): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|(submitted, _)| submitted.at == at && submitted.source == source);
        batch = others;
        let extrinsics = together.iter().map(|(submitted, _)| submitted.extrinsic.encode()).collect();
        let verdicts = client.runtime_api().validate_all(at, source, extrinsics, at).unwrap_or_default();
        let verdicts = verdicts.into_iter().map(Some).chain(iter::repeat_with(|| None));
        for ((_, answer), verdict) in together.into_iter().zip(verdicts) {
            // Whoever gave up while the work was done does not listen.
            let _ = answer.send(verdict);
        }
    }
}

/// How the pool learns from the chain whether a transaction is valid.
pub struct Validation {
    runtime: Runtime,
    ahead: Arc<Ahead>,
    batches: Batches<Submitted, Verdict>,
    room: Room,
    hashes: Hashes,
    is_validator: bool,
    pool: OnceLock<Weak<Pool>>,
}

impl Validation {
    fn pool(&self) -> Option<Arc<Pool>> {
        self.pool.get()?.upgrade()
    }

    /// Whether the pool looks after this block at a transaction that waits in it.
    fn is_due(&self, at: Hash, hash: &Hash) -> bool {
        let number = self.runtime.block_id_to_number(&BlockId::Hash(at)).ok().flatten();
        number.is_none_or(|number| is_due(hash, number))
    }

    /// A place for ballots besides those that the pool holds, if there is room for them.
    fn enter(&self, jobs: &[Job]) -> Result<Place<'_>, PoolError> {
        let held = self.pool().map(|pool| pool.status());
        let (count, bytes) = held.map_or((0, 0), |held| (held.ready, held.ready_bytes));
        let own = jobs.iter().map(Job::size).sum();
        self.room.enter(count, bytes, own).ok_or(PoolError::ImmediatelyDropped)
    }

    /// Has a transaction judged with those that wait, unless its ballots are known.
    async fn judge_together(&self, submitted: Submitted) -> Result<Verdict, PoolError> {
        if all_known(&submitted.jobs) {
            return Ok(None);
        }
        let verdict = self.batches.done(submitted).await.map_err(|Full| PoolError::ImmediatelyDropped)?;
        Ok(verdict.flatten())
    }
}

/// Whether a transaction that waits in the pool is looked at after this block.
fn is_due(hash: &Hash, number: BlockNumber) -> bool {
    BlockNumber::from(hash.0[0]) % REVALIDATION_PERIOD == number % REVALIDATION_PERIOD
}

#[async_trait]
impl ChainApi for Validation {
    type Block = Block;
    type Error = Error;

    async fn validate_transaction(
        &self,
        at: Hash,
        source: TransactionSource,
        extrinsic: Arc<UncheckedExtrinsic>,
        priority: ValidateTransactionPriority,
    ) -> Result<TransactionValidity, Error> {
        // What is not submitted is in a block, and was checked when that was imported.
        if priority != ValidateTransactionPriority::Submitted {
            return self.runtime.validate_transaction(at, source, extrinsic, priority).await;
        }
        let (hash, _) = self.hashes.of(&extrinsic);
        let waits = self.pool().is_some_and(|pool| pool.ready_transaction(&hash).is_some());
        if waits && !self.is_due(at, &hash) {
            // To the pool this means that it stays where it is.
            return Ok(Err(UnknownTransaction::CannotLookup.into()));
        }
        let Some(jobs) = self.ahead.jobs(at, ballots(&extrinsic)) else {
            return self.runtime.validate_transaction(at, source, extrinsic, priority).await;
        };
        let _place = if waits { None } else { Some(self.enter(&jobs)?) };
        let submitted = Submitted { at, source, extrinsic: extrinsic.clone(), jobs };
        let verdict = match self.judge_together(submitted).await {
            // What waits keeps its place in a rush.
            Err(_) if waits => return Ok(Err(UnknownTransaction::CannotLookup.into())),
            verdict => verdict?,
        };
        let verdict = match verdict {
            Some(verdict) => verdict,
            None => self.runtime.validate_transaction(at, source, extrinsic, priority).await?,
        };
        // The SDK keeps what is not passed on from the pools of nodes that author no blocks.
        let is_passed_on = waits || source == TransactionSource::Local || !self.is_validator;
        Ok(verdict.map(|valid| ValidTransaction { propagate: valid.propagate && is_passed_on, ..valid }))
    }

    fn validate_transaction_blocking(
        &self,
        at: Hash,
        source: TransactionSource,
        extrinsic: Arc<UncheckedExtrinsic>,
    ) -> Result<TransactionValidity, Error> {
        self.runtime.validate_transaction_blocking(at, source, extrinsic)
    }

    async fn block_body(&self, at: Hash) -> Result<Option<Vec<UncheckedExtrinsic>>, Error> {
        self.runtime.block_body(at).await
    }

    fn block_header(&self, at: Hash) -> Result<Option<Header>, Error> {
        self.runtime.block_header(at)
    }

    fn block_id_to_number(&self, at: &BlockId<Block>) -> Result<Option<BlockNumber>, Error> {
        self.runtime.block_id_to_number(at)
    }

    fn block_id_to_hash(&self, at: &BlockId<Block>) -> Result<Option<Hash>, Error> {
        self.runtime.block_id_to_hash(at)
    }

    fn hash_and_length(&self, extrinsic: &UncheckedExtrinsic) -> (Hash, usize) {
        self.hashes.of(extrinsic)
    }

    fn tree_route(&self, from: Hash, to: Hash) -> Result<TreeRoute<Block>, Error> {
        self.runtime.tree_route(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Chain, OPTIONS};
    use futures::channel::oneshot;
    use psephos_protocol::wire::ballots_to_extrinsic;
    use sc_executor::WasmExecutor;

    #[test]
    fn one_call_that_fails_takes_no_verdict_from_others() {
        let mut chain = Chain::new(&WasmExecutor::builder().build(), None).expect("the runtime starts");
        let (mut fixture, _) = chain.open_election(4).expect("the election opens");
        let ahead = Ahead::new(chain.client.clone(), None).expect("no metrics to register");
        let best = chain.client.usage_info().chain.best_hash;
        let mut submit = |voter: usize, is_good: bool, at: Hash| {
            let mut vote = vec![0; OPTIONS];
            vote[voter] = 1;
            let mut cast = fixture.cast(voter, 1, &[vote]).cast;
            cast.signed.ballot.proof[0] ^= u8::from(!is_good);
            let jobs = ahead.jobs(best, vec![cast.clone()]).expect("there are ballots");
            let bytes = ballots_to_extrinsic(vec![cast]).expect("one is not too many");
            let extrinsic = UncheckedExtrinsic::try_from_encoded_extrinsic(&bytes).expect("it decodes");
            let (answer, wait) = oneshot::channel();
            (
                (
                    Submitted { at, source: TransactionSource::Local, extrinsic: extrinsic.into(), jobs },
                    answer,
                ),
                wait,
            )
        };
        // No state is known of a block that nobody has.
        let unknown = Hash::repeat_byte(7);
        let (batch, waits): (Vec<_>, Vec<_>) =
            [submit(0, true, best), submit(1, true, unknown), submit(2, false, best), submit(3, true, best)]
                .into_iter()
                .unzip();
        judge(&chain.client, &ahead, batch);
        let verdicts: Vec<_> = waits
            .into_iter()
            .map(|mut wait| wait.try_recv().expect("the answer is there").expect("and was sent"))
            .map(|verdict: Verdict| verdict.map(|validity| validity.is_ok()))
            .collect();
        assert_eq!(verdicts, [Some(true), None, Some(false), Some(true)]);
    }

    #[test]
    fn every_waiting_transaction_is_looked_at_once_a_period() {
        for byte in 0..=255 {
            let hash = Hash::repeat_byte(byte);
            let due = (1_000..1_000 + REVALIDATION_PERIOD).filter(|number| is_due(&hash, *number)).count();
            assert_eq!(due, 1);
        }
    }
}
