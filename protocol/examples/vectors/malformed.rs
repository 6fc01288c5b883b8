//! Malformed and false inputs, each with what must be said about it.

use codec::Encode;
use psephos_protocol::{
    ballot::{Ballot, CastBallot},
    group::Point,
    ids::Eid,
    keys::verify_signature,
    testing::Fixture,
    wire::Message,
};
use serde_json::{json, Value};

use super::generate::hex;

/// Verdict of [`CastBallot::from_bytes`] and [`CastBallot::verify`], as text.
pub fn verdict(fixture: &Fixture, bytes: &[u8]) -> String {
    CastBallot::from_bytes(bytes)
        .and_then(|cast| cast.verify(&fixture.election, &fixture.generators, verify_signature))
        .map_or_else(|error| error.to_string(), |_| "valid".into())
}

/// All files' worth of malformed inputs.
pub fn all(fixture: &mut Fixture) -> Value {
    json!({ "cast ballots": cast_ballots(fixture), "extrinsics": extrinsics(fixture), "shares": shares(fixture) })
}

/// ℓ, the order of the group: the least number that is no canonical scalar.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// 1 is negative in Ristretto's terms, and no encoding.
const NEGATIVE: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

fn votes() -> [Vec<u32>; 2] {
    [vec![0, 0, 1], vec![4, 4]]
}

/// A ballot changed by somebody who signs it again and has every trustee vouch for it.
fn resigned(fixture: &mut Fixture, change: impl FnOnce(&mut Ballot)) -> Vec<u8> {
    let mut cast = fixture.cast(0, 4, &votes()).cast;
    change(&mut cast.signed.ballot);
    let hash = cast.signed.ballot.hash();
    let key = fixture.voters[0].key.clone();
    cast.signed.signature = key.sign(&Ballot::signable(&fixture.election, &hash), &mut fixture.rng);
    for place in 0..cast.receipts.len() {
        cast.receipts[place] = fixture.receipt(place as u8 + 1, &hash);
    }
    cast.encode()
}

fn cast_ballots(fixture: &mut Fixture) -> Vec<Value> {
    let good = fixture.cast(0, 4, &votes()).cast;
    let other = fixture.cast(0, 5, &votes()).cast;
    let bytes = good.encode();
    let changed = |change: fn(&mut CastBallot)| {
        let mut cast = good.clone();
        change(&mut cast);
        cast.encode()
    };
    let mut foreign = good.clone();
    foreign.receipts[1] = other.receipts[1];
    let mut cases = vec![
        ("nothing wrong", bytes.clone()),
        ("no bytes", vec![]),
        ("cut off", bytes[..bytes.len() - 1].to_vec()),
        ("a byte left over", [bytes.as_slice(), &[0]].concat()),
        ("too long", vec![0; 22_001]),
        ("signature changed", changed(|c| c.signed.signature.0[0] ^= 1)),
        ("one receipt too few", changed(|c| c.receipts.truncate(2))),
        ("one receipt twice", changed(|c| c.receipts[1] = c.receipts[0])),
        (
            "receipts in the wrong order",
            changed(|c| (c.receipts[0], c.receipts[1]) = (c.receipts[1], c.receipts[0])),
        ),
        ("a receipt of trustee 0", changed(|c| c.receipts[0].trustee = 0)),
        ("a receipt of another height", changed(|c| c.receipts[2].height += 1)),
        ("a receipt for another ballot", foreign.encode()),
    ];
    cases.push(("another version", resigned(fixture, |b| b.statement.version = 2)));
    cases.push(("another election", resigned(fixture, |b| b.statement.eid = Eid([1; 32]))));
    cases.push(("no such style", resigned(fixture, |b| b.statement.style = 2)));
    cases.push(("another style", resigned(fixture, |b| b.statement.style = 1)));
    cases.push(("a commitment too few", resigned(fixture, |b| b.statement.commitments.truncate(3))));
    cases.push(("another width", resigned(fixture, |b| b.width = 16)));
    cases.push(("a proof too short", resigned(fixture, |b| b.proof.truncate(480))));
    cases.push(("the identity", resigned(fixture, |b| b.statement.commitments[0] = Point([0; 32]))));
    cases.push(("no point", resigned(fixture, |b| b.statement.commitments[0] = Point(NEGATIVE))));
    cases.push(("another sequence", resigned(fixture, |b| b.statement.sequence += 1)));
    cases.push(("another expiry", resigned(fixture, |b| b.statement.expiry += 1)));
    cases.push(("another dealing", resigned(fixture, |b| b.statement.dealing.0[0] ^= 1)));
    cases.push(("a proof changed", resigned(fixture, |b| b.proof[200] ^= 1)));
    cases.push((
        "a scalar that is not canonical",
        resigned(fixture, |b| b.proof.iter_mut().skip(128).zip(ORDER).for_each(|(byte, with)| *byte = with)),
    ));
    cases
        .into_iter()
        .map(|(what, bytes)| {
            let verdict = verdict(fixture, &bytes);
            // The long one is all zeros: 20,001 of them are told by their number.
            let bytes = if bytes.len() > 20_000 { json!({ "zeros": bytes.len() }) } else { hex(bytes) };
            json!({ "what": what, "bytes": bytes, "verdict": verdict })
        })
        .collect()
}

/// Bytes that are no message.
fn extrinsics(fixture: &mut Fixture) -> Vec<Value> {
    let good = Message::Accept(fixture.accept(1)).to_extrinsic();
    let changed = |place: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[place] = value;
        bytes
    };
    let cases = [
        ("no bytes", vec![]),
        ("no body", vec![0]),
        ("cut off", good[..good.len() - 1].to_vec()),
        ("a byte left over", [good.as_slice(), &[0]].concat()),
        ("a signed extrinsic of format 4", changed(2, 0x84)),
        ("another version of the extensions", changed(3, 1)),
        ("another pallet", changed(4, 9)),
        ("no such message", changed(5, 10)),
        ("a longer length", changed(0, good[0].wrapping_add(4))),
    ];
    cases.into_iter().map(|(what, bytes)| json!({ "what": what, "bytes": hex(bytes) })).collect()
}

/// Bytes that are no share of a ballot with two commitments.
fn shares(fixture: &mut Fixture) -> Vec<Value> {
    let signed = fixture.sign(0, 6, &votes());
    let good = &signed.shares[0].to_bytes()[..128];
    let mut order = good.to_vec();
    order[32..64].copy_from_slice(&ORDER);
    let mut large = good.to_vec();
    large[96..].fill(0xff);
    let cases = [
        ("no bytes", vec![]),
        ("cut off", good[..127].to_vec()),
        ("a byte left over", [good, &[0]].concat()),
        ("the group order as a scalar", order),
        ("a scalar of 256 bits", large),
    ];
    cases.into_iter().map(|(what, bytes)| json!({ "what": what, "bytes": hex(bytes) })).collect()
}
