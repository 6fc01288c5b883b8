//! How the processes of a network stand, asked of each by itself.

use futures::future::join_all;
use jsonrpsee::{
    core::client::ClientT,
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
};
use psephos_client::{endpoints::TrusteeClient, trustee_api::TrusteeStatus};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Duration};

use super::{config::Network, process};

/// How long a process on this machine may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A validator.
#[derive(Debug, Serialize)]
pub struct Validator {
    pub name: String,
    pub url: String,
    /// None when it does not run.
    pub pid: Option<i32>,
    /// None when it does not answer.
    pub heights: Option<Heights>,
}

/// How far a node is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Heights {
    pub best: u32,
    pub finalized: u32,
    pub peers: u32,
}

/// A trustee.
#[derive(Debug, Serialize)]
pub struct Trustee {
    pub name: String,
    pub url: String,
    /// None when it does not run.
    pub pid: Option<i32>,
    /// None when it does not answer.
    pub status: Option<TrusteeStatus>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub struct State {
    pub validators: Vec<Validator>,
    pub trustees: Vec<Trustee>,
}

impl State {
    /// Asks all processes of a network at once.
    pub async fn of(folder: &Path, network: &Network) -> Self {
        let validators = network.validators.iter().map(|validator| async {
            Validator {
                name: validator.name.clone(),
                url: validator.url(),
                pid: process::running(folder, &validator.name),
                heights: heights(validator.rpc_port).await,
            }
        });
        let trustees = (1u8..).zip(&network.trustees).map(|(index, trustee)| async move {
            Trustee {
                name: trustee.name.clone(),
                url: trustee.url(),
                pid: process::running(folder, &trustee.name),
                status: status(index, &trustee.name, &trustee.url()).await,
            }
        });
        let (validators, trustees) = futures::join!(join_all(validators), join_all(trustees));
        Self { validators, trustees }
    }
}

async fn status(index: u8, name: &str, url: &str) -> Option<TrusteeStatus> {
    let client = TrusteeClient::new(index, name, url).ok()?;
    tokio::time::timeout(TIMEOUT, client.status()).await.ok()?.ok()
}

async fn heights(port: u16) -> Option<Heights> {
    #[derive(Deserialize)]
    struct Health {
        peers: u32,
    }
    let client = HttpClientBuilder::default()
        .request_timeout(TIMEOUT)
        .build(format!("http://127.0.0.1:{port}"))
        .ok()?;
    let head: String = client.request("chain_getFinalizedHead", rpc_params![]).await.ok()?;
    let finalized = height(&client, Some(head)).await?;
    let best = height(&client, None).await?;
    let health: Health = client.request("system_health", rpc_params![]).await.ok()?;
    Some(Heights { best, finalized, peers: health.peers })
}

async fn height(client: &HttpClient, block: Option<String>) -> Option<u32> {
    #[derive(Deserialize)]
    struct Header {
        number: String,
    }
    let header: Header = client.request("chain_getHeader", rpc_params![block]).await.ok()?;
    u32::from_str_radix(header.number.strip_prefix("0x")?, 16).ok()
}
