// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use super::*;
use crate::{
    pool,
    testing::{Chain, Executor, OPTIONS},
};
use futures::{future::join_all, poll};
use pallet_voting::api::VotingApi;
use psephos_protocol::{board::Action, bounds::Reason, testing::Fixture, wire::Message};
use sc_client_api::Finalizer;
use sc_executor::WasmExecutor;
use sc_service::TaskManager;
use sc_transaction_pool::{ChainApi, Options, PoolLimit, ValidateTransactionPriority};
use sc_transaction_pool_api::{ChainEvent, InPoolTransaction, MaintainedTransactionPool};
use sp_api::ProvideRuntimeApi;
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
    /// A validator's, with an open election of so many voters and room for so many transactions.
    fn new(voters: usize, room: usize) -> Self {
        Self::with_role(voters, room, true)
    }

    fn with_role(voters: usize, room: usize, is_validator: bool) -> Self {
        static EXECUTOR: OnceLock<Executor> = OnceLock::new();
        let executor = EXECUTOR.get_or_init(|| WasmExecutor::builder().build());
        let mut chain = Chain::new(executor, None).expect("the runtime starts");
        let (fixture, _) = chain.open_election(voters).expect("the election opens");
        let tasks = TaskManager::new(Handle::current(), None).expect("no metrics to register");
        let options =
            Options { ready: PoolLimit { count: room, total_bytes: 1 << 20 }, ..Options::default() };
        let best = chain.client.info().best_hash;
        chain.client.finalize_block(best, None, true).expect("it is the last");
        let client = chain.client.clone();
        let ahead = Arc::new(Ahead::new(client.clone(), None).expect("no metrics to register"));
        let essential = tasks.spawn_essential_handle();
        let pool = pool::new(options, is_validator, client.clone(), ahead.clone(), None, essential);
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
        join_all(ballots.iter().map(|ballot| self.bundles.submit(alone(ballot)))).await
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
        assert!(until(|| self.sizes() == sizes).await, "{:?} wait", self.sizes());
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

    /// Looks after what was made, as if a block of that height were final.
    async fn look_after(&self, number: BlockNumber) {
        let last = self.chain.client.info().finalized_hash;
        self.bundles.maker.look_after(last, number).await;
    }

    /// The ballots of the bundles that are watched.
    fn watched(&self) -> Vec<Vec<CastBallot>> {
        lock(&self.bundles.maker.made).iter().map(|bundle| bundle.ballots.clone()).collect()
    }

    /// Waits for bundles of these sizes to be watched.
    async fn watches(&self, sizes: &[usize]) {
        let watched = || self.watched().iter().map(Vec::len).collect::<Vec<_>>();
        assert!(until(|| watched() == sizes).await, "{:?} are watched", watched());
    }
}

/// Waits for what happens in the background: whether it did.
async fn until(happened: impl Fn() -> bool) -> bool {
    let happens = async {
        while !happened() {
            time::sleep(Duration::from_millis(10)).await;
        }
    };
    time::timeout(Duration::from_secs(60), happens).await.is_ok()
}

/// The transaction of a ballot alone.
fn alone(ballot: &CastBallot) -> UncheckedExtrinsic {
    extrinsic(iter::once(ballot)).expect("one ballot")
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
    let hashes: Vec<_> = ballots.iter().map(|ballot| node.pool.hash_of(&alone(ballot))).collect();
    assert_eq!(answers.into_iter().collect::<Result<Vec<_>, _>>().expect("all are taken"), hashes);
    assert_eq!(node.sizes(), [5]);
    let together = node.waiting().remove(0);
    node.block(vec![together]).await;
    node.reaches(&[]).await;
    node.watches(&[]).await;
    for ballot in &ballots {
        let (best, eid) = (node.chain.client.info().best_hash, ballot.signed.ballot.statement.eid);
        let recorded = node.chain.client.runtime_api().ballot(best, eid, credential(ballot));
        assert_eq!(recorded.expect("it runs").map(|it| it.hash), Some(ballot.signed.ballot.hash()));
    }
}

#[tokio::test]
async fn a_bundle_is_watched_until_its_block_is_final() {
    let mut node = Node::new(3, 100);
    let ballots = node.ballots(0..3);
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    let together = node.waiting().remove(0);
    node.best_block(vec![together]).await;
    assert!(node.sizes().is_empty());
    node.look_after(0).await;
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
    let last = node.chain.client.info();
    node.look_after(last.finalized_number + PATIENCE - 1).await;
    assert_eq!(node.sizes(), [6]);
    node.look_after(last.finalized_number + PATIENCE).await;
    assert_eq!(node.sizes(), [3, 3]);
    node.watches(&[3, 3]).await;
}

#[tokio::test]
async fn what_finds_no_room_or_its_place_taken_goes_on_later() {
    let mut node = Node::new(4, 1);
    let ballots = node.ballots(0..4);
    assert!(node.submit(&ballots).await.iter().all(Result::is_ok));
    let far = node.chain.client.info().finalized_number + PATIENCE;
    // One half takes the room, and the other finds none; then a quarter does, and so on.
    for _ in 0..6 {
        node.look_after(far).await;
        let there = [node.watched().concat(), node.waiting().concat()].concat();
        assert!(ballots.iter().all(|ballot| there.contains(ballot)), "{} are left", there.len());
    }
    assert!(lock(&node.bundles.maker.alone).is_empty());

    let mut node = Node::new(3, 100);
    let ballots = node.ballots(0..3);
    let best = node.chain.client.info().best_hash;
    let others = extrinsic([&ballots[0], &node.ballot(2, 2)].into_iter()).expect("two ballots");
    node.pool.submit_one(best, TransactionSource::External, others).await.expect("there is room");
    let lost = Made { hash: Hash::zero(), ballots: ballots.clone(), since: 0 };
    node.bundles.maker.keep(lost);
    node.look_after(0).await;
    assert_eq!(node.sizes(), [1, 2]);
    let later = node.watched().concat();
    assert!(later.contains(&ballots[0]) && later.contains(&ballots[2]));
    assert!(lock(&node.bundles.maker.alone).is_empty());
}

#[tokio::test]
async fn a_ballot_that_is_under_way_spoils_no_bundle() {
    let mut node = Node::new(7, 100);
    let (first, alone) = (node.ballots(0..3), node.ballots(6..7));
    assert!(node.submit(&first).await.iter().all(Result::is_ok));
    assert!(node.submit(&alone).await.iter().all(Result::is_ok));
    let mut more = node.ballots(3..6);
    more.extend([first[1].clone(), alone[0].clone(), node.ballot(2, 2)]);
    let answers = node.submit(&more).await;
    assert!(answers[..3].iter().all(Result::is_ok));
    for again in &answers[3..5] {
        assert!(matches!(again, Err(Error::AlreadyImported(_))), "{again:?}");
    }
    assert!(matches!(answers[5], Err(Error::TooLowPriority { .. })), "{:?}", answers[5]);
    assert_eq!(node.sizes(), [1, 3, 3]);
    assert!(lock(&node.bundles.maker.alone).is_empty());
}

#[tokio::test]
async fn who_gives_up_leaves_room_for_others() {
    let mut node = Node::new(1, 100);
    let ballot = node.ballot(0, 1);
    {
        let mut gives_up = pin!(node.bundles.submit(alone(&ballot)));
        assert!(poll!(gives_up.as_mut()).is_pending());
        assert_eq!(Arc::strong_count(&node.bundles.places), 2);
    }
    assert!(until(|| Arc::strong_count(&node.bundles.places) == 1).await, "its place is not free");
    assert!(node.sizes().is_empty());
}

#[tokio::test]
async fn nodes_that_author_no_blocks_pass_ballots_on_at_once() {
    let mut node = Node::with_role(1, 100, false);
    let ballot = alone(&node.ballot(0, 1));
    let best = node.chain.client.info().best_hash;
    let hash = node.pool.submit_one(best, TransactionSource::External, ballot).await.expect("there is room");
    assert!(node.pool.ready_transaction(&hash).expect("it waits").is_propagable());
}

#[tokio::test]
async fn a_second_look_puts_nothing_out_of_a_full_pool() {
    let mut node = Node::new(1, 1);
    let ballot = Arc::new(alone(&node.ballot(0, 1)));
    let hash = node.bundles.submit((*ballot).clone()).await.expect("there is room");
    let mut looks = 0;
    for _ in 0..pool::REVALIDATION_PERIOD {
        let at = node.best_block(Vec::new()).await;
        let (external, submitted) = (TransactionSource::External, ValidateTransactionPriority::Submitted);
        let verdict = node.pool.api().validate_transaction(at, external, ballot.clone(), submitted).await;
        looks += usize::from(verdict.expect("a verdict, and no error that takes it out").is_ok());
    }
    assert_eq!(looks, 1);
    assert!(node.pool.ready_transaction(&hash).is_some());
}

#[tokio::test]
async fn ballots_of_other_nodes_are_passed_on_only_if_they_wait_long() {
    let mut node = Node::new(2, 100);
    let ballots = node.ballots(0..2);
    let [own, theirs] = [0, 1].map(|at| alone(&ballots[at]));
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
    for _ in 0..2 * pool::REVALIDATION_PERIOD {
        node.block(Vec::new()).await;
        // The pool looks again in the background, a little later.
        time::sleep(Duration::from_millis(300)).await;
        if is_passed_on(&node, &theirs) {
            return;
        }
    }
    panic!("it is never passed on");
}
