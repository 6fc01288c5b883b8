//! Records that are too long for docs/vectors: a day's wait for a lowered quorum, and an entry that is re-invited as
//! often as it may be.

mod common;

use common::*;
use psephos_protocol::{
    agreement::SetStatement, board::Action, bounds::LOWERED_QUORUM_WAIT, keys::SigningKey,
    testing::some_digest, wire::Message,
};

/// An election whose board lowered the quorum of 3 to 2 in the block after the close; trustees sign `wait` blocks
/// after that, 1 and 2 the set, 3 and 4 another one if `others`.
fn lowered(wait: u32, others: bool) -> World {
    let mut world = World::voted(&params(), |_| ());
    let eid = world.fixture.election.eid;
    let reason = b"two are gone".to_vec().try_into().expect("short");
    world.tally();
    world.act(DECLARE, Action::LowerQuorum { eid, quorum: 2, reason });
    world.blocks[AGREE].pop();
    let mut tail = world.blocks.split_off(AGREE);
    if others {
        let Message::Agree(first) = &tail[0][0] else { panic!("an agreement") };
        let other = SetStatement { root: some_digest("another"), ..first.statement };
        for trustee in [3, 4] {
            let agreement = world.fixture.agree(trustee, other);
            tail[0].insert(0, Message::Agree(agreement));
        }
    }
    world.blocks.resize(DECLARE + wait as usize, Vec::new());
    world.blocks.append(&mut tail);
    world.times = (0..world.blocks.len()).map(time).collect();
    world
}

#[test]
fn a_lowered_quorum_holds_after_the_wait_and_not_before() {
    let report = lowered(LOWERED_QUORUM_WAIT, false).verify();
    assert!(report.verified(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("lowered the quorum for the set to 2")), "{report}");
    // Contributions are one block after the second signature; the quorum must hold by then.
    assert!(lowered(LOWERED_QUORUM_WAIT - 1, false).verify().verified(), "it is reached by waiting");
    assert_eq!(failed(&lowered(LOWERED_QUORUM_WAIT - 2, false).verify()), 11, "a block too early");
    assert_eq!(failed(&lowered(LOWERED_QUORUM_WAIT, true).verify()), 11, "two sets");
}

#[test]
fn an_entry_is_re_invited_255_times_at_most() {
    let mut world = World::honest();
    let eid = world.fixture.election.eid;
    for round in 0..=u8::MAX {
        let key = SigningKey::from_seed([[1, round]; 16].concat().try_into().expect("32 bytes"));
        let keys = vec![key.public()].try_into().expect("one key");
        world.act(REGISTER, Action::Reinvite { eid, entry: 0, round, keys });
    }
    let report = world.verify();
    assert_eq!(failed(&report), 6, "an entry re-invited too often");
    assert!(report.to_string().contains("entry 0 was re-invited 255 times, which is the most"), "{report}");
}
