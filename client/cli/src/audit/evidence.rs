//! `psephos audit evidence`: which trustees contributed something else than the sums of their shares.

use clap::Args;
use psephos_verifier::{
    evidence::{Dispute, EvidenceError},
    Options,
};
use serde_json::json;
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use crate::{context::Context, error::CliError, output::table};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos audit evidence evidence.psephos --record record.psephos
  psephos --json audit evidence evidence.psephos --record record.psephos

A trustee wrote the file; it is not believed: every ballot of the record names its dealing. Ends
with 0 when the evidence holds, whomever it names, and with 4 when it is not of these ballots. See
that the record is the right one with `psephos-verify --genesis ... --board ...`.";

/// Evidence to check.
#[derive(Args)]
pub struct EvidenceArgs {
    /// The evidence, as a trustee's daemon or `psephos trustee evidence` wrote it.
    evidence: PathBuf,
    /// The election's record, as `psephos audit export` wrote it.
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
}

/// The agreed set of a record, and the contributions to it.
///
/// # Errors
/// [`CliError`] when the record does not hold, or has no contribution.
pub fn dispute(record: &Path) -> Result<Dispute, CliError> {
    let file = File::open(record).map_err(|error| CliError::file(record, error))?;
    Dispute::of_record(BufReader::new(file), &Options::default()).map_err(|error| failed(record, error))
}

fn failed(path: &Path, error: EvidenceError) -> CliError {
    let text = format!("{}: {error}", path.display());
    match error {
        EvidenceError::Io(_)
        | EvidenceError::Format
        | EvidenceError::NoSet
        | EvidenceError::Election { .. }
        | EvidenceError::Set { .. } => CliError::Input(text),
        EvidenceError::Record(_)
        | EvidenceError::Ballot { .. }
        | EvidenceError::Dealing(_)
        | EvidenceError::Points(_) => CliError::Integrity(text),
    }
}

/// Checks evidence.
///
/// # Errors
/// [`CliError`] when it does not hold.
pub fn run(args: &EvidenceArgs, context: &Context) -> Result<(), CliError> {
    let file = File::open(&args.evidence).map_err(|error| CliError::file(&args.evidence, error))?;
    let progress = context.out.spinner("verifying the record, then the dealings");
    let found = dispute(&args.record).and_then(|dispute| {
        let found = dispute.judge(BufReader::new(file)).map_err(|error| failed(&args.evidence, error))?;
        Ok((dispute.header(), found))
    });
    progress.finish_and_clear();
    let (header, findings) = found?;
    let value = json!({
        "election": header.eid.to_string(), "root": header.root.to_string(), "ballots": header.ballots,
        "contributions": findings,
    });
    context.out.result(&value, || {
        let rows: Vec<[String; 3]> = findings
            .iter()
            .map(|finding| {
                let fits = if finding.fits { "right" } else { "WRONG" };
                [finding.trustee.to_string(), finding.name.clone(), fits.into()]
            })
            .collect();
        format!(
            "The evidence has the dealing of each of the {} ballots of election {}.\n{}",
            header.ballots,
            header.eid,
            table(["TRUSTEE", "NAME", "CONTRIBUTION"], &rows)
        )
    })
}
