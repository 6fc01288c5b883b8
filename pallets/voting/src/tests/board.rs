//! The board acts together or not at all.

use psephos_protocol::{
    board::Action,
    refusal::Refusal,
    state::Phase,
    testing::{some_digest, Fixture},
    wire::Message,
};

use super::reason;
use crate::mock::*;
use crate::*;

#[test]
fn one_member_alone_does_nothing() {
    let mut chain = Chain::new(Fixture::new(&params()));
    let manifest = chain.fixture.election.manifest.clone();
    let action = Action::CreateElection { number: 0, manifest };
    let first = chain.fixture.approve(action.clone(), 0);
    chain.submit(Message::Approve(first.clone())).expect("an approval is taken");
    assert_eq!(chain.submit(Message::Approve(first)), Err(Refusal::AlreadyApproved));
    chain.run(|| assert_eq!(Elections::<Test>::iter().count(), 0));
    let second = chain.fixture.approve(action, 2);
    chain.submit(Message::Approve(second)).expect("two are enough");
    assert_eq!(chain.state().phase, Phase::Setup);
}

#[test]
fn an_approval_counts_for_its_signer_and_action_only() {
    let mut chain = Chain::new(Fixture::new(&params()));
    let manifest = chain.fixture.election.manifest.clone();
    let mut approval = chain.fixture.approve(Action::CreateElection { number: 0, manifest }, 0);
    approval.member = 1;
    assert_eq!(chain.submit(Message::Approve(approval.clone())), Err(Refusal::NotBoard));
    approval.member = 9;
    assert_eq!(chain.submit(Message::Approve(approval.clone())), Err(Refusal::NotBoard));
    approval.member = 0;
    if let Action::CreateElection { manifest, .. } = &mut approval.action {
        manifest.privacy_minimum += 1;
    }
    assert_eq!(chain.submit(Message::Approve(approval)), Err(Refusal::NotBoard));
}

#[test]
fn creation_works_once_and_for_valid_manifests() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    let manifest = chain.fixture.election.manifest.clone();
    let again = Action::CreateElection { number: 0, manifest: manifest.clone() };
    assert_eq!(chain.board(again), Err(Refusal::WrongNumber));
    let mut weak = manifest;
    weak.quorum = 2;
    assert_eq!(
        chain.board(Action::CreateElection { number: 1, manifest: weak }),
        Err(Refusal::InvalidManifest)
    );
}

#[test]
fn the_chain_serves_a_bounded_number_of_elections() {
    let mut chain = Chain::new(Fixture::new(&params()));
    let manifest = chain.fixture.election.manifest.clone();
    let full = (0..MAX_ACTIVE as u8).map(|n| Eid([n; 32])).collect::<Vec<_>>();
    chain.run(|| Active::<Test>::put(BoundedVec::truncate_from(full)));
    let create = Action::CreateElection { number: 0, manifest };
    assert_eq!(chain.board(create.clone()), Err(Refusal::TooManyElections));
    chain.run(|| Active::<Test>::mutate(|active| active.pop()));
    chain.board(create).expect("one has ended");
}

#[test]
fn a_member_has_a_bounded_number_of_proposals_and_they_expire() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let eid = chain.eid();
    let void = |n: usize| Action::Void { eid, reason: reason(&format!("reason {n}")) };
    for n in 0..MAX_PROPOSALS_PER_MEMBER {
        let approval = chain.fixture.approve(void(n), 0);
        chain.submit(Message::Approve(approval)).expect("room");
    }
    let one_more = chain.fixture.approve(void(99), 0);
    assert_eq!(chain.submit(Message::Approve(one_more.clone())), Err(Refusal::TooManyProposals));
    let another = chain.fixture.approve(void(98), 1);
    chain.submit(Message::Approve(another)).expect("each member has its own");
    chain.run(|| System::set_block_number(u64::from(psephos_protocol::bounds::PROPOSAL_LIFETIME) + 100));
    chain.submit(Message::Approve(one_more)).expect("the old ones expired");
    chain.run(|| assert_eq!(Proposals::<Test>::iter().count(), 1));
    let late = chain.fixture.approve(void(0), 1);
    chain.submit(Message::Approve(late)).expect("a new proposal");
    assert_eq!(chain.state().phase, Phase::Open, "an expired approval does not count");
    chain.block(1_004_000);
}

#[test]
fn an_approval_counts_until_it_expires() {
    for (after, expected) in [(0, Phase::Void), (1, Phase::Open)] {
        let mut chain = Chain::open(Fixture::new(&params()));
        let void = Action::Void { eid: chain.eid(), reason: reason("a misprint") };
        let first = chain.fixture.approve(void.clone(), 0);
        chain.submit(Message::Approve(first)).expect("an approval is taken");
        let lifetime = u64::from(psephos_protocol::bounds::PROPOSAL_LIFETIME);
        chain.run(|| System::set_block_number(System::block_number() + lifetime + after));
        let second = chain.fixture.approve(void, 1);
        chain.submit(Message::Approve(second)).expect("an approval is taken");
        assert_eq!(chain.state().phase, expected, "{after} blocks after the last one");
    }
}

#[test]
fn all_boards_together_have_a_bounded_number_of_proposals() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let void = Action::Void { eid: chain.eid(), reason: reason("a misprint") };
    let others =
        board::WaitingProposal { digest: some_digest("x"), proposer: PublicKey([7; 32]), expires: 99 };
    let full = vec![others; MAX_PROPOSALS as usize];
    chain.run(|| Waiting::<Test>::put(BoundedVec::truncate_from(full)));
    assert_eq!(chain.board(void.clone()), Err(Refusal::TooManyProposals));
    chain.run(|| Waiting::<Test>::mutate(|waiting| waiting.pop()));
    chain.board(void).expect("room");
}

#[test]
fn every_action_needs_its_phase() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    let eid = chain.eid();
    let close = Action::Close { eid };
    let certify = Action::Certify { eid, result: some_digest("x") };
    let freeze = Action::Freeze { eid, roll: chain.state().roll };
    let extend = Action::Extend { eid, closes_at: 9_000_000, reason: reason("storm") };
    for action in [&close, &certify, &freeze, &extend] {
        assert_eq!(chain.board(action.clone()), Err(Refusal::WrongPhase), "{action:?}");
    }
    let mut chain = Chain::open(Fixture::new(&params()));
    let freeze = Action::Freeze { eid, roll: chain.state().roll };
    let postpone = Action::Postpone { eid, opens_at: 1_500_000, closes_at: 2_500_000 };
    for action in [&certify, &freeze, &postpone] {
        assert_eq!(chain.board(action.clone()), Err(Refusal::WrongPhase), "{action:?}");
    }
}

#[test]
fn an_opening_moves_later_and_stays_before_the_close() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    let eid = chain.eid();
    let postpone = |opens_at, closes_at| Action::Postpone { eid, opens_at, closes_at };
    for (opens_at, closes_at) in
        [(1_000_000, 2_500_000), (1_500_000, 1_999_999), (2_500_000, 2_500_000), (2_600_000, 2_500_000)]
    {
        let refused = chain.board(postpone(opens_at, closes_at));
        assert_eq!(refused, Err(Refusal::WrongTime), "{opens_at} to {closes_at}");
    }
    chain.board(postpone(1_500_000, 2_000_000)).expect("the close may stay");
    let state = chain.state();
    assert_eq!((state.opens_at, state.closes_at), (1_500_000, 2_000_000));
}

#[test]
fn a_close_only_moves_later_and_is_final() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let eid = chain.eid();
    let extend = |closes_at, why: &str| Action::Extend { eid, closes_at, reason: reason(why) };
    assert_eq!(chain.board(extend(1_500_000, "earlier")), Err(Refusal::WrongTime));
    assert_eq!(chain.board(extend(2_000_000, "the same")), Err(Refusal::WrongTime));
    assert_eq!(chain.board(extend(3_000_000, "")), Err(Refusal::InvalidText));
    chain.board(extend(3_000_000, "power cut")).expect("later, with a reason");
    chain.block(2_900_000);
    chain.block(2_902_000);
    assert_eq!(chain.state().phase, Phase::Open);
    chain.block(3_000_000);
    assert_eq!(chain.state().phase, Phase::Open, "the clock sees the time at the next block");
    chain.block(3_002_000);
    let state = chain.state();
    assert_eq!(state.phase, Phase::Closed);
    let parent = chain.run(|| System::block_number() - 1);
    assert_eq!(state.closing.map(|closing| u64::from(closing.number)), Some(parent));
    assert_eq!(chain.board(extend(9_000_000, "too late")), Err(Refusal::WrongPhase));
}

#[test]
fn closing_early_needs_the_manifests_leave() {
    let mut chain = Chain::open(Fixture::with(&params(), |manifest| manifest.early_close = false));
    let eid = chain.eid();
    assert_eq!(chain.board(Action::Close { eid }), Err(Refusal::NoEarlyClose));
    assert_eq!(chain.state().phase, Phase::Open);
}

#[test]
fn void_ends_everything() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let eid = chain.eid();
    let unreadable = vec![0xff].try_into().expect("short");
    for reason in [reason(""), unreadable] {
        assert_eq!(chain.board(Action::Void { eid, reason }), Err(Refusal::InvalidText));
    }
    chain.board(Action::Void { eid, reason: reason("a misprint") }).expect("from any phase");
    assert_eq!(chain.state().phase, Phase::Void);
    chain.run(|| assert!(Active::<Test>::get().is_empty()));
    assert_eq!(chain.board(Action::Void { eid, reason: reason("again") }), Err(Refusal::WrongPhase));
    let ballot = chain.fixture.cast(0, 1, &[vec![1, 0, 0]]);
    assert_eq!(chain.submit(Message::Cast(ballot.cast)), Err(Refusal::WrongPhase));
}
