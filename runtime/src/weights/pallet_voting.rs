//! Weights of `pallet_voting`, as `psephos-node benchmark pallet` printed them (docs/adr/0014-weights.md):
//!
//! ```text
//! cargo build --release -p psephos-node --features runtime-benchmarks
//! psephos-node benchmark pallet --chain dev --pallet pallet_voting --extrinsic '*' --steps 10 --repeat 5 --output FILE
//! ```
//!
//! Measured on one core of an Intel Xeon with 2 cores, 2026-11-22.

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
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Proposals` (r:1 w:0)
	/// Proof: `Voting::Proposals` (`max_values`: None, `max_size`: Some(643080), added: 645555, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Waiting` (r:1 w:0)
	/// Proof: `Voting::Waiting` (`max_values`: Some(1), `max_size`: Some(8706), added: 9201, mode: `MaxEncodedLen`)
	fn authorize_approve() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22222`
		//  Estimated: `646545`
		// Minimum execution time: 156_667_000 picoseconds.
		Weight::from_parts(175_526_000, 0)
			.saturating_add(Weight::from_parts(0, 646545))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Proposals` (r:1 w:1)
	/// Proof: `Voting::Proposals` (`max_values`: None, `max_size`: Some(643080), added: 645555, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Waiting` (r:1 w:1)
	/// Proof: `Voting::Waiting` (`max_values`: Some(1), `max_size`: Some(8706), added: 9201, mode: `MaxEncodedLen`)
	fn approve() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22222`
		//  Estimated: `646545`
		// Minimum execution time: 73_709_000 picoseconds.
		Weight::from_parts(81_868_000, 0)
			.saturating_add(Weight::from_parts(0, 646545))
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Active` (r:1 w:1)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:0 w:1)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:0 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::NextNumber` (r:0 w:1)
	/// Proof: `Voting::NextNumber` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:0 w:1)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `Voting::RollGroups` (r:0 w:1)
	/// Proof: `Voting::RollGroups` (`max_values`: None, `max_size`: Some(355), added: 2830, mode: `MaxEncodedLen`)
	fn create_election() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `267`
		//  Estimated: `2510`
		// Minimum execution time: 56_850_000 picoseconds.
		Weight::from_parts(61_032_000, 0)
			.saturating_add(Weight::from_parts(0, 2510))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
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
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn confirm_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4868 + n * (77 ±0)`
		//  Estimated: `646519`
		// Minimum execution time: 49_033_000 picoseconds.
		Weight::from_parts(51_084_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			// Standard Error: 9_932
			.saturating_add(Weight::from_parts(4_263_604, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:2000 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn authorize_add_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4559`
		//  Estimated: `646519 + n * (2571 ±0)`
		// Minimum execution time: 71_927_000 picoseconds.
		Weight::from_parts(72_207_807, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			// Standard Error: 8_957
			.saturating_add(Weight::from_parts(2_878_218, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 2571).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::WaitingBatches` (r:0 w:1)
	/// Proof: `Voting::WaitingBatches` (`max_values`: None, `max_size`: Some(220147), added: 222622, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Batches` (r:0 w:1)
	/// Proof: `Voting::Batches` (`max_values`: None, `max_size`: Some(86), added: 2561, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 2000]`.
	fn add_batch(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `357`
		//  Estimated: `4842`
		// Minimum execution time: 20_424_000 picoseconds.
		Weight::from_parts(43_934_785, 0)
			.saturating_add(Weight::from_parts(0, 4842))
			// Standard Error: 4_383
			.saturating_add(Weight::from_parts(599_239, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Entries` (r:1 w:0)
	/// Proof: `Voting::Entries` (`max_values`: None, `max_size`: Some(192), added: 2667, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	fn authorize_register() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4808`
		//  Estimated: `646519`
		// Minimum execution time: 148_727_000 picoseconds.
		Weight::from_parts(167_041_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Entries` (r:1 w:1)
	/// Proof: `Voting::Entries` (`max_values`: None, `max_size`: Some(192), added: 2667, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:1)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Voting::RollGroups` (r:1 w:1)
	/// Proof: `Voting::RollGroups` (`max_values`: None, `max_size`: Some(355), added: 2830, mode: `MaxEncodedLen`)
	fn register() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4837`
		//  Estimated: `646519`
		// Minimum execution time: 173_374_000 picoseconds.
		Weight::from_parts(192_479_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_accept() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22198`
		//  Estimated: `646519`
		// Minimum execution time: 96_189_000 picoseconds.
		Weight::from_parts(106_232_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(3))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn accept() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22198`
		//  Estimated: `646519`
		// Minimum execution time: 114_883_000 picoseconds.
		Weight::from_parts(126_157_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:1 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `b` is `[2, 128]`.
	/// The range of component `r` is `[3, 16]`.
	fn authorize_cast(b: u32, r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `849 + b * (10 ±0) + r * (32 ±0)`
		//  Estimated: `1052088`
		// Minimum execution time: 966_636_000 picoseconds.
		Weight::from_parts(187_901_754, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 791_917
			.saturating_add(Weight::from_parts(23_971_784, 0).saturating_mul(b.into()))
			// Standard Error: 7_377_744
			.saturating_add(Weight::from_parts(65_710_412, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:1 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `b` is `[2, 128]`.
	/// The range of component `r` is `[3, 16]`.
	fn authorize_known_cast(b: u32, _r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `809 + b * (10 ±0) + r * (32 ±0)`
		//  Estimated: `1052088`
		// Minimum execution time: 39_428_000 picoseconds.
		Weight::from_parts(52_868_778, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 21_047
			.saturating_add(Weight::from_parts(123_008, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:1 w:1)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:1 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// The range of component `c` is `[1, 127]`.
	fn cast(c: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `565`
		//  Estimated: `19980`
		// Minimum execution time: 45_630_000 picoseconds.
		Weight::from_parts(61_906_222, 0)
			.saturating_add(Weight::from_parts(0, 19980))
			// Standard Error: 22_393
			.saturating_add(Weight::from_parts(515_986, 0).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:128 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:128 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Styles` (r:1 w:0)
	/// Proof: `Voting::Styles` (`max_values`: None, `max_size`: Some(1048623), added: 1051098, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 128]`.
	fn authorize_known_bundle(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `886 + n * (70 ±0)`
		//  Estimated: `1052088 + n * (18990 ±0)`
		// Minimum execution time: 36_506_000 picoseconds.
		Weight::from_parts(16_052_017, 0)
			.saturating_add(Weight::from_parts(0, 1052088))
			// Standard Error: 186_058
			.saturating_add(Weight::from_parts(11_688_258, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 18990).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:128 w:128)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Voters` (r:128 w:0)
	/// Proof: `Voting::Voters` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[1, 128]`.
	fn bundle(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `511 + n * (70 ±0)`
		//  Estimated: `4842 + n * (18990 ±0)`
		// Minimum execution time: 40_518_000 picoseconds.
		Weight::from_parts(17_618_124, 0)
			.saturating_add(Weight::from_parts(0, 4842))
			// Standard Error: 150_038
			.saturating_add(Weight::from_parts(17_017_079, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 18990).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Agreements` (r:1 w:0)
	/// Proof: `Voting::Agreements` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	fn authorize_agree() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `22371`
		//  Estimated: `646519`
		// Minimum execution time: 128_881_000 picoseconds.
		Weight::from_parts(137_799_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(4))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Agreements` (r:17 w:1)
	/// Proof: `Voting::Agreements` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
	fn agree() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `23273`
		//  Estimated: `646519`
		// Minimum execution time: 233_077_000 picoseconds.
		Weight::from_parts(247_462_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(20))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:1 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(262316), added: 264791, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:0)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(263628), added: 266103, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[2, 4096]`.
	fn authorize_contribute(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `5563`
		//  Estimated: `646519`
		// Minimum execution time: 87_279_000 picoseconds.
		Weight::from_parts(86_773_853, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			// Standard Error: 1_742
			.saturating_add(Weight::from_parts(623_645, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(5))
	}
	/// Storage: `Voting::Contributions` (r:0 w:1)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(262316), added: 264791, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[2, 4096]`.
	fn contribute(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `0`
		//  Estimated: `0`
		// Minimum execution time: 13_403_000 picoseconds.
		Weight::from_parts(31_016_888, 0)
			.saturating_add(Weight::from_parts(0, 0))
			// Standard Error: 1_730
			.saturating_add(Weight::from_parts(110_585, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Voting::Elections` (r:1 w:0)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:0)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(263628), added: 266103, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:2 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(262316), added: 264791, mode: `MaxEncodedLen`)
	fn authorize_finalize() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `26948`
		//  Estimated: `646519`
		// Minimum execution time: 23_566_186_000 picoseconds.
		Weight::from_parts(24_226_471_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(6))
	}
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:0)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(263628), added: 266103, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Contributions` (r:2 w:0)
	/// Proof: `Voting::Contributions` (`max_values`: None, `max_size`: Some(262316), added: 264791, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Results` (r:0 w:1)
	/// Proof: `Voting::Results` (`max_values`: None, `max_size`: Some(311349), added: 313824, mode: `MaxEncodedLen`)
	fn finalize() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `26948`
		//  Estimated: `646519`
		// Minimum execution time: 316_412_000 picoseconds.
		Weight::from_parts(333_586_000, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:32 w:32)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 32]`.
	fn tick(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `361 + n * (100 ±0)`
		//  Estimated: `2510 + n * (3852 ±0)`
		// Minimum execution time: 4_495_000 picoseconds.
		Weight::from_parts(9_985_033, 0)
			.saturating_add(Weight::from_parts(0, 2510))
			// Standard Error: 6_097
			.saturating_add(Weight::from_parts(6_838_737, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 3852).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `Voting::DeclaredMissing` (r:1 w:0)
	/// Proof: `Voting::DeclaredMissing` (`max_values`: None, `max_size`: Some(8236), added: 10711, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:1)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(263628), added: 266103, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:101 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 100]`.
	fn sum_narrow(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4790 + n * (85 ±0)`
		//  Estimated: `646519 + n * (18990 ±0)`
		// Minimum execution time: 69_266_000 picoseconds.
		Weight::from_parts(32_808_121, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			// Standard Error: 68_034
			.saturating_add(Weight::from_parts(15_414_738, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2))
			.saturating_add(Weight::from_parts(0, 18990).saturating_mul(n.into()))
	}
	/// Storage: `Voting::Active` (r:1 w:0)
	/// Proof: `Voting::Active` (`max_values`: Some(1), `max_size`: Some(1025), added: 1520, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Elections` (r:1 w:1)
	/// Proof: `Voting::Elections` (`max_values`: None, `max_size`: Some(1377), added: 3852, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Manifests` (r:1 w:0)
	/// Proof: `Voting::Manifests` (`max_values`: None, `max_size`: Some(643054), added: 645529, mode: `MaxEncodedLen`)
	/// Storage: `Voting::DeclaredMissing` (r:1 w:0)
	/// Proof: `Voting::DeclaredMissing` (`max_values`: None, `max_size`: Some(8236), added: 10711, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Sums` (r:1 w:1)
	/// Proof: `Voting::Sums` (`max_values`: None, `max_size`: Some(263628), added: 266103, mode: `MaxEncodedLen`)
	/// Storage: `Voting::Ballots` (r:101 w:0)
	/// Proof: `Voting::Ballots` (`max_values`: None, `max_size`: Some(16515), added: 18990, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 100]`.
	fn sum_wide(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `10066 + n * (85 ±0)`
		//  Estimated: `646519 + n * (18990 ±0)`
		// Minimum execution time: 2_059_115_000 picoseconds.
		Weight::from_parts(6_283_252_040, 0)
			.saturating_add(Weight::from_parts(0, 646519))
			// Standard Error: 24_784_333
			.saturating_add(Weight::from_parts(418_124_762, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(2))
			.saturating_add(Weight::from_parts(0, 18990).saturating_mul(n.into()))
	}
}
