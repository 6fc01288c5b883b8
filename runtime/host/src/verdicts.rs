//! The verdicts that are known already, so that a ballot is checked once in a node's life.

use std::collections::HashMap;

/// A 256-bit hash of all that a verdict depends on.
pub type Key = [u8; 32];

/// Verdicts in one generation: some 7 MB.
const GENERATION: usize = 1 << 17;

/// A bounded map in two generations: when the young one is full, the old one goes. What was asked for lately
/// is kept, and nothing else is promised.
#[derive(Default)]
pub struct Verdicts {
    young: HashMap<Key, u8>,
    old: HashMap<Key, u8>,
}

impl Verdicts {
    /// The verdict, if it is known.
    pub fn get(&mut self, key: &Key) -> Option<u8> {
        let known = self.young.get(key).copied();
        known.or_else(|| {
            let verdict = self.old.remove(key)?;
            self.insert(*key, verdict);
            Some(verdict)
        })
    }

    /// Keeps a verdict.
    pub fn insert(&mut self, key: Key, verdict: u8) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, verdict);
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
        let mut verdicts = Verdicts::default();
        for number in 0..5 * GENERATION {
            verdicts.insert(key(number), 7);
            assert_eq!(verdicts.get(&key(0)), Some(7));
            assert!(verdicts.young.len() <= GENERATION && verdicts.old.len() <= GENERATION);
        }
        assert_eq!(verdicts.get(&key(1)), None);
        assert_eq!(verdicts.get(&key(5 * GENERATION - 1)), Some(7));
        assert_eq!(verdicts.get(&key(5 * GENERATION)), None);
    }
}
