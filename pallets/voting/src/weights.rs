//! Weights of the calls and hooks.
//!
//! Set by hand from timings of the cryptography, rounded up. The benchmarks that are to replace them are in
//! `benchmarking.rs`.

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS as MICROS, Weight},
};

/// What each step costs. `authorize_*` is the check, the rest is the writing.
pub trait WeightInfo {
    fn authorize_approve() -> Weight;
    fn approve() -> Weight;
    /// On top of [`Self::approve`].
    fn create_election() -> Weight;
    /// On top of [`Self::approve`], for a batch of `n` entries.
    fn confirm_batch(n: u32) -> Weight;
    fn authorize_add_batch(n: u32) -> Weight;
    fn add_batch(n: u32) -> Weight;
    fn authorize_register() -> Weight;
    fn register() -> Weight;
    fn authorize_accept() -> Weight;
    fn accept() -> Weight;
    /// For a proof over `b` range bits, and `r` receipts, of a ballot that the node verifies alone.
    fn authorize_cast(b: u32, r: u32) -> Weight;
    /// The same, when the node has verified the ballot before.
    fn authorize_known_cast(b: u32, r: u32) -> Weight;
    fn cast() -> Weight;
    fn authorize_agree() -> Weight;
    fn agree() -> Weight;
    fn authorize_contribute(n: u32) -> Weight;
    fn contribute(n: u32) -> Weight;
    fn authorize_finalize() -> Weight;
    fn finalize() -> Weight;
    /// With `n` active elections.
    fn tick(n: u32) -> Weight;
    /// `n` ballots into sums of `c` columns.
    fn sum_step(c: u32, n: u32) -> Weight;
}

/// The weights of this runtime.
pub struct Estimated<T>(PhantomData<T>);

fn micros(count: u64) -> Weight {
    Weight::from_parts(count.saturating_mul(MICROS), 0)
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
    fn authorize_approve() -> Weight {
        micros(2_000).saturating_add(T::DbWeight::get().reads(7))
    }
    fn approve() -> Weight {
        micros(2_000).saturating_add(T::DbWeight::get().reads_writes(7, 5))
    }
    fn create_election() -> Weight {
        micros(5_000).saturating_add(T::DbWeight::get().writes(6))
    }
    fn confirm_batch(n: u32) -> Weight {
        let each = micros(60).saturating_add(T::DbWeight::get().reads_writes(2, 3));
        micros(500).saturating_add(each.saturating_mul(u64::from(n)))
    }
    fn authorize_add_batch(n: u32) -> Weight {
        let each = micros(20).saturating_add(T::DbWeight::get().reads(2));
        micros(500).saturating_add(each.saturating_mul(u64::from(n)))
    }
    fn add_batch(n: u32) -> Weight {
        micros(500 + 2 * u64::from(n)).saturating_add(T::DbWeight::get().reads_writes(1, 3))
    }
    fn authorize_register() -> Weight {
        micros(500).saturating_add(T::DbWeight::get().reads(4))
    }
    fn register() -> Weight {
        micros(500).saturating_add(T::DbWeight::get().reads_writes(5, 5))
    }
    fn authorize_accept() -> Weight {
        micros(300).saturating_add(T::DbWeight::get().reads(2))
    }
    fn accept() -> Weight {
        micros(300).saturating_add(T::DbWeight::get().reads_writes(2, 1))
    }
    fn authorize_cast(b: u32, r: u32) -> Weight {
        let crypto = 1_000u64
            .saturating_add(u64::from(b).saturating_mul(25))
            .saturating_add(u64::from(r).saturating_mul(100));
        micros(crypto).saturating_add(T::DbWeight::get().reads(4))
    }
    fn authorize_known_cast(_: u32, r: u32) -> Weight {
        micros(u64::from(r).saturating_add(200)).saturating_add(T::DbWeight::get().reads(4))
    }
    fn cast() -> Weight {
        micros(300).saturating_add(T::DbWeight::get().reads_writes(5, 3))
    }
    fn authorize_agree() -> Weight {
        micros(300).saturating_add(T::DbWeight::get().reads(3))
    }
    fn agree() -> Weight {
        micros(300).saturating_add(T::DbWeight::get().reads_writes(19, 3))
    }
    fn authorize_contribute(n: u32) -> Weight {
        micros(300 + 2 * u64::from(n)).saturating_add(T::DbWeight::get().reads(3))
    }
    fn contribute(n: u32) -> Weight {
        micros(100 + 2 * u64::from(n)).saturating_add(T::DbWeight::get().writes(1))
    }
    fn authorize_finalize() -> Weight {
        micros(400_000).saturating_add(T::DbWeight::get().reads(19))
    }
    fn finalize() -> Weight {
        micros(400_000).saturating_add(T::DbWeight::get().reads_writes(19, 3))
    }
    fn tick(n: u32) -> Weight {
        let each = micros(50).saturating_add(T::DbWeight::get().reads_writes(1, 1));
        T::DbWeight::get().reads(2).saturating_add(each.saturating_mul(u64::from(n)))
    }
    fn sum_step(c: u32, n: u32) -> Weight {
        let each = micros(50 + 60 * u64::from(c)).saturating_add(T::DbWeight::get().reads(1));
        micros(200 + 60 * u64::from(c))
            .saturating_add(T::DbWeight::get().reads_writes(3, 2))
            .saturating_add(each.saturating_mul(u64::from(n)))
    }
}
