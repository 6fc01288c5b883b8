//! A whole election, end to end: real nodes, real trustees, crashes, tally, record, offline verification.

use psephos_tests::{
    demo::{self, Demo},
    network,
};
use std::{fs, path::PathBuf};

#[tokio::test(flavor = "multi_thread")]
async fn whole_election_with_crashes_counts_right_and_its_record_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo {
        ballots: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/data/city-da.csv"),
        voters: 30,
        dir: folder.path().to_path_buf(),
        keep: false,
        seed: Some(7),
        base_port: network::free_ports().unwrap(),
    };
    let outcome = match demo::run(&demo).await {
        Ok(outcome) => outcome,
        Err(error) => panic!("{error:#}\nlogs and data are in {}", folder.keep().display()),
    };
    assert!(outcome.equal, "tally, plain count and verifier agree");

    // What a trustee publishes in a dispute: all have contributed the sums of their shares.
    let evidence = folder.path().join("evidence.psephos");
    let data = folder.path().join("network/trustees/trustee-1");
    let [record, evidence, data] =
        [&outcome.record, &evidence, &data].map(|file| network::path(file).unwrap());
    network::run("psephos", &["trustee", "evidence", "--data", data, "--record", record, "--out", evidence])
        .unwrap();
    let checked =
        network::run("psephos", &["--json", "audit", "evidence", evidence, "--record", record]).unwrap();
    let checked: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let contributions = checked["contributions"].as_array().unwrap();
    assert!(contributions.len() >= 2 && contributions.iter().all(|one| one["fits"] == true), "{checked}");

    // One changed byte, somewhere in the middle, must not pass.
    let mut bytes = fs::read(&outcome.record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let tampered = folder.path().join("tampered.psephos");
    fs::write(&tampered, bytes).unwrap();
    let refused = network::run("psephos-verify", &[network::path(&tampered).unwrap()]).unwrap_err();
    assert!(format!("{refused:#}").contains("NOT VERIFIED"), "{refused:#}");
}
