//! The native side: verdicts on ballots, of those that passed before from memory, of others alone or many at once.

use psephos_protocol::ballot::{
    batch::{self, Unverified},
    BallotError, CastBallot,
};
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use crate::{
    check::{check, code, Style},
    passed::{Key, Passed},
};

/// A ballot with its terms, both SCALE: what [`crate::ballots::verify`] is asked.
pub struct Job {
    ballot: Vec<u8>,
    terms: Arc<[u8]>,
    key: Key,
}

impl Job {
    /// A cast ballot, and what it is checked against.
    #[must_use]
    pub fn new(ballot: Vec<u8>, terms: Arc<[u8]>) -> Self {
        let key = key(&ballot, &terms);
        Self { ballot, terms, key }
    }

    /// Bytes of the ballot.
    #[must_use]
    pub fn size(&self) -> usize {
        self.ballot.len()
    }
}

/// Styles whose checks are kept ready, and the hashes of their terms. The generators of one take up to 5 MB, mostly some 10 KB.
const READY: usize = 64;

/// What [`verify_ahead`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Ballots that were not known to have passed.
    pub new: usize,
    /// Those of them that failed.
    pub bad: usize,
}

static PASSED: LazyLock<Mutex<Passed>> = LazyLock::new(Mutex::default);
static TERMS: Mutex<Vec<(Box<[u8]>, Key)>> = Mutex::new(Vec::new());
static STYLES: LazyLock<Mutex<HashMap<Key, Arc<Style>>>> = LazyLock::new(Mutex::default);

/// A thread that panicked has left these collections whole: each change is one call.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(ballot: &[u8], terms: &[u8]) -> Key {
    blake2_256(&[blake2_256(ballot), hash_of_terms(terms)].concat())
}

/// The terms of many ballots are the same: comparing them costs far less than hashing them.
fn hash_of_terms(terms: &[u8]) -> Key {
    let known = lock(&TERMS).iter().find(|(known, _)| **known == *terms).map(|(_, hash)| *hash);
    known.unwrap_or_else(|| {
        let hash = blake2_256(terms);
        let mut all = lock(&TERMS);
        if all.len() >= READY {
            all.clear();
        }
        all.push((terms.into(), hash));
        hash
    })
}

fn style(terms: &[u8]) -> Result<Arc<Style>, BallotError> {
    let key = hash_of_terms(terms);
    if let Some(style) = lock(&STYLES).get(&key) {
        return Ok(style.clone());
    }
    let style = Arc::new(Style::of(terms)?);
    let mut styles = lock(&STYLES);
    if styles.len() >= READY {
        styles.clear();
    }
    styles.insert(key, style.clone());
    Ok(style)
}

pub fn verify(ballot: &[u8], terms: &[u8]) -> u8 {
    let key = key(ballot, terms);
    if lock(&PASSED).contains(&key) {
        return 0;
    }
    let verdict = style(terms).map_or_else(|error| code(Err(error)), |style| check(ballot, &style));
    if verdict == 0 {
        lock(&PASSED).insert(key);
    }
    verdict
}

/// Whether all of these ballots are known to have passed.
#[must_use]
pub fn all_known(jobs: &[Job]) -> bool {
    jobs.iter().all(|job| lock(&PASSED).contains(&job.key))
}

/// Verifies these ballots together, on all cores, and keeps in mind which passed for [`crate::ballots::verify`].
/// Changes no verdict, only when it is found.
pub fn verify_ahead(jobs: &[Job]) -> Found {
    let mut by_terms: BTreeMap<&[u8], Vec<(Key, CastBallot)>> = BTreeMap::new();
    let mut found = Found::default();
    for job in jobs {
        if lock(&PASSED).contains(&job.key) {
            continue;
        }
        found.new = found.new.saturating_add(1);
        match CastBallot::from_bytes(&job.ballot) {
            Ok(ballot) => by_terms.entry(&job.terms).or_default().push((job.key, ballot)),
            Err(_) => found.bad = found.bad.saturating_add(1),
        }
    }
    for (terms, ballots) in by_terms {
        let Ok(style) = style(terms) else {
            found.bad = found.bad.saturating_add(ballots.len());
            continue;
        };
        let unverified: Vec<_> =
            ballots.iter().map(|(_, ballot)| Unverified::Cast(ballot, &style.checks)).collect();
        let verdicts = batch::verify_parallel(&unverified, &style.generators);
        for ((key, _), verdict) in ballots.iter().zip(verdicts) {
            match verdict {
                // One at a time: who executes a block must not wait for a thread that steps back.
                Ok(_) => lock(&PASSED).insert(*key),
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
        for verify in [ballots::verify, ballots::verify, check::alone] {
            assert_eq!(verify(&good.encode(), &terms), 0);
            // The hash changed, so the signature is the first to fail.
            assert_eq!(verify(&proof.encode(), &terms), Refusal::BadSignature as u32);
            assert_eq!(verify(&receipt.encode(), &terms), Refusal::BadReceipts as u32);
            assert_ne!(verify(&good.encode(), &other), 0, "another election's terms");
            assert_ne!(verify(&good.encode()[1..], &terms), 0);
            assert_ne!(verify(&good.encode(), &terms[1..]), 0);
            assert_ne!(verify(&vec![0; 1 << 20], &terms), 0);
        }
    }

    #[test]
    fn the_hash_is_that_of_the_protocol() {
        let ballot = ballot(&mut world(4), 1).signed.ballot;
        assert_eq!(crate::ballot_hash(&ballot.encode()), ballot.hash());
    }

    #[test]
    fn verifying_ahead_finds_the_same_verdicts() {
        let mut world = world(3);
        let terms = world.terms.clone();
        let job = |ballot: &CastBallot| Job::new(ballot.encode(), terms.clone());
        let good: Vec<CastBallot> = (1..6).map(|sequence| ballot(&mut world, sequence)).collect();
        let mut bad = good.clone();
        bad[2].signed.signature.0[3] ^= 1;
        let mut jobs: Vec<Job> = bad.iter().map(job).collect();
        jobs.push(Job::new(vec![1, 2, 3], terms.clone()));
        jobs.push(Job::new(good[0].encode(), Arc::from(&terms[1..])));
        assert_eq!(verify_ahead(&jobs), Found { new: jobs.len(), bad: 3 });
        assert!(all_known(&jobs[..2]) && !all_known(&jobs[..3]));
        let again = verify_ahead(&jobs[..5]);
        assert_eq!(again, Found { new: 1, bad: 1 }, "bad ones are not kept: they would push out good ones");
        for (place, ballot) in bad.iter().enumerate() {
            let expected = if place == 2 { Refusal::BadSignature as u32 } else { 0 };
            assert_eq!(ballots::verify(&ballot.encode(), &terms), expected);
        }
        assert_eq!(ballots::verify(&good[2].encode(), &terms), 0, "the good one of the same hash");
        assert_ne!(ballots::verify(&[1, 2, 3], &terms), 0);
    }
}
