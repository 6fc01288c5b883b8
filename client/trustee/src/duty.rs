//! A trustee's duty in one election, from its acceptance to its tally: looked at anew at every
//! finalized block, decided from the chain, the store and nothing else, so that a restart at any
//! moment goes on where it was.

use futures::StreamExt;
use psephos_client::{
    tally::{judge, solve},
    Chain, ChainError, FinalBlock, TrusteeEndpoints,
};
use psephos_protocol::{
    agreement::{Acceptance, AcceptedSet, SetStatement},
    bounds,
    endpoint::{Announcement, Endpoint},
    ids::{Anchor, BallotHash, Digest},
    keys::PublicKey,
    refusal::Refusal,
    state::{ElectionState, Phase},
    tally::{CommitmentSums, Contribution, Finalize, TallyError as SumError},
    wire::Message,
};
use rand_core::OsRng;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    pin::pin,
    sync::{atomic::AtomicBool, Arc},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    config::{Accept, Keys},
    elections::Served,
    evidence,
    follow::{self, FollowError, Follower},
    inbox::Inbox,
    recover::{self, Own, Recovered},
    store::{Store, StoreError},
    tally::{self, TallyError},
};

/// Finalized blocks after which a message that is not on the chain is sent again, the same bytes.
const SEND_AGAIN: u32 = 10;
/// Blocks after which a ballot that is on the chain should be here too: until then the voter's client brings it.
const LATE: u32 = 8;
/// Blocks between two searches for what is missing.
const RECOVER_AGAIN: u32 = 5;
/// Blocks after the close in which its peers may help before it says that it can't serve a ballot.
const RECOVERY: u32 = 60;
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
    /// The folder of the store, where evidence goes.
    pub data: PathBuf,
    /// Takes what its peers kept for it.
    pub inbox: Arc<Inbox<Chain>>,
    /// Which elections it accepts.
    pub accept: Accept,
    /// Where it can be reached, as it states on the chain.
    pub public_url: Option<String>,
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
    OtherSet { chain: Option<Digest>, ours: Digest },
    #[error("the chain's sums do not fit the manifest: {0}")]
    Sums(#[from] SumError),
    #[error("its address has {0} bytes, and the chain takes 256: give a shorter --public-url")]
    Address(usize),
    #[error("it has stated 255 addresses, and can't state another")]
    Moved,
    #[error("a task of this daemon broke off: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The messages that a duty sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Accept,
    Announce,
    Declare,
    Agree,
    Contribute,
    Finalize,
}

/// The ballots that count at the closing block, and those of them that are opened together.
struct Rebuilt {
    /// All that count, the excluded ones included.
    all: AcceptedSet,
    excluded: Vec<PublicKey>,
    set: Arc<AcceptedSet>,
    statement: SetStatement,
}

impl Rebuilt {
    fn new(closing: Anchor, log: Digest, all: AcceptedSet, excluded: Vec<PublicKey>) -> Self {
        let mut set = all.clone();
        excluded.iter().for_each(|credential| {
            set.exclude(credential);
        });
        let statement = tally::statement(closing, &set, log);
        Self { all, excluded, set: Arc::new(set), statement }
    }
}

/// The search for what this trustee missed or lost.
#[derive(Default)]
struct Recovery {
    task: Option<JoinHandle<Result<Recovered, StoreError>>>,
    /// Ballots whose stored share is no good any more.
    damaged: BTreeSet<BallotHash>,
    /// The block after which it is begun again.
    again: u32,
    /// Whether one came to its end since the close.
    tried: bool,
}

/// The duty in one election.
pub struct Duty {
    daemon: Arc<Daemon>,
    served: Arc<Served>,
    follower: Follower,
    /// The set at the closing block, once rebuilt.
    set: Option<Rebuilt>,
    recovery: Recovery,
    sent: BTreeMap<Act, u32>,
    /// Whether the chain has this trustee's address.
    announced: bool,
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
        Self {
            daemon,
            served,
            follower,
            set: None,
            recovery: Recovery::default(),
            sent: BTreeMap::new(),
            announced: false,
            tried: 0,
            said: String::new(),
        }
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
                        DutyError::Follow(
                            FollowError::Gap { .. }
                                | FollowError::Sequence { .. }
                                | FollowError::Unproved { .. }
                        )
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
        // Both proved: a node can't show this trustee a set that is not final, or another close.
        let block = self.daemon.chain.proved_final().await?;
        let (finalized, state) = (block.anchor(), block.election(&self.served.eid()).await?);
        match state.phase {
            // It says where it is before it accepts, so that voters find all trustees once registration begins.
            Phase::Setup if self.daemon.accept.accepts(&self.served.eid()) => {
                if self.announce(finalized).await? {
                    self.accept(&state, finalized).await?;
                }
            }
            Phase::Setup => self.accept(&state, finalized).await?,
            Phase::Registration | Phase::Frozen => drop(self.announce(finalized).await?),
            Phase::Open => {
                self.announce(finalized).await?;
                self.follow_to(finalized).await?;
                self.recover(finalized.number, finalized.number.saturating_sub(LATE)).await?;
            }
            Phase::Closed | Phase::Agreed => self.tally(&state, &block).await?,
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

    /// Reads the blocks up to this one, which is final or has a final one after it.
    async fn follow_to(&mut self, end: Anchor) -> Result<(), DutyError> {
        let last = end.number;
        if self.follower.next() > last {
            return Ok(());
        }
        let mut blocks = pin!(self.daemon.chain.follow_finalized(self.follower.next()));
        while self.follower.next() <= last {
            let Some(block) = blocks.next().await else { return Ok(()) };
            let (block, served) = (block?, self.served.clone());
            let (anchor, parent) = (block.anchor, block.parent);
            let facts = tokio::task::spawn_blocking(move || follow::read(&served, &block)).await??;
            let board = &self.served.election.manifest.board;
            self.follower.apply(board, anchor, parent, facts)?;
            if anchor.number % PROGRESS == 0 {
                tracing::info!(eid = %self.served.eid(), block = anchor.number, last, "reading blocks");
            }
        }
        self.follower.ends_with(end)?;
        Ok(())
    }

    async fn tally(&mut self, state: &ElectionState, block: &FinalBlock) -> Result<(), DutyError> {
        let finalized = block.anchor();
        if !self.served.takes_part() && self.sent.insert(Act::Declare, finalized.number).is_none() {
            tracing::info!(eid = %self.served.eid(), "this is a rehearsal in which this trustee is held back: it declares, signs and contributes nothing, as if it were away, and the others must do without it");
        }
        // The block after the closing one names it.
        let Some(closing) = state.closing else { return self.follow_to(finalized).await };
        if self.set.is_none() {
            self.rebuild(closing, state, block).await?;
        }
        self.follow_to(finalized).await?;
        self.recover(finalized.number, u32::MAX).await?;
        let Some((statement, set)) = self.set_without_excluded() else { return Ok(()) };
        if state.phase == Phase::Closed {
            self.declare(closing, finalized).await?;
        }
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
            // Before t trustees have said of each ballot that they serve it, the set may still change.
            if self.follower.declarations().settled(&self.served.election.manifest) {
                self.agree(statement, finalized).await?;
            }
            return Ok(());
        }
        if state.agreed != Some(statement) {
            let chain = state.agreed.map(|agreed| agreed.root);
            return Err(DutyError::OtherSet { chain, ours: statement.root });
        }
        // Contributions of others may suffice where this trustee can't contribute.
        let contributed = self.contribute(statement, set.clone(), finalized).await;
        if self.daemon.finalize {
            self.finalize(&set, finalized).await?;
        }
        contributed
    }

    /// Rebuilds the accepted set at the closing block.
    async fn rebuild(
        &mut self,
        closing: Anchor,
        state: &ElectionState,
        block: &FinalBlock,
    ) -> Result<(), DutyError> {
        self.follow_to(closing).await?;
        let served = self.served.clone();
        let all = self.follower.accepted_set(&served.election, block, closing, state).await?;
        let rebuilt = Rebuilt::new(closing, state.ballot_log, all, Vec::new());
        let SetStatement { root, ballots, .. } = rebuilt.statement;
        tracing::info!(eid = %served.eid(), block = closing.number, ballots, %root, "the accepted set is rebuilt from finalized blocks");
        let (store, complete) = (self.daemon.store.clone(), rebuilt.set.clone());
        tokio::task::spawn_blocking(move || tally::report_missing(&store, &served, &complete)).await??;
        self.set = Some(rebuilt);
        self.recovery.tried = false;
        self.recovery.again = 0;
        Ok(())
    }

    /// The set without the ballots that too few trustees can serve.
    fn set_without_excluded(&mut self) -> Option<(SetStatement, Arc<AcceptedSet>)> {
        let manifest = &self.served.election.manifest;
        let excluded = self.follower.declarations().excluded(manifest);
        let rebuilt = self.set.take()?;
        let rebuilt = if rebuilt.excluded == excluded {
            rebuilt
        } else {
            for credential in &excluded {
                let without = self.follower.declarations().without(credential);
                tracing::warn!(eid = %self.served.eid(), %credential, ?without, "a ballot is excluded: these trustees can't serve it");
            }
            Rebuilt::new(rebuilt.statement.closing, rebuilt.statement.log, rebuilt.all, excluded)
        };
        let Rebuilt { statement, set, .. } = self.set.insert(rebuilt);
        Some((*statement, set.clone()))
    }

    /// Looks for what is missing here of the ballots that were accepted up to block `until`, and goes on with what was
    /// begun.
    async fn recover(&mut self, height: u32, until: u32) -> Result<(), DutyError> {
        if let Some(task) = self.recovery.task.take_if(|task| task.is_finished()) {
            let recovered = task.await??;
            self.recovery.tried = self.set.is_some();
            let (eid, Recovered { fetched, repaired, missing, reasons }) = (self.served.eid(), recovered);
            if missing > 0 {
                let reasons = reasons.into_iter().collect::<Vec<_>>().join("; ");
                tracing::warn!(%eid, fetched, repaired, missing, reasons, "shares are still missing; trying again");
            } else if fetched > 0 || repaired > 0 {
                tracing::info!(%eid, fetched, repaired, "this trustee has come to the shares that it missed");
                self.recovery.damaged.clear();
            }
        }
        if self.recovery.task.is_some() || height < self.recovery.again {
            return Ok(());
        }
        let eid = self.served.eid();
        let damaged = self.recovery.damaged.clone();
        let mut wanted: Vec<BallotHash> = damaged.iter().copied().collect();
        let missing = self.follower.missing(&self.daemon.store, &eid, until)?;
        wanted.extend(missing.iter().map(|(_, ballot)| ballot));
        if wanted.is_empty() {
            return Ok(());
        }
        self.recovery.again = height.saturating_add(RECOVER_AGAIN);
        tracing::info!(%eid, ballots = wanted.len(), "asks its peers for what it missed");
        let stated = TrusteeEndpoints::stated(&self.daemon.chain, &eid).await?;
        let peers = stated.peers(&self.served.election, self.served.index);
        if peers.is_empty() {
            tracing::warn!(%eid, "no other trustee has stated its address on the chain");
        }
        let Daemon { keys, store, inbox, stop, .. } = &*self.daemon;
        let (keys, store, inbox, stop) = (keys.clone(), store.clone(), inbox.clone(), stop.clone());
        let own = Own { keys, store, inbox, served: self.served.clone(), stop };
        self.recovery.task = Some(tokio::spawn(recover::recover(own, peers, wanted, damaged)));
        Ok(())
    }

    /// Says what it can't serve: at once if that is nothing, otherwise once its peers had their time to help.
    async fn declare(&mut self, closing: Anchor, finalized: Anchor) -> Result<(), DutyError> {
        let eid = self.served.eid();
        let missing = self.follower.missing(&self.daemon.store, &eid, u32::MAX)?;
        let waited = finalized.number >= closing.number.saturating_add(RECOVERY) && self.recovery.tried;
        if !missing.is_empty() && !waited {
            return Ok(());
        }
        let Daemon { store, keys, .. } = &*self.daemon;
        let declaration = tally::declare(store, keys, &self.served, &self.follower, closing, &missing)?;
        if let Some(declaration) = declaration {
            self.send(Act::Declare, &Message::Declare(declaration), finalized.number).await?;
        }
        Ok(())
    }

    /// States on the chain where this trustee can be reached. Gives whether that stands there.
    async fn announce(&mut self, finalized: Anchor) -> Result<bool, DutyError> {
        let Some(url) = &self.daemon.public_url else { return Ok(true) };
        if self.announced {
            return Ok(true);
        }
        let eid = self.served.eid();
        let stated = self.daemon.chain.endpoints(&eid).await?;
        let stated = stated.into_iter().find(|(trustee, _)| *trustee == self.served.index);
        let before = stated.as_ref().map_or(0, |(_, endpoint)| endpoint.number);
        if stated.is_some_and(|(_, endpoint)| endpoint.url.as_slice() == url.as_bytes()) {
            self.announced = true;
            return Ok(true);
        }
        let url = bounds::text(url).map_err(DutyError::Address)?;
        let endpoint = Endpoint { number: before.checked_add(1).ok_or(DutyError::Moved)?, url };
        let (election, keys) = (&self.served.election, &self.daemon.keys);
        let made = Announcement::sign(election, self.served.index, &keys.signing, endpoint, &mut OsRng);
        self.send(Act::Announce, &Message::Announce(made), finalized.number).await?;
        Ok(false)
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
        if let Err(TallyError::Damaged { ballots, .. }) = &contribution {
            self.recovery.damaged.extend(ballots);
        }
        if let Some(contribution) = contribution? {
            self.send(Act::Contribute, &Message::Contribute(contribution), finalized.number).await?;
        }
        Ok(())
    }

    /// Asks the chain to finalize with t contributions that open the sums, as anyone may.
    async fn finalize(&mut self, set: &Arc<AcceptedSet>, finalized: Anchor) -> Result<(), DutyError> {
        let contributions: Vec<Contribution> = self.follower.contributions().values().cloned().collect();
        let enough = contributions.len() >= usize::from(self.served.election.manifest.threshold);
        let news = contributions.len() > self.tried || self.sent.contains_key(&Act::Finalize);
        if !enough || !news || !self.due(Act::Finalize, finalized.number) {
            return Ok(());
        }
        self.tried = contributions.len();
        let cells = self.follower.cells(&self.served.election.manifest, set)?;
        let view = self.daemon.chain.tally(&self.served.eid()).await?;
        let (Some(sums), Some(turnout)) = (view.sums, view.turnout) else { return Ok(()) };
        let (served, daemon, set) = (self.served.clone(), self.daemon.clone(), set.clone());
        let solution = tokio::task::spawn_blocking(move || {
            let manifest = &served.election.manifest;
            let sums = CommitmentSums::from_encodings(&sums)?;
            let solution = solve(manifest, &cells, &sums, &turnout, &contributions);
            let agree = solution.as_ref().is_some_and(|solution| {
                judge(manifest, &solution.result, &contributions).consistent.len() == contributions.len()
            });
            let Daemon { store, stop, .. } = &*daemon;
            let wrong = match agree {
                true => Vec::new(),
                false => tally::wrong_contributions(store, &served, &set, &cells, &contributions, stop)?,
            };
            if !wrong.is_empty() {
                evidence::accuse(store, &daemon.data, &served.eid(), &set, &wrong);
            }
            Ok::<_, DutyError>(solution)
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
