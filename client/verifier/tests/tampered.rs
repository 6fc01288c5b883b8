//! Records that must not verify: every case of docs/vectors/tampered.json fails the check that it says, and what goes
//! unnoticed is what spec 9.4 says.

#[path = "common/cases.rs"]
mod cases;
#[path = "common/chain.rs"]
mod chain;
mod common;
mod corpus;

use std::{collections::BTreeMap, fs, sync::LazyLock};

use corpus::{edited, Allowed, Check, Corpus, Unnoticed};
use psephos_verifier::{verify, Options, Report, Verdict};
use serde_json::Value;

static CORPUS: LazyLock<Corpus> = LazyLock::new(Corpus::new);

fn file(name: &str) -> String {
    let path = format!("{}/../../docs/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("it is there")
}

/// The check that fails; none if the record is verified.
fn failed(report: &Report) -> Option<u8> {
    let failed = report.checks.iter().find(|check| check.verdict == Verdict::Failed);
    assert_eq!(failed.is_none(), report.verified());
    failed.map(|check| check.number)
}

#[test]
fn every_case_fails_its_check() {
    let mut wrong = Vec::new();
    for case in CORPUS.cases() {
        let report = verify(case.record.as_slice(), &case.options).expect("memory can be read");
        let expected = match case.expected {
            Check(number) => Some(number),
            Unnoticed(_) | Allowed(_) => None,
        };
        if failed(&report) != expected {
            let reason = report.failure.map(|failure| failure.reason);
            wrong.push(format!("{}: {:?}, and {reason:?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), CORPUS.cases().len(), wrong.join("\n"));
}

#[test]
fn the_file_for_other_implementations_is_up_to_date_and_says_how() {
    let text = file("tampered");
    assert!(
        text == CORPUS.to_json(),
        "write it anew: cargo run --release -p psephos-verifier --example tampered -- docs/vectors/tampered.json"
    );
    let records: Value = serde_json::from_str(&file("records")).expect("JSON");
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap_or_default()).expect("hexadecimal");
    let bases: BTreeMap<_, _> = records
        .as_array()
        .expect("a list")
        .iter()
        .map(|record| (record["name"].as_str(), (bytes(&record["record"]), bytes(&record["finality"]))))
        .collect();
    let written: Value = serde_json::from_str(&text).expect("JSON");
    for (case, written) in CORPUS.cases().iter().zip(written.as_array().expect("a list")) {
        let (record, proof) = &bases[&written["base"].as_str()];
        assert!(edited(record, &written["edits"]) == case.record, "{}", case.name);
        let proof = (!written["finality"].is_null()).then(|| edited(proof, &written["finality"]));
        let Options { finality, .. } = &case.options;
        assert!(proof == *finality, "{}", case.name);
    }
}

#[test]
fn every_check_has_cases() {
    let count = |number| CORPUS.cases().iter().filter(|case| case.expected == Check(number)).count();
    // Nothing fails 9 or 12 alone: one ballot per entry, and the sums, follow from what the other checks hold fast.
    for number in (1..=17).filter(|number| ![9, 12].contains(number)) {
        assert!(count(number) > 0, "check {number}");
    }
}
