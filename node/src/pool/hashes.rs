// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The pool asks for a transaction's hash at each step of its way, four times before it is in and three times when it is in
//! a block: of a bundle that is 170 KB each time. Comparing as many bytes takes a fraction of it.

use codec::Encode;
use foldhash::fast::RandomState;
use psephos_runtime::{opaque::UncheckedExtrinsic, Hash};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::{
    collections::VecDeque,
    hash::BuildHasher,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes of a transaction whose hash is kept: below, looking for it costs as much; above, no bundle of common ballots is.
const SIZES: RangeInclusive<usize> = 8_192..=262_144;

/// Hashes that are kept: a block has up to 45 bundles, and as many may wait. Their bytes stay with them, 32 MB at most.
const KEPT: usize = 128;

/// The hashes of the last large transactions.
#[derive(Default)]
pub struct Hashes {
    kept: Mutex<VecDeque<Kept>>,
    /// Keyed, so that nobody can send transactions that have to be compared with each other.
    places: RandomState,
}

struct Kept {
    place: u64,
    extrinsic: UncheckedExtrinsic,
    hash: Hash,
}

impl Hashes {
    /// A transaction's hash, and the length of its encoding.
    pub fn of(&self, extrinsic: &UncheckedExtrinsic) -> (Hash, usize) {
        let bytes = extrinsic.inner();
        if !SIZES.contains(&bytes.len()) {
            return extrinsic.using_encoded(|bytes| (BlakeTwo256::hash(bytes), bytes.len()));
        }
        // Shared bytes don't change as long as they are kept: what is the same in memory need not be read.
        let is_same = |kept: &Kept| std::ptr::eq(kept.extrinsic.inner(), bytes);
        let hash = self.find(is_same).unwrap_or_else(|| {
            let place = self.places.hash_one(bytes);
            let is_equal = |kept: &Kept| kept.place == place && kept.extrinsic.inner() == bytes;
            self.find(is_equal).unwrap_or_else(|| self.keep(place, extrinsic))
        });
        (hash, extrinsic.encoded_size())
    }

    fn find(&self, is: impl Fn(&Kept) -> bool) -> Option<Hash> {
        self.kept().iter().rev().find(|kept| is(kept)).map(|kept| kept.hash)
    }

    fn keep(&self, place: u64, extrinsic: &UncheckedExtrinsic) -> Hash {
        let hash = extrinsic.using_encoded(BlakeTwo256::hash);
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { place, extrinsic: extrinsic.clone(), hash });
        hash
    }

    /// A thread that panicked has left the list as it was.
    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_bytes_known_or_not() {
        let hashes = Hashes::default();
        let (least, most) = SIZES.into_inner();
        for size in [0, 100, least - 1, least, 100_000, most, most + 1] {
            for round in 0..2 * KEPT {
                let extrinsic = UncheckedExtrinsic::from_blob(vec![round as u8; size]);
                let bytes = extrinsic.encode();
                let expected = (BlakeTwo256::hash(&bytes), bytes.len());
                assert_eq!(hashes.of(&extrinsic), expected);
                assert_eq!(hashes.of(&extrinsic.clone()), expected);
            }
        }
        let kept = hashes.kept();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().all(|kept| kept.extrinsic.inner().len() == most), "none that is larger");
    }

    #[test]
    fn a_hash_is_computed_once() {
        let hashes = Hashes::default();
        let bytes = vec![7; *SIZES.start()];
        let extrinsic = UncheckedExtrinsic::from_blob(bytes.clone());
        hashes.of(&extrinsic);
        hashes.kept()[0].hash = Hash::repeat_byte(1);
        for same in [extrinsic.clone(), UncheckedExtrinsic::from_blob(bytes.clone())] {
            assert_eq!(hashes.of(&same).0, Hash::repeat_byte(1));
        }
        for place in [0, bytes.len() - 1] {
            let mut other = bytes.clone();
            other[place] ^= 1;
            // As if somebody had found another with the same place.
            hashes.kept()[0].place = hashes.places.hash_one(other.as_slice());
            assert_ne!(hashes.of(&UncheckedExtrinsic::from_blob(other)).0, Hash::repeat_byte(1));
        }
    }
}
