//! Following the finalized chain: every block once, in order, without gaps.

use futures::{stream, Stream, StreamExt, TryStreamExt};
use psephos_protocol::ids::Anchor;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    block::ChainBlock,
    chain::Chain,
    error::ChainError,
    submit::{FINALITY_BLOCKS, STALL},
};

/// How often the node is asked for its last finalized block.
const POLL: Duration = Duration::from_millis(400);
/// Blocks that are fetched at a time while catching up.
const FETCH: u32 = 64;
/// Requests for blocks under way at a time.
const PARALLEL: usize = 16;
/// The pause after an error, before the consumer's next attempt goes to the node.
const AFTER_ERROR: Duration = Duration::from_secs(2);

struct Follow {
    chain: Chain,
    next: u32,
    parent: Option<[u8; 32]>,
    ready: VecDeque<ChainBlock>,
    last: Option<[u8; 32]>,
    failed: bool,
}

impl Chain {
    /// Every finalized block from number `from` on, in order and without gaps, each the child of the
    /// one before, for ever.
    ///
    /// Connections that fail are replaced silently; an item is an error only when no node answers or
    /// one contradicts itself. The stream does not end there: the next item is the next attempt at the
    /// same block, after two seconds.
    pub fn follow_finalized(
        &self,
        from: u32,
    ) -> impl Stream<Item = Result<ChainBlock, ChainError>> + Send + 'static {
        let follow = Follow {
            chain: self.clone(),
            next: from,
            parent: None,
            ready: VecDeque::new(),
            last: None,
            failed: false,
        };
        stream::unfold(follow, |mut follow| async move {
            let item = follow.advance().await;
            Some((item, follow))
        })
        .boxed()
    }
}

impl Follow {
    async fn advance(&mut self) -> Result<ChainBlock, ChainError> {
        if self.failed {
            tokio::time::sleep(AFTER_ERROR).await;
            self.failed = false;
        }
        let fetched = self.fetch().await;
        self.failed = fetched.is_err();
        fetched
    }

    async fn fetch(&mut self) -> Result<ChainBlock, ChainError> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                if self.parent.is_some_and(|parent| parent != block.parent) {
                    self.ready.clear();
                    self.last = None;
                    return Err(ChainError::Inconsistent {
                        endpoint: self.chain.inner.nodes.endpoints().join(" or "),
                        what: format!(
                            "finalized block {} is not the child of the block before it",
                            block.anchor.number
                        ),
                    });
                }
                self.parent = Some(block.anchor.hash);
                self.next = block.anchor.number.saturating_add(1);
                return Ok(block);
            }
            self.refill().await?;
        }
    }

    /// Fetches the finalized blocks that come next, or waits a moment when there are none.
    async fn refill(&mut self) -> Result<(), ChainError> {
        let hash = self.chain.finalized_hash().await?;
        if self.last == Some(hash) {
            tokio::time::sleep(POLL).await;
            return Ok(());
        }
        let finalized = self.chain.header(hash).await?.anchor.number;
        if finalized < self.next {
            tokio::time::sleep(POLL).await;
            return Ok(());
        }
        let end = finalized.min(self.next.saturating_add(FETCH - 1));
        let chain = &self.chain;
        // Plain futures of one type, so that the whole stream stays nameable and `Send`.
        let fetches: Vec<_> = (self.next..=end).map(|number| chain.block_at(number)).collect();
        self.ready = stream::iter(fetches).buffered(PARALLEL).try_collect().await?;
        if end == finalized {
            if self.ready.back().is_some_and(|block| block.anchor.hash != hash) {
                self.ready.clear();
                return Err(ChainError::Inconsistent {
                    endpoint: self.chain.inner.nodes.endpoints().join(" or "),
                    what: format!("its finalized block {finalized} is not on its own best chain"),
                });
            }
            self.last = Some(hash);
        }
        Ok(())
    }
}

impl Chain {
    /// Runs `check` at every finalized block until it gives something, at most `blocks` blocks.
    ///
    /// # Errors
    /// Those of `check`; [`ChainError::Timeout`] naming `what`; [`ChainError::Stalled`] when nothing was
    /// finalized for two minutes.
    pub async fn wait_finalized<T, E, F>(
        &self,
        what: &str,
        blocks: u32,
        mut check: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: From<ChainError>,
        F: std::future::Future<Output = Result<Option<T>, E>>,
    {
        let start = self.finalized().await?.number;
        let mut now = start;
        loop {
            if let Some(found) = check().await? {
                return Ok(found);
            }
            if now >= start.saturating_add(blocks) {
                return Err(ChainError::Timeout { what: what.into(), blocks }.into());
            }
            now = self.next_finalized(now).await?;
        }
    }

    /// Waits until what is the best block now is final: the last finalized block then.
    ///
    /// # Errors
    /// [`ChainError::Timeout`] or [`ChainError::Stalled`].
    pub(crate) async fn best_finalized(&self) -> Result<Anchor, ChainError> {
        let best = self.best().await?.number;
        self.wait_finalized("the best block's finality", FINALITY_BLOCKS, || async {
            let finalized = self.finalized().await?;
            Ok((finalized.number >= best).then_some(finalized))
        })
        .await
    }

    /// The height of the last finalized block, once it is above `now`.
    async fn next_finalized(&self, now: u32) -> Result<u32, ChainError> {
        let since = Instant::now();
        loop {
            tokio::time::sleep(POLL).await;
            let height = self.finalized().await?.number;
            if height > now {
                return Ok(height);
            }
            if since.elapsed() > STALL {
                return Err(ChainError::Stalled { height, seconds: STALL.as_secs() });
            }
        }
    }
}
