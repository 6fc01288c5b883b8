//! Envelopes (spec 5.8): a share sealed to its trustee, safe against a recording adversary with a
//! quantum computer.
//!
//! HPKE base mode (RFC 9180) with X-Wing (ML-KEM-768 and X25519; draft-connolly-cfrg-xwing-kem,
//! KEM id 0x647a), KDF TurboSHAKE128 and ChaCha20-Poly1305. Associated data: election, ballot hash and
//! trustee, so that an envelope means nothing elsewhere. 1,120 + 64·K + 16 bytes for K commitments.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeAll, Encode};
use hpke::{
    aead::ChaCha20Poly1305, kdf::KdfTurboShake128, kem::XWing, Deserializable, Kem, OpModeR, OpModeS,
    Serializable,
};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::{
    ballot::SignedBallot,
    bounds::{KEM_PUBLIC_KEY_BYTES, MAX_BALLOT_BYTES, MAX_COLUMNS, MAX_DEALING},
    election::Election,
    ids::{BallotHash, Eid},
    shares::{Dealing, Share, ShareError},
};

const INFO: &[u8] = b"psephos envelope v1";
/// Bytes of an X-Wing encapsulated key.
const ENCAPSULATED: u32 = 1_120;
/// Bytes of the largest envelope.
pub const MAX_ENVELOPE: u32 = ENCAPSULATED + 64 * MAX_COLUMNS + 16;

/// Bytes of an envelope of a share of that many options.
#[must_use]
pub fn envelope_bytes(options: usize) -> usize {
    options.saturating_mul(64).saturating_add(ENCAPSULATED as usize).saturating_add(16)
}

/// Bytes of the largest deposit.
pub const MAX_DEPOSIT_BYTES: usize =
    MAX_BALLOT_BYTES + 32 * MAX_DEALING as usize + MAX_ENVELOPE as usize + 16;

/// A sealed share: encapsulated key, then ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Envelope(pub BoundedVec<u8, ConstU32<MAX_ENVELOPE>>);

/// What a client gives a trustee: all that the trustee needs to vouch for a ballot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Deposit {
    /// The signed ballot.
    pub ballot: SignedBallot,
    /// The commitments to its sharing polynomials.
    pub dealing: Dealing,
    /// The trustee's sealed share.
    pub envelope: Envelope,
}

impl Deposit {
    /// Decodes the canonical bytes, after bounding their length.
    ///
    /// # Errors
    /// [`EnvelopeError::Deposit`] when too long, malformed, or with bytes left over.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_DEPOSIT_BYTES {
            return Err(EnvelopeError::Deposit);
        }
        Self::decode_all(&mut bytes).map_err(|_| EnvelopeError::Deposit)
    }
}

/// Why an envelope can't be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The trustee's public key is not an X-Wing key.
    #[error("the trustee's KEM key is not an X-Wing public key")]
    Key,
    /// It was not sealed to this trustee for this ballot, or was changed on the way.
    #[error(
        "5.8.1: the envelope does not open: it was sealed to another trustee, for another ballot, or changed"
    )]
    Open,
    /// Too long, malformed, or with bytes left over.
    #[error("5.8.2: not the canonical encoding of a deposit, or too long")]
    Deposit,
    /// What was sealed is not a share of this ballot.
    #[error("{0}")]
    Share(#[from] ShareError),
}

/// A trustee's X-Wing key for one election, of a 32-byte seed. Zeroized on drop; prints nothing.
#[derive(Clone)]
pub struct KemKey {
    seed: Zeroizing<[u8; 32]>,
    /// Made once, which takes as long as opening an envelope does. Every seed gives one.
    private: Option<<XWing as Kem>::PrivateKey>,
}

impl KemKey {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self { private: <XWing as Kem>::PrivateKey::from_bytes(seed.as_slice()).ok(), seed }
    }

    /// A new key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = [0u8; 32];
        rng.fill_bytes(&mut seed);
        Self::from_seed(seed)
    }

    /// The seed, to be stored encrypted.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    fn private(&self) -> Result<&<XWing as Kem>::PrivateKey, EnvelopeError> {
        self.private.as_ref().ok_or(EnvelopeError::Key)
    }

    /// The public key, 1,216 bytes, for the manifest.
    ///
    /// # Errors
    /// [`EnvelopeError::Key`], which no seed gives.
    pub fn public(&self) -> Result<BoundedVec<u8, ConstU32<KEM_PUBLIC_KEY_BYTES>>, EnvelopeError> {
        let public = XWing::sk_to_pk(self.private()?);
        BoundedVec::try_from(public.to_bytes().to_vec()).map_err(|_| EnvelopeError::Key)
    }

    /// Opens an envelope of a ballot with `options` commitments.
    ///
    /// # Errors
    /// [`EnvelopeError::Open`] when it was not sealed to this trustee for this ballot.
    pub fn open(
        &self,
        envelope: &Envelope,
        eid: &Eid,
        ballot: &BallotHash,
        trustee: u8,
        options: usize,
    ) -> Result<Share, EnvelopeError> {
        let plaintext = self.open_bytes(INFO, &associated_data(eid, ballot, trustee), &envelope.0)?;
        Ok(Share::from_bytes(&plaintext, options)?)
    }

    /// Opens what [`seal_bytes`] sealed to this key.
    pub(crate) fn open_bytes(
        &self,
        info: &[u8],
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let (encapsulated, ciphertext) =
            sealed.split_at_checked(ENCAPSULATED as usize).ok_or(EnvelopeError::Open)?;
        let encapsulated =
            <XWing as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| EnvelopeError::Open)?;
        hpke::single_shot_open::<ChaCha20Poly1305, KdfTurboShake128, XWing>(
            &OpModeR::Base,
            self.private()?,
            &encapsulated,
            info,
            ciphertext,
            associated_data,
        )
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Open)
    }

    /// Whether this key opens what is sealed to a public key, as a manifest names it: seals nothing to it and opens
    /// that.
    ///
    /// # Errors
    /// [`EnvelopeError::Key`] when it is no public key, [`EnvelopeError::Open`] when it is another's.
    pub fn check_pair(
        &self,
        public: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), EnvelopeError> {
        self.open_bytes(
            b"psephos key check v1",
            &[],
            &seal_bytes(public, b"psephos key check v1", &[], &[], rng)?,
        )
        .map(|_| ())
    }
}

fn associated_data(eid: &Eid, ballot: &BallotHash, trustee: u8) -> Vec<u8> {
    (eid, ballot, trustee).encode()
}

/// Seals bytes to an X-Wing public key: encapsulated key, then ciphertext.
pub(crate) fn seal_bytes(
    key: &[u8],
    info: &[u8],
    associated_data: &[u8],
    plaintext: &[u8],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<u8>, EnvelopeError> {
    let key = <XWing as Kem>::PublicKey::from_bytes(key).map_err(|_| EnvelopeError::Key)?;
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, KdfTurboShake128, XWing>(
            &OpModeS::Base,
            &key,
            info,
            plaintext,
            associated_data,
            &mut HpkeRng(rng),
        )
        .map_err(|_| EnvelopeError::Key)?;
    let mut bytes = encapsulated.to_bytes().to_vec();
    bytes.extend(ciphertext);
    Ok(bytes)
}

/// Seals a ballot's shares, trustee 1 first.
///
/// `rng` is the rest of the ballot's own stream ([`crate::ballot::Signed::randomness`]).
///
/// # Errors
/// [`EnvelopeError::Key`] when a trustee's key is no key.
pub fn seal(
    election: &Election,
    ballot: &BallotHash,
    shares: &[Share],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<Envelope>, EnvelopeError> {
    shares.iter().zip(1u8..).map(|(share, index)| seal_to(election, ballot, index, share, rng)).collect()
}

/// Seals a ballot's share to its trustee.
///
/// # Errors
/// [`EnvelopeError::Key`] when there is no such trustee, or its key is no key.
pub fn seal_to(
    election: &Election,
    ballot: &BallotHash,
    trustee: u8,
    share: &Share,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Envelope, EnvelopeError> {
    let key = &election.trustee(trustee).ok_or(EnvelopeError::Key)?.kem;
    let associated_data = associated_data(&election.eid, ballot, trustee);
    let bytes = seal_bytes(key, INFO, &associated_data, &share.to_bytes(), rng)?;
    BoundedVec::try_from(bytes).map(Envelope).map_err(|_| EnvelopeError::Key)
}

/// A generator of our `rand_core` for the newer `rand_core` of `hpke`.
struct HpkeRng<'a, R>(&'a mut R);

impl<R: RngCore> hpke::rand_core::TryRng for HpkeRng<'_, R> {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(dst);
        Ok(())
    }
}

impl<R: RngCore + CryptoRng> hpke::rand_core::TryCryptoRng for HpkeRng<'_, R> {}
