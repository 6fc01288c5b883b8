//! `psephos voter check`: whether the ballot of a receipt is recorded and counts, by proofs from any node, or by the
//! election record without any.

use psephos_client::{
    open_election, record,
    voter::{ReceiptError, Verdict, VoterReceipt},
    Chain, Standing,
};
use psephos_protocol::{ballot::TrackingCode, finality::MAX_PROOF_BYTES, ids::BallotHash};
use psephos_verifier::{
    report::Outcome,
    verify,
    voter::{ballots_of, VoterBallots},
    Options,
};
use serde_json::{json, Value};
use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use super::{
    args::CheckArgs,
    look::{proved, proved_json, warn_of_age},
};
use crate::{context::Context, error::CliError, manifest::read_bounded};

/// What is said of a ballot that is excluded.
pub const EXCLUDED: &str =
    "too few trustees can serve this ballot, so that it is excluded from the count: tell the \
                            board; `psephos-verify` names the trustees from the election record";
/// What is said when the board voided the election.
pub const VOID: &str = "the board voided the election: no ballot of it counts";

/// Checks a receipt.
///
/// # Errors
/// [`CliError::Integrity`] when state or record don't bear it out, or what shows them is false;
/// [`CliError::Refused`] when the ballot is recorded and does not count.
pub async fn check(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let receipt = read(&args.receipt)?;
    match &args.record {
        Some(record) => by_record(&receipt, record, args.finality.as_deref(), context),
        None => by_nodes(&receipt, context).await,
    }
}

fn read(path: &Path) -> Result<VoterReceipt, CliError> {
    let receipt: VoterReceipt = serde_json::from_str(&read_bounded(path)?)
        .map_err(|error| CliError::file(path, format!("is no receipt of `psephos voter cast`: {error}")))?;
    if !receipt.tracking_code.matches(&receipt.ballot) {
        return Err(CliError::file(
            path,
            "its tracking code is not that of its ballot: the file was changed",
        ));
    }
    Ok(receipt)
}

/// Each node is asked for itself, so that one honest node that is up to date is enough.
async fn by_nodes(receipt: &VoterReceipt, context: &Context) -> Result<(), CliError> {
    let progress = context.out.spinner("checking");
    let asks = context.nodes.iter().map(|node| by_node(node, receipt));
    let answers = futures::future::join_all(asks).await;
    progress.finish_and_clear();
    let (standings, errors): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let mut errors: Vec<CliError> = errors.into_iter().filter_map(Result::err).collect();
    let latest = standings.into_iter().flatten().max_by_key(|standing| standing.block.number);
    let Some(standing) = latest else {
        // Who lies is told before who is away.
        let worst = errors.iter().position(|error| matches!(error, CliError::Integrity(_))).unwrap_or(0);
        return Err(if errors.is_empty() {
            psephos_client::ChainError::NoEndpoint.into()
        } else {
            errors.swap_remove(worst)
        });
    };
    errors.iter().for_each(|error| context.out.warn(&error.to_string()));
    let verdict = receipt.judge(&standing)?;
    warn_of_age(&standing, context);
    let mut value = proved_json(&standing);
    value.extend(verdict_json(receipt, &verdict).as_object().cloned().unwrap_or_default());
    context.out.result(&Value::Object(value), || {
        let so_far = if standing.election.closing.is_none() { ", unless you cast another one" } else { "" };
        format!("{}\nProved at {}.", says(receipt, &verdict, so_far), proved(&standing))
    })?;
    outcome(&verdict)
}

/// What one node proves. The election's identifier is derived anew: it binds the chain's first block, and with it
/// the validators.
async fn by_node(node: &str, receipt: &VoterReceipt) -> Result<Standing, CliError> {
    let chain = Chain::connect(&[node.to_owned()]).await?;
    let election = open_election(&chain, &receipt.eid).await?;
    Ok(chain.proved_final().await?.standing(&election, &receipt.credential).await?)
}

/// Verifies the whole record, then looks for the ballot in it.
fn by_record(
    receipt: &VoterReceipt,
    path: &Path,
    finality: Option<&Path>,
    context: &Context,
) -> Result<(), CliError> {
    let unreadable = |error: &dyn std::fmt::Display| CliError::file(path, error);
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    let length = file.metadata().map_err(|error| unreadable(&error))?.len();
    let finality = proof(path, finality)?;
    let options = Options { eid: Some(receipt.eid), finality, ..Options::default() };
    let progress = context.out.bar(length, "verifying the record");
    let report = verify(progress.wrap_read(BufReader::new(&file)), &options);
    progress.finish_and_clear();
    let report = report.map_err(|error| unreadable(&error))?;
    if !report.verified() {
        return Err(CliError::Integrity(format!(
            "{}: {}; nothing follows from it about your ballot",
            path.display(),
            report.summary()
        )));
    }
    let ballots = file.rewind().map_err(|error| unreadable(&error)).and_then(|()| {
        ballots_of(BufReader::new(&file), &receipt.credential).map_err(|error| unreadable(&error))
    })?;
    if ballots.last != report.last {
        return Err(unreadable(&"was changed while it was read"));
    }
    let verdict = judge(receipt, report.outcome.as_ref(), &ballots)?;
    if options.finality.is_none() {
        context.out.warn(&format!(
            "there is no proof that the record's last block is final ({} is not there): give it with --finality, or \
             compare the block with a node that you trust or with the printed record",
            record::finality_path(path).display()
        ));
    }
    let mut value = verdict_json(receipt, &verdict);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("record".into(), json!(path));
        fields.insert("final".into(), json!(options.finality.is_some()));
        fields.insert("last".into(), json!(report.last.map(|last| last.number)));
        fields.insert("counted".into(), json!(report.counted));
    }
    context.out.result(&value, || {
        format!(
            "{}\nThe record verifies{}; {} ballots count. What it has on the electorate and the totals: `psephos-verify {}`.",
            says(receipt, &verdict, &format!(", recorded in block {}", receipt.block)),
            if options.finality.is_some() { " and is final" } else { "" },
            report.counted,
            path.display()
        )
    })?;
    outcome(&verdict)
}

/// The finality proof that is given, or that lies beside the record.
fn proof(record: &Path, given: Option<&Path>) -> Result<Option<Vec<u8>>, CliError> {
    let beside: PathBuf = record::finality_path(record);
    let path = match given {
        Some(path) => path,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let mut bytes = Vec::new();
    // One more than there may be, so that what is too long is found to be.
    File::open(path)
        .and_then(|file| file.take(MAX_PROOF_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::file(path, error))?;
    Ok(Some(bytes))
}

/// What became of a receipt's ballot, by a record that is verified.
fn judge(
    receipt: &VoterReceipt,
    outcome: Option<&Outcome>,
    ballots: &VoterBallots,
) -> Result<Verdict, CliError> {
    let missing = |what: String| {
        CliError::Integrity(format!("the record verifies, and {what}: tell the board, and show the receipt"))
    };
    let code = receipt.tracking_code;
    let Some(recorded) = ballots.recorded.iter().find(|ballot| ballot.hash == receipt.ballot) else {
        return Err(missing(format!("ballot {code} of the receipt is not in it")));
    };
    if recorded.block != receipt.anchor() || recorded.sequence != receipt.sequence {
        return Err(missing(format!(
            "it has ballot {code} in block {}, and the receipt names block {}",
            recorded.block.number, receipt.block
        )));
    }
    Ok(match (ballots.recorded.last(), outcome) {
        (Some(last), _) if last.hash != receipt.ballot => Verdict::Replaced { by: last.hash },
        (_, Some(Outcome::Void { .. })) => Verdict::Void,
        _ if !ballots.excluded_by.is_empty() => Verdict::Excluded,
        _ => Verdict::Counts,
    })
}

fn verdict_json(receipt: &VoterReceipt, verdict: &Verdict) -> Value {
    let by = |by: &BallotHash| TrackingCode::of(by).to_string();
    let (name, by) = match verdict {
        Verdict::Counts => ("counts", None),
        Verdict::Replaced { by: later } => ("replaced", Some(by(later))),
        Verdict::Excluded => ("excluded", None),
        Verdict::Void => ("void", None),
    };
    json!({
        "election": receipt.eid.to_string(), "tracking_code": receipt.tracking_code.to_string(),
        "ballot": receipt.ballot.to_string(), "block": receipt.block, "verdict": name,
        "counts": *verdict == Verdict::Counts, "replaced_by": by,
    })
}

fn says(receipt: &VoterReceipt, verdict: &Verdict, aside: &str) -> String {
    let code = receipt.tracking_code;
    match verdict {
        Verdict::Counts => format!("Ballot {code} is recorded, and it is the one that counts{aside}."),
        Verdict::Replaced { by } => {
            format!(
                "Ballot {code} does not count: ballot {} of this credential came later.",
                TrackingCode::of(by)
            )
        }
        Verdict::Excluded => format!("Ballot {code} is recorded, and excluded from the count."),
        Verdict::Void => format!("Ballot {code} is recorded, in an election that the board voided."),
    }
}

fn outcome(verdict: &Verdict) -> Result<(), CliError> {
    Err(CliError::Refused(match verdict {
        Verdict::Counts => return Ok(()),
        Verdict::Replaced { .. } => {
            "a later ballot counts for this credential; if you did not cast it, tell the board".into()
        }
        Verdict::Excluded => EXCLUDED.into(),
        Verdict::Void => VOID.into(),
    }))
}

impl From<ReceiptError> for CliError {
    fn from(error: ReceiptError) -> Self {
        let text = error.to_string();
        match error {
            ReceiptError::Behind { .. } => Self::Unreachable(text),
            ReceiptError::OtherBlock { .. } | ReceiptError::Missing { .. } => Self::Integrity(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{
        ids::{Anchor, Digest, Eid},
        keys::PublicKey,
    };
    use psephos_verifier::voter::RecordedBallot;

    fn ballot(number: u32, sequence: u32) -> RecordedBallot {
        let (block, hash) = (Anchor { number, hash: [number as u8; 32] }, BallotHash([sequence as u8; 32]));
        RecordedBallot { block, hash, sequence }
    }

    fn receipt(of: &RecordedBallot) -> VoterReceipt {
        VoterReceipt {
            eid: Eid([1; 32]),
            credential: PublicKey([2; 32]),
            sequence: of.sequence,
            ballot: of.hash,
            tracking_code: TrackingCode::of(&of.hash),
            block: of.block.number,
            block_hash: Digest(of.block.hash),
            trustees: vec![1, 2, 3],
        }
    }

    #[test]
    fn a_record_bears_a_receipt_out_or_not() {
        let (first, second) = (ballot(10, 1), ballot(20, 2));
        let record = VoterBallots { recorded: vec![first, second], excluded_by: Vec::new(), last: None };
        let certified = Outcome::Certified { result: Digest([3; 32]) };
        let of = |receipt: &VoterReceipt, record: &VoterBallots| judge(receipt, Some(&certified), record);
        assert_eq!(of(&receipt(&second), &record), Ok(Verdict::Counts));
        assert_eq!(of(&receipt(&first), &record), Ok(Verdict::Replaced { by: second.hash }));
        let excluded = VoterBallots { excluded_by: vec![1, 2, 3], ..record.clone() };
        assert_eq!(of(&receipt(&second), &excluded), Ok(Verdict::Excluded));
        let void = Outcome::Void { reason: String::new() };
        assert_eq!(judge(&receipt(&second), Some(&void), &record), Ok(Verdict::Void));

        let refused = |receipt: &VoterReceipt, why: &str| match of(receipt, &record) {
            Err(CliError::Integrity(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        };
        refused(&receipt(&ballot(20, 3)), "is not in it");
        refused(&receipt(&RecordedBallot { block: first.block, ..second }), "names block 10");
        let fork = Anchor { hash: [99; 32], ..second.block };
        refused(&receipt(&RecordedBallot { block: fork, ..second }), "names block 20");
        refused(&receipt(&RecordedBallot { sequence: 1, ..second }), "in block 20");
    }

    #[test]
    fn a_receipt_that_was_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipt.json");
        let mut receipt = receipt(&ballot(10, 1));
        std::fs::write(&path, serde_json::to_vec(&receipt).unwrap()).unwrap();
        assert_eq!(read(&path), Ok(receipt.clone()));
        receipt.ballot = BallotHash([9; 32]);
        std::fs::write(&path, serde_json::to_vec(&receipt).unwrap()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("was changed"));
    }
}
