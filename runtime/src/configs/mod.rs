//! How each pallet is configured, and why.

mod no_coin;

use crate::{
    AccountId, Aura, Block, BlockNumber, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    RuntimeTask, SessionKeys, MINUTES, SLOT_DURATION, VERSION,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstBool, ConstU32, ConstU64, Contains},
    weights::{
        constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
        Weight,
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use no_coin::NoCoin;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{traits::ConvertInto, Perbill};
use sp_version::RuntimeVersion;

/// Most validators that the chain accepts; bounds the consensus state and the size of finality
/// proofs.
const MAX_VALIDATORS: u32 = 64;

/// Share of a block that ordinary transactions may fill. The rest stays free for what must go in:
/// the timestamp and the pallets' hooks.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// Computation time of a full block. Three quarters of a slot, so that a block can be built, sent
/// and executed by the others before the next one is due.
const MAX_BLOCK_WEIGHT: Weight = Weight::from_parts(1_500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

/// Bytes of a full block; three quarters of it hold some 2,970 ballots of ten options, the weight lets in 2,850.
const MAX_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

parameter_types! {
    /// How long a transaction may refer to a past block: more than two hours.
    pub const BlockHashCount: BlockNumber = 4_096;
    pub const Version: RuntimeVersion = VERSION;
    pub RuntimeBlockWeights: BlockWeights =
        BlockWeights::with_sensible_defaults(MAX_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO);
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAX_BLOCK_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = NORMAL_DISPATCH_RATIO * *max)
        .build();
}

/// The calls that may arrive from outside: elections, and the clock as an inherent.
pub struct OutsideCalls;

impl Contains<RuntimeCall> for OutsideCalls {
    fn contains(call: &RuntimeCall) -> bool {
        matches!(call, RuntimeCall::Voting(_) | RuntimeCall::Timestamp(_))
    }
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type BaseCallFilter = OutsideCalls;
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type BlockLength = RuntimeBlockLength;
    type BlockWeights = RuntimeBlockWeights;
    type DbWeight = ParityDbWeight;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type Version = Version;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_DURATION / 2 }>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_DURATION>;
}

/// Equivocations are not punished on chain, for there is no stake to slash: the board removes a
/// validator that misbehaves.
impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

parameter_types! {
    /// How long it takes at most until a change of validators or of their keys is queued.
    pub const SessionPeriod: BlockNumber = 10 * MINUTES;
    pub const SessionOffset: BlockNumber = 0;
}

/// The validators are those of the genesis block; with `()` as its manager a session never brings
/// new ones.
impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = pallet_session::PeriodicSessions<SessionPeriod, SessionOffset>;
    type NextSessionRotation = pallet_session::PeriodicSessions<SessionPeriod, SessionOffset>;
    type SessionManager = ();
    type SessionHandler = <SessionKeys as sp_runtime::traits::OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = NoCoin;
    type KeyDeposit = ConstU64<0>;
}

impl pallet_voting::Config for Runtime {
    type WeightInfo = crate::weights::pallet_voting::WeightInfo<Runtime>;
}
