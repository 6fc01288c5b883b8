//! What people type (spec 4.1, 5.4): codes may be written in small letters, with spaces, and with letters that look
//! alike; nothing else may be read as them. Their checksums of 20 bits are against mistakes, not against forgers.

use codec::Encode;
use psephos_protocol::{
    ballot::TrackingCode,
    endpoint::Endpoint,
    ids::{BallotHash, Eid},
    invitation::InvitationCode,
};

use super::scale;
use crate::{
    corpus::{bytes, list, vectors},
    Target,
};

pub(super) fn all() -> Vec<Target> {
    let text = |text: &str| text.as_bytes().to_vec();
    let (election, ballots) = (vectors("election.json"), vectors("ballot.json"));
    let invitation = election["invitation"]["code"].as_str().expect("a code");
    let hash = |file| BallotHash(bytes(file).try_into().expect("32 bytes"));
    let codes = list(&ballots).iter().map(|ballot| TrackingCode::of(&hash(&ballot["hash"])).to_string());
    let codes: Vec<Vec<u8>> = codes.flat_map(|code| [text(&code), text(&code.to_lowercase())]).collect();
    let eid = election["eid"].as_str().expect("an identifier");
    let urls = ["http://127.0.0.1:9960", "https://two.example/#sha256=00"];
    let endpoints =
        urls.map(|url| Endpoint { number: 1, url: text(url).try_into().expect("short") }.encode());
    vec![
        Target::new("invitation-code", vec![text(invitation)], |bytes| {
            let code: InvitationCode = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            same(bytes, &code.reveal(), letters)
        }),
        Target::new("tracking-code", codes, |bytes| {
            let code: TrackingCode = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            same(bytes, &code.to_string(), letters)
        }),
        Target::new("identifier", vec![text(eid), text(&format!("0x{eid}"))], |bytes| {
            let id: Eid = std::str::from_utf8(bytes).ok()?.parse().ok()?;
            same(bytes, &id.to_string(), |text| text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase())
        }),
        Target::new("endpoint", endpoints.to_vec(), |bytes| {
            let endpoint: Endpoint = codec::DecodeAll::decode_all(&mut &*bytes).ok()?;
            let _ = endpoint.is_valid();
            scale::<Endpoint>(bytes)
        }),
    ]
}

/// A code's letters, however they are written.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

/// The text itself, if it is a way to write what was read; else what was read.
fn same(bytes: &[u8], read: &str, plain: fn(&str) -> String) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_same = plain(text) == plain(read);
    Some(if is_same { bytes.to_vec() } else { read.as_bytes().to_vec() })
}
