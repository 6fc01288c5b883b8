// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use super::*;
use crate::{
    pool,
    testing::{Chain, Executor, OPTIONS},
};
use futures::{future::join_all, poll};
use psephos_protocol::{board::Action, bounds::Reason, testing::Fixture, wire::Message};
use sc_client_api::Finalizer;
use sc_executor::WasmExecutor;
use sc_service::TaskManager;
use sc_transaction_pool::{Options, PoolLimit};
use sc_transaction_pool_api::{ChainEvent, InPoolTransaction, MaintainedTransactionPool};
use std::{pin::pin, sync::OnceLock, time::Duration};
use tokio::{runtime::Handle, time};

/// A node without a network, with its pool and what makes its bundles.
struct Node {
    chain: Chain,
    fixture: Fixture,
    pool: Arc<Pool>,
    bundles: Bundles,
    _tasks: TaskManager,
}

impl Node {
    /// With an open election of so many voters and room for so many transactions.
    fn new(voters: usize, room: usize) -> Self {
        static EXECUTOR: OnceLock<Executor> = OnceLock::new();
        let executor = EXECUTOR.get_or_init(|| WasmExecutor::builder().build());
        let mut chain = Chain::new(executor, None).expect("the runtime starts");
        let (fixture, _) = chain.open_election(voters).expect("the election opens");
        let tasks = TaskManager::new(Handle::current(), None).expect("no metrics to register");
        let options =
            Options { ready: PoolLimit { count: room, total_bytes: 1 << 20 }, ..Options::default() };
        let best = chain.client.info().best_hash;
        chain.client.finalize_block(best, None, true).expect("it is the last");
        let (client, ahead) = (chain.client.clone(), chain.ahead.clone());
        let essential = tasks.spawn_essential_handle();
        let pool = pool::new(options, true, client.clone(), ahead.clone(), None, essential);
        let bundles = Bundles::start(client, pool.clone(), ahead, tasks.spawn_handle());
        Self { chain, fixture, pool, bundles, _tasks: tasks }
    }

    /// A voter's ballot number `sequence`.
    fn ballot(&mut self, voter: usize, sequence: u32) -> CastBallot {
        let mut vote = vec![0; OPTIONS];
        vote[voter % OPTIONS] = 1;
        self.fixture.cast(voter, sequence, &[vote]).cast
    }

    /// The first ballots of these voters.
    fn ballots(&mut self, voters: impl Iterator<Item = usize>) -> Vec<CastBallot> {
        voters.map(|voter| self.ballot(voter, 1)).collect()
    }

    /// Hands ballots in at the same moment.
    async fn submit(&self, ballots: &[CastBallot]) -> Vec<Answer> {
        let one = |ballot| self.bundles.submit(extrinsic(iter::once(ballot)).expect("one ballot"));
        join_all(ballots.iter().map(one)).await
    }

    /// The ballots in the pool, by transaction, the smaller ones first.
    fn waiting(&self) -> Vec<Vec<CastBallot>> {
        let mut all: Vec<_> = self.pool.ready().map(|transaction| ballots(transaction.data())).collect();
        all.sort_by_key(Vec::len);
        all
    }

    fn sizes(&self) -> Vec<usize> {
        self.waiting().iter().map(Vec::len).collect()
    }

    /// Waits for the pool to hold transactions of these sizes.
    async fn reaches(&self, sizes: &[usize]) {
        let reached = async {
            while self.sizes() != sizes {
                time::sleep(Duration::from_millis(10)).await;
            }
        };
        let deadline = Duration::from_secs(60);
        time::timeout(deadline, reached).await.unwrap_or_else(|_| panic!("{:?} wait", self.sizes()));
    }

    /// A block with these transactions, which is final at once.
    async fn block(&mut self, transactions: Vec<Vec<CastBallot>>) {
        let hash = self.best_block(transactions).await;
        self.chain.client.finalize_block(hash, None, true).expect("it is the last");
        self.pool.maintain(ChainEvent::Finalized { hash, tree_route: Arc::default() }).await;
    }

    /// A block with these transactions, which is not final.
    async fn best_block(&mut self, transactions: Vec<Vec<CastBallot>>) -> Hash {
        let bytes = transactions.into_iter().map(|some| ballots_to_extrinsic(some).expect("not too many"));
        let (_, rest) = self.chain.build(bytes.collect()).expect("the block is good");
        assert!(rest.is_empty());
        let hash = self.chain.client.info().best_hash;
        self.pool.maintain(ChainEvent::NewBestBlock { hash, tree_route: None }).await;
        hash
    }

    /// Waits for bundles of these sizes to be watched.
    async fn watches(&self, sizes: &[usize]) {
        let size = |bundle: &Made| bundle.ballots.len();
        let watched = || lock(&self.bundles.maker.made).iter().map(size).collect::<Vec<_>>();
        let reached = async {
            while watched() != sizes {
                time::sleep(Duration::from_millis(10)).await;
            }
        };
        time::timeout(Duration::from_secs(60), reached)
            .await
            .unwrap_or_else(|_| panic!("{:?} are watched", watched()));
    }
}

/// With a receipt that its trustee did not sign.
fn spoiled(mut ballot: CastBallot) -> CastBallot {
    let last = ballot.receipts.last_mut().expect("a quorum signed it");
    last.signature.0[0] ^= 1;
    ballot
}

#[tokio::test]
async fn ballots_of_one_moment_travel_together() {
    let mut node = Node::new(5, 100);
    let ballots = node.ballots(0..5);
    let answers = node.submit(&ballots).await;
    let alone = |ballot| node.pool.hash_of(&extrinsic(iter::once(ballot)).expect("one ballot"));
    let hashes: Vec<_> = ballots.iter().map(alone).collect();
    assert_eq!(answers.into_iter().collect::<Result<Vec<_>, _>>().expect("all are taken"), hashes);
    assert_eq!(node.sizes(), [5]);
    let together = node.waiting().remove(0);
    node.block(vec![together]).await;
    node.reaches(&[]).await;
    node.watches(&[]).await;
}

#[tokio::test]
async fn a_bundle_is_watched_until_its_block_is_final() {
    let mut node = Node::new(3, 100);
    let ballots = node.ballots(0..3);
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    let final_block = node.chain.client.info().finalized_hash;
    let together = node.waiting().remove(0);
    node.best_block(vec![together]).await;
    assert!(node.sizes().is_empty());
    node.bundles.maker.look_after(final_block, 0).await;
    assert!(node.sizes().is_empty());
    node.watches(&[3]).await;
    node.block(Vec::new()).await;
    node.watches(&[]).await;
}

#[tokio::test]
async fn a_refused_ballot_spoils_no_other_and_its_voter_travels_alone() {
    let mut node = Node::new(12, 100);
    let mut ballots = node.ballots(0..8);
    ballots[3] = spoiled(ballots[3].clone());
    let answers = node.submit(&ballots).await;
    let refused: Vec<_> = (0..8).filter(|at| answers[*at].is_err()).collect();
    assert_eq!(refused, [3]);
    let bad = InvalidTransaction::Custom(Refusal::BadReceipts as u8);
    assert!(matches!(&answers[3], Err(Error::InvalidTransaction(why)) if *why == bad), "{:?}", answers[3]);
    assert_eq!(node.sizes(), [1, 2, 4]);

    let ballots = node.ballots([3, 8, 9, 10].into_iter());
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    assert_eq!(node.sizes(), [1, 1, 2, 3, 4]);
}

#[tokio::test]
async fn what_may_not_count_joins_no_bundle() {
    let mut node = Node::new(5, 100);
    let ballots = node.ballots(0..5);
    node.block(vec![vec![ballots[2].clone()]]).await;
    let answers = node.submit(&ballots).await;
    let refused: Vec<_> = (0..5).filter(|at| answers[*at].is_err()).collect();
    assert_eq!(refused, [2]);
    assert_eq!(node.sizes(), [4]);
}

#[tokio::test]
async fn of_one_voter_a_ballot_at_a_time_waits() {
    let mut node = Node::new(4, 100);
    let mut ballots = node.ballots(0..4);
    ballots.push(node.ballot(2, 2));
    let answers = node.submit(&ballots).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    assert!(answers[2].is_err() || answers[4].is_err());
    assert_eq!(node.sizes().iter().sum::<usize>(), 4);
}

#[tokio::test]
async fn a_full_pool_and_a_closed_election_say_nothing_of_a_voter() {
    let mut node = Node::new(4, 0);
    let ballots = node.ballots(0..4);
    let full = |answer: &Answer| matches!(answer, Err(Error::ImmediatelyDropped));
    assert!(node.submit(&ballots).await.iter().all(full));
    assert!(lock(&node.bundles.maker.alone).is_empty());

    let mut node = Node::new(4, 100);
    let ballots = node.ballots(0..4);
    node.chain.wait_until(node.fixture.election.manifest.closes_at);
    node.block(Vec::new()).await;
    let closed = InvalidTransaction::Custom(Refusal::WrongPhase as u8);
    let closed = |answer: &Answer| matches!(answer, Err(Error::InvalidTransaction(why)) if *why == closed);
    assert!(node.submit(&ballots).await.iter().all(closed));
    assert!(lock(&node.bundles.maker.alone).is_empty());
}

#[tokio::test]
async fn the_others_of_a_lost_bundle_go_on() {
    let mut node = Node::new(5, 100);
    let ballots = node.ballots(0..5);
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    assert_eq!(node.sizes(), [5]);
    let by_another_node = node.ballot(1, 2);
    node.block(vec![vec![by_another_node]]).await;
    node.reaches(&[2, 2]).await;
    let left: Vec<_> = node.waiting().concat();
    assert!(!left.contains(&ballots[1]) && left.iter().all(|ballot| ballots.contains(ballot)));

    let halves = node.waiting();
    node.block(halves).await;
    node.reaches(&[]).await;
    node.watches(&[]).await;
}

#[tokio::test]
async fn a_bundle_that_waits_long_is_taken_back_and_goes_on_in_halves() {
    let mut node = Node::new(6, 100);
    let ballots = node.ballots(0..6);
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    for _ in 1..PATIENCE {
        node.block(Vec::new()).await;
    }
    node.watches(&[6]).await;
    assert_eq!(node.sizes(), [6]);
    node.block(Vec::new()).await;
    node.reaches(&[3, 3]).await;
    node.watches(&[3, 3]).await;
}

#[tokio::test]
async fn who_gives_up_leaves_room_for_others() {
    let mut node = Node::new(1, 100);
    let ballot = node.ballot(0, 1);
    {
        let mut gives_up = pin!(node.bundles.submit(extrinsic(iter::once(&ballot)).expect("one ballot")));
        assert!(poll!(gives_up.as_mut()).is_pending());
        assert_eq!(Arc::strong_count(&node.bundles.waiting), 2);
    }
    assert_eq!(Arc::strong_count(&node.bundles.waiting), 1);
}

#[tokio::test]
async fn ballots_of_other_nodes_are_passed_on_only_if_they_wait_long() {
    let mut node = Node::new(2, 100);
    let ballots = node.ballots(0..2);
    let [own, theirs] = [0, 1].map(|at| extrinsic(iter::once(&ballots[at])).expect("one ballot"));
    assert!(node.bundles.submit(own.clone()).await.is_ok());
    let best = node.chain.client.info().best_hash;
    let (eid, closes_at) = (node.fixture.election.eid, node.fixture.election.manifest.closes_at + 60_000);
    let reason = Reason::truncate_from(b"a power failure".to_vec());
    let act = node.fixture.approve(Action::Extend { eid, closes_at, reason }, 0);
    let bytes = Message::Approve(act).to_extrinsic();
    let act = UncheckedExtrinsic::decode(&mut bytes.as_slice()).expect("it was encoded");
    for theirs in [&theirs, &act] {
        let source = TransactionSource::External;
        node.pool.submit_one(best, source, theirs.clone()).await.expect("there is room");
    }
    let is_passed_on = |node: &Node, transaction: &UncheckedExtrinsic| {
        let hash = node.pool.hash_of(transaction);
        node.pool.ready_transaction(&hash).expect("it waits").is_propagable()
    };
    assert!(is_passed_on(&node, &own) && is_passed_on(&node, &act) && !is_passed_on(&node, &theirs));
    for _ in 0..64 {
        node.block(Vec::new()).await;
        // The pool looks again in the background, a little later.
        time::sleep(Duration::from_millis(300)).await;
        if is_passed_on(&node, &theirs) {
            return;
        }
    }
    panic!("it is never passed on");
}
