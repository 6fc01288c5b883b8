//! `psephos voter`: register, prepare, then audit or cast, and see that the ballot is recorded.

mod args;
mod casting;
mod check;
pub mod choices;
mod look;
pub mod opening;

pub use args::{Command, Trustees};

use psephos_client::{
    endpoints::TrusteeError,
    keystore::{create_private, read_private, KeyError, KeyFile, KeyRole},
    open_election,
    voter::{register, Delivered, RecordedVote, SealedBallot, VoterError, VoterReceipt, Voting},
    Chain, TrusteeEndpoints,
};
use psephos_protocol::{
    ballot::{prepare, AuditOpening, Choices, Prepared, TrackingCode},
    bounds::show,
    contest::Contest,
    election::Election,
    ids::Eid,
    invitation::InvitationCode,
};
use serde_json::json;
use std::{
    fs,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use zeroize::Zeroizing;

use crate::{context::Context, error::CliError, keys, manifest::read_bounded};
use args::*;
use opening::Kind;

/// For how long trustees that were not needed are waited for after a ballot is recorded.
const DELIVERIES: Duration = Duration::from_secs(5);
/// Bytes of the largest vote that is read from stdin.
const MAX_VOTE: u64 = 1024 * 1024;

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Keygen(args) => keys::make(
            KeyRole::Voter,
            &args,
            "Register it with the code of your invitation:\n  psephos voter register --key KEY --election EID",
            context,
        ),
        Command::Register(args) => registration(&args, context).await,
        Command::Prepare(args) => prepare_only(&args, context).await,
        Command::Cast(args) => vote(&args, context).await,
        Command::Audit(args) => audit(&args, context),
        Command::Track(args) => look::track(&args, context).await,
        Command::Check(args) => check::check(&args, context).await,
        Command::Status(args) => look::status(&args.whose, context).await,
    }
}

async fn registration(args: &RegisterArgs, context: &Context) -> Result<(), CliError> {
    let codes = codes(args)?;
    let key = context.key(&args.who.key, KeyRole::Voter)?;
    let (chain, election) = election(args.who.election.as_deref(), context).await?;
    let progress = context.out.spinner("registering; this takes a few blocks");
    let registered = register(&chain, &election, &codes, key.signing()).await;
    progress.finish_and_clear();
    let registered = registered?;
    let style =
        election.manifest.style(registered.voter.style).map(|style| show(&style.name)).unwrap_or_default();
    let value = json!({
        "election": election.eid.to_string(), "credential": key.public().to_string(), "entry": registered.voter.entry,
        "weight": registered.voter.weight, "style": style, "proved_at": registered.block.number,
    });
    context.out.result(&value, || {
        format!(
            "You are on the roll of \"{}\": entry {}, ballot style \"{style}\", weight {} (proved at final block {}).\n\
             Election {}",
            show(&election.manifest.title),
            registered.voter.entry,
            registered.voter.weight,
            registered.block.number,
            election.eid
        )
    })
}

/// The chain, and the election that a voter names. The whole identifier binds manifest and chain, and with them the
/// validators; what a node completed, a person must compare.
async fn election(name: Option<&str>, context: &Context) -> Result<(Chain, Election), CliError> {
    let (chain, election) = context.election(name).await?;
    if !matches!(name.map(str::parse::<Eid>), Some(Ok(_))) {
        context.out.warn(&format!(
            "the node says that the election is {}: compare that with your invitation, or give all digits with --election",
            election.eid
        ));
    }
    Ok((chain, election))
}

/// The codes of an invitation, checked before anything else.
fn codes(args: &RegisterArgs) -> Result<Vec<InvitationCode>, CliError> {
    let mut texts: Vec<Zeroizing<String>> = args.code.iter().cloned().map(Zeroizing::new).collect();
    if let Some(path) = &args.code_file {
        let bytes = read_private(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| CliError::file(path, "is not UTF-8"))?;
        texts.extend(
            text.lines().filter(|line| !line.trim().is_empty()).map(|line| Zeroizing::new(line.to_owned())),
        );
    } else if texts.is_empty() {
        if !io::stdin().is_terminal() {
            return Err(CliError::Input(
                "give the code of your invitation with --code-file or --code".into(),
            ));
        }
        eprint!("Code of your invitation (two codes on one line, with a space between): ");
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line).map_err(CliError::input)?;
        texts.extend(line.split_whitespace().map(|code| Zeroizing::new(code.to_owned())));
    }
    let codes: Vec<InvitationCode> = texts
        .iter()
        .zip(1..)
        .map(|(text, number)| {
            text.parse().map_err(|error| CliError::Input(format!("code {number}: {error}")))
        })
        .collect::<Result<_, _>>()?;
    if codes.is_empty() || codes.len() > 2 {
        return Err(CliError::Input(format!(
            "an invitation has one code or two, and {} are given",
            codes.len()
        )));
    }
    Ok(codes)
}

async fn open(
    chain: Chain,
    election: Election,
    trustees: &Trustees,
    context: &Context,
) -> Result<Voting, CliError> {
    let endpoints = match &trustees.trustees {
        Some(file) => TrusteeEndpoints::load(file)?,
        None => TrusteeEndpoints::stated(&chain, &election.eid).await?,
    };
    let progress = context.out.spinner("deriving generators");
    let voting = Voting::new(chain, election, &endpoints);
    progress.finish_and_clear();
    Ok(voting?)
}

/// Prepares a ballot of what the voter wants.
async fn prepared(
    voting: &Voting,
    key: &KeyFile,
    votes: &Votes,
    context: &Context,
) -> Result<Prepared, CliError> {
    let (election, public) = (voting.election(), key.public());
    let voter = voting.chain().at_best().voter(&election.eid, &public).await?;
    let voter = voter.ok_or(VoterError::NotOnRoll(public))?;
    let contests = election.manifest.style(voter.style).map(|style| election.manifest.style_contests(style));
    let choices = choose(&contests.unwrap_or_default(), votes, context)?;
    let progress = context.out.spinner("preparing the ballot");
    let prepared = voting.prepare(&public, choices).await;
    progress.finish_and_clear();
    Ok(prepared?)
}

fn choose(contests: &[&Contest], votes: &Votes, context: &Context) -> Result<Choices, CliError> {
    if let Some(path) = &votes.choices {
        let text = Zeroizing::new(match path.as_os_str() == "-" {
            true => {
                let mut text = String::new();
                io::stdin().lock().take(MAX_VOTE).read_to_string(&mut text).map_err(CliError::input)?;
                text
            }
            false => read_bounded(path)?,
        });
        return choices::from_json(contests, &text).map_err(|error| CliError::file(path, error));
    }
    if !votes.vote.is_empty() {
        return choices::from_arguments(contests, &votes.vote).map_err(CliError::Input);
    }
    if context.out.json || !io::stdin().is_terminal() {
        return Err(CliError::Input(
            "no vote was given, and there is no terminal to ask at: give --vote or --choices".into(),
        ));
    }
    choices::ask(contests).map_err(CliError::Input)
}

fn check_absent(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        return Err(CliError::file(path, "exists already; nothing was done: choose another name"));
    }
    Ok(())
}

async fn prepare_only(args: &PrepareArgs, context: &Context) -> Result<(), CliError> {
    check_absent(&args.out)?;
    let key = context.key(&args.who.key, KeyRole::Voter)?;
    let (chain, election) = election(args.who.election.as_deref(), context).await?;
    let voting = open(chain, election, &args.trustees, context).await?;
    let prepared = prepared(&voting, &key, &args.votes, context).await?;
    let (code, hash) = (prepared.tracking_code(), prepared.hash());
    let expiry = prepared.ballot().statement.expiry;
    opening::write(&args.out, Kind::Prepared, &prepared.audit())?;
    let value = json!({
        "election": voting.election().eid.to_string(), "tracking_code": code.to_string(), "ballot": hash.to_string(),
        "expiry": expiry, "prepared": args.out,
    });
    let file = args.out.display();
    context.out.result(&value, || {
        format!(
            "Tracking code  {code}\n\nWrite it down before you decide. {file} holds your vote: keep it secret.\n  \
             cast it:   psephos voter cast --key {} --prepared {file} --cast\n  \
             audit it:  psephos voter audit {file} --out opening.audit\nIt can be cast up to block {expiry}.",
            args.who.key.display(),
        )
    })
}

/// What the voter decides once the tracking code is shown.
enum Decision {
    Cast,
    Audit(PathBuf),
}

async fn vote(args: &CastArgs, context: &Context) -> Result<(), CliError> {
    let kept = casting::path(args.prepared.as_deref(), &args.who.key);
    if let Some(ballot) = casting::read(&kept)? {
        return resume(args, &kept, &ballot, context).await;
    }
    for path in args.audit.iter().chain(&args.receipt) {
        check_absent(path)?;
    }
    let asks = !args.cast && args.audit.is_none();
    if asks && (context.out.json || !io::stdin().is_terminal()) {
        return Err(CliError::Input("there is no terminal to ask at: give --cast or --audit FILE".into()));
    }
    let key = context.key(&args.who.key, KeyRole::Voter)?;
    let stored = args.prepared.as_deref().map(|path| opening::read(path, Kind::Prepared)).transpose()?;
    let (voting, ballot) = match stored {
        None => {
            let (chain, election) = election(args.who.election.as_deref(), context).await?;
            let voting = open(chain, election, &args.trustees, context).await?;
            let ballot = prepared(&voting, &key, &args.votes, context).await?;
            (voting, ballot)
        }
        Some(stored) => {
            let chain = context.chain().await?;
            let election = open_election(&chain, &stored.eid).await?;
            let voting = open(chain, election, &args.trustees, context).await?;
            let ballot =
                prepare(voting.election(), voting.generators(), stored.paper, stored.choices, stored.seed)
                    .map_err(VoterError::from)?;
            (voting, ballot)
        }
    };
    let code = ballot.tracking_code();
    context.out.note(&format!("Tracking code  {code}\n"));
    let decision = match (&args.audit, args.cast) {
        (Some(path), _) => Decision::Audit(path.clone()),
        (None, true) => Decision::Cast,
        (None, false) => ask(&code.to_string())?,
    };
    match decision {
        Decision::Audit(out) => {
            let hash = ballot.hash();
            reveal(&out, args.prepared.as_deref(), &ballot.audit())?;
            let value =
                json!({ "opening": out, "tracking_code": code.to_string(), "ballot": hash.to_string() });
            context.out.result(&value, || opened(&out, &code.to_string()))
        }
        Decision::Cast => {
            let ballot = voting.seal(ballot, key.signing()).await?;
            casting::keep(&kept, args.prepared.is_some(), &ballot)?;
            send(&voting, &ballot, false, &kept, args.receipt.as_deref(), context).await
        }
    }
}

/// Goes on with a ballot that was cut off while it was being cast.
async fn resume(
    args: &CastArgs,
    kept: &Path,
    ballot: &SealedBallot,
    context: &Context,
) -> Result<(), CliError> {
    let statement = &ballot.ballot.ballot.statement;
    let (eid, code) = (statement.eid.to_string(), TrackingCode::of(&ballot.hash()));
    let first =
        format!("ballot {code} in election {eid} was cut off while it was being cast, and goes first");
    if args.audit.is_some() {
        return Err(CliError::Refused(format!("{first}: cast it, and audit another one")));
    }
    let wanted = args.who.election.as_deref().map(|name| name.strip_prefix("0x").unwrap_or(name));
    if wanted.is_some_and(|wanted| !eid.starts_with(&wanted.to_ascii_lowercase())) {
        return Err(CliError::Refused(format!("{first}: cast with --election {eid}")));
    }
    let given = context.key(&args.who.key, KeyRole::Voter)?.public();
    if given != statement.credential {
        return Err(VoterError::OtherCredential { prepared: statement.credential, given }.into());
    }
    context.out.note(&format!("Going on with the ballot that was cut off.\nTracking code  {code}\n"));
    let chain = context.chain().await?;
    let election = open_election(&chain, &statement.eid).await?;
    let voting = open(chain, election, &args.trustees, context).await?;
    send(&voting, ballot, true, kept, args.receipt.as_deref(), context).await
}

/// Sends a ballot that is kept on disk, and forgets it when it is recorded and that was shown.
async fn send(
    voting: &Voting,
    ballot: &SealedBallot,
    resumed: bool,
    kept: &Path,
    receipt: Option<&Path>,
    context: &Context,
) -> Result<(), CliError> {
    let progress = context.out.spinner("casting: trustees vouch, then the chain records; a few blocks");
    let recorded = voting.send(ballot).await;
    progress.finish_and_clear();
    match recorded {
        Ok(recorded) => finish(voting, recorded, resumed, receipt, context).await?,
        // Sending it again is of no use.
        Err(error @ (VoterError::Lapsed(_) | VoterError::NotRecorded { .. })) => {
            casting::forget(kept)?;
            return Err(error.into());
        }
        Err(error) => {
            context.out.warn(&format!(
                "the ballot is kept in {}: run the command again to go on, up to block {}",
                kept.display(),
                ballot.ballot.ballot.statement.expiry
            ));
            return Err(error.into());
        }
    }
    casting::forget(kept)
}

fn ask(code: &str) -> Result<Decision, CliError> {
    eprintln!(
        "Write the code down. Cast the ballot, or audit it: reveal it to check this device, and vote anew?"
    );
    loop {
        eprint!("cast, audit or quit: ");
        io::stderr().flush().map_err(CliError::input)?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer).map_err(CliError::input)? == 0 {
            return Err(CliError::Input("nothing was decided; nothing was sent".into()));
        }
        match answer.trim() {
            "cast" => return Ok(Decision::Cast),
            "audit" => {
                return Ok(Decision::Audit(PathBuf::from(format!("opening-{}.audit", beginning(code)))))
            }
            "quit" => return Err(CliError::Refused("nothing was sent".into())),
            _ => {}
        }
    }
}

/// The beginning of a tracking code, to name files by.
fn beginning(code: &str) -> &str {
    code.split('-').next().unwrap_or(code)
}

/// Writes what was cast, and waits a moment for the trustees that were not needed.
async fn finish(
    voting: &Voting,
    recorded: RecordedVote,
    resumed: bool,
    path: Option<&Path>,
    context: &Context,
) -> Result<(), CliError> {
    let receipt = recorded.receipt;
    let code = receipt.tracking_code.to_string();
    let path =
        path.map_or_else(|| PathBuf::from(format!("receipt-{}.json", beginning(&code))), Path::to_path_buf);
    // The ballot is cast, whatever happens to the file: say so first.
    if let Err(error) = save(&path, &receipt) {
        context.out.warn(&format!("the ballot is recorded, but its receipt is not saved: {error}"));
    }
    let progress = context.out.spinner("handing shares to the other trustees");
    let outcomes = recorded.deliveries.finish(DELIVERIES).await;
    progress.finish_and_clear();
    let of = |wanted: fn(&Option<Result<Delivered, TrusteeError>>) -> bool| -> Vec<u8> {
        outcomes.iter().filter(|(_, outcome)| wanted(outcome)).map(|(trustee, _)| *trustee).collect()
    };
    let left = of(|outcome| matches!(outcome, Some(Ok(Delivered::Left(_)))));
    let without = of(|outcome| !matches!(outcome, Some(Ok(_))));
    let mut value = serde_json::to_value(&receipt).map_err(CliError::input)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("receipt".into(), json!(path));
        fields.insert("resumed".into(), json!(resumed));
        fields.insert("shares_left_with_others".into(), json!(left));
        fields.insert("trustees_without_share".into(), json!(without));
    }
    context.out.result(&value, || {
        let mut text = String::new();
        if resumed {
            text.push_str("This is the ballot that was cut off; nothing else was cast. To vote anew, run the command again.\n");
        }
        text.push_str(&format!(
            "Your ballot in \"{}\" is recorded, in finalized block {}.\nTracking code  {code}\nReceipt        {}  (says \
             nothing about your vote)\nCheck it any time with `psephos voter check`.",
            show(&voting.election().manifest.title),
            receipt.block,
            path.display()
        ));
        let list = |trustees: &[u8]| trustees.iter().map(u8::to_string).collect::<Vec<_>>().join(" and ");
        if !left.is_empty() {
            text.push_str(&format!("\nTrustee {} was away; the others keep its share for it.", list(&left)));
        }
        if !without.is_empty() {
            text.push_str(&format!("\nTrustee {} has no share; the others have what is needed.", list(&without)));
        }
        text
    })
}

/// Saves a receipt, unless it was saved before.
fn save(path: &Path, receipt: &VoterReceipt) -> Result<(), CliError> {
    let text = serde_json::to_vec_pretty(receipt).map_err(CliError::input)?;
    match create_private(path, &text) {
        Err(KeyError::Exists(_)) if fs::read(path).is_ok_and(|before| before == text) => Ok(()),
        saved => Ok(saved?),
    }
}

fn audit(args: &AuditArgs, context: &Context) -> Result<(), CliError> {
    check_absent(&args.out)?;
    let stored = opening::read(&args.prepared, Kind::Prepared)?;
    reveal(&args.out, Some(&args.prepared), &stored)?;
    context.out.result(&json!({ "opening": args.out, "election": stored.eid.to_string() }), || {
        opened(&args.out, "CODE")
    })
}

/// Writes the opening, then deletes what could be cast.
fn reveal(out: &Path, prepared: Option<&Path>, opening: &AuditOpening) -> Result<(), CliError> {
    opening::write(out, Kind::Audit, opening)?;
    if let Some(path) = prepared {
        fs::remove_file(path).map_err(|error| CliError::file(path, error))?;
    }
    Ok(())
}

fn opened(out: &Path, code: &str) -> String {
    format!(
        "The ballot is revealed in {} and will never be cast. Check it on ANOTHER device:\n  \
         psephos audit ballot {} --code {code}\nThen prepare a new ballot.",
        out.display(),
        out.display()
    )
}
