//! The pallets whose weights `psephos-node benchmark pallet` measures on the machine it runs on.

use crate::{AllPalletsWithSystem, Timestamp, Voting};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::WhitelistedStorageKeys;

frame_benchmarking::define_benchmarks!(
    [pallet_timestamp, Timestamp]
    [pallet_voting, Voting]
);

/// Names all benchmarks; with `extra`, also those that set no weight.
pub fn list(extra: bool) -> Vec<BenchmarkList> {
    let mut list = Vec::new();
    list_benchmarks!(list, extra);
    list
}

/// Runs the benchmarks that `config` selects.
pub fn run(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let params = (&config, &whitelist);
    let mut batches = Vec::new();
    add_benchmarks!(params, batches);
    Ok(batches)
}
