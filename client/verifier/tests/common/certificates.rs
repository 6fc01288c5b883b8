//! Certificates for other implementations: one of a record, and what must be refused beside which record.

use codec::Encode;
use fips205::{
    slh_dsa_shake_192s as slh_dsa,
    traits::{KeyGen, SerDes, Signer},
};
use psephos_protocol::{
    certificate::{Certificate, CertificateKey, Statement, SEEDS},
    ids::{Digest, Eid, Genesis},
};
use psephos_verifier::{report::Verdict, verify, Options, Report};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use serde_json::{json, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The record that is certified, another that verifies, and one without a result, by their names in records.json.
pub const RECORD: &str = "plurality, one voter by invitation, one ballot replaced";
const OTHER: &str = "addresses stated";
const VOIDED: &str = "voided while open";

/// The seeds of the key.
pub fn seeds() -> [u8; SEEDS] {
    std::array::from_fn(|place| place as u8)
}

pub fn key() -> CertificateKey {
    CertificateKey::from_seeds(Zeroizing::new(seeds()))
}

pub fn sign(statement: Statement, key: &CertificateKey) -> Certificate {
    Certificate::sign(statement, key, &mut ChaCha20Rng::seed_from_u64(9)).expect("signed")
}

/// What is to be certified of a record.
pub fn statement(record: &[u8]) -> Statement {
    let report = verify(record, &Options::default()).expect("memory can be read");
    Statement {
        version: 1,
        genesis: report.genesis.expect("a header"),
        eid: report.eid.expect("a header"),
        record: Digest(Sha256::digest(record).into()),
        result: report.result.unwrap_or_default(),
        last: report.last.expect("blocks"),
    }
}

/// The verdict on a record with a certificate beside it.
pub fn verdict(record: &[u8], certificate: &[u8], known: Option<Digest>) -> Report {
    let certificate = Some(certificate.to_vec());
    let options = Options { certificate, certificate_key: known, ..Options::default() };
    verify(record, &options).expect("memory can be read")
}

/// A certificate that is signed with another context string.
fn with_context(statement: &Statement, context: &[u8]) -> Vec<u8> {
    let seed = |part: usize| {
        std::array::from_fn::<u8, { slh_dsa::N }, _>(|place| seeds()[part * slh_dsa::N + place])
    };
    let (public, key) = slh_dsa::KG::keygen_from_seed(&seed(0), &seed(1), &seed(2));
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let signature = key.try_sign_with_rng(&mut rng, &statement.encode(), context, true).expect("signed");
    (*b"PSEPHOSC", statement, public.into_bytes(), signature).encode()
}

/// What docs/vectors/certificate.json holds.
pub fn vectors(records: &[(&'static str, Vec<u8>)]) -> Value {
    let record = |name: &str| &records.iter().find(|(other, _)| *other == name).expect("a record").1;
    let statement = statement(record(RECORD));
    let key = key();
    let certificate = sign(statement, &key);
    let (fingerprint, good) = (key.public().fingerprint(), certificate.to_bytes());
    let changed = |change: &dyn Fn(&mut Statement)| {
        let mut other = statement;
        change(&mut other);
        sign(other, &key).to_bytes()
    };
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        bytes
    };
    let last = good.len() - 1;
    let other_key = CertificateKey::from_seeds(Zeroizing::new([1; SEEDS]));
    let stranger = sign(statement, &other_key);
    let mut swapped = stranger.clone();
    swapped.key = key.public();
    let known = Some(fingerprint);
    let cases: Vec<(&str, &str, Vec<u8>, Option<Digest>)> = vec![
        ("the certificate, and the key is known", RECORD, good.clone(), known),
        ("the certificate, and the key is not known", RECORD, good.clone(), None),
        ("beside another record", OTHER, good.clone(), known),
        (
            "beside a record without a result",
            VOIDED,
            changed(&|s| *s = self::statement(record(VOIDED))),
            known,
        ),
        ("of another file", RECORD, changed(&|s| s.record.0[0] ^= 1), known),
        ("of another chain", RECORD, changed(&|s| s.genesis = Genesis([1; 32])), known),
        ("of another election", RECORD, changed(&|s| s.eid = Eid([1; 32])), known),
        ("of another result", RECORD, changed(&|s| s.result = Digest([1; 32])), known),
        ("with another last block: its number", RECORD, changed(&|s| s.last.number += 1), known),
        ("with another last block: its hash", RECORD, changed(&|s| s.last.hash[0] ^= 1), known),
        ("of another version", RECORD, changed(&|s| s.version = 2), known),
        ("signed with another context", RECORD, with_context(&statement, b"psephos certificate v2"), known),
        ("signed without a context", RECORD, with_context(&statement, b""), known),
        ("by another key, and the key is known", RECORD, stranger.to_bytes(), known),
        ("by another key than it names", RECORD, swapped.to_bytes(), None),
        ("another first byte", RECORD, flipped(0), known),
        ("a bit of the key changed", RECORD, flipped(8 + 166), None),
        ("the first bit of the signature changed", RECORD, flipped(8 + 166 + 48), known),
        ("the last bit of the signature changed", RECORD, flipped(last), known),
        ("the last byte is missing", RECORD, good[..last].to_vec(), known),
        ("a byte more", RECORD, [good.as_slice(), &[0]].concat(), known),
        ("empty", RECORD, Vec::new(), known),
    ];
    let case = |(what, name, bytes, known): (&str, &str, Vec<u8>, Option<Digest>)| {
        let report = verdict(record(name), &bytes, known);
        let failed = report.checks.iter().find(|check| check.verdict == Verdict::Failed);
        json!({
            "what": what, "record": name, "certificate": compact(&good, &bytes),
            "known": known.map(|key| key.to_string()), "failed": failed.map(|check| check.number),
            "rule": report.failure.and_then(|failure| Some(failure.reason.split_once(':')?.0.to_owned())),
        })
    };
    json!({
        "record": RECORD, "sha256": statement.record.to_string(), "result": statement.result.to_string(),
        "seeds": hex::encode(seeds()), "key": key.public().to_string(), "fingerprint": fingerprint.to_string(),
        "context": "psephos certificate v1", "message": hex::encode(statement.encode()),
        "certificate": hex::encode(&good), "cases": cases.into_iter().map(case).collect::<Vec<_>>(),
    })
}

/// A certificate in hexadecimal; one with the good signature as the bytes before and after it.
fn compact(good: &[u8], bytes: &[u8]) -> Value {
    let signature = &good[8 + 166 + 48..];
    match bytes.windows(signature.len().max(1)).position(|window| window == signature) {
        Some(at) => json!([hex::encode(&bytes[..at]), null, hex::encode(&bytes[at + signature.len()..])]),
        None => json!([hex::encode(bytes)]),
    }
}
