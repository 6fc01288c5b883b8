//! The Psephos runtime: Aura and GRANDPA consensus, a fixed validator set and elections.
//!
//! There is no coin, no fee, no nonce and no account on this chain. Every action is a *general*
//! (extrinsic version 5) transaction that carries its own authority, which `pallet-voting` checks
//! before the transaction enters the pool: see [`TxExtension`] and [`only_authorized`]. The bytes
//! of such a transaction are
//!
//! ```text
//! compact(length) ‖ 0x45 ‖ 0x00 ‖ pallet index ‖ call index ‖ arguments
//! ```
//!
//! so that clients need no metadata to build one.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// The same runtime, which verifies ballots with its own code and asks the node for nothing: for
/// benchmarks, and for tools that know no host functions of ours.
#[cfg(all(feature = "std", feature = "own-code-blob"))]
pub mod own_code {
    include!(concat!(env!("OUT_DIR"), "/own_code.rs"));
}

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benches;
pub mod configs;
pub mod genesis_config_presets;
pub mod only_authorized;
pub mod validation;
mod weights;

use alloc::vec::Vec;
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// Index of a block in the chain.
pub type BlockNumber = u32;
/// The chain's hash.
pub type Hash = sp_core::H256;
/// Signature type of signed extrinsics, which this chain's extrinsic format knows but refuses.
pub type Signature = MultiSignature;
/// Names a validator in `pallet-session`; nobody can act as an account here.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Address format of signed extrinsics.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block with decoded extrinsics.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Extrinsic before its extensions have checked it.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What every transaction passes through, in this order: the call authorizes itself, anything that
/// did not is refused, and the rest must fit into the block. Each part encodes to nothing.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    only_authorized::OnlyAuthorized<Runtime>,
    frame_system::CheckWeight<Runtime>,
);

/// Dispatches blocks and extrinsics to the pallets.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// The types that the node uses: it must not depend on how this runtime version encodes extrinsics,
/// so that it can follow the chain through an upgrade.
pub mod opaque {
    use super::{generic, Header};
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// Block whose extrinsics are plain bytes.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
    /// The keys that a validator holds online: one to author blocks, one to finalize them.
    pub struct SessionKeys {
        pub aura: Aura,
        pub grandpa: Grandpa,
    }
}

/// Identifies this runtime. `spec_version` rises with every upgrade; `transaction_version` rises
/// when the bytes of an existing call change.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("psephos"),
    impl_name: alloc::borrow::Cow::Borrowed("psephos"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// Milliseconds between blocks. Aura derives slot numbers from it, so it can never change on a
/// running chain.
pub const SLOT_DURATION: u64 = 2_000;
/// Blocks in a minute.
pub const MINUTES: BlockNumber = 60_000 / (SLOT_DURATION as BlockNumber);

#[frame_support::runtime]
mod runtime {
    /// The chain's pallets. Their indices are part of the transaction format: never reuse one.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Runtime>;

    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp::Pallet<Runtime>;

    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura::Pallet<Runtime>;

    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa::Pallet<Runtime>;

    #[runtime::pallet_index(4)]
    pub type Session = pallet_session::Pallet<Runtime>;

    #[runtime::pallet_index(8)]
    pub type Voting = pallet_voting::Pallet<Runtime>;
}

#[cfg(test)]
mod tests;
