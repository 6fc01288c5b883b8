//! What voters were shown as recorded, and the proof that it stands: at once, after every crash, in the record.

use anyhow::{ensure, Result};
use psephos_client::voter::{SealedBallot, VoterReceipt};
use psephos_protocol::{
    election::Election,
    ids::{BallotHash, Eid},
    receipt::Receipt,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    wire::Message,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};
use tokio::sync::Mutex;

use crate::fleet::Fleet;

/// A deposit with the receipt that a trustee gave for it.
struct Given {
    election: Election,
    ballot: SealedBallot,
    receipt: Receipt,
}

/// Every ballot that was shown as recorded, and every receipt that was asked for.
#[derive(Default)]
pub struct Shown {
    recorded: Mutex<Vec<VoterReceipt>>,
    receipts: Mutex<Vec<Given>>,
}

impl Shown {
    /// Takes what a client has just shown: a node must prove it now, without any waiting.
    pub async fn take(&self, fleet: &Fleet<'_>, shown: VoterReceipt) -> Result<()> {
        let VoterReceipt { eid, credential, ballot, tracking_code, .. } = &shown;
        ensure!(
            fleet.is_proved(eid, credential, ballot).await,
            "ballot {tracking_code} was shown as recorded, and no node proves it at a finalized header"
        );
        self.recorded.lock().await.push(shown);
        Ok(())
    }

    /// Every node proves every ballot that was shown and not replaced by a later one.
    pub async fn stand(&self, fleet: &Fleet<'_>) -> Result<()> {
        let mut last: BTreeMap<_, &VoterReceipt> = BTreeMap::new();
        let recorded = self.recorded.lock().await;
        for shown in recorded.iter() {
            let before = last.insert((shown.eid, shown.credential), shown);
            ensure!(
                before.is_none_or(|before| before.sequence < shown.sequence),
                "ballots are shown in order"
            );
        }
        for VoterReceipt { eid, credential, ballot, tracking_code, .. } in last.into_values() {
            let doubters = fleet.doubters(eid, credential, ballot).await;
            ensure!(
                doubters.is_empty(),
                "ballot {tracking_code} was shown as recorded, and {doubters:?} do not prove it"
            );
        }
        Ok(())
    }

    /// Deposits a ballot with a trustee, and keeps the receipt that it gives.
    pub async fn deposit(
        &self,
        fleet: &Fleet<'_>,
        election: &Election,
        ballot: &SealedBallot,
        trustee: u8,
    ) -> Result<()> {
        let receipt = deposit(fleet, election, ballot, trustee).await?;
        let given = Given { election: election.clone(), ballot: ballot.clone(), receipt };
        self.receipts.lock().await.push(given);
        Ok(())
    }

    /// Every trustee that gave a receipt gives the very same again.
    pub async fn receipts_stand(&self, fleet: &Fleet<'_>) -> Result<()> {
        for Given { election, ballot, receipt } in self.receipts.lock().await.iter() {
            let again = deposit(fleet, election, ballot, receipt.trustee).await?;
            ensure!(again == *receipt, "trustee {} gives another receipt than before", receipt.trustee);
        }
        Ok(())
    }

    /// The record holds every ballot that was shown in its election.
    pub async fn are_in(&self, eid: &Eid, record: &Path) -> Result<()> {
        let ballots = ballots(record)?;
        for shown in self.recorded.lock().await.iter().filter(|shown| shown.eid == *eid) {
            let code = shown.tracking_code;
            ensure!(
                ballots.contains(&shown.ballot),
                "ballot {code} was shown as recorded and is not in the record"
            );
        }
        Ok(())
    }

    /// How many ballots were shown as recorded.
    pub async fn count(&self) -> usize {
        self.recorded.lock().await.len()
    }
}

async fn deposit(
    fleet: &Fleet<'_>,
    election: &Election,
    ballot: &SealedBallot,
    trustee: u8,
) -> Result<Receipt> {
    let deposit = ballot.deposit(trustee).map(|deposit| hex::encode(codec::Encode::encode(&deposit)));
    Ok(fleet.trustee(trustee)?.deposit(election, &ballot.hash(), &deposit.unwrap_or_default()).await?)
}

/// The ballots that a record holds.
fn ballots(record: &Path) -> Result<BTreeSet<BallotHash>> {
    let mut file = BufReader::new(File::open(record)?);
    let mut frames = FrameReader::new(|buffer: &mut [u8]| Ok::<_, Unreadable>(file.read(buffer)?))?;
    frames.next::<RecordHeader>()?;
    let mut ballots = BTreeSet::new();
    while let Some(block) = frames.next::<RecordBlock>()? {
        ballots.extend(block.messages.iter().filter_map(|message| match message {
            Message::Cast(cast) => Some(cast.signed.ballot.hash()),
            _ => None,
        }));
    }
    Ok(ballots)
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
}
