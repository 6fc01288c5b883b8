//! `psephos registrar`: from a list of eligible persons to invitations and an electoral roll.

use clap::{Args, Subcommand};
use codec::{DecodeAll, Encode};
use psephos_client::{
    keystore::{create_private, KeyRole},
    open_election,
    registrar::{self, Invited, Person},
    Chain,
};
use psephos_protocol::{
    bounds::{show, MAX_BATCH},
    election::Election,
    ids::Eid,
    manifest::Manifest,
    roll::RollBatch,
};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

use crate::{
    context::Context,
    error::CliError,
    keys, manifest,
    output::{table, Output},
};

/// Bytes of the largest roll file that is read: ten million entries of some 130 bytes.
const MAX_ROLL_FILE: u64 = 2 * 1024 * 1024 * 1024;

/// Acts as the registrar.
#[derive(Subcommand)]
pub enum Command {
    /// Make a registrar's key.
    #[command(after_help = "Example:
  psephos registrar keygen --name 'Registry office' --out registrar.key")]
    Keygen(keys::NewKey),
    /// Turn a list of persons into invitations and the electoral roll.
    #[command(after_help = "Examples:
  psephos registrar import persons.csv --manifest manifest.toml --dry-run      # before the election exists
  psephos registrar import persons.csv --election EID --dry-run
  psephos registrar import persons.csv --election EID --key registrar.key --out invitations.csv

The list is CSV; its first line names the columns `identifier` and, if wanted, `weight`, `style`, `unit`:
  identifier,weight,unit
  1987-4711,1,North

The whole list is checked first, and nothing is done unless all of it is right. The invitations are SECRET
(mode 600) until each is with its voter. With --channels 2 each voter needs two codes, written to two files
for two parties: invitations-1.csv and invitations-2.csv. The signed roll is kept beside them, so that
`psephos registrar submit` can go on where this stopped.")]
    Import(ImportArgs),
    /// Submit a signed roll again, from where it stopped.
    #[command(after_help = "Example:
  psephos registrar submit invitations.roll")]
    Submit(SubmitArgs),
    /// Show the batches of the roll.
    #[command(after_help = "Examples:
  psephos registrar status EID
  psephos --json registrar status EID

A batch's entries are numbered from FIRST ENTRY on, in the order of the list, once the board has confirmed it;
`psephos board reinvite` takes such a number.")]
    Status(StatusArgs),
}

/// A list to import.
#[derive(Args)]
pub struct ImportArgs {
    /// The list of persons.
    #[arg(value_name = "CSV")]
    list: PathBuf,
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(long, value_name = "EID")]
    election: Option<String>,
    /// Check against a manifest file, without a node.
    #[arg(long, value_name = "FILE", conflicts_with = "election", requires = "dry_run")]
    manifest: Option<PathBuf>,
    /// The registrar's key file.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    key: Option<PathBuf>,
    /// Where the invitations go; must not exist.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Codes per voter: 1, or 2 that different parties carry, so that neither alone can use an invitation.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    channels: u8,
    /// Entries in one batch.
    #[arg(long, default_value_t = registrar::BATCH as u32, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_BATCH)))]
    batch_size: u32,
    /// Check the list and stop.
    #[arg(long)]
    dry_run: bool,
}

/// A roll to submit.
#[derive(Args)]
pub struct SubmitArgs {
    /// The signed roll that `import` wrote.
    #[arg(value_name = "FILE")]
    roll: PathBuf,
}

/// An election to look at.
#[derive(Args)]
pub struct StatusArgs {
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(value_name = "EID")]
    election: Option<String>,
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Keygen(args) => keys::make(
            KeyRole::Registrar,
            &args,
            "Hand the public half to the board, which names it under `registrars` in the manifest.",
            context,
        ),
        Command::Import(args) => import(&args, context).await,
        Command::Submit(args) => submit(&args.roll, context).await,
        Command::Status(args) => status(args.election.as_deref(), context).await,
    }
}

async fn import(args: &ImportArgs, context: &Context) -> Result<(), CliError> {
    if let Some(path) = &args.manifest {
        let manifest = manifest::load(path)?;
        let persons = read(&args.list, &manifest)?;
        return dry_run(&persons, &manifest, context);
    }
    let files = args.out.as_ref().map(|out| Files::of(out, args.channels));
    if let Some(files) = &files {
        files.check_absent()?;
    }
    if !args.list.exists() {
        return Err(CliError::file(&args.list, "there is no such file"));
    }
    let key = args.key.as_ref().map(|path| context.key(path, KeyRole::Registrar)).transpose()?;
    let (chain, election) = context.election(args.election.as_deref()).await?;
    let persons = read(&args.list, &election.manifest)?;
    let (Some(files), Some(key), false) = (files, key, args.dry_run) else {
        return dry_run(&persons, &election.manifest, context);
    };
    let next = chain.at_best().election(&election.eid).await?.state.batches;
    // Refused now if the key is no registrar's, before any code is made.
    registrar::batches(&election, key.signing(), next, Vec::new(), args.batch_size as usize)?;
    let invited = invite(&election, persons, args.channels, &context.out)?;
    let batches = registrar::batches(
        &election,
        key.signing(),
        next,
        invited.entries.clone(),
        args.batch_size as usize,
    )?;
    files.write(&invited, &batches)?;
    send(&chain, &election.eid, &batches, &files.roll, context).await?;
    let invitations: Vec<String> = files.invitations.iter().map(|path| path.display().to_string()).collect();
    let value = json!({
        "election": election.eid.to_string(), "persons": invited.invitations.len(), "invitations": invitations,
        "roll": files.roll, "batches": batches_json(&batches),
    });
    context.out.result(&value, || {
        format!(
            "{} persons are proposed for the roll.\n\n{}\nInvitations, SECRET: {}\n\nTell the board these digests; \
             the voters can register once it has confirmed:\n  psephos board confirm-batch --election {} --key THEIR.key",
            invited.invitations.len(),
            batches_text(&batches),
            invitations.join(" and "),
            election.eid
        )
    })
}

fn read(path: &Path, manifest: &Manifest) -> Result<Vec<Person>, CliError> {
    let file = File::open(path).map_err(|error| CliError::file(path, error))?;
    registrar::read_persons(manifest, file).map_err(|error| CliError::file(path, error))
}

fn dry_run(persons: &[Person], manifest: &Manifest, context: &Context) -> Result<(), CliError> {
    let mut groups: BTreeMap<(u16, u16, u64), u64> = BTreeMap::new();
    for person in persons {
        *groups.entry((person.unit, person.style, person.weight)).or_default() += 1;
    }
    let unit = |unit: u16| manifest.units.get(usize::from(unit)).map(|name| show(name)).unwrap_or_default();
    let style = |style: u16| manifest.style(style).map(|style| show(&style.name)).unwrap_or_default();
    let rows: Vec<[String; 4]> = groups
        .iter()
        .map(|((u, s, weight), count)| [unit(*u), style(*s), weight.to_string(), count.to_string()])
        .collect();
    let value: Vec<Value> = groups
        .iter()
        .map(|((u, s, weight), count)| json!({ "unit": unit(*u), "style": style(*s), "weight": weight, "persons": count }))
        .collect();
    context.out.result(&json!({ "persons": persons.len(), "groups": value }), || {
        format!(
            "{} persons, all entries right. Compare the numbers with the official register; nothing was done.\n\n{}",
            persons.len(),
            table(["UNIT", "STYLE", "WEIGHT", "PERSONS"], &rows)
        )
    })
}

fn invite(
    election: &Election,
    persons: Vec<Person>,
    channels: u8,
    out: &Output,
) -> Result<Invited, CliError> {
    let progress = out.bar(persons.len() as u64, "making invitations");
    let invited = registrar::invite(election, persons, channels, |done| progress.set_position(done as u64));
    progress.finish_and_clear();
    Ok(invited?)
}

/// What an import writes.
struct Files {
    /// Secret: one list per channel.
    invitations: Vec<PathBuf>,
    /// Public: the signed batches.
    roll: PathBuf,
}

impl Files {
    fn of(out: &Path, channels: u8) -> Self {
        let invitations = match channels {
            1 => vec![out.to_path_buf()],
            several => (1..=several).map(|channel| numbered(out, channel)).collect(),
        };
        Self { invitations, roll: out.with_extension("roll") }
    }

    fn check_absent(&self) -> Result<(), CliError> {
        match self.invitations.iter().chain([&self.roll]).find(|path| path.exists()) {
            Some(path) => Err(CliError::file(path, "exists already; nothing was done: choose another --out")),
            None => Ok(()),
        }
    }

    fn write(&self, invited: &Invited, batches: &[RollBatch]) -> Result<(), CliError> {
        for (channel, path) in self.invitations.iter().enumerate() {
            let mut list = Zeroizing::new(Vec::new());
            registrar::write_invitations(&mut *list, &invited.invitations, &[channel])?;
            create_private(path, &list)?;
        }
        Ok(create_private(&self.roll, &batches.encode())?)
    }
}

/// `invitations.csv` for channel 2 is `invitations-2.csv`.
fn numbered(path: &Path, channel: u8) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension =
        path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{channel}{extension}"))
}

async fn send(
    chain: &Chain,
    eid: &Eid,
    batches: &[RollBatch],
    roll: &Path,
    context: &Context,
) -> Result<(), CliError> {
    let progress = context.out.bar(batches.len() as u64, "submitting batches");
    let sent = registrar::submit_roll(chain, batches, |done| progress.set_position(done as u64)).await;
    progress.finish_and_clear();
    if sent.is_err() {
        context.out.note(&format!(
            "The roll of election {eid} is not wholly submitted. Go on with:\n  psephos registrar submit {}",
            roll.display()
        ));
    }
    Ok(sent?)
}

async fn submit(path: &Path, context: &Context) -> Result<(), CliError> {
    let size = fs::metadata(path).map_err(|error| CliError::file(path, error))?.len();
    if size > MAX_ROLL_FILE {
        return Err(CliError::file(path, "is larger than 2 GiB and no signed roll"));
    }
    let bytes = fs::read(path).map_err(|error| CliError::file(path, error))?;
    let batches = Vec::<RollBatch>::decode_all(&mut bytes.as_slice())
        .map_err(|_| CliError::file(path, "is no signed roll; `psephos registrar import` writes one"))?;
    let Some(first) = batches.first() else {
        return Err(CliError::file(path, "has no batch"));
    };
    let chain = context.chain().await?;
    open_election(&chain, &first.eid).await?;
    send(&chain, &first.eid, &batches, path, context).await?;
    context
        .out
        .result(&json!({ "election": first.eid.to_string(), "batches": batches_json(&batches) }), || {
            format!("All batches are on the chain.\n\n{}", batches_text(&batches))
        })
}

fn batches_json(batches: &[RollBatch]) -> Value {
    let list: Vec<Value> = batches
        .iter()
        .map(|batch| json!({ "batch": batch.batch, "entries": batch.entries.len(), "digest": batch.digest().to_string() }))
        .collect();
    json!(list)
}

fn batches_text(batches: &[RollBatch]) -> String {
    let rows: Vec<[String; 3]> = batches
        .iter()
        .map(|batch| [batch.batch.to_string(), batch.entries.len().to_string(), batch.digest().to_string()])
        .collect();
    table(["BATCH", "ENTRIES", "DIGEST"], &rows)
}

async fn status(election: Option<&str>, context: &Context) -> Result<(), CliError> {
    let (chain, election) = context.election(election).await?;
    let chain = chain.at_best();
    let state = chain.election(&election.eid).await?.state;
    let mut batches = Vec::new();
    for number in 0..state.batches {
        batches.extend(chain.batch(&election.eid, number).await?.map(|batch| (number, batch)));
    }
    let list: Vec<Value> = batches
        .iter()
        .map(|(number, batch)| {
            json!({
                "batch": number, "entries": batch.count, "digest": batch.digest.to_string(),
                "registrar": batch.registrar, "confirmed": batch.first.is_some(), "first": batch.first,
            })
        })
        .collect();
    let value = json!({
        "election": election.eid.to_string(), "phase": state.phase.to_string(), "entries": state.entries,
        "registered": state.voters, "batches": list,
    });
    context.out.result(&value, || {
        let rows: Vec<[String; 5]> = batches
            .iter()
            .map(|(number, batch)| {
                [
                    number.to_string(),
                    batch.count.to_string(),
                    batch.registrar.to_string(),
                    batch.first.map_or_else(|| "waits for the board".into(), |first| first.to_string()),
                    batch.digest.to_string(),
                ]
            })
            .collect();
        format!(
            "{}: {} entries on the roll, {} registered voters\n\n{}",
            state.phase,
            state.entries,
            state.voters,
            table(["BATCH", "ENTRIES", "REGISTRAR", "FIRST ENTRY", "DIGEST"], &rows)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_go_to_two_files() {
        let files = Files::of(Path::new("dir/invitations.csv"), 2);
        assert_eq!(
            files.invitations,
            [PathBuf::from("dir/invitations-1.csv"), "dir/invitations-2.csv".into()]
        );
        assert_eq!(files.roll, PathBuf::from("dir/invitations.roll"));
        assert_eq!(Files::of(Path::new("i"), 1).invitations, [PathBuf::from("i")]);
    }
}
