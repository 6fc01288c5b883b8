//! What the node computes natively for the runtime.
//!
//! A ballot takes about five times as long to check in Wasm as in native code, and far longer than in a
//! batch. So the runtime decides what must hold and the node does the arithmetic: each host function is
//! pure, its answer fixed by its input alone, and any two nodes give the same.
//!
//! With the feature `own-code` the runtime does the arithmetic itself, for tools that know no host functions of
//! ours; the verdicts are the same.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::vec::Vec;
#[cfg(not(feature = "own-code"))]
use codec::Encode;
use psephos_protocol::{ballot::CastBallot, ids::BallotHash};
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndRead, PassPointerAndWrite},
    runtime_interface,
};

#[cfg(any(feature = "std", feature = "own-code"))]
mod check;
#[cfg(feature = "std")]
mod native;
#[cfg(feature = "std")]
mod passed;

#[cfg(feature = "std")]
pub use native::{all_known, verify_ahead, Found, Job};

/// Whether a ballot passes every check of spec 6.4 against its terms (SCALE, `psephos_protocol::ballot::Terms`): 0, or the
/// code of the refusal (`psephos_protocol::refusal::Refusal`).
#[must_use]
pub fn verify(ballot: &CastBallot, terms: &[u8]) -> u32 {
    #[cfg(feature = "own-code")]
    return check::alone(ballot, terms);
    #[cfg(not(feature = "own-code"))]
    ballots::verify(&ballot.encode(), terms)
}

/// A ballot's hash (spec 6.3). The whole of what was cast is asked for, since that is what the node knows.
#[must_use]
pub fn ballot_hash(ballot: &CastBallot) -> BallotHash {
    #[cfg(feature = "own-code")]
    return ballot.signed.ballot.hash();
    #[cfg(not(feature = "own-code"))]
    {
        let mut hash = [0; 32];
        ballots::ballot_hash(&ballot.encode(), &mut hash);
        BallotHash(hash)
    }
}

/// Adds ballots' commitments (SCALE, a vector of `psephos_protocol::tally::Addition`) to sums (SCALE, a vector of
/// `psephos_protocol::group::Point`): the new sums, or nothing if something does not decode or fit (spec 7.1).
#[must_use]
pub fn add(sums: &[u8], additions: &[u8]) -> Option<Vec<u8>> {
    #[cfg(feature = "own-code")]
    return check::add(sums, additions);
    #[cfg(not(feature = "own-code"))]
    ballots::add(sums, additions)
}

/// The same as host functions.
#[runtime_interface]
pub trait Ballots {
    /// As [`crate::verify`], of a ballot's encoding (SCALE, `psephos_protocol::ballot::CastBallot`).
    fn verify(ballot: PassFatPointerAndRead<&[u8]>, terms: PassFatPointerAndRead<&[u8]>) -> u32 {
        u32::from(native::verify(ballot, terms))
    }

    /// As [`crate::ballot_hash`], of the same encoding; zeros if it is none.
    fn ballot_hash(ballot: PassFatPointerAndRead<&[u8]>, hash: PassPointerAndWrite<&mut [u8; 32], 32>) {
        *hash = native::ballot_hash(ballot).0;
    }

    /// As [`crate::add`].
    fn add(
        sums: PassFatPointerAndRead<&[u8]>,
        additions: PassFatPointerAndRead<&[u8]>,
    ) -> AllocateAndReturnByCodec<Option<Vec<u8>>> {
        check::add(sums, additions)
    }
}
