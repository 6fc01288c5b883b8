//! The trustee's daemon: keeps sealed shares of ballots, vouches for them with receipts, and
//! contributes to the tally, once.
//!
//! | what | module |
//! |---|---|
//! | what it is started with | [`config`] |
//! | what it keeps, and may never do again | [`store`] |
//! | which elections name it | [`elections`] |
//! | deposits and receipts (spec 5.8) | [`inbox`], [`rpc`] |
//! | what it does for its peers, and they for it (spec 5.9) | [`help`], [`recover`] |
//! | connections, and the certificate that it shows | `door`, [`tls`] |
//! | what its operator's monitoring sees | [`metrics`] |
//! | the accepted set from finalized blocks (spec 7.2) | [`follow`] |
//! | agreement and contribution (spec 7.2, 7.3) | [`tally`], [`duty`] |
//! | what shows others who contributed something wrong (spec 7.7) | [`evidence`] |
//!
//! **What is trusted.** For the tally nothing but the chain's validators, two thirds of them together: which block is
//! final, how the election stands at it and what the roll gives a voter are proved (spec 8.4, 9.3); ballots,
//! declarations, agreements and contributions are read from block bodies that lead to that block, and their signatures
//! are checked here. For receipts, its own node says who is on the roll.
//!
//! **What survives `kill -9`.** A receipt exists only for a share on the disk; an agreement or a contribution
//! is sent only after it is marked on the disk, and from then on the same bytes are sent.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod check;
pub mod config;
mod door;
pub mod duty;
pub mod elections;
pub mod evidence;
pub mod follow;
pub mod help;
pub mod inbox;
pub mod metrics;
pub mod recover;
mod roll;
pub mod rpc;
pub mod store;
pub mod tally;
pub mod tls;

#[cfg(test)]
mod tests;

use futures::FutureExt;
use jsonrpsee::server::ServerHandle;
use psephos_client::{Chain, ChainError};
use psephos_protocol::{
    election::Election,
    envelope::EnvelopeError,
    ids::{Anchor, Eid},
};
use std::{
    collections::BTreeSet,
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{atomic::Ordering, Arc},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinSet;

pub use config::{Accept, Config, Keys};
use duty::{Daemon, Duty};
use elections::{Elections, Served};
use help::Helper;
use inbox::Inbox;
use metrics::Metrics;
use prometheus_endpoint::{init_prometheus, PrometheusError, Registry};
use rpc::Rpc;
use store::{Identity, Store, StoreError};
use tls::TlsError;

/// How often the node is asked for its last finalized block.
const POLL: Duration = Duration::from_millis(500);
/// The pause after the chain could not be asked.
const PAUSE: Duration = Duration::from_secs(3);
/// How far this machine's clock may be from the chain's before it is said, in ms.
const CLOCK_DRIFT: u64 = 60_000;

/// Why the daemon does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain can't be asked, for a reason that waiting does not mend.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store can't be opened, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It can't speak TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It can't listen.
    #[error("can't listen on {listen}: {error}; choose another --listen, or see what uses that port")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The KEM key is none.
    #[error(transparent)]
    Key(#[from] EnvelopeError),
    /// It can't count.
    #[error("metrics: {0}")]
    Metrics(#[from] PrometheusError),
}

/// Runs a trustee until `shutdown`, or until its store fails.
///
/// Waits for a node to answer. Ending in an error is safe: start it again.
///
/// # Errors
/// [`Error`], saying what to do.
pub async fn run(config: Config, shutdown: impl Future) -> Result<(), Error> {
    let mut shutdown = pin!(shutdown.map(|_| ()).fuse());
    let chain = tokio::select! {
        chain = connect(&config.nodes) => chain?,
        () = &mut shutdown => return Ok(()),
    };
    let trustee = start(config, chain).await?;
    trustee.until(shutdown).await
}

/// Connects to a node, however long it takes until one answers.
async fn connect(nodes: &[String]) -> Result<Chain, ChainError> {
    loop {
        match Chain::connect(nodes).await {
            Err(error @ ChainError::Unreachable { .. }) => {
                tracing::warn!(%error, "waiting for a node");
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

/// A trustee that runs. Dropping it stops it.
pub struct Trustee {
    address: SocketAddr,
    daemon: Arc<Daemon>,
    elections: Arc<Elections>,
    metrics: Metrics,
    public: (psephos_protocol::keys::PublicKey, Vec<u8>),
    server: ServerHandle,
    duties: JoinSet<()>,
    seen: BTreeSet<Eid>,
}

/// Opens the store, begins to serve, and gives the trustee, which does its duties in [`Trustee::until`].
///
/// # Errors
/// [`Error`], saying what to do.
pub async fn start(config: Config, chain: Chain) -> Result<Trustee, Error> {
    let public = config.keys.public()?;
    let identity = Identity { genesis: chain.genesis(), signing: public.0 };
    let store = Arc::new(Store::open(&config.data, &identity)?);
    let (keys, elections) = (Arc::new(config.keys), Arc::new(Elections::default()));
    check_clock(&chain).await;
    if config.accept == Accept::All {
        tracing::warn!(
            "accepts every election that names its keys, unread: for demonstrations and tests only"
        );
    }
    let tls = config.tls.as_ref().map(|tls| tls.load(&config.data)).transpose()?;
    let pin = tls.as_ref().map(|shown| shown.pin);
    if tls.is_none() && !config.listen.ip().is_loopback() {
        tracing::warn!(listen = %config.listen, "listens beyond this machine without TLS: give --tls-self-signed or --tls-cert, or put a TLS proxy in front");
    }
    let registry = Registry::new();
    let metrics = Metrics::register(&registry)?;
    let inbox = Inbox::new(chain.clone(), keys.clone(), store.clone(), elections.clone(), metrics.clone());
    let inbox = Arc::new(inbox);
    let daemon = Arc::new(Daemon {
        chain: chain.clone(),
        inbox: inbox.clone(),
        keys: keys.clone(),
        store: store.clone(),
        data: config.data.clone(),
        accept: config.accept,
        public_url: config.public_url.map(|url| tls::stated(url, config.tls.as_ref(), pin)),
        finalize: config.finalize,
        stop: Arc::default(),
    });
    let helper = Helper::new(chain, keys, store.clone(), elections.clone());
    let mut duties = JoinSet::new();
    if let Some(address) = config.metrics {
        duties.spawn(async move {
            if let Err(error) = init_prometheus(address, registry).await {
                tracing::error!(%address, %error, "no metrics are served: choose another --metrics");
            }
        });
    }
    let rpc = Rpc {
        name: config.name.clone(),
        inbox,
        helper,
        store,
        elections: elections.clone(),
        tls,
        metrics: metrics.clone(),
    };
    let (address, server) = rpc::serve(config.listen, config.max_connections, rpc)
        .await
        .map_err(|error| Error::Listen { listen: config.listen, error })?;
    let url = daemon.public_url.clone().unwrap_or_else(|| tls::url(address, pin));
    tracing::info!(name = config.name, url, key = %public.0, data = %config.data.display(), "trustee serves");
    Ok(Trustee { address, daemon, elections, metrics, public, server, duties, seen: BTreeSet::new() })
}

impl Trustee {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does its duties until `shutdown`, or until its store fails; then stops serving, lets what was begun end,
    /// and closes the store.
    ///
    /// # Errors
    /// [`Error::Store`] when the store failed.
    pub async fn until(mut self, shutdown: impl Future) -> Result<(), Error> {
        let mut shutdown = pin!(shutdown);
        let store = self.daemon.store.clone();
        let outcome = tokio::select! {
            _ = &mut shutdown => Ok(()),
            failure = store.failure() => Err(Error::Store(failure)),
            () = self.watch() => Ok(()),
        };
        match &outcome {
            Ok(()) => tracing::info!("stopping"),
            Err(error) => tracing::error!(%error, "stopping"),
        }
        self.daemon.stop.store(true, Ordering::Relaxed);
        // An error means that it has stopped already.
        let _ = self.server.stop();
        self.server.clone().stopped().await;
        self.duties.shutdown().await;
        outcome
    }

    /// Follows what is finalized: keeps the elections' states up to date and finds new elections.
    async fn watch(&mut self) {
        let mut last = None;
        loop {
            let pause = match self.look(&mut last).await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "the chain can't be asked; trying again");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look(&mut self, last: &mut Option<Anchor>) -> Result<(), ChainError> {
        let finalized = self.daemon.chain.finalized().await?;
        if *last == Some(finalized) {
            return Ok(());
        }
        for eid in self.daemon.chain.elections().await? {
            if !self.seen.contains(&eid) {
                self.discover(eid).await?;
            } else if let Some(served) = self.elections.get(&eid) {
                served.update(self.daemon.chain.election(&eid).await?.state);
            }
        }
        self.elections.advance(finalized);
        self.metrics.followed(finalized.number, self.elections.all().len());
        *last = Some(finalized);
        Ok(())
    }

    /// Looks whether a new election names this trustee, and takes its duty up.
    async fn discover(&mut self, eid: Eid) -> Result<(), ChainError> {
        let view = self.daemon.chain.election(&eid).await?;
        self.seen.insert(eid);
        let election = match Election::new(self.daemon.chain.genesis(), view.state.number, view.manifest) {
            Ok(election) if election.eid == eid => election,
            Ok(election) => {
                tracing::error!(%eid, made = %election.eid, "the manifest that the node gives makes another identifier: not served");
                return Ok(());
            }
            Err(error) => {
                tracing::error!(%eid, %error, "the manifest breaks a rule of the protocol: not served");
                return Ok(());
            }
        };
        let (signing, kem) = &self.public;
        let places = (1u8..).zip(election.manifest.trustees.iter());
        let Some((index, named)) = places.into_iter().find(|(_, trustee)| trustee.signing == *signing) else {
            return Ok(());
        };
        if named.kem.as_slice() != kem.as_slice() {
            tracing::error!(%eid, index, "the manifest names this trustee's signing key with another KEM key: not served; give the key file that was made for this election");
            return Ok(());
        }
        tracing::info!(%eid, index, phase = %view.state.phase, title = psephos_protocol::bounds::show(&election.manifest.title), "an election names this trustee");
        let served = Arc::new(Served::new(election, index, view.state));
        self.elections.add(served.clone());
        self.duties.spawn(Duty::new(self.daemon.clone(), served).run(self.elections.ticks()));
        Ok(())
    }
}

impl Drop for Trustee {
    fn drop(&mut self) {
        self.daemon.stop.store(true, Ordering::Relaxed);
        let _ = self.server.stop();
    }
}

/// Says so when this machine's clock is far from the chain's.
async fn check_clock(chain: &Chain) {
    let block = async { chain.block(chain.finalized().await?.hash).await }.await;
    let time = block.map(|block| block.time).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let ahead = u128::from(time).saturating_sub(now);
    // A chain that stands still is behind without any fault of this clock, so only the future is telling.
    if ahead > u128::from(CLOCK_DRIFT) {
        tracing::warn!(seconds = ahead / 1_000, "this machine's clock is behind the chain's: set it");
    }
}
