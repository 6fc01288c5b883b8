//! Casting (spec 5.7 and 6.5): sign, hand the shares to the trustees, submit, and see it recorded.

use bounded_collections::BoundedVec;
use codec::Encode;
use futures::StreamExt;
use psephos_protocol::{
    ballot::{Ballot, CastBallot, Prepared, SignedBallot, TrackingCode},
    election::Election,
    ids::{Anchor, BallotHash, Digest},
    keys::SigningKey,
    receipt::Receipt,
    wire::Message,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{SealedBallot, VoterError, VoterReceipt, Voting};
use crate::{
    election::explain_phase,
    endpoints::{TrusteeClient, TrusteeError},
    error::ChainError,
    finality::FinalBlock,
    submit::{casts, STALL},
};

/// How long receipts are waited for.
const COLLECT: Duration = Duration::from_secs(60);
/// Attempts with a trustee before the voter is told that receipts can't be had.
const ATTEMPTS: u32 = 3;
/// The pause after the first failed attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// For how long shares are offered to trustees that were away, after the ballot was cast.
const DELIVER: Duration = Duration::from_secs(10 * 60);
/// Finalized blocks that are waited for beyond a ballot's expiry.
const BEYOND_EXPIRY: u32 = 8;

/// A vote that is recorded for good, and the deliveries that may still be under way.
pub struct RecordedVote {
    /// What the voter keeps.
    pub receipt: VoterReceipt,
    /// The trustees' shares; they go on in the background for ten minutes while the program runs.
    pub deliveries: Deliveries,
}

/// What a trustee said to its deposit.
type Outcome = (u8, Result<Receipt, TrusteeError>);

/// Where a trustee's share is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The trustee has it.
    Taken,
    /// The trustee was away; these others keep it, sealed, until it is back.
    Left(Vec<u8>),
}

/// The delivery of shares to all trustees. Dropping it lets it go on in the background.
pub struct Deliveries(Vec<(u8, JoinHandle<Result<Delivered, TrusteeError>>)>);

impl Deliveries {
    /// Waits for all deliveries, at most this long: per trustee where its share is, or none if that is still
    /// open.
    pub async fn finish(self, within: Duration) -> Vec<(u8, Option<Result<Delivered, TrusteeError>>)> {
        let end = tokio::time::Instant::now() + within;
        let mut outcomes = Vec::new();
        for (trustee, task) in self.0 {
            let outcome = tokio::time::timeout_at(end, task).await.ok().and_then(Result::ok);
            outcomes.push((trustee, outcome));
        }
        outcomes
    }

    fn stop(&self) {
        self.0.iter().for_each(|(_, task)| task.abort());
    }
}

impl Voting {
    /// Casts a prepared ballot: [`Self::seal`], then [`Self::send`].
    ///
    /// # Errors
    /// As theirs.
    pub async fn cast(
        &self,
        prepared: Prepared,
        credential: &SigningKey,
    ) -> Result<RecordedVote, VoterError> {
        self.send(&self.seal(prepared, credential).await?).await
    }

    /// Deposits every trustee's share with all of them at once, submits the ballot with the first q receipts,
    /// waits until it is final, and sees it recorded by proofs of both. Sending it again does no harm: what was cut off,
    /// wherever, goes on.
    ///
    /// # Errors
    /// [`VoterError::TooFewReceipts`] naming each trustee, in which case nothing was cast;
    /// [`VoterError::Chain`] with the chain's reason, [`VoterError::Lapsed`] when sending it again is of no use;
    /// [`VoterError::NotRecorded`].
    pub async fn send(&self, sealed: &SealedBallot) -> Result<RecordedVote, VoterError> {
        let (statement, hash) = (&sealed.ballot.ballot.statement, sealed.hash());
        let (deliveries, outcomes) = self.deliver(hash, sealed);
        let accepted = match self.hand_in(&sealed.ballot, outcomes).await {
            Err(error) => self.sent_before(&sealed.ballot.ballot, error).await,
            accepted => accepted,
        };
        let Accepted { anchor, trustees, proved } = match accepted {
            Err(error @ (VoterError::TooFewReceipts { .. } | VoterError::Lapsed(_))) => {
                deliveries.stop();
                return Err(error);
            }
            accepted => accepted?,
        };
        let recorded = proved.ballot(&statement.eid, &statement.credential).await?;
        match recorded.map(|ballot| ballot.hash) {
            Some(recorded) if recorded == hash => {}
            recorded => {
                let block = proved.anchor().number;
                return Err(VoterError::NotRecorded { cast: hash, recorded, block });
            }
        }
        let receipt = VoterReceipt {
            eid: statement.eid,
            credential: statement.credential,
            sequence: statement.sequence,
            ballot: hash,
            tracking_code: TrackingCode::of(&hash),
            block: anchor.number,
            block_hash: Digest(anchor.hash),
            trustees,
        };
        Ok(RecordedVote { receipt, deliveries })
    }

    /// Waits for q receipts, submits the ballot with them, and waits until it is final.
    async fn hand_in(
        &self,
        signed: &SignedBallot,
        outcomes: mpsc::UnboundedReceiver<Outcome>,
    ) -> Result<Accepted, VoterError> {
        let receipts = collect(self.election().manifest.quorum, self.trustees().len(), outcomes).await?;
        let statement = &signed.ballot.statement;
        let receipts = BoundedVec::truncate_from(receipts);
        let message = Message::Cast(CastBallot { signed: signed.clone(), receipts });
        let left = statement.expiry.saturating_sub(statement.anchor.number).saturating_add(BEYOND_EXPIRY);
        match self.chain().settle(&message, left).await {
            Ok((anchor, message)) => {
                let proved = self.chain().proved_to_include(&anchor).await?;
                Ok(Accepted { anchor, trustees: vouchers(&message), proved })
            }
            Err(error) => Err(explain_phase(self.chain(), &statement.eid, "Open", error).await.into()),
        }
    }

    /// Where a ballot is that could not be sent now, because an attempt before this one came as far as the
    /// chain; otherwise the error, as [`VoterError::Lapsed`] if the ballot can't be recorded any more.
    async fn sent_before(&self, ballot: &Ballot, error: VoterError) -> Result<Accepted, VoterError> {
        let (chain, statement) = (self.chain(), &ballot.statement);
        let (eid, credential) = (&statement.eid, &statement.credential);
        let voter = chain.at_best().voter(eid, credential).await?;
        if voter.is_some_and(|voter| voter.sequence >= statement.sequence) {
            chain.best_finalized().await?;
        }
        // Whatever node answers: the blocks up to one in which no place is left for this ballot decide.
        let proved = chain.proved_final().await?;
        let recorded = proved.ballot(eid, credential).await?;
        let is_over = recorded.is_some_and(|recorded| recorded.caster.sequence >= statement.sequence)
            || proved.anchor().number >= statement.expiry;
        if !is_over {
            return Err(error);
        }
        match self.find(ballot, &proved).await? {
            Some((anchor, trustees)) => Ok(Accepted { anchor, trustees, proved }),
            None => Err(VoterError::Lapsed(Box::new(error))),
        }
    }

    /// The block with the ballot, and the trustees whose receipts it carries there. All blocks that could have it are
    /// read, up to one that is proved to be final.
    async fn find(
        &self,
        ballot: &Ballot,
        proved: &FinalBlock,
    ) -> Result<Option<(Anchor, Vec<u8>)>, ChainError> {
        let first = ballot.statement.anchor.number.saturating_add(1);
        let last = proved.anchor().number.min(ballot.statement.expiry);
        let mut blocks = pin!(self.chain().follow_finalized(first).take((first..=last).count()));
        let late = |_| ChainError::Stalled { height: last, seconds: STALL.as_secs() };
        let (mut found, mut end) = (None, None);
        while let Some(block) = timeout(STALL, blocks.next()).await.map_err(late)? {
            let block = block?;
            end = Some(block.anchor);
            if let Some(message) = block.messages.iter().find(|message| casts(message, ballot)) {
                found = Some((block.anchor, vouchers(message)));
                break;
            }
        }
        // Each block names the one before, so that the last one stands for all that were read.
        if let Some(end) = end {
            proved.require(&end).await?;
        }
        Ok(found)
    }

    /// Starts all deliveries. The channel tells the outcome of every attempt.
    fn deliver(
        &self,
        ballot: BallotHash,
        sealed: &SealedBallot,
    ) -> (Deliveries, mpsc::UnboundedReceiver<Outcome>) {
        let (sender, outcomes) = mpsc::unbounded_channel();
        let tasks = self
            .trustees()
            .iter()
            .filter_map(|client| {
                let trustee = client.trustee();
                let deposit = hex::encode(sealed.deposit(trustee)?.encode());
                let others = self.trustees().iter().filter(|other| other.trustee() != trustee).cloned();
                let delivery = Delivery {
                    client: client.clone(),
                    others: others.collect(),
                    election: self.shared.election.clone(),
                    ballot,
                    deposit,
                };
                Some((trustee, tokio::spawn(delivery.carry_out(sender.clone()))))
            })
            .collect();
        (Deliveries(tasks), outcomes)
    }
}

/// A ballot that is in a finalized block.
struct Accepted {
    anchor: Anchor,
    /// The trustees whose receipts it carries.
    trustees: Vec<u8>,
    /// That block or one after it, proved to be final.
    proved: FinalBlock,
}

/// The trustees whose receipts a ballot carries.
fn vouchers(message: &Message) -> Vec<u8> {
    match message {
        Message::Cast(cast) => cast.receipts.iter().map(|receipt| receipt.trustee).collect(),
        _ => Vec::new(),
    }
}

/// A deposit on its way to its trustee.
struct Delivery {
    client: TrusteeClient,
    /// The other trustees, who keep it if this one is away.
    others: Vec<TrusteeClient>,
    election: Arc<Election>,
    ballot: BallotHash,
    deposit: String,
}

impl Delivery {
    /// Offers the deposit to its trustee until it takes or refuses it for good, and leaves it with the others
    /// when it does not answer. With enough of them, one honest one is among them: no more is needed then.
    async fn carry_out(self, outcomes: mpsc::UnboundedSender<Outcome>) -> Result<Delivered, TrusteeError> {
        let Self { client, others, election, ballot, deposit } = self;
        let (quorum, threshold) = (election.manifest.quorum, election.manifest.threshold);
        let enough = usize::from(quorum.saturating_sub(threshold)).saturating_add(1);
        let mut left = BTreeSet::new();
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = client.deposit(&election, &ballot, &deposit).await;
            let error = outcome.as_ref().err().cloned();
            // Nobody listens any more once q receipts are there.
            let _ = outcomes.send((client.trustee(), outcome));
            let Some(error) = error else { return Ok(Delivered::Taken) };
            tracing::debug!(%ballot, %error, "deposit");
            if !error.is_passing() {
                return Err(error);
            }
            let asked: Vec<&TrusteeClient> =
                others.iter().filter(|other| !left.contains(&other.trustee())).collect();
            let answers = asked.iter().map(|other| other.leave(client.trustee(), &deposit));
            for (other, answer) in asked.iter().zip(futures::future::join_all(answers).await) {
                match answer {
                    Ok(()) => drop(left.insert(other.trustee())),
                    Err(error) => tracing::debug!(%ballot, %error, "leaving a deposit"),
                }
            }
            if left.len() >= enough {
                return Ok(Delivered::Left(left.into_iter().collect()));
            }
            if start.elapsed() > DELIVER {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// Waits for q receipts, and gives up as soon as they can't come.
async fn collect(
    quorum: u8,
    trustees: usize,
    mut outcomes: mpsc::UnboundedReceiver<Outcome>,
) -> Result<Vec<Receipt>, VoterError> {
    let needed = usize::from(quorum);
    let mut receipts: BTreeMap<u8, Receipt> = BTreeMap::new();
    let mut failures: BTreeMap<u8, (u32, TrusteeError)> = BTreeMap::new();
    let end = tokio::time::Instant::now() + COLLECT;
    while receipts.len() < needed {
        let hopeless =
            failures.values().filter(|(attempts, error)| *attempts >= ATTEMPTS || !error.is_passing());
        if trustees - hopeless.count().min(trustees) < needed {
            break;
        }
        match tokio::time::timeout_at(end, outcomes.recv()).await {
            Ok(Some((trustee, Ok(receipt)))) => {
                failures.remove(&trustee);
                receipts.insert(trustee, receipt);
            }
            Ok(Some((trustee, Err(error)))) => {
                let attempts = failures.get(&trustee).map_or(0, |(attempts, _)| *attempts);
                failures.insert(trustee, (attempts.saturating_add(1), error));
            }
            Ok(None) | Err(_) => break,
        }
    }
    if receipts.len() < needed {
        let failures = failures.into_values().map(|(_, error)| error).collect();
        return Err(VoterError::TooFewReceipts { got: receipts.len(), quorum, failures });
    }
    Ok(receipts.into_values().take(needed).collect())
}
