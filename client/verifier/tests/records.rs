//! The whole records of docs/vectors are those that the tests make, with the verdicts of this verifier.

#[path = "common/cases.rs"]
mod cases;
#[path = "common/chain.rs"]
mod chain;
mod common;

#[test]
fn the_records_for_other_implementations_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/records.json");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("it is there")).expect("JSON");
    // Not `assert_eq`, which would print both.
    assert!(
        written == cases::cases(),
        "write it anew: cargo run --release -p psephos-verifier --example records -- docs/vectors/records.json"
    );
}

#[test]
fn honest_and_tampered_records_are_told_apart() {
    let cases = cases::cases();
    let verified = |case: &&serde_json::Value| case["verified"] == true;
    let all = cases.as_array().expect("a list");
    assert_eq!(all.iter().filter(verified).count(), 15, "the first fifteen are in order");
    assert!(all.iter().take(15).all(|case| case["verified"] == true));
}
