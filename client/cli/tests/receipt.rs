//! `psephos voter check RECEIPT --record FILE`, on the records of the test vectors.
#![cfg(unix)]

use psephos_client::voter::VoterReceipt;
use psephos_protocol::{
    ballot::TrackingCode,
    header::Header,
    ids::Digest,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    wire::Message,
};
use psephos_verifier::voter::ballots_of;
use serde_json::Value;
use std::{fs, path::Path, process::Command};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/records.json");

/// The record of that name.
fn record(name: &str) -> Vec<u8> {
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(VECTORS).unwrap()).unwrap();
    let vector = vectors.iter().find(|vector| vector["name"] == name).unwrap();
    hex::decode(vector["record"].as_str().unwrap()).unwrap()
}

/// The receipts of all ballots of a record, in its order.
fn receipts(record: &[u8]) -> Vec<VoterReceipt> {
    let mut rest = record;
    let mut frames = FrameReader::new(|buffer: &mut [u8]| {
        Ok::<_, RecordError>(std::io::Read::read(&mut rest, buffer).unwrap())
    })
    .unwrap();
    frames.next::<RecordHeader>().unwrap();
    let mut receipts = Vec::new();
    while let Some(block) = frames.next::<RecordBlock>().unwrap() {
        for message in block.messages {
            let Message::Cast(cast) = message else { continue };
            let (statement, ballot) = (&cast.signed.ballot.statement, cast.signed.ballot.hash());
            let found = ballots_of(record, &statement.credential).unwrap();
            let anchor = found.recorded.iter().find(|found| found.hash == ballot).unwrap().block;
            assert_eq!(anchor.number, Header::from_bytes(&block.header).unwrap().number.0);
            receipts.push(VoterReceipt {
                eid: statement.eid,
                credential: statement.credential,
                sequence: statement.sequence,
                ballot,
                tracking_code: TrackingCode::of(&ballot),
                block: anchor.number,
                block_hash: Digest(anchor.hash),
                trustees: cast.receipts.iter().map(|receipt| receipt.trustee).collect(),
            });
        }
    }
    receipts
}

/// What the command says of a receipt, and how it ends.
fn check(folder: &Path, receipt: &VoterReceipt, record: &[u8]) -> (i32, String) {
    fs::write(folder.join("receipt.json"), serde_json::to_vec(receipt).unwrap()).unwrap();
    fs::write(folder.join("record"), record).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_psephos"))
        .args(["--json", "voter", "check", "receipt.json", "--record", "record"])
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn is(folder: &Path, receipt: &VoterReceipt, record: &[u8], verdict: &str) {
    let (code, said) = check(folder, receipt, record);
    assert!(said.contains(&format!(r#""verdict": "{verdict}""#)), "{verdict} is expected: {said}");
    assert_eq!(code, i32::from(verdict != "counts"), "{said}");
    assert!(said.contains("no proof that the record's last block is final"), "{said}");
}

#[test]
fn a_record_shows_what_became_of_each_ballot() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let honest = record("plurality, one voter by invitation, one ballot replaced");
    let all = receipts(&honest);
    assert_eq!(all.len(), 5);
    is(folder, &all[0], &honest, "replaced");
    for receipt in &all[1..] {
        is(folder, receipt, &honest, "counts");
    }
    let excluded = record("a ballot excluded");
    let all = receipts(&excluded);
    assert_eq!(all[3].credential, all[0].credential);
    is(folder, &all[1], &excluded, "excluded");
    is(folder, &all[2], &excluded, "counts");
    let void = record("voided while open");
    is(folder, receipts(&void).last().unwrap(), &void, "void");
}

#[test]
fn a_receipt_is_not_borne_out_by_just_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let honest = record("plurality, one voter by invitation, one ballot replaced");
    let receipt = receipts(&honest).pop().unwrap();
    let refused = |receipt: &VoterReceipt, record: &[u8], why: &str| {
        let (code, said) = check(folder, receipt, record);
        assert!(code == 4 && said.contains(why) && !said.contains("verdict"), "{why}: {code} {said}");
    };
    // A record that does not verify, another election's, and one that is cut off.
    refused(&receipt, &record("two blocks of ballots change places"), "NOT VERIFIED");
    refused(&receipt, &record("weights; approval, up to three of five, score"), "NOT VERIFIED");
    refused(&receipt, &honest[..honest.len() - 1], "NOT VERIFIED: check 1");
    // A receipt of what is not there.
    let elsewhere = VoterReceipt { block_hash: Digest([9; 32]), ..receipt.clone() };
    refused(&elsewhere, &honest, "the receipt names block");
    let mut other = receipt.clone();
    other.ballot.0[0] ^= 1;
    other.tracking_code = TrackingCode::of(&other.ballot);
    refused(&other, &honest, "is not in it");
    // What lies beside the record by its name is its finality proof.
    fs::write(folder.join("record.finality"), b"PSEPHOSF").unwrap();
    refused(&receipt, &honest, "NOT VERIFIED: check 17");
}
