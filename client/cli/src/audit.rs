//! `psephos audit`: what anyone may see and check.

mod evidence;
mod files;
mod json;
mod result;
mod results;

use clap::{Args, Subcommand};
use psephos_client::{record, tally, voter::generators};
use psephos_protocol::{
    ballot::{AuditError, TrackingCode},
    bounds::show,
    contest::Contest,
    state::ElectionView,
};
use serde_json::{json, Map, Value};
use std::path::PathBuf;

use crate::{
    context::Context,
    error::CliError,
    output::table,
    show as text,
    voter::{
        choices,
        opening::{self, Kind},
    },
};

pub use evidence::dispute;

/// Finalized blocks that a tally is waited for unless told otherwise: ten minutes at 2 s a block.
const TALLY_BLOCKS: u32 = 300;

/// Looks at elections as an auditor.
#[derive(Subcommand)]
pub enum Command {
    /// List the elections of the chain.
    #[command(after_help = "Examples:
  psephos audit elections
  psephos --json audit elections")]
    Elections,
    /// Show an election: its manifest and how it stands.
    #[command(after_help = "Examples:
  psephos audit show EID
  psephos --json audit show EID")]
    Show(Election),
    /// Check on this device what another device had put into a ballot (Benaloh challenge).
    #[command(after_help = "Example:
  psephos audit ballot opening.audit --code XXXXX-XXXXX-...

Type the code from your own note, as the other device had shown it. Exits with 4 when the ballot is another:
then don't trust that device.")]
    Ballot(BallotArgs),
    /// Export the election record, for `psephos-verify`.
    #[command(after_help = "Examples:
  psephos audit export EID record.psephos
  psephos-verify record.psephos

Until it is whole the record is record.psephos.partial. If the export is cut off, run it again: it goes on there.")]
    Export(ExportArgs),
    /// Show everything in a record as JSON, one block a line, for other tools.
    #[command(after_help = json::EXAMPLES)]
    Json(json::JsonArgs),
    /// Verify a record, and write its result as CSV or in a common data format.
    #[command(after_help = results::EXAMPLES)]
    Results(Box<results::ResultsArgs>),
    /// Wait for the trustees, and have the chain finalize the tally. Anyone may.
    #[command(after_help = "Examples:
  psephos audit tally EID
  psephos --json audit tally EID --blocks 1000")]
    Tally(TallyArgs),
    /// Show the result, its openings checked.
    #[command(after_help = "Examples:
  psephos audit result EID
  psephos --json audit result EID")]
    Result(Election),
    /// Check a trustee's evidence: who contributed something else than the sums of their shares.
    #[command(after_help = evidence::EXAMPLES)]
    Evidence(evidence::EvidenceArgs),
}

/// An election to look at.
#[derive(Args)]
pub struct Election {
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(value_name = "EID")]
    election: Option<String>,
}

/// An opening to check.
#[derive(Args)]
pub struct BallotArgs {
    /// The opening that the other device wrote.
    opening: PathBuf,
    /// The tracking code that the other device had shown before.
    #[arg(long)]
    code: String,
}

/// A record to export.
#[derive(Args)]
pub struct ExportArgs {
    /// The election: its identifier, or the first digits.
    #[arg(value_name = "EID")]
    election: String,
    /// Where the record goes; must not exist.
    out: PathBuf,
}

/// A tally to wait for.
#[derive(Args)]
pub struct TallyArgs {
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(value_name = "EID")]
    election: Option<String>,
    /// For how many finalized blocks to wait at most.
    #[arg(long, default_value_t = TALLY_BLOCKS)]
    blocks: u32,
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Elections => elections(context).await,
        Command::Show(args) => show_one(args.election.as_deref(), context).await,
        Command::Ballot(args) => ballot(&args, context).await,
        Command::Export(args) => export(&args, context).await,
        Command::Json(args) => json::run(&args, context),
        Command::Results(args) => results::run(&args, context),
        Command::Tally(args) => {
            let (chain, election) = context.election(args.election.as_deref()).await?;
            let progress = context.out.spinner("waiting for the trustees and the chain");
            let tallied = tally::tally(&chain, &election.eid, args.blocks).await;
            progress.finish_and_clear();
            result::show(&chain, &election, &tallied?, context).await
        }
        Command::Result(args) => result::run(args.election.as_deref(), context).await,
        Command::Evidence(args) => evidence::run(&args, context),
    }
}

async fn elections(context: &Context) -> Result<(), CliError> {
    let chain = context.chain().await?;
    let mut views = Vec::new();
    for eid in chain.elections().await? {
        views.push(chain.election(&eid).await?);
    }
    let value: Vec<Value> = views
        .iter()
        .map(|view| {
            let mut value = text::state_json(&view.eid, &view.state);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("title".into(), json!(show(&view.manifest.title)));
                fields.insert("rehearsal".into(), json!(view.manifest.rehearsal));
            }
            value
        })
        .collect();
    context.out.result(&value, || match views.as_slice() {
        [] => "The chain has no election yet.".into(),
        views => {
            let mark =
                |view: &ElectionView| if view.manifest.rehearsal.is_some() { "REHEARSAL: " } else { "" };
            let rows: Vec<[String; 5]> = views
                .iter()
                .map(|view| {
                    [
                        view.eid.to_string(),
                        view.state.phase.to_string(),
                        view.state.voters.to_string(),
                        view.state.counted.to_string(),
                        format!("{}{}", mark(view), show(&view.manifest.title)),
                    ]
                })
                .collect();
            table(["ELECTION", "PHASE", "VOTERS", "VOTED", "TITLE"], &rows)
        }
    })
}

async fn show_one(election: Option<&str>, context: &Context) -> Result<(), CliError> {
    let (chain, election) = context.election(election).await?;
    let view = chain.election(&election.eid).await?;
    let value = json!({
        "state": text::state_json(&view.eid, &view.state), "manifest": text::manifest_json(&election.manifest),
    });
    context.out.result(&value, || {
        let manifest = &election.manifest;
        format!("{}{}\n{}", text::banner(manifest), text::state(&view), text::manifest(manifest))
    })
}

async fn ballot(args: &BallotArgs, context: &Context) -> Result<(), CliError> {
    let code: TrackingCode =
        args.code.parse().map_err(|error| CliError::Input(format!("--code: {error}")))?;
    let opening = opening::read(&args.opening, Kind::Audit)?;
    let (_, election) = context.election(Some(&opening.eid.to_string())).await?;
    let progress = context.out.spinner("rebuilding the ballot");
    let rebuilt = opening.rebuild(&election, &generators(&election));
    progress.finish_and_clear();
    let hash = match rebuilt {
        Ok(ballot) => ballot.hash(),
        Err(error @ (AuditError::Encoding | AuditError::Election)) => {
            return Err(CliError::Input(error.to_string()))
        }
        Err(error) => return Err(CliError::Integrity(error.to_string())),
    };
    if !code.matches(&hash) {
        return Err(CliError::Integrity(format!(
            "seed and choices give the ballot {}, and the device had shown {code}: do not trust that device, and tell the \
             board",
            TrackingCode::of(&hash)
        )));
    }
    let manifest = &election.manifest;
    let contests =
        manifest.style(opening.paper.style).map(|style| manifest.style_contests(style)).unwrap_or_default();
    let value = json!({
        "election": election.eid.to_string(), "tracking_code": code.to_string(), "ballot": hash.to_string(),
        "choices": choices_json(&contests, &opening.choices.0),
    });
    context.out.result(&value, || {
        format!(
            "The ballot {code} holds exactly this, and was never cast:\n\n{}\nIs it what you had chosen on the other \
             device? If not, don't trust it, and tell the board.",
            choices::text(&contests, &opening.choices).as_str()
        )
    })
}

fn choices_json(contests: &[&Contest], votes: &[Vec<u32>]) -> Value {
    let mut out = Map::new();
    for (contest, vote) in contests.iter().zip(votes) {
        let options: Map<String, Value> =
            contest.options.iter().zip(vote).map(|(option, value)| (show(option), json!(value))).collect();
        out.insert(show(&contest.title), Value::Object(options));
    }
    Value::Object(out)
}

async fn export(args: &ExportArgs, context: &Context) -> Result<(), CliError> {
    files::free(&args.out)?;
    let (chain, election) = context.election(Some(&args.election)).await?;
    let partial = record::partial_path(&args.out);
    if partial.exists() {
        context
            .out
            .note(&format!("Going on with {}, which an export that was cut off left.", partial.display()));
    }
    let progress = context.out.bar(0, "exporting blocks");
    let exported = record::export(&chain, &election.eid, &args.out, |at| {
        progress.set_length(u64::from(at.last.saturating_sub(at.first)) + 1);
        progress.set_position(u64::from(at.block.saturating_sub(at.first)) + 1);
    })
    .await;
    progress.finish_and_clear();
    let exported = exported?;
    if exported.resumed.forked {
        context.out.warn(
            "what was there already had blocks that are not on this node's chain; they were fetched anew",
        );
    }
    let value = json!({
        "election": election.eid.to_string(), "record": args.out, "first": exported.first, "last": exported.last.number,
        "messages": exported.messages, "bytes": exported.bytes, "finality": record::finality_path(&args.out),
        "resumed_blocks": exported.resumed.blocks,
    });
    context.out.result(&value, || {
        format!(
            "Record of \"{}\": blocks {} to {}, {} messages, {} bytes.\nBeside it: {}, the proof that its last block is \
             final.\nVerify it, best on another machine:\n  psephos-verify {}",
            show(&election.manifest.title),
            exported.first,
            exported.last.number,
            exported.messages,
            exported.bytes,
            record::finality_path(&args.out).display(),
            args.out.display()
        )
    })
}
