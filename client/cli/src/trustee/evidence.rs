//! `psephos trustee evidence`: the dealings of the ballots, with which anybody finds out who contributed something wrong.

use clap::Args;
use psephos_trustee::{
    evidence::{self, EvidenceError},
    store::{look, Store},
};
use serde_json::json;
use std::path::PathBuf;

use crate::{audit, context::Context, error::CliError};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos audit export EID record.psephos
  psephos trustee evidence --data /var/lib/psephos --record record.psephos --out evidence.psephos
  psephos audit evidence evidence.psephos --record record.psephos      # anybody, anywhere

A daemon that finds a wrong contribution writes the same file by itself, into its --data folder.
The file says nothing about votes and may be published. Stop the daemon first, or give a copy of
its folder.";

/// Evidence to write.
#[derive(Args)]
pub struct EvidenceArgs {
    /// The folder of the daemon's store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The election's record, as `psephos audit export` wrote it.
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// Where the evidence goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the file.
///
/// # Errors
/// [`CliError::Input`] naming what is missing.
pub fn run(args: &EvidenceArgs, context: &Context) -> Result<(), CliError> {
    if args.out.exists() {
        return Err(CliError::file(&args.out, "exists already; nothing was done: choose another name"));
    }
    let look = look(&args.data).map_err(CliError::input)?;
    let look = look.ok_or_else(|| CliError::file(&args.data, "has no store: see that --data is right"))?;
    let progress = context.out.spinner("verifying the record");
    let dispute = audit::dispute(&args.record);
    progress.finish_and_clear();
    let dispute = dispute?;
    let (header, ballots) = (dispute.header(), dispute.ballots());
    let store = Store::open(&args.data, &look.identity).map_err(CliError::input)?;
    evidence::write(&store, &header, ballots, &args.out).map_err(|error| match error {
        EvidenceError::Missing(_) | EvidenceError::Damaged(_) => CliError::Refused(error.to_string()),
        error => CliError::input(error),
    })?;
    let value = json!({
        "election": header.eid.to_string(), "root": header.root.to_string(), "ballots": header.ballots,
        "evidence": args.out,
    });
    context.out.result(&value, || {
        format!(
            "The dealings of {} ballots are in {}.\nAnybody checks them against the record:\n  \
             psephos audit evidence {} --record {}",
            header.ballots,
            args.out.display(),
            args.out.display(),
            args.record.display()
        )
    })
}
