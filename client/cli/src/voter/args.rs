//! The command line of `psephos voter`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use super::choices::FORMS;
use crate::keys::NewKey;

fn prepare_help() -> String {
    format!(
        "Example:\n  psephos voter prepare --key voter.key --election EID \\\n      \
         --vote 'President=Ada' --out ballot.prepared\n\n{FORMS}\n\nThe prepared file holds your vote: keep it \
         secret. Write the tracking code down, then either\n`psephos voter cast --prepared FILE --cast` or \
         `psephos voter audit FILE --out OPENING`, never both."
    )
}

fn cast_help() -> String {
    format!(
        "Examples:\n  psephos voter cast --key voter.key --election EID\n  \
         psephos voter cast --key voter.key --election EID --vote 'President=Ada' --cast\n  \
         psephos voter cast --key voter.key --prepared ballot.prepared --audit opening.audit\n\n\
         {FORMS}\n\nThe tracking code is shown before you decide between cast and audit. An audited ballot is never \
         sent:\ncheck it on another device with `psephos audit ballot`, then prepare another one. You may cast again \
         while\nthe election is open; the last ballot counts.\n\nIf this is cut off after you decided to cast, run it \
         again: it goes on with the same ballot, which is kept\nbeside the key as KEY.casting until it is recorded \
         and says nothing about your vote."
    )
}

/// Acts as a voter.
#[derive(Subcommand)]
pub enum Command {
    /// Make your credential, on your own device.
    #[command(after_help = "Examples:
  psephos voter keygen --name me --out voter.key
  psephos voter keygen --name v1 --out v1.key --insecure-plaintext   # development")]
    Keygen(NewKey),
    /// Put your credential on the electoral roll with the code of your invitation.
    #[command(after_help = "Examples:
  psephos voter register --key voter.key --election EID                          # asks for the code
  psephos voter register --key voter.key --election EID --code-file code.txt
  psephos voter register --key voter.key --election EID --code XXXXX-... --code YYYYY-...

Give all 64 digits of the election, as they stand on the invitation, so as not to depend on the node's word.")]
    Register(RegisterArgs),
    /// Prepare a ballot and show its tracking code; decide later between audit and cast.
    #[command(after_help = prepare_help())]
    Prepare(PrepareArgs),
    /// Vote: prepare a ballot, show its tracking code, then cast or audit it.
    #[command(after_help = cast_help())]
    Cast(CastArgs),
    /// Reveal a prepared ballot, so that another device can check it; it is never cast.
    #[command(after_help = "Example:
  psephos voter audit ballot.prepared --out opening.audit
  psephos audit ballot opening.audit --code XXXXX-XXXXX-...        # on another device")]
    Audit(AuditArgs),
    /// Look whether a tracking code is that of the ballot that counts for a credential.
    #[command(after_help = "Examples:
  psephos voter track XXXXX-XXXXX-... --key voter.key --election EID
  psephos voter track XXXXX-XXXXX-... --credential PUBLIC-KEY --election EID")]
    Track(TrackArgs),
    /// Check a receipt: that the ballot is recorded and counts, by proofs, whatever a node says.
    #[command(after_help = "Examples:
  psephos voter check receipt.json
  psephos --node wss://one.example --node wss://two.example --json voter check receipt.json
  psephos voter check receipt.json --record record.psephos          # without any node

Exits with 1 when the ballot is recorded and does not count, as when you have cast a later one; with 3 when no node
proves a block as late as the receipt's; and with 4 when a node lies, or the ballot is not where the receipt says:
then tell the board and show the receipt.")]
    Check(CheckArgs),
    /// Show what the roll says of your credential.
    #[command(after_help = "Examples:
  psephos voter status --key voter.key --election EID
  psephos --json voter status --credential PUBLIC-KEY --election EID")]
    Status(StatusArgs),
}

/// Your credential, and the election.
#[derive(Args)]
pub struct Who {
    /// Your key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(long, value_name = "EID")]
    pub election: Option<String>,
}

/// Anyone's credential, and the election.
#[derive(Args)]
pub struct Whose {
    /// Your key file.
    #[arg(long, value_name = "FILE", required_unless_present = "credential")]
    pub key: Option<PathBuf>,
    /// The credential's public key, 64 hexadecimal digits.
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    pub credential: Option<psephos_protocol::keys::PublicKey>,
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(long, value_name = "EID")]
    pub election: Option<String>,
}

/// How to register.
#[derive(Args)]
pub struct RegisterArgs {
    #[command(flatten)]
    pub who: Who,
    /// A code of your invitation; two if it came on two ways. Others on this machine may see it.
    #[arg(long)]
    pub code: Vec<String>,
    /// A file with the codes, one per line, readable by you alone.
    #[arg(long, value_name = "FILE", conflicts_with = "code")]
    pub code_file: Option<PathBuf>,
}

/// What to vote.
#[derive(Args)]
pub struct Votes {
    /// A vote: Contest=Option, or Contest=Option:points. Others on this machine may see it.
    #[arg(long, value_name = "VOTE")]
    pub vote: Vec<String>,
    /// A file with the votes in JSON, or - for stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "vote")]
    pub choices: Option<PathBuf>,
}

/// Where the trustees are.
#[derive(Args)]
pub struct Trustees {
    /// A file of the trustees' addresses, one `INDEX URL` per line; otherwise those that they state on the chain.
    #[arg(long, value_name = "FILE", env = "PSEPHOS_TRUSTEES", hide_env_values = true)]
    pub trustees: Option<PathBuf>,
}

/// A ballot to prepare.
#[derive(Args)]
pub struct PrepareArgs {
    #[command(flatten)]
    pub who: Who,
    #[command(flatten)]
    pub trustees: Trustees,
    #[command(flatten)]
    pub votes: Votes,
    /// Where the prepared ballot goes; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A ballot to cast or audit.
#[derive(Args)]
pub struct CastArgs {
    #[command(flatten)]
    pub who: Who,
    #[command(flatten)]
    pub trustees: Trustees,
    #[command(flatten)]
    pub votes: Votes,
    /// A ballot that `voter prepare` made. The ballot that is sent takes its place until it is recorded.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vote", "choices"])]
    pub prepared: Option<PathBuf>,
    /// Cast without asking.
    #[arg(long)]
    pub cast: bool,
    /// Audit without asking, and write the opening there; must not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "cast")]
    pub audit: Option<PathBuf>,
    /// Where the receipt goes; must not exist. By default receipt-CODE.json, after the tracking code's beginning.
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
}

/// A ballot to reveal.
#[derive(Args)]
pub struct AuditArgs {
    /// The file that `voter prepare` made.
    pub prepared: PathBuf,
    /// Where the opening goes; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// A ballot to look for.
#[derive(Args)]
pub struct TrackArgs {
    /// The tracking code.
    pub code: String,
    #[command(flatten)]
    pub whose: Whose,
}

/// A receipt to check.
#[derive(Args)]
pub struct CheckArgs {
    /// The receipt that `voter cast` wrote.
    pub receipt: PathBuf,
    /// An election record, as `psephos audit export` wrote it: it is verified, and no node is asked.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The record's finality proof [default: the file with its name and .finality, if there is one].
    #[arg(long, value_name = "FILE", requires = "record")]
    pub finality: Option<PathBuf>,
}

/// A credential to look at.
#[derive(Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub whose: Whose,
}
