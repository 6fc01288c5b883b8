//! The key file of the key that certifies records (spec 9.6): like the others, with the seeds of SLH-DSA.

use psephos_protocol::certificate::{CertificateKey, CertificatePublicKey, SEEDS};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{create_sealed, read_sealed, KeyError, PassphraseSource, Protection, VERSION};

/// What stands in `role`.
const ROLE: &str = "certificate";

/// A key for certificates with its holder's name. Zeroized on drop; prints nothing secret.
pub struct CertificateKeyFile {
    name: String,
    key: CertificateKey,
}

/// What stands in the file.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    role: String,
    name: String,
    public: String,
    seeds: String,
}

/// The public half, to be made public before the election: JSON `{"name","certificate","fingerprint"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicCertificateKey {
    /// The holder's name.
    pub name: String,
    /// The SLH-DSA public key in hexadecimal, 48 bytes.
    pub certificate: String,
    /// Its SHA-256, which is printed.
    pub fingerprint: String,
}

impl CertificateKeyFile {
    /// A new key.
    pub fn generate(name: &str, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self { name: name.into(), key: CertificateKey::generate(rng) }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &CertificateKey {
        &self.key
    }

    /// The public half.
    #[must_use]
    pub fn public_file(&self) -> PublicCertificateKey {
        let public: CertificatePublicKey = self.key.public();
        PublicCertificateKey {
            name: self.name.clone(),
            certificate: public.to_string(),
            fingerprint: public.fingerprint().to_string(),
        }
    }

    /// Writes the key to a new file, mode 600, durably.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when there is something in its place, or what the system says.
    pub fn create(&self, path: &Path, protection: &Protection) -> Result<(), KeyError> {
        let stored = Stored {
            version: VERSION,
            role: ROLE.into(),
            name: self.name.clone(),
            public: self.key.public().to_string(),
            seeds: hex::encode(self.key.seeds()),
        };
        create_sealed(path, &stored, protection)
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`KeyError`]: others may read it, the passphrase is wrong, or it is not such a file.
    pub fn load(path: &Path, passphrase: &PassphraseSource) -> Result<Self, KeyError> {
        let json = read_sealed(path, || passphrase.existing(path))?;
        let bad = |reason: &str| KeyError::Format { path: path.into(), reason: reason.into() };
        // The parser's own message could quote the secret.
        let stored: Stored = serde_json::from_slice(&json).map_err(|_| {
            bad("its JSON has not the fields of a certificate key; `psephos board certificate-key` makes one")
        })?;
        if stored.version != VERSION || stored.role != ROLE {
            return Err(bad("it is no certificate key of version 1"));
        }
        let mut seeds = Zeroizing::new([0; SEEDS]);
        hex::decode_to_slice(&stored.seeds, seeds.as_mut()).map_err(|_| bad("`seeds` are no seeds"))?;
        let key = CertificateKey::from_seeds(seeds);
        if key.public().to_string() != stored.public {
            return Err(bad("`public` is not the public key of its secret: the file was changed"));
        }
        Ok(Self { name: stored.name.clone(), key })
    }
}
