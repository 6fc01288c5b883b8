// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The command line.

use crate::defaults;
use sc_cli::RunCmd;

/// Without a subcommand, the node runs.
#[derive(Debug, clap::Parser)]
#[command(
    mut_args(defaults::of_argument),
    mut_subcommands(|command| command.mut_args(defaults::of_argument))
)]
pub struct Cli {
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    #[clap(flatten)]
    pub run: RunCmd,
}

/// What the node does besides running.
#[derive(Debug, clap::Subcommand)]
// Each value exists once, while the process starts.
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
    /// Make, insert and inspect the keys of this node.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Write a chain spec as JSON: a built-in one to edit into that of a real chain, or an edited
    /// one in its final form (--raw).
    #[command(visible_alias = "build-spec")]
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Execute a stored block again and compare the outcome.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write the stored blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Read blocks from a file, executing each.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete this node's copy of the chain. Keys stay.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Step back a number of blocks; never behind a finalized one.
    Revert(sc_cli::RevertCmd),

    /// Show what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure weights.
    #[cfg(feature = "runtime-benchmarks")]
    #[command(subcommand)]
    Benchmark(frame_benchmarking_cli::BenchmarkCmd),
}
