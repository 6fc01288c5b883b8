//! Tests of the protocol through its public interface, one file per step.

mod agreement;
mod audit;
mod ballot;
mod batch;
mod cells;
mod codes;
mod contest;
mod decoders;
mod document;
mod envelope;
mod finality;
mod manifest;
mod printing;
mod range_proof;
mod receipt;
mod refusal;
mod rehearsal;
mod repair;
mod roles;
mod roll;
mod shares;
mod sizes;
mod tally;
mod vectors;

use proptest::prelude::ProptestConfig;

/// Few cases, for properties that need a proof each.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// How often to try: as said, or as the environment says.
fn rounds(default: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(default)
}

/// All subsets of `0..n` with `size` members, each ascending.
fn subsets(n: u8, size: u32) -> Vec<Vec<u8>> {
    (0u32..1 << n)
        .filter(|bits| bits.count_ones() == size)
        .map(|bits| (0..n).filter(|i| bits >> i & 1 == 1).collect())
        .collect()
}
