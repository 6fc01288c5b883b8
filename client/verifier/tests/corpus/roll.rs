//! What registrars, voters with invitations, and a board that looks away could try on the roll.

use psephos_protocol::{
    board::Action,
    ids::Digest,
    keys::SigningKey,
    roll::{Access, InvitationKeys, RollBatch, RollEntry, RollEvent},
    testing::some_digest,
    wire::Message,
};

use super::{Allowed, Check, Corpus, Expected, Unnoticed};
use crate::{
    cases::HONEST,
    common::{World, ACCEPT, CREATE, FREEZE, REGISTER, ROLL},
};

pub fn add(corpus: &mut Corpus) {
    batches(corpus);
    confirmations(corpus);
    registrations(corpus);
}

/// Somebody who is not on the roll.
fn stranger(world: &World, seed: u8) -> RollEntry {
    let key = SigningKey::from_seed([seed; 32]).public();
    RollEntry { access: Access::Credential(key), person: some_digest("nobody"), ..world.fixture.entry(0) }
}

fn invited(world: &World, keys: &[&SigningKey]) -> RollEntry {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    let access = Access::Invitation(keys.try_into().expect("two keys at most"));
    RollEntry { access, ..stranger(world, 5) }
}

/// A further batch, signed, in that block.
fn propose(world: &mut World, place: usize, batch: u32, entries: Vec<RollEntry>) -> RollBatch {
    let batch = world.fixture.batch(batch, entries);
    world.blocks[place].push(Message::AddBatch(batch.clone()));
    batch
}

/// The board confirms a batch.
fn confirm(world: &mut World, place: usize, batch: &RollBatch) {
    let action = Action::ConfirmBatch { eid: batch.eid, batch: batch.batch, digest: batch.digest() };
    world.act(place, action);
}

/// The board freezes the roll with these events after those of the record.
fn freeze(world: &mut World, events: &[RollEvent]) {
    let eid = world.fixture.election.eid;
    let roll = events.iter().fold(world.roll, |head: Digest, event| event.append_to(&head));
    world.blocks[FREEZE].clear();
    world.act(FREEZE, Action::Freeze { eid, roll });
}

fn batches(corpus: &mut Corpus) {
    let mut case = |name: &str,
                    place: usize,
                    number: u32,
                    expected: Expected,
                    entries: &dyn Fn(&World) -> Vec<RollEntry>| {
        corpus.world(HONEST, format!("the registrar: {name}"), expected, |world| {
            let entries = entries(world);
            propose(world, place, number, entries);
        });
    };
    let waits = Unnoticed("a batch that the board never confirmed");
    case("proposes an entry that the board does not confirm", REGISTER, 1, waits, &|w| vec![stranger(w, 5)]);
    case("proposes a credential that is on the roll", REGISTER, 1, Check(6), &|w| vec![w.fixture.entry(0)]);
    case("proposes a credential twice", REGISTER, 1, Check(6), &|w| vec![stranger(w, 5), stranger(w, 5)]);
    case("proposes one entry good, one on the roll", REGISTER, 1, Check(6), &|w| {
        vec![stranger(w, 5), w.fixture.entry(2)]
    });
    case("proposes an invitation that is on the roll", REGISTER, 1, Check(6), &|w| {
        vec![invited(w, &[&w.invitation])]
    });
    case("proposes an invitation twice", REGISTER, 1, Check(6), &|w| {
        let key = SigningKey::from_seed([6; 32]);
        vec![invited(w, &[&key]), invited(w, &[&key])]
    });
    case("proposes an entry with an invitation twice", REGISTER, 1, Check(6), &|w| {
        let key = SigningKey::from_seed([6; 32]);
        vec![invited(w, &[&key, &key])]
    });
    case("proposes an entry without an invitation", REGISTER, 1, Check(6), &|w| vec![invited(w, &[])]);
    case("proposes a credential that is an invitation too", REGISTER, 1, Check(6), &|w| {
        vec![stranger(w, 5), invited(w, &[&SigningKey::from_seed([5; 32])])]
    });
    case("proposes nobody", REGISTER, 1, Check(6), &|_| Vec::new());
    case("leaves a number out", REGISTER, 2, Check(6), &|w| vec![stranger(w, 5)]);
    case("uses a number again", REGISTER, 0, Check(6), &|w| vec![stranger(w, 5)]);
    case("proposes when the roll is frozen", FREEZE, 1, Check(6), &|w| vec![stranger(w, 5)]);
    case("gives a weight that there is not", REGISTER, 1, Check(6), &|w| {
        vec![RollEntry { weight: 9, ..stranger(w, 5) }]
    });
    case("gives a style that there is not", REGISTER, 1, Check(6), &|w| {
        vec![RollEntry { style: 1, ..stranger(w, 5) }]
    });
    case("gives a unit that there is not", REGISTER, 1, Check(6), &|w| {
        vec![RollEntry { unit: 1, ..stranger(w, 5) }]
    });
    corpus.world(HONEST, "the registrar: has a batch signed by one who is none", Check(6), |world| {
        let entries = vec![stranger(world, 5)];
        world.fixture.registrars[0] = SigningKey::from_seed([1; 32]);
        propose(world, REGISTER, 1, entries);
    });
}

fn confirmations(corpus: &mut Corpus) {
    let mut case = |name: &str, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("the roll: {name}"), expected, change);
    };
    case("a voter more than the registrar proposed", Check(6), |world| {
        let batch = world.fixture.batch(1, vec![stranger(world, 5)]);
        confirm(world, REGISTER, &batch);
    });
    case("a voter more, whom one member confirmed", Check(6), |world| {
        let batch = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
        confirm(world, REGISTER, &batch);
        world.blocks[REGISTER].pop();
        let event = RollEvent::Confirmed { batch: 1, digest: batch.digest(), first: 4, count: 1 };
        freeze(world, &[event]);
    });
    case(
        "a voter more, with all that belongs to it",
        Allowed("registrar and board decide who may vote"),
        |world| {
            let batch = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
            confirm(world, REGISTER, &batch);
            let event = RollEvent::Confirmed { batch: 1, digest: batch.digest(), first: 4, count: 1 };
            freeze(world, &[event]);
        },
    );
    case("a voter more, whom the frozen head does not have", Check(6), |world| {
        let batch = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
        confirm(world, REGISTER, &batch);
    });
    case("a batch is confirmed as another", Check(6), |world| {
        let batch = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
        let other = RollBatch { entries: vec![stranger(world, 6)].try_into().expect("one"), ..batch };
        confirm(world, REGISTER, &other);
    });
    case("a batch is confirmed twice", Check(6), |world| {
        let Message::AddBatch(batch) = world.blocks[ROLL][0].clone() else { panic!("a batch") };
        confirm(world, ROLL, &batch);
    });
    case("two batches with one key, both confirmed", Check(6), |world| {
        let one = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
        let two = propose(world, REGISTER, 2, vec![stranger(world, 6), stranger(world, 5)]);
        confirm(world, REGISTER, &one);
        confirm(world, REGISTER, &two);
    });
    case("two batches with one invitation, both confirmed", Check(6), |world| {
        let key = SigningKey::from_seed([6; 32]);
        let entries = vec![invited(world, &[&key])];
        let one = propose(world, REGISTER, 1, entries.clone());
        let two = propose(world, REGISTER, 2, entries);
        confirm(world, REGISTER, &one);
        confirm(world, REGISTER, &two);
    });
    case("a batch is confirmed when the roll is frozen", Check(6), |world| {
        let batch = propose(world, REGISTER, 1, vec![stranger(world, 5)]);
        confirm(world, FREEZE, &batch);
    });
    case("nobody has a credential", Check(6), |world| {
        world.blocks[ROLL].clear();
        world.blocks[REGISTER].clear();
        let eid = world.fixture.election.eid;
        world.blocks[FREEZE].clear();
        world.act(FREEZE, Action::Freeze { eid, roll: Digest::default() });
    });
    case(
        "a batch before the trustees accepted, which may be",
        Unnoticed("in which of its blocks a message is"),
        |world| {
            let batch = world.blocks[ROLL].remove(0);
            world.blocks[CREATE].push(batch);
        },
    );
    case("more voters than the manifest allows", Check(6), |world| {
        // The election anew, with as many as there are.
        *world = World::voted(&crate::common::params(), |manifest| manifest.max_voters = 4);
        world.blocks.truncate(REGISTER + 1);
        propose(world, REGISTER, 1, vec![stranger(world, 5)]);
    });
}

fn registrations(corpus: &mut Corpus) {
    let mut case = |name: &str, expected: Expected, change: fn(&mut World)| {
        corpus.world(HONEST, format!("registration: {name}"), expected, change);
    };
    case("with an invitation of one's own", Check(6), |world| {
        world.invitation = SigningKey::from_seed([1; 32]);
        let claim = world.register(3, 3);
        world.blocks[REGISTER][0] = Message::Register(claim);
    });
    case("of another voter's entry, which has a credential", Check(6), |world| {
        let claim = world.register(0, 3);
        world.blocks[REGISTER].push(Message::Register(claim));
    });
    case("of an entry that there is not", Check(6), |world| {
        let claim = world.register(4, 3);
        world.blocks[REGISTER][0] = Message::Register(claim);
    });
    case("under a credential that is on the roll", Check(6), |world| {
        let claim = world.register(3, 0);
        let registered = RollEvent::Registered { entry: 3, credential: claim.credential };
        world.blocks[REGISTER][0] = Message::Register(claim);
        let confirmed = confirmed(world);
        world.roll = Digest::default();
        freeze(world, &[confirmed, registered]);
    });
    case("under a credential of somebody else", Check(6), |world| {
        let Message::Register(claim) = &mut world.blocks[REGISTER][0] else { panic!("a registration") };
        claim.credential = SigningKey::from_seed([1; 32]).public();
    });
    case("a second time, by another credential", Check(6), |world| {
        world.fixture.voters[3].key = SigningKey::from_seed([1; 32]);
        let claim = world.register(3, 3);
        world.blocks[REGISTER].push(Message::Register(claim));
    });
    case("by another credential, by a thief of the invitation", Check(6), |world| {
        world.fixture.voters[3].key = SigningKey::from_seed([1; 32]);
        let claim = world.register(3, 3);
        world.blocks[REGISTER][0] = Message::Register(claim);
    });
    case("before the trustees accepted", Check(5), |world| {
        let claim = world.blocks[REGISTER].remove(0);
        world.blocks[CREATE].push(claim);
    });
    case("before the batch is confirmed", Check(6), |world| {
        let claim = world.blocks[REGISTER].remove(0);
        world.blocks[ACCEPT].push(claim);
    });
    case("when the roll is frozen", Check(6), |world| {
        let claim = world.blocks[REGISTER].remove(0);
        world.blocks[FREEZE].push(claim);
        freeze_as_confirmed(world);
    });

    let mut reinvite = |name: &str,
                        place: usize,
                        entry: u32,
                        round: u8,
                        expected: Expected,
                        keys: &dyn Fn(&World) -> Vec<SigningKey>| {
        corpus.world(HONEST, format!("re-invitation: {name}"), expected, |world| {
            let eid = world.fixture.election.eid;
            let keys: Vec<_> = keys(world).iter().map(SigningKey::public).collect();
            let keys: InvitationKeys = keys.try_into().expect("two at most");
            world.act(place, Action::Reinvite { eid, entry, round, keys: keys.clone() });
            if place == REGISTER {
                freeze(world, &[RollEvent::Reinvited { entry, keys }]);
            }
        });
    };
    let fresh = |_: &World| vec![SigningKey::from_seed([8; 32])];
    reinvite("of a voter who does not register again", REGISTER, 3, 0, Check(8), &fresh);
    reinvite("of an entry that there is not", REGISTER, 4, 0, Check(6), &fresh);
    reinvite("in another round", REGISTER, 3, 1, Check(6), &fresh);
    reinvite("when the roll is frozen", FREEZE, 3, 0, Check(6), &fresh);
    reinvite("before the roll is confirmed", ACCEPT, 3, 0, Check(6), &fresh);
    reinvite("with the old key", REGISTER, 3, 0, Check(6), &|world| vec![world.invitation.clone()]);
    reinvite("with no key", REGISTER, 3, 0, Check(6), &|_| Vec::new());
    reinvite("with one key twice", REGISTER, 3, 0, Check(6), &|_| vec![SigningKey::from_seed([8; 32]); 2]);
    corpus.world(HONEST, "re-invitation: by one member alone, to take an entry over", Check(6), |world| {
        let eid = world.fixture.election.eid;
        world.invitation = SigningKey::from_seed([8; 32]);
        let keys: InvitationKeys = vec![world.invitation.public()].try_into().expect("one key");
        world.act(REGISTER, Action::Reinvite { eid, entry: 3, round: 0, keys });
        world.blocks[REGISTER].pop();
        world.fixture.voters[3].key = SigningKey::from_seed([1; 32]);
        let claim = world.register(3, 3);
        world.blocks[REGISTER].push(Message::Register(claim));
    });
}

/// What the roll log says of the record's batch.
fn confirmed(world: &World) -> RollEvent {
    let Message::AddBatch(batch) = &world.blocks[ROLL][0] else { panic!("a batch") };
    RollEvent::Confirmed { batch: 0, digest: batch.digest(), first: 0, count: batch.entries.len() as u32 }
}

/// The board freezes the roll before anybody registered.
fn freeze_as_confirmed(world: &mut World) {
    let claim = world.blocks[FREEZE].pop().expect("a registration");
    let confirmed = confirmed(world);
    world.roll = Digest::default();
    freeze(world, &[confirmed]);
    world.blocks[FREEZE].push(claim);
}
