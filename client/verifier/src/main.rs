//! `psephos-verify`: verifies an election record offline.
//!
//! Exit code 0: verified. 1: not verified. 2: the file can't be read, or bad usage.

use std::{
    fs::{self, File},
    io::{self, BufReader, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{bail, Context};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use psephos_protocol::{
    board::Board,
    finality::{MAX_PROOF_BYTES, SUFFIX},
    ids::{Eid, Genesis},
    keys::PublicKey,
};
use psephos_verifier::{verify_and_tell, Options};

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
    /// The chain that you know: its genesis hash in hexadecimal.
    #[arg(long, value_name = "HEX")]
    genesis: Option<Genesis>,
    /// The election that you expect: its identifier in hexadecimal.
    #[arg(long, value_name = "HEX")]
    election: Option<Eid>,
    /// The finality proof of the record [default: the file with its name and .finality, if there is one].
    #[arg(long, value_name = "FILE")]
    finality: Option<PathBuf>,
    /// The chain's board that you know: K:KEY,KEY,… with K the threshold and the members' keys in order,
    /// or a file with that.
    #[arg(long, value_name = "FILE|K:KEYS")]
    board: Option<String>,
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
    let board = cli.board.as_deref().map(board).transpose()?;
    let finality = finality(cli)?;
    let options = Options { genesis: cli.genesis, board, eid: cli.election, finality };
    let unreadable = || format!("can't read the record {}", cli.record.display());
    let (source, length) = open(&cli.record).with_context(unreadable)?;
    let progress = progress(length);
    let report = verify_and_tell(source, &options, |verified| progress.set_position(verified))
        .with_context(unreadable)?;
    progress.finish_and_clear();
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

/// The finality proof that was named, or that lies beside the record.
fn finality(cli: &Cli) -> anyhow::Result<Option<Vec<u8>>> {
    let mut beside = cli.record.clone().into_os_string();
    beside.push(SUFFIX);
    let beside = PathBuf::from(beside);
    let path = match &cli.finality {
        Some(path) => path,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let mut bytes = Vec::new();
    // One more than there may be, so that what is too long is found to be.
    File::open(path)
        .and_then(|file| file.take(MAX_PROOF_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("can't read the finality proof {}", path.display()))?;
    Ok(Some(bytes))
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

/// A board from `K:KEY,KEY,…`, or from a file with that, over lines if it likes.
fn board(text: &str) -> anyhow::Result<Board> {
    let path = Path::new(text);
    let text = if path.is_file() {
        fs::read_to_string(path).with_context(|| format!("can't read the board {}", path.display()))?
    } else {
        text.to_owned()
    };
    let usage = "--board: expected K:KEY,KEY,… or a file with that";
    let (threshold, keys) = text.split_once(':').context(usage)?;
    let threshold = threshold.trim().parse().context(usage)?;
    let separator = |c: char| c == ',' || c.is_whitespace();
    let keys = keys.split(separator).filter(|key| !key.is_empty()).map(str::parse);
    let members = keys.collect::<Result<Vec<PublicKey>, _>>().context(usage)?;
    let Ok(members) = members.try_into() else { bail!("--board: at most 16 members") };
    let board = Board { members, threshold };
    board.validate().context("--board")?;
    Ok(board)
}
