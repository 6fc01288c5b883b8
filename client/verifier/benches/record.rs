//! An auditor's verification: `cargo bench -p psephos-verifier --bench record`.
//!
//! Writes records of so many ballots, one plurality of ten options, n = 5, t = 3, q = 4, where every tenth ballot
//! replaces one before; then compares `psephos-verify` with batch verification of the same ballots in memory, both
//! on all cores: seconds, and where Linux says them those of all cores together, which count where other programs run;
//! and prints the most memory that the program had resident.
//!
//! `PSEPHOS_BENCH_BALLOTS`: how many, a list with commas. Making 100,000 takes minutes. `PSEPHOS_BENCH_FOLDER`:
//! where records are kept for the next time; in a temporary folder otherwise.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/large.rs"]
mod large;

use std::{
    env,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use large::Large;
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified},
        CastBallot, Checks, Terms,
    },
    board::Action,
    election::Election,
    range_proof::Generators,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    wire::Message,
};

fn main() {
    let ballots = env::var("PSEPHOS_BENCH_BALLOTS").unwrap_or_else(|_| String::from("1000,10000"));
    let kept = env::var_os("PSEPHOS_BENCH_FOLDER").map(PathBuf::from);
    let own = env::temp_dir().join(format!("psephos-bench-{}", std::process::id()));
    let folder = kept.as_ref().unwrap_or(&own);
    fs::create_dir_all(folder).expect("a folder");
    println!(
        "ballots   batch s (of cores)   verification s (of cores)   ratio (of cores)   memory MB   file MB"
    );
    for ballots in ballots.split(',') {
        measure(folder, ballots.trim().parse().expect("PSEPHOS_BENCH_BALLOTS: numbers with commas"));
    }
    if kept.is_none() {
        fs::remove_dir_all(own).expect("removed");
    }
}

fn measure(folder: &Path, ballots: usize) {
    let again = ballots / 10;
    let large = Large { voters: ballots - again, again, options: 10, trustees: 5, threshold: 3, quorum: 4 };
    let path = folder.join(format!("{ballots}.psephos"));
    if !path.exists() {
        // Under another name until it is whole.
        let part = path.with_extension("part");
        let out = BufWriter::new(File::create(&part).expect("a file"));
        large.write(out).expect("written");
        fs::rename(part, &path).expect("renamed");
    }
    let (batch, (whole, memory)) = (batch(&path), program(&path));
    println!(
        "{ballots:>7}   {:>7.2} {:>12.2}   {:>14.2} {:>12.2}   {:>5.3} {:>12.3}   {:>9.1}   {:>7.1}",
        batch.wall,
        batch.cores,
        whole.wall,
        whole.cores,
        batch.wall / whole.wall,
        batch.cores / whole.cores,
        memory as f64 / 1024.0,
        fs::metadata(&path).expect("it is there").len() as f64 / 1e6,
    );
}

/// How long something took, in seconds, and what all cores together worked for it.
struct Took {
    wall: f64,
    cores: f64,
}

/// What went wrong reading a record.
#[derive(Debug)]
struct Unreadable;

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<RecordError> for Unreadable {
    fn from(_: RecordError) -> Self {
        Self
    }
}

/// The record's election and ballots.
fn read(path: &Path) -> Result<(Election, Vec<CastBallot>), Unreadable> {
    let mut file = BufReader::new(File::open(path)?);
    let mut frames = FrameReader::new(|buffer: &mut [u8]| file.read(buffer).map_err(Unreadable::from))?;
    let header: RecordHeader = frames.next()?.ok_or(Unreadable)?;
    let (mut election, mut ballots) = (None, Vec::new());
    while let Some(block) = frames.next::<RecordBlock>()? {
        for message in block.messages {
            match message {
                Message::Cast(cast) => ballots.push(cast),
                Message::Approve(approval) => {
                    if let Action::CreateElection { number, manifest } = approval.action {
                        election = Election::new(header.genesis, number, manifest).ok();
                    }
                }
                _ => {}
            }
        }
    }
    election.map(|election| (election, ballots)).ok_or(Unreadable)
}

/// How long it takes to verify the ballots, and nothing else.
fn batch(path: &Path) -> Took {
    let (election, ballots) = read(path).expect("the record is readable");
    let generators = Generators::covering(election.manifest.shapes());
    let checks = Checks::new(Terms::of(&election, 0).expect("the style"));
    let ballots: Vec<_> = ballots.iter().map(|cast| Unverified::Cast(cast, &checks)).collect();
    let (start, cores) = (Instant::now(), cores("self"));
    assert!(batch::verify_parallel(&ballots, &generators).iter().all(Result::is_ok));
    Took { wall: start.elapsed().as_secs_f64(), cores: self::cores("self") - cores }
}

/// How long the program takes, from start to end, and the most memory that it has resident, in KiB.
fn program(path: &Path) -> (Took, u64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_psephos-verify"))
        .arg(path)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs");
    let (id, mut memory, mut worked) = (child.id().to_string(), 0, 0f64);
    let status = loop {
        (memory, worked) = (resident(&id).max(memory), cores(&id).max(worked));
        if let Some(status) = child.try_wait().expect("it ends") {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "the record verifies");
    (Took { wall: start.elapsed().as_secs_f64(), cores: worked }, memory)
}

/// The most memory that a process has had resident so far, in KiB; 0 where the system does not say.
fn resident(id: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What all cores worked for a process so far, in seconds; 0 where the system does not say.
fn cores(id: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // After the name: fields 14 and 15, user and system time, in hundredths.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
