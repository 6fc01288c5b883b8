//! Random mutations of valid inputs through every decoder: no panic, no second encoding, no large allocation, no
//! forgery.
//!
//! `PSEPHOS_MUTATIONS` says how many for each target, `PSEPHOS_SEED` of which seed, `PSEPHOS_TARGET` of which target
//! alone. CONTRIBUTING.md has the command for a million.

use std::{
    env,
    str::FromStr,
    sync::{
        atomic::{AtomicU64, Ordering},
        Mutex,
    },
    thread,
    time::Instant,
};

use psephos_fuzz::{mutation::Mutator, targets, Defect, Target, Verdict};

/// Mutants of one stream of randomness: what a thread takes at a time.
const PIECE: u64 = 250;

fn setting<T: FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// What became of the mutants of a target.
#[derive(Clone, Copy, Default)]
struct Counts {
    mutants: u64,
    decoded: u64,
    verified: u64,
    /// Verified ones that show what a valid input shows.
    same: u64,
    /// The most bytes allocated for a decoder.
    memory: usize,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.mutants += other.mutants;
        self.decoded += other.decoded;
        self.verified += other.verified;
        self.same += other.same;
        self.memory = self.memory.max(other.memory);
    }
}

/// One piece of mutants.
fn piece(
    target: &Target,
    others: &[Vec<u8>],
    seed: u64,
    stream: u64,
    count: u64,
) -> Result<Counts, (Defect, Vec<u8>)> {
    let mut mutator = Mutator::new(seed, stream);
    let mut counts = Counts::default();
    while counts.mutants < count {
        let mutant = mutator.mutant(&target.corpus, others);
        // What is spliced in can be another valid input as a whole.
        if target.corpus.contains(&mutant) || others.contains(&mutant) {
            continue;
        }
        counts.mutants += 1;
        let verify = target.verifies() && counts.decoded % target.one_in == 0;
        let (verdict, memory) = target.run(&mutant, verify).map_err(|defect| (defect, mutant))?;
        counts.memory = counts.memory.max(memory);
        if verdict != Verdict::Refused {
            counts.decoded += 1;
            counts.verified += u64::from(verify);
            counts.same += u64::from(verdict == Verdict::Shows);
        }
    }
    Ok(counts)
}

/// All mutants of a target, on all cores; the same whatever the number of cores.
fn all_of(target: &Target, others: &[Vec<u8>], seed: u64, count: u64) -> Result<Counts, (Defect, Vec<u8>)> {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Ok(Counts::default())));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let work = || loop {
        let stream = next.fetch_add(1, Ordering::Relaxed);
        let rest = count.saturating_sub(stream * PIECE);
        if rest == 0 || total.lock().unwrap().is_err() {
            break;
        }
        let done = piece(target, others, seed, stream, rest.min(PIECE));
        let mut total = total.lock().unwrap();
        match (&mut *total, done) {
            (Ok(total), Ok(counts)) => total.add(&counts),
            (total, Err(defect)) => *total = Err(defect),
            (Err(_), Ok(_)) => {}
        }
    };
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    total.into_inner().unwrap()
}

#[test]
fn every_target_reads_its_corpus_and_what_is_signed_verifies() {
    for target in targets() {
        let mut shown = 0;
        for bytes in &target.corpus {
            match target.run(bytes, true) {
                Ok((Verdict::Refused, _)) => panic!("{}: {} is refused", target.name, hex::encode(bytes)),
                Ok((verdict, _)) => shown += usize::from(verdict == Verdict::Shows),
                Err(defect) => panic!("{}: {defect}", target.name),
            }
        }
        // Nobody signs that the tally is to be finalized.
        let unsigned = !target.verifies() || target.name == "message-finalize";
        assert!(unsigned || shown > 0, "{}: no valid input verifies", target.name);
    }
}

/// The inputs that showed defects, but for those that have a test beside their decoder.
#[test]
fn a_frame_is_not_allocated_before_it_came() {
    let targets = targets();
    let record = targets.iter().find(|target| target.name == "record").expect("a target of that name");
    let promise = [b"PSEPHOS1".as_slice(), &(8u32 << 20).to_le_bytes(), b"no more"].concat();
    assert!(matches!(record.run(&promise, true), Ok((Verdict::Refused, _))));
}

#[test]
fn no_mutant_is_accepted() {
    let (count, seed) = (setting("PSEPHOS_MUTATIONS", 5_000u64), setting("PSEPHOS_SEED", 1u64));
    let only = env::var("PSEPHOS_TARGET").ok();
    let targets = targets();
    let others: Vec<Vec<u8>> =
        targets.iter().flat_map(|target| target.corpus.iter().take(3)).cloned().collect();
    let mut defects = Vec::new();
    println!(
        "{:20} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "", "mutants", "decoded", "verified", "same", "memory", "s"
    );
    for target in targets.iter().filter(|target| only.as_deref().is_none_or(|only| only == target.name)) {
        let start = Instant::now();
        match all_of(target, &others, seed, count) {
            Ok(Counts { mutants, decoded, verified, same, memory }) => println!(
                "{:20} {mutants:9} {decoded:9} {verified:9} {same:9} {memory:9} {:7.1}",
                target.name,
                start.elapsed().as_secs_f64()
            ),
            Err((defect, bytes)) => {
                println!("{:20} {defect}", target.name);
                defects.push(format!("{}: {defect}, on the input {}", target.name, hex::encode(bytes)));
            }
        }
    }
    assert!(defects.is_empty(), "seed {seed}:\n{}", defects.join("\n"));
}
