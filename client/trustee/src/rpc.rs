//! What the daemon answers: JSON-RPC over HTTP, bounded in every direction.

use codec::Encode;
use jsonrpsee::{
    core::async_trait,
    server::{stop_channel, BatchRequestConfig, Server, ServerConfig, ServerHandle},
    types::ErrorObjectOwned,
};
use psephos_client::trustee_api::{
    refusal_to_error, Served as ServedStatus, TrusteeApiServer, TrusteeStatus,
};
use psephos_protocol::{envelope::MAX_DEPOSIT_BYTES, refusal::Refusal};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use crate::{
    door,
    elections::{Elections, View},
    help::{Helper, MAX_ASKED_BYTES},
    inbox::{DepositError, Inbox},
    metrics::Metrics,
    store::Store,
    tls::Shown,
};

/// Bytes of the largest request, in hexadecimal and with the JSON around it: a deposit, or what a trustee asks of
/// another.
pub const MAX_REQUEST: u32 = 2 * LARGEST as u32 + 1_024;
const LARGEST: usize = if MAX_DEPOSIT_BYTES > MAX_ASKED_BYTES { MAX_DEPOSIT_BYTES } else { MAX_ASKED_BYTES };
/// Bytes of the largest answer: what another trustee asked for.
const MAX_RESPONSE: u32 = 4 * 1_024 * 1_024;
/// How long a request may take, from its first byte to the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// JSON-RPC code of an error that is no refusal: try again later.
pub const UNAVAILABLE: i32 = -32_000;

/// What the daemon serves.
pub struct Rpc<V> {
    /// Its name.
    pub name: String,
    /// Takes deposits.
    pub inbox: Arc<Inbox<V>>,
    /// Helps other trustees.
    pub helper: Helper<V>,
    /// Counts them.
    pub store: Arc<Store>,
    /// What it serves.
    pub elections: Arc<Elections>,
    /// The certificate that it shows; none if it does not speak TLS.
    pub tls: Option<Shown>,
    /// Counts how calls end.
    pub metrics: Metrics,
}

impl<V: View> Rpc<V> {
    async fn receipt(&self, deposit: &str) -> Result<String, ErrorObjectOwned> {
        if deposit.len() > 2 * MAX_DEPOSIT_BYTES {
            return Err(refusal_to_error(Refusal::MalformedBallot, "deposit: it is too long"));
        }
        let bytes = hex::decode(deposit).map_err(|_| {
            refusal_to_error(Refusal::MalformedBallot, "deposit: it is not hexadecimal without prefix")
        })?;
        let receipt =
            tokio::time::timeout(REQUEST_TIMEOUT, self.inbox.deposit(&bytes)).await.map_err(|_| {
                unavailable("this trustee is busy: try again; the same deposit gets the same receipt".into())
            })?;
        receipt.map(|receipt| hex::encode(receipt.encode())).map_err(answer)
    }

    /// Counts how a call ended, and gives its answer.
    async fn counted<T>(
        &self,
        method: &str,
        call: impl Future<Output = Result<T, ErrorObjectOwned>>,
    ) -> Result<T, ErrorObjectOwned> {
        let answer = call.await;
        self.metrics.answered(method, &answer);
        answer
    }
}

#[async_trait]
impl<V: View> TrusteeApiServer for Rpc<V> {
    async fn status(&self) -> Result<TrusteeStatus, ErrorObjectOwned> {
        let served = self.elections.all().into_iter().filter(|served| served.accepted()).map(|served| {
            let deposits =
                self.store.deposits(&served.eid()).map_err(|_| unavailable("its store failed".into()))?;
            Ok(ServedStatus {
                eid: served.eid().to_string(),
                index: served.index,
                deposits,
                phase: served.state().phase.to_string(),
            })
        });
        Ok(TrusteeStatus {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            finalized: self.elections.finalized().number,
            tls: self.tls.as_ref().map(|shown| shown.pin.to_string()),
            served: served.collect::<Result<_, ErrorObjectOwned>>()?,
        })
    }

    async fn deposit(&self, deposit: String) -> Result<String, ErrorObjectOwned> {
        self.counted("deposit", self.receipt(&deposit)).await
    }

    async fn leave(&self, trustee: u8, deposit: String) -> Result<(), ErrorObjectOwned> {
        let leave = async { self.helper.leave(trustee, &peer_bytes(&deposit)?).await.map_err(answer) };
        self.counted("leave", leave).await
    }

    async fn ask(&self, request: String) -> Result<String, ErrorObjectOwned> {
        let ask = async { self.helper.ask(&peer_bytes(&request)?).await.map(hex::encode).map_err(answer) };
        self.counted("ask", ask).await
    }

    async fn sum(&self, request: String, parts: String) -> Result<String, ErrorObjectOwned> {
        let sum = async {
            let (request, parts) = (peer_bytes(&request)?, peer_bytes(&parts)?);
            self.helper.sum(&request, &parts).await.map(hex::encode).map_err(answer)
        };
        self.counted("sum", sum).await
    }
}

/// What a trustee or a voter's client sent for another trustee; the request's own bound is on its length.
fn peer_bytes(text: &str) -> Result<Vec<u8>, ErrorObjectOwned> {
    hex::decode(text).map_err(|_| refusal_to_error(Refusal::NotPeer, "it is not hexadecimal without prefix"))
}

/// Why there is no answer, as its sender is told.
fn answer(error: DepositError) -> ErrorObjectOwned {
    match error {
        DepositError::Refused { refusal, detail } => refusal_to_error(refusal, &detail),
        // Which nodes it asks is the operator's business.
        DepositError::Chain(error) => {
            tracing::warn!(%error, "a request waits for the chain");
            unavailable(
                "this trustee can't reach the chain now: ask the other trustees, and this one later".into(),
            )
        }
        error @ DepositError::Stopping => unavailable(error.to_string()),
    }
}

pub(crate) fn unavailable(message: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(UNAVAILABLE, message, None::<()>)
}

/// Starts to serve; gives the address that it listens on.
///
/// # Errors
/// When it can't listen there.
pub async fn serve<V: View>(
    listen: SocketAddr,
    max_connections: u32,
    rpc: Rpc<V>,
) -> io::Result<(SocketAddr, ServerHandle)> {
    let config = ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST)
        .max_response_body_size(MAX_RESPONSE)
        .max_connections(max_connections)
        .set_batch_request_config(BatchRequestConfig::Disabled)
        .http_only()
        .build();
    let (stop, server) = stop_channel();
    let tls = rpc.tls.as_ref().map(|shown| shown.config.clone().into());
    let service = Server::builder()
        .set_config(config)
        .set_http_middleware(ServiceBuilder::new().timeout(REQUEST_TIMEOUT + Duration::from_secs(5)))
        .to_service_builder()
        .build(rpc.into_rpc(), stop.clone());
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tokio::spawn(door::open(listener, tls, max_connections as usize, service, stop));
    Ok((address, server))
}
