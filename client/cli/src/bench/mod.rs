//! `psephos bench`: how fast this software is, measured on the machine at hand.

mod crypto;
mod flood;
mod floor;
mod form;
pub mod keyring;
mod ledger;
mod load;
mod machine;
mod network;
mod own;
mod prepare;
mod ready;
mod report;
mod sample;
mod send;
mod setup;
pub mod stage;
mod timing;
mod usage;

use clap::Subcommand;
use serde::Serialize;
use std::{fs, path::Path};

use crate::{context::Context, error::CliError};

/// Measures.
#[derive(Subcommand)]
pub enum Command {
    /// Measure how many ballots a network accepts and finalizes per second.
    #[command(after_help = "Examples:
  psephos bench network                                     # flat out, 4 validators of its own
  psephos bench network --rate 100 --duration 600 --report load.json
  psephos bench network --trustees 4 --rate 50              # with real trustees in the loop
  psephos bench network --rate 50 --mix junk=500,bad-proof=100
  psephos bench network --network demo                      # a network that runs already

It makes an election of its own, prepares all ballots ahead into a file, sends them, and counts
what finalized blocks hold. A ballot is bound to a block when it is prepared, and expires 2,400
blocks after it. So preparing ends after 75 minutes, and sending may take as long.

Kinds of --mix:
  junk          random bytes
  duplicate     ballots that were sent before
  unknown       ballots for an election that does not exist
  closed        ballots for an election that is closed
  bad-receipts  ballots with a right signature and made-up receipts
  bad-proof     ballots with right signature and receipts, and a wrong proof")]
    Network(Box<network::NetworkArgs>),
    /// Measure what each step of the protocol costs.
    #[command(after_help = "Examples:
  psephos bench crypto
  psephos bench crypto --form 10,4x10 --report crypto.json
  psephos --json bench crypto --form 10 --trustees 7 --threshold 3

The floor is what curve25519-dalek needs to decompress a ballot's points, and for the ballot's
share of one multi-scalar multiplication over the whole batch: no verifier on top of it needs less.")]
    Crypto(crypto::CryptoArgs),
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Network(args) => network::run(&args, context).await,
        Command::Crypto(args) => crypto::run(&args, context),
    }
}

/// Writes a report to a file, if one is named.
fn write_report(path: Option<&Path>, report: &impl Serialize) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let text = serde_json::to_vec_pretty(report).map_err(CliError::input)?;
    fs::write(path, text).map_err(|error| CliError::file(path, error))
}
