//! The Psephos voting protocol, as `docs/spec.md` numbers it.
//!
//! A ballot is a vector of Pedersen commitments with one aggregated range proof; the openings are
//! secret-shared, off the public record, to trustees who each vouch for their share before the
//! chain accepts the ballot; the tally is the opening of the sum. The shape is that of Cramer,
//! Franklin, Schoenmakers and Yung, *Multi-Authority Secret-Ballot Elections with Linear Work*
//! (EUROCRYPT 1996), with Bulletproofs (Bünz et al., IEEE S&P 2018) for ballot validity.
//!
//! The tree follows the protocol's steps:
//!
//! | step | module |
//! |---|---|
//! | what everything is built of | [`group`], [`transcript`], [`keys`], [`ids`], [`bounds`] |
//! | an election is defined | [`manifest`], [`contest`], [`election`], [`board`], [`endpoint`] |
//! | voters come onto the roll | [`roll`], `invitation` |
//! | what is proved, and checked in one go | [`range_proof`], [`combination`] |
//! | a ballot is prepared, audited, cast | [`ballot`], [`shares`], `envelope`, [`receipt`] |
//! | a trustee that was away comes to its shares | `repair` |
//! | the tally, and a dispute about it | [`declaration`], [`agreement`], [`cells`], [`tally`], [`evidence`] |
//! | what travels and what remains | [`wire`], [`state`], [`record`], [`finality`], `certificate`, [`refusal`] |
//!
//! The crate is pure: no clock, network, storage, thread or ambient randomness. Every function
//! that needs randomness takes a generator. Secrets zeroize on drop and have no `Debug`.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub mod agreement;
pub mod ballot;
pub mod board;
pub mod bounds;
pub mod cells;
#[cfg(feature = "certificate")]
pub mod certificate;
pub mod combination;
pub mod contest;
pub mod declaration;
pub mod election;
pub mod endpoint;
#[cfg(feature = "client")]
pub mod envelope;
pub mod evidence;
pub mod finality;
pub mod group;
pub mod header;
pub mod ids;
#[cfg(feature = "client")]
pub mod invitation;
pub mod keys;
pub mod manifest;
pub mod range_proof;
pub mod receipt;
pub mod record;
pub mod refusal;
#[cfg(feature = "client")]
pub mod repair;
pub mod roll;
pub mod shares;
pub mod state;
pub mod tally;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transcript;
pub mod wire;

/// The version of the protocol and of every encoding, absorbed into the election identifier.
pub const VERSION: u16 = 1;
