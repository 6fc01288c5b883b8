//! Records of more ballots than are verified at once: that cores and batches make no difference.

mod common;
#[path = "common/large.rs"]
mod large;

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::LazyLock,
};

use common::{failed, verify_bytes, World};
use large::{Large, PER_BLOCK};
use psephos_protocol::{
    ballot::CastBallot,
    record::{frame, FrameReader, RecordBlock, RecordError, RecordHeader, MAGIC},
    wire::Message,
};
use psephos_verifier::{verify_and_tell, Options, Report};

/// Each batch has voters who voted in one before.
const LARGE: Large = Large { voters: 2_300, again: 1_200, options: 2, trustees: 3, threshold: 2, quorum: 3 };

static RECORD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    LARGE.write(&mut bytes).expect("memory");
    bytes
});

/// Header and blocks of a record.
fn blocks(bytes: &[u8]) -> (RecordHeader, Vec<RecordBlock>) {
    let mut rest = bytes;
    let read = |buffer: &mut [u8]| -> Result<usize, RecordError> {
        let got = buffer.len().min(rest.len());
        let (now, later) = rest.split_at(got);
        buffer[..got].copy_from_slice(now);
        rest = later;
        Ok(got)
    };
    let mut frames = FrameReader::new(read).expect("a record");
    let header = frames.next().expect("whole").expect("a header");
    let blocks = std::iter::from_fn(|| frames.next::<RecordBlock>().expect("whole")).collect();
    (header, blocks)
}

/// The frames of a record in which ballots, named by their places among all, were changed.
fn frames(change: impl FnOnce(&mut [&mut CastBallot])) -> Vec<Vec<u8>> {
    let (header, mut blocks) = blocks(&RECORD);
    let messages = blocks.iter_mut().flat_map(|block| &mut block.messages);
    let ballots = messages.filter_map(|message| match message {
        Message::Cast(cast) => Some(cast),
        _ => None,
    });
    change(&mut ballots.collect::<Vec<_>>());
    std::iter::once(frame(&header)).chain(blocks.iter().map(frame)).collect()
}

fn verify_frames(frames: &[Vec<u8>]) -> Report {
    verify_bytes(&[MAGIC.to_vec(), frames.concat()].concat())
}

fn spoil(cast: &mut CastBallot) {
    cast.signed.ballot.proof[100] ^= 1;
}

#[test]
fn thousands_of_ballots_count_once_each() {
    let report = verify_bytes(&RECORD);
    assert!(report.verified(), "{report}");
    let totals: Vec<u64> = report.contests[0].options.iter().map(|(_, total)| *total).collect();
    assert_eq!(totals, LARGE.totals());
    assert_eq!((report.ballots, report.counted), (LARGE.ballots() as u64, LARGE.voters as u32));
    assert_eq!(report.units[0].voted, LARGE.voters as u32);
}

/// Whatever is read ahead, the first ballot that is not valid is named, and what was counted is what came before it.
#[test]
fn the_first_failure_of_the_record_is_named() {
    let is_named = |report: &Report, ballot: usize| {
        assert_eq!(failed(report), 8);
        let failure = report.failure.as_ref().expect("it fails");
        let message = format!("message {} (", ballot % PER_BLOCK);
        assert!(failure.object.contains(&message), "ballot {ballot}: {failure}");
        assert_eq!(report.ballots, ballot as u64, "{failure}");
    };
    for first in [0, 500, 1_023, 1_024, 2_600, 3_499] {
        is_named(&verify_frames(&frames(|ballots| spoil(ballots[first]))), first);
    }
    let two = frames(|ballots| [5, 3_100].into_iter().for_each(|place| spoil(ballots[place])));
    is_named(&verify_frames(&two), 5);
    // What the order shows is noticed at once, in the ballot after it, and after some batches.
    for later in [501, 3_200] {
        let frames = frames(|ballots| {
            spoil(ballots[500]);
            ballots[later].signed.ballot.statement.sequence = 99;
        });
        is_named(&verify_frames(&frames), 500);
    }
    // So is a file that ends, or a header that follows none.
    let mut cut = frames(|ballots| spoil(ballots[500]));
    let last = cut.iter().rposition(|frame| frame.len() > 10_000).expect("blocks of ballots");
    cut.truncate(last);
    is_named(&verify_frames(&cut), 500);
    cut.push(vec![255; 4]);
    is_named(&verify_frames(&cut), 500);
}

#[test]
fn progress_is_of_what_is_verified() {
    let mut told = Vec::new();
    let options = Options::default();
    let report = verify_and_tell(RECORD.as_slice(), &options, |bytes| told.push(bytes)).expect("memory");
    assert!(report.verified());
    let lengths = frames(|_| ()).into_iter().map(|frame| frame.len() as u64);
    let ends = lengths.scan(MAGIC.len() as u64, |end, length| {
        *end += length;
        Some(*end)
    });
    // The first frame is the header.
    let ends: Vec<u64> = ends.skip(1).collect();
    assert_eq!(told.len(), ends.len());
    assert!(told.is_sorted());
    assert_eq!(told.last(), ends.last());
    assert!(told.iter().zip(&ends).all(|(told, end)| told <= end));
    // After the first block of ballots, all of these are waiting.
    let (_, blocks) = blocks(&RECORD);
    let first = blocks.iter().position(|block| block.messages.len() == PER_BLOCK).expect("a full block");
    assert!(told[first] < ends[first - 1] + 10_000 && ends[first] > ends[first - 1] + 500_000);
}

#[test]
fn a_record_may_come_through_a_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_psephos-verify"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(&World::honest().bytes()).expect("it reads");
    drop(pipe);
    let out = child.wait_with_output().expect("it ends");
    assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).ends_with("VERIFIED\n"));
}
