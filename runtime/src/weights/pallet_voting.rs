//! Weights of `pallet_voting`, as `psephos-node benchmark pallet` printed them (docs/adr/0014-weights.md):
//!
//! ```text
//! cargo build --release -p psephos-node --features runtime-benchmarks
//! psephos-node benchmark pallet --chain dev --pallet pallet_voting --extrinsic '*' --steps 10 --repeat 5 --output FILE
//! ```
//!
//! Measured on one core of an Intel Xeon with 2 cores, 2026-11-21 and 22.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::Weight};
use core::marker::PhantomData;

/// Weight functions for `pallet_voting`.
pub struct WeightInfo<T>(PhantomData<T>);
impl<T: frame_system::Config> pallet_voting::WeightInfo for WeightInfo<T> {
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Proposals` (r:1 w:0)
	/// Proof: `Voting::Proposals` (`max_values`: None, `max_size`: Some(643077), added: 645552, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Waiting` (r:1 w:0)
	/// Proof: `Voting::Waiting` (`max_values`: Some(1), `max_size`: Some(8706), added: 9201, mode: `MaxEncodedLen`)
	fn authorize_approve() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22178`
		//  Estimated: `646542`
		// Minimum execution time: 144_049_000 picoseconds.
		Weight::from_parts(153_844_000, 0)
			.saturating_add(Weight::from_parts(0, 646542))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Proposals` (r:1 w:1)
	/// Proof: `Voting::Proposals` (`max_values`: None, `max_size`: Some(643077), added: 645552, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Waiting` (r:1 w:1)
	/// Proof: `Voting::Waiting` (`max_values`: Some(1), `max_size`: Some(8706), added: 9201, mode: `MaxEncodedLen`)
	fn approve() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22178`
		//  Estimated: `646542`
		// Minimum execution time: 66_096_000 picoseconds.
		Weight::from_parts(72_004_000, 0)
			.saturating_add(Weight::from_parts(0, 646542))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Active` (r:1 w:1)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:0 w:1)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:0 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::NextNumber` (r:0 w:1)
	/// Proof: `Voting::NextNumber` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Voting::RollGroups` (r:0 w:1)
	/// Proof: `Voting::RollGroups` (`max_values`: None, `max_size`: Some(355), added: 2830, mode: `MaxEncodedLen`)
	fn create_election() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `224`
		//  Estimated: `2510`
		// Minimum execution time: 31_241_000 picoseconds.
		Weight::from_parts(32_959_000, 0)
			.saturating_add(Weight::from_parts(0, 2510))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::WaitingBatches` (r:1 w:1)
	/// Proof: `Voting::WaitingBatches` (`max_values`: None, `max_size`: Some(220147), added: 222622, mode: `MaxEncodedLen`)
	/// Storage: `Voting::RollGroups` (r:1 w:1)
	/// Proof: `Voting::RollGroups` (`max_values`: None, `max_size`: Some(355), added: 2830, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Batches` (r:1 w:1)
	/// Proof: `Voting::Batches` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Entries` (r:0 w:2000)
	/// Proof: `Voting::Entries` (`max_values`: None, `max_size`: Some(192), added: 2667, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:0 w:2000)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(99), added: 2574, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn confirm_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4824 + n * (77 ±0)`
		//  Estimated: `646516`
		// Minimum execution time: 48_070_000 picoseconds.
		Weight::from_parts(50_029_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			// Standard Error: 9_485
			.saturating_add(Weight::from_parts(3_807_356, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:2000 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(99), added: 2574, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn authorize_add_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4515`
		//  Estimated: `646516 + n * (2574 ±0)`
		// Minimum execution time: 67_323_000 picoseconds.
		Weight::from_parts(73_507_388, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			// Standard Error: 10_284
			.saturating_add(Weight::from_parts(2_546_485, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2574).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::WaitingBatches` (r:0 w:1)
	/// Proof: `Voting::WaitingBatches` (`max_values`: None, `max_size`: Some(220147), added: 222622, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Batches` (r:0 w:1)
	/// Proof: `Voting::Batches` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn add_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `309`
		//  Estimated: `4800`
		// Minimum execution time: 20_577_000 picoseconds.
		Weight::from_parts(24_732_568, 0)
			.saturating_add(Weight::from_parts(0, 4800))
			// Standard Error: 3_936
			.saturating_add(Weight::from_parts(491_691, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Entries` (r:1 w:0)
	/// Proof: `Voting::Entries` (`max_values`: None, `max_size`: Some(192), added: 2667, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(99), added: 2574, mode: `MaxEncodedLen`)
	fn authorize_register() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4764`
		//  Estimated: `646516`
		// Minimum execution time: 142_767_000 picoseconds.
		Weight::from_parts(154_025_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Entries` (r:1 w:1)
	/// Proof: `Voting::Entries` (`max_values`: None, `max_size`: Some(192), added: 2667, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:1)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(99), added: 2574, mode: `MaxEncodedLen`)
	/// Storage: `Voting::RollGroups` (r:1 w:1)
	/// Proof: `Voting::RollGroups` (`max_values`: None, `max_size`: Some(355), added: 2830, mode: `MaxEncodedLen`)
	fn register() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4793`
		//  Estimated: `646516`
		// Minimum execution time: 164_039_000 picoseconds.
		Weight::from_parts(182_700_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_accept() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22154`
		//  Estimated: `646516`
		// Minimum execution time: 90_249_000 picoseconds.
		Weight::from_parts(96_810_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(3))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn accept() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22154`
		//  Estimated: `646516`
		// Minimum execution time: 102_239_000 picoseconds.
		Weight::from_parts(112_427_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(101), added: 2576, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `b` is `[2, 128]`.
	/// The range of component `r` is `[3, 16]`.
	fn authorize_cast(b: u32, r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `854 + b * (10 ±0) + r * (32 ±0)`
		//  Estimated: `1052088`
		// Minimum execution time: 944_577_000 picoseconds.
		Weight::from_parts(192_014_743, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 878_195
			.saturating_add(Weight::from_parts(20_600_356, 0).saturating_mul(b.into()))
			// Standard Error: 8_181_542
			.saturating_add(Weight::from_parts(68_912_828, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(101), added: 2576, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `b` is `[2, 128]`.
	/// The range of component `r` is `[3, 16]`.
	fn authorize_known_cast(b: u32, r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `814 + b * (10 ±0) + r * (32 ±0)`
		//  Estimated: `1052088`
		// Minimum execution time: 34_230_000 picoseconds.
		Weight::from_parts(29_295_821, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 17_835
			.saturating_add(Weight::from_parts(225_812, 0).saturating_mul(b.into()))
			// Standard Error: 166_160
			.saturating_add(Weight::from_parts(398_133, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:1)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(101), added: 2576, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:0 w:1)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16514), added: 18989, mode: `MaxEncodedLen`)
	/// The range of component `c` is `[1, 127]`.
	fn cast(c: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `570`
		//  Estimated: `4842`
		// Minimum execution time: 43_233_000 picoseconds.
		Weight::from_parts(61_526_058, 0)
			.saturating_add(Weight::from_parts(0, 4842))
			// Standard Error: 21_714
			.saturating_add(Weight::from_parts(578_692, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:128 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(101), added: 2576, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 128]`.
	fn authorize_known_bundle(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `878 + n * (75 ±0)`
		//  Estimated: `1052088 + n * (2576 ±0)`
		// Minimum execution time: 30_061_000 picoseconds.
		Weight::from_parts(4_784_120, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 129_425
			.saturating_add(Weight::from_parts(8_855_938, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2576).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:128 w:128)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(101), added: 2576, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:0 w:128)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16514), added: 18989, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 128]`.
	fn bundle(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `504 + n * (75 ±0)`
		//  Estimated: `4842 + n * (2576 ±0)`
		// Minimum execution time: 34_022_000 picoseconds.
		Weight::from_parts(12_589_288, 0)
			.saturating_add(Weight::from_parts(0, 4842))
			// Standard Error: 149_426
			.saturating_add(Weight::from_parts(17_548_377, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2576).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Agreements` (r:1 w:0)
	/// Proof: `Voting::Agreements` (`max_values`: None, `max_size`: Some(113), added: 2588, mode: `MaxEncodedLen`)
	fn authorize_agree() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22327`
		//  Estimated: `646516`
		// Minimum execution time: 114_307_000 picoseconds.
		Weight::from_parts(128_237_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(4))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Agreements` (r:17 w:1)
	/// Proof: `Voting::Agreements` (`max_values`: None, `max_size`: Some(113), added: 2588, mode: `MaxEncodedLen`)
	fn agree() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `23197`
		//  Estimated: `646516`
		// Minimum execution time: 187_466_000 picoseconds.
		Weight::from_parts(200_750_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(20))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:1 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(32940), added: 35415, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[2, 127]`.
	fn authorize_contribute(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4741 + n * (10 ±0)`
		//  Estimated: `646516`
		// Minimum execution time: 76_773_000 picoseconds.
		Weight::from_parts(86_781_214, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			// Standard Error: 17_578
			.saturating_add(Weight::from_parts(675_321, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
	}
	/// Storage: `Voting::Contributions` (r:0 w:1)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(32940), added: 35415, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[2, 127]`.
	fn contribute(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `0`
		// Minimum execution time: 16_005_000 picoseconds.
		Weight::from_parts(25_807_645, 0)
			.saturating_add(Weight::from_parts(0, 0))
			// Standard Error: 11_134
			.saturating_add(Weight::from_parts(148_953, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:2 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(32940), added: 35415, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:0)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(17097), added: 19572, mode: `MaxEncodedLen`)
	fn authorize_finalize() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `26877`
		//  Estimated: `646516`
		// Minimum execution time: 22_379_576_000 picoseconds.
		Weight::from_parts(23_681_159_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:2 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(32940), added: 35415, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:0)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(17097), added: 19572, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Results` (r:0 w:1)
	/// Proof: `Voting::Results` (`max_values`: None, `max_size`: Some(33012), added: 35487, mode: `MaxEncodedLen`)
	fn finalize() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `26877`
		//  Estimated: `646516`
		// Minimum execution time: 21_882_690_000 picoseconds.
		Weight::from_parts(22_536_814_000, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:32 w:32)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 32]`.
	fn tick(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `313 + n * (100 ±0)`
		//  Estimated: `2510 + n * (3810 ±0)`
		// Minimum execution time: 4_942_000 picoseconds.
		Weight::from_parts(10_401_389, 0)
			.saturating_add(Weight::from_parts(0, 2510))
			// Standard Error: 5_306
			.saturating_add(Weight::from_parts(6_599_337, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 3810).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:1)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(17097), added: 19572, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:101 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16512), added: 18987, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 100]`.
	fn sum_narrow(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4668 + n * (85 ±0)`
		//  Estimated: `646516 + n * (18987 ±0)`
		// Minimum execution time: 62_033_000 picoseconds.
		Weight::from_parts(25_640_852, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			// Standard Error: 76_093
			.saturating_add(Weight::from_parts(14_361_129, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2))
			.saturating_add(Weight::from_parts(0, 18987).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1335), added: 3810, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643051), added: 645526, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:1)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(17097), added: 19572, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:101 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16512), added: 18987, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 100]`.
	fn sum_wide(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `9943 + n * (85 ±0)`
		//  Estimated: `646516 + n * (18987 ±0)`
		// Minimum execution time: 1_783_448_000 picoseconds.
		Weight::from_parts(3_477_811_547, 0)
			.saturating_add(Weight::from_parts(0, 646516))
			// Standard Error: 19_050_034
			.saturating_add(Weight::from_parts(433_644_483, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2))
			.saturating_add(Weight::from_parts(0, 18987).saturating_mul(n.into()))
	}
}
