//! Refusals (spec 8.2): codes are stable and texts say something.

use codec::{DecodeAll, Encode};
use psephos_protocol::refusal::Refusal;
use std::collections::BTreeSet;

#[test]
fn a_refusal_is_its_code() {
    let all: Vec<(u8, Refusal)> =
        (0..=u8::MAX).filter_map(|code| Some((code, Refusal::from_code(code)?))).collect();
    assert!(all.len() > 40);
    for (code, refusal) in &all {
        // 0 would look like no refusal.
        assert_ne!(*code, 0);
        assert_eq!(*refusal as u8, *code);
        assert_eq!(refusal.encode(), [*code]);
        assert_eq!(Refusal::decode_all(&mut &[*code][..]), Ok(*refusal));
    }
    let texts: BTreeSet<&str> = all.iter().map(|(_, refusal)| refusal.text()).collect();
    assert_eq!(texts.len(), all.len());
}

#[test]
fn codes_that_clients_know_do_not_move() {
    for (refusal, code) in [
        (Refusal::UnknownElection, 1),
        (Refusal::WrongPhase, 2),
        (Refusal::NotOnRoll, 26),
        (Refusal::WrongSequence, 27),
        (Refusal::Expired, 29),
        (Refusal::BadSignature, 31),
        (Refusal::BadReceipts, 32),
        (Refusal::BadProof, 33),
        (Refusal::Quota, 43),
        (Refusal::NotRehearsed, 53),
    ] {
        assert_eq!(Refusal::from_code(code), Some(refusal));
    }
}
