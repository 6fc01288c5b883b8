//! Benchmarks of every call, its check, and the hooks, with real ballots and signatures.

use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{pallet_prelude::*, traits::Authorize};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use psephos_protocol::{
    board::{Action, Approval},
    bounds::{MAX_BUNDLE, MAX_SUMS},
    cells::{Cells, Groups},
    contest::Rule,
    ids::{Anchor, Eid},
    keys::{PublicKey, SigningKey},
    roll::{Access, Registration, RollEntry},
    state::Phase,
    tally::{Contribution, Finalize},
    testing::{contest, name, set_statement, Counted, Fixture, Params},
    transcript,
    wire::{self, Bundle},
};

use crate::{pallet::*, sums::WIDE, *};

/// The chain's time while voting is open, in ms.
const OPEN: u64 = 1_500_000;

fn must<V, E: core::fmt::Debug>(result: Result<V, E>) -> Result<V, BenchmarkError> {
    result.map_err(|_| BenchmarkError::Stop("the fixture is taken"))
}

/// Columns of the election of [`spread`].
const COLUMNS: u32 = 16;

/// A contest of `options` options in an election with 16 trustees of whom `q` vouch, the board's
/// approvals of whose creation were given.
fn created<T: Config>(options: usize, q: u8, voters: usize) -> Result<Fixture, BenchmarkError> {
    created_in::<T>(options, q, voters, 1)
}

/// The same with totals per unit, of that many units.
fn created_in<T: Config>(
    options: usize,
    q: u8,
    voters: usize,
    units: u32,
) -> Result<Fixture, BenchmarkError> {
    frame_system::Pallet::<T>::set_block_number(20u32.into());
    let trustees = q.max(3);
    let params = Params {
        // Other ballots each time: the host remembers those that it has verified.
        seed: u128::from_le_bytes(frame_benchmarking::benchmarking::current_time()) as u64,
        genesis: Pallet::<T>::genesis(),
        number: 0,
        contests: vec![contest(options, Rule::plurality())],
        trustees,
        threshold: 2,
        quorum: q,
        voters: vec![1; voters],
        ..Params::default()
    };
    let mut fixture = Fixture::with(&params, |manifest| {
        manifest.max_voters = 10_000;
        manifest.by_unit = units > 1;
        manifest.units = BoundedVec::truncate_from(vec![name("Unit"); units as usize]);
    });
    ChainBoard::<T>::put(fixture.election.manifest.board.clone());
    let manifest = fixture.election.manifest.clone();
    board::<T>(&mut fixture, Action::CreateElection { number: 0, manifest })?;
    Ok(fixture)
}

fn board<T: Config>(fixture: &mut Fixture, action: Action) -> Result<(), BenchmarkError> {
    for member in 0..2 {
        let approval = fixture.approve(action.clone(), member);
        must(Pallet::<T>::do_approve(approval))?;
    }
    Ok(())
}

fn phase<T: Config>(fixture: &Fixture, phase: Phase) -> Result<(), BenchmarkError> {
    must(Pallet::<T>::enter(&fixture.election.eid, phase))
}

/// An election in registration, with `voters` invited by the keys of [`invitation`].
fn registration<T: Config>(voters: u8) -> Result<Fixture, BenchmarkError> {
    let mut fixture = created::<T>(3, 3, 1)?;
    phase::<T>(&fixture, Phase::Registration)?;
    let entries = (0..voters).map(|voter| invited(&fixture, voter)).collect();
    let batch = fixture.batch(0, entries);
    let confirm = Action::ConfirmBatch { eid: batch.eid, batch: 0, digest: batch.digest() };
    must(Pallet::<T>::do_add_batch(batch))?;
    board::<T>(&mut fixture, confirm)?;
    Ok(fixture)
}

fn invitation(voter: u8, channel: u8) -> SigningKey {
    SigningKey::from_seed([voter, channel].repeat(16).try_into().unwrap_or([0; 32]))
}

fn invited(fixture: &Fixture, voter: u8) -> RollEntry {
    let keys = vec![invitation(voter, 1).public(), invitation(voter, 2).public()];
    RollEntry { access: Access::Invitation(BoundedVec::truncate_from(keys)), ..fixture.entry(0) }
}

fn claim(fixture: &mut Fixture) -> Registration {
    let credential = SigningKey::from_seed([99; 32]);
    let payload = transcript::registration(0, &credential.public());
    let election = &fixture.election;
    let signatures = [1u8, 2].iter().zip(0u32..).map(|(channel, index)| {
        let signable = Registration::invitation_signable(election, index, &payload);
        invitation(0, *channel).sign(&signable, &mut fixture.rng)
    });
    let invitations = BoundedVec::truncate_from(signatures.collect());
    let possession =
        credential.sign(&Registration::possession_signable(election, &payload), &mut fixture.rng);
    Registration { eid: election.eid, entry: 0, credential: credential.public(), invitations, possession }
}

/// An open election whose voters are on the roll.
fn open<T: Config>(options: usize, q: u8, voters: usize) -> Result<Fixture, BenchmarkError> {
    open_in::<T>(options, q, voters, 1)
}

/// The same with totals per unit, of that many units.
fn open_in<T: Config>(options: usize, q: u8, voters: usize, units: u32) -> Result<Fixture, BenchmarkError> {
    let mut fixture = created_in::<T>(options, q, voters, units)?;
    phase::<T>(&fixture, Phase::Registration)?;
    let batch = fixture.roll();
    let confirm = Action::ConfirmBatch { eid: batch.eid, batch: 0, digest: batch.digest() };
    must(Pallet::<T>::do_add_batch(batch))?;
    board::<T>(&mut fixture, confirm)?;
    phase::<T>(&fixture, Phase::Open)?;
    pallet_timestamp::Now::<T>::put(OPEN);
    let number = BlockNumberFor::<T>::from(10u32);
    frame_system::BlockHash::<T>::insert(
        number,
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32)),
    );
    fixture.anchor = Anchor { number: 10, hash: frame_system::Pallet::<T>::block_hash(number).into() };
    fixture.expiry = 100;
    Ok(fixture)
}

fn vote(options: usize) -> Vec<Vec<u32>> {
    let mut vote = vec![0; options];
    vote[0] = 1;
    vec![vote]
}

/// An open election, and `n` ballots of two options.
fn bundle_of<T: Config>(n: u32) -> Result<Bundle, BenchmarkError> {
    let mut fixture = open::<T>(2, 3, n as usize)?;
    let ballots = (0..n as usize).map(|voter| fixture.cast(voter, 1, &vote(2)).cast);
    must(wire::bundle(ballots.collect()).ok_or(()))
}

/// A closed and summed election with one ballot.
fn closed<T: Config>(options: usize, q: u8) -> Result<(Fixture, Vec<Counted>), BenchmarkError> {
    let mut fixture = open::<T>(options, q, 1)?;
    let ballot = fixture.cast(0, 1, &vote(options));
    must(Pallet::<T>::do_cast([ballot.cast.clone()]))?;
    phase::<T>(&fixture, Phase::Closed)?;
    must(Pallet::<T>::update(&fixture.election.eid, |state| state.closing = Some(Anchor::default())))?;
    Pallet::<T>::sum_some(Weight::MAX);
    Ok((fixture, vec![ballot]))
}

/// An election of [`WIDE`] sums whose set is agreed.
fn agreed<T: Config>() -> Result<(Fixture, Vec<Counted>), BenchmarkError> {
    let (mut fixture, ballots) = closed::<T>(WIDE as usize + 1, 3)?;
    for trustee in 1..=3 {
        let agreement = fixture.agree(trustee, set_statement(&ballots, Anchor::default()));
        must(Pallet::<T>::do_agree(agreement))?;
    }
    Ok((fixture, ballots))
}

/// An agreed election of [`COLUMNS`] columns in so many units that there are `sums` sums, or a few more; each unit is a cell,
/// and has a ballot by what the chain says. With the first trustee's contribution.
fn spread<T: Config>(sums: u32) -> Result<Contribution, BenchmarkError> {
    let units = sums.div_ceil(COLUMNS);
    let mut fixture = open_in::<T>(COLUMNS as usize + 1, 3, 1, units)?;
    let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
    phase::<T>(&fixture, Phase::Closed)?;
    must(Pallet::<T>::update(&eid, |state| state.closing = Some(Anchor::default())))?;
    Pallet::<T>::sum_some(Weight::MAX);
    for trustee in 1..=3 {
        let agreement = fixture.agree(trustee, set_statement(&[], Anchor::default()));
        must(Pallet::<T>::do_agree(agreement))?;
    }
    let mut groups = Groups::per_unit(&manifest);
    groups.iter_mut().for_each(|unit| unit.add(&manifest, 1, 0));
    let cells = Cells::of(&manifest, &groups);
    let sums = BoundedVec::truncate_from(vec![Default::default(); cells.sums(&manifest)]);
    Sums::<T>::mutate(eid, |summing| summing.as_mut().map(|summing| summing.cells = Some(cells)));
    let root = set_statement(&[], Anchor::default()).root;
    let (election, key) = (&fixture.election, &fixture.trustees[0].signing);
    Ok(Contribution::sign(election, 1, key, root, sums, &mut fixture.rng))
}

fn authorize<T: Config>(call: Call<T>) -> Result<(), BenchmarkError> {
    match call.authorize(TransactionSource::External) {
        Some(Ok(_)) => Ok(()),
        _ => Err(BenchmarkError::Stop("the call is authorized")),
    }
}

/// An approval with the longest reason there can be.
fn voiding(fixture: &mut Fixture, member: u8) -> Approval {
    let reason = BoundedVec::truncate_from(vec![b'x'; 1_024]);
    fixture.approve(Action::Void { eid: fixture.election.eid, reason }, member)
}

/// A closed election with `ballots` copies of a ballot of `options` options, not summed yet.
fn to_sum<T: Config>(options: usize, ballots: u32) -> Result<Eid, BenchmarkError> {
    let (fixture, _) = closed::<T>(options, 3)?;
    let eid = fixture.election.eid;
    let ballot = must(Ballots::<T>::iter_prefix_values(eid).next().ok_or(()))?;
    let _ = Ballots::<T>::clear_prefix(eid, u32::MAX, None);
    for copy in 0..ballots {
        let mut key = [0u8; 32];
        key[..4].copy_from_slice(&copy.to_le_bytes());
        Ballots::<T>::insert(eid, PublicKey(key), ballot.clone());
    }
    Sums::<T>::remove(eid);
    must(Pallet::<T>::update(&eid, |state| state.summed = false))?;
    Ok(eid)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn authorize_approve() -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(128, 16, 1)?;
        let call = Call::<T>::approve { approval: voiding(&mut fixture, 0) };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn approve() -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(128, 16, 1)?;
        let approval = voiding(&mut fixture, 0);
        #[extrinsic_call]
        _(RawOrigin::Authorized, approval);
        Ok(())
    }

    #[benchmark]
    fn create_election() -> Result<(), BenchmarkError> {
        let fixture = created::<T>(128, 16, 1)?;
        let election = fixture.election.clone();
        #[block]
        {
            must(Pallet::<T>::create(0, election))?;
        }
        Ok(())
    }

    #[benchmark]
    fn confirm_batch(n: Linear<1, 2_000>) -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(3, 3, n as usize)?;
        let batch = fixture.roll();
        let eid = batch.eid;
        must(Pallet::<T>::do_add_batch(batch))?;
        #[block]
        {
            must(Pallet::<T>::confirm_batch(&eid, 0))?;
        }
        Ok(())
    }

    #[benchmark]
    fn authorize_add_batch(n: Linear<1, 2_000>) -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(3, 3, n as usize)?;
        let call = Call::<T>::add_batch { batch: fixture.roll() };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn add_batch(n: Linear<1, 2_000>) -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(3, 3, n as usize)?;
        let batch = fixture.roll();
        #[extrinsic_call]
        _(RawOrigin::Authorized, batch);
        Ok(())
    }

    #[benchmark]
    fn authorize_register() -> Result<(), BenchmarkError> {
        let mut fixture = registration::<T>(1)?;
        let call = Call::<T>::register { registration: claim(&mut fixture) };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        let mut fixture = registration::<T>(1)?;
        let registration = claim(&mut fixture);
        #[extrinsic_call]
        _(RawOrigin::Authorized, registration);
        Ok(())
    }

    #[benchmark]
    fn authorize_accept() -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(128, 16, 1)?;
        let call = Call::<T>::accept { acceptance: fixture.accept(1) };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn accept() -> Result<(), BenchmarkError> {
        let mut fixture = created::<T>(128, 16, 1)?;
        let acceptance = fixture.accept(1);
        #[extrinsic_call]
        _(RawOrigin::Authorized, acceptance);
        Ok(())
    }

    /// `b` range bits, one for each option, and `r` receipts; the node knows the style, but has not verified the
    /// ballot before.
    #[benchmark]
    fn authorize_cast(b: Linear<2, 128>, r: Linear<3, 16>) -> Result<(), BenchmarkError> {
        let mut fixture = open::<T>(b as usize, r as u8, 2)?;
        let first = fixture.cast(0, 1, &vote(b as usize)).cast;
        authorize(Call::<T>::cast { ballot: first })?;
        let ballot = fixture.cast(1, 1, &vote(b as usize)).cast;
        let call = Call::<T>::cast { ballot };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    /// The same of a ballot that the node has verified before.
    #[benchmark]
    fn authorize_known_cast(b: Linear<2, 128>, r: Linear<3, 16>) -> Result<(), BenchmarkError> {
        let mut fixture = open::<T>(b as usize, r as u8, 1)?;
        let ballot = fixture.cast(0, 1, &vote(b as usize)).cast;
        let call = Call::<T>::cast { ballot };
        authorize(call.clone())?;
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    /// `c` commitments.
    #[benchmark]
    fn cast(c: Linear<1, 127>) -> Result<(), BenchmarkError> {
        let options = c as usize + 1;
        let mut fixture = open::<T>(options, 16, 1)?;
        let ballot = fixture.cast(0, 1, &vote(options)).cast;
        #[extrinsic_call]
        _(RawOrigin::Authorized, ballot);
        Ok(())
    }

    /// `n` of the smallest ballots, which the node has verified before.
    #[benchmark]
    fn authorize_known_bundle(n: Linear<1, MAX_BUNDLE>) -> Result<(), BenchmarkError> {
        let call = Call::<T>::cast_bundle { ballots: bundle_of::<T>(n)? };
        authorize(call.clone())?;
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    /// The same.
    #[benchmark]
    fn bundle(n: Linear<1, MAX_BUNDLE>) -> Result<(), BenchmarkError> {
        let ballots = bundle_of::<T>(n)?;
        #[extrinsic_call]
        cast_bundle(RawOrigin::Authorized, ballots);
        Ok(())
    }

    #[benchmark]
    fn authorize_agree() -> Result<(), BenchmarkError> {
        let (mut fixture, ballots) = closed::<T>(128, 16)?;
        let agreement = fixture.agree(1, set_statement(&ballots, Anchor::default()));
        let call = Call::<T>::agree { agreement };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn agree() -> Result<(), BenchmarkError> {
        let (mut fixture, ballots) = closed::<T>(128, 16)?;
        for trustee in 2..=16 {
            let agreement = fixture.agree(trustee, set_statement(&ballots, Anchor::default()));
            must(Pallet::<T>::do_agree(agreement))?;
        }
        let agreement = fixture.agree(1, set_statement(&ballots, Anchor::default()));
        #[extrinsic_call]
        _(RawOrigin::Authorized, agreement);
        Ok(())
    }

    /// `n` sums, or the next multiple of [`COLUMNS`].
    #[benchmark]
    fn authorize_contribute(n: Linear<2, MAX_SUMS>) -> Result<(), BenchmarkError> {
        let call = Call::<T>::contribute { contribution: spread::<T>(n)? };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    /// The same.
    #[benchmark]
    fn contribute(n: Linear<2, MAX_SUMS>) -> Result<(), BenchmarkError> {
        let contribution = spread::<T>(n)?;
        #[extrinsic_call]
        _(RawOrigin::Authorized, contribution);
        Ok(())
    }

    #[benchmark]
    fn authorize_finalize() -> Result<(), BenchmarkError> {
        let (mut fixture, ballots) = agreed::<T>()?;
        for trustee in 1..=2 {
            let contribution = fixture.contribute(trustee, &ballots);
            must(Pallet::<T>::do_contribute(contribution))?;
        }
        let contributors = BoundedVec::truncate_from(vec![1, 2]);
        let call = Call::<T>::finalize { finalize: Finalize { eid: fixture.election.eid, contributors } };
        #[block]
        {
            authorize(call)?;
        }
        Ok(())
    }

    #[benchmark]
    fn finalize() -> Result<(), BenchmarkError> {
        let (mut fixture, ballots) = agreed::<T>()?;
        for trustee in 1..=2 {
            let contribution = fixture.contribute(trustee, &ballots);
            must(Pallet::<T>::do_contribute(contribution))?;
        }
        let contributors = BoundedVec::truncate_from(vec![1, 2]);
        let message = Finalize { eid: fixture.election.eid, contributors };
        #[extrinsic_call]
        finalize(RawOrigin::Authorized, message);
        Ok(())
    }

    #[benchmark]
    fn tick(n: Linear<0, MAX_ACTIVE>) -> Result<(), BenchmarkError> {
        let fixture = created::<T>(3, 3, 1)?;
        let eid = fixture.election.eid;
        let state = must(Elections::<T>::get(eid).ok_or(()))?;
        let copies: Vec<_> = (0..n).map(|copy| Eid([copy as u8; 32])).collect();
        for copy in &copies {
            let mut state = state.clone();
            state.phase = Phase::Frozen;
            state.opens_at = 0;
            Elections::<T>::insert(copy, state);
        }
        Active::<T>::put(BoundedVec::truncate_from(copies));
        #[block]
        {
            Pallet::<T>::tick();
        }
        Ok(())
    }

    /// `n` ballots into sums of two columns.
    #[benchmark]
    fn sum_narrow(n: Linear<0, 100>) -> Result<(), BenchmarkError> {
        let eid = to_sum::<T>(3, n)?;
        #[block]
        {
            Pallet::<T>::sum_some(Weight::MAX);
        }
        assert!(Sums::<T>::contains_key(eid));
        Ok(())
    }

    /// `n` ballots into sums of [`WIDE`] columns.
    #[benchmark]
    fn sum_wide(n: Linear<0, 100>) -> Result<(), BenchmarkError> {
        let eid = to_sum::<T>(WIDE as usize + 1, n)?;
        #[block]
        {
            Pallet::<T>::sum_some(Weight::MAX);
        }
        assert!(Sums::<T>::contains_key(eid));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::empty(), crate::mock::Test);
}
