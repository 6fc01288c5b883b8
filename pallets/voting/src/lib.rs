//! # Elections on chain
//!
//! The public bulletin board of Psephos: it takes only what the protocol allows, keeps what anyone
//! needs to check an election, and learns nothing about votes. Spec numbers are those of
//! `docs/spec.md`; all cryptography is in `psephos-protocol`.
//!
//! ## Glossary
//!
//! - **Board**: officials who act together, k of m. The chain has one that creates elections; each
//!   election names its own in its manifest.
//! - **Roll**: who may vote. Registrars propose batches; a batch counts when the board confirmed it.
//! - **Ballot**: commitments, range proof, signature, q receipts. The last of a credential counts.
//! - **Set**: the ballots that are opened together, as q trustees signed it.
//! - **Rehearsal**: an election that counts for nothing, by the very trustees of one that does. A chain may ask
//!   for one before it freezes the other.
//!
//! ## Stories
//!
//! 1. The chain's board approves [`Action::CreateElection`]; every trustee accepts.
//! 2. Registrars add batches, the board confirms them, voters register credentials.
//! 3. The board freezes the roll; the clock opens; voters cast; the clock closes.
//! 4. The chain sums in bounded steps; trustees sign the set, then contribute.
//! 5. Anyone finalizes; the chain checks every opening; the board certifies.
//!
//! ## Calls
//!
//! There are no accounts, fees or nonces. Each call carries one message of
//! [`psephos_protocol::wire`], signed by its author inside, as a general transaction. A call's
//! `authorize` function checks everything and costs nothing to refuse; dispatch follows in the same
//! state and only writes. A refusal is one code of [`Refusal`].
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod api;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod board;
mod cast;
mod clock;
mod declare;
mod rehearsal;
mod roll;
mod sums;
mod tally;
mod trustees;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod views;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;
    use psephos_protocol::{
        agreement::{Acceptance, Agreement, SetStatement},
        ballot::CastBallot,
        board::{Approval, Board},
        cells::Groups,
        declaration::{Declaration, Missing},
        endpoint::{Announcement, Endpoint},
        ids::{Digest, Eid},
        keys::PublicKey,
        manifest::Manifest,
        roll::{Registration, RollBatch},
        state::{Batch, ElectionState, EntryState, Phase, Proposal, RecordedBallot, RegisteredVoter},
        tally::{Contribution, ElectionResult, Finalize},
        wire::Bundle,
    };

    /// Elections that are neither certified nor void, at most; each costs a read per block.
    pub const MAX_ACTIVE: u32 = 32;
    /// Board actions that wait for approvals, at most, on the whole chain.
    pub const MAX_PROPOSALS: u32 = 128;
    /// Board actions that one member may have waiting.
    pub const MAX_PROPOSALS_PER_MEMBER: usize = 8;
    /// Roll batches that may wait for confirmation in one election.
    pub const MAX_WAITING_BATCHES: u32 = 1_000;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash: Into<[u8; 32]>>
        + pallet_timestamp::Config<Moment = u64>
    {
        /// What each step costs.
        type WeightInfo: WeightInfo;
    }

    /// The chain's board, which creates elections.
    #[pallet::storage]
    pub type ChainBoard<T> = StorageValue<_, Board, ValueQuery>;

    /// The number of the next election.
    #[pallet::storage]
    pub type NextNumber<T> = StorageValue<_, u32, ValueQuery>;

    /// All elections' states.
    #[pallet::storage]
    pub type Elections<T> = StorageMap<_, Identity, Eid, ElectionState>;

    /// All elections' manifests; written once.
    #[pallet::storage]
    pub type Manifests<T> = StorageMap<_, Identity, Eid, Manifest>;

    /// The parts of the manifests that ballots are checked against, by style; written once.
    #[pallet::storage]
    pub type Styles<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u16, cast::StyleRules>;

    /// The elections that the clock looks at: neither certified nor void.
    #[pallet::storage]
    pub type Active<T> = StorageValue<_, BoundedVec<Eid, ConstU32<MAX_ACTIVE>>, ValueQuery>;

    /// Board actions that wait for approvals, by digest.
    #[pallet::storage]
    pub type Proposals<T> = StorageMap<_, Identity, Digest, Proposal>;

    /// Who proposed what waits, and until when: bounds [`Proposals`].
    #[pallet::storage]
    pub type Waiting<T> =
        StorageValue<_, BoundedVec<board::WaitingProposal, ConstU32<MAX_PROPOSALS>>, ValueQuery>;

    /// Roll batches.
    #[pallet::storage]
    pub type Batches<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u32, Batch>;

    /// The contents of batches that are not confirmed.
    #[pallet::storage]
    pub type WaitingBatches<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u32, RollBatch>;

    /// The roll's entries.
    #[pallet::storage]
    pub type Entries<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u32, EntryState>;

    /// The entry of each invitation key.
    #[pallet::storage]
    pub type Invitations<T> = StorageDoubleMap<_, Identity, Eid, Blake2_128Concat, PublicKey, u32>;

    /// The voters, by credential.
    #[pallet::storage]
    pub type Voters<T> = StorageDoubleMap<_, Identity, Eid, Blake2_128Concat, PublicKey, RegisteredVoter>;

    /// How many registered voters have each weight and each style.
    #[pallet::storage]
    pub type RollGroups<T> = StorageMap<_, Identity, Eid, Groups, ValueQuery>;

    /// The ballot that counts, by credential: what a voter's proof of recording shows.
    #[pallet::storage]
    pub type Ballots<T> = StorageDoubleMap<_, Identity, Eid, Blake2_128Concat, PublicKey, RecordedBallot>;

    /// The sums of commitments, growing over several blocks after the close.
    #[pallet::storage]
    pub type Sums<T> = StorageMap<_, Identity, Eid, sums::Summing>;

    /// Where each trustee can be reached, as it stated last.
    #[pallet::storage]
    pub type Endpoints<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u8, Endpoint>;

    /// The counted ballots that each trustee can't serve.
    #[pallet::storage]
    pub type DeclaredMissing<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u8, Missing>;

    /// The set that each trustee signed.
    #[pallet::storage]
    pub type Agreements<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u8, SetStatement>;

    /// Each trustee's contribution.
    #[pallet::storage]
    pub type Contributions<T> = StorageDoubleMap<_, Identity, Eid, Twox64Concat, u8, Contribution>;

    /// The results.
    #[pallet::storage]
    pub type Results<T> = StorageMap<_, Identity, Eid, ElectionResult>;

    /// Whether elections that count are frozen only if their trustees have rehearsed; as in the first block, for ever.
    #[pallet::storage]
    pub type RequireRehearsal<T> = StorageValue<_, bool, ValueQuery>;

    /// The last certified rehearsal of each team of trustees (spec 3.8).
    #[pallet::storage]
    pub type Rehearsed<T> = StorageMap<_, Identity, Digest, Eid>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T> {
        /// A board member approved an action.
        Approved { digest: Digest, member: u8, approvals: u32, needed: u8 },
        /// An election was created.
        Created { eid: Eid, number: u32 },
        /// An election entered a phase.
        PhaseEntered { eid: Eid, phase: Phase },
        /// A trustee accepted an election.
        TrusteeAccepted { eid: Eid, trustee: u8 },
        /// A trustee stated where it can be reached.
        EndpointAnnounced { eid: Eid, trustee: u8 },
        /// A registrar proposed a batch.
        BatchAdded { eid: Eid, batch: u32, digest: Digest, count: u32 },
        /// The board confirmed a batch.
        BatchConfirmed { eid: Eid, batch: u32, first: u32, count: u32 },
        /// A voter registered a credential.
        Registered { eid: Eid, entry: u32, credential: PublicKey },
        /// The board gave an entry new invitations.
        Reinvited { eid: Eid, entry: u32 },
        /// The board moved the opening or the close.
        Rescheduled { eid: Eid, opens_at: u64, closes_at: u64 },
        /// Ballots were accepted; with these there are so many, replaced ones included, and the log of them has this head.
        BallotsAccepted { eid: Eid, ballots: u32, log: Digest },
        /// All counted ballots are summed.
        Summed { eid: Eid, ballots: u32, withheld: bool },
        /// A trustee declared what it can't serve.
        Declared { eid: Eid, trustee: u8 },
        /// Too few trustees can serve the counted ballot of this credential: it is not in the set.
        Excluded { eid: Eid, credential: PublicKey },
        /// The board lowered the quorum for the set; it holds from that block.
        QuorumLowered { eid: Eid, quorum: u8, from: u32 },
        /// A trustee signed a set.
        SetSigned { eid: Eid, trustee: u8, root: Digest },
        /// A trustee signed another set than one before it: evidence against one of them.
        ConflictingSet { eid: Eid, trustee: u8, root: Digest },
        /// A trustee contributed.
        Contributed { eid: Eid, trustee: u8 },
        /// The result stands: every opening was checked.
        Tallied { eid: Eid },
        /// The board certified the result.
        Certified { eid: Eid, result: Digest },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The message is not taken, for the reason with this code of `Refusal`.
        Refused(u8),
    }

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The keys of the chain's board.
        pub board: alloc::vec::Vec<[u8; 32]>,
        /// How many of them must agree.
        pub threshold: u8,
        /// Whether trustees must rehearse before an election of theirs is frozen.
        pub require_rehearsal: bool,
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            RequireRehearsal::<T>::put(self.require_rehearsal);
            if self.board.is_empty() {
                return;
            }
            let members = self.board.iter().copied().map(PublicKey).collect::<alloc::vec::Vec<_>>();
            let board = Board { members: BoundedVec::truncate_from(members), threshold: self.threshold };
            assert!(
                board.validate().is_ok() && board.members.len() == self.board.len(),
                "voting.board: needs 1 to 16 different keys, and a threshold between 1 and their number"
            );
            ChainBoard::<T>::put(board);
        }
    }

    #[pallet::call(weight = <T as Config>::WeightInfo)]
    impl<T: Config> Pallet<T> {
        /// A board member approves an action; the k-th approval carries it out (spec 3.4).
        #[pallet::call_index(0)]
        #[pallet::authorize(Self::authorize_approve)]
        #[pallet::weight_of_authorize(Pallet::<T>::authorize_approve_weight(&approval.action))]
        #[pallet::weight(Pallet::<T>::approve_weight(&approval.action))]
        pub fn approve(origin: OriginFor<T>, approval: Approval) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_approve(approval).map_err(Self::refused)
        }

        /// A registrar proposes a batch of the roll (spec 4.2).
        #[pallet::call_index(1)]
        #[pallet::authorize(Self::authorize_add_batch)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_add_batch(batch.entries.len() as u32))]
        #[pallet::weight(<T as Config>::WeightInfo::add_batch(batch.entries.len() as u32))]
        pub fn add_batch(origin: OriginFor<T>, batch: RollBatch) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_add_batch(batch).map_err(Self::refused)
        }

        /// A voter claims an invitation for a credential (spec 4.3).
        #[pallet::call_index(2)]
        #[pallet::authorize(Self::authorize_register)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_register())]
        #[pallet::weight(<T as Config>::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>, registration: Registration) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_register(registration).map_err(Self::refused)
        }

        /// A trustee accepts an election (spec 3.6).
        #[pallet::call_index(3)]
        #[pallet::authorize(Self::authorize_accept)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_accept())]
        #[pallet::weight(<T as Config>::WeightInfo::accept())]
        pub fn accept(origin: OriginFor<T>, acceptance: Acceptance) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_accept(acceptance).map_err(Self::refused)
        }

        /// A voter casts a ballot (spec 6.5).
        #[pallet::call_index(4)]
        #[pallet::authorize(|_, ballot: &CastBallot| Self::authorize_ballots(core::slice::from_ref(ballot)))]
        #[pallet::weight_of_authorize(Pallet::<T>::authorize_cast_weight(ballot))]
        #[pallet::weight(Pallet::<T>::cast_weight(ballot))]
        pub fn cast(origin: OriginFor<T>, ballot: CastBallot) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_cast([ballot]).map_err(Self::refused)
        }

        /// A trustee signs the set (spec 7.2).
        #[pallet::call_index(5)]
        #[pallet::authorize(Self::authorize_agree)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_agree())]
        #[pallet::weight(<T as Config>::WeightInfo::agree())]
        pub fn agree(origin: OriginFor<T>, agreement: Agreement) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_agree(agreement).map_err(Self::refused)
        }

        /// A trustee contributes its share of the sums (spec 7.3).
        #[pallet::call_index(6)]
        #[pallet::authorize(Self::authorize_contribute)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_contribute(contribution.sums.len() as u32))]
        #[pallet::weight(<T as Config>::WeightInfo::contribute(contribution.sums.len() as u32))]
        pub fn contribute(origin: OriginFor<T>, contribution: Contribution) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_contribute(contribution).map_err(Self::refused)
        }

        /// Anyone finalizes the tally from t contributions that open every sum (spec 7.5).
        #[pallet::call_index(7)]
        #[pallet::authorize(Self::authorize_finalize)]
        #[pallet::weight_of_authorize(Pallet::<T>::authorize_finalize_weight(finalize))]
        #[pallet::weight(Pallet::<T>::finalize_weight(finalize))]
        pub fn finalize(origin: OriginFor<T>, finalize: Finalize) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_finalize(finalize).map_err(Self::refused)
        }

        /// A trustee states where it can be reached (spec 3.7). It costs what an acceptance costs: one election
        /// read, one signature checked, one small value written.
        #[pallet::call_index(8)]
        #[pallet::authorize(Self::authorize_announce)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_accept())]
        #[pallet::weight(<T as Config>::WeightInfo::accept())]
        pub fn announce(origin: OriginFor<T>, announcement: Announcement) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_announce(announcement).map_err(Self::refused)
        }

        /// A trustee declares which counted ballots it can't serve (spec 7.2).
        #[pallet::call_index(9)]
        #[pallet::authorize(Self::authorize_declare)]
        #[pallet::weight_of_authorize(Pallet::<T>::declare_weight(declaration))]
        #[pallet::weight(Pallet::<T>::declare_weight(declaration))]
        pub fn declare(origin: OriginFor<T>, declaration: Declaration) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_declare(declaration).map_err(Self::refused)
        }

        /// Voters' ballots that a node took travel together (spec 8.1): all are accepted, or none. For voters and
        /// auditors it is as if each had come alone.
        #[pallet::call_index(10)]
        #[pallet::authorize(|_, ballots: &Bundle| Self::authorize_ballots(ballots))]
        #[pallet::weight_of_authorize(Pallet::<T>::authorize_bundle_weight(ballots))]
        #[pallet::weight(Pallet::<T>::bundle_weight(ballots))]
        pub fn cast_bundle(origin: OriginFor<T>, ballots: Bundle) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_cast(ballots).map_err(Self::refused)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::tick()
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::sum_some(remaining)
        }

        fn integrity_test() {
            assert_eq!(
                psephos_protocol::range_proof::generators_digest(),
                psephos_protocol::range_proof::GENERATORS_DIGEST,
                "the generators are not those of this protocol version"
            );
            assert!(
                T::BlockHashCount::get() > psephos_protocol::bounds::MAX_LIFETIME.into(),
                "a ballot may live longer than the chain remembers its anchor"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants()
        }
    }
}

use frame_support::{pallet_prelude::*, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use psephos_protocol::{
    election::Election,
    ids::{Eid, Genesis},
    keys::{PublicKey, Signature},
    refusal::Refusal,
    state::{ElectionState, Phase},
};
use sp_runtime::{
    traits::SaturatedConversion,
    transaction_validity::{TransactionValidityWithRefund, ValidTransactionBuilder},
    DispatchError,
};

#[allow(unused_imports)] // named by the documentation
use psephos_protocol::board::Action;

/// Verifies an sr25519 signature with the host's native code.
pub(crate) fn host_verify(signature: &Signature, message: &[u8; 64], key: &PublicKey) -> bool {
    sp_io::crypto::sr25519_verify(
        &sp_core::sr25519::Signature::from_raw(signature.0),
        message,
        &sp_core::sr25519::Public::from_raw(key.0),
    )
}

impl<T: Config> Pallet<T> {
    /// The chain's first block.
    pub(crate) fn genesis() -> Genesis {
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
        Genesis(hash.into())
    }

    /// The current height.
    pub(crate) fn height() -> u32 {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// The election and its state.
    pub(crate) fn election(eid: &Eid) -> Result<(Election, ElectionState), Refusal> {
        let state = Elections::<T>::get(eid).ok_or(Refusal::UnknownElection)?;
        let manifest = Manifests::<T>::get(eid).ok_or(Refusal::UnknownElection)?;
        Ok((Election::new_unchecked(Self::genesis(), *eid, manifest), state))
    }

    /// Changes an election's state.
    pub(crate) fn update(eid: &Eid, change: impl FnOnce(&mut ElectionState)) -> Result<(), Refusal> {
        Elections::<T>::mutate(eid, |state| state.as_mut().map(change)).ok_or(Refusal::UnknownElection)
    }

    /// Moves an election to a phase, and out of the clock's sight when that is its last.
    pub(crate) fn enter(eid: &Eid, phase: Phase) -> Result<(), Refusal> {
        Self::update(eid, |state| state.phase = phase)?;
        if matches!(phase, Phase::Certified | Phase::Void) {
            Active::<T>::mutate(|active| active.retain(|other| other != eid));
        }
        Self::deposit_event(Event::PhaseEntered { eid: *eid, phase });
        Ok(())
    }

    pub(crate) fn refused(refusal: Refusal) -> DispatchError {
        Error::<T>::Refused(refusal as u8).into()
    }

    /// The pool's verdict on a message: a refusal's code, or valid under these tags, each a place in the pool that one
    /// message at a time can hold.
    pub(crate) fn verdict(
        checked: Result<(), Refusal>,
        priority: u64,
        longevity: u64,
        provides: impl IntoIterator<Item = impl Encode>,
    ) -> TransactionValidityWithRefund {
        checked.map_err(|refusal| InvalidTransaction::Custom(refusal as u8))?;
        let validity = ValidTransaction::with_tag_prefix("psephos")
            .priority(priority)
            .longevity(longevity)
            .propagate(true);
        let validity = provides.into_iter().fold(validity, ValidTransactionBuilder::and_provides);
        Ok((validity.build()?, Weight::zero()))
    }
}

/// The pool's order: the election's acts before ballots, so that a rush of ballots delays no close.
pub(crate) mod priority {
    /// Acts of board, registrars and trustees.
    pub const ACTS: u64 = 1_000;
    /// Registrations and ballots.
    pub const VOTERS: u64 = 100;
}

/// How many blocks the pool keeps an act that does not expire by itself.
pub(crate) const ACT_LONGEVITY: u64 = 256;
