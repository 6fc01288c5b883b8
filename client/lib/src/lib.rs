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
//! **What is trusted.** A node is asked which block is finalized. Whatever else it says about a
//! block is checked: the header against the hash, the body against the header, and a recorded ballot
//! by a storage proof against the header's state root. Whoever does not trust one node asks several
//! which block they finalized ([`chain::Chain::finalized_by_all`]) or audits the election record.
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
mod submit;
pub mod tally;
pub mod tls;
pub mod trustee_api;
pub mod voter;

pub use chain::{Chain, ChainBlock};
pub use election::open_election;
pub use endpoints::TrusteeEndpoints;
pub use error::{ChainError, NodeFailure};
pub use finality::FinalBlock;
pub use health::NodeHealth;
