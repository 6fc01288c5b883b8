//! `psephos-verify`: verifies an election record offline.
//!
//! Exit code 0: verified. 1: not verified. 2: the file can't be read, or bad usage.

use std::{
    fs::File,
    io::{BufReader, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use psephos_verifier::{given::Given, verify};

/// Verifies an election record offline: replays it and confirms the result from the record alone.
///
/// Exits with 0 if the record is verified, 1 if not, 2 if it can't be read.
#[derive(Parser)]
#[command(version, name = "psephos-verify")]
struct Cli {
    /// The record file.
    record: PathBuf,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: Given,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<bool> {
    let options = cli.given.options(&cli.record).map_err(anyhow::Error::msg)?;
    let unreadable = || format!("can't read the record {}", cli.record.display());
    let file = File::open(&cli.record).with_context(unreadable)?;
    let progress = match file.metadata() {
        Ok(data) if std::io::stderr().is_terminal() => ProgressBar::new(data.len()).with_style(style()),
        _ => ProgressBar::hidden(),
    };
    let report = verify(progress.wrap_read(BufReader::new(file)), &options).with_context(unreadable)?;
    progress.finish_and_clear();
    let mut out = std::io::stdout().lock();
    if cli.json {
        serde_json::to_writer_pretty(&mut out, &Json { report: &report, verified: report.verified() })
            .context("can't write the report")?;
        writeln!(out)
    } else {
        writeln!(out, "{report}")
    }
    .context("can't write the report")?;
    Ok(report.verified())
}

/// The report with its verdict, for programs.
#[derive(serde::Serialize)]
struct Json<'a> {
    verified: bool,
    #[serde(flatten)]
    report: &'a psephos_verifier::Report,
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
