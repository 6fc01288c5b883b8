//! The ballots that have passed, so that none is checked twice while it is under way. Those that failed are not kept:
//! they are free to make, and would push out the others.
//!
//! They are kept whole, and found by comparing them: a hash that nobody can find collisions of would take longer than all
//! else that a node does with a ballot that it knows.

use foldhash::fast::RandomState;
use psephos_protocol::ids::BallotHash;
use std::{collections::HashMap, sync::Arc};

/// A 256-bit hash of the terms that ballots were checked against.
pub type TermsHash = [u8; 32];

/// Bytes of ballots in one generation: as many as may wait in a node's pool.
const GENERATION: usize = 1 << 25;

/// What is known of a ballot.
#[derive(Clone, Copy)]
struct Known {
    /// What it was checked against.
    terms: TermsHash,
    hash: BallotHash,
}

/// A bounded map in two generations: when the young one is full, the old one goes. What was asked for lately
/// is kept, and nothing else is promised.
#[derive(Default)]
pub struct Passed {
    young: HashMap<Arc<[u8]>, Known, RandomState>,
    old: HashMap<Arc<[u8]>, Known, RandomState>,
    /// Of the young ones.
    bytes: usize,
}

impl Passed {
    /// Whether this ballot (SCALE, `CastBallot`) is known to have passed against these terms.
    pub fn contains(&mut self, ballot: &[u8], terms: &TermsHash) -> bool {
        self.find(ballot).is_some_and(|known| known.terms == *terms)
    }

    /// The hash of this ballot (SCALE, `CastBallot`), if it is known to have passed, whatever it was checked against.
    pub fn hash(&mut self, ballot: &[u8]) -> Option<BallotHash> {
        self.find(ballot).map(|known| known.hash)
    }

    /// Keeps a ballot in mind, with its hash.
    pub fn insert(&mut self, ballot: Arc<[u8]>, terms: TermsHash, hash: BallotHash) {
        self.keep(ballot, Known { terms, hash });
    }

    fn find(&mut self, ballot: &[u8]) -> Option<Known> {
        if let Some((ballot, known)) = self.old.remove_entry(ballot) {
            self.keep(ballot, known);
            return Some(known);
        }
        self.young.get(ballot).copied()
    }

    fn keep(&mut self, ballot: Arc<[u8]>, known: Known) {
        if self.bytes >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        let size = ballot.len();
        if self.young.insert(ballot, known).is_none() {
            self.bytes = self.bytes.saturating_add(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: TermsHash = [7; 32];

    fn ballot(number: usize) -> Arc<[u8]> {
        let mut ballot = vec![0; 1 << 14];
        ballot[100..108].copy_from_slice(&number.to_le_bytes());
        ballot.into()
    }

    fn hash(number: usize) -> BallotHash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_le_bytes());
        BallotHash(hash)
    }

    #[test]
    fn it_knows_what_passed_against_which_terms_and_nothing_else() {
        let mut passed = Passed::default();
        passed.insert(ballot(1), TERMS, hash(1));
        assert!(passed.contains(&ballot(1), &TERMS));
        assert_eq!(passed.hash(&ballot(1)), Some(hash(1)));
        assert!(!passed.contains(&ballot(1), &[8; 32]), "other terms");
        assert!(!passed.contains(&ballot(2), &TERMS), "another ballot");
        assert!(!passed.contains(&ballot(1)[1..], &TERMS), "a part of it");
        assert_eq!(passed.hash(&ballot(2)), None);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let generation = GENERATION / ballot(0).len();
        let mut passed = Passed::default();
        for number in 0..5 * generation {
            passed.insert(ballot(number), TERMS, hash(number));
            assert_eq!(passed.hash(&ballot(0)), Some(hash(0)));
            assert!(passed.young.len() <= generation && passed.old.len() <= generation);
        }
        assert!(!passed.contains(&ballot(1), &TERMS));
        assert!(passed.contains(&ballot(5 * generation - 1), &TERMS));
        assert!(!passed.contains(&ballot(5 * generation), &TERMS));
    }
}
