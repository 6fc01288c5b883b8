//! `psephos audit results`: the result of a record that was verified, in forms that others read.

mod csv;
mod nist;

use clap::Args;
use psephos_protocol::contest::{Contest, Rule};
use psephos_verifier::{
    given::Given,
    report::ContestTotals,
    results::{results, Results},
};
use serde_json::json;
use std::{
    fs::File,
    io::{BufReader, Write},
    path::{Path, PathBuf},
};

use super::files::{free, NewFile};
use crate::{context::Context, error::CliError};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos audit results record.psephos --csv results.csv
  psephos audit results record.psephos --nist results.json --issuer \"City of X\" --issuer-abbreviation X \\
    --genesis HEX --board 2:KEY,KEY,KEY

The record is verified as `psephos-verify` does it, and refused if it does not hold; exit code 4. An election
that was voided has no result; exit code 1. The same record gives the same bytes, whoever runs this.";

/// A record whose result is wanted.
#[derive(Args)]
pub struct ResultsArgs {
    /// The record, as `psephos audit export` wrote it.
    record: PathBuf,
    /// Write the totals and turnouts as CSV to this file, which must not exist.
    #[arg(long, value_name = "FILE", required_unless_present = "nist")]
    csv: Option<PathBuf>,
    /// Write them in the common data format of NIST SP 1500-100 version 2, as JSON, to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    nist: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    labels: nist::Labels,
}

/// Writes the result.
///
/// # Errors
/// [`CliError`] when the record does not hold or there is no result.
pub fn run(args: &ResultsArgs, context: &Context) -> Result<(), CliError> {
    args.csv.iter().chain(&args.nist).try_for_each(|path| free(path))?;
    let options = args.given.options(&args.record).map_err(CliError::Input)?;
    let unreadable = |error| CliError::file(&args.record, error);
    let file = File::open(&args.record).map_err(unreadable)?;
    let progress = context.out.bytes(file.metadata().map_or(0, |data| data.len()), "verifying the record");
    let found = results(progress.wrap_read(BufReader::new(file)), &options);
    progress.finish_and_clear();
    let found = found.map_err(unreadable)?.map_err(|report| {
        let text = format!("{}: {}", args.record.display(), report.summary());
        match report.verified() {
            true => CliError::Refused(text),
            false => CliError::Integrity(text),
        }
    })?;
    let csv = args.csv.as_ref().map(|path| csv::table(&found).map(|table| (path, table))).transpose()?;
    let nist = args.nist.as_ref().map(|path| nist::report(&found, &args.labels).map(|text| (path, text)));
    for (path, text) in csv.into_iter().chain(nist.transpose()?) {
        write(path, &text)?;
    }
    let report = &found.report;
    let value = json!({
        "election": found.election.eid.to_string(), "result": report.result.map(|result| result.to_string()),
        "csv": args.csv, "nist": args.nist, "notes": report.notes,
    });
    context.out.result(&value, || {
        let files: Vec<String> =
            args.csv.iter().chain(&args.nist).map(|path| path.display().to_string()).collect();
        let mut out = format!("{}\nWrote {}.\n", report.summary(), files.join(" and "));
        report.notes.iter().for_each(|note| out.push_str(&format!("note: {note}\n")));
        out
    })
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let file = NewFile::create(path)?;
    file.writer().write_all(text.as_bytes()).map_err(|error| CliError::file(path, error))?;
    file.keep()
}

/// Part of an election that totals are given for.
struct Place<'a> {
    /// The cell, from 1; none for all reporting units together.
    cell: Option<usize>,
    /// Its reporting units, by their places in the manifest.
    units: std::ops::Range<usize>,
    /// Its totals, by contest.
    contests: &'a [ContestTotals],
}

/// All units together, then each cell where there are several.
fn places(results: &Results) -> Vec<Place<'_>> {
    let (election, report) = (&results.election, &results.report);
    let all = Place { cell: None, units: 0..election.manifest.units.len(), contests: &report.contests };
    let cells = results.cells.iter().zip(&report.cells).enumerate().map(|(place, (units, cell))| Place {
        cell: Some(place + 1),
        units: usize::from(units.start)..usize::from(units.end),
        contests: &cell.contests,
    });
    std::iter::once(all).chain(cells).collect()
}

/// How votes of a contest are given, in the terms of NIST SP 1500-100 (VoteVariation).
fn variation(contest: &Contest) -> &'static str {
    let Rule { max_each, min_sum, max_sum } = contest.rule;
    let all = (contest.options.len() as u64).saturating_mul(u64::from(max_each));
    match (max_each, min_sum, max_sum) {
        (1, _, 1) => "plurality",
        (1, 0, most) if u64::from(most) == all => "approval",
        (1, ..) => "n-of-m",
        (_, 0, most) if u64::from(most) == all => "range",
        (each, _, most) if each == most => "cumulative",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
