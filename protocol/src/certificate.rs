//! The certificate of a record (spec 9.6): what the board prints of it, under a signature that rests on hashes alone.
//!
//! SLH-DSA, the stateless hash-based signature of FIPS 205. Whoever computes discrete logarithms one day can write
//! another record that verifies, signatures and proof of finality among it. This signature and the print of its key
//! tell the true one even then.

use alloc::{boxed::Box, vec::Vec};
use codec::{Decode, DecodeAll, Encode};
use core::fmt;
use fips205::{
    slh_dsa_shake_192s::{self as slh_dsa, PrivateKey, N, PK_LEN, SIG_LEN},
    traits::{KeyGen, SerDes, Signer, Verifier},
};
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ids::{Anchor, Digest, Eid, Genesis};

/// What the name of a certificate's file has after that of its record.
pub const SUFFIX: &str = ".certificate";
/// What a certificate begins with.
const MAGIC: [u8; 8] = *b"PSEPHOSC";
/// FIPS 205's context string, which keeps signatures of this key for other purposes apart.
const CONTEXT: &[u8] = b"psephos certificate v1";
/// Bytes of a key's seeds: SK.seed, SK.prf and PK.seed.
pub const SEEDS: usize = 3 * N;
/// Bytes of every certificate.
pub const BYTES: usize = 8 + 2 + 4 * 32 + 36 + PK_LEN + SIG_LEN;

/// What is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Statement {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The chain.
    pub genesis: Genesis,
    /// The election.
    pub eid: Eid,
    /// SHA-256 of the record's whole file.
    pub record: Digest,
    /// The digest of the election's result.
    pub result: Digest,
    /// The record's last block.
    pub last: Anchor,
}

/// A public key for certificates, 48 bytes: PK.seed and PK.root.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CertificatePublicKey(pub [u8; PK_LEN]);

impl CertificatePublicKey {
    /// SHA-256 of the key, which is printed before the election. A part of the key would not do: the signer chooses its
    /// first half freely.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest(Sha256::digest(self.0).into())
    }
}

impl fmt::Display for CertificatePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CertificatePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificatePublicKey({self})")
    }
}

/// A secret key for certificates. Zeroized on drop.
pub struct CertificateKey {
    seeds: Zeroizing<[u8; SEEDS]>,
    key: PrivateKey,
}

impl CertificateKey {
    /// A new key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seeds = Zeroizing::new([0; SEEDS]);
        rng.fill_bytes(seeds.as_mut());
        Self::from_seeds(seeds)
    }

    /// The key of these seeds. Takes a part of a second.
    #[must_use]
    pub fn from_seeds(seeds: Zeroizing<[u8; SEEDS]>) -> Self {
        let mut parts = [[0u8; N]; 3].map(Zeroizing::new);
        for (part, bytes) in parts.iter_mut().zip(seeds.chunks_exact(N)) {
            part.copy_from_slice(bytes);
        }
        let [secret, prf, public] = &parts;
        let (_, key) = slh_dsa::KG::keygen_from_seed(secret, prf, public);
        Self { seeds, key }
    }

    /// The seeds: the whole secret.
    #[must_use]
    pub fn seeds(&self) -> &[u8; SEEDS] {
        &self.seeds
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> CertificatePublicKey {
        CertificatePublicKey(self.key.get_public_key().into_bytes())
    }
}

/// A file beside a record that says which file it is (spec 9.6).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// What is certified.
    pub statement: Statement,
    /// By whom: to be compared with print.
    pub key: CertificatePublicKey,
    signature: Box<[u8; SIG_LEN]>,
}

/// Why a certificate shows nothing, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It does not decode.
    #[error(
        "9.6.1: the certificate is malformed, of another version, or of another length than {BYTES} bytes"
    )]
    Encoding,
    /// The signature does not verify.
    #[error("9.6.6: the certificate's signature does not verify under the key that it names")]
    Signature,
    /// The generator of randomness failed, or the signature that was made does not verify.
    #[error("the certificate could not be signed")]
    Signing,
}

impl Certificate {
    /// Signs a statement; takes a second or more. The signature is checked, because a fault while it is made could give
    /// the key away.
    ///
    /// # Errors
    /// [`CertificateError::Signing`].
    pub fn sign(
        statement: Statement,
        key: &CertificateKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, CertificateError> {
        let signature = key.key.try_sign_with_rng(rng, &statement.encode(), CONTEXT, true);
        let signature = Box::new(signature.map_err(|_| CertificateError::Signing)?);
        let certificate = Self { statement, key: key.public(), signature };
        certificate.verify().map_err(|_| CertificateError::Signing)?;
        Ok(certificate)
    }

    /// Checks the signature, under the key that the certificate names.
    ///
    /// # Errors
    /// [`CertificateError::Signature`].
    pub fn verify(&self) -> Result<(), CertificateError> {
        let key = slh_dsa::PublicKey::try_from_bytes(self.key.0).map_err(|_| CertificateError::Signature)?;
        let holds = key.verify(&self.statement.encode(), &self.signature, CONTEXT);
        holds.then_some(()).ok_or(CertificateError::Signature)
    }

    /// SHA-256 of the signature, which is printed.
    #[must_use]
    pub fn signature_digest(&self) -> Digest {
        Digest(Sha256::digest(self.signature.as_slice()).into())
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        (MAGIC, self).encode()
    }

    /// Reads the bytes of a file. The signature is not checked.
    ///
    /// # Errors
    /// [`CertificateError::Encoding`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() != BYTES {
            return Err(CertificateError::Encoding);
        }
        let decoded: Result<([u8; 8], Self), _> = DecodeAll::decode_all(&mut bytes);
        match decoded {
            Ok((MAGIC, certificate)) if certificate.statement.version == crate::VERSION => Ok(certificate),
            _ => Err(CertificateError::Encoding),
        }
    }
}
