//! Codes that people read, write and compare (spec 4.1, 5.4).

use proptest::prelude::*;
use psephos_protocol::{
    ballot::{TrackingCode, TrackingCodeError},
    ids::{BallotHash, Eid},
    invitation::{InvitationCode, InvitationError},
    testing::some_digest,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn some_hash(text: &str) -> BallotHash {
    BallotHash(some_digest(text).0)
}

fn invitation(seed: u64) -> InvitationCode {
    InvitationCode::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// All texts that differ from `code` in one character, and in two that changed places.
fn mistakes(code: &str) -> (Vec<String>, Vec<String>) {
    let letters: Vec<char> = code.chars().filter(|c| *c != '-').collect();
    let mut single = Vec::new();
    for place in 0..letters.len() {
        for letter in ALPHABET.chars().filter(|letter| *letter != letters[place]) {
            let mut wrong = letters.clone();
            wrong[place] = letter;
            single.push(wrong.into_iter().collect());
        }
    }
    let mut swapped = Vec::new();
    for place in 1..letters.len() {
        if letters[place - 1] != letters[place] {
            let mut wrong = letters.clone();
            wrong.swap(place - 1, place);
            swapped.push(wrong.into_iter().collect());
        }
    }
    (single, swapped)
}

#[test]
fn mistakes_in_a_tracking_code_are_noticed() {
    // 20 bits of checksum miss one mistake in a million: of these 19,000 none.
    for ballot in 0..20 {
        let code = TrackingCode::of(&some_hash(&format!("ballot {ballot}"))).to_string();
        let (single, swapped) = mistakes(&code);
        assert_eq!(single.len(), 30 * 31);
        for wrong in single.iter().chain(&swapped) {
            assert_eq!(wrong.parse::<TrackingCode>(), Err(TrackingCodeError::Checksum), "{code} {wrong}");
        }
    }
}

#[test]
fn mistakes_in_an_invitation_code_are_noticed() {
    for seed in 0..20 {
        let code = invitation(seed).reveal();
        let (single, swapped) = mistakes(&code);
        assert_eq!(single.len(), 20 * 31);
        for wrong in single.iter().chain(&swapped) {
            assert_eq!(wrong.parse::<InvitationCode>(), Err(InvitationError::Checksum));
        }
    }
}

#[test]
fn a_tracking_code_holds_130_bits() {
    let hash = some_hash("ballot");
    let code = TrackingCode::of(&hash);
    for bit in 0..256 {
        let mut other = hash;
        other.0[bit / 8] ^= 0x80 >> (bit % 8);
        assert_eq!(code.matches(&other), bit >= 130, "bit {bit}");
    }
}

#[test]
fn codes_of_other_lengths_and_letters_are_none() {
    let code = TrackingCode::of(&some_hash("ballot")).to_string();
    let invitation = invitation(1).reveal();
    let extended = format!("{code}0");
    let accented = format!("{}É", &code[..code.len() - 1]);
    let letter_u = format!("U{}", &code[1..]);
    for text in ["", "-", &code[1..], &code[..code.len() - 1], &extended, &accented, &letter_u, &invitation] {
        assert_eq!(text.parse::<TrackingCode>(), Err(TrackingCodeError::Characters), "{text}");
        if text != invitation.as_str() {
            assert!(text.parse::<InvitationCode>().is_err());
        }
    }
    assert_eq!(code.parse::<InvitationCode>(), Err(InvitationError::Characters));
}

#[test]
fn an_invitation_key_is_of_one_code_election_and_channel() {
    let key = |code: &InvitationCode, eid: [u8; 32], channel| {
        code.signing_key(&Eid(eid), channel).expect("8 MiB").public()
    };
    let (one, two) = (invitation(1), invitation(2));
    let base = key(&one, [1; 32], 0);
    assert_eq!(key(&one.reveal().parse().unwrap(), [1; 32], 0), base);
    assert_ne!(key(&two, [1; 32], 0), base);
    assert_ne!(key(&one, [2; 32], 0), base);
    assert_ne!(key(&one, [1; 32], 1), base);
}

#[test]
fn an_invitation_code_does_not_print() {
    let code = invitation(1);
    assert_eq!(format!("{code:?}"), "InvitationCode(..)");
}

proptest! {
    #[test]
    fn a_tracking_code_can_be_read_back(hash: [u8; 32]) {
        let code = TrackingCode::of(&BallotHash(hash));
        let text = code.to_string();
        prop_assert_eq!(text.len(), 35);
        prop_assert!(text.split('-').all(|group| group.len() == 5 && group.chars().all(|c| ALPHABET.contains(c))));
        let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        for text in [text.clone(), text.replace('-', ""), sloppy, text.replace('1', "I")] {
            prop_assert_eq!(text.parse::<TrackingCode>(), Ok(code));
        }
    }

    #[test]
    fn an_invitation_code_can_be_read_back(seed: u64) {
        let code = invitation(seed);
        let text = code.reveal();
        prop_assert_eq!(text.len(), 23);
        for text in [text.to_string(), text.replace('-', ""), text.to_lowercase().replace('0', "O")] {
            prop_assert!(text.parse::<InvitationCode>() == Ok(code.clone()));
        }
    }

    #[test]
    fn any_text_is_a_code_or_refused(text in "\\PC{0,40}") {
        let _ = text.parse::<TrackingCode>();
        let _ = text.parse::<InvitationCode>();
        let _ = text.parse::<BallotHash>();
    }
}

#[test]
fn an_identifier_is_hexadecimal_digits_alone() {
    let id = Eid(some_digest("id").0);
    let text = id.to_string();
    assert_eq!((text.parse(), format!("0x{text}").parse()), (Ok(id), Ok(id)));
    assert_eq!(text.to_uppercase().parse(), Ok(id));
    // A sign instead of a digit: "+5" is a number to Rust's own parser.
    let zeros = Eid([5; 32]).to_string();
    for (place, sign) in [(0, "+"), (62, "+"), (0, "-"), (1, "+"), (0, " ")] {
        let mut wrong = zeros.clone();
        wrong.replace_range(place..=place, sign);
        assert!(wrong.parse::<Eid>().is_err(), "{wrong}");
    }
    assert!(format!("0x0x{}", &text[2..]).parse::<Eid>().is_err());
}
