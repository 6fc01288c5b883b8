//! The inbox (spec 5.8): what a trustee checks before it vouches for a ballot, cheap checks first.
//!
//! Lengths; an election it serves; the same ballot before; phase and expiry; the roll; the quota;
//! the credential's signature; the ballot's proof; the envelope; the share's equation under its own
//! random weights. Then the deposit is on the disk, and only then there is a receipt.
//!
//! **Floods.** An outsider costs a place in a question to the node, which all deposits that wait share ([`crate::roll`]);
//! they come over a bounded number of connections. A voter gets 32 receipts and [`MAX_FAULTS`] ballots that the voter's own key signed and whose proof is wrong;
//! proofs are checked on all cores in batches ([`crate::check`]), the others wait.

use psephos_client::ChainError;
use psephos_protocol::{
    ballot::TrackingCode,
    bounds::{MAX_BALLOTS_PER_CREDENTIAL, SEQUENCE_WINDOW},
    envelope::Deposit,
    ids::{BallotHash, Eid},
    keys::PublicKey,
    receipt::Receipt,
    refusal::Refusal,
    state::{Phase, Voter},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    check::{Checker, Fault, Unchecked},
    config::Keys,
    elections::{Elections, Served, View},
    metrics::Metrics,
    roll::Roll,
    store::{Deposited, Keep, Store, StoreError},
};

/// Wrong ballots signed by one credential that are looked at, until the daemon starts anew.
pub const MAX_FAULTS: u8 = 8;

/// Why a deposit gets no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DepositError {
    /// It is refused.
    #[error("{refusal}: {detail}")]
    Refused {
        /// The reason.
        refusal: Refusal,
        /// Which field, and what it should be.
        detail: String,
    },
    /// The chain could not be asked.
    #[error(
        "this trustee can't reach the chain now; ask the other trustees and try this one again later: {0}"
    )]
    Chain(#[from] ChainError),
    /// The daemon is stopping.
    #[error("this trustee is stopping; try again when it is back")]
    Stopping,
}

pub(crate) fn refused(refusal: Refusal, detail: impl Into<String>) -> DepositError {
    DepositError::Refused { refusal, detail: detail.into() }
}

impl DepositError {
    /// Whether the same deposit may be taken later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => *refusal == Refusal::Storage,
            Self::Chain(_) | Self::Stopping => true,
        }
    }
}

impl From<StoreError> for DepositError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Quota => refused(Refusal::Quota, error.to_string()),
            error => {
                // The file's path is the operator's business.
                tracing::error!(%error, "a deposit could not be kept");
                refused(Refusal::Storage, "its store failed")
            }
        }
    }
}

/// A trustee's inbox.
pub struct Inbox<V> {
    view: Arc<V>,
    roll: Roll,
    checker: Checker,
    store: Arc<Store>,
    elections: Arc<Elections>,
    faults: Mutex<BTreeMap<(Eid, PublicKey), u8>>,
    metrics: Metrics,
}

impl<V: View> Inbox<V> {
    /// An inbox over a store, for these elections. Its roll is a task of the runtime that this is called in.
    #[must_use]
    pub fn new(
        view: V,
        keys: Arc<Keys>,
        store: Arc<Store>,
        elections: Arc<Elections>,
        metrics: Metrics,
    ) -> Self {
        let view = Arc::new(view);
        let (roll, checker) = (Roll::start(view.clone()), Checker::start(keys));
        Self { view, roll, checker, store, elections, faults: Mutex::default(), metrics }
    }

    /// The last finalized height, for receipts.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.elections.finalized().number
    }

    /// Checks a deposit, keeps it, and vouches for it. The same ballot gets the same receipt.
    ///
    /// # Errors
    /// The first check that fails, or that it can't be kept.
    pub async fn deposit(&self, bytes: &[u8]) -> Result<Receipt, DepositError> {
        let deposit = Deposit::from_bytes(bytes)
            .map_err(|error| refused(Refusal::MalformedBallot, format!("deposit: {error}")))?;
        let statement = &deposit.ballot.ballot.statement;
        let (eid, credential) = (statement.eid, statement.credential);
        let served = self.elections.get(&eid).filter(|served| served.accepted()).ok_or_else(|| {
            refused(Refusal::NotServing, format!("eid {eid}: it is not among the elections of its status"))
        })?;
        let ballot = deposit.ballot.ballot.hash();
        if let Some(before) = self.store.deposited(&eid, &ballot)? {
            return Ok(before.receipt);
        }
        self.metrics.timed("roll", self.check_eligible(&served, &deposit, &ballot)).await?;
        self.check_quota(&eid, &credential)?;
        let receipt = self.metrics.timed("check", self.verify(served, deposit, ballot)).await?;
        let deposited = Deposited { deposit: bytes.to_vec(), receipt };
        let keep = Keep { eid, ballot, credential, deposited };
        let receipt = self.metrics.timed("store", self.store.keep(keep)).await?;
        tracing::debug!(%eid, code = %TrackingCode::of(&ballot), "receipt given");
        Ok(receipt)
    }

    /// Phase, expiry, roll, style and sequence. A ballot that the chain has accepted is taken late, so that a
    /// trustee that was away comes to its share.
    async fn check_eligible(
        &self,
        served: &Served,
        deposit: &Deposit,
        ballot: &BallotHash,
    ) -> Result<(), DepositError> {
        let statement = &deposit.ballot.ballot.statement;
        let phase = served.state().phase;
        if !matches!(phase, Phase::Open | Phase::Closed | Phase::Agreed) {
            return Err(refused(
                Refusal::WrongPhase,
                format!("this needs Open, and the election is {phase}"),
            ));
        }
        let voter = self.roll.voter(served.eid(), statement.credential).await?.ok_or_else(|| {
            refused(Refusal::NotOnRoll, format!("credential {}: register it first", statement.credential))
        })?;
        if statement.style != voter.style {
            return Err(refused(
                Refusal::WrongStyle,
                format!("style {}: it should be {}", statement.style, voter.style),
            ));
        }
        let Err(error) = check_new(served, deposit, &voter, phase, self.elections.finalized().number) else {
            return Ok(());
        };
        let may_be_recorded = statement.sequence == voter.sequence;
        if may_be_recorded && self.view.recorded(&served.eid(), &statement.credential).await? == Some(*ballot)
        {
            return Ok(());
        }
        Err(error)
    }

    fn check_quota(&self, eid: &Eid, credential: &PublicKey) -> Result<(), DepositError> {
        if self.store.receipts_given(eid, credential)? >= MAX_BALLOTS_PER_CREDENTIAL {
            return Err(StoreError::Quota.into());
        }
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.get(&(*eid, *credential)).is_some_and(|faults| *faults >= MAX_FAULTS) {
            let detail =
                format!("credential {credential}: it has signed {MAX_FAULTS} ballots that do not verify");
            return Err(refused(Refusal::Quota, detail));
        }
        Ok(())
    }

    /// The costly checks, and the receipt that stands if the deposit is kept.
    async fn verify(
        &self,
        served: Arc<Served>,
        deposit: Deposit,
        ballot: BallotHash,
    ) -> Result<Receipt, DepositError> {
        let key = (served.eid(), deposit.ballot.ballot.statement.credential);
        let height = self.elections.finalized().number;
        let unchecked = Unchecked { served, deposit, ballot, height };
        let checked = self.checker.check(unchecked).await.ok_or(DepositError::Stopping)?;
        checked.map_err(|fault| match fault {
            Fault::Sender(refusal, detail) => refused(refusal, detail),
            Fault::Voter(refusal, detail) => {
                let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
                let count = faults.entry(key).or_default();
                *count = count.saturating_add(1);
                refused(refusal, detail)
            }
        })
    }
}

/// What only a ballot must pass that the chain has not accepted yet.
fn check_new(
    served: &Served,
    deposit: &Deposit,
    voter: &Voter,
    phase: Phase,
    height: u32,
) -> Result<(), DepositError> {
    let statement = &deposit.ballot.ballot.statement;
    if phase != Phase::Open {
        let detail =
            format!("this needs Open, and the election is {phase}; only accepted ballots are taken now");
        return Err(refused(Refusal::WrongPhase, detail));
    }
    if statement.expiry < height {
        return Err(refused(
            Refusal::Expired,
            format!("expiry {}: block {height} is finalized", statement.expiry),
        ));
    }
    if voter.ballots >= served.election.manifest.max_ballots {
        return Err(refused(Refusal::TooManyBallots, format!("{} were accepted", voter.ballots)));
    }
    let step = statement.sequence.saturating_sub(voter.sequence);
    if step == 0 || step > SEQUENCE_WINDOW {
        let detail = format!(
            "sequence {}: that of the last accepted ballot is {}",
            statement.sequence, voter.sequence
        );
        return Err(refused(Refusal::WrongSequence, detail));
    }
    Ok(())
}
