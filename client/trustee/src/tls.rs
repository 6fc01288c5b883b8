//! The daemon's TLS: a certificate that it was given, or one that it makes once and keeps.

use clap::Args;
use psephos_client::{
    keystore::{create_private, read_private, KeyError},
    tls::{provider, Pin},
};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    pki_types::{
        pem::{self, PemObject},
        CertificateDer, PrivateKeyDer,
    },
    version::TLS13,
    ServerConfig,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The file in the data folder with the daemon's own certificate and its key.
const FILE: &str = "tls.pem";
/// The name in the daemon's own certificate. Nobody reads it: the key is pinned.
const NAME: &str = "psephos-trustee";

/// Which certificate the daemon shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// One of its own, made when it first starts, for clients that pin its key.
    SelfSigned,
    /// A given one.
    Files {
        /// The certificate, and those that vouch for it, as PEM.
        certificate: PathBuf,
        /// Its key, as PEM.
        key: PathBuf,
    },
}

/// The options of a command that runs the daemon.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsArgs {
    /// Speak TLS with a certificate that the daemon makes once and keeps with its store; voters' programs
    /// know it by the address in the log.
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,
    /// Speak TLS with this certificate, followed by those that vouch for it, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// That certificate's key, as PEM, readable by its owner alone.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl From<TlsArgs> for Option<Tls> {
    fn from(args: TlsArgs) -> Self {
        match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls::Files { certificate, key }),
            _ => args.tls_self_signed.then_some(Tls::SelfSigned),
        }
    }
}

/// Why the daemon can't speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key's file can't be read or written, or others may read it.
    #[error(transparent)]
    Private(#[from] KeyError),
    /// A file is not what it should be.
    #[error("{path}: no {what} as PEM can be read from it: {error}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What is wrong.
        error: pem::Error,
    },
    /// Certificate and key don't fit together, or are of a kind that TLS 1.3 does not know.
    #[error("the certificate in {certificate} can't be used with the key in {key}: {error}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        error: rustls::Error,
    },
    /// No certificate could be made.
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// A certificate that is ready to be shown.
#[derive(Clone)]
pub struct Shown {
    /// How TLS is spoken: version 1.3 and HTTP/1.1.
    pub config: Arc<ServerConfig>,
    /// The certificate's key, as addresses pin it.
    pub pin: Pin,
}

impl Tls {
    /// Reads the certificate and its key; makes the daemon's own if there is none yet.
    ///
    /// # Errors
    /// [`TlsError`] naming the file.
    pub fn load(&self, data: &Path) -> Result<Shown, TlsError> {
        match self {
            Self::SelfSigned => own(data),
            Self::Files { certificate, key } => read(certificate, key),
        }
    }
}

/// The daemon's own certificate in this folder, made if there is none yet.
///
/// # Errors
/// [`TlsError`].
pub fn own(data: &Path) -> Result<Shown, TlsError> {
    let path = data.join(FILE);
    if !path.exists() {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([NAME.to_owned()])?.self_signed(&key)?;
        let secret = Zeroizing::new(key.serialize_pem());
        create_private(&path, Zeroizing::new(certificate.pem() + &secret).as_bytes())?;
    }
    read(&path, &path)
}

fn read(certificate: &Path, key: &Path) -> Result<Shown, TlsError> {
    let not = |path: &Path, what| {
        let path = path.to_path_buf();
        move |error| TlsError::Pem { path, what, error }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(not(certificate, "certificate"))?;
    let first = chain.first().ok_or(pem::Error::NoItemsFound).map_err(not(certificate, "certificate"))?;
    let secret = PrivateKeyDer::from_pem_slice(&read_private(key)?).map_err(not(key, "key"))?;
    let (pin, mut config) = Pin::of(first)
        .and_then(|pin| {
            let builder =
                ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])?;
            Ok((pin, builder.with_no_client_auth().with_single_cert(chain.clone(), secret)?))
        })
        .map_err(|error| TlsError::Pair { certificate: certificate.into(), key: key.into(), error })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Shown { config: Arc::new(config), pin })
}

/// The public address that a trustee states, with the pin of a certificate that it made itself, which nobody else
/// vouches for.
#[must_use]
pub fn stated(url: String, tls: Option<&Tls>, pin: Option<Pin>) -> String {
    match (tls, pin) {
        (Some(Tls::SelfSigned), Some(pin)) if !url.contains('#') => {
            format!("{}/#{pin}", url.trim_end_matches('/'))
        }
        _ => url,
    }
}

/// The address for voters of a daemon that listens there.
#[must_use]
pub fn url(address: SocketAddr, pin: Option<Pin>) -> String {
    let host = match address.ip().is_unspecified() {
        true => format!("HOST:{}", address.port()),
        false => address.to_string(),
    };
    match pin {
        Some(pin) => format!("https://{host}/#{pin}"),
        None => format!("http://{host}"),
    }
}
