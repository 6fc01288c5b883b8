//! `psephos-verify`: verifies an election record offline.
//!
//! Exit code 0: verified. 1: not verified. 2: the file can't be read, or bad usage.

use std::{
    fs::File,
    io::{self, BufReader, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use psephos_verifier::{given::Given, html, verify_and_tell};

/// Verifies an election record offline: replays it and confirms the result from the record alone.
///
/// Exits with 0 if the record is verified, 1 if not, 2 if it can't be read.
#[derive(Parser)]
#[command(version, name = "psephos-verify")]
struct Cli {
    /// The record file; - for standard input.
    record: PathBuf,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
    /// Writes the report as a page of HTML, too, to a new file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
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
    let page = cli.html.as_deref().map(new_file).transpose()?;
    let unreadable = || format!("can't read the record {}", cli.record.display());
    let (source, length) = open(&cli.record).with_context(unreadable)?;
    let progress = progress(length);
    let report = verify_and_tell(source, &options, |verified| progress.set_position(verified))
        .with_context(unreadable)?;
    progress.finish_and_clear();
    if let Some((path, mut page)) = page {
        let name = cli.record.file_name().unwrap_or(cli.record.as_os_str()).to_string_lossy();
        page.write_all(html::report(&report, &name).as_bytes())
            .with_context(|| format!("can't write the page {}", path.display()))?;
    }
    let mut out = io::stdout().lock();
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

/// The record, and how long it is where that is known.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let file = File::open(path)?;
    // A pipe has no length.
    let length = file.metadata().ok().filter(|data| data.is_file()).map(|data| data.len());
    Ok((Box::new(BufReader::new(file)), length))
}

/// Opens a new file. What is there stays: it might be the record.
fn new_file(path: &Path) -> anyhow::Result<(&Path, File)> {
    let file = File::create_new(path).with_context(|| format!("can't write the page {}", path.display()))?;
    Ok((path, file))
}

/// The report with its verdict, for programs.
#[derive(serde::Serialize)]
struct Json<'a> {
    verified: bool,
    #[serde(flatten)]
    report: &'a psephos_verifier::Report,
}

/// How much of the record is verified, and how long the rest will take.
fn progress(length: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:40} {bytes}/{total_bytes} verified, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {bytes} verified in {elapsed}"),
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
