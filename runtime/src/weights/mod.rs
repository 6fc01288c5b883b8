//! The measured weights of calls and hooks.

pub mod pallet_voting;
