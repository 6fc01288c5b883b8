//! A trustee's duty in one election, from its acceptance to its tally: looked at anew at every
//! finalized block, decided from the chain, the store and nothing else, so that a restart at any
//! moment goes on where it was.

use futures::StreamExt;
use psephos_client::{Chain, ChainError};
use psephos_protocol::{
    agreement::{Acceptance, AcceptedSet, SetStatement},
    ids::Anchor,
    refusal::Refusal,
    state::{ElectionState, Phase},
    tally::{CommitmentSums, Contribution, Finalize, TallyError as SumError},
    wire::Message,
};
use rand_core::OsRng;
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{atomic::AtomicBool, Arc},
};
use tokio::sync::watch;

use crate::{
    config::{Accept, Keys},
    elections::Served,
    follow::{self, FollowError, Follower},
    store::{Store, StoreError},
    tally::{self, TallyError},
};

/// Finalized blocks after which a message that is not on the chain is sent again, the same bytes.
const SEND_AGAIN: u32 = 10;
/// Blocks read between two lines of progress in the log.
const PROGRESS: u32 = 10_000;

/// What all duties of a daemon share.
pub struct Daemon {
    /// The chain.
    pub chain: Chain,
    /// The trustee's keys.
    pub keys: Arc<Keys>,
    /// Its store.
    pub store: Arc<Store>,
    /// Which elections it accepts.
    pub accept: Accept,
    /// Whether it asks the chain to finalize.
    pub finalize: bool,
    /// Set when the daemon stops, for work that takes long.
    pub stop: Arc<AtomicBool>,
}

/// Why a duty could not be done at this block; it is tried again at the next.
#[derive(Debug, thiserror::Error)]
enum DutyError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error(transparent)]
    Tally(#[from] TallyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the chain's state says that set {chain:?} is agreed, and the blocks give set {ours:?}: nothing is contributed")]
    OtherSet { chain: SetStatement, ours: SetStatement },
    #[error("the chain's sums do not fit the manifest: {0}")]
    Sums(#[from] SumError),
    #[error("a task of this daemon broke off: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The messages that a duty sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Accept,
    Agree,
    Contribute,
    Finalize,
}

/// The duty in one election.
pub struct Duty {
    daemon: Arc<Daemon>,
    served: Arc<Served>,
    follower: Follower,
    /// The set at the closing block, once rebuilt.
    set: Option<(SetStatement, Arc<AcceptedSet>)>,
    sent: BTreeMap<Act, u32>,
    /// How many contributions were there when openings were last searched among them.
    tried: usize,
    /// What was logged last, so that it is not said at every block.
    said: String,
}

impl Duty {
    /// The duty in an election that names this trustee.
    #[must_use]
    pub fn new(daemon: Arc<Daemon>, served: Arc<Served>) -> Self {
        let follower = Follower::new(served.state().created);
        Self { daemon, served, follower, set: None, sent: BTreeMap::new(), tried: 0, said: String::new() }
    }

    /// Does what is to be done at every finalized block, until the election is over or `ticks` ends.
    pub async fn run(mut self, mut ticks: watch::Receiver<Anchor>) {
        let eid = self.served.eid();
        loop {
            match self.tick().await {
                Ok(true) => {
                    tracing::info!(%eid, phase = %self.served.state().phase, "nothing is left to do in this election");
                    return;
                }
                Ok(false) => self.said.clear(),
                Err(DutyError::Tally(TallyError::Stopping)) => return,
                Err(error) => {
                    if matches!(
                        error,
                        DutyError::Follow(FollowError::Gap { .. } | FollowError::Sequence { .. })
                    ) {
                        self.follower = Follower::new(self.served.state().created);
                        self.set = None;
                    }
                    self.say(&error);
                }
            }
            if ticks.changed().await.is_err() {
                return;
            }
        }
    }

    fn say(&mut self, error: &DutyError) {
        let (eid, text) = (self.served.eid(), error.to_string());
        if text != self.said {
            match error {
                DutyError::Chain(error) => {
                    tracing::warn!(%eid, %error, "the chain can't be asked or did not take a message; trying again")
                }
                error => tracing::error!(%eid, %error, "this trustee does not go on in this election"),
            }
            self.said = text;
        }
    }

    /// One look at the election; whether nothing is left to do.
    async fn tick(&mut self) -> Result<bool, DutyError> {
        // The state is read after the height, so that the closing block is never behind what is read below.
        let finalized = self.daemon.chain.finalized().await?;
        let state = self.daemon.chain.election(&self.served.eid()).await?.state;
        match state.phase {
            Phase::Setup => self.accept(&state, finalized).await?,
            Phase::Registration | Phase::Frozen => {}
            Phase::Open => self.follow_to(finalized.number).await?,
            Phase::Closed | Phase::Agreed => self.tally(&state, finalized).await?,
            Phase::Tallied | Phase::Certified | Phase::Void => return Ok(true),
        }
        Ok(false)
    }

    async fn accept(&mut self, state: &ElectionState, finalized: Anchor) -> Result<(), DutyError> {
        let (daemon, eid) = (self.daemon.clone(), self.served.eid());
        if state.accepted.contains(&self.served.index) {
            if !daemon.store.marks(&eid)?.accepted {
                tracing::warn!(%eid, "the chain has this trustee's acceptance and its store does not: was the store restored or made anew?");
                daemon.store.mark_accepted(&eid)?;
            }
            return Ok(());
        }
        if !daemon.accept.accepts(&eid) {
            if self.sent.insert(Act::Accept, finalized.number).is_none() {
                tracing::info!(%eid, "an election names this trustee; read its manifest, and to serve it start with --accept {eid}");
            }
            return Ok(());
        }
        if self.due(Act::Accept, finalized.number) {
            daemon.store.mark_accepted(&eid)?;
            let served = &self.served;
            let acceptance =
                Acceptance::sign(&served.election, served.index, &daemon.keys.signing, &mut OsRng);
            self.send(Act::Accept, &Message::Accept(acceptance), finalized.number).await?;
        }
        Ok(())
    }

    /// Reads finalized blocks up to this one.
    async fn follow_to(&mut self, last: u32) -> Result<(), DutyError> {
        if self.follower.next() > last {
            return Ok(());
        }
        let mut blocks = pin!(self.daemon.chain.follow_finalized(self.follower.next()));
        while self.follower.next() <= last {
            let Some(block) = blocks.next().await else { return Ok(()) };
            let (block, served) = (block?, self.served.clone());
            let (anchor, parent) = (block.anchor, block.parent);
            let facts = tokio::task::spawn_blocking(move || follow::read(&served.election, &block)).await??;
            self.follower.apply(anchor, parent, facts)?;
            if anchor.number % PROGRESS == 0 {
                tracing::info!(eid = %self.served.eid(), block = anchor.number, last, "reading blocks");
            }
        }
        Ok(())
    }

    async fn tally(&mut self, state: &ElectionState, finalized: Anchor) -> Result<(), DutyError> {
        // The block after the closing one names it.
        let Some(closing) = state.closing else { return self.follow_to(finalized.number).await };
        let (statement, set) = match &self.set {
            Some((statement, set)) => (*statement, set.clone()),
            None => self.rebuild(closing, state).await?,
        };
        self.follow_to(finalized.number).await?;
        if !state.summed {
            return Ok(());
        }
        if state.withheld {
            if self.sent.insert(Act::Agree, finalized.number).is_none() {
                tracing::warn!(eid = %self.served.eid(), "a group below the privacy minimum voted: nothing may be opened");
            }
            return Ok(());
        }
        if state.phase == Phase::Closed {
            return self.agree(statement, finalized).await;
        }
        if state.agreed != Some(statement) {
            let chain = state.agreed.unwrap_or(SetStatement { ballots: 0, ..statement });
            return Err(DutyError::OtherSet { chain, ours: statement });
        }
        // Contributions of others may suffice where this trustee can't contribute.
        let contributed = self.contribute(statement, set, finalized).await;
        if self.daemon.finalize {
            self.finalize(finalized).await?;
        }
        contributed
    }

    /// Rebuilds the accepted set at the closing block.
    async fn rebuild(
        &mut self,
        closing: Anchor,
        state: &ElectionState,
    ) -> Result<(SetStatement, Arc<AcceptedSet>), DutyError> {
        self.follow_to(closing.number).await?;
        let (served, chain) = (self.served.clone(), &self.daemon.chain);
        let set = Arc::new(self.follower.accepted_set(&served.election, chain, closing, state).await?);
        let statement = tally::statement(closing, &set);
        tracing::info!(eid = %served.eid(), block = closing.number, ballots = statement.ballots, root = %statement.root, "the accepted set is rebuilt from finalized blocks");
        let (store, complete) = (self.daemon.store.clone(), set.clone());
        tokio::task::spawn_blocking(move || tally::report_missing(&store, &served, &complete)).await??;
        self.set = Some((statement, set.clone()));
        Ok((statement, set))
    }

    async fn agree(&mut self, statement: SetStatement, finalized: Anchor) -> Result<(), DutyError> {
        let daemon = &self.daemon;
        let agreement = tally::agree(&daemon.store, &daemon.keys, &self.served, &self.follower, statement)?;
        if let Some(agreement) = agreement {
            self.send(Act::Agree, &Message::Agree(agreement), finalized.number).await?;
        }
        Ok(())
    }

    async fn contribute(
        &mut self,
        statement: SetStatement,
        set: Arc<AcceptedSet>,
        finalized: Anchor,
    ) -> Result<(), DutyError> {
        let (daemon, served) = (self.daemon.clone(), self.served.clone());
        // The follower goes to the thread that adds the shares up, and comes back.
        let follower = std::mem::replace(&mut self.follower, Follower::new(served.state().created));
        let (follower, contribution) = tokio::task::spawn_blocking(move || {
            let Daemon { store, keys, stop, .. } = &*daemon;
            let contribution = tally::contribute(store, keys, &served, &follower, statement, &set, stop);
            (follower, contribution)
        })
        .await?;
        self.follower = follower;
        if let Some(contribution) = contribution? {
            self.send(Act::Contribute, &Message::Contribute(contribution), finalized.number).await?;
        }
        Ok(())
    }

    /// Asks the chain to finalize with t contributions that open the sums, as anyone may.
    async fn finalize(&mut self, finalized: Anchor) -> Result<(), DutyError> {
        let contributions: Vec<Contribution> = self.follower.contributions().values().cloned().collect();
        let enough = contributions.len() >= usize::from(self.served.election.manifest.threshold);
        let news = contributions.len() > self.tried || self.sent.contains_key(&Act::Finalize);
        if !enough || !news || !self.due(Act::Finalize, finalized.number) {
            return Ok(());
        }
        self.tried = contributions.len();
        let view = self.daemon.chain.tally(&self.served.eid()).await?;
        let (Some(sums), Some(turnout)) = (view.sums, view.turnout) else { return Ok(()) };
        let served = self.served.clone();
        let solution = tokio::task::spawn_blocking(move || {
            let manifest = &served.election.manifest;
            let sums = CommitmentSums::from_encodings(&sums)?;
            Ok::<_, SumError>(psephos_client::tally::solve(manifest, &sums, &turnout, &contributions))
        })
        .await??;
        let Some(solution) = solution else {
            tracing::warn!(eid = %self.served.eid(), contributions = self.tried, "no t contributions open the sums yet: at least one is wrong; waiting for others");
            return Ok(());
        };
        let finalize = Finalize { eid: self.served.eid(), contributors: solution.result.contributors };
        self.send(Act::Finalize, &Message::Finalize(finalize), finalized.number).await
    }

    fn due(&self, act: Act, height: u32) -> bool {
        self.sent.get(&act).is_none_or(|sent| height >= sent.saturating_add(SEND_AGAIN))
    }

    /// Sends a message, unless it was sent a moment ago.
    async fn send(&mut self, act: Act, message: &Message, height: u32) -> Result<(), DutyError> {
        if !self.due(act, height) {
            return Ok(());
        }
        self.sent.insert(act, height);
        let eid = self.served.eid();
        match self.daemon.chain.submit(message).await {
            Ok(()) => tracing::info!(%eid, ?act, "sent"),
            // It is in a block that is not finalized yet, or others were first.
            Err(
                ChainError::Refused(Refusal::AlreadyDone | Refusal::WrongPhase)
                | ChainError::SeenBefore
                | ChainError::Superseded,
            ) => {
                tracing::debug!(%eid, ?act, "the chain has it already");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
