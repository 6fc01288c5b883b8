//! How one node stands, asked by itself: for whoever looks after it.

use jsonrpsee::{core::client::ClientT, rpc_params};
use psephos_protocol::ids::{Anchor, Genesis};
use serde::Deserialize;

use crate::{
    block::JsonHeader,
    error::NodeFailure,
    nodes::{client, hash32},
};

/// How a node stands, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHealth {
    /// Its address.
    pub endpoint: String,
    /// Its chain.
    pub genesis: Genesis,
    /// Its last finalized block.
    pub finalized: Anchor,
    /// The number of its best block.
    pub best: u32,
    /// Whether it is still fetching blocks.
    pub syncing: bool,
    /// Nodes that it is connected to.
    pub peers: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonHealth {
    peers: u64,
    is_syncing: bool,
}

impl NodeHealth {
    /// Asks a node, once, over a connection of its own.
    ///
    /// # Errors
    /// [`NodeFailure`] when it does not answer or its answers don't fit together.
    pub async fn ask(endpoint: &str) -> Result<Self, NodeFailure> {
        Self::of(endpoint).await.map_err(|reason| NodeFailure { endpoint: endpoint.into(), reason })
    }

    async fn of(endpoint: &str) -> Result<Self, String> {
        if !endpoint.starts_with("ws://") && !endpoint.starts_with("wss://") {
            return Err("it is not an address: write ws://host:port or wss://host:port".into());
        }
        let client = client(endpoint).await?;
        let genesis: Option<String> =
            client.request("chain_getBlockHash", rpc_params![0u32]).await.map_err(text)?;
        let genesis = Genesis(hash32(endpoint, genesis.as_deref()).map_err(text)?);
        let health: JsonHealth = client.request("system_health", rpc_params![]).await.map_err(text)?;
        let finalized = head(&client, endpoint, "chain_getFinalizedHead").await?;
        let best = head(&client, endpoint, "chain_getHead").await?.number;
        Ok(Self {
            endpoint: endpoint.into(),
            genesis,
            finalized,
            best,
            syncing: health.is_syncing,
            peers: health.peers,
        })
    }
}

/// The block that a node gives as its head of a kind.
async fn head(client: &impl ClientT, endpoint: &str, kind: &str) -> Result<Anchor, String> {
    let hash: String = client.request(kind, rpc_params![]).await.map_err(text)?;
    let header: Option<JsonHeader> =
        client.request("chain_getHeader", rpc_params![&hash]).await.map_err(text)?;
    let header = header.ok_or("it does not have the header of its own head")?;
    let hash = hash32(endpoint, Some(&hash)).map_err(text)?;
    Ok(header.check(endpoint, hash).map_err(text)?.anchor)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
