//! What a voter sees on the chain: status, tracking, and the check of a receipt.

use psephos_client::{keystore::KeyRole, open_election, voter::VoterReceipt, Chain};
use psephos_protocol::{
    ballot::TrackingCode,
    bounds::show,
    ids::{Anchor, Digest, Eid},
    keys::PublicKey,
    wire::Message,
};
use serde_json::json;
use std::path::Path;

use super::args::{TrackArgs, Whose};
use crate::{context::Context, error::CliError, manifest::read_bounded, output::fields};

fn credential(whose: &Whose, context: &Context) -> Result<PublicKey, CliError> {
    match (&whose.credential, &whose.key) {
        (Some(credential), _) => Ok(*credential),
        (None, Some(path)) => Ok(context.key(path, KeyRole::Voter)?.public()),
        (None, None) => Err(CliError::Input("give --key or --credential".into())),
    }
}

/// What the roll says of a credential.
pub async fn status(whose: &Whose, context: &Context) -> Result<(), CliError> {
    let credential = credential(whose, context)?;
    let (chain, election) = context.election(whose.election.as_deref()).await?;
    let (eid, manifest) = (election.eid, &election.manifest);
    let phase = chain.election(&eid).await?.state.phase;
    let Some(voter) = chain.voter(&eid, &credential).await? else {
        return Err(CliError::Refused(format!(
            "credential {credential} is not on the electoral roll of election {eid} (phase {phase}): register first"
        )));
    };
    let recorded = chain.recorded_ballot(&eid, &credential).await?;
    let style = manifest.style(voter.style).map(|style| show(&style.name)).unwrap_or_default();
    let code = recorded.as_ref().map(|(ballot, _)| TrackingCode::of(&ballot.hash).to_string());
    let value = json!({
        "election": eid.to_string(), "phase": phase.to_string(), "credential": credential.to_string(),
        "entry": voter.entry, "weight": voter.weight, "style": style, "ballots": voter.ballots,
        "ballots_left": manifest.max_ballots.saturating_sub(voter.ballots), "tracking_code": code,
    });
    context.out.result(&value, || {
        fields(&[
            ("Election", format!("{} ({phase})", show(&manifest.title))),
            ("Credential", credential.to_string()),
            ("Roll entry", format!("{}, weight {}, ballot style \"{style}\"", voter.entry, voter.weight)),
            ("Ballots", format!("{} of {} cast", voter.ballots, manifest.max_ballots)),
            ("Counts", code.clone().unwrap_or_else(|| "no ballot yet".into())),
        ])
    })
}

/// Compares a tracking code with that of the ballot that counts.
pub async fn track(args: &TrackArgs, context: &Context) -> Result<(), CliError> {
    let code: TrackingCode = args.code.parse().map_err(CliError::input)?;
    let credential = credential(&args.whose, context)?;
    let (chain, election) = context.election(args.whose.election.as_deref()).await?;
    let recorded = chain.recorded_ballot(&election.eid, &credential).await?;
    let Some((ballot, anchor)) = recorded else {
        return Err(CliError::Refused(format!(
            "no ballot is recorded for credential {credential} in finalized blocks; wait some seconds if it was just cast"
        )));
    };
    let counts = TrackingCode::of(&ballot.hash);
    let value = json!({
        "election": election.eid.to_string(), "credential": credential.to_string(), "tracking_code": counts.to_string(),
        "ballot": ballot.hash.to_string(), "sequence": ballot.sequence, "matches": code == counts, "proved_at": anchor.number,
    });
    context.out.result(&value, || match code == counts {
        true => format!(
            "Recorded, and the one that counts: {counts} (proved at finalized block {}).",
            anchor.number
        ),
        false => format!("The ballot that counts has another code: {counts}."),
    })?;
    if code != counts {
        return Err(CliError::Refused(
            "the ballot that counts for this credential has another tracking code: you cast a later one, or somebody \
             else has your key"
                .into(),
        ));
    }
    Ok(())
}

/// Checks a receipt: that its block is final at every node asked, that the block holds the ballot, and that
/// the ballot still counts.
pub async fn check(path: &Path, context: &Context) -> Result<(), CliError> {
    let receipt: VoterReceipt = serde_json::from_str(&read_bounded(path)?)
        .map_err(|error| CliError::file(path, format!("is no receipt of `psephos voter cast`: {error}")))?;
    if !receipt.tracking_code.matches(&receipt.ballot) {
        return Err(CliError::file(
            path,
            "its tracking code is not that of its ballot: the file was changed",
        ));
    }
    let chain = context.chain().await?;
    open_election(&chain, &receipt.eid).await?;
    let progress = context.out.spinner("checking");
    let checked = checked(&chain, &receipt, context).await;
    progress.finish_and_clear();
    let Checked { agree, counts, proved_at } = checked?;
    let value = json!({
        "election": receipt.eid.to_string(), "tracking_code": receipt.tracking_code.to_string(),
        "block": receipt.block, "final_at": agree, "counts": counts, "proved_at": proved_at,
    });
    context.out.result(&value, || {
        format!(
            "Ballot {} is in block {}, which is final at {}.\n{}",
            receipt.tracking_code,
            receipt.block,
            agree.join(", "),
            if counts {
                format!("It counts, as of block {proved_at}.")
            } else {
                "A later ballot replaced it.".into()
            }
        )
    })?;
    match counts {
        true => Ok(()),
        false => Err(CliError::Refused(
            "a later ballot counts for this credential; if you did not cast it, tell the board".into(),
        )),
    }
}

struct Checked {
    /// The nodes that have the block.
    agree: Vec<String>,
    /// Whether it is the ballot that counts.
    counts: bool,
    proved_at: u32,
}

async fn checked(chain: &Chain, receipt: &VoterReceipt, context: &Context) -> Result<Checked, CliError> {
    let Digest(hash) = receipt.block_hash;
    let anchor = Anchor { number: receipt.block, hash };
    let (agree, differ) = chain.finalized_by_all(&anchor).await;
    if agree.is_empty() {
        let why: Vec<String> = differ.iter().map(ToString::to_string).collect();
        return Err(CliError::Integrity(format!(
            "no node has block {} of the receipt as final ({}): ask other nodes, and if they agree show the receipt to \
             the board",
            receipt.block,
            why.join("; ")
        )));
    }
    for failure in differ {
        context.out.warn(&format!("not confirmed by {failure}"));
    }
    let block = chain.block(hash).await?;
    let is_there = block.messages.iter().any(|message| is_ballot(message, receipt));
    let recorded = chain.recorded_ballot(&receipt.eid, &receipt.credential).await?;
    match recorded {
        Some((ballot, at)) if is_there && ballot.sequence >= receipt.sequence => {
            Ok(Checked { agree, counts: ballot.hash == receipt.ballot, proved_at: at.number })
        }
        _ => Err(CliError::Integrity(format!(
            "block {} is final, but the chain does not show ballot {} for this credential: tell the board, and show the \
             receipt",
            receipt.block, receipt.tracking_code
        ))),
    }
}

fn is_ballot(message: &Message, receipt: &VoterReceipt) -> bool {
    let of = |eid: &Eid| *eid == receipt.eid;
    matches!(message, Message::Cast(cast)
        if of(&cast.signed.ballot.statement.eid) && cast.signed.ballot.hash() == receipt.ballot)
}
