//! Whole files: records with their verification (spec 9), and evidence (spec 7.7).

use codec::{Decode, Encode, IoReader};
use psephos_protocol::{
    evidence::{Dealt, EvidenceHeader, MAGIC as EVIDENCE},
    record::{frame, FrameReader, RecordBlock, RecordError, RecordHeader, MAGIC as RECORD},
};
use psephos_verifier::{verify, Options};
use std::sync::{Mutex, PoisonError};

use super::scale;
use crate::{
    corpus::{bytes, list, vectors, Case},
    Target,
};

pub(super) fn all() -> Vec<Target> {
    let case = Case::shared();
    let header = vec![case.world.header().encode()];
    let frames = case.world.frames();
    // Without the length that a frame begins with.
    let blocks: Vec<Vec<u8>> = frames.iter().skip(1).map(|frame| frame[4..].to_vec()).collect();
    vec![
        Target::new("record-header", header, scale::<RecordHeader>),
        Target::new("record-block", blocks, scale::<RecordBlock>).expansion(100),
        record(&case),
        evidence(&case),
    ]
}

/// Records that verify and records that don't. Some of a record is not bound by anything in it (spec 9.4): a time
/// within its slot, the last header. What counts is that none shows another outcome.
fn record(case: &Case) -> Target {
    let vectors = vectors("records.json");
    let theirs = list(&vectors).iter().map(|record| bytes(&record["record"]));
    let corpus = theirs.chain([case.world.bytes()]).collect();
    Target::new("record", corpus, read).expansion(100).one_in(20).shows(|bytes| {
        let report = verify(bytes, &Options::default()).expect("memory can be read");
        let outcome = (&report.eid, &report.outcome, &report.contests, &report.cells);
        let logs = (report.roll_log, report.ballot_log, report.ballots, report.counted);
        report.verified().then(|| format!("{outcome:?} {logs:?}").into_bytes())
    })
}

/// All frames of a record, written again.
fn read(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let source = |buffer: &mut [u8]| std::io::Read::read(&mut bytes, buffer).map_err(|_| RecordError::Magic);
    let mut reader = FrameReader::new(source).ok()?;
    let header: RecordHeader = reader.next().ok()??;
    let mut out = [RECORD.to_vec(), frame(&header)].concat();
    while let Some(block) = reader.next::<RecordBlock>().ok()? {
        out.extend(frame(&block));
    }
    Some(out)
}

fn evidence(case: &Case) -> Target {
    // What a record is verified with is for one thread at a time.
    let dispute = Mutex::new(case.dispute());
    let judge = move |bytes: &[u8]| dispute.lock().unwrap_or_else(PoisonError::into_inner).judge(bytes);
    let decode = |mut bytes: &[u8]| {
        let mut input = IoReader(&mut bytes);
        let (magic, header) = <([u8; 8], EvidenceHeader)>::decode(&mut input).ok()?;
        let mut out = (magic == EVIDENCE).then(|| (magic, &header).encode())?;
        for _ in 0..header.ballots {
            Dealt::decode(&mut input).ok()?.encode_to(&mut out);
        }
        bytes.is_empty().then_some(out)
    };
    Target::new("evidence", vec![case.evidence()], decode)
        .signed(move |bytes| judge(bytes).is_ok_and(|findings| findings.iter().all(|one| one.fits)))
}
