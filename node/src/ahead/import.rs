// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Blocks from others: their ballots are checked together before the block is executed.

use super::Ahead;
use async_trait::async_trait;
use psephos_runtime::opaque::Block;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult, StateAction};
use std::sync::Arc;

/// Stands in front of an import. What reaches it was sealed by a validator whose turn it was.
pub struct AheadImport<I> {
    inner: I,
    ahead: Arc<Ahead>,
}

impl<I> AheadImport<I> {
    /// In front of `inner`.
    pub fn new(inner: I, ahead: Arc<Ahead>) -> Self {
        Self { inner, ahead }
    }
}

#[async_trait]
impl<I: BlockImport<Block> + Send + Sync> BlockImport<Block> for AheadImport<I> {
    type Error = I::Error;

    async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(&self, block: BlockImportParams<Block>) -> Result<ImportResult, Self::Error> {
        // Blocks of this node come with their changes of the state and are not executed again.
        if let (StateAction::Execute | StateAction::ExecuteIfPossible, Some(body)) =
            (&block.state_action, &block.body)
        {
            self.ahead.check_block(block.header.parent_hash, body);
        }
        self.inner.import_block(block).await
    }
}
