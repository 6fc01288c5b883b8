//! Check 18: a certificate beside the record is of this very file, by the key that the reader knows.

#[allow(dead_code)] // The records alone are needed.
#[path = "common/cases.rs"]
mod cases;
#[path = "common/certificates.rs"]
mod certificates;
mod common;

use certificates::{key, sign, statement, verdict};
use common::*;
use psephos_protocol::ids::Digest;
use psephos_verifier::{verify, Options, Report, Verdict};

fn reason(report: Report) -> String {
    assert_eq!(failed(&report), 18, "{report}");
    assert!(report.certificate.is_none());
    report.failure.expect("a failure").reason
}

#[test]
fn the_certificates_for_other_implementations_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/certificate.json");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON");
    let vectors = certificates::vectors(&cases::records());
    let holds = vectors["cases"].as_array().expect("a list").iter().filter(|case| case["failed"].is_null());
    assert_eq!(holds.count(), 2);
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
    last[root] ^= 1;
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
fn each_rule_refuses() {
    let bytes = World::honest().bytes();
    let (good, key) = (statement(&bytes), key());
    let refused = |change: &dyn Fn(&mut psephos_protocol::certificate::Statement)| {
        let mut changed = good;
        change(&mut changed);
        reason(verdict(&bytes, &sign(changed, &key).to_bytes(), None))
    };
    assert!(refused(&|s| s.version = 2).starts_with("9.6.1"));
    assert!(refused(&|s| s.genesis.0[0] ^= 1).starts_with("9.6.2"));
    assert!(refused(&|s| s.eid.0[0] ^= 1).starts_with("9.6.2"));
    assert!(refused(&|s| s.result.0[0] ^= 1).starts_with("9.6.3"));
    assert!(refused(&|s| s.last.number ^= 1).starts_with("9.6.4"));
    assert!(refused(&|s| s.last.hash[0] ^= 1).starts_with("9.6.4"));
    assert!(refused(&|s| s.record.0[0] ^= 1).starts_with("9.6.5"));
    let mut certificate = sign(good, &key).to_bytes();
    *certificate.last_mut().expect("bytes") ^= 1;
    assert!(reason(verdict(&bytes, &certificate, None)).starts_with("9.6.6"));
    certificate.pop();
    assert!(reason(verdict(&bytes, &certificate, None)).starts_with("9.6.1"));
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
