//! What a trustee's daemon is started with.

use psephos_protocol::{
    envelope::{EnvelopeError, KemKey},
    ids::Eid,
    keys::{PublicKey, SigningKey},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use crate::tls::Tls;

/// The port that a trustee listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 9_960;
/// Connections at a time unless told otherwise.
pub const DEFAULT_CONNECTIONS: u32 = 512;

/// A trustee's secret keys. Zeroized on drop; print nothing.
#[derive(Clone)]
pub struct Keys {
    /// Signs receipts, agreements and contributions.
    pub signing: SigningKey,
    /// Opens envelopes.
    pub kem: KemKey,
}

impl Keys {
    /// The public halves, as a manifest names them.
    ///
    /// # Errors
    /// [`EnvelopeError::Key`], which no seed gives.
    pub fn public(&self) -> Result<(PublicKey, Vec<u8>), EnvelopeError> {
        Ok((self.signing.public(), self.kem.public()?.into_inner()))
    }
}

/// Which elections the trustee accepts when their manifest names its keys.
///
/// Accepting says: I have read this manifest and will serve. Somebody should have read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accept {
    /// These.
    Listed(Vec<Eid>),
    /// Every one. For demonstrations and tests: nobody reads the manifests.
    All,
}

impl Accept {
    /// Whether the trustee accepts this election.
    #[must_use]
    pub fn accepts(&self, eid: &Eid) -> bool {
        match self {
            Self::Listed(listed) => listed.contains(eid),
            Self::All => true,
        }
    }
}

/// All that a daemon needs. Has no `Debug`, because it holds the keys.
#[derive(Clone)]
pub struct Config {
    /// The trustee's name, as its status shows it.
    pub name: String,
    /// Where it listens. Loopback by default.
    pub listen: SocketAddr,
    /// How it speaks TLS. Without, it is for this machine, or for a TLS proxy in front.
    pub tls: Option<Tls>,
    /// The nodes it asks, as `ws://host:port`; best its own node first.
    pub nodes: Vec<String>,
    /// The folder of its store. Back it up; a copy never allows a second tally.
    pub data: PathBuf,
    /// Its keys.
    pub keys: Keys,
    /// Which elections it accepts.
    pub accept: Accept,
    /// Where voters and the other trustees reach it, as it states on the chain; none if it does not.
    pub public_url: Option<String>,
    /// Whether it also asks the chain to finalize once enough trustees have contributed, as anyone may.
    pub finalize: bool,
    /// Connections at a time; more are refused.
    pub max_connections: u32,
    /// Where it serves metrics, for its operator alone; nowhere if none.
    pub metrics: Option<SocketAddr>,
}

impl Config {
    /// The defaults: loopback, default port, no TLS, accepts nothing, finalizes.
    #[must_use]
    pub fn new(name: impl Into<String>, data: impl Into<PathBuf>, nodes: Vec<String>, keys: Keys) -> Self {
        Self {
            name: name.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            tls: None,
            nodes,
            data: data.into(),
            keys,
            accept: Accept::Listed(Vec::new()),
            public_url: None,
            finalize: true,
            max_connections: DEFAULT_CONNECTIONS,
            metrics: None,
        }
    }
}
