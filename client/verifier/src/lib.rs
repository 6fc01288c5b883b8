//! Verifies an election record offline (spec 9): replays it and confirms the result from the record alone.
//!
//! | step | module | checks |
//! |---|---|---|
//! | the chain of headers | `header` | 2 |
//! | the state machine | `replay`, `running`, `board` | 3–5, 7, 10, 15, 16 |
//! | the electoral roll | `roll` | 6 |
//! | ballots and their sums | `ballots`, `batches`, `kept` | 8, 9, 12 |
//! | agreement, contributions, openings | `tally` | 11, 13, 14 |
//! | proof of finality | `finality`, `trie` | 17 |
//! | certificate | `certificate` | 18 |
//! | what was found | `report`, `times`, `text`, [`html`] | all |
//! | what its reader knows beforehand | [`given`] | |
//! | a dispute about contributions (spec 7.7) | [`evidence`] | |
//! | one voter's ballots, in a record that is verified | [`voter`] | |
//! | the result for those who publish it | [`results`] | |
//!
//! One pass over the record, from any source. One thread reads and replays in order, and all cores verify ballots in
//! batches behind it. Whatever stops the replay, ballots before it are verified first: so the failure that is
//! reported is the first one in the record, on any number of cores.
//!
//! Memory does not grow with ballots or blocks: some 35 MB for each core, while what is needed again of the ballots
//! that count is in a temporary file (in `TMPDIR`; 96 bytes a voter, and 32 for each option). What grows is the roll: by
//! 60 bytes a voter when it is frozen, for its credential, which says whose a ballot is and that nobody has two,
//! weight, style, unit, and the last ballot's sequence number. Before that it has two or three times as much, to
//! notice a key that is there twice; measured at its most, 110 to 165 bytes a voter.
//!
//! What a record can't show, its report says: whether the roll is that of the real electorate, and without a
//! finality proof beside it whether its last block is final.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod ballots;
mod batches;
mod board;
mod certificate;
pub mod evidence;
mod finality;
pub mod given;
mod header;
pub mod html;
mod kept;
mod replay;
pub mod report;
pub mod results;
mod roll;
mod running;
mod source;
mod tally;
mod text;
mod times;
pub mod trie;
pub mod voter;

use std::{
    cell::Cell,
    io::{self, Read},
    sync::OnceLock,
};

use psephos_protocol::{
    board::Board,
    bounds::show,
    ids::{Digest, Eid, Genesis},
    range_proof::{generators_digest, GENERATORS_DIGEST},
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    state::Phase,
    tally::TallyError,
    VERSION,
};

use report::{Checks, Failure, Given, Outcome, Party, Step};
pub use report::{Report, Verdict};
use source::Hashed;

/// What the reader of a report knows beforehand. What is not given is taken from the record, and the
/// report says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The chain.
    pub genesis: Option<Genesis>,
    /// The chain's board; the order of its members matters, because approvals name them by index.
    pub board: Option<Board>,
    /// The election.
    pub eid: Option<Eid>,
    /// The finality proof that came with the record ([`psephos_protocol::finality::FinalityProof`]).
    pub finality: Option<Vec<u8>>,
    /// The certificate that came with the record ([`psephos_protocol::certificate::Certificate`]).
    pub certificate: Option<Vec<u8>>,
    /// The fingerprint of the certificate's key.
    pub certificate_key: Option<Digest>,
}

/// Why the replay stopped.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// What can't be: what is counted was verified, and fits.
impl From<TallyError> for Stop {
    fn from(error: TallyError) -> Self {
        Failure::new(Step::Sums, Party::Validators, "the counted ballots", error).into()
    }
}

impl Stop {
    /// What a report says of it, unless the record could not be read on.
    fn failure(self) -> io::Result<Failure> {
        match self {
            Self::Io(error) => Err(error),
            Self::Record(error) => Ok(Failure::new(Step::Format, Party::Source, "the file", error)),
            Self::Failure(failure) => Ok(failure),
        }
    }
}

/// Verifies a record. A record that does not hold gives a report that says so.
///
/// # Errors
/// Only when the source can't be read, or the temporary file not be written.
pub fn verify(source: impl Read, options: &Options) -> io::Result<Report> {
    verify_and_tell(source, options, |_| ())
}

/// As [`verify`], and tells how many bytes of the source are verified, as they become more.
///
/// # Errors
/// As [`verify`].
pub fn verify_and_tell(
    source: impl Read,
    options: &Options,
    progress: impl FnMut(u64),
) -> io::Result<Report> {
    verify_and_keep(source, options, progress, |_| ()).map(|(report, ())| report)
}

/// As [`verify_and_tell`], and takes something out of the replay before it is gone.
fn verify_and_keep<T>(
    source: impl Read,
    options: &Options,
    progress: impl FnMut(u64),
    keep: impl FnOnce(Option<&replay::Replay>) -> T,
) -> io::Result<(Report, T)> {
    let mut source = Hashed::new(source);
    let (header, mut replay, mut failure) = replayed(&mut source, options, progress)?;
    let digest = source.digest();
    let mut certified = None;
    if let (None, Some(replay)) = (&failure, &mut replay) {
        match certificate::check(replay, digest, options) {
            Ok(found) => certified = found,
            Err(error) => failure = Some(error),
        }
    }
    let kept = keep(replay.as_ref());
    Ok((Report { digest, certificate: certified, ..report(options, header, replay, failure) }, kept))
}

/// A record's header, how far it was replayed, and why no further.
type Replayed = (Option<RecordHeader>, Option<replay::Replay>, Option<Failure>);

fn replayed(mut source: impl Read, options: &Options, mut progress: impl FnMut(u64)) -> io::Result<Replayed> {
    let bytes = Cell::new(0u64);
    let read = |buffer: &mut [u8]| loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Io(error)),
            Ok(got) => {
                bytes.set(bytes.get().saturating_add(got as u64));
                return Ok(got);
            }
        }
    };
    let mut header = None;
    let mut replay = None;
    let tell = |replay: &replay::Replay| progress(bytes.get().saturating_sub(replay.unverified()));
    let stop = run(read, options, &mut header, &mut replay, tell).err();
    let mut failure = stop.map(Stop::failure).transpose()?;
    if let (Some(_), Some(replay)) = (&failure, &mut replay) {
        // A ballot that is still being verified comes before what stopped the replay.
        if let Err(earlier) = replay.flush() {
            failure = Some(earlier.failure()?);
        }
    }
    Ok((header, replay, failure))
}

fn run<R>(
    read: R,
    options: &Options,
    seen: &mut Option<RecordHeader>,
    replay: &mut Option<replay::Replay>,
    mut tell: impl FnMut(&replay::Replay),
) -> Result<(), Stop>
where
    R: FnMut(&mut [u8]) -> Result<usize, Stop>,
{
    let mut frames = FrameReader::new(read)?;
    let malformed = || Failure::new(Step::Format, Party::Source, "the file", "it has no header");
    let header: RecordHeader = frames.next()?.ok_or_else(malformed)?;
    *seen = Some(header.clone());
    check_header(&header, options)?;
    let replay = replay.insert(replay::Replay::new(header, Checks::default()));
    while let Some(block) = frames.next::<RecordBlock>()? {
        replay.block(block)?;
        tell(replay);
    }
    replay.finish()?;
    finality::check(replay, options.finality.as_deref())?;
    Ok(())
}

/// Checks the header against this software and against what the reader knows.
fn check_header(header: &RecordHeader, options: &Options) -> Result<(), Failure> {
    let fail = |step, reason: String| Err(Failure::new(step, Party::Source, "the header", reason));
    if header.version != VERSION {
        return fail(
            Step::Format,
            format!("the record is of version {}, and this software reads {VERSION}", header.version),
        );
    }
    if let Some(genesis) = options.genesis.filter(|genesis| *genesis != header.genesis) {
        return fail(
            Step::Definition,
            format!("the record is of the chain {}, not of {genesis}", header.genesis),
        );
    }
    if let Some(eid) = options.eid.filter(|eid| *eid != header.eid) {
        return fail(Step::Definition, format!("the record is of the election {}, not of {eid}", header.eid));
    }
    // The same every time, and half a second's work.
    static DERIVED: OnceLock<Digest> = OnceLock::new();
    let derived = *DERIVED.get_or_init(generators_digest);
    if derived != GENERATORS_DIGEST {
        return fail(
            Step::Definition,
            format!("the generators derived anew have the digest {derived}, not {GENERATORS_DIGEST}"),
        );
    }
    if let Err(error) = header.board.validate() {
        return fail(Step::Creation, format!("the chain's board: {error}"));
    }
    if options.board.as_ref().is_some_and(|board| *board != header.board) {
        return fail(Step::Creation, String::from("the chain's board is not the one given"));
    }
    Ok(())
}

/// Puts together what was found.
fn report(
    options: &Options,
    header: Option<RecordHeader>,
    replay: Option<replay::Replay>,
    failure: Option<Failure>,
) -> Report {
    let mut report = Report {
        genesis: header.as_ref().map(|header| header.genesis),
        eid: header.as_ref().map(|header| header.eid),
        board: header.as_ref().map(|header| header.board.clone()),
        given: Given {
            genesis: options.genesis.is_some(),
            board: options.board.is_some(),
            election: options.eid.is_some(),
            certificate_key: options.certificate_key.is_some(),
        },
        digest: None,
        certificate: None,
        title: None,
        rehearsal: None,
        checks: Vec::new(),
        failure,
        outcome: None,
        contests: Vec::new(),
        cells: Vec::new(),
        units: Vec::new(),
        opens_at: None,
        closes_at: None,
        times: None,
        result: None,
        roll_log: Digest::default(),
        ballot_log: Digest::default(),
        ballots: 0,
        counted: 0,
        last: None,
        notes: Vec::new(),
    };
    let Some(replay) = replay else {
        report.checks = Checks::default().lines(report.failure.as_ref());
        return report;
    };
    report.last = replay.headers.last().map(|block| block.anchor);
    report.checks = replay.checks.lines(report.failure.as_ref());
    report.notes = replay.notes;
    if let Some(running) = replay.running {
        let election = &running.election;
        report.title = Some(show(&election.manifest.title));
        report.rehearsal = election.manifest.rehearsal;
        report.units = running.roll.units(election);
        running.ballots.add_turnout(&mut report.units);
        (report.opens_at, report.closes_at) = (Some(running.opens_at), Some(running.closes_at));
        report.times = running.times.counted();
        report.roll_log = running.roll.log();
        report.ballot_log = running.ballots.log();
        report.ballots = running.ballots.accepted();
        report.counted = running.ballots.counted();
        if let Some(stands) = running.tally.result() {
            report.contests = stands.contests(election);
            report.cells = stands.cells(election);
            report.result = Some(stands.digest);
        }
        report.outcome = match (running.phase, report.result) {
            (Phase::Certified, Some(result)) => Some(Outcome::Certified { result }),
            (Phase::Void, _) => Some(Outcome::Void { reason: running.voided.unwrap_or_default() }),
            _ => None,
        };
    }
    report.notes.extend(caveats(options, &report));
    report
}

/// What the record alone can't show.
fn caveats(options: &Options, report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(last), None) = (report.last, &options.finality) {
        notes.push(format!(
            "the record alone does not show that block {} ({}) is final: give its finality proof, or compare it with a node that you trust or with the printed record",
            last.number,
            Digest(last.hash)
        ));
    }
    if options.certificate.is_some() && options.certificate_key.is_none() {
        notes.push(String::from(
            "compare the fingerprint of the certificate's key with the one that was printed before the election, or give it with --certificate-key",
        ));
    }
    if options.genesis.is_none() || options.board.is_none() {
        notes.push(String::from(
            "chain and board are those that the file names; give --genesis and --board to compare them with what you know",
        ));
    }
    notes.push(String::from(
        "compare the counts per reporting unit with the official register, and the log of ballots with the chain's",
    ));
    notes
}
