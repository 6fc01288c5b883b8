//! Who gets onto the roll.

use codec::Encode;
use psephos_protocol::{
    board::Action,
    ids::Digest,
    keys::SigningKey,
    refusal::Refusal,
    roll::{Access, InvitationKeys, Registration, RollEntry, RollEvent},
    state::Phase,
    testing::{some_digest, Fixture},
    transcript,
    wire::Message,
};

use crate::mock::*;
use crate::*;

/// An election in registration.
fn registration() -> Chain {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    chain.accept();
    assert_eq!(chain.state().phase, Phase::Registration);
    chain
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// An entry with invitations for these keys.
fn invited(chain: &Chain, keys: &[&SigningKey]) -> RollEntry {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    RollEntry { access: Access::Invitation(keys.try_into().expect("two at most")), ..chain.fixture.entry(0) }
}

fn add(chain: &mut Chain, number: u32, entries: Vec<RollEntry>) -> Result<(), Refusal> {
    let batch = chain.fixture.batch(number, entries);
    chain.submit(Message::AddBatch(batch))
}

fn confirmation(chain: &mut Chain, number: u32, entries: &[RollEntry]) -> Action {
    let digest = chain.fixture.batch(number, entries.to_vec()).digest();
    Action::ConfirmBatch { eid: chain.eid(), batch: number, digest }
}

fn confirm(chain: &mut Chain, number: u32, entries: &[RollEntry]) -> Result<(), Refusal> {
    let action = confirmation(chain, number, entries);
    chain.board(action)
}

/// A claim of an entry, signed by these invitation keys and the credential.
fn claim(
    chain: &mut Chain,
    entry: u32,
    invitations: &[&SigningKey],
    credential: &SigningKey,
) -> Registration {
    let fixture = &mut chain.fixture;
    let payload = transcript::registration(entry, &credential.public());
    let signatures: Vec<_> = invitations
        .iter()
        .zip(0..)
        .map(|(key, index)| {
            key.sign(&Registration::invitation_signable(&fixture.election, index, &payload), &mut fixture.rng)
        })
        .collect();
    let possession =
        credential.sign(&Registration::possession_signable(&fixture.election, &payload), &mut fixture.rng);
    Registration {
        eid: fixture.election.eid,
        entry,
        credential: credential.public(),
        invitations: signatures.try_into().expect("two at most"),
        possession,
    }
}

#[test]
fn a_batch_counts_when_the_board_confirmed_it() {
    let mut chain = registration();
    let entries = vec![chain.fixture.entry(0), chain.fixture.entry(1)];
    add(&mut chain, 0, entries.clone()).expect("the registrar proposes");
    assert_eq!(chain.state().entries, 0);
    let approval = {
        let digest = chain.fixture.batch(0, entries.clone()).digest();
        let action = Action::ConfirmBatch { eid: chain.eid(), batch: 0, digest };
        chain.fixture.approve(action, 0)
    };
    chain.submit(Message::Approve(approval)).expect("one approval");
    assert_eq!(chain.state().entries, 0, "an official alone confirms nothing");
    let other = Action::ConfirmBatch { eid: chain.eid(), batch: 0, digest: some_digest("other") };
    assert_eq!(chain.board(other), Err(Refusal::UnknownBatch));
    let digest = chain.fixture.batch(0, entries).digest();
    let second = chain.fixture.approve(Action::ConfirmBatch { eid: chain.eid(), batch: 0, digest }, 1);
    chain.submit(Message::Approve(second)).expect("two approvals");
    let state = chain.state();
    assert_eq!((state.entries, state.voters), (2, 2));
    assert_ne!(state.roll, Default::default());
}

#[test]
fn only_the_registrar_proposes_and_in_order() {
    let mut chain = registration();
    let mut batch = chain.fixture.roll();
    batch.entries[0].weight += 1;
    assert_eq!(chain.submit(Message::AddBatch(batch)), Err(Refusal::NotRegistrar));
    let mut stranger = chain.fixture.roll();
    stranger.registrar = 1;
    assert_eq!(chain.submit(Message::AddBatch(stranger)), Err(Refusal::NotRegistrar));
    let entry = chain.fixture.entry(0);
    assert_eq!(add(&mut chain, 1, vec![entry]), Err(Refusal::WrongNumber));
}

#[test]
fn entries_fit_the_manifest() {
    let mut chain = registration();
    let good = chain.fixture.entry(0);
    let bad = [
        RollEntry { weight: 7, ..good.clone() },
        RollEntry { style: 1, ..good.clone() },
        RollEntry { unit: 1, ..good.clone() },
        invited(&chain, &[]),
        invited(&chain, &[&key(1), &key(1)]),
    ];
    for entry in bad {
        assert_eq!(
            add(&mut chain, 0, vec![good.clone(), entry.clone()]),
            Err(Refusal::InvalidEntry),
            "{entry:?}"
        );
    }
    assert_eq!(add(&mut chain, 0, vec![]), Err(Refusal::InvalidEntry));
    assert_eq!(add(&mut chain, 0, vec![good.clone(), good]), Err(Refusal::DuplicateCredential));
}

#[test]
fn nobody_is_on_the_roll_twice() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)]), chain.fixture.entry(0)];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    add(&mut chain, 1, entries.clone()).expect("not on the roll yet");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    assert_eq!(confirm(&mut chain, 0, &entries), Err(Refusal::AlreadyConfirmed));
    assert_eq!(confirm(&mut chain, 1, &entries), Err(Refusal::DuplicateCredential));
    let (on_the_roll, new) = (invited(&chain, &[&key(2), &key(1)]), invited(&chain, &[&key(3)]));
    for entries in [entries, vec![on_the_roll], vec![chain.fixture.entry(0)], vec![new.clone(), new]] {
        assert_eq!(add(&mut chain, 2, entries), Err(Refusal::DuplicateCredential));
    }
    assert_eq!(chain.state().entries, 2);
}

#[test]
fn the_roll_log_is_of_every_event() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)]), chain.fixture.entry(0)];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let first = claim(&mut chain, 0, &[&key(1)], &key(2));
    chain.submit(Message::Register(first)).expect("claimed");
    let keys: InvitationKeys = vec![key(3).public()].try_into().expect("one");
    let eid = chain.eid();
    chain.board(Action::Reinvite { eid, entry: 0, round: 0, keys: keys.clone() }).expect("re-invited");
    let digest = chain.fixture.batch(0, entries).digest();
    let log = [
        RollEvent::Confirmed { batch: 0, digest, first: 0, count: 2 },
        RollEvent::Registered { entry: 0, credential: key(2).public() },
        RollEvent::Reinvited { entry: 0, keys },
    ];
    let head = log.iter().fold(Digest::default(), |head, event| event.append_to(&head));
    assert_eq!(chain.state().roll, head);
}

#[test]
fn a_confirmation_is_refused_once_another_batch_took_its_place() {
    let mut chain = Chain::new(Fixture::with(&params(), |manifest| manifest.max_voters = 2));
    chain.create();
    chain.accept();
    let (first, second, third) = (chain.fixture.entry(0), chain.fixture.entry(1), chain.fixture.entry(2));
    let batches = [vec![first.clone()], vec![first.clone()], vec![second.clone(), third]];
    for (number, entries) in (0..).zip(&batches) {
        add(&mut chain, number, entries.clone()).expect("it fits the roll so far");
    }
    let early: Vec<_> =
        [1, 2].map(|number| confirmation(&mut chain, number, &batches[number as usize])).into();
    for action in &early {
        let approval = chain.fixture.approve(action.clone(), 0);
        chain.submit(Message::Approve(approval)).expect("it fits the roll so far");
    }
    confirm(&mut chain, 0, &batches[0]).expect("confirmed");
    for (action, refusal) in early.into_iter().zip([Refusal::DuplicateCredential, Refusal::RollFull]) {
        let approval = chain.fixture.approve(action, 1);
        assert_eq!(chain.submit(Message::Approve(approval)), Err(refusal));
    }
    add(&mut chain, 3, vec![second.clone()]).expect("what is left of it");
    confirm(&mut chain, 3, &[second]).expect("confirmed");
    chain.block(2_000);
}

#[test]
fn the_roll_has_the_manifests_size_at_most() {
    let mut chain = Chain::new(Fixture::with(&params(), |manifest| manifest.max_voters = 1));
    chain.create();
    chain.accept();
    let entries = vec![chain.fixture.entry(0), chain.fixture.entry(1)];
    assert_eq!(add(&mut chain, 0, entries), Err(Refusal::RollFull));
}

#[test]
fn a_bounded_number_of_batches_waits() {
    let mut chain = registration();
    let (eid, entry) = (chain.eid(), chain.fixture.entry(0));
    let proposed = |chain: &mut Chain, batches| {
        chain
            .run(|| Elections::<Test>::mutate(eid, |state| state.as_mut().expect("there").batches = batches));
    };
    proposed(&mut chain, MAX_WAITING_BATCHES);
    assert_eq!(add(&mut chain, MAX_WAITING_BATCHES, vec![entry.clone()]), Err(Refusal::TooManyBatches));
    proposed(&mut chain, MAX_WAITING_BATCHES - 1);
    add(&mut chain, MAX_WAITING_BATCHES - 1, vec![entry]).expect("room for one");
}

#[test]
fn a_frozen_roll_takes_nothing() {
    let mut chain = registration();
    chain.enroll();
    let waiting = vec![invited(&chain, &[&key(1)])];
    add(&mut chain, 1, waiting.clone()).expect("proposed");
    chain.freeze().expect("without it");
    assert_eq!(confirm(&mut chain, 1, &waiting), Err(Refusal::WrongPhase));
    let keys = vec![key(2).public()].try_into().expect("one");
    let reinvite = Action::Reinvite { eid: chain.eid(), entry: 0, round: 0, keys };
    assert_eq!(chain.board(reinvite), Err(Refusal::WrongPhase));
}

#[test]
fn an_invitation_is_claimed_once_by_its_keys() {
    let mut chain = registration();
    let (letter, mail, device, thief) = (key(1), key(2), key(3), key(4));
    let entries = vec![invited(&chain, &[&letter, &mail])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    let early = claim(&mut chain, 0, &[&letter, &mail], &device);
    assert_eq!(chain.submit(Message::Register(early.clone())), Err(Refusal::UnknownEntry), "not confirmed");
    confirm(&mut chain, 0, &entries).expect("confirmed");

    let one_channel = claim(&mut chain, 0, &[&letter], &device);
    assert_eq!(chain.submit(Message::Register(one_channel)), Err(Refusal::NotInvited));
    let swapped = claim(&mut chain, 0, &[&mail, &letter], &device);
    assert_eq!(chain.submit(Message::Register(swapped)), Err(Refusal::NotInvited));
    let mut copied = early.clone();
    copied.credential = thief.public();
    assert_eq!(chain.submit(Message::Register(copied)), Err(Refusal::NotInvited), "copied from the pool");
    let mut unproven = early.clone();
    unproven.possession = claim(&mut chain, 0, &[&letter, &mail], &thief).possession;
    assert_eq!(chain.submit(Message::Register(unproven)), Err(Refusal::NotInvited), "no proof of possession");

    chain.submit(Message::Register(early.clone())).expect("claimed");
    assert_eq!(chain.submit(Message::Register(early)), Err(Refusal::AlreadyRegistered));
    let second = claim(&mut chain, 0, &[&letter, &mail], &thief);
    assert_eq!(chain.submit(Message::Register(second)), Err(Refusal::AlreadyRegistered));
    assert_eq!(chain.state().voters, 1);
}

#[test]
fn one_credential_serves_one_entry() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)]), invited(&chain, &[&key(2)])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let first = claim(&mut chain, 0, &[&key(1)], &key(3));
    chain.submit(Message::Register(first)).expect("claimed");
    let second = claim(&mut chain, 1, &[&key(2)], &key(3));
    assert_eq!(chain.submit(Message::Register(second)), Err(Refusal::DuplicateCredential));
}

#[test]
fn a_lost_device_is_replaced_by_the_board() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let first = claim(&mut chain, 0, &[&key(1)], &key(3));
    chain.submit(Message::Register(first)).expect("claimed");
    let eid = chain.eid();
    let keys = vec![key(2).public()].try_into().expect("one");
    let reinvite = Action::Reinvite { eid, entry: 0, round: 0, keys };
    chain.board(reinvite.clone()).expect("re-invited");
    assert_eq!(chain.board(reinvite), Err(Refusal::WrongNumber), "works once");
    assert_eq!(chain.state().voters, 0);
    chain.run(|| assert!(!Voters::<Test>::contains_key(eid, key(3).public())));
    let second = claim(&mut chain, 0, &[&key(2)], &key(4));
    chain.submit(Message::Register(second)).expect("claimed anew");
    assert_eq!(chain.state().voters, 1);
    chain.block(2_000);
}

#[test]
fn a_re_invitation_is_of_an_entry_and_with_new_keys() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)]), invited(&chain, &[&key(2), &key(3)])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let eid = chain.eid();
    let reinvite = |entry, round, keys: &[SigningKey]| {
        let keys: Vec<_> = keys.iter().map(SigningKey::public).collect();
        Action::Reinvite { eid, entry, round, keys: keys.try_into().expect("two at most") }
    };
    assert_eq!(chain.board(reinvite(2, 0, &[key(4)])), Err(Refusal::UnknownEntry));
    assert_eq!(chain.board(reinvite(0, 1, &[key(4)])), Err(Refusal::WrongNumber));
    assert_eq!(chain.board(reinvite(0, 0, &[])), Err(Refusal::InvalidEntry));
    assert_eq!(chain.board(reinvite(0, 0, &[key(4), key(4)])), Err(Refusal::InvalidEntry));
    assert_eq!(chain.board(reinvite(0, 0, &[key(4), key(3)])), Err(Refusal::DuplicateCredential));
    chain.board(reinvite(1, 0, &[key(4), key(5)])).expect("re-invited");
    chain.board(reinvite(0, 0, &[key(2), key(3)])).expect("keys that came off the roll");
    let old = claim(&mut chain, 1, &[&key(2), &key(3)], &key(6));
    assert_eq!(chain.submit(Message::Register(old)), Err(Refusal::NotInvited));
}

#[test]
fn an_entry_is_re_invited_255_times_at_most() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let eid = chain.eid();
    chain.run(|| Entries::<Test>::mutate(eid, 0, |entry| entry.as_mut().expect("there").round = u8::MAX - 1));
    for (round, expected) in [(u8::MAX - 1, Ok(())), (u8::MAX, Err(Refusal::WrongNumber))] {
        let keys = vec![key(round).public()].try_into().expect("one");
        assert_eq!(chain.board(Action::Reinvite { eid, entry: 0, round, keys }), expected, "round {round}");
    }
}

#[test]
fn the_board_freezes_the_roll_that_it_saw() {
    let mut chain = registration();
    let eid = chain.eid();
    let empty = chain.state().roll;
    assert_eq!(chain.board(Action::Freeze { eid, roll: empty }), Err(Refusal::SmallGroup), "no voters");
    chain.enroll();
    assert_eq!(chain.board(Action::Freeze { eid, roll: empty }), Err(Refusal::RollChanged));
    chain.freeze().expect("the current roll");
    let entry = RollEntry { person: some_digest("late"), ..invited(&chain, &[&key(9)]) };
    assert_eq!(add(&mut chain, 1, vec![entry]), Err(Refusal::WrongPhase), "frozen");
    let late = claim(&mut chain, 0, &[&key(9)], &key(8));
    assert_eq!(chain.submit(Message::Register(late)), Err(Refusal::WrongPhase));
}

#[test]
fn small_groups_stop_the_freeze_unless_declared() {
    let params = psephos_protocol::testing::Params { voters: vec![1, 1, 1, 2], ..params() };
    for public in [false, true] {
        let mut chain = Chain::new(Fixture::with(&params, |manifest| {
            manifest.privacy_minimum = 2;
            manifest.small_groups_public = public;
        }));
        chain.create();
        chain.accept();
        chain.enroll();
        let expected = if public { Ok(()) } else { Err(Refusal::SmallGroup) };
        assert_eq!(chain.freeze(), expected, "one voter alone holds weight 2");
    }
}

#[test]
fn a_style_of_few_is_a_small_group() {
    let mut chain = Chain::new(Fixture::with(&params(), |manifest| {
        manifest.privacy_minimum = 2;
        let style = manifest.styles[0].clone();
        manifest.styles.try_push(style).expect("room");
    }));
    chain.create();
    chain.accept();
    let mut entries: Vec<_> = (0..3).map(|voter| chain.fixture.entry(voter)).collect();
    entries[2].style = 1;
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    assert_eq!(chain.freeze(), Err(Refusal::SmallGroup), "one voter alone has the second style");
}

#[test]
fn registration_of_another_election_is_refused() {
    let mut chain = registration();
    let entries = vec![invited(&chain, &[&key(1)])];
    add(&mut chain, 0, entries.clone()).expect("proposed");
    confirm(&mut chain, 0, &entries).expect("confirmed");
    let mut other = claim(&mut chain, 0, &[&key(1)], &key(3));
    other.eid.0[0] ^= 1;
    assert_eq!(chain.submit(Message::Register(other.clone())), Err(Refusal::UnknownElection));
    assert!(!other.encode().is_empty());
}
