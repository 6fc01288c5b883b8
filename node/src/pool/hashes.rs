// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The pool asks for a transaction's hash at each step of its way, four times before it is in and three times when it is in
//! a block: of a bundle that is 170 KB each time.

use codec::Encode;
use psephos_runtime::{opaque::UncheckedExtrinsic, Hash};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
};

/// Bytes of a transaction whose hash is kept: below, looking for it costs as much; above, no bundle of common ballots is.
const SIZES: RangeInclusive<usize> = 8_192..=262_144;

/// Hashes that are kept: a block has up to 45 bundles. Their bytes stay with them, 16 MB at most.
const KEPT: usize = 64;

/// The hashes of the last large transactions.
#[derive(Default)]
pub struct Hashes(Mutex<VecDeque<(UncheckedExtrinsic, Hash)>>);

impl Hashes {
    /// A transaction's hash, and the length of its encoding.
    pub fn of(&self, extrinsic: &UncheckedExtrinsic) -> (Hash, usize) {
        if !SIZES.contains(&extrinsic.inner().len()) {
            return extrinsic.using_encoded(|bytes| (BlakeTwo256::hash(bytes), bytes.len()));
        }
        let known = {
            // A thread that panicked has left the list as it was.
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().rev().find(|(other, _)| is_same(other, extrinsic)).map(|(_, hash)| *hash)
        };
        let hash = known.unwrap_or_else(|| {
            let hash = extrinsic.using_encoded(BlakeTwo256::hash);
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((extrinsic.clone(), hash));
            hash
        });
        (hash, extrinsic.encoded_size())
    }
}

/// Whether both are the same bytes in memory, which are shared and don't change as long as one of both is there.
fn is_same(one: &UncheckedExtrinsic, other: &UncheckedExtrinsic) -> bool {
    std::ptr::eq(one.inner(), other.inner())
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
        let kept = hashes.0.lock().unwrap();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().all(|(extrinsic, _)| extrinsic.inner().len() == most), "none that is larger");
    }

    #[test]
    fn a_hash_is_computed_once() {
        let hashes = Hashes::default();
        let bytes = vec![7; *SIZES.start()];
        let extrinsic = UncheckedExtrinsic::from_blob(bytes.clone());
        hashes.of(&extrinsic);
        hashes.0.lock().unwrap()[0].1 = Hash::repeat_byte(1);
        assert_eq!(hashes.of(&extrinsic.clone()).0, Hash::repeat_byte(1));
        assert_ne!(hashes.of(&UncheckedExtrinsic::from_blob(bytes)).0, Hash::repeat_byte(1));
    }
}
