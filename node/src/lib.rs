// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The Psephos node: it takes part in consensus, stores every block and serves the public record.

// The SDK asks for its own error types, which are large.
#![allow(clippy::result_large_err)]

pub mod ahead;
pub mod bundles;
pub mod chain_spec;
mod cli;
pub mod command;
mod defaults;
mod pool;
mod rpc;
pub mod service;
#[cfg(test)]
mod testing;

// What tests share with benches names this crate from outside.
#[cfg(test)]
extern crate self as psephos_node;
