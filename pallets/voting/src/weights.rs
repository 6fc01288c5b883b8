//! Weights of the calls and hooks.
//!
//! The runtime has them from the benchmarks in `benchmarking.rs`.

use frame_support::weights::Weight;

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
    /// With `c` commitments.
    fn cast(c: u32) -> Weight;
    /// For `n` of the smallest ballots together, which the node has verified before.
    fn authorize_known_bundle(n: u32) -> Weight;
    /// For `n` of the smallest ballots together.
    fn bundle(n: u32) -> Weight;
    fn authorize_agree() -> Weight;
    fn agree() -> Weight;
    /// Of `n` sums.
    fn authorize_contribute(n: u32) -> Weight;
    /// Of `n` sums.
    fn contribute(n: u32) -> Weight;
    /// Of [`crate::sums::WIDE`] sums by two contributors.
    fn authorize_finalize() -> Weight;
    /// Of [`crate::sums::WIDE`] sums by two contributors.
    fn finalize() -> Weight;
    /// With `n` active elections.
    fn tick(n: u32) -> Weight;
    /// `n` ballots into sums of two columns, all in one unit.
    fn sum_narrow(n: u32) -> Weight;
    /// `n` ballots into sums of [`crate::sums::WIDE`] columns, all in one unit.
    fn sum_wide(n: u32) -> Weight;
}
