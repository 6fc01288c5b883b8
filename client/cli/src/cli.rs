//! The command line: global options, and one group of commands per role.

use clap::{Parser, Subcommand};
use psephos_client::keystore::PassphraseSource;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

use crate::{
    audit, bench, board,
    context::Context,
    error::{CliError, EXIT_CODES},
    network,
    output::Output,
    registrar, trustee, voter,
};

/// Verifiable private elections: one command for every role.
#[derive(Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// A node to ask, as ws://host:port or wss://host:port; repeat it to have others take over.
    #[arg(
        long = "node",
        global = true,
        env = "PSEPHOS_NODE",
        hide_env_values = true,
        value_name = "URL",
        value_delimiter = ',',
        default_value = "ws://127.0.0.1:9944"
    )]
    nodes: Vec<String>,

    /// Print JSON on stdout and show no progress.
    #[arg(long, global = true)]
    json: bool,

    /// A file whose first line is the passphrase of key files, readable by you alone. Without it,
    /// PSEPHOS_PASSPHRASE or the terminal is asked.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// Log more to stderr: -v information, -vv details.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    /// Run a network on this machine: for demonstrations, rehearsals and tests.
    #[command(subcommand)]
    Network(network::Command),
    /// The election board: create, freeze, close, certify.
    #[command(subcommand)]
    Board(board::Command),
    /// The registrar: the electoral roll and its invitations.
    #[command(subcommand)]
    Registrar(registrar::Command),
    /// A trustee: keys, daemon, acceptance.
    #[command(subcommand)]
    Trustee(trustee::Command),
    /// A voter: register, vote, check.
    #[command(subcommand)]
    Voter(voter::Command),
    /// Anyone: look at elections, check ballots, export the record, see the result.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Measure how fast this software is on this machine.
    #[command(subcommand)]
    Bench(bench::Command),
}

/// Runs a command line.
///
/// # Errors
/// [`CliError`], whose exit code says of which kind it is.
pub fn run(cli: Cli) -> Result<(), CliError> {
    let is_daemon = matches!(cli.command, Command::Trustee(trustee::Command::Run(_)));
    let level = match cli.verbose {
        0 if is_daemon => "info",
        0 => "error",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let context = Context {
        nodes: cli.nodes,
        out: Output { json: cli.json },
        passphrase: cli.passphrase_file.map_or(PassphraseSource::Ask, PassphraseSource::File),
    };
    let mut threads = match cli.command {
        // A load leaves the cores to those whom it measures.
        Command::Bench(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = threads.enable_all().build().map_err(CliError::input)?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Network(command) => network::run(command, &context).await,
            Command::Board(command) => board::run(command, &context).await,
            Command::Registrar(command) => registrar::run(command, &context).await,
            Command::Trustee(command) => trustee::run(command, &context).await,
            Command::Voter(command) => voter::run(command, &context).await,
            Command::Audit(command) => audit::run(command, &context).await,
            Command::Bench(command) => bench::run(command, &context).await,
        }
    });
    // A question at the terminal that nobody answered must not keep the program.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        fn visit(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("psephos "), "{path} has no example");
            }
            command.get_subcommands().for_each(|command| visit(command, &path));
        }
        visit(&Cli::command(), "");
    }
}
