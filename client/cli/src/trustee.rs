//! `psephos trustee`: keys, the daemon, accepting an election, and what to do when something breaks.

mod doctor;
mod evidence;
mod init;
mod recommend;
mod restore;
mod sheet;

use clap::{Args, Subcommand};
use psephos_client::{
    election::require_phase,
    endpoints::TrusteeClient,
    keystore::{KeyFile, KeyRole},
    open_election,
};
use psephos_protocol::{
    agreement::Acceptance, bounds::show, election::Election, ids::Eid, state::Phase, wire::Message,
};
use psephos_trustee::{config, tls::TlsArgs, Accept, Config, Keys};
use rand_core::OsRng;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};
use tokio::signal::unix::{signal, SignalKind};

use crate::{
    context::{find_election, Context},
    error::CliError,
    output::{fields, table},
};

/// Acts as a trustee.
#[derive(Subcommand)]
pub enum Command {
    /// Make the keys for an election: one that signs, one to which ballots' shares are sealed.
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// Make the same key file again, from the recovery sheet or a backup.
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::RestoreArgs),
    /// Run the daemon: keep shares, give receipts, contribute to the tally once.
    #[command(after_help = "Examples:
  psephos trustee run --key trustee.key --data /var/lib/psephos --accept EID \\
      --listen 0.0.0.0:9960 --tls-self-signed
  psephos --node ws://127.0.0.1:9944 trustee run --key t1.key --data t1 --accept-all   # rehearsal

Back up --data. Stop it with Ctrl-C or SIGTERM.")]
    Run(RunArgs),
    /// Show how a trustee's daemon stands.
    #[command(after_help = "Examples:
  psephos trustee status --url http://127.0.0.1:9960
  psephos trustee status --url 'https://trustee.example:9960/#sha256=...'   # as its log says
  psephos --json trustee status --url https://trustee.example")]
    Status(StatusArgs),
    /// Accept an election whose manifest names this key, after reading it.
    #[command(after_help = "Examples:
  psephos audit show EID                                      # read it first
  psephos trustee accept --key trustee.key --election EID

Accepting says that you read the manifest and will serve: keep the daemon running from then on.")]
    Accept(AcceptArgs),
    /// Look whether key, store, nodes, clock and daemon are well, and what to do if not.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArgs),
    /// Write what shows who contributed something wrong, for everybody to check.
    #[command(after_help = evidence::EXAMPLES)]
    Evidence(evidence::EvidenceArgs),
    /// Show what choices of trustees, threshold and quorum survive.
    #[command(after_help = recommend::EXAMPLES)]
    Recommend(recommend::RecommendArgs),
}

/// A daemon to run.
#[derive(Args)]
pub struct RunArgs {
    /// The key file that `trustee init` made.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The folder of its store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; voters should reach it over TLS.
    #[arg(long, default_value_t = SocketAddr::from(([127, 0, 0, 1], config::DEFAULT_PORT)))]
    listen: SocketAddr,
    /// Where voters and the other trustees reach it, as http(s)://host[:port]; it is stated on the chain.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    tls: TlsArgs,
    /// Accept this election, whose manifest you have read: all 64 digits; may be repeated.
    #[arg(long, value_name = "EID")]
    accept: Vec<Eid>,
    /// Accept every election that names this key, unread: for development and tests.
    #[arg(long, conflicts_with = "accept")]
    accept_all: bool,
    /// Connections at a time.
    // Help shows it before the options of every command.
    #[arg(long, display_order = 7, default_value_t = config::DEFAULT_CONNECTIONS)]
    max_connections: u32,
    /// Serve metrics for Prometheus here, such as 127.0.0.1:9961; don't let others reach it.
    #[arg(long, value_name = "ADDRESS", display_order = 7)]
    metrics: Option<SocketAddr>,
}

/// A daemon to ask.
#[derive(Args)]
pub struct StatusArgs {
    /// The daemon's address, as http://host:port, https://host:port or https://host:port/#sha256=DIGITS.
    #[arg(long, default_value_t = format!("http://127.0.0.1:{}", config::DEFAULT_PORT))]
    url: String,
}

/// An election to accept.
#[derive(Args)]
pub struct AcceptArgs {
    /// The key file that `trustee init` made.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The election: its identifier, or the first digits.
    #[arg(long, value_name = "EID")]
    election: Option<String>,
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Restore(args) => restore::run(args, context).await,
        Command::Run(args) => daemon(args, context).await,
        Command::Status(args) => status(&args.url, context).await,
        Command::Accept(args) => accept(&args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Evidence(args) => evidence::run(&args, context),
        Command::Recommend(args) => recommend::run(&args, context),
    }
}

async fn daemon(args: RunArgs, context: &Context) -> Result<(), CliError> {
    let key = context.key(&args.key, KeyRole::Trustee)?;
    let kem = key.kem().ok_or_else(|| CliError::file(&args.key, "has no KEM key"))?;
    let keys = Keys { signing: key.signing().clone(), kem: kem.clone() };
    if args.accept_all {
        context.out.warn("--accept-all: this trustee accepts every election that names its key, unread");
    }
    let config = Config {
        listen: args.listen,
        tls: args.tls.into(),
        accept: if args.accept_all { Accept::All } else { Accept::Listed(args.accept) },
        max_connections: args.max_connections,
        metrics: args.metrics,
        public_url: args.public_url,
        ..Config::new(key.name(), args.data, context.nodes.clone(), keys)
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::input)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::input)?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    psephos_trustee::run(config, shutdown).await.map_err(|error| match error {
        psephos_trustee::Error::Chain(error) => error.into(),
        error => CliError::Refused(error.to_string()),
    })
}

async fn status(url: &str, context: &Context) -> Result<(), CliError> {
    // Its index differs by election, and is not needed to ask for the status.
    let status = TrusteeClient::new(0, "at that address", url)?.status().await?;
    context.out.result(&status, || {
        let served: Vec<[String; 4]> = status
            .served
            .iter()
            .map(|served| {
                [
                    served.eid.clone(),
                    served.index.to_string(),
                    served.deposits.to_string(),
                    served.phase.clone(),
                ]
            })
            .collect();
        format!(
            "{}\n{}",
            fields(&[
                ("Trustee", status.name.clone()),
                ("Software", status.version.clone()),
                ("Followed", format!("block {}", status.finalized)),
                ("TLS", status.tls.clone().unwrap_or_else(|| "none of its own".into())),
            ]),
            table(["ELECTION", "INDEX", "DEPOSITS", "PHASE"], &served)
        )
    })
}

async fn accept(args: &AcceptArgs, context: &Context) -> Result<(), CliError> {
    let key = context.key(&args.key, KeyRole::Trustee)?;
    let chain = context.chain().await?;
    let eid = find_election(&chain, args.election.as_deref()).await?;
    let election = open_election(&chain, &eid).await?;
    let index = index_of(&election, &key)?;
    if chain.election(&eid).await?.state.accepted.contains(&index) {
        return Err(CliError::Refused(format!(
            "trustee {index} has accepted election {eid} already; run the daemon"
        )));
    }
    require_phase(&chain, &eid, "Setup", |phase| phase == Phase::Setup).await?;
    let message = Message::Accept(Acceptance::sign(&election, index, key.signing(), &mut OsRng));
    let progress = context.out.spinner("waiting until the acceptance is final");
    let outcome = chain.submit_and_finalize(&message).await;
    progress.finish_and_clear();
    let block = outcome?.number;
    context.out.result(&json!({ "election": eid.to_string(), "trustee": index, "block": block }), || {
        format!(
            "Trustee {index} accepted \"{}\" in block {block}.\nRun the daemon until the election is certified:\n  \
             psephos trustee run --key {} --data DIR --accept {eid}",
            show(&election.manifest.title),
            args.key.display(),
        )
    })
}

/// The index of a key's trustee in an election, both of its halves compared.
fn index_of(election: &Election, key: &KeyFile) -> Result<u8, CliError> {
    let kem = key.kem().and_then(|kem| kem.public().ok());
    let position = election.manifest.trustees.iter().position(|trustee| trustee.signing == key.public());
    let index = position.and_then(|position| u8::try_from(position + 1).ok()).ok_or_else(|| {
        CliError::Input(format!(
            "no trustee of election {} has this key: check --key and --election",
            election.eid
        ))
    })?;
    if election.trustee(index).map(|trustee| &trustee.kem) != kem.as_ref() {
        return Err(CliError::Input(format!(
            "trustee {index} of election {} has this signing key but another KEM key, and could open no share: \
             tell the board, and don't accept",
            election.eid
        )));
    }
    Ok(index)
}
