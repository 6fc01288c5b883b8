//! What was sent, and what finalized blocks hold of it.

use futures::StreamExt;
use psephos_client::Chain;
use psephos_protocol::{
    ids::{BallotHash, Eid},
    wire::Message,
};
use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A finalized block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub number: u32,
    /// When it was known to be final.
    pub known: Instant,
    /// Ballots of the election in it.
    pub ballots: u32,
}

/// A ballot that was accepted: when it was sent, and when its block was known to be final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// When it was sent.
    pub sent: Instant,
    /// When its block was known to be final.
    pub known: Instant,
}

/// Everything that is known so far.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Ballots under way: when each was sent.
    pub under_way: HashMap<BallotHash, Instant>,
    /// Ballots that were given to a node or a trustee.
    pub sent: u64,
    /// Ballots that had to be offered again, each time.
    pub again: u64,
    /// Ballots that had expired before they could be sent.
    pub expired: u64,
    /// Ballots that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Ballots of this command that were accepted.
    pub accepted: Vec<Accepted>,
    /// Ballots of the election in finalized blocks that this command did not send, or that came twice.
    pub foreign: u64,
    /// The finalized blocks.
    pub blocks: Vec<Block>,
}

/// The ledger, shared by those who send and the one who watches.
#[derive(Default)]
pub struct Ledger(Mutex<Entries>);

impl Ledger {
    /// The entries. Nobody holds them for long.
    pub fn entries(&self) -> MutexGuard<'_, Entries> {
        // A thread that panicked has left whole entries.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ballot is sent now, or was due then.
    pub fn send(&self, ballot: BallotHash, due: Instant) {
        let mut entries = self.entries();
        entries.sent += 1;
        entries.under_way.insert(ballot, due);
    }

    /// A ballot is refused for good.
    pub fn refuse(&self, ballot: &BallotHash, reason: String) {
        let mut entries = self.entries();
        // Who sees it in a block first is right: a node may refuse what another has put into a block.
        if entries.under_way.remove(ballot).is_some() {
            *entries.refused.entry(reason).or_default() += 1;
        }
    }

    fn finalized(&self, number: u32, known: Instant, ballots: &[BallotHash]) {
        let mut entries = self.entries();
        for ballot in ballots {
            match entries.under_way.remove(ballot) {
                Some(sent) => entries.accepted.push(Accepted { sent, known }),
                None => entries.foreign += 1,
            }
        }
        entries.blocks.push(Block { number, known, ballots: ballots.len() as u32 });
    }

    /// Watches the finalized chain from a block on, for ever.
    pub async fn watch(self: Arc<Self>, chain: Chain, eid: Eid, from: u32) {
        let mut blocks = pin!(chain.follow_finalized(from));
        while let Some(block) = blocks.next().await {
            let Ok(block) = block else { continue };
            let known = Instant::now();
            let ballots = block.messages.iter().filter_map(|message| match message {
                Message::Cast(cast) if cast.signed.ballot.statement.eid == eid => {
                    Some(cast.signed.ballot.hash())
                }
                _ => None,
            });
            self.finalized(block.anchor.number, known, &ballots.collect::<Vec<_>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_hold_counts_and_nothing_counts_twice() {
        let ledger = Ledger::default();
        let ballot = |n: u8| BallotHash([n; 32]);
        let now = Instant::now();
        (1..=3).for_each(|n| ledger.send(ballot(n), now));
        ledger.refuse(&ballot(3), "27".into());
        ledger.finalized(7, now, &[ballot(1), ballot(1), ballot(9)]);
        ledger.refuse(&ballot(1), "late".into());
        let entries = ledger.entries();
        assert_eq!((entries.sent, entries.accepted.len(), entries.foreign), (3, 1, 2));
        assert_eq!(entries.under_way.len(), 1);
        assert_eq!(entries.refused, BTreeMap::from([("27".to_owned(), 1)]));
        assert_eq!(entries.blocks, [Block { number: 7, known: now, ballots: 3 }]);
    }
}
