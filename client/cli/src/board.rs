//! `psephos board`: each command is one member's approval; the chain acts when enough members gave theirs.

mod args;
mod certificate;
mod rehearse;

pub use args::Command;

use psephos_client::{
    board::{self, actions, Approved},
    keystore::{create_private, KeyFile, KeyRole},
    registrar, Chain,
};
use psephos_protocol::{
    board::{Action, Board},
    bounds::show,
    ids::{Digest, Eid},
    invitation::InvitationCode,
    keys::PublicKey,
    roll::{Access, InvitationKeys},
    state::Proposal,
};
use rand_core::OsRng;
use serde_json::{json, Value};
use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

use crate::{
    context::{find_election, Context},
    error::CliError,
    keys, manifest,
    output::table,
    show as text, times,
};
use args::*;

/// Carries out a command.
///
/// # Errors
/// [`CliError`].
pub async fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Keygen(args) => keys::make(
            KeyRole::Board,
            &args,
            "Hand the public half to whoever makes the chain or the manifest.",
            context,
        ),
        Command::Check(args) => check(&args.manifest, context),
        Command::Create(args) => create(&args, context).await,
        Command::Rehearse(args) => rehearse::run(&args, context).await,
        Command::Show(args) => boards(args.election.as_deref(), context).await,
        Command::Status(args) => status(args.election.as_deref(), context).await,
        Command::Proposals => proposals(context).await,
        Command::Approve(args) => approve(&args, context).await,
        Command::ConfirmBatch(args) => confirm_batch(&args, context).await,
        Command::Freeze(args) => {
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::freeze(&chain, &eid).await?, context).await
        }
        Command::Postpone(args) => {
            let opens_at = time("--opens-at", &args.opens_at)?;
            let closes_at = time("--closes-at", &args.closes_at)?;
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::postpone(&eid, opens_at, closes_at), context).await
        }
        Command::Extend(args) => {
            let closes_at = time("--closes-at", &args.closes_at)?;
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::extend(&eid, closes_at, &args.reason)?, context).await
        }
        Command::Close(args) => {
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::close(&eid), context).await
        }
        Command::Certify(args) => {
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::certify(&chain, &eid).await?, context).await
        }
        Command::CertificateKey(args) => certificate::make_key(&args, context),
        Command::Certificate(args) => certificate::run(&args, context),
        Command::Void(args) => {
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::void(&eid, &args.reason)?, context).await
        }
        Command::LowerQuorum(args) => {
            let (keys, chain, eid) = start(&args.target, context).await?;
            act(&chain, &keys, actions::lower_quorum(&eid, args.quorum, &args.reason)?, context).await
        }
        Command::Reinvite(args) => reinvite(&args, context).await,
    }
}

fn time(option: &str, text: &str) -> Result<u64, CliError> {
    times::parse(text, times::now()).map_err(|error| CliError::Input(format!("{option}: {error}")))
}

fn open_keys(paths: &[PathBuf], context: &Context) -> Result<Vec<KeyFile>, CliError> {
    paths.iter().map(|path| context.key(path, KeyRole::Board)).collect()
}

/// Opens the keys before anything is connected, then finds the election.
async fn start(target: &Target, context: &Context) -> Result<(Vec<KeyFile>, Chain, Eid), CliError> {
    let keys = open_keys(&target.key, context)?;
    let (chain, election) = context.election(target.election.as_deref()).await?;
    Ok((keys, chain, election.eid))
}

fn check(path: &Path, context: &Context) -> Result<(), CliError> {
    let manifest = manifest::load(path)?;
    context.out.result(&text::manifest_json(&manifest), || {
        format!(
            "{}\nThe manifest is valid. Create the election with:\n  psephos board create {} --key YOUR.key",
            text::manifest(&manifest),
            path.display()
        )
    })
}

async fn create(args: &CreateArgs, context: &Context) -> Result<(), CliError> {
    let manifest = manifest::load(&args.manifest)?;
    let keys = open_keys(&args.key, context)?;
    let chain = context.chain().await?;
    let (action, eid) = actions::create_election(&chain, manifest).await?;
    if let Action::CreateElection { manifest, .. } = &action {
        context.out.note(&format!("{}\nElection {eid}\n", text::manifest(manifest)));
    }
    act_as(&chain, &keys, action, Some(eid), context).await
}

async fn act(chain: &Chain, keys: &[KeyFile], action: Action, context: &Context) -> Result<(), CliError> {
    let eid = action.eid();
    act_as(chain, keys, action, eid, context).await
}

/// Approves with each key until the action is in effect, and says what is still needed.
async fn act_as(
    chain: &Chain,
    keys: &[KeyFile],
    action: Action,
    eid: Option<Eid>,
    context: &Context,
) -> Result<(), CliError> {
    let approved = approve_with(chain, keys, &action, context).await?;
    context.out.result(&approved_json(&approved, &action, eid), || approved_text(&approved, &action))
}

async fn approve_with(
    chain: &Chain,
    keys: &[KeyFile],
    action: &Action,
    context: &Context,
) -> Result<Approved, CliError> {
    let mut last = None;
    for key in keys {
        let progress = context.out.spinner(format!("{}: waiting until the approval is final", key.name()));
        let approved = board::approve(chain, key.signing(), action.clone()).await;
        progress.finish_and_clear();
        let approved = approved?;
        let in_effect = approved.in_effect;
        last = Some(approved);
        if in_effect {
            break;
        }
    }
    last.ok_or_else(|| CliError::Input("--key: give the key file of at least one member".into()))
}

fn approved_json(approved: &Approved, action: &Action, eid: Option<Eid>) -> Value {
    json!({
        "action": text::action(action),
        "digest": approved.digest.to_string(),
        "election": eid.map(|eid| eid.to_string()),
        "approvals": approved.approvals,
        "needed": approved.needed,
        "in_effect": approved.in_effect,
        "block": approved.block.number,
    })
}

fn approved_text(approved: &Approved, action: &Action) -> String {
    let Approved { digest, block, approvals, needed, in_effect } = approved;
    let done = text::action(action);
    if *in_effect {
        return format!("Done: {done} (block {}).", block.number);
    }
    let missing = usize::from(*needed).saturating_sub(*approvals);
    if missing == 0 {
        return format!(
            "{approvals} of {needed} members approved: {done}. It is not in effect yet; see `psephos board status`."
        );
    }
    format!(
        "{approvals} of {needed} members approved: {done}.\n{missing} more must, each with their own key:\n  \
         psephos board approve {digest} --key THEIR.key"
    )
}

async fn boards(election: Option<&str>, context: &Context) -> Result<(), CliError> {
    let chain = context.chain().await?;
    let mut boards = vec![("Board of the chain".to_string(), chain.chain_board().await?)];
    let elections = match election {
        Some(name) => vec![find_election(&chain, Some(name)).await?],
        None => chain.elections().await?,
    };
    for eid in elections {
        let view = chain.election(&eid).await?;
        boards.push((format!("Board of \"{}\" {eid}", show(&view.manifest.title)), view.manifest.board));
    }
    let value: Vec<Value> = boards.iter().map(|(name, board)| board_json(name, board)).collect();
    context.out.result(&value, || boards.iter().map(|(name, board)| board_text(name, board)).collect())
}

fn board_json(name: &str, board: &Board) -> Value {
    let members: Vec<String> = board.members.iter().map(ToString::to_string).collect();
    json!({ "name": name, "threshold": board.threshold, "members": members })
}

fn board_text(name: &str, board: &Board) -> String {
    let members: Vec<[String; 2]> = (0..)
        .zip(&board.members)
        .map(|(index, key): (u32, _)| [index.to_string(), key.to_string()])
        .collect();
    format!(
        "{name}: {} of {} must agree\n{}\n",
        board.threshold,
        members.len(),
        table(["MEMBER", "KEY"], &members)
    )
}

async fn status(election: Option<&str>, context: &Context) -> Result<(), CliError> {
    let (chain, election) = context.election(election).await?;
    let view = chain.election(&election.eid).await?;
    let mut waiting = chain.at_best().proposals().await?;
    waiting.retain(|proposal| proposal.action.eid() == Some(election.eid));
    let threshold = election.manifest.board.threshold;
    let (asked, rehearsed) = chain.rehearsed(&election.manifest.team()).await?;
    let mut value = text::state_json(&view.eid, &view.state);
    if let Some(fields) = value.as_object_mut() {
        let list: Vec<Value> = waiting.iter().map(|proposal| proposal_json(proposal, threshold)).collect();
        fields.insert("proposals".into(), json!(list));
        fields.insert("rehearsal_required".into(), json!(asked));
        fields.insert("rehearsed".into(), json!(rehearsed.map(|eid| eid.to_string())));
    }
    context.out.result(&value, || {
        let list: String = waiting.iter().map(|proposal| proposal_text(proposal, threshold)).collect();
        let banner = text::banner(&view.manifest);
        format!("{banner}{}{}\n{list}", text::state(&view), rehearsed_text(asked, rehearsed))
    })
}

/// Whether the trustees of an election have rehearsed; nothing where nobody asks and they have not.
fn rehearsed_text(asked: bool, rehearsed: Option<Eid>) -> String {
    match (asked, rehearsed) {
        (_, Some(eid)) => format!("\nThese trustees have rehearsed, in election {eid}.\n"),
        (true, None) => {
            "\nThese trustees have NOT REHEARSED, and this chain freezes no election of theirs before; \
                         see `psephos board rehearse --help`\n"
                .into()
        }
        (false, None) => String::new(),
    }
}

async fn proposals(context: &Context) -> Result<(), CliError> {
    let chain = context.chain().await?.at_best();
    let mut list = Vec::new();
    for proposal in chain.proposals().await? {
        let needed = board::board_of(&chain, &proposal.action).await?.threshold;
        list.push((proposal, needed));
    }
    let value: Vec<Value> = list.iter().map(|(proposal, needed)| proposal_json(proposal, *needed)).collect();
    context.out.result(&value, || match list.as_slice() {
        [] => "Nothing waits for approval.".into(),
        list => list.iter().map(|(proposal, needed)| proposal_text(proposal, *needed)).collect(),
    })
}

fn proposal_json(proposal: &Proposal, needed: u8) -> Value {
    json!({
        "digest": proposal.action.digest().to_string(),
        "election": proposal.action.eid().map(|eid| eid.to_string()),
        "action": text::action(&proposal.action),
        "approvals": proposal.approvals.to_vec(),
        "needed": needed,
        "expires": proposal.expires,
    })
}

fn proposal_text(proposal: &Proposal, needed: u8) -> String {
    let members: Vec<String> = proposal.approvals.iter().map(ToString::to_string).collect();
    format!(
        "{}\n  {} of {needed} approved (member {}); expires with block {}\n  psephos board approve {} --key YOUR.key\n\n",
        text::action(&proposal.action),
        proposal.approvals.len(),
        members.join(", "),
        proposal.expires,
        proposal.action.digest()
    )
}

async fn approve(args: &ApproveArgs, context: &Context) -> Result<(), CliError> {
    let digest: Digest = args
        .digest
        .parse()
        .map_err(|error| CliError::Input(format!("DIGEST: {error}; see `psephos board proposals`")))?;
    let keys = open_keys(&args.key, context)?;
    let chain = context.chain().await?;
    let proposals = chain.at_best().proposals().await?;
    let proposal = proposals.into_iter().find(|proposal| proposal.action.digest() == digest);
    let action = proposal.ok_or(board::BoardError::NoProposal(digest))?.action;
    if let Action::CreateElection { manifest, .. } = &action {
        context.out.note(&format!("{}{}", text::banner(manifest), text::manifest(manifest)));
    }
    if !args.yes && io::stdin().is_terminal() && !context.out.json {
        confirm(&text::action(&action))?;
    }
    act(&chain, &keys, action, context).await
}

fn confirm(what: &str) -> Result<(), CliError> {
    eprint!("You are about to approve: {what}\nType yes to approve: ");
    io::stderr().flush().map_err(CliError::input)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(CliError::input)?;
    if answer.trim() != "yes" {
        return Err(CliError::Refused("not approved; nothing was sent".into()));
    }
    Ok(())
}

async fn confirm_batch(args: &ConfirmArgs, context: &Context) -> Result<(), CliError> {
    let (keys, chain, eid) = start(&args.target, context).await?;
    let actions = match args.batch {
        Some(batch) => vec![actions::confirm_batch(&chain, &eid, batch).await?],
        None => actions::confirm_batches(&chain, &eid).await?,
    };
    if let (Some(expected), [Action::ConfirmBatch { digest, .. }]) = (&args.digest, actions.as_slice()) {
        if *digest != *expected {
            return Err(CliError::Refused(format!(
                "the batch on the chain has digest {digest}, not {expected}: don't confirm it, ask the registrar"
            )));
        }
    }
    let mut outcomes = Vec::new();
    let progress = context.out.bar(actions.len() as u64, "confirming batches");
    for action in actions {
        let approved = approve_with(&chain, &keys, &action, context).await?;
        outcomes.push((approved, action));
        progress.inc(1);
    }
    progress.finish_and_clear();
    let value: Vec<Value> =
        outcomes.iter().map(|(approved, action)| approved_json(approved, action, Some(eid))).collect();
    context.out.result(&value, || match outcomes.as_slice() {
        [] => "No batch waits for confirmation.".into(),
        outcomes => outcomes
            .iter()
            .map(|(approved, action)| approved_text(approved, action))
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

async fn reinvite(args: &ReinviteArgs, context: &Context) -> Result<(), CliError> {
    if args.out.exists() {
        return Err(CliError::file(&args.out, "exists already; nothing was changed: choose another --out"));
    }
    let (keys, chain, eid) = start(&args.target, context).await?;
    let known = chain.at_best().entry(&eid, args.entry).await?;
    let known = known.ok_or(board::BoardError::NoEntry { eid, entry: args.entry })?;
    let channels = match &known.entry.access {
        Access::Invitation(keys) => keys.len(),
        Access::Credential(_) => {
            return Err(CliError::Input(format!(
                "entry {}: has its credential on the roll itself, and no invitation to replace",
                args.entry
            )))
        }
    };
    let codes: Vec<InvitationCode> = (0..channels).map(|_| InvitationCode::generate(&mut OsRng)).collect();
    let invitation: Vec<PublicKey> = (0u32..)
        .zip(&codes)
        .map(|(channel, code)| code.signing_key(&eid, channel).map(|key| key.public()))
        .collect::<Result<_, _>>()
        .map_err(registrar::RegistrarError::from)?;
    let action =
        actions::reinvite(&chain, &eid, args.entry, InvitationKeys::truncate_from(invitation)).await?;
    // The codes are safe on disk before their keys go on the roll.
    let mut list = Zeroizing::new(String::from("entry,channel,code\n"));
    for (channel, code) in (1..).zip(&codes) {
        list.push_str(&format!("{},{channel},{}\n", args.entry, code.reveal().as_str()));
    }
    create_private(&args.out, list.as_bytes())?;
    context.out.note(&format!(
        "The new codes are in {}; they work once the board has approved.",
        args.out.display()
    ));
    act(&chain, &keys, action, context).await
}
