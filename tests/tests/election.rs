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

    // One changed byte, somewhere in the middle, must not pass.
    let mut bytes = fs::read(&outcome.record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let tampered = folder.path().join("tampered.psephos");
    fs::write(&tampered, bytes).unwrap();
    let refused = network::run("psephos-verify", &[network::path(&tampered).unwrap()]).unwrap_err();
    assert!(format!("{refused:#}").contains("NOT VERIFIED"), "{refused:#}");
}
