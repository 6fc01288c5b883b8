// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! RPC methods besides those of every Substrate node.
//!
//! Elections are read through runtime APIs, so that the node need not know them.

use crate::{bundles::Bundles, service::FullBackend};
use codec::Decode;
use jsonrpsee_sdk::{core::RegisterMethodError, types::ErrorObjectOwned, RpcModule};
use psephos_runtime::{
    opaque::{Block, UncheckedExtrinsic},
    BlockNumber, Hash,
};
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::{author::error::Error, SubscriptionTaskExecutor};
use sp_core::Bytes;
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

/// `voting_submit`: takes what `author_submitExtrinsic` takes, gives errors with the same codes, and has ballots go on in
/// bundles ([`crate::bundles`]).
pub fn voting(bundles: Arc<Bundles>) -> Result<RpcModule<Bundles>, RegisterMethodError> {
    let mut module = RpcModule::from_arc(bundles);
    module.register_async_method("voting_submit", |params, bundles, _| async move {
        let bytes: Bytes = params.one()?;
        let extrinsic = UncheckedExtrinsic::decode(&mut &*bytes.0).map_err(Error::BadFormat)?;
        bundles.submit(extrinsic).await.map_err(|error| ErrorObjectOwned::from(Error::Pool(error)))
    })?;
    Ok(module)
}
