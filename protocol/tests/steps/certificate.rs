//! Certificates of records (spec 9.6).

use psephos_protocol::{
    certificate::{Certificate, CertificateError, CertificateKey, Statement, BYTES, SEEDS},
    ids::{Anchor, Digest, Eid, Genesis},
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use zeroize::Zeroizing;

fn statement() -> Statement {
    Statement {
        version: 1,
        genesis: Genesis([1; 32]),
        eid: Eid([2; 32]),
        record: Digest([3; 32]),
        result: Digest([4; 32]),
        last: Anchor { number: 5, hash: [6; 32] },
    }
}

fn key(seed: u8) -> CertificateKey {
    CertificateKey::from_seeds(Zeroizing::new([seed; SEEDS]))
}

#[test]
fn a_certificate_is_that_of_its_statement_and_key() {
    let (key, other) = (key(7), key(8));
    let certificate = Certificate::sign(statement(), &key, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let bytes = certificate.to_bytes();
    assert_eq!(bytes.len(), BYTES);
    let read = Certificate::from_bytes(&bytes).unwrap();
    assert!(read == certificate && read.key == key.public());
    assert_eq!(read.verify(), Ok(()));
    // Signed by another key, and of each other statement.
    let mut changed = certificate.clone();
    changed.key = other.public();
    assert_eq!(changed.verify(), Err(CertificateError::Signature));
    let changes: [fn(&mut Statement); 6] = [
        |s| s.version = 2,
        |s| s.genesis.0[31] ^= 1,
        |s| s.eid.0[0] ^= 1,
        |s| s.record.0[9] ^= 1,
        |s| s.result.0[9] ^= 1,
        |s| s.last.number ^= 1,
    ];
    for change in changes {
        let mut changed = certificate.clone();
        change(&mut changed.statement);
        assert_eq!(changed.verify(), Err(CertificateError::Signature));
    }
    // Of the signature, every part counts: the randomizer, the few-time signature, the path in each layer.
    for place in (0..BYTES).step_by(97) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        let verdict = Certificate::from_bytes(&changed).and_then(|certificate| certificate.verify());
        assert!(verdict.is_err(), "byte {place}");
    }
}

#[test]
fn only_whole_certificates_of_this_version_are_read() {
    let certificate = Certificate::sign(statement(), &key(7), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let bytes = certificate.to_bytes();
    let refused = |bytes: &[u8]| Certificate::from_bytes(bytes).err() == Some(CertificateError::Encoding);
    for length in [0, 7, 8, 222, BYTES - 1] {
        assert!(refused(&bytes[..length]), "{length} bytes");
    }
    assert!(refused(&[bytes.as_slice(), &[0]].concat()));
    for place in [0, 7, 8, 9] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(refused(&changed), "byte {place}");
    }
}

#[test]
fn a_key_is_made_of_all_its_seeds() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let key = CertificateKey::generate(&mut rng);
    let again = CertificateKey::from_seeds(Zeroizing::new(*key.seeds()));
    assert!(again.public() == key.public());
    assert_ne!(CertificateKey::generate(&mut rng).public().fingerprint(), key.public().fingerprint());
    // The second seed makes signatures unpredictable and does not show in the public key.
    for (place, shows) in [(0, true), (24, false), (48, true), (71, true)] {
        let mut seeds = Zeroizing::new(*key.seeds());
        seeds[place] ^= 1;
        assert_eq!(CertificateKey::from_seeds(seeds).public() != key.public(), shows, "byte {place}");
    }
    // The first half of a public key is the third seed, which its holder chooses: no part of it is a fingerprint.
    assert_eq!(key.public().0[..24], key.seeds()[48..]);
}
