//! The roll and the board (spec 3.4, 4): who signed what, and nobody alone.

use psephos_protocol::{
    board::{Action, Approval},
    ids::{Digest, Eid, Genesis},
    keys::{verify_signature, PublicKey, Signature, SigningKey},
    roll::{Access, EntryError, InvitationKeys, Registration, RollBatch, RollEntry, RollEvent},
    testing::{some_digest, Fixture, Params},
    transcript::{person, registration},
};

fn fixture() -> Fixture {
    Fixture::new(&Params::default())
}

#[test]
fn a_batch_is_of_one_registrar_number_and_election() {
    let mut fixture = fixture();
    let good = fixture.roll();
    let holds = |batch: &RollBatch| batch.verify(verify_signature, &fixture.election);
    assert!(holds(&good));
    assert!(!holds(&RollBatch { batch: 1, ..good.clone() }));
    assert!(!holds(&RollBatch { registrar: 1, ..good.clone() }));
    assert!(!holds(&RollBatch { eid: Eid([1; 32]), ..good.clone() }));
    let changes: [fn(&mut RollEntry); 5] = [
        |e| e.access = Access::Credential(PublicKey([1; 32])),
        |e| e.weight += 1,
        |e| e.style += 1,
        |e| e.unit += 1,
        |e| e.person.0[0] ^= 1,
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed.entries[2]);
        assert!(!holds(&changed));
    }
    let mut shorter = good.clone();
    shorter.entries.truncate(2);
    assert!(!holds(&shorter));
    let mut next = Fixture::new(&Params { number: 2, ..Params::default() });
    assert!(!holds(&RollBatch { eid: good.eid, ..next.roll() }));
}

#[test]
fn entries_fit_the_manifest() {
    let fixture = fixture();
    let good = fixture.entry(0);
    let check = |entry: RollEntry| entry.check(&fixture.election);
    assert_eq!(check(good.clone()), Ok(()));
    assert_eq!(check(RollEntry { weight: 2, ..good.clone() }), Err(EntryError::Weight(2)));
    assert_eq!(check(RollEntry { style: 1, ..good.clone() }), Err(EntryError::Style(1)));
    assert_eq!(check(RollEntry { unit: 1, ..good.clone() }), Err(EntryError::Unit(1)));
    let invitation = |keys: &[u8]| {
        let keys: Vec<_> = keys.iter().map(|key| PublicKey([*key; 32])).collect();
        check(RollEntry { access: Access::Invitation(keys.try_into().unwrap()), ..good.clone() })
    };
    assert_eq!((invitation(&[1]), invitation(&[1, 2])), (Ok(()), Ok(())));
    assert_eq!(invitation(&[]), Err(EntryError::Invitation));
    assert_eq!(invitation(&[1, 1]), Err(EntryError::Invitation));
}

/// A registration of entry 5 with these invitation keys and credential.
fn claim(fixture: &mut Fixture, invitations: &[&SigningKey], credential: &SigningKey) -> Registration {
    let (election, public) = (&fixture.election, credential.public());
    let payload = registration(5, &public);
    let signatures: Vec<Signature> = (0..)
        .zip(invitations)
        .map(|(index, key)| {
            key.sign(&Registration::invitation_signable(election, index, &payload), &mut fixture.rng)
        })
        .collect();
    let possession =
        credential.sign(&Registration::possession_signable(election, &payload), &mut fixture.rng);
    Registration {
        eid: election.eid,
        entry: 5,
        credential: public,
        invitations: signatures.try_into().unwrap(),
        possession,
    }
}

#[test]
fn an_invitation_is_claimed_with_all_its_keys() {
    let mut fixture = fixture();
    let [a, b, credential, thief] = [1, 2, 3, 4].map(|seed| SigningKey::from_seed([seed; 32]));
    let keys: InvitationKeys = vec![a.public(), b.public()].try_into().unwrap();
    let one: InvitationKeys = vec![a.public()].try_into().unwrap();
    let good = claim(&mut fixture, &[&a, &b], &credential);
    let verify =
        |claim: &Registration, keys: &InvitationKeys| claim.verify(verify_signature, &fixture.election, keys);
    assert!(verify(&good, &keys));
    assert!(!verify(&good, &one) && !verify(&good, &InvitationKeys::default()));
    assert!(!verify(&Registration { entry: 6, ..good.clone() }, &keys));
    assert!(!verify(&Registration { eid: Eid([1; 32]), ..good.clone() }, &keys));
    // Copied from the pool for another credential, which signs for itself.
    let mut fixture = self::fixture();
    let stolen = claim(&mut fixture, &[&thief, &thief], &thief);
    let stolen = Registration { invitations: good.invitations.clone(), ..stolen };
    assert!(!verify(&stolen, &keys));
    // A credential that its claimant does not hold.
    assert!(!verify(&Registration { possession: stolen.possession, ..good.clone() }, &keys));
    // One channel alone, one twice, or in the wrong order.
    for signers in [&[&a][..], &[&a, &a], &[&b, &a], &[&a, &thief]] {
        let claim = claim(&mut fixture, signers, &credential);
        assert!(!claim.verify(verify_signature, &fixture.election, &keys));
    }
    let alone = claim(&mut fixture, &[&a], &credential);
    assert!(alone.verify(verify_signature, &fixture.election, &one));
}

#[test]
fn the_roll_log_is_an_order_of_events() {
    let keys: InvitationKeys = vec![PublicKey([1; 32])].try_into().unwrap();
    let events = [
        RollEvent::Confirmed { batch: 0, digest: some_digest("a"), first: 0, count: 2 },
        RollEvent::Registered { entry: 1, credential: PublicKey([2; 32]) },
        RollEvent::Reinvited { entry: 1, keys },
    ];
    let head =
        |order: &[usize]| order.iter().fold(Digest::default(), |head, index| events[*index].append_to(&head));
    let heads = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]].map(|order| head(&order));
    for (index, one) in heads.iter().enumerate() {
        assert!(heads[index + 1..].iter().all(|other| other != one));
        assert_ne!(*one, head(&[0, 1]));
    }
    assert_ne!(person(&[0; 32], b"a"), person(&[1; 32], b"a"));
    assert_ne!(person(&[0; 32], b"a"), person(&[0; 32], b"b"));
}

fn actions(fixture: &Fixture) -> Vec<Action> {
    let eid = fixture.election.eid;
    let reason = psephos_protocol::bounds::Reason::default;
    vec![
        Action::CreateElection { number: 1, manifest: fixture.election.manifest.clone() },
        Action::CreateElection { number: 2, manifest: fixture.election.manifest.clone() },
        Action::ConfirmBatch { eid, batch: 0, digest: some_digest("a") },
        Action::ConfirmBatch { eid, batch: 1, digest: some_digest("a") },
        Action::ConfirmBatch { eid, batch: 0, digest: some_digest("b") },
        Action::Reinvite { eid, entry: 0, round: 0, keys: InvitationKeys::default() },
        Action::Reinvite { eid, entry: 0, round: 1, keys: InvitationKeys::default() },
        Action::Freeze { eid, roll: some_digest("a") },
        Action::Freeze { eid: Eid([1; 32]), roll: some_digest("a") },
        Action::Postpone { eid, opens_at: 1, closes_at: 2 },
        Action::Extend { eid, closes_at: 2, reason: reason() },
        Action::Close { eid },
        Action::Certify { eid, result: some_digest("a") },
        Action::Void { eid, reason: reason() },
    ]
}

#[test]
fn an_approval_is_of_one_action_member_and_chain() {
    let mut fixture = fixture();
    let actions = actions(&fixture);
    let board = fixture.election.manifest.board.clone();
    let genesis = fixture.election.genesis;
    for (index, action) in actions.iter().enumerate() {
        let good = fixture.approve(action.clone(), 1);
        assert!(good.verify(verify_signature, &genesis, &board));
        assert!(!good.verify(verify_signature, &Genesis([8; 32]), &board));
        for member in [0, 2, 3, 255] {
            let approval = Approval { member, ..good.clone() };
            assert!(!approval.verify(verify_signature, &genesis, &board));
        }
        for (other, action) in actions.iter().enumerate() {
            let approval = Approval { action: action.clone(), ..good.clone() };
            assert_eq!(approval.verify(verify_signature, &genesis, &board), other == index);
        }
    }
}

#[test]
fn the_identity_is_nobodys_key() {
    // Under the identity as a key, R = 0, s = 0 is a signature of everything.
    let mut anything = [0; 64];
    anything[63] = 0x80;
    let signature = Signature(anything);
    assert!(verify_signature(&signature, &[5; 64], &PublicKey([0; 32])), "sr25519 itself takes it");
    let mut fixture = fixture();
    let batch = RollBatch { signature, ..fixture.roll() };
    let close = Action::Close { eid: fixture.election.eid };
    let approval = Approval { signature, ..fixture.approve(close, 0) };
    let mut receipt = fixture.receipt(1, &Default::default());
    receipt.signature = signature;
    let manifest = &mut fixture.election.manifest;
    manifest.board.members[0] = PublicKey::default();
    manifest.registrars[0] = PublicKey::default();
    manifest.trustees[0].signing = PublicKey::default();
    let board = manifest.board.clone();
    assert!(!approval.verify(verify_signature, &fixture.election.genesis, &board));
    assert!(!batch.verify(verify_signature, &fixture.election));
    assert!(!receipt.verify(&fixture.election, &Default::default(), verify_signature));
    let claim = Registration {
        eid: fixture.election.eid,
        entry: 0,
        credential: PublicKey::default(),
        invitations: vec![signature].try_into().unwrap(),
        possession: signature,
    };
    let keys: InvitationKeys = vec![PublicKey::default()].try_into().unwrap();
    assert!(!claim.verify(verify_signature, &fixture.election, &keys));
}
