// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! RPC methods besides those of every Substrate node.
//!
//! Only finality: elections are read through runtime APIs, so that the node need not know them.

use crate::service::FullBackend;
use jsonrpsee_sdk::{core::RegisterMethodError, RpcModule};
use psephos_runtime::{opaque::Block, BlockNumber, Hash};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use std::sync::Arc;

/// What the finality methods read from.
#[derive(Clone)]
pub struct GrandpaDeps {
    /// The state of the voter's current rounds.
    pub shared_voter_state: SharedVoterState,
    /// The validators that finalize, now and at past changes.
    pub shared_authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    /// Justifications as the voter produces them.
    pub justification_stream: GrandpaJustificationStream<Block>,
    /// Stored justifications, for proofs about past blocks.
    pub finality_provider: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// Methods to follow finality and to prove it: what clients and auditors anchor the record in.
pub fn finality(
    deps: GrandpaDeps,
    executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, RegisterMethodError> {
    let mut module = RpcModule::new(());
    module.merge(
        Grandpa::new(
            executor,
            deps.shared_authority_set,
            deps.shared_voter_state,
            deps.justification_stream,
            deps.finality_provider,
        )
        .into_rpc(),
    )?;
    Ok(module)
}
