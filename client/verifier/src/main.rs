//! `psephos-verify`: verifies an election record offline.
//!
//! Exit code 0: verified. 1: not verified. 2: the file can't be read, or bad usage.

use std::{
    fs::{self, File},
    io::{BufReader, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{bail, Context};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use psephos_protocol::{
    board::Board,
    certificate, finality,
    ids::{Digest, Eid, Genesis, NotAnId},
    keys::PublicKey,
};
use psephos_verifier::{html, verify, Options};

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
    /// Writes the report as a page of HTML, too, to a new file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The chain that you know: its genesis hash in hexadecimal.
    #[arg(long, value_name = "HEX")]
    genesis: Option<Genesis>,
    /// The election that you expect: its identifier in hexadecimal.
    #[arg(long, value_name = "HEX")]
    election: Option<Eid>,
    /// The finality proof of the record [default: the file with its name and .finality, if there is one].
    #[arg(long, value_name = "FILE")]
    finality: Option<PathBuf>,
    /// The certificate of the record [default: the file with its name and .certificate, if there is one].
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The fingerprint of the certificate's key that you know from print, in hexadecimal; spaces may stand in it.
    #[arg(long, value_name = "HEX", value_parser = fingerprint)]
    certificate_key: Option<Digest>,
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
    let beside = |given: &Option<PathBuf>, suffix, most| beside(&cli.record, given.as_deref(), suffix, most);
    let options = Options {
        genesis: cli.genesis,
        board,
        eid: cli.election,
        finality: beside(&cli.finality, finality::SUFFIX, finality::MAX_PROOF_BYTES)?,
        certificate: beside(&cli.certificate, certificate::SUFFIX, certificate::BYTES)?,
        certificate_key: cli.certificate_key,
    };
    let page = cli.html.as_deref().map(new_file).transpose()?;
    let unreadable = || format!("can't read the record {}", cli.record.display());
    let file = File::open(&cli.record).with_context(unreadable)?;
    let progress = match file.metadata() {
        Ok(data) if std::io::stderr().is_terminal() => ProgressBar::new(data.len()).with_style(style()),
        _ => ProgressBar::hidden(),
    };
    let report = verify(progress.wrap_read(BufReader::new(file)), &options).with_context(unreadable)?;
    progress.finish_and_clear();
    if let Some((path, mut page)) = page {
        let name = cli.record.file_name().unwrap_or(cli.record.as_os_str()).to_string_lossy();
        page.write_all(html::report(&report, &name).as_bytes())
            .with_context(|| format!("can't write the page {}", path.display()))?;
    }
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

/// The file of `most` bytes that was named, or that lies beside the record by its name and `suffix`, if there is one.
fn beside(record: &Path, given: Option<&Path>, suffix: &str, most: usize) -> anyhow::Result<Option<Vec<u8>>> {
    let mut beside = record.as_os_str().to_owned();
    beside.push(suffix);
    let beside = PathBuf::from(beside);
    let path = match given {
        Some(path) => path,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let mut bytes = Vec::new();
    // One more than there may be, so that what is too long is found to be.
    File::open(path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("can't read {}", path.display()))?;
    Ok(Some(bytes))
}

/// Opens a new file. What is there stays: it might be the record.
fn new_file(path: &Path) -> anyhow::Result<(&Path, File)> {
    let file = File::create_new(path).with_context(|| format!("can't write the page {}", path.display()))?;
    Ok((path, file))
}

/// A digest, in groups if it likes.
fn fingerprint(text: &str) -> Result<Digest, NotAnId> {
    text.split_whitespace().collect::<String>().parse()
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
