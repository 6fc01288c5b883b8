//! The Psephos client library: everything that voters, registrars, boards, trustees and auditors
//! say to the chain and to the trustees, over JSON-RPC.
//!
//! | who | module |
//! |---|---|
//! | everybody: read, submit, follow, prove | [`chain`], [`error`], [`election`] |
//! | a voter: register, prepare, audit or cast | [`voter`] |
//! | a registrar: the electoral roll | [`registrar`] |
//! | the election board | [`board`] |
//! | whoever finalizes the tally | [`tally`] |
//! | an auditor: the election record | [`record`] |
//! | trustees and whoever calls them | [`trustee_api`], [`endpoints`], [`tls`] |
//! | whoever holds a key: key files | [`keystore`] |
//!
//! There is no metadata, no account and no nonce here, and so no subxt: every message is a
//! self-contained extrinsic that `psephos-protocol` encodes, and every answer is a type of
//! `psephos-protocol` read through the runtime API.
//!
//! **What is trusted.** A voter is shown nothing on a node's word. [`Chain::proved_final`] gives a block of which more
//! than two thirds of the validators signed that it is final; the validators are those of the first block, whose hash
//! the election's identifier binds. What the state there holds comes with storage proofs ([`FinalBlock`],
//! [`Standing`]). A node can still be silent or behind: the block's time shows how far. Other readings, such as
//! progress while one waits, believe the node which block is finalized, and check the header against the hash and
//! the body against the header.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod block;
pub mod board;
pub mod chain;
pub mod election;
pub mod endpoints;
pub mod error;
mod finality;
mod follow;
mod health;
pub mod keystore;
mod nodes;
mod proof;
pub mod record;
pub mod registrar;
mod roll;
mod standing;
mod submit;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod trustee_api;
pub mod voter;

pub use chain::{Chain, ChainBlock};
pub use election::open_election;
pub use endpoints::TrusteeEndpoints;
pub use error::{ChainError, NodeFailure};
pub use finality::FinalBlock;
pub use health::NodeHealth;
pub use standing::Standing;
