//! `psephos network`: a whole network on this machine, for demonstrations, rehearsals and tests.

mod config;
mod cores;
mod identity;
mod new;
mod process;
mod run;
mod spec;
mod state;

pub use {
    config::{free_ports, Network},
    new::make,
    process::running,
    run::{bring_up, stop},
};

use clap::{Args, Subcommand};
use std::path::PathBuf;

use crate::{context::Context, error::CliError};
use config::MOST;

/// Runs a network of validators and trustees on this machine.
#[derive(Subcommand)]
pub enum Command {
    /// Make the folder of a new network: chain spec, keys, ports, and a manifest to start from.
    #[command(after_help = "Examples:
  psephos network new demo --dev-keys
  psephos network new rehearsal --validators 4 --trustees 5 --board 5 --board-threshold 3 \\
      --passphrase-file passphrase.txt

All keys are made on this machine: a real election has each made by its holder, on their own.
P2P ports are BASE+0.., RPC ports BASE+20.., the trustees' ports BASE+40..")]
    New(NewArgs),
    /// Start what does not run yet, and wait until blocks are final.
    #[command(after_help = "Examples:
  psephos network up demo --wait
  psephos --json network up demo --timeout 300

Logs are in DIR/logs. The processes go on when this command ends; stop them with `psephos network down DIR`.")]
    Up(UpArgs),
    /// Show heights, peers and trustees.
    #[command(after_help = "Examples:
  psephos network status demo
  psephos --json network status demo")]
    Status(Folder),
    /// Stop all processes of the network, and no others.
    #[command(after_help = "Example:
  psephos network down demo

Asks each process to end, and kills those that have not after 20 seconds.")]
    Down(Folder),
    /// Kill one process at once, as a crash would.
    #[command(after_help = "Examples:
  psephos network kill demo validator-2
  psephos network kill demo trustee-3")]
    Kill(One),
    /// Start one process again.
    #[command(after_help = "Example:
  psephos network start demo validator-2")]
    Start(One),
}

/// A network's folder.
#[derive(Args)]
pub struct Folder {
    /// The folder that `network new` made.
    dir: PathBuf,
}

/// One process of a network.
#[derive(Args)]
pub struct One {
    /// The folder that `network new` made.
    dir: PathBuf,
    /// The process: validator-1, trustee-1, ...
    name: String,
}

/// What a new network has.
#[derive(Args)]
pub struct NewArgs {
    /// The folder to make; must not exist.
    pub dir: PathBuf,
    /// Validators; finality survives the loss of fewer than a third.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
    pub validators: u8,
    /// Trustees; at least three, because two open the tally and one alone may be away.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(3..=i64::from(MOST)))]
    pub trustees: u8,
    /// Members of the board.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
    pub board: u8,
    /// How many members of the board must agree.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
    pub board_threshold: u8,
    /// Registrars.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
    pub registrars: u8,
    /// The first port of 56; loopback only.
    #[arg(long, default_value_t = 30_400)]
    pub base_port: u16,
    /// Let elections be frozen without a rehearsal of their trustees: for tests and development. It is fixed for the
    /// chain's life.
    #[arg(long)]
    pub no_rehearsal: bool,
    /// Leave key files unencrypted and let trustees accept elections unread: for demonstrations and tests.
    #[arg(long)]
    pub dev_keys: bool,
}

/// How to start a network.
#[derive(Args)]
pub struct UpArgs {
    /// The folder that `network new` made.
    pub dir: PathBuf,
    /// Wait until every trustee answers and follows the chain, too.
    #[arg(long)]
    pub wait: bool,
    /// For how many seconds to wait at most.
    #[arg(long, default_value_t = 600)]
    pub timeout: u64,
    /// Give each process that is started one core of this machine, validators in turn and trustees in turn, and with it
    /// as few threads: many that share few cores then hold each other up less. What `network start` starts has all.
    #[arg(long)]
    pub one_core_each: bool,
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::New(args) => new::new(&args, context),
        Command::Up(args) => run::up(&args, context).await,
        Command::Status(Folder { dir }) => run::status(&dir, context).await,
        Command::Down(Folder { dir }) => run::down(&dir, context),
        Command::Kill(One { dir, name }) => run::kill(&dir, &name, context),
        Command::Start(One { dir, name }) => run::start(&dir, &name, context),
    }
}
