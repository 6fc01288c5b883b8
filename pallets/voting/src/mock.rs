//! A runtime with this pallet, a clock, and real cryptography.

use codec::Decode;
use frame_support::{
    derive_impl,
    pallet_prelude::*,
    traits::{ConstU64, Hooks},
};
use psephos_protocol::{
    ballot::CastBallot,
    board::Action,
    ids::{Anchor, Eid, Genesis},
    refusal::Refusal,
    state::{ElectionState, Phase},
    testing::{Counted, Fixture, Params},
    wire::{bundle_to_extrinsic, Bundle, Message},
};
use sp_runtime::{
    traits::{Dispatchable, Hash as _},
    BuildStorage,
};

use crate::*;

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp::Pallet<Test>;
    #[runtime::pallet_index(8)]
    pub type Voting = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockHashCount = ConstU64<4_096>;
}

impl pallet_timestamp::Config for Test {
    type Moment = u64;
    type OnTimestampSet = ();
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = ();
}

impl crate::Config for Test {
    type WeightInfo = Weights;
}

/// Something for every step: these tests are not about what it costs.
pub struct Weights;

macro_rules! weights {
    ($($name:ident($($of:ident),*))*) => {
        impl crate::WeightInfo for Weights {
            $(fn $name($($of: u32),*) -> Weight {
                Weight::from_parts([1_000u64, $(u64::from($of) * 1_000),*].iter().sum(), 0)
            })*
        }
    };
}
weights! {
    authorize_approve()
    approve()
    create_election()
    confirm_batch(n)
    authorize_add_batch(n)
    add_batch(n)
    authorize_register()
    register()
    authorize_accept()
    accept()
    authorize_cast(b, r)
    authorize_known_cast(b, r)
    cast(c)
    authorize_known_bundle(n)
    bundle(n)
    authorize_agree()
    agree()
    authorize_contribute(n)
    contribute(n)
    authorize_finalize()
    finalize()
    tick(n)
    sum_narrow(n)
    sum_wide(n)
}

/// The hash of the mock's first block.
pub fn genesis() -> Genesis {
    Genesis(<<Test as frame_system::Config>::Hash as From<[u8; 32]>>::from([69; 32]).into())
}

/// An empty chain.
#[cfg(feature = "runtime-benchmarks")]
pub fn empty() -> sp_io::TestExternalities {
    RuntimeGenesisConfig::default().build_storage().expect("genesis builds").into()
}

/// A chain with an election on it, and all its keys.
pub struct Chain {
    /// The storage.
    pub externalities: sp_io::TestExternalities,
    /// The election and its keys.
    pub fixture: Fixture,
    /// The weight that on_idle gets in each block.
    pub idle: Weight,
}

/// The parameters of a fixture on this chain.
pub fn params() -> Params {
    Params { genesis: genesis(), number: 0, ..Params::default() }
}

impl Chain {
    /// A chain whose board is the fixture's, before the election is created.
    pub fn new(fixture: Fixture) -> Self {
        Self::asking(fixture, false)
    }

    /// The same; whether it asks for rehearsals.
    pub fn asking(fixture: Fixture, require_rehearsal: bool) -> Self {
        let board = &fixture.election.manifest.board;
        let storage = RuntimeGenesisConfig {
            voting: crate::GenesisConfig {
                board: board.members.iter().map(|key| key.0).collect(),
                threshold: board.threshold,
                require_rehearsal,
                ..Default::default()
            },
            ..Default::default()
        };
        let externalities = storage.build_storage().expect("genesis builds").into();
        let mut chain = Self { externalities, fixture, idle: Weight::from_parts(u64::MAX, u64::MAX) };
        chain.block(1_000);
        chain
    }

    /// The election's identifier.
    pub fn eid(&self) -> Eid {
        self.fixture.election.eid
    }

    /// The election's state.
    pub fn state(&mut self) -> ElectionState {
        let eid = self.eid();
        self.run(|| Elections::<Test>::get(eid).expect("the election was created"))
    }

    /// Runs something on the chain's storage.
    pub fn run<R>(&mut self, what: impl FnOnce() -> R) -> R {
        self.externalities.execute_with(what)
    }

    /// Ends the block and begins the next, at that time in ms.
    pub fn block(&mut self, time: u64) {
        let idle = self.idle;
        self.run(|| {
            let ended = System::block_number();
            if ended > 0 {
                Voting::on_idle(ended, idle);
                System::finalize();
                Voting::check_invariants().expect("the invariants hold after every block");
            }
            let number = ended + 1;
            let parent = if ended == 0 {
                System::block_hash(0)
            } else {
                <Test as frame_system::Config>::Hashing::hash(&ended.to_le_bytes())
            };
            System::initialize(&number, &parent, &Default::default());
            Voting::on_initialize(number);
            pallet_timestamp::Now::<Test>::put(time);
        });
    }

    /// Takes a message as the chain does: decoded from the wire, authorized, dispatched. What was authorized
    /// takes effect.
    pub fn submit(&mut self, message: Message) -> Result<(), Refusal> {
        self.submit_extrinsic(&message.to_extrinsic())
    }

    /// Takes ballots as a bundle, in this order.
    pub fn submit_bundle(&mut self, ballots: Vec<CastBallot>) -> Result<(), Refusal> {
        self.submit_extrinsic(&bundle_to_extrinsic(&Bundle::truncate_from(ballots)))
    }

    fn submit_extrinsic(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.run(|| {
            let opaque = alloc::vec::Vec::<u8>::decode(&mut &*bytes).expect("a length and that many bytes");
            let call = RuntimeCall::decode(&mut &opaque[2..]).expect("a message is a call");
            check(&call)?;
            let origin = frame_system::RawOrigin::Authorized.into();
            call.dispatch(origin).expect("what was authorized takes effect");
            Ok(())
        })
    }

    /// The phases that were entered by what happens.
    pub fn entered(&mut self, what: impl FnOnce(&mut Self)) -> Vec<Phase> {
        self.run(System::reset_events);
        what(self);
        let phase = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
            RuntimeEvent::Voting(Event::PhaseEntered { phase, .. }) => Some(phase),
            _ => None,
        };
        self.run(|| System::events().into_iter().filter_map(phase).collect())
    }

    /// Members 0 and 1 approve an action.
    pub fn board(&mut self, action: Action) -> Result<(), Refusal> {
        for member in 0..2 {
            let approval = self.fixture.approve(action.clone(), member);
            self.submit(Message::Approve(approval))?;
        }
        Ok(())
    }

    /// Creates the election.
    pub fn create(&mut self) {
        let manifest = self.fixture.election.manifest.clone();
        self.board(Action::CreateElection { number: 0, manifest }).expect("the board creates it");
    }

    /// All trustees accept.
    pub fn accept(&mut self) {
        for trustee in 1..=self.fixture.trustees.len() as u8 {
            let acceptance = self.fixture.accept(trustee);
            self.submit(Message::Accept(acceptance)).expect("a trustee accepts");
        }
    }

    /// All voters are on the roll, with their credentials.
    pub fn enroll(&mut self) {
        let batch = self.fixture.roll();
        let confirm = Action::ConfirmBatch { eid: batch.eid, batch: 0, digest: batch.digest() };
        self.submit(Message::AddBatch(batch)).expect("the registrar proposes");
        self.board(confirm).expect("the board confirms");
    }

    /// The board freezes the roll.
    pub fn freeze(&mut self) -> Result<(), Refusal> {
        let (eid, roll) = (self.eid(), self.state().roll);
        self.board(Action::Freeze { eid, roll })
    }

    /// A chain whose election is open.
    pub fn open(fixture: Fixture) -> Self {
        let mut chain = Self::new(fixture);
        chain.create();
        chain.accept();
        chain.enroll();
        chain.freeze().expect("the board freezes");
        chain.open_by_clock();
        chain
    }

    /// The opening of a frozen election comes.
    pub fn open_by_clock(&mut self) {
        self.block(1_000_000);
        self.block(1_002_000);
        assert_eq!(self.state().phase, Phase::Open);
        self.anchor();
    }

    /// Ties the next ballots to the block before this one.
    pub fn anchor(&mut self) {
        let anchor = self.run(|| {
            let number = System::block_number() - 1;
            Anchor { number: number as u32, hash: System::block_hash(number).0 }
        });
        self.fixture.anchor = anchor;
        self.fixture.expiry = anchor.number + 100;
    }

    /// A voter casts.
    pub fn cast(&mut self, voter: usize, sequence: u32, votes: &[alloc::vec::Vec<u32>]) -> Counted {
        let counted = self.fixture.cast(voter, sequence, votes);
        self.submit(Message::Cast(counted.cast.clone())).expect("the ballot is accepted");
        counted
    }

    /// The board closes, and the chain sums.
    pub fn close(&mut self) {
        let eid = self.eid();
        self.board(Action::Close { eid }).expect("the board closes");
        self.block(1_100_000);
        self.block(1_102_000);
        assert!(self.state().summed);
    }
}

/// What the pool says to a call.
pub fn check(call: &RuntimeCall) -> Result<(), Refusal> {
    use frame_support::pallet_prelude::{Authorize, TransactionSource};
    match call.authorize(TransactionSource::External) {
        Some(Ok(_)) => Ok(()),
        Some(Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))) => {
            Err(Refusal::from_code(code).expect("refusals have codes"))
        }
        other => panic!("{other:?}"),
    }
}
