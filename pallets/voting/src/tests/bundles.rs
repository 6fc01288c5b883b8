//! Ballots that travel together: as if each had come alone, all or none.

use frame_support::pallet_prelude::{Authorize, Encode, TransactionSource};
use psephos_protocol::{
    ballot::CastBallot,
    bounds::MAX_BUNDLE,
    refusal::Refusal,
    testing::{Fixture, Params},
    wire::{bundle, Message},
};

use crate::mock::*;
use crate::*;

fn chain(voters: usize) -> Chain {
    Chain::open(Fixture::new(&Params { voters: vec![1; voters], ..params() }))
}

/// A ballot of each voter, in a bundle's order.
fn ballots(chain: &mut Chain, sequence: u32) -> Vec<CastBallot> {
    let voters = 0..chain.fixture.voters.len();
    let ballots = voters.map(|voter| chain.fixture.cast(voter, sequence, &[vec![0, 1, 0]]).cast);
    bundle(ballots.collect()).expect("not too many").into_inner()
}

/// What happened since this was asked the last time.
fn events(chain: &mut Chain) -> Vec<RuntimeEvent> {
    chain.run(|| {
        let events = System::events().into_iter().map(|record| record.event).collect();
        System::reset_events();
        events
    })
}

#[test]
fn a_bundle_does_what_its_ballots_do_one_by_one() {
    let (mut together, mut alone) = (chain(5), chain(5));
    for sequence in [1, 2] {
        let ballots = ballots(&mut together, sequence);
        [&mut together, &mut alone].into_iter().for_each(|chain| drop(events(chain)));
        together.submit_bundle(ballots.clone()).expect("the bundle is accepted");
        for ballot in ballots {
            alone.submit(Message::Cast(ballot)).expect("each is accepted");
        }
        assert_eq!(together.state(), alone.state());
        let state = together.state();
        assert_eq!(state.ballots, 5 * sequence);
        // One event for all, and one for each.
        let accepted =
            Event::BallotsAccepted { eid: together.eid(), ballots: state.ballots, log: state.ballot_log };
        assert_eq!(events(&mut together), [accepted.clone().into()]);
        let one_by_one = events(&mut alone);
        assert_eq!((one_by_one.len(), one_by_one.last()), (5, Some(&accepted.into())));
    }
    let root = |chain: &mut Chain| chain.run(|| sp_io::storage::root(Default::default()));
    assert_eq!(root(&mut together), root(&mut alone));
}

#[test]
fn one_ballot_that_is_not_accepted_stops_all() {
    type Change = fn(&mut CastBallot);
    let changes: [(Refusal, Change); 7] = [
        (Refusal::WrongSequence, |cast| cast.signed.ballot.statement.sequence = 0),
        (Refusal::Expired, |cast| cast.signed.ballot.statement.expiry = 0),
        (Refusal::WrongAnchor, |cast| cast.signed.ballot.statement.anchor.hash[0] ^= 1),
        (Refusal::WrongStyle, |cast| cast.signed.ballot.statement.style = 7),
        (Refusal::NotOnRoll, |cast| cast.signed.ballot.statement.credential.0[31] ^= 1),
        (Refusal::BadSignature, |cast| cast.signed.signature.0[3] ^= 1),
        (Refusal::BadReceipts, |cast| cast.receipts[0].height += 1),
    ];
    let mut chain = chain(3);
    let before = chain.state();
    let good = ballots(&mut chain, 1);
    for (refusal, change) in changes {
        for place in 0..good.len() {
            let mut ballots = good.clone();
            change(&mut ballots[place]);
            assert_eq!(chain.submit_bundle(ballots), Err(refusal), "ballot {place}");
            assert_eq!(chain.state(), before);
        }
    }
    chain.submit(Message::Cast(good[1].clone())).expect("accepted alone");
    assert_eq!(chain.submit_bundle(good), Err(Refusal::WrongSequence), "one is recorded already");
}

#[test]
fn what_comes_together_is_of_one_election_and_in_order_each_once() {
    let mut chain = chain(3);
    let good = ballots(&mut chain, 1);
    let wrong = |chain: &mut Chain, change: fn(&mut Vec<CastBallot>)| {
        let mut ballots = good.clone();
        change(&mut ballots);
        assert_eq!(chain.submit_bundle(ballots), Err(Refusal::WrongBundle));
    };
    wrong(&mut chain, |ballots| ballots.clear());
    wrong(&mut chain, |ballots| ballots.swap(0, 1));
    wrong(&mut chain, |ballots| ballots.swap(1, 2));
    wrong(&mut chain, |ballots| ballots[1] = ballots[0].clone());
    wrong(&mut chain, |ballots| ballots[2].signed.ballot.statement.eid.0[0] ^= 1);
    // Two ballots by one voter, each of which could be accepted alone.
    let mut twice = good.clone();
    let credential = good[0].signed.ballot.statement.credential;
    let voter =
        (0..3).find(|voter| chain.fixture.voters[*voter].key.public() == credential).expect("a voter");
    twice.insert(1, chain.fixture.cast(voter, 2, &[vec![1, 0, 0]]).cast);
    assert_eq!(chain.submit_bundle(twice), Err(Refusal::WrongBundle));
    chain.submit_bundle(good[..1].to_vec()).expect("one alone may travel so");
}

#[test]
fn every_ballot_of_a_bundle_holds_its_voters_place_in_the_pool() {
    let mut chain = chain(3);
    let mut ballots = ballots(&mut chain, 1);
    chain.fixture.expiry -= 20;
    let credential = ballots[1].signed.ballot.statement.credential;
    let voter =
        (0..3).find(|voter| chain.fixture.voters[*voter].key.public() == credential).expect("a voter");
    ballots[1] = chain.fixture.cast(voter, 1, &[vec![0, 1, 0]]).cast;
    let validity = |call: RuntimeCall| match call.authorize(TransactionSource::External) {
        Some(Ok((validity, _))) => validity,
        other => panic!("{other:?}"),
    };
    chain.run(|| {
        let alone = ballots.iter().map(|ballot| validity(Call::cast { ballot: ballot.clone() }.into()));
        let alone: Vec<_> = alone.collect();
        let together = bundle(ballots.clone()).expect("not too many");
        let together = validity(Call::cast_bundle { ballots: together }.into());
        let places: Vec<_> = alone.iter().flat_map(|validity| validity.provides.clone()).collect();
        assert_eq!(together.provides, places);
        assert_eq!(together.longevity, alone[1].longevity, "until the first of them expires");
        assert!(alone[1].longevity < alone[0].longevity);
        assert_eq!((together.priority, together.propagate), (alone[0].priority, true));
    });
}

#[test]
fn a_bundle_has_a_length_and_weighs_what_is_in_it() {
    let mut chain = chain(1);
    let ballot = ballots(&mut chain, 1).remove(0);
    let many = vec![ballot.clone(); MAX_BUNDLE as usize + 1];
    assert!(bundle(many.clone()).is_none());
    let call = (10u8, many).encode();
    assert!(<Call<Test> as codec::Decode>::decode(&mut &call[..]).is_err());
    let weight = |ballots: &[CastBallot]| {
        let (authorize, cast) =
            (Pallet::<Test>::authorize_bundle_weight(ballots), Pallet::<Test>::bundle_weight(ballots));
        authorize.saturating_add(cast).ref_time()
    };
    let alone = weight(core::slice::from_ref(&ballot));
    assert!(weight(&[ballot.clone(), ballot.clone()]) > alone);
    let mut larger = ballot;
    larger.receipts.try_push(larger.receipts[0]).expect("room");
    assert!(weight(&[larger]) > alone);
}
