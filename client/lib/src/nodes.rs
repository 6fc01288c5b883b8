//! Connections to nodes: one at a time, the next one when it fails.

use jsonrpsee::{
    core::{
        client::{ClientT, Error as RpcError},
        params::ArrayParams,
    },
    rpc_params,
    types::ErrorObjectOwned,
    ws_client::{WsClient, WsClientBuilder},
};
use psephos_protocol::ids::Genesis;
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, Semaphore};

use crate::error::{ChainError, NodeFailure};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the whole list of nodes is tried.
const ROUNDS: u32 = 5;
/// The pause after the first round; it doubles each round.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Bytes of the largest answer: a full block in hexadecimal.
const MAX_RESPONSE: u32 = 32 * 1024 * 1024;
/// Requests at a time: what a node serves over one connection without refusing.
const CONCURRENT: usize = 64;

/// What went wrong with one request.
pub(crate) enum Failure {
    /// The node answered with an error.
    Answer { endpoint: String, error: ErrorObjectOwned },
    /// No node answered.
    Chain(ChainError),
}

impl Failure {
    /// The failure of a method whose own errors have no special meaning.
    pub(crate) fn of(self, method: &str) -> ChainError {
        match self {
            Self::Chain(error) => error,
            Self::Answer { endpoint, error } => {
                let data = error.data().map(|data| format!(" ({})", data.get())).unwrap_or_default();
                ChainError::Node {
                    endpoint,
                    method: method.into(),
                    code: error.code(),
                    message: format!("{}{data}", error.message()),
                }
            }
        }
    }
}

#[derive(Clone)]
struct Connection {
    /// Counts connections, so that only the one that failed is given up.
    generation: u64,
    node: usize,
    client: Arc<WsClient>,
}

#[derive(Default)]
struct Current {
    connection: Option<Connection>,
    generation: u64,
    /// The node to try first.
    next: usize,
}

/// The nodes, and the connection to the one in use.
pub(crate) struct Nodes {
    endpoints: Vec<String>,
    genesis: Option<Genesis>,
    current: Mutex<Current>,
    permits: Semaphore,
}

impl Nodes {
    /// Checks the addresses and connects to the first node that answers; its genesis is the chain's.
    pub(crate) async fn connect(endpoints: &[String]) -> Result<Self, ChainError> {
        if endpoints.is_empty() {
            return Err(ChainError::NoEndpoint);
        }
        for endpoint in endpoints {
            if !endpoint.starts_with("ws://") && !endpoint.starts_with("wss://") {
                return Err(ChainError::Endpoint { endpoint: endpoint.clone() });
            }
        }
        let mut nodes = Self {
            endpoints: endpoints.to_vec(),
            genesis: None,
            current: Mutex::default(),
            permits: Semaphore::new(CONCURRENT),
        };
        let (endpoint, hash) = nodes
            .request::<Option<String>>("chain_getBlockHash", rpc_params![0u32])
            .await
            .map_err(|failure| failure.of("chain_getBlockHash"))?;
        nodes.genesis = Some(Genesis(hash32(&endpoint, hash.as_deref())?));
        Ok(nodes)
    }

    pub(crate) fn genesis(&self) -> Genesis {
        self.genesis.unwrap_or_default()
    }

    pub(crate) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Asks the node in use, and after a failure of the connection the others; says who answered.
    ///
    /// Every method that this crate calls may be called twice with the effect of once.
    pub(crate) async fn request<R: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> Result<(String, R), Failure> {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Chain(ChainError::NoEndpoint))?;
        let mut failures: Vec<Option<String>> = vec![None; self.endpoints.len()];
        let mut pause = FIRST_PAUSE;
        for round in 0..ROUNDS {
            for _ in 0..self.endpoints.len() {
                let connection = match self.connection().await {
                    Ok(connection) => connection,
                    Err((node, reason)) => {
                        note(&mut failures, node, reason);
                        continue;
                    }
                };
                match connection.client.request::<R, _>(method, params.clone()).await {
                    Ok(answer) => return Ok((self.endpoint(connection.node), answer)),
                    Err(RpcError::Call(error)) => {
                        return Err(Failure::Answer { endpoint: self.endpoint(connection.node), error })
                    }
                    Err(RpcError::ParseError(error)) => {
                        return Err(Failure::Chain(ChainError::Inconsistent {
                            endpoint: self.endpoint(connection.node),
                            what: format!("its answer to {method} has another form than it should: {error}"),
                        }))
                    }
                    Err(error) => {
                        tracing::debug!(node = self.endpoint(connection.node), %error, "connection failed");
                        note(&mut failures, connection.node, error.to_string());
                        self.give_up(&connection).await;
                    }
                }
            }
            if round + 1 < ROUNDS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        let tried = self
            .endpoints
            .iter()
            .zip(failures)
            .filter_map(|(endpoint, reason)| {
                Some(NodeFailure { endpoint: endpoint.clone(), reason: reason? })
            })
            .collect();
        Err(Failure::Chain(ChainError::Unreachable { tried }))
    }

    /// Counts the connections made so far: it grows when another node takes over.
    pub(crate) async fn generation(&self) -> u64 {
        self.current.lock().await.generation
    }

    fn endpoint(&self, node: usize) -> String {
        self.endpoints.get(node).cloned().unwrap_or_default()
    }

    /// The connection in use, or a new one to the next node; the node that failed and why.
    async fn connection(&self) -> Result<Connection, (usize, String)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            if connection.client.is_connected() {
                return Ok(connection.clone());
            }
        }
        let node = current.next % self.endpoints.len().max(1);
        let endpoint = self.endpoint(node);
        match self.open(&endpoint).await {
            Ok(client) => {
                current.generation += 1;
                let connection =
                    Connection { generation: current.generation, node, client: Arc::new(client) };
                current.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(reason) => {
                current.connection = None;
                current.next = node + 1;
                Err((node, reason))
            }
        }
    }

    /// Connects, and checks that the node is of the same chain as before.
    async fn open(&self, endpoint: &str) -> Result<WsClient, String> {
        let client = client(endpoint).await?;
        if let Some(expected) = self.genesis {
            let found: Option<String> = client
                .request("chain_getBlockHash", rpc_params![0u32])
                .await
                .map_err(|error| error.to_string())?;
            let found = hash32(endpoint, found.as_deref()).map(Genesis).map_err(|error| error.to_string())?;
            if found != expected {
                return Err(ChainError::OtherChain { endpoint: endpoint.into(), found, expected }.to_string());
            }
        }
        Ok(client)
    }

    /// Gives a failed connection up, unless somebody did before; the next node is tried next.
    async fn give_up(&self, failed: &Connection) {
        let mut current = self.current.lock().await;
        if current.connection.as_ref().is_some_and(|now| now.generation == failed.generation) {
            current.connection = None;
            current.next = failed.node + 1;
        }
    }
}

/// Connects to one node.
pub(crate) async fn client(endpoint: &str) -> Result<WsClient, String> {
    WsClientBuilder::default()
        .max_request_size(MAX_RESPONSE)
        .max_response_size(MAX_RESPONSE)
        .max_frame_size(MAX_RESPONSE)
        .max_concurrent_requests(CONCURRENT * 2)
        .request_timeout(REQUEST_TIMEOUT)
        .connection_timeout(CONNECT_TIMEOUT)
        .enable_ws_ping(Default::default())
        .build(endpoint)
        .await
        .map_err(|error| error.to_string())
}

fn note(failures: &mut [Option<String>], node: usize, reason: String) {
    if let Some(place) = failures.get_mut(node) {
        *place = Some(reason);
    }
}

/// The bytes of a node's hexadecimal string.
pub(crate) fn unhex(endpoint: &str, text: &str) -> Result<Vec<u8>, ChainError> {
    // The decoder takes one such beginning itself.
    text.starts_with("0x").then(|| const_hex::decode(text).ok()).flatten().ok_or_else(|| {
        ChainError::Inconsistent {
            endpoint: endpoint.into(),
            what: "it sent bytes that are not hexadecimal".into(),
        }
    })
}

/// The 32 bytes of a node's hexadecimal string.
pub(crate) fn hash32(endpoint: &str, text: Option<&str>) -> Result<[u8; 32], ChainError> {
    unhex(endpoint, text.unwrap_or_default())?.try_into().map_err(|_| ChainError::Inconsistent {
        endpoint: endpoint.into(),
        what: "it sent a hash that is not 32 bytes".into(),
    })
}
