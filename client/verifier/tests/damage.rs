//! Hostile bytes, and the program.

mod common;

use std::process::{Command, Output};

use common::*;
use psephos_protocol::record::MAGIC;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};

#[test]
fn a_cut_record_is_refused_wherever_it_is_cut() {
    let world = World::honest();
    let bytes = world.bytes();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let lengths = world.frames().into_iter().map(|frame| frame.len());
    let ends: Vec<usize> = lengths
        .scan(MAGIC.len(), |end, length| {
            *end += length;
            Some(*end)
        })
        .collect();
    for _ in 0..60 {
        let length = rng.next_u32() as usize % bytes.len();
        if ends.contains(&length) {
            continue;
        }
        let report = verify_bytes(&bytes[..length]);
        assert_eq!(failed(&report), 1, "cut at {length} of {}", bytes.len());
    }
    // Cut between frames it is well formed and unfinished.
    let mut frames = world.frames();
    frames.pop();
    assert_eq!(failed(&verify_bytes(&[MAGIC.to_vec(), frames.concat()].concat())), 1);
    frames.truncate(6);
    assert_eq!(failed(&verify_bytes(&[MAGIC.to_vec(), frames.concat()].concat())), 1);
    assert_eq!(failed(&verify_bytes(&[])), 1);
    assert_eq!(failed(&verify_bytes(&MAGIC)), 1);
}

#[test]
fn no_flipped_bit_changes_the_result() {
    let bytes = World::honest().bytes();
    let honest = verify_bytes(&bytes);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut refused = 0;
    for _ in 0..150 {
        let mut flipped = bytes.clone();
        let place = rng.next_u32() as usize % bytes.len();
        flipped[place] ^= 1 << (rng.next_u32() % 8);
        let report = verify_bytes(&flipped);
        if report.verified() {
            // A time within its slot, or the last header, which no other block names.
            assert_eq!(
                (&report.result, &report.contests),
                (&honest.result, &honest.contests),
                "bit at {place}"
            );
        } else {
            refused += 1;
        }
    }
    assert!(refused > 140, "only {refused} of 150 flipped bits were noticed");
}

#[test]
fn random_bytes_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for length in [1, 7, 8, 9, 12, 100, 10_000] {
        let mut bytes = vec![0u8; length];
        rng.fill_bytes(&mut bytes);
        assert_eq!(failed(&verify_bytes(&bytes)), 1);
        let framed = [MAGIC.to_vec(), bytes].concat();
        assert_eq!(failed(&verify_bytes(&framed)), 1);
    }
    // A frame that claims four gigabytes.
    assert_eq!(failed(&verify_bytes(&[MAGIC.to_vec(), vec![255; 4]].concat())), 1);
    // A byte left over within a frame.
    let world = World::honest();
    let mut frames = world.frames();
    let length = u32::from_le_bytes(frames[3][..4].try_into().expect("four")) + 1;
    frames[3][..4].copy_from_slice(&length.to_le_bytes());
    frames[3].push(0);
    assert_eq!(failed(&verify_bytes(&[MAGIC.to_vec(), frames.concat()].concat())), 1);
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_psephos-verify")).args(arguments).output().expect("the program runs")
}

#[test]
fn the_program_says_its_verdict_and_exits_with_it() {
    let world = World::honest();
    let folder = std::env::temp_dir().join(format!("psephos-verify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("record");
    let record = path.to_str().expect("UTF-8");
    std::fs::write(&path, world.bytes()).expect("written");
    let genesis = world.fixture.election.genesis.to_string();
    let board = world.board();
    let keys: Vec<String> = board.members.iter().map(ToString::to_string).collect();
    let board = format!("{}:{}", board.threshold, keys.join(","));

    let out = program(&[record, "--genesis", &genesis, "--board", &board]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(out.status.success() && text.ends_with("VERIFIED\n") && text.contains("█"), "{text}");

    let out = program(&[record, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(json["verified"], true);
    assert_eq!(json["checks"].as_array().map(Vec::len), Some(18));
    assert_eq!(json["checks"][7]["verdict"], "passed");
    assert_eq!(json["contests"][0]["options"][1][1], 3);

    let out = program(&[record, "--genesis", &"00".repeat(32)]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stdout).contains("NOT VERIFIED: check 3: "));

    // What lies beside the record by its name is its finality proof.
    let proof = folder.join("record.finality");
    std::fs::write(&proof, b"PSEPHOSF").expect("written");
    let out = program(&[record]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stdout).contains("NOT VERIFIED: check 17: "));
    let elsewhere = folder.join("elsewhere");
    std::fs::rename(&proof, &elsewhere).expect("renamed");
    let out = program(&[record, "--finality", elsewhere.to_str().expect("UTF-8")]);
    assert_eq!(out.status.code(), Some(1));
    assert!(program(&[record]).status.success());

    let mut bytes = world.bytes();
    bytes.pop();
    std::fs::write(&path, bytes).expect("written");
    let out = program(&[record]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stdout).contains("NOT VERIFIED: check 1: "));

    assert_eq!(program(&["no/such/file"]).status.code(), Some(2));
    assert_eq!(program(&[record, "--board", "nonsense"]).status.code(), Some(2));
    assert_eq!(program(&[]).status.code(), Some(2));
    std::fs::remove_dir_all(&folder).expect("removed");
}
