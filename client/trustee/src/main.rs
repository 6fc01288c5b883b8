//! `psephos-trustee`: the trustee's daemon by itself. `psephos trustee init` makes its key file.

use clap::Parser;
use psephos_client::keystore::{KeyFile, KeyRole, PassphraseSource};
use psephos_protocol::ids::Eid;
use psephos_trustee::{config, run, tls::TlsArgs, Accept, Config, Keys};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{signal, SignalKind};
use tracing_subscriber::EnvFilter;

/// Keeps sealed shares of ballots, gives receipts, and contributes to the tally, once.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The key file that `psephos trustee init` made.
    #[arg(long, env = "PSEPHOS_KEY")]
    key: PathBuf,
    /// A file whose first line is the key file's passphrase, readable by its owner alone; otherwise the
    /// environment variable PSEPHOS_PASSPHRASE or the terminal is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// The folder of the store.
    #[arg(long, env = "PSEPHOS_TRUSTEE_DATA")]
    data: PathBuf,
    /// A node, as ws://host:port; may be given several times, the trustee's own node first.
    #[arg(long = "node", default_value = "ws://127.0.0.1:9944")]
    nodes: Vec<String>,
    /// Where to listen.
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], config::DEFAULT_PORT)))]
    listen: SocketAddr,
    /// Where voters and the other trustees reach it, as http(s)://host[:port]; it is stated on the chain.
    #[arg(long)]
    public_url: Option<String>,
    #[command(flatten)]
    tls: TlsArgs,
    /// The trustee's name in its status; that of the key file unless given.
    #[arg(long)]
    name: Option<String>,
    /// Accept this election (64 hexadecimal digits), whose manifest you have read; may be given several times.
    #[arg(long = "accept")]
    accept: Vec<Eid>,
    /// Accept every election that names this trustee's keys, unread: for demonstrations and tests only.
    #[arg(long, conflicts_with = "accept")]
    accept_all: bool,
    /// Don't ask the chain to finalize the tally; anyone else may.
    #[arg(long)]
    no_finalize: bool,
    /// Connections at a time.
    #[arg(long, default_value_t = config::DEFAULT_CONNECTIONS)]
    max_connections: u32,
    /// Serve metrics for Prometheus here, such as 127.0.0.1:9961; don't let others reach it.
    #[arg(long)]
    metrics: Option<SocketAddr>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let passphrase = arguments.passphrase_file.map_or(PassphraseSource::Ask, PassphraseSource::File);
    let key = KeyFile::load(&arguments.key, KeyRole::Trustee, &passphrase)?;
    let kem = key.kem().ok_or("the key file has no KEM key: make one with `psephos trustee init`")?;
    let keys = Keys { signing: key.signing().clone(), kem: kem.clone() };
    let name = arguments.name.unwrap_or_else(|| key.name().into());
    let config = Config {
        listen: arguments.listen,
        tls: arguments.tls.into(),
        accept: if arguments.accept_all { Accept::All } else { Accept::Listed(arguments.accept) },
        finalize: !arguments.no_finalize,
        max_connections: arguments.max_connections,
        metrics: arguments.metrics,
        public_url: arguments.public_url,
        ..Config::new(name, arguments.data, arguments.nodes, keys)
    };
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(run(config, shutdown).await?)
}
