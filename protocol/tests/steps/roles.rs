//! Signatures (spec 2.4): one key, one role, one chain, one election, one index, one payload.

use proptest::prelude::*;
use psephos_protocol::{
    ids::{Eid, Genesis},
    keys::{verify_signature, PublicKey, Signable, Signature, SigningKey},
    transcript::Role,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

const ROLES: [Role; 13] = [
    Role::Board,
    Role::Registrar,
    Role::Invitation,
    Role::Registration,
    Role::TrusteeAcceptance,
    Role::Ballot,
    Role::Receipt,
    Role::Agreement,
    Role::Contribution,
    Role::Endpoint,
    Role::PeerRequest,
    Role::RepairPart,
    Role::Declaration,
];

#[test]
fn a_signature_is_of_one_role() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let key = SigningKey::generate(&mut rng);
    let (genesis, eid) = (Genesis([1; 32]), Eid([2; 32]));
    let signable = |role| Signable { role, genesis: &genesis, eid: &eid, index: 3, payload: b"payload" };
    for (i, role) in ROLES.into_iter().enumerate() {
        // Nobody can forget to list a new role here: numbers have no gap.
        assert_eq!(role as usize, i + 1);
        let signature = key.sign(&signable(role), &mut rng);
        for other in ROLES {
            let verdict = signable(other).verify(verify_signature, &signature, &key.public());
            assert_eq!(verdict, other == role, "{role:?} as {other:?}");
        }
    }
}

#[test]
fn a_signature_is_of_one_context() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let key = SigningKey::generate(&mut rng);
    let (genesis, eid) = (Genesis([1; 32]), Eid([2; 32]));
    let good = Signable { role: Role::Receipt, genesis: &genesis, eid: &eid, index: 3, payload: b"payload" };
    let signature = key.sign(&good, &mut rng);
    let holds = |signable: Signable| signable.verify(verify_signature, &signature, &key.public());
    assert!(holds(good));
    assert!(!holds(Signable { genesis: &Genesis([9; 32]), ..good }));
    assert!(!holds(Signable { eid: &Eid([9; 32]), ..good }));
    // Chain and election can't change places.
    assert!(!holds(Signable { genesis: &Genesis(eid.0), eid: &Eid(genesis.0), ..good }));
    assert!(!holds(Signable { index: 4, ..good }));
    for payload in [&b"payloa"[..], b"payloads", b"Payload", b""] {
        assert!(!holds(Signable { payload, ..good }));
    }
    let other = SigningKey::generate(&mut rng).public();
    assert!(!good.verify(verify_signature, &signature, &other));
}

#[test]
fn bytes_that_are_no_signature_or_key_sign_nothing() {
    let message = [0; 64];
    let key = SigningKey::from_seed([5; 32]).public();
    assert!(!verify_signature(&Signature([0; 64]), &message, &key));
    assert!(!verify_signature(&Signature([0xff; 64]), &message, &key));
    assert!(!verify_signature(&Signature([0xff; 64]), &message, &PublicKey([0xff; 32])));
}

proptest! {
    #[test]
    fn different_statements_are_different_messages(
        a in (0usize..10, any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)),
        b in (0usize..10, any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)),
    ) {
        let message = |(role, genesis, eid, index, payload): &(usize, [u8; 32], [u8; 32], u32, Vec<u8>)| {
            let (genesis, eid) = (Genesis(*genesis), Eid(*eid));
            Signable { role: ROLES[*role], genesis: &genesis, eid: &eid, index: *index, payload }.message()
        };
        prop_assert_eq!(message(&a) == message(&b), a == b);
        // One field of `a` in the place of `b`'s at a time.
        for mixed in [
            (b.0, a.1, a.2, a.3, a.4.clone()),
            (a.0, b.1, a.2, a.3, a.4.clone()),
            (a.0, a.1, b.2, a.3, a.4.clone()),
            (a.0, a.1, a.2, b.3, a.4.clone()),
            (a.0, a.1, a.2, a.3, b.4.clone()),
        ] {
            prop_assert_eq!(message(&mixed) == message(&a), mixed == a);
        }
    }
}
