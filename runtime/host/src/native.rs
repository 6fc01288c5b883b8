//! The native side: verdicts on ballots, of those that passed before from memory, of others alone or many at once.

use codec::Encode;
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified},
        BallotError, CastBallot,
    },
    ids::BallotHash,
};
use sp_crypto_hashing::blake2_256;
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use crate::{
    check::{check, code, Style},
    passed::{Passed, TermsHash},
};

/// A ballot with its terms: what [`crate::ballots::verify`] is asked.
pub struct Job {
    ballot: CastBallot,
    /// SCALE of the ballot.
    bytes: Arc<[u8]>,
    /// SCALE of the terms.
    terms: Arc<[u8]>,
}

impl Job {
    /// A cast ballot, and what it is checked against. One that is longer than a ballot may be has no style's shape.
    #[must_use]
    pub fn new(ballot: CastBallot, terms: Arc<[u8]>) -> Self {
        Self { bytes: ballot.encode().into(), ballot, terms }
    }

    /// Bytes of the ballot.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Styles whose checks are kept ready. The generators of one take up to 5 MB, mostly some 10 KB.
const READY: usize = 64;

/// What [`verify_ahead`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Ballots that were not known to have passed.
    pub new: usize,
    /// Those of them that failed.
    pub bad: usize,
}

/// What is ready for ballots of these terms.
#[derive(Clone)]
struct Ready {
    terms: Arc<[u8]>,
    hash: TermsHash,
    style: Arc<Style>,
}

static PASSED: LazyLock<Mutex<Passed>> = LazyLock::new(Mutex::default);
static STYLES: Mutex<Vec<Ready>> = Mutex::new(Vec::new());

/// A thread that panicked has left these collections whole: each change is one call.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terms of many ballots are the same: comparing them costs far less than hashing them.
fn ready(terms: &[u8]) -> Result<Ready, BallotError> {
    if let Some(ready) = lock(&STYLES).iter().find(|ready| *ready.terms == *terms) {
        return Ok(ready.clone());
    }
    let style = Arc::new(Style::of(terms)?);
    let ready = Ready { terms: terms.into(), hash: blake2_256(terms), style };
    let mut styles = lock(&STYLES);
    if styles.len() >= READY {
        styles.clear();
    }
    styles.push(ready.clone());
    Ok(ready)
}

pub fn verify(ballot: &[u8], terms: &[u8]) -> u8 {
    let Ready { hash: terms, style, .. } = match ready(terms) {
        Ok(ready) => ready,
        Err(error) => return code(Err(error)),
    };
    if lock(&PASSED).contains(ballot, &terms) {
        return 0;
    }
    let verdict = check(ballot, &style);
    code(verdict.map(|hash| lock(&PASSED).insert(ballot.into(), terms, hash)))
}

pub fn ballot_hash(ballot: &[u8]) -> BallotHash {
    let known = lock(&PASSED).hash(ballot);
    let hash = || CastBallot::from_bytes(ballot).map(|ballot| ballot.signed.ballot.hash());
    known.or_else(|| hash().ok()).unwrap_or_default()
}

/// Whether all of these ballots are known to have passed.
#[must_use]
pub fn all_known(jobs: &[Job]) -> bool {
    jobs.iter()
        .all(|job| ready(&job.terms).is_ok_and(|ready| lock(&PASSED).contains(&job.bytes, &ready.hash)))
}

/// Verifies these ballots together, on all cores, and keeps in mind which passed for [`crate::ballots::verify`].
/// Changes no verdict, only when it is found.
pub fn verify_ahead(jobs: &[&Job]) -> Found {
    let mut by_terms: BTreeMap<&[u8], Vec<&Job>> = BTreeMap::new();
    jobs.iter().for_each(|&job| by_terms.entry(&job.terms).or_default().push(job));
    let mut found = Found::default();
    for (terms, jobs) in by_terms {
        let Ok(Ready { hash: terms, style, .. }) = ready(terms) else {
            found.new = found.new.saturating_add(jobs.len());
            found.bad = found.bad.saturating_add(jobs.len());
            continue;
        };
        let mut unknown = jobs;
        unknown.retain(|job| !lock(&PASSED).contains(&job.bytes, &terms));
        found.new = found.new.saturating_add(unknown.len());
        let unverified: Vec<_> =
            unknown.iter().map(|job| Unverified::Cast(&job.ballot, &style.checks)).collect();
        let verdicts = batch::verify_parallel(&unverified, &style.generators);
        for (job, verdict) in unknown.iter().zip(verdicts) {
            match verdict {
                // One at a time: who executes a block must not wait for a thread that steps back.
                Ok(verified) => lock(&PASSED).insert(job.bytes.clone(), terms, verified.hash),
                Err(_) => found.bad = found.bad.saturating_add(1),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ballots, check};
    use codec::Encode;
    use psephos_protocol::{
        ballot::Terms,
        refusal::Refusal,
        testing::{Fixture, Params},
    };

    struct World {
        fixture: Fixture,
        terms: Arc<[u8]>,
    }

    fn world(seed: u64) -> World {
        let fixture = Fixture::new(&Params { seed, ..Params::default() });
        let terms = Terms::of(&fixture.election, 0).unwrap().encode().into();
        World { fixture, terms }
    }

    fn ballot(world: &mut World, sequence: u32) -> CastBallot {
        world.fixture.cast(0, sequence, &[vec![0, 1, 0]]).cast
    }

    #[test]
    fn the_verdict_is_that_of_the_protocol_first_and_again() {
        let mut world = world(1);
        let terms = world.terms.clone();
        let good = ballot(&mut world, 1);
        let mut proof = good.clone();
        proof.signed.ballot.proof[40] ^= 1;
        let mut receipt = good.clone();
        receipt.receipts[0].height += 1;
        let other = self::world(2).terms;
        let by_host = |ballot: &CastBallot, terms: &[u8]| ballots::verify(&ballot.encode(), terms);
        for verify in [by_host, by_host, check::alone] {
            assert_eq!(verify(&good, &terms), 0);
            // The hash changed, so the signature is the first to fail.
            assert_eq!(verify(&proof, &terms), Refusal::BadSignature as u32);
            assert_eq!(verify(&receipt, &terms), Refusal::BadReceipts as u32);
            assert_ne!(verify(&good, &other), 0, "another election's terms");
            assert_ne!(verify(&good, &terms[1..]), 0);
        }
        assert_ne!(ballots::verify(&good.encode()[1..], &terms), 0);
        assert_ne!(ballots::verify(&vec![0; 1 << 20], &terms), 0);
    }

    #[test]
    fn the_hash_is_that_of_the_protocol_known_or_not() {
        let mut world = world(4);
        let (known, unknown) = (ballot(&mut world, 1), ballot(&mut world, 2));
        assert_eq!(crate::verify(&known, &world.terms), 0);
        assert!(
            lock(&PASSED).hash(&known.encode()).is_some() && lock(&PASSED).hash(&unknown.encode()).is_none()
        );
        for ballot in [known, unknown] {
            assert_eq!(crate::ballot_hash(&ballot), ballot.signed.ballot.hash());
        }
        let mut hash = [1; 32];
        ballots::ballot_hash(&[1, 2, 3], &mut hash);
        assert_eq!(hash, [0; 32]);
    }

    #[test]
    fn verifying_ahead_finds_the_same_verdicts() {
        let mut world = world(3);
        let terms = world.terms.clone();
        let job = |ballot: &CastBallot| Job::new(ballot.clone(), terms.clone());
        let good: Vec<CastBallot> = (1..6).map(|sequence| ballot(&mut world, sequence)).collect();
        let mut bad = good.clone();
        bad[2].signed.signature.0[3] ^= 1;
        let mut jobs: Vec<Job> = bad.iter().map(job).collect();
        jobs.push(Job::new(good[0].clone(), Arc::from(&terms[1..])));
        assert_eq!(verify_ahead(&jobs.iter().collect::<Vec<_>>()), Found { new: jobs.len(), bad: 2 });
        assert!(all_known(&jobs[..2]) && !all_known(&jobs[..3]));
        let again = verify_ahead(&jobs[..5].iter().collect::<Vec<_>>());
        assert_eq!(again, Found { new: 1, bad: 1 }, "bad ones are not kept: they would push out good ones");
        for (place, ballot) in bad.iter().enumerate() {
            let expected = if place == 2 { Refusal::BadSignature as u32 } else { 0 };
            assert_eq!(ballots::verify(&ballot.encode(), &terms), expected);
        }
        assert_eq!(ballots::verify(&good[2].encode(), &terms), 0, "the good one of the same hash");
        assert_ne!(ballots::verify(&[1, 2, 3], &terms), 0);
    }
}
