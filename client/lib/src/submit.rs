//! Saying something to the chain, and knowing that it was heard.
//!
//! Whether a message is final is decided by finding it in a finalized block, never by what a pool says: so
//! a lost connection, a restarted node or a block that was taken back change nothing, and who was cut off may
//! say the same again. One follower of the finalized chain serves all who wait in this process.

use futures::StreamExt;
use jsonrpsee::{rpc_params, types::ErrorObjectOwned};
use psephos_protocol::{ballot::Ballot, ids::Anchor, refusal::Refusal, wire::Message};
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::timeout,
};

use crate::{
    block::ChainBlock,
    chain::{hex0x, Chain},
    error::ChainError,
    nodes::Failure,
};

/// Finalized blocks that [`Chain::submit_and_finalize`] waits for: two minutes at 2 s a block.
pub const FINALITY_BLOCKS: u32 = 60;
/// For how long the chain may finalize nothing before a waiter is told.
pub(crate) const STALL: Duration = Duration::from_secs(120);
/// Finalized blocks that are searched for a message that the pool has seen before.
const LOOK_BACK: u32 = 64;
/// After so many finalized blocks without the message, the pool is offered it again.
const OFFER_AGAIN: u32 = 4;
/// Blocks kept for waiters that are slow to read them.
const BACKLOG: usize = 64;
/// How often the follower looks whether anybody still waits.
const IDLE: Duration = Duration::from_secs(5);

/// What the pool did with a message that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pooled {
    New,
    Before,
}

impl Chain {
    /// Gives a message to the node's pool. Giving it twice does no harm.
    ///
    /// # Errors
    /// [`ChainError::Refused`] with the chain's reason, or that the pool or no node took it.
    pub async fn submit(&self, message: &Message) -> Result<(), ChainError> {
        self.offer(message).await.map(|_| ())
    }

    /// Gives the bytes of any extrinsic to the node's pool.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_extrinsic(&self, bytes: &[u8]) -> Result<(), ChainError> {
        self.offer_bytes(bytes).await.map(|_| ())
    }

    /// Gives a message to the pool and waits until it is in a finalized block, at most
    /// [`FINALITY_BLOCKS`] blocks: that block.
    ///
    /// # Errors
    /// [`ChainError::Refused`] when the chain does not take it, now or later; [`ChainError::Timeout`],
    /// [`ChainError::Stalled`] or [`ChainError::Unreachable`] when it is unknown whether it will. Where
    /// another message waits in this one's place, such as the same with another signature, the chain decides.
    pub async fn submit_and_finalize(&self, message: &Message) -> Result<Anchor, ChainError> {
        self.submit_and_finalize_within(message, FINALITY_BLOCKS).await
    }

    /// As [`Self::submit_and_finalize`], waiting for at most `blocks` finalized blocks.
    ///
    /// # Errors
    /// As there.
    pub async fn submit_and_finalize_within(
        &self,
        message: &Message,
        blocks: u32,
    ) -> Result<Anchor, ChainError> {
        self.settle(message, blocks).await.map(|(anchor, _)| anchor)
    }

    /// As [`Self::submit_and_finalize_within`]: the block, and the message as it is there; see [`is_same`].
    pub(crate) async fn settle(
        &self,
        message: &Message,
        blocks: u32,
    ) -> Result<(Anchor, Message), ChainError> {
        // Whoever subscribes before it submits misses no block that can hold the message.
        let mut arrivals = self.arrivals().await?;
        let start = self.finalized().await?.number;
        match self.offer(message).await {
            Ok(Pooled::New) | Err(ChainError::Superseded) => {}
            Ok(Pooled::Before) | Err(ChainError::SeenBefore) => {
                let first = start.saturating_sub(LOOK_BACK).saturating_add(1);
                if let Some(found) = self.search(message, first, start).await? {
                    return Ok(found);
                }
            }
            Err(error) => return Err(error),
        }
        let mut wait = Waiting { seen: start, offered: start, doubt: None };
        while wait.seen < start.saturating_add(blocks) {
            let block = match timeout(STALL, arrivals.recv()).await {
                Ok(Ok(block)) => block,
                Ok(Err(RecvError::Lagged(_))) => continue,
                Ok(Err(RecvError::Closed)) => {
                    arrivals = self.arrivals().await?;
                    continue;
                }
                Err(_) => {
                    // Says that no node answers, if that is why.
                    let height = self.finalized().await?.number;
                    return Err(ChainError::Stalled { height, seconds: STALL.as_secs() });
                }
            };
            if block.anchor.number <= wait.seen {
                continue;
            }
            if let Some(found) = self.search(message, wait.seen + 1, block.anchor.number - 1).await? {
                return Ok(found);
            }
            if let Some(found) = find(message, &block) {
                return Ok((block.anchor, found));
            }
            wait.seen = block.anchor.number;
            self.ask_again(message, &mut wait).await?;
        }
        Err(ChainError::Timeout { what: "the message's block".into(), blocks })
    }

    /// Offers a message again that is long in coming. A pool refuses one that is in the best chain as well
    /// as one that became invalid: which of the two it is shows when the block that was best is finalized.
    async fn ask_again(&self, message: &Message, wait: &mut Waiting) -> Result<(), ChainError> {
        let decided = wait.doubt.is_some_and(|best| wait.seen >= best);
        let due = wait.doubt.is_none() && wait.seen >= wait.offered.saturating_add(OFFER_AGAIN);
        if !decided && !due {
            return Ok(());
        }
        wait.offered = wait.seen;
        match self.offer(message).await {
            Ok(_) | Err(ChainError::Superseded) => wait.doubt = None,
            Err(error) if decided => return Err(error),
            Err(_) => wait.doubt = Some(self.best().await?.number.max(wait.seen.saturating_add(1))),
        }
        Ok(())
    }

    /// The finalized block among these that holds the message, and the message as it is there.
    async fn search(
        &self,
        message: &Message,
        first: u32,
        last: u32,
    ) -> Result<Option<(Anchor, Message)>, ChainError> {
        for number in (first..=last).rev() {
            let block = self.block_at(number).await?;
            if let Some(found) = find(message, &block) {
                return Ok(Some((block.anchor, found)));
            }
        }
        Ok(None)
    }

    async fn offer(&self, message: &Message) -> Result<Pooled, ChainError> {
        self.offer_bytes(&message.to_extrinsic()).await
    }

    async fn offer_bytes(&self, bytes: &[u8]) -> Result<Pooled, ChainError> {
        // The node's own method: it passes ballots on in bundles, and all else as `author_submitExtrinsic` does.
        const METHOD: &str = "voting_submit";
        match self.inner.nodes.request::<String>(METHOD, rpc_params![hex0x(bytes)]).await {
            Ok(_) => Ok(Pooled::New),
            Err(Failure::Answer { endpoint, error }) => match pool_answer(&error) {
                Some(known) => known,
                None => Err(Failure::Answer { endpoint, error }.of(METHOD)),
            },
            Err(Failure::Chain(error)) => Err(error),
        }
    }

    /// Finalized blocks from now on. Starts the follower if none runs.
    async fn arrivals(&self) -> Result<broadcast::Receiver<Arc<ChainBlock>>, ChainError> {
        let mut arrivals = self.inner.arrivals.lock().await;
        if let Some(sender) = arrivals.as_ref() {
            return Ok(sender.subscribe());
        }
        let next = self.finalized().await?.number.saturating_add(1);
        let (sender, receiver) = broadcast::channel(BACKLOG);
        *arrivals = Some(sender.clone());
        tokio::spawn(feed(self.clone(), sender, next));
        Ok(receiver)
    }
}

/// The message in a block that is the same as this one.
fn find(message: &Message, block: &ChainBlock) -> Option<Message> {
    block.messages.iter().find(|other| is_same(message, other)).cloned()
}

/// Whether two messages say the same.
fn is_same(one: &Message, other: &Message) -> bool {
    match one {
        Message::Cast(one) => casts(other, &one.signed.ballot),
        one => one == other,
    }
}

/// Whether a message casts this ballot, which may come again with another signature and other receipts.
pub(crate) fn casts(message: &Message, ballot: &Ballot) -> bool {
    matches!(message, Message::Cast(cast) if cast.signed.ballot == *ballot)
}

/// How a message that was submitted stands.
struct Waiting {
    /// The last finalized block that was searched.
    seen: u32,
    /// The finalized block at which it was last offered.
    offered: u32,
    /// The best block when the pool refused it again.
    doubt: Option<u32>,
}

/// Hands finalized blocks to those who wait, until nobody does.
async fn feed(chain: Chain, sender: broadcast::Sender<Arc<ChainBlock>>, next: u32) {
    let mut blocks = pin!(chain.follow_finalized(next));
    let mut looked = Instant::now();
    loop {
        match timeout(IDLE, blocks.next()).await {
            // Sending fails when nobody waits, which is looked at below.
            Ok(Some(Ok(block))) => drop(sender.send(Arc::new(block))),
            Ok(Some(Err(error))) => tracing::warn!(%error, "following the finalized chain; trying again"),
            Ok(None) | Err(_) => {}
        }
        if looked.elapsed() >= IDLE {
            looked = Instant::now();
            let mut arrivals = chain.inner.arrivals.lock().await;
            if sender.receiver_count() == 0 {
                *arrivals = None;
                return;
            }
        }
    }
}

/// What a pool's error means (codes of the node's `author` RPC); none if it is another kind of error.
fn pool_answer(error: &ErrorObjectOwned) -> Option<Result<Pooled, ChainError>> {
    match error.code() {
        1010 => refusal(error.data().map_or("", |data| data.get()))
            .map(|refusal| Err(ChainError::Refused(refusal))),
        1012 => Some(Err(ChainError::SeenBefore)),
        1013 => Some(Ok(Pooled::Before)),
        1014 => Some(Err(ChainError::Superseded)),
        1016 => Some(Err(ChainError::PoolFull)),
        _ => None,
    }
}

/// The refusal in the text `Custom error: N` of a pool's error.
fn refusal(data: &str) -> Option<Refusal> {
    let (_, rest) = data.split_once("Custom error: ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Refusal::from_code(digits.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32, data: &str) -> ErrorObjectOwned {
        ErrorObjectOwned::owned(code, "Invalid Transaction", Some(data))
    }

    #[test]
    fn a_pools_errors_are_told_apart() {
        assert_eq!(
            pool_answer(&error(1010, "Custom error: 27")),
            Some(Err(ChainError::Refused(Refusal::WrongSequence)))
        );
        assert_eq!(
            pool_answer(&error(1010, "Custom error: 2")),
            Some(Err(ChainError::Refused(Refusal::WrongPhase)))
        );
        assert_eq!(pool_answer(&error(1010, "Custom error: 255")), None);
        assert_eq!(pool_answer(&error(1010, "Transaction has a bad signature")), None);
        assert_eq!(pool_answer(&error(1013, "0xabcd")), Some(Ok(Pooled::Before)));
        assert_eq!(pool_answer(&error(1012, "")), Some(Err(ChainError::SeenBefore)));
        assert_eq!(pool_answer(&error(1014, "")), Some(Err(ChainError::Superseded)));
        assert_eq!(pool_answer(&error(-32603, "")), None);
    }
}
