//! Check 18: a certificate beside the record is of this very file, by the key that the reader knows.

#[path = "common/cases.rs"]
mod cases;
#[path = "common/certificates.rs"]
mod certificates;
#[path = "common/chain.rs"]
mod chain;
mod common;

use certificates::{key, sign, statement, verdict};
use common::*;
use psephos_protocol::{board::Action, ids::Digest};
use psephos_verifier::{verify, Options, Report, Verdict};

fn reason(report: Report) -> String {
    assert_eq!(failed(&report), 18, "{report}");
    assert!(report.certificate.is_none());
    report.failure.expect("a failure").reason
}

fn reason_of(record: &[u8], certificate: &[u8]) -> String {
    reason(verdict(record, certificate, None))
}

#[test]
fn each_rule_refuses_and_the_file_for_other_implementations_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/certificate.json");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON");
    let vectors = certificates::vectors(&cases::records());
    let rules = [
        ("of another version", "9.6.1"),
        ("the last byte is missing", "9.6.1"),
        ("a byte more", "9.6.1"),
        ("empty", "9.6.1"),
        ("another first byte", "9.6.1"),
        ("of another chain", "9.6.2"),
        ("of another election", "9.6.2"),
        ("of another result", "9.6.3"),
        ("beside a record without a result", "9.6.3"),
        ("with another last block: its number", "9.6.4"),
        ("with another last block: its hash", "9.6.4"),
        ("of another file", "9.6.5"),
        ("signed with another context", "9.6.6"),
        ("signed without a context", "9.6.6"),
        ("by another key than it names", "9.6.6"),
        ("a bit of the key changed", "9.6.6"),
        ("the first bit of the signature changed", "9.6.6"),
        ("the last bit of the signature changed", "9.6.6"),
        ("by another key, and the key is known", "9.6.7"),
    ];
    let cases = vectors["cases"].as_array().expect("a list");
    for (what, rule) in rules {
        let case = cases.iter().find(|case| case["what"] == what).expect("a case");
        assert_eq!((&case["failed"], &case["rule"]), (&18.into(), &rule.into()), "{what}");
    }
    assert_eq!(cases.iter().filter(|case| case["failed"].is_null()).count(), 2);
    assert!(
        written == vectors,
        "write it anew: cargo run --release -p psephos-verifier --example certificate -- docs/vectors/certificate.json"
    );
}

#[test]
fn without_a_certificate_it_is_not_applicable() {
    let report = World::honest().verify();
    assert!(report.verified() && report.certificate.is_none());
    assert_eq!(report.checks[17].verdict, Verdict::NotApplicable);
    assert!(!report.notes.iter().any(|note| note.contains("certificate")), "{report}");
    // Whoever took the certificate away does not deceive a reader who knows its key.
    let options = Options { certificate_key: Some(Digest([1; 32])), ..Options::default() };
    let report = verify(World::honest().bytes().as_slice(), &options).expect("memory can be read");
    assert!(reason(report).contains("there is no certificate"));
}

#[test]
fn it_certifies_this_file_and_no_other() {
    let world = World::honest();
    let bytes = world.bytes();
    let good = statement(&bytes);
    let key = key();
    let fingerprint = key.public().fingerprint();
    let certificate = sign(good, &key);
    let report = verdict(&bytes, &certificate.to_bytes(), Some(fingerprint));
    assert!(report.verified(), "{report}");
    assert_eq!(report.checks[17].verdict, Verdict::Passed);
    assert_eq!(report.digest, Some(good.record));
    let certified = report.certificate.expect("it holds");
    assert_eq!((certified.key, certified.signature), (fingerprint, certificate.signature_digest()));
    assert!(!report.notes.iter().any(|note| note.contains("fingerprint")), "{report}");
    // Whoever does not know the key is told to compare it.
    let report = verdict(&bytes, &certificate.to_bytes(), None);
    assert!(report.verified() && report.notes.iter().any(|note| note.contains("fingerprint")), "{report}");

    // The same election in another file: the last header's state root, which nothing after it binds.
    let mut frames = world.frames();
    let last = frames.last_mut().expect("frames");
    let root = last.windows(32).position(|window| window == [1; 32]).expect("a state root");
    // A few bytes later: its number may end with the same byte as the root begins.
    last[root + 16] ^= 1;
    let other = [psephos_protocol::record::MAGIC.to_vec(), frames.concat()].concat();
    assert!(verify_bytes(&other).verified(), "nothing else notices");
    assert!(reason(verdict(&other, &certificate.to_bytes(), Some(fingerprint))).starts_with("9.6.4"));
    // A time within its slot, which no block's hash binds.
    let mut world = World::honest();
    world.times[CONTRIBUTE] += 1;
    let other = world.bytes();
    assert!(verify_bytes(&other).verified(), "nothing else notices");
    assert!(reason(verdict(&other, &certificate.to_bytes(), Some(fingerprint))).starts_with("9.6.5"));

    let stranger = psephos_protocol::certificate::CertificateKey::from_seeds([3; 72].into());
    let signed = sign(good, &stranger).to_bytes();
    assert!(reason(verdict(&bytes, &signed, Some(fingerprint))).starts_with("9.6.7"));
    assert!(verdict(&bytes, &signed, None).verified(), "who does not know the key must compare it");
}

#[test]
fn a_result_that_the_board_voided_is_not_certified() {
    let mut world = World::honest();
    let eid = world.fixture.election.eid;
    world.blocks[CERTIFY].clear();
    let reason = b"the roll was wrong".to_vec().try_into().expect("short");
    world.act(CERTIFY, Action::Void { eid, reason });
    let bytes = world.bytes();
    let report = verify_bytes(&bytes);
    assert!(report.verified() && report.result.is_some(), "{report}");
    let certificate = sign(statement(&bytes), &key()).to_bytes();
    assert!(reason_of(&bytes, &certificate).starts_with("9.6.3"));
}

#[test]
fn a_file_that_was_not_read_to_its_end_has_no_digest() {
    let mut bytes = World::honest().bytes();
    assert!(verify_bytes(&bytes).digest.is_some());
    // A failure in the middle: what follows is not read.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let report = verify_bytes(&bytes);
    assert!(!report.verified() && report.digest.is_none(), "{report}");
}
