//! The command line of `psephos board`.

use clap::{Args, Subcommand};
use psephos_protocol::ids::{Digest, Eid};
use std::path::PathBuf;

use crate::{keys::NewKey, manifest::FORMAT, voter::Trustees};

/// The text of `create --help`: examples, then the manifest's format.
fn create_help() -> String {
    format!(
        "Examples:\n  psephos board check manifest.toml\n  psephos board create manifest.toml --key board-1.key\n\n{FORMAT}"
    )
}

/// Acts as a member of the board.
#[derive(Subcommand)]
#[allow(clippy::large_enum_variant)] // One exists per run of the program.
pub enum Command {
    /// Make a member's key.
    #[command(after_help = "Examples:
  psephos board keygen --name 'Ada Lovelace' --out board-1.key
  psephos board keygen --name B1 --out b1.key --insecure-plaintext   # development")]
    Keygen(NewKey),
    /// Show the members of the chain's board and of the elections' boards.
    #[command(after_help = "Examples:
  psephos board show
  psephos --json board show EID")]
    Show(Election),
    /// Check a manifest, without a node and without changing anything.
    #[command(after_help = create_help())]
    Check(CheckArgs),
    /// Create an election from a manifest; the chain's board decides.
    #[command(after_help = create_help())]
    Create(CreateArgs),
    /// Rehearse: a generated election by the same trustees, voted, tallied and verified without one of them.
    #[command(after_help = "Examples:
  psephos board rehearse manifest.toml --key board-1.key
  psephos board rehearse manifest.toml --key board-1.key --key board-2.key --hold-back 1 --voters 20

MANIFEST is that of the real election; its trustees, threshold and quorum rehearse. The chain's
board creates the rehearsal, every trustee accepts it, and the rest happens by itself: generated
voters vote, the trustees tally without the one that is held back, the record is verified, and the
totals are compared with the votes. A chain that asks for rehearsals freezes no election before.
Keep this running until it ends; when it is cut off, run it again. Nothing secret is written.")]
    Rehearse(RehearseArgs),
    /// List the actions that wait for approvals.
    #[command(after_help = "Examples:
  psephos board proposals
  psephos --json board proposals")]
    Proposals,
    /// Approve an action that another member proposed.
    #[command(after_help = "Example:
  psephos board approve DIGEST --key board-2.key

Read what `psephos board proposals` says about it first.")]
    Approve(ApproveArgs),
    /// Confirm batches of the roll: all that wait, or one.
    #[command(after_help = "Examples:
  psephos board confirm-batch --election EID --key board-1.key
  psephos board confirm-batch --election EID --batch 3 --digest DIGEST --key board-1.key

Compare digest and number of entries with what the registrar told you on another way.")]
    ConfirmBatch(ConfirmArgs),
    /// Freeze the roll; the election opens when its time has come.
    #[command(after_help = "Example:
  psephos board freeze --election EID --key board-1.key

Nobody can register any more after this.")]
    Freeze(Act),
    /// Open later than planned, before it is open.
    #[command(after_help = "Example:
  psephos board postpone --election EID --opens-at 2026-05-02T08:00:00Z --closes-at 2026-06-01T18:00:00Z \\
      --key board-1.key")]
    Postpone(PostponeArgs),
    /// Close later than planned, while it is open, for a reason that everybody sees.
    #[command(after_help = "Example:
  psephos board extend --election EID --closes-at +2h --reason 'power cut in the north' --key board-1.key

Members approve one action, so only the first writes the time; the others use `board approve`.")]
    Extend(ExtendArgs),
    /// Close before the time, where the manifest allows it. Irreversible.
    #[command(after_help = "Example:
  psephos board close --election EID --key board-1.key")]
    Close(Act),
    /// Certify the result, after its openings are checked.
    #[command(after_help = "Example:
  psephos board certify --election EID --key board-1.key

Verify the exported record too: psephos audit export EID OUT && psephos-verify OUT")]
    Certify(Act),
    /// Make the key that will certify records; its fingerprint is to be printed before the election.
    #[command(after_help = "Example:
  psephos board certificate-key --name 'Election Board' --out certificate.key

Its signatures rest on hashes alone (SLH-DSA, FIPS 205), so that they hold when all others can be forged.
Print the fingerprint before the election, in what is kept for as long as the record. One key serves all
elections of a board.")]
    CertificateKey(NewKey),
    /// Certify the file of a record: verifies it, signs its hash, and makes a page to print. Needs no node.
    #[command(after_help = "Example:
  psephos board certificate record.psephos --election EID --key certificate.key

Writes record.psephos.certificate, which `psephos-verify` checks, and record.psephos.certificate.html.
Publish the first beside the record; print the second, sign it by hand, and keep it.")]
    Certificate(CertificateArgs),
    /// Void the election, for a reason that everybody sees. Irreversible.
    #[command(after_help = "Example:
  psephos board void --election EID --reason 'the roll was wrong' --key board-1.key")]
    Void(VoidArgs),
    /// Let fewer trustees agree on the set, because so many are gone for ever. It holds a day later.
    #[command(after_help = "Example:
  psephos board lower-quorum --election EID --quorum 2 --reason 'trustees 3 and 4 lost keys and sheets' --key board-1.key

First let trustees restore their keys: `psephos trustee restore`. Never below the threshold. The trustees
that the reason names, and everybody else, have a day to object before it holds.")]
    LowerQuorum(LowerQuorumArgs),
    /// Give a voter who lost a device or a letter new codes, before the freeze.
    #[command(after_help = "Example:
  psephos board reinvite --election EID --entry 17 --out new-codes.csv --key board-1.key

The entry's credential, if any, is removed from the roll.")]
    Reinvite(ReinviteArgs),
    /// Show how an election stands and what waits for approval.
    #[command(after_help = "Examples:
  psephos board status
  psephos --json board status EID")]
    Status(Election),
}

/// An election to look at.
#[derive(Args)]
pub struct Election {
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(value_name = "EID")]
    pub election: Option<String>,
}

/// An election to act on, and as whom.
#[derive(Args)]
pub struct Target {
    /// The election: its identifier, or the first digits; may be left out when there is one.
    #[arg(long, value_name = "EID")]
    pub election: Option<String>,
    /// Your key file; members who sit together may give several.
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
}

/// An action without more words.
#[derive(Args)]
pub struct Act {
    #[command(flatten)]
    pub target: Target,
}

/// A manifest to check.
#[derive(Args)]
pub struct CheckArgs {
    /// The manifest.
    pub manifest: PathBuf,
}

/// An election to create.
#[derive(Args)]
pub struct CreateArgs {
    /// The manifest.
    pub manifest: PathBuf,
    /// Your key file; members who sit together may give several.
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
}

/// A rehearsal.
#[derive(Args)]
pub struct RehearseArgs {
    /// The manifest of the real election.
    pub manifest: PathBuf,
    /// Your key file; members who sit together may give several.
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    /// The trustee that is held back, from 1; 0 where the quorum needs all. Default: the last one, or 0.
    #[arg(long, value_name = "N")]
    pub hold_back: Option<u8>,
    /// Voters that are made up.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub voters: u32,
    #[command(flatten)]
    pub trustees: Trustees,
}

/// An action to approve.
#[derive(Args)]
pub struct ApproveArgs {
    /// The action's digest, 64 hexadecimal digits, from `psephos board proposals`.
    pub digest: String,
    /// Your key file; members who sit together may give several.
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    /// Don't ask at the terminal.
    #[arg(long)]
    pub yes: bool,
}

/// Batches to confirm.
#[derive(Args)]
pub struct ConfirmArgs {
    #[command(flatten)]
    pub target: Target,
    /// This batch only.
    #[arg(long)]
    pub batch: Option<u32>,
    /// The digest that the registrar told you; nothing is confirmed if the chain's is another.
    #[arg(long, requires = "batch")]
    pub digest: Option<Digest>,
}

/// A later opening.
#[derive(Args)]
pub struct PostponeArgs {
    #[command(flatten)]
    pub target: Target,
    /// The new opening, later than the old: RFC 3339, or +1h from now.
    #[arg(long, value_name = "TIME")]
    pub opens_at: String,
    /// The new closing, not before the old: RFC 3339, or +1h from now.
    #[arg(long, value_name = "TIME")]
    pub closes_at: String,
}

/// A later closing.
#[derive(Args)]
pub struct ExtendArgs {
    #[command(flatten)]
    pub target: Target,
    /// The new closing, later than the old: RFC 3339, or +1h from now.
    #[arg(long, value_name = "TIME")]
    pub closes_at: String,
    /// Why, in at most 1024 bytes; it is public.
    #[arg(long)]
    pub reason: String,
}

/// A record to certify.
#[derive(Args)]
pub struct CertificateArgs {
    /// The record, as `psephos audit export` wrote it; its finality proof lies beside it.
    pub record: PathBuf,
    /// The key file of `psephos board certificate-key`.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The election that it must be of: its whole identifier.
    #[arg(long, value_name = "EID")]
    pub election: Option<Eid>,
}

/// An election to void.
#[derive(Args)]
pub struct VoidArgs {
    #[command(flatten)]
    pub target: Target,
    /// Why, in at most 1024 bytes; it is public.
    #[arg(long)]
    pub reason: String,
}

/// A quorum to lower.
#[derive(Args)]
pub struct LowerQuorumArgs {
    #[command(flatten)]
    pub target: Target,
    /// How many trustees must sign the set, at least the threshold.
    #[arg(long)]
    pub quorum: u8,
    /// Why, in at most 1024 bytes; it is public.
    #[arg(long)]
    pub reason: String,
}

/// A roll entry to re-invite.
#[derive(Args)]
pub struct ReinviteArgs {
    #[command(flatten)]
    pub target: Target,
    /// The number of the roll entry.
    #[arg(long)]
    pub entry: u32,
    /// Where the new codes go; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
