//! What the clock ends is over in the block that reaches the time.

use psephos_protocol::{
    board::Action, ids::Anchor, refusal::Refusal, state::Phase, testing::Fixture, wire::Message,
};

use super::reason;
use crate::mock::*;

/// An election whose roll is complete.
fn enrolled() -> Chain {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    chain.accept();
    chain.enroll();
    chain
}

#[test]
fn a_close_that_is_due_stands() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let eid = chain.eid();
    let extend = Action::Extend { eid, closes_at: 3_000_000, reason: reason("queues") };
    let first = chain.fixture.approve(extend.clone(), 0);
    chain.submit(Message::Approve(first)).expect("before the close");
    chain.block(2_000_000);
    assert_eq!(chain.state().phase, Phase::Open, "the clock sees the time at the next block");
    let second = chain.fixture.approve(extend, 1);
    assert_eq!(chain.submit(Message::Approve(second)), Err(Refusal::WrongPhase));
    assert_eq!(chain.board(Action::Close { eid }), Err(Refusal::WrongPhase), "it is early no more");
    chain.block(2_002_000);
    let state = chain.state();
    assert_eq!((state.phase, state.closes_at), (Phase::Closed, 2_000_000));
}

#[test]
fn an_opening_that_is_due_stands() {
    let mut chain = enrolled();
    let eid = chain.eid();
    chain.freeze().expect("frozen");
    chain.block(999_999);
    let postpone = |opens_at| Action::Postpone { eid, opens_at, closes_at: 3_000_000 };
    chain.board(postpone(1_100_000)).expect("before the opening");
    chain.block(1_100_000);
    assert_eq!(chain.state().phase, Phase::Frozen, "the clock sees the time at the next block");
    assert_eq!(chain.board(postpone(1_200_000)), Err(Refusal::WrongPhase));
    assert_eq!(chain.board(Action::Close { eid }), Err(Refusal::WrongPhase), "voting is not on yet");
    chain.block(1_102_000);
    let state = chain.state();
    assert_eq!((state.phase, state.opens_at), (Phase::Open, 1_100_000));
}

#[test]
fn a_phase_is_entered_once() {
    let mut chain = enrolled();
    chain.freeze().expect("frozen");
    let times = [900_000, 1_000_000, 1_002_000, 1_004_000, 2_000_000, 2_002_000, 2_004_000];
    let entered = times.map(|time| chain.entered(|chain| chain.block(time)));
    let (open, closed) = (vec![Phase::Open], vec![Phase::Closed]);
    assert_eq!(entered, [vec![], vec![], open, vec![], vec![], closed, vec![]]);
}

#[test]
fn a_late_registration_is_postponed_before_the_freeze() {
    let mut chain = enrolled();
    let eid = chain.eid();
    chain.block(2_000_000);
    assert_eq!(chain.freeze(), Err(Refusal::WrongTime), "nobody could vote");
    chain.board(Action::Postpone { eid, opens_at: 2_100_000, closes_at: 3_000_000 }).expect("later");
    chain.freeze().expect("before the new close");
}

#[test]
fn an_election_is_voided_at_any_time() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let eid = chain.eid();
    chain.block(2_000_000);
    chain.board(Action::Void { eid, reason: reason("a misprint") }).expect("in the closing block too");
    chain.block(2_002_000);
    assert_eq!(chain.state().phase, Phase::Void);
}

/// The block before this one.
fn parent(chain: &mut Chain) -> Anchor {
    chain.run(|| Anchor { number: System::block_number() as u32 - 1, hash: System::parent_hash().0 })
}

#[test]
fn the_closing_block_is_the_last_with_ballots_and_stays() {
    let mut by_clock = Chain::open(Fixture::new(&params()));
    by_clock.block(2_000_000);
    let mut by_board = Chain::open(Fixture::new(&params()));
    let eid = by_board.eid();
    by_board.board(Action::Close { eid }).expect("early");
    assert_eq!(by_board.state().closing, None, "this block's hash is not known yet");
    for mut chain in [by_clock, by_board] {
        chain.block(2_002_000);
        let closing = parent(&mut chain);
        assert_eq!(chain.state().closing, Some(closing));
        chain.block(2_004_000);
        assert_eq!(chain.state().closing, Some(closing));
    }
}
