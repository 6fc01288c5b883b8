//! Host functions: what the node computes natively for the runtime.
//!
//! A range proof takes about five times as long in Wasm as in native code. So the runtime decides
//! what must hold and the node does the arithmetic: each function here is pure, its answer fixed by
//! its input alone, and any two nodes give the same.
#![cfg_attr(not(feature = "std"), no_std)]

use sp_runtime_interface::{pass_by::PassFatPointerAndRead, runtime_interface};

#[cfg(feature = "std")]
mod native;

/// Checks of ballots.
#[runtime_interface]
pub trait BallotProofs {
    /// Whether a ballot (SCALE, `psephos_protocol::ballot::Ballot`) has the shape, the points and the
    /// range proof that its contests (SCALE, a vector of `psephos_protocol::contest::Contest`) ask for:
    /// spec 6.4.5, 6.4.6 and 6.4.9. What does not decode is false.
    fn verify(ballot: PassFatPointerAndRead<&[u8]>, contests: PassFatPointerAndRead<&[u8]>) -> bool {
        native::verify(ballot, contests)
    }
}
