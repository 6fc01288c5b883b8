//! The ballots that have passed, so that each is checked once in a node's life. Those that failed are not kept:
//! they are free to make, and would push out the others.

use std::collections::HashSet;

/// A 256-bit hash of all that a verdict depends on.
pub type Key = [u8; 32];

/// Ballots in one generation: some 6 MB.
const GENERATION: usize = 1 << 17;

/// A bounded set in two generations: when the young one is full, the old one goes. What was asked for lately
/// is kept, and nothing else is promised.
#[derive(Default)]
pub struct Passed {
    young: HashSet<Key>,
    old: HashSet<Key>,
}

impl Passed {
    /// Whether this ballot is known to have passed.
    pub fn contains(&mut self, key: &Key) -> bool {
        if self.old.remove(key) {
            self.insert(*key);
        }
        self.young.contains(key)
    }

    /// Keeps a ballot in mind.
    pub fn insert(&mut self, key: Key) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let mut passed = Passed::default();
        for number in 0..5 * GENERATION {
            passed.insert(key(number));
            assert!(passed.contains(&key(0)));
            assert!(passed.young.len() <= GENERATION && passed.old.len() <= GENERATION);
        }
        assert!(!passed.contains(&key(1)));
        assert!(passed.contains(&key(5 * GENERATION - 1)));
        assert!(!passed.contains(&key(5 * GENERATION)));
    }
}
