//! Sending prepared ballots: at a rate, or as fast as a window of ballots under way allows.

use futures::{future::join_all, stream, StreamExt};
use psephos_client::{
    endpoints::{TrusteeClient, TrusteeError},
    Chain, ChainError,
};
use psephos_protocol::{
    election::Election,
    ids::{Anchor, BallotHash},
    receipt::Receipt,
    wire::Message,
};
use std::{
    pin::pin,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    ledger::Ledger,
    ready::{Reader, Ready},
};
use crate::error::CliError;

/// Ballots read at a time, and how many times that ahead.
const READ: usize = 64;
const AHEAD: usize = 16;
/// Requests under way over one connection.
const PER_CONNECTION: usize = 64;
/// How often a full window is looked at.
const FULL: Duration = Duration::from_millis(10);
/// The pause before a ballot is offered again, and how often it is.
const AGAIN: Duration = Duration::from_secs(1);
const TIMES: u32 = 60;
/// JSON-RPC code of a node that wants fewer calls over a connection.
const TOO_MANY_CALLS: i32 = -32_999;
/// Characters of a node's message that tell reasons apart.
const REASON: usize = 80;

/// How fast ballots are sent.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When sending starts.
    pub start: Instant,
    /// When it ends at the latest.
    pub end: Instant,
    /// Ballots per second; as fast as they go if none.
    pub rate: Option<f64>,
    /// Ballots under way, at most.
    pub window: usize,
}

impl Pace {
    /// When the item in that place is due.
    #[must_use]
    pub fn due(&self, place: u64) -> Option<Instant> {
        self.rate.map(|rate| self.start + Duration::from_secs_f64(place as f64 / rate))
    }

    /// Waits for the turn of a ballot: when it was due, or none when sending has ended.
    async fn turn(&self, place: u64, ledger: &Ledger) -> Option<Instant> {
        let due = self.due(place);
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        while ledger.entries().under_way.len() >= self.window && Instant::now() < self.end {
            sleep(FULL).await;
        }
        let now = Instant::now();
        (now < self.end).then_some(due.unwrap_or(now))
    }
}

/// Those to whom ballots are sent.
pub struct Sender {
    /// The connections, used in turn.
    pub chains: Vec<Chain>,
    /// The election.
    pub election: Election,
    /// Real trustees, if there are any.
    pub trustees: Vec<TrusteeClient>,
    /// What is known of the ballots.
    pub ledger: Arc<Ledger>,
}

/// How far a file of ballots was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Ballots of it.
    pub ballots: u64,
    /// Where in the file the next one is.
    pub next: u64,
}

impl Sender {
    /// Sends ballots until they or the time are over, and waits for the answers.
    ///
    /// # Errors
    /// [`CliError::Input`] when the file is damaged.
    pub async fn send(
        &self,
        mut reader: Reader,
        pace: &Pace,
        height: &watch::Receiver<Anchor>,
    ) -> Result<Sent, CliError> {
        let (ahead, mut ballots) = mpsc::channel(AHEAD);
        let (ballots_sent, next) = (AtomicU64::new(0), AtomicU64::new(reader.position()));
        let reading = tokio::task::spawn_blocking(move || loop {
            let mut some = Vec::with_capacity(READ);
            while let Some(ready) = (some.len() < READ).then(|| reader.next()).transpose()?.flatten() {
                some.push((ready, reader.position()));
            }
            if some.is_empty() || ahead.blocking_send(some).is_err() {
                return Ok::<_, CliError>(());
            }
        });
        // The stream owns the receiver: when the time is over, it goes, and the reader ends.
        let ballots = stream::poll_fn(move |task| ballots.poll_recv(task)).flat_map(stream::iter).enumerate();
        stream::unfold(pin!(ballots), |mut ballots| async move {
            let (place, (ready, position)): (usize, (Ready, u64)) = ballots.next().await?;
            let place = place as u64;
            let due = pace.turn(place, &self.ledger).await?;
            Some(((place, due, ready, position), ballots))
        })
        .for_each_concurrent(self.chains.len() * PER_CONNECTION, |(place, due, ready, position)| {
            ballots_sent.fetch_add(1, Ordering::Relaxed);
            next.fetch_max(position, Ordering::Relaxed);
            self.cast(place, due, ready, height)
        })
        .await;
        reading.await.map_err(CliError::input)??;
        Ok(Sent { ballots: ballots_sent.into_inner(), next: next.into_inner() })
    }

    /// Sends one ballot: to the trustees first, if they are real.
    async fn cast(&self, place: u64, due: Instant, ready: Ready, height: &watch::Receiver<Anchor>) {
        if ready.expiry() <= height.borrow().number {
            self.ledger.entries().expired += 1;
            return;
        }
        let ballot = ready.ballot;
        self.ledger.send(ballot, due);
        let receipts = match self.trustees.is_empty() {
            true => Ok(ready.receipts.clone()),
            false => self.receipts(&ballot, ready.deposits()).await,
        };
        let outcome = match receipts {
            Ok(receipts) => self.submit(place, &ready.message(receipts)).await,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = outcome {
            self.ledger.refuse(&ballot, reason);
        }
    }

    /// Deposits with all trustees and gives the first q receipts; else why the first trustee gave none.
    async fn receipts(&self, ballot: &BallotHash, deposits: Vec<String>) -> Result<Vec<Receipt>, String> {
        let asked = self.trustees.iter().zip(&deposits).map(|(trustee, deposit)| async move {
            for _ in 0..TIMES {
                match trustee.deposit(&self.election, ballot, deposit).await {
                    Err(error) if error.is_passing() => self.pause().await,
                    outcome => return outcome,
                }
            }
            trustee.deposit(&self.election, ballot, deposit).await
        });
        let quorum = usize::from(self.election.manifest.quorum);
        let (receipts, errors): (Vec<_>, Vec<_>) =
            join_all(asked).await.into_iter().partition(|outcome| outcome.is_ok());
        let receipts: Vec<Receipt> = receipts.into_iter().flatten().take(quorum).collect();
        if receipts.len() == quorum {
            return Ok(receipts);
        }
        let error = errors.into_iter().find_map(Result::err);
        Err(error.map_or_else(|| "too few trustees".into(), |error| of_trustee(&error)))
    }

    async fn submit(&self, place: u64, message: &Message) -> Result<(), String> {
        let chain = self.chains.get(place as usize % self.chains.len().max(1)).ok_or("no connection")?;
        for _ in 0..TIMES {
            match chain.submit(message).await {
                Ok(()) => return Ok(()),
                Err(error) if is_passing(&error) => self.pause().await,
                Err(error) => return Err(reason(&error)),
            }
        }
        chain.submit(message).await.map_err(|error| reason(&error))
    }

    async fn pause(&self) {
        self.ledger.entries().again += 1;
        sleep(AGAIN).await;
    }
}

/// Whether a node may take the same a moment later.
fn is_passing(error: &ChainError) -> bool {
    matches!(
        error,
        ChainError::PoolFull | ChainError::Superseded | ChainError::Node { code: TOO_MANY_CALLS, .. }
    )
}

/// Why a node did not take something, without what differs from one to the next.
#[must_use]
pub fn reason(error: &ChainError) -> String {
    match error {
        ChainError::Refused(refusal) => format!("{refusal:?}"),
        ChainError::PoolFull => "the pool is full".into(),
        ChainError::Superseded => "another ballot of the same voter waits".into(),
        ChainError::SeenBefore => "seen before".into(),
        ChainError::Unreachable { .. } => "no node answers".into(),
        ChainError::Node { code, message, .. } => {
            format!("error {code}: {}", message.chars().take(REASON).collect::<String>())
        }
        other => other.to_string().chars().take(REASON).collect(),
    }
}

fn of_trustee(error: &TrusteeError) -> String {
    match error {
        TrusteeError::Refused { refusal, .. } => format!("trustee: {refusal:?}"),
        TrusteeError::Unreachable { .. } => "trustee: no answer".into(),
        TrusteeError::Failed { code, message, .. } => {
            format!("trustee: error {code}: {}", message.chars().take(REASON).collect::<String>())
        }
        TrusteeError::Malformed { .. } => "trustee: a wrong answer".into(),
        TrusteeError::BadReceipt { .. } => "trustee: a wrong receipt".into(),
        TrusteeError::WrongKey { .. } => "trustee: another TLS key than the pinned one".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        ready::{Header, Writer},
        sample::Sample,
    };
    use tokio::time::timeout;

    #[tokio::test]
    async fn sending_ends_with_the_time_however_many_ballots_are_left() {
        let sample = Sample::new("3".parse().unwrap(), 4, 2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballots");
        let signed = sample.sign(0).unwrap();
        let receipts = sample.cast(&signed).receipts.into_inner();
        let (ballot, signed) = (signed.hash, signed.ballot);
        let ready = Ready { ballot, signed, receipts, dealing: None, envelopes: Vec::new() };
        let mut writer = Writer::create(&path, Header::of(&sample.election)).unwrap();
        (0..(AHEAD + 3) * READ).for_each(|_| writer.push(&ready).unwrap());
        writer.finish().unwrap();

        let sender = Sender {
            chains: Vec::new(),
            election: sample.election.clone(),
            trustees: Vec::new(),
            ledger: Arc::default(),
        };
        let start = Instant::now();
        let pace = Pace { start, end: start + Duration::from_millis(50), rate: None, window: 0 };
        let (_, height) = watch::channel(Anchor { number: 10, hash: [10; 32] });
        let reader = Reader::open(&path).unwrap();
        let first = reader.position();
        let sent = timeout(Duration::from_secs(60), sender.send(reader, &pace, &height)).await;
        assert_eq!(sent.expect("it ends").unwrap(), Sent { ballots: 0, next: first });
    }

    #[tokio::test]
    async fn ballots_are_due_at_their_rate_and_a_full_window_waits_for_the_end() {
        let start = Instant::now();
        let pace = Pace { start, end: start + Duration::from_millis(300), rate: Some(100.0), window: 1 };
        let ledger = Ledger::default();
        assert_eq!(pace.turn(5, &ledger).await, Some(start + Duration::from_millis(50)));
        assert!(start.elapsed() >= Duration::from_millis(50));
        ledger.send(BallotHash([1; 32]), start);
        assert_eq!(pace.turn(6, &ledger).await, None);
        assert!(start.elapsed() >= Duration::from_millis(300));
    }
}
