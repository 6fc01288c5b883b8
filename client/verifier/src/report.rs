//! What the verifier found: eighteen numbered checks, and the totals they stand for.

use std::fmt;

use psephos_protocol::{
    board::Board,
    ids::{Anchor, Digest, Eid, Genesis},
    keys::PublicKey,
};
use serde::Serialize;

/// The checks, in the order of the report. Each number is stable: publications cite it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Step {
    /// Magic, version, frames.
    Format = 1,
    /// The chain of block headers and their times.
    Headers = 2,
    /// Generators, manifest, election identifier.
    Definition = 3,
    /// Created by the chain's board.
    Creation = 4,
    /// Every trustee accepted.
    Trustees = 5,
    /// The electoral roll.
    Roll = 6,
    /// Freeze, opening, closing.
    Schedule = 7,
    /// Each ballot.
    Ballots = 8,
    /// Nobody is counted twice.
    Once = 9,
    /// No group below the privacy minimum is opened.
    Privacy = 10,
    /// A quorum of trustees agreed on the set of ballots.
    Agreement = 11,
    /// The sums of the commitments.
    Sums = 12,
    /// The trustees' contributions.
    Contributions = 13,
    /// The openings and the totals.
    Openings = 14,
    /// Certified, or voided, by the board.
    Certification = 15,
    /// Nothing after that.
    End = 16,
    /// The last block is final.
    Finality = 17,
    /// A certificate of this very file.
    Certificate = 18,
}

impl Step {
    /// All checks in order.
    pub const ALL: [Self; 18] = [
        Self::Format,
        Self::Headers,
        Self::Definition,
        Self::Creation,
        Self::Trustees,
        Self::Roll,
        Self::Schedule,
        Self::Ballots,
        Self::Once,
        Self::Privacy,
        Self::Agreement,
        Self::Sums,
        Self::Contributions,
        Self::Openings,
        Self::Certification,
        Self::End,
        Self::Finality,
        Self::Certificate,
    ];

    /// The check's number, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What the check says when it passes.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Format => "the file is a whole election record in canonical encoding",
            Self::Headers => "the block headers form one chain and their times never go back",
            Self::Definition => "the generators, the manifest and the election identifier fit each other",
            Self::Creation => "k of m members of the chain's board created the election",
            Self::Trustees => "every trustee accepted before registration opened",
            Self::Roll => {
                "the electoral roll was proposed, confirmed and claimed as signed, without duplicates"
            }
            Self::Schedule => "the board froze the roll and changed times only as it may",
            Self::Ballots => "every ballot is valid, signed, receipted, in time and from the roll",
            Self::Once => "nobody is counted twice",
            Self::Privacy => "no group of voters below the privacy minimum is opened",
            Self::Agreement => "a quorum of trustees signed the set of ballots that this replay recomputed",
            Self::Sums => "the commitments of the counted ballots are summed anew",
            Self::Contributions => "the contributions are signed by different trustees for the agreed set",
            Self::Openings => "the contributions open the sums to these totals",
            Self::Certification => "k of m members of the election's board certified this result, or voided",
            Self::End => "the record ends there",
            Self::Finality => "more than two thirds of the validators signed that the last block is final",
            Self::Certificate => "a hash-based signature certifies this very file",
        }
    }
}

/// Who answers for what a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whoever wrote the file: no signature covers it.
    Source,
    /// The validators, who took what the rules forbid; or whoever wrote the file and put it in.
    Validators,
    /// The board members who approved.
    Board(Vec<u8>),
    /// A registrar, by index.
    Registrar(u8),
    /// Trustees, by index from 1.
    Trustees(Vec<u8>),
    /// Those who signed a ballot that is not valid: its voter, by credential, and the trustees with their receipts;
    /// and the validators, who took it.
    Signers {
        /// The voter.
        voter: PublicKey,
        /// The trustees.
        trustees: Vec<u8>,
    },
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, one: &str, many: &str, items: &[u8]| {
            let names: Vec<String> = items.iter().map(u8::to_string).collect();
            write!(f, "{} {}", if items.len() == 1 { one } else { many }, names.join(", "))
        };
        match self {
            Self::Source => f.write_str("whoever made this file"),
            Self::Validators => f.write_str("the validators who took it, or whoever made this file"),
            Self::Board(members) => list(f, "board member", "board members", members),
            Self::Registrar(index) => write!(f, "registrar {index}"),
            Self::Trustees(trustees) => list(f, "trustee", "trustees", trustees),
            Self::Signers { voter, trustees } => {
                write!(f, "the holder of credential {voter}, who signed it; ")?;
                list(f, "trustee", "trustees", trustees)?;
                f.write_str(", who gave receipts for it; the validators who took it")
            }
        }
    }
}

/// A check that failed: where, why, and through whom.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check {}: {object}: {reason} (answers for it: {party})", step.number())]
pub struct Failure {
    /// The check.
    pub step: Step,
    /// The object: a block, a message, a ballot.
    pub object: String,
    /// What is wrong with it.
    pub reason: String,
    /// Who answers for it.
    pub party: Party,
}

/// The object of a failure when the record is good as far as it goes, and ends too early.
const END: &str = "the end of the record";

impl Failure {
    /// The record ends before its election was certified or voided.
    pub(crate) fn early_end(reason: &str) -> Self {
        Self::new(Step::Format, Party::Source, END, reason)
    }

    /// Whether all that is wrong is that the election was not over yet.
    #[must_use]
    pub fn is_early_end(&self) -> bool {
        self.step == Step::Format && self.object == END
    }

    /// A failure of `step`.
    pub(crate) fn new(step: Step, party: Party, object: impl ToString, reason: impl ToString) -> Self {
        Self { step, object: object.to_string(), reason: reason.to_string(), party }
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It has no object in this election, such as the tally of one that was voided before.
    NotApplicable,
    /// The replay stopped, at a failure, before this check was complete.
    NotReached,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The number, from 1.
    pub number: u8,
    /// What passing means.
    pub meaning: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was counted, or what failed.
    pub detail: String,
}

/// The totals of one contest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContestTotals {
    /// The question.
    pub title: String,
    /// Counted ballots that have this contest.
    pub ballots: u32,
    /// Their weights together.
    pub weight: u64,
    /// Options with what they were given, in ballot order.
    pub options: Vec<(String, u64)>,
}

/// The totals of one cell: the reporting units that are reported together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellTotals {
    /// The units, in the order of the manifest.
    pub units: Vec<String>,
    /// What was given there.
    pub contests: Vec<ContestTotals>,
}

/// The roll of one reporting unit, to be compared with the official register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitCount {
    /// The unit.
    pub name: String,
    /// Confirmed roll entries.
    pub entries: u32,
    /// Entries with a credential.
    pub registered: u32,
    /// Entries whose ballot counts.
    pub voted: u32,
}

/// How the election ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The board certified the result with this digest.
    Certified {
        /// [`psephos_protocol::tally::ElectionResult::digest`].
        #[serde(serialize_with = "hexadecimal")]
        result: Digest,
    },
    /// The board voided the election.
    Void {
        /// Why, as the board says.
        reason: String,
    },
}

/// The certificate of the record's file, to be compared with print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Certified {
    /// The fingerprint of the key that signed it.
    #[serde(serialize_with = "hexadecimal")]
    pub key: Digest,
    /// SHA-256 of its signature.
    #[serde(serialize_with = "hexadecimal")]
    pub signature: Digest,
}

/// Accepted ballots over time, replaced ones included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BallotTimes {
    /// When the first period begins, in ms since the Unix epoch.
    pub start: u64,
    /// How long each period is, in ms.
    pub length: u64,
    /// The ballots of each period, by the time of their blocks.
    pub ballots: Vec<u64>,
}

/// What the reader knew beforehand, which was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The chain.
    pub genesis: bool,
    /// The chain's board.
    pub board: bool,
    /// The election.
    pub election: bool,
    /// The fingerprint of the certificate's key.
    pub certificate_key: bool,
}

/// All that the verifier found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The chain.
    #[serde(serialize_with = "displayed")]
    pub genesis: Option<Genesis>,
    /// The election.
    #[serde(serialize_with = "displayed")]
    pub eid: Option<Eid>,
    /// The chain's board, as the record names it.
    #[serde(serialize_with = "board")]
    pub board: Option<Board>,
    /// What of that was compared with what the reader knows.
    pub given: Given,
    /// SHA-256 of the record's file, if it was read to its end.
    #[serde(serialize_with = "displayed")]
    pub digest: Option<Digest>,
    /// What the certificate beside it says, if it holds.
    pub certificate: Option<Certified>,
    /// Its title, once it is defined.
    pub title: Option<String>,
    /// Of a rehearsal, which counts for nothing: the trustee that was held back, 0 for none.
    pub rehearsal: Option<u8>,
    /// All checks by number.
    pub checks: Vec<Check>,
    /// The first check that failed, in the order of the record.
    #[serde(serialize_with = "displayed")]
    pub failure: Option<Failure>,
    /// How the election ended, if the record shows it.
    pub outcome: Option<Outcome>,
    /// The totals; empty unless the openings were checked.
    pub contests: Vec<ContestTotals>,
    /// The totals per cell; empty where there is one cell, and unless the openings were checked.
    pub cells: Vec<CellTotals>,
    /// The roll by unit.
    pub units: Vec<UnitCount>,
    /// When voting opens, as last stated: ms since the Unix epoch.
    pub opens_at: Option<u64>,
    /// When voting closes, as last stated; the board may have closed it before, where the manifest allows that.
    pub closes_at: Option<u64>,
    /// When ballots came; none without ballots.
    pub times: Option<BallotTimes>,
    /// The digest of the result, as recomputed: what the board certifies and prints.
    #[serde(serialize_with = "displayed")]
    pub result: Option<Digest>,
    /// The head of the roll log.
    #[serde(serialize_with = "hexadecimal")]
    pub roll_log: Digest,
    /// The head of the log of accepted ballots.
    #[serde(serialize_with = "hexadecimal")]
    pub ballot_log: Digest,
    /// Accepted ballots, replaced ones included.
    pub ballots: u64,
    /// Ballots that count.
    pub counted: u32,
    /// The record's last block.
    #[serde(serialize_with = "anchor")]
    pub last: Option<Anchor>,
    /// What the record alone can't show, and what else a reader should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Whether the record proves the result, or that the election was voided.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.failure.is_none()
            && self.outcome.is_some()
            && self.checks.len() == Step::ALL.len()
            && self
                .checks
                .iter()
                .all(|check| matches!(check.verdict, Verdict::Passed | Verdict::NotApplicable))
    }

    /// The last line of the report.
    #[must_use]
    pub fn summary(&self) -> String {
        match (&self.failure, &self.outcome) {
            (Some(failure), _) => format!("NOT VERIFIED: {failure}"),
            (None, Some(Outcome::Void { .. })) if self.verified() => {
                String::from("VERIFIED: the board voided this election; there is no result")
            }
            (None, Some(Outcome::Certified { .. })) if self.verified() => match self.rehearsal {
                Some(_) => String::from("VERIFIED: a REHEARSAL, which counts for nothing"),
                None => String::from("VERIFIED"),
            },
            _ => String::from("NOT VERIFIED: not every check was completed"),
        }
    }
}

/// The state of the checks while the replay runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(Vec<(Step, Verdict, String)>);

impl Checks {
    /// Notes that a check holds. A later call for the same check replaces the detail.
    pub(crate) fn pass(&mut self, step: Step, detail: impl Into<String>) {
        self.set(step, Verdict::Passed, detail.into());
    }

    /// Takes back that a check holds.
    pub(crate) fn forget(&mut self, step: Step) {
        self.0.retain(|(other, ..)| *other != step);
    }

    /// Notes that a check has no object, unless it has a verdict already.
    pub(crate) fn not_applicable(&mut self, step: Step, detail: impl Into<String>) {
        if !self.0.iter().any(|(other, ..)| *other == step) {
            self.set(step, Verdict::NotApplicable, detail.into());
        }
    }

    fn set(&mut self, step: Step, verdict: Verdict, detail: String) {
        self.0.retain(|(other, ..)| *other != step);
        self.0.push((step, verdict, detail));
    }

    /// All lines, with the failure in its place.
    pub(crate) fn lines(mut self, failure: Option<&Failure>) -> Vec<Check> {
        if let Some(failure) = failure {
            let detail =
                format!("{}: {} (answers for it: {})", failure.object, failure.reason, failure.party);
            self.set(failure.step, Verdict::Failed, detail);
        }
        let line = |step: Step| {
            let found = self.0.iter().find(|(other, ..)| *other == step);
            let (verdict, detail) = found
                .map_or((Verdict::NotReached, String::new()), |(_, verdict, detail)| {
                    (*verdict, detail.clone())
                });
            Check { number: step.number(), meaning: step.meaning(), verdict, detail }
        };
        Step::ALL.into_iter().map(line).collect()
    }
}

fn hexadecimal<S: serde::Serializer>(id: &impl fmt::Display, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}

fn displayed<S: serde::Serializer>(value: &Option<impl fmt::Display>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => out.collect_str(value),
        None => out.serialize_none(),
    }
}

fn board<S: serde::Serializer>(board: &Option<Board>, out: S) -> Result<S::Ok, S::Error> {
    let Some(Board { members, threshold }) = board else { return out.serialize_none() };
    let members: Vec<String> = members.iter().map(ToString::to_string).collect();
    out.collect_str(&format_args!("{threshold}:{}", members.join(",")))
}

fn anchor<S: serde::Serializer>(block: &Option<Anchor>, out: S) -> Result<S::Ok, S::Error> {
    match block {
        Some(block) => out.collect_str(&format_args!("{} {}", block.number, Digest(block.hash))),
        None => out.serialize_none(),
    }
}
