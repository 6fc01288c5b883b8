// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What a ballot costs a node that imports it in a full block: `cargo bench -p psephos-node --features own-code`.
//!
//! One plurality of ten options, n = 5, t = 3, q = 4. A chain with an open election is built, and then full blocks:
//! first with ballots that travel alone, then with ballots in bundles. Three nodes with databases of their own import
//! the same blocks in turn:
//!
//! - one whose runtime verifies ballots with its own Wasm code, as it would without the host function;
//! - one that has not seen the ballots: it checks each block's in batches, on all cores;
//! - one that has seen them: their verdicts are known.
//!
//! Seals and finality are left out: they cost the same per block, however many ballots it has.

#[path = "../src/testing.rs"]
mod testing;

use codec::Encode;
use psephos_protocol::{ballot::CastBallot, wire::ballots_to_extrinsic};
use psephos_runtime::own_code;
use sc_executor::WasmExecutor;
use std::time::Duration;
use testing::{Chain, Executor, Outcome, OPTIONS};

/// As in the node.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Blocks that are measured, each as full as blocks get.
const BLOCKS: usize = 2;
/// More ballots than they hold.
const BALLOTS: usize = 8_000;

fn main() -> Outcome<()> {
    // As in the node, which listens to no spans of the SDK's host functions: where nobody has said so, each is offered to the log.
    tracing::subscriber::set_global_default(tracing::subscriber::NoSubscriber::new())?;
    // Compiles each runtime once for all nodes.
    let executor = WasmExecutor::builder().build();
    [1, 64].into_iter().try_for_each(|together| measure(&executor, together))
}

/// Imports blocks of ballots of which so many travel together.
fn measure(executor: &Executor, together: usize) -> Outcome<()> {
    let own_code = own_code::WASM_BINARY.ok_or("built without the runtime that verifies itself")?;
    let mut author = Chain::new(executor, Some(own_code))?;
    let (mut fixture, mut blocks) = author.open_election(BALLOTS)?;
    let before = blocks.len();

    println!("\nballots of {OPTIONS} options, {together} in an extrinsic");
    let mut vote = vec![0; OPTIONS];
    // Another vote each time: ballots that this process has verified before would be known.
    vote[together % OPTIONS] = 1;
    let ballots = (0..BALLOTS).map(|voter| fixture.cast(voter, 1, &[vote.clone()]).cast);
    let ballots: Vec<CastBallot> = ballots.collect();
    let bundles = ballots.chunks(together).map(|some| ballots_to_extrinsic(some.to_vec()));
    let mut ballots: Vec<Vec<u8>> = bundles.collect::<Option<_>>().ok_or("too many for a bundle")?;
    println!("{} bytes each", ballots[0].len() / together);
    let mut held = 0;
    for _ in 0..BLOCKS {
        let (block, rest) = author.build(ballots)?;
        if rest.is_empty() {
            return Err("too few ballots for full blocks".into());
        }
        // One extrinsic is the time.
        let of_block = (block.extrinsics.len() - 1) * together;
        println!("a full block has {of_block} ballots, of {} KB", block.encode().len() / 1_000);
        held += of_block;
        blocks.push(block);
        ballots = rest;
    }

    let nodes = [
        ("in the runtime's own Wasm", Chain::new(executor, Some(own_code))?),
        ("natively, not seen before", Chain::new(executor, None)?),
        ("natively, seen before", Chain::new(executor, None)?),
    ];
    let mut times = [Duration::ZERO; 3];
    for (number, block) in blocks.iter().enumerate() {
        for ((_, node), time) in nodes.iter().zip(&mut times) {
            let took = node.import(block)?;
            if number >= before {
                *time += took;
            }
        }
    }
    println!("{:<28} {:>12} {:>8}", "import", "per ballot", "faster");
    for ((name, _), time) in nodes.iter().zip(&times) {
        let ratio = times[0].as_secs_f64() / time.as_secs_f64();
        println!("{name:<28} {:>9.3} ms {ratio:>7.1}x", time.as_secs_f64() * 1e3 / held as f64);
    }
    Ok(())
}
