//! Envelopes (spec 5.8): for one trustee, one ballot, one election, unchanged.

use codec::Encode;
use psephos_protocol::{
    ballot::Signed,
    envelope::{seal, Deposit, Envelope, EnvelopeError, KemKey, MAX_DEPOSIT_BYTES},
    ids::{BallotHash, Eid},
    shares::ShareError,
    testing::{Fixture, Params},
};

fn deposits() -> (Fixture, Signed, Vec<Deposit>) {
    let mut fixture = Fixture::new(&Params::default());
    let mut signed = fixture.sign(0, 1, &[vec![0, 1, 0]]);
    let deposits = fixture.deposits(&mut signed);
    (fixture, signed, deposits)
}

/// Opens as trustee `index` with `key`'s key.
fn open(
    fixture: &Fixture,
    key: usize,
    index: u8,
    envelope: &Envelope,
    hash: &BallotHash,
) -> Option<EnvelopeError> {
    fixture.trustees[key].kem.open(envelope, &fixture.election.eid, hash, index, 2).err()
}

#[test]
fn an_envelope_opens_for_its_trustee_alone() {
    let (fixture, signed, deposits) = deposits();
    for (place, deposit) in deposits.iter().enumerate() {
        assert_eq!(deposit.envelope.0.len(), 1_120 + 64 * 2 + 16);
        for key in 0..4 {
            for index in 0..6 {
                let right = key == place && usize::from(index) == place + 1;
                let error = open(&fixture, key, index, &deposit.envelope, &signed.hash);
                assert_eq!(error, (!right).then_some(EnvelopeError::Open), "{place} {key} {index}");
            }
        }
        let index = place as u8 + 1;
        let share = fixture.trustees[place]
            .kem
            .open(&deposit.envelope, &fixture.election.eid, &signed.hash, index, 2)
            .unwrap();
        assert!(share == signed.shares[place]);
    }
}

#[test]
fn an_envelope_is_of_one_ballot_and_election() {
    let (mut fixture, signed, deposits) = deposits();
    let other = fixture.sign(0, 2, &[vec![0, 1, 0]]);
    let envelope = &deposits[0].envelope;
    assert_eq!(open(&fixture, 0, 1, envelope, &other.hash), Some(EnvelopeError::Open));
    let opened = fixture.trustees[0].kem.open(envelope, &Eid([1; 32]), &signed.hash, 1, 2);
    assert_eq!(opened.err(), Some(EnvelopeError::Open));
    // A right envelope of a ballot with other contests.
    let opened = fixture.trustees[0].kem.open(envelope, &fixture.election.eid, &signed.hash, 1, 3);
    assert_eq!(opened.err(), Some(EnvelopeError::Share(ShareError::Encoding)));
}

#[test]
fn a_changed_envelope_does_not_open() {
    let (fixture, signed, deposits) = deposits();
    let good = &deposits[0].envelope;
    // ML-KEM-768 ciphertext, X25519 share, ciphertext, tag: each byte region, first and last bytes too.
    let regions = [0..1_088, 1_088..1_120, 1_120..1_248, 1_248..1_264];
    for region in regions {
        let places = region.clone().step_by(61).chain([region.end - 1]);
        for place in places {
            let mut changed = good.clone();
            changed.0[place] ^= 1;
            let error = open(&fixture, 0, 1, &changed, &signed.hash);
            assert_eq!(error, Some(EnvelopeError::Open), "byte {place}");
        }
    }
    for length in [0, 1, 1_119, 1_120, 1_136, 1_263] {
        let cut = Envelope(good.0[..length].to_vec().try_into().unwrap());
        assert_eq!(open(&fixture, 0, 1, &cut, &signed.hash), Some(EnvelopeError::Open), "{length} bytes");
    }
    let longer = Envelope([good.0.to_vec(), vec![0]].concat().try_into().unwrap());
    assert_eq!(open(&fixture, 0, 1, &longer, &signed.hash), Some(EnvelopeError::Open));
}

#[test]
fn sealing_follows_from_the_ballots_seed() {
    let (mut fixture, signed, deposits) = deposits();
    let (again, mut resigned, _) = self::deposits();
    // The stream goes on: sealing once more gives other envelopes, which open as well.
    let more = again.deposits(&mut resigned);
    assert_eq!(resigned.hash, signed.hash);
    assert_ne!(more[0].envelope, deposits[0].envelope);
    assert_eq!(open(&again, 0, 1, &more[0].envelope, &signed.hash), None);
    let mut fresh = Fixture::new(&Params::default());
    let mut same = fresh.sign(0, 1, &[vec![0, 1, 0]]);
    assert_eq!(fresh.deposits(&mut same), deposits);
    // A key that is no key is named.
    fixture.election.manifest.trustees[3].kem.truncate(1_215);
    let sealed = seal(&fixture.election, &signed.hash, &signed.shares, &mut fixture.rng);
    assert_eq!(sealed.err(), Some(EnvelopeError::Key));
}

#[test]
fn a_deposit_has_one_encoding() {
    let (_, _, deposits) = deposits();
    let bytes = deposits[0].encode();
    assert_eq!(Deposit::from_bytes(&bytes).as_ref(), Ok(&deposits[0]));
    for length in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        assert_eq!(Deposit::from_bytes(&bytes[..length]), Err(EnvelopeError::Deposit));
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Deposit::from_bytes(&longer), Err(EnvelopeError::Deposit));
    assert_eq!(Deposit::from_bytes(&vec![0; MAX_DEPOSIT_BYTES + 1]), Err(EnvelopeError::Deposit));
}

#[test]
fn a_kem_key_follows_from_its_seed() {
    let key = KemKey::from_seed([3; 32]);
    assert_eq!(key.public(), KemKey::from_seed(*key.seed()).public());
    assert_ne!(key.public(), KemKey::from_seed([4; 32]).public());
    let mut rng = Fixture::new(&Params::default()).rng;
    let public = |seed| KemKey::from_seed([seed; 32]).public().unwrap();
    assert_eq!(key.check_pair(&public(3), &mut rng), Ok(()));
    assert_eq!(key.check_pair(&public(4), &mut rng), Err(EnvelopeError::Open));
    assert_eq!(key.check_pair(&[0; 9], &mut rng), Err(EnvelopeError::Key));
    assert_eq!(key.public().unwrap().len(), 1_216);
}
