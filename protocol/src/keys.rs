//! Signing keys (spec 2.4): sr25519 (schnorrkel) over [`crate::transcript::signed`] messages.
//!
//! The signing context is `substrate`, so that a runtime can verify with its host's native code.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;
use schnorrkel::{
    context::{attach_rng, SigningContext, SigningTranscript},
    signing_context, ExpansionMode, MiniSecretKey,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    combination::Combination,
    ids::{id32, Eid, Genesis},
    transcript::{self, Role},
};

const CONTEXT: &[u8] = b"substrate";
/// The bit of a signature's last byte by which schnorrkel tells it from ed25519.
const MARK: u8 = 0x80;

id32!(
    /// An sr25519 public key: of a credential, an invitation, a board member, registrar or trustee.
    PublicKey
);

/// An sr25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// Whether `signature` is by `key` over the 64-byte message: what every verification of this
/// crate is given, so that the runtime can use its host and everybody else [`verify_signature`].
pub type CheckSignature = fn(signature: &Signature, message: &[u8; 64], key: &PublicKey) -> bool;

/// Verifies an sr25519 signature in pure Rust.
#[must_use]
pub fn verify_signature(signature: &Signature, message: &[u8; 64], key: &PublicKey) -> bool {
    let Ok(key) = schnorrkel::PublicKey::from_bytes(&key.0) else { return false };
    let Ok(signature) = schnorrkel::Signature::from_bytes(&signature.0) else { return false };
    key.verify_simple(CONTEXT, message, &signature).is_ok()
}

/// A statement that a key signs in one role of one election.
#[derive(Clone, Copy)]
pub struct Signable<'a> {
    /// The role that signs.
    pub role: Role,
    /// The chain.
    pub genesis: &'a Genesis,
    /// The election; all zeros where there is none yet.
    pub eid: &'a Eid,
    /// The signer's index in its role, or 0 where the role has none.
    pub index: u32,
    /// What is said.
    pub payload: &'a [u8],
}

impl Signable<'_> {
    /// The 64 bytes that are signed.
    #[must_use]
    pub fn message(&self) -> [u8; 64] {
        transcript::signed(self.role, self.genesis, self.eid, self.index, self.payload)
    }

    /// Whether `signature` is by `key` over this. Under the identity as a key anybody can sign, and
    /// sr25519 takes it for a key; this doesn't. It is the only weak key of a group of prime order.
    #[must_use]
    pub fn verify(&self, check: CheckSignature, signature: &Signature, key: &PublicKey) -> bool {
        is_by(check, signature, &self.message(), key)
    }
}

fn is_by(check: CheckSignature, signature: &Signature, message: &[u8; 64], key: &PublicKey) -> bool {
    *key != PublicKey::default() && check(signature, message, key)
}

/// A signer in one role of one election: what all its statements begin with ([`Signable`]), hashed once.
pub(crate) struct Signer {
    begun: transcript::Begun,
    context: SigningContext,
}

impl Signer {
    /// The one with that index in its role.
    pub(crate) fn new(role: Role, genesis: &Genesis, eid: &Eid, index: u32) -> Self {
        Self { begun: transcript::begin_signed(role, genesis, eid, index), context: signing_context(CONTEXT) }
    }

    /// As [`Signable::verify`].
    #[must_use]
    pub(crate) fn verify(
        &self,
        check: CheckSignature,
        payload: &[u8],
        signature: &Signature,
        key: &PublicKey,
    ) -> bool {
        is_by(check, signature, &self.begun.signed(payload), key)
    }

    /// The equation that holds if `signature` is by `key` over this payload; `None` where [`Signable::verify`] needs no
    /// equation to refuse: the identity as key, a signature without schnorrkel's mark, s not canonical.
    #[must_use]
    pub(crate) fn equation(
        &self,
        payload: &[u8],
        signature: &Signature,
        key: &PublicKey,
    ) -> Option<SignatureEquation> {
        let (r, s) = signature.0.split_first_chunk::<32>()?;
        let mut s = <[u8; 32]>::try_from(s).ok()?;
        let mark = s.last_mut()?;
        if *key == PublicKey::default() || *mark & MARK == 0 {
            return None;
        }
        *mark &= !MARK;
        let s = Option::from(Scalar::from_canonical_bytes(s))?;
        let (a, r) = (CompressedRistretto(key.0), CompressedRistretto(*r));
        let mut transcript = self.context.bytes(&self.begun.signed(payload));
        transcript.proto_name(b"Schnorr-sig");
        transcript.commit_point(b"sign:pk", &a);
        transcript.commit_point(b"sign:R", &r);
        Some(SignatureEquation { s, k: transcript.challenge_scalar(b"sign:c"), r })
    }
}

/// What an sr25519 signature says: `R + k·A − s·B = 0`, for the key A, the nonce point R and the challenge
/// k = H(context, message, A, R) of schnorrkel's transcript. R is compared as a group element, which
/// has one encoding only.
pub(crate) struct SignatureEquation {
    s: Scalar,
    k: Scalar,
    r: CompressedRistretto,
}

impl SignatureEquation {
    /// Adds the equation under a weight, but for the term of the key, whose scalar is returned. `None` if R is
    /// no canonical encoding of a point. R comes with the weight itself: its scalar is half as long as the others', and
    /// costs the multiplication half as much.
    #[must_use]
    pub(crate) fn add_to(&self, combination: &mut Combination, weight: Scalar) -> Option<Scalar> {
        combination.base(-weight * self.s);
        combination.encoded(&self.r, weight)?;
        Some(weight * self.k)
    }
}

/// An sr25519 signing key, as its 32-byte seed. Zeroized on drop; prints nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// A new key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = [0u8; 32];
        rng.fill_bytes(&mut seed);
        Self(seed)
    }

    /// The seed, to be stored encrypted.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    fn keypair(&self) -> Option<schnorrkel::Keypair> {
        MiniSecretKey::from_bytes(&self.0).ok().map(|secret| secret.expand_to_keypair(ExpansionMode::Ed25519))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        // Every 32-byte string is a seed: the only error of `from_bytes` is another length.
        PublicKey(self.keypair().map(|pair| pair.public.to_bytes()).unwrap_or_default())
    }

    /// Signs a statement. `rng` hedges the nonce, which is derived from key and message as well.
    pub fn sign(&self, statement: &Signable<'_>, rng: &mut (impl RngCore + CryptoRng)) -> Signature {
        let context = signing_context(CONTEXT).bytes(&statement.message());
        match self.keypair() {
            Some(pair) => Signature(pair.sign(attach_rng(context, rng)).to_bytes()),
            None => Signature([0u8; 64]),
        }
    }
}
