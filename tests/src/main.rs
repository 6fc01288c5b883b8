//! `psephos-demo`: what `scripts/demo` runs.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use psephos_tests::{
    demo::{self, Demo},
    network,
};
use std::{fs, path::PathBuf, process::ExitCode};

/// Runs a whole election on a real network of this machine and verifies it.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  scripts/demo
  scripts/demo --ballots docs/data/city-da.csv --voters 500
  scripts/demo --keep

Exit codes: 0 all counts are equal, 1 a difference or an error, 2 wrong arguments."
)]
struct Arguments {
    /// Ranked ballots, in the form `count,ranking`.
    #[arg(long, default_value = "docs/data/city-da.csv")]
    ballots: PathBuf,
    /// How many voters are drawn from them.
    #[arg(long, default_value_t = 200)]
    voters: usize,
    /// Leave the network running and say how to look around.
    #[arg(long)]
    keep: bool,
    /// The folder for network and record; must be empty or not exist. Default: a new one under the
    /// system's temporary folder, removed at the end unless --keep.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Draw the voters of an earlier run again.
    #[arg(long)]
    seed: Option<u64>,
    /// The first of 56 ports on the loopback address; by default some that are free.
    #[arg(long)]
    base_port: Option<u16>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the demonstration failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let temporary = tempfile::Builder::new().prefix("psephos-demo-").tempdir()?;
    let dir = match arguments.dir {
        Some(dir) => {
            fs::create_dir_all(&dir).with_context(|| format!("{}", dir.display()))?;
            let dir = dir.canonicalize().with_context(|| format!("{}", dir.display()))?;
            ensure!(
                dir.read_dir()?.next().is_none(),
                "--dir: {} is not empty; choose another",
                dir.display()
            );
            dir
        }
        None => temporary.path().to_path_buf(),
    };
    let demo = Demo {
        ballots: arguments.ballots,
        voters: arguments.voters,
        dir,
        keep: arguments.keep,
        seed: arguments.seed,
        base_port: arguments.base_port.map_or_else(network::free_ports, Ok)?,
    };
    let outcome = tokio::select! {
        outcome = demo::run(&demo) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; the network was stopped")),
    };
    if outcome.is_err() || arguments.keep {
        // What it left is needed to see what happened.
        let kept = temporary.keep();
        if outcome.is_err() && demo.dir == kept {
            eprintln!("logs and data are in {}", kept.display());
        }
    }
    Ok(outcome?.equal)
}
