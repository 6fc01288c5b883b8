//! Preparing ballots ahead, on all cores.

use psephos_client::Chain;
use psephos_protocol::{
    ballot::{prepare, Ballotpaper, Seed},
    bounds::MAX_LIFETIME,
    election::Election,
    envelope::seal,
    ids::{Anchor, BallotHash},
    range_proof::Generators,
    receipt::Receipt,
};
use psephos_trustee::Keys;
use rand_core::OsRng;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{sync_channel, SyncSender},
    },
    time::Duration,
};
use tokio::sync::watch;

use super::{
    form::Form,
    keyring::Keyring,
    machine::cores,
    ready::{Ready, Writer},
};
use crate::error::CliError;

/// Blocks of a ballot's life that stay for sending the first ballots that were prepared.
pub const MARGIN: u32 = 150;
/// How often the last finalized block is asked for, to be the anchor of what is prepared next.
const ANCHOR: Duration = Duration::from_secs(4);
/// Ballots that wait to be written.
const WAITING: usize = 64;

/// What is prepared.
pub struct Plan {
    /// The election.
    pub election: Election,
    /// Its generators.
    pub generators: Generators,
    /// What is on the ballot.
    pub form: Form,
    /// The voters' keys.
    pub keyring: Keyring,
    /// Voters, who cast in turn: each has its second ballot when all have had their first.
    pub voters: u32,
    /// Ballots.
    pub ballots: u64,
    /// The trustees' keys if this program plays them; otherwise shares are sealed to the real ones.
    pub trustees: Option<Vec<Keys>>,
}

impl Plan {
    /// Prepares one ballot.
    ///
    /// # Errors
    /// [`CliError::Integrity`] when it does not verify.
    pub fn ballot(&self, voter: u32, sequence: u32, anchor: Anchor) -> Result<Ready, CliError> {
        let key = self.keyring.voter(voter);
        let paper = Ballotpaper {
            style: 0,
            credential: key.public(),
            sequence,
            anchor,
            expiry: anchor.number.saturating_add(MAX_LIFETIME),
        };
        let choices = self.form.choices(u64::from(voter).wrapping_add(u64::from(sequence)));
        let prepared = prepare(&self.election, &self.generators, paper, choices, Seed::generate(&mut OsRng))
            .map_err(|error| CliError::Integrity(error.to_string()))?;
        let mut signed = prepared.cast(&self.election, &key, &mut OsRng);
        let (mut receipts, mut dealing, mut envelopes) = (Vec::new(), None, Vec::new());
        match &self.trustees {
            Some(trustees) => receipts = self.receipts(trustees, &signed.hash, anchor.number),
            None => {
                envelopes = seal(&self.election, &signed.hash, &signed.shares, &mut signed.randomness)
                    .map_err(CliError::input)?;
                dealing = Some(signed.dealing);
            }
        }
        Ok(Ready { ballot: signed.hash, signed: signed.ballot, receipts, dealing, envelopes })
    }

    /// Receipts of the first q trustees.
    fn receipts(&self, trustees: &[Keys], ballot: &BallotHash, height: u32) -> Vec<Receipt> {
        let quorum = usize::from(self.election.manifest.quorum);
        (1u8..)
            .zip(trustees)
            .take(quorum)
            .map(|(index, keys)| {
                Receipt::sign(&self.election, index, &keys.signing, ballot, height, &mut OsRng)
            })
            .collect()
    }

    /// Prepares all ballots on all cores and writes them; `done` hears how many there are. Ends before the
    /// first of them would expire while they are sent.
    ///
    /// # Errors
    /// [`CliError`], and the file is not complete then.
    pub fn write(
        &self,
        anchors: &watch::Receiver<Anchor>,
        writer: &mut Writer,
        done: impl Fn(u64),
    ) -> Result<u64, CliError> {
        let first = anchors.borrow().number;
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let (sender, ready) = sync_channel(WAITING);
        let work = |sender: SyncSender<Result<Ready, CliError>>| {
            while !stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let anchor = *anchors.borrow();
                let aged = anchor.number.saturating_sub(first) >= MAX_LIFETIME - MARGIN;
                if index >= self.ballots || aged {
                    return;
                }
                let (voter, round) = (index % u64::from(self.voters), index / u64::from(self.voters));
                let sequence = u32::try_from(round.saturating_add(1)).unwrap_or(u32::MAX);
                // The writer has ended if nobody takes it.
                if sender.send(self.ballot(voter as u32, sequence, anchor)).is_err() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..cores() {
                let (work, sender) = (&work, sender.clone());
                scope.spawn(move || work(sender));
            }
            drop(sender);
            let mut written = 0;
            for ballot in ready {
                let outcome = ballot.and_then(|ballot| writer.push(&ballot));
                if let Err(error) = outcome {
                    stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                written += 1;
                done(written);
            }
            Ok(written)
        })
    }
}

/// The last finalized block, kept up to date while somebody looks.
///
/// # Errors
/// What the chain says.
pub async fn anchors(chain: &Chain) -> Result<watch::Receiver<Anchor>, CliError> {
    let (sender, receiver) = watch::channel(chain.finalized().await?);
    let chain = chain.clone();
    tokio::spawn(async move {
        while !sender.is_closed() {
            tokio::time::sleep(ANCHOR).await;
            if let Ok(anchor) = chain.finalized().await {
                sender.send_replace(anchor);
            }
        }
    });
    Ok(receiver)
}
