//! Trustees accept, and say where they can be reached.

use psephos_protocol::{board::Action, refusal::Refusal, state::Phase, testing::Fixture, wire::Message};

use super::reason;
use crate::mock::*;

#[test]
fn trustees_accept_once_and_by_their_own_key() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    let good = chain.fixture.accept(1);
    let mut forged = good;
    forged.trustee = 2;
    assert_eq!(chain.submit(Message::Accept(forged)), Err(Refusal::NotTrustee));
    forged.trustee = 0;
    assert_eq!(chain.submit(Message::Accept(forged)), Err(Refusal::NotTrustee));
    chain.submit(Message::Accept(good)).expect("its own key");
    assert_eq!(chain.submit(Message::Accept(good)), Err(Refusal::AlreadyDone));
    assert_eq!(chain.state().phase, Phase::Setup);
    for trustee in [4, 2] {
        let acceptance = chain.fixture.accept(trustee);
        chain.submit(Message::Accept(acceptance)).expect("in any order");
    }
    assert_eq!(chain.state().accepted.to_vec(), [1, 2, 4]);
    let eid = chain.eid();
    chain.board(Action::Void { eid, reason: reason("a misprint") }).expect("voided");
    let late = chain.fixture.accept(3);
    assert_eq!(chain.submit(Message::Accept(late)), Err(Refusal::WrongPhase));
}

#[test]
fn trustees_say_where_they_are_by_their_own_key_and_the_last_word_counts() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    let eid = chain.eid();
    let urls = |chain: &mut Chain| -> Vec<(u8, String)> {
        let endpoints = chain.run(|| Voting::view_endpoints(eid));
        endpoints
            .into_iter()
            .map(|(trustee, endpoint)| (trustee, String::from_utf8(endpoint.url.to_vec()).expect("UTF-8")))
            .collect()
    };
    let first = chain.fixture.announce(2, 1, "https://two.example/#sha256=00");
    let mut forged = first.clone();
    forged.trustee = 1;
    assert_eq!(chain.submit(Message::Announce(forged)), Err(Refusal::NotTrustee));
    let mut changed = first.clone();
    changed.endpoint.url[8] = b'x';
    assert_eq!(chain.submit(Message::Announce(changed)), Err(Refusal::NotTrustee));
    chain.submit(Message::Announce(first.clone())).expect("its own key");
    assert_eq!(chain.submit(Message::Announce(first.clone())), Err(Refusal::AlreadyDone), "replayed");
    let other = chain.fixture.announce(1, 9, "http://one.example:9960");
    chain.submit(Message::Announce(other)).expect("numbers may leap");
    let later = chain.fixture.announce(2, 2, "https://zwei.example");
    chain.submit(Message::Announce(later)).expect("it moved");
    assert_eq!(chain.submit(Message::Announce(first)), Err(Refusal::AlreadyDone), "an old one");
    assert_eq!(urls(&mut chain), [(1, "http://one.example:9960".into()), (2, "https://zwei.example".into())]);
    for bad in ["", "ws://one.example", "https://one.example /", "https://one.example\n"] {
        let announcement = chain.fixture.announce(3, 1, bad);
        assert_eq!(chain.submit(Message::Announce(announcement)), Err(Refusal::InvalidText), "{bad:?}");
    }
    let zero = chain.fixture.announce(3, 0, "https://three.example");
    assert_eq!(chain.submit(Message::Announce(zero)), Err(Refusal::AlreadyDone), "they are counted from 1");
    chain.board(Action::Void { eid, reason: reason("a misprint") }).expect("voided");
    let late = chain.fixture.announce(3, 1, "https://three.example");
    assert_eq!(chain.submit(Message::Announce(late)), Err(Refusal::WrongPhase));
}
