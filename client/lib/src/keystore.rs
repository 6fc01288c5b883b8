//! Key files: where the signing keys of people and daemons rest.
//!
//! A key file is JSON, `{"version":1,"role":…,"name":…,"public":…,"signing":…}` with the seed in
//! hexadecimal, encrypted with a passphrase in the age format (scrypt, N = 2^18: 256 MiB and
//! about a second for each guess), so that the `age` tool opens it too. Only development uses the
//! JSON unencrypted. The file is readable by its owner alone and is never overwritten.
//!
//! A trustee's has `root` in the place of `signing`, from which both of its keys follow ([`Root`]). Older
//! ones have the two seeds, `signing` and `kem`, and can't be written down as words.

mod certificate;
mod root;
mod sealing;

use psephos_protocol::{
    envelope::KemKey,
    keys::{PublicKey, SigningKey},
};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
};
use tempfile::{NamedTempFile, PersistError};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use age::secrecy::{ExposeSecret, SecretString};
pub use certificate::{CertificateKeyFile, PublicCertificateKey};
pub use root::{Repair, Root, UnknownWord, WordsError, WORDS};
pub use sealing::Recipient;

/// The version of the file's contents.
const VERSION: u32 = 1;
/// Bytes of the largest key file that is read.
const MAX_BYTES: u64 = 16 * 1024;
/// Characters of the shortest passphrase for a new file.
pub const MIN_PASSPHRASE: usize = 8;
/// The environment variable that a passphrase is taken from.
pub const PASSPHRASE_VARIABLE: &str = "PSEPHOS_PASSPHRASE";

/// Whose key it is. A key has one role, so that no signature can be used in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// A trustee's signing and KEM key.
    Trustee,
    /// A board member's.
    Board,
    /// A registrar's.
    Registrar,
    /// A voter's credential.
    Voter,
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trustee => "trustee",
            Self::Board => "board",
            Self::Registrar => "registrar",
            Self::Voter => "voter",
        })
    }
}

/// Why a key file can't be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is something in its place.
    #[error("{0} exists already; nothing was written: choose another name, or move it away if you are sure")]
    Exists(PathBuf),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than the owner may read it.
    #[error(
        "{path} has mode {mode:03o}, so others may read this secret; make it yours alone: chmod 600 {path}"
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another kind of file.
    #[error("{path} is not a psephos key file: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key of another role.
    #[error("{path} is the key of a {is}, and this needs the key of a {needs}: give another --key")]
    Role {
        /// The file.
        path: PathBuf,
        /// Its role.
        is: KeyRole,
        /// The role that is needed.
        needs: KeyRole,
    },
    /// No passphrase and nobody to ask.
    #[error("{path} needs a passphrase, and there is no terminal to ask at: set {PASSPHRASE_VARIABLE} or give --passphrase-file")]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is wrong.
    #[error("the passphrase does not open {path}: try again, or see whether the file was changed")]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The age identity does not open a backup.
    #[error("no identity in {identity} opens {path}: give the one that the backup was made for")]
    WrongIdentity {
        /// The backup.
        path: PathBuf,
        /// The file of the identity.
        identity: PathBuf,
    },
    /// The file of an age identity has none.
    #[error("{0} has no age identity: it is a text file with a line AGE-SECRET-KEY-1..., as `age-keygen` makes it")]
    NoIdentity(PathBuf),
    /// The passphrase is too short.
    #[error(
        "the passphrase is shorter than {MIN_PASSPHRASE} characters: choose a longer one, such as five words"
    )]
    ShortPassphrase,
    /// The two passphrases differ.
    #[error("the two passphrases differ: start again")]
    Mistyped,
}

/// Where a passphrase comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PassphraseSource {
    /// The environment variable [`PASSPHRASE_VARIABLE`], or else the person at the terminal.
    #[default]
    Ask,
    /// The first line of a file.
    File(PathBuf),
}

impl PassphraseSource {
    /// The passphrase of an existing key file.
    ///
    /// # Errors
    /// [`KeyError::NoPassphrase`] when there is none and nobody to ask.
    pub fn existing(&self, path: &Path) -> Result<SecretString, KeyError> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => prompt(path, &format!("Passphrase for {}: ", path.display())),
        }
    }

    /// A passphrase for a new key file: asked twice, and long enough.
    ///
    /// # Errors
    /// [`KeyError`] when there is none, it is too short, or mistyped.
    pub fn new_one(&self, path: &Path) -> Result<SecretString, KeyError> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = prompt(path, &format!("New passphrase for {}: ", path.display()))?;
                let second = prompt(path, "The same again: ")?;
                if first.expose_secret() != second.expose_secret() {
                    return Err(KeyError::Mistyped);
                }
                first
            }
        };
        if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE {
            return Err(KeyError::ShortPassphrase);
        }
        Ok(passphrase)
    }

    fn given(&self) -> Result<Option<SecretString>, KeyError> {
        match self {
            Self::Ask => Ok(std::env::var(PASSPHRASE_VARIABLE).ok().map(SecretString::from)),
            Self::File(path) => {
                let bytes = read_private(path)?;
                let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::Format {
                    path: path.clone(),
                    reason: "a passphrase is UTF-8".into(),
                })?;
                Ok(Some(SecretString::from(text.lines().next().unwrap_or_default().to_owned())))
            }
        }
    }
}

fn prompt(path: &Path, question: &str) -> Result<SecretString, KeyError> {
    if !io::stdin().is_terminal() {
        return Err(KeyError::NoPassphrase { path: path.into() });
    }
    rpassword::prompt_password(question).map(SecretString::from).map_err(io_error(path))
}

/// How a new key file is protected.
#[derive(Clone, Debug)]
pub enum Protection {
    /// Encrypted with a passphrase.
    Passphrase(SecretString),
    /// Encrypted to the holder of an age identity.
    Recipient(Recipient),
    /// Not at all: for development. The caller warns.
    InsecurePlaintext,
}

/// A key with its role and name. Zeroized on drop; prints nothing secret.
pub struct KeyFile {
    role: KeyRole,
    name: String,
    signing: SigningKey,
    kem: Option<KemKey>,
    root: Option<Root>,
}

/// What stands in the file.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    #[zeroize(skip)]
    role: KeyRole,
    name: String,
    public: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signing: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
}

/// The public half of a key, to be handed to the board: JSON `{"name","signing","kem"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeyFile {
    /// The holder's name.
    pub name: String,
    /// The sr25519 public key in hexadecimal.
    pub signing: String,
    /// A trustee's X-Wing public key in hexadecimal, 1,216 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kem: Option<String>,
}

impl KeyFile {
    /// A new key; a trustee's has a KEM key as well, both of one root.
    pub fn generate(role: KeyRole, name: &str, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        match role {
            KeyRole::Trustee => Self::trustee(name, Root::generate(rng)),
            _ => Self::of(role, name, SigningKey::generate(rng)),
        }
    }

    /// The keys of a trustee's root.
    #[must_use]
    pub fn trustee(name: &str, root: Root) -> Self {
        Self {
            role: KeyRole::Trustee,
            name: name.into(),
            signing: root.signing(),
            kem: Some(root.kem()),
            root: Some(root),
        }
    }

    /// The key of a role that was made elsewhere, such as a voter's credential.
    #[must_use]
    pub fn of(role: KeyRole, name: &str, signing: SigningKey) -> Self {
        Self { role, name: name.into(), signing, kem: None, root: None }
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> KeyRole {
        self.role
    }

    /// The holder's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signing key.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// A trustee's KEM key.
    #[must_use]
    pub fn kem(&self) -> Option<&KemKey> {
        self.kem.as_ref()
    }

    /// The root of a trustee's keys, unless they were drawn apart.
    #[must_use]
    pub fn root(&self) -> Option<&Root> {
        self.root.as_ref()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.signing.public()
    }

    /// The public half.
    #[must_use]
    pub fn public_file(&self) -> PublicKeyFile {
        PublicKeyFile {
            name: self.name.clone(),
            signing: self.public().to_string(),
            kem: self.kem.as_ref().and_then(|kem| kem.public().ok()).map(hex::encode),
        }
    }

    /// Writes the key to a new file, mode 600, durably.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when there is something in its place, or what the system says.
    pub fn create(&self, path: &Path, protection: &Protection) -> Result<(), KeyError> {
        let stored = Stored {
            version: VERSION,
            role: self.role,
            name: self.name.clone(),
            public: self.public().to_string(),
            signing: self.root.is_none().then(|| hex::encode(self.signing.seed())),
            kem: self.kem.as_ref().filter(|_| self.root.is_none()).map(|kem| hex::encode(kem.seed())),
            root: self.root.as_ref().map(|root| hex::encode(root.bytes())),
        };
        create_sealed(path, &stored, protection)
    }

    /// Reads a key file of one role.
    ///
    /// # Errors
    /// [`KeyError`]: others may read it, the passphrase is wrong, or it is not such a file.
    pub fn load(path: &Path, role: KeyRole, passphrase: &PassphraseSource) -> Result<Self, KeyError> {
        Self::load_with(path, role, || passphrase.existing(path))
    }

    /// Whether a key file is encrypted.
    ///
    /// # Errors
    /// [`KeyError`], when others may read it or the system says so.
    pub fn is_encrypted(path: &Path) -> Result<bool, KeyError> {
        Ok(!is_plain(&read_private(path)?))
    }

    /// As [`Self::load`], with a passphrase that is asked for when the file is encrypted.
    ///
    /// # Errors
    /// As there.
    pub fn load_with(
        path: &Path,
        role: KeyRole,
        passphrase: impl FnOnce() -> Result<SecretString, KeyError>,
    ) -> Result<Self, KeyError> {
        Self::parse(path, role, &read_sealed(path, passphrase)?)
    }

    /// Reads a backup that was encrypted to the holder of an age identity.
    ///
    /// # Errors
    /// [`KeyError`]: others may read the identity, it is not the right one, or the backup is none.
    pub fn load_backup(path: &Path, role: KeyRole, identity: &Path) -> Result<Self, KeyError> {
        // Encrypted without a passphrase that could be guessed, so whoever may read it.
        let bytes = read_small(path, &File::open(path).map_err(io_error(path))?)?;
        let json = sealing::open_with_identity(path, &bytes, identity)?;
        Self::parse(path, role, &json)
    }

    fn parse(path: &Path, role: KeyRole, json: &[u8]) -> Result<Self, KeyError> {
        let bad = |reason: &str| KeyError::Format { path: path.into(), reason: reason.into() };
        // The parser's own message could quote the secret.
        let stored: Stored =
            serde_json::from_slice(json).map_err(|_| bad("its JSON has not the fields of a key file"))?;
        if stored.version != VERSION {
            return Err(bad("it is of another version; this software reads version 1"));
        }
        if stored.role != role {
            return Err(KeyError::Role { path: path.into(), is: stored.role, needs: role });
        }
        let secret = |text: &Option<String>, name: &str| {
            text.as_deref()
                .map(|text| seed(text).ok_or_else(|| bad(&format!("`{name}` is no seed"))))
                .transpose()
        };
        let signing = secret(&stored.signing, "signing")?;
        let kem = secret(&stored.kem, "kem")?;
        let root = secret(&stored.root, "root")?;
        let key = match (root, signing, kem, role) {
            (Some(root), None, None, KeyRole::Trustee) => {
                Self::trustee(&stored.name, Root::from_bytes(*root))
            }
            (None, Some(signing), Some(kem), KeyRole::Trustee) => Self {
                kem: Some(KemKey::from_seed(*kem)),
                ..Self::of(role, &stored.name, SigningKey::from_seed(*signing))
            },
            (None, Some(signing), None, role) if role != KeyRole::Trustee => {
                Self::of(role, &stored.name, SigningKey::from_seed(*signing))
            }
            (_, _, _, KeyRole::Trustee) => {
                return Err(bad("a trustee's key has a `root`, or the seeds `signing` and `kem`"))
            }
            _ => return Err(bad("it has not just the seed `signing`")),
        };
        if key.public().to_string() != stored.public {
            return Err(bad("`public` is not the public key of its secret: the file was changed"));
        }
        Ok(key)
    }
}

/// The part of a public key that people compare: its first 16 bytes, in groups of four digits.
#[must_use]
pub fn fingerprint(key: &PublicKey) -> String {
    let digits = key.to_string();
    let groups: Vec<&str> = (0..32).step_by(4).filter_map(|start| digits.get(start..start + 4)).collect();
    groups.join(" ")
}

/// Writes the contents of a key file to a new one.
fn create_sealed(path: &Path, stored: &impl Serialize, protection: &Protection) -> Result<(), KeyError> {
    if path.exists() {
        return Err(KeyError::Exists(path.into()));
    }
    // Large enough that it never grows, which would leave copies of the secret behind.
    let mut json = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize));
    let bad = |error: serde_json::Error| KeyError::Format { path: path.into(), reason: error.to_string() };
    serde_json::to_writer(&mut *json, stored).map_err(bad)?;
    json.push(b'\n');
    match protection {
        Protection::InsecurePlaintext => create_private(path, &json),
        Protection::Passphrase(passphrase) => {
            create_private(path, &sealing::with_passphrase(passphrase, &json).map_err(io_error(path))?)
        }
        Protection::Recipient(recipient) => {
            create_private(path, &sealing::to(recipient, &json).map_err(io_error(path))?)
        }
    }
}

/// Reads the contents of a key file, with a passphrase that is asked for when it is encrypted.
fn read_sealed(
    path: &Path,
    passphrase: impl FnOnce() -> Result<SecretString, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = read_private(path)?;
    if is_plain(&bytes) {
        return Ok(bytes);
    }
    sealing::open_with_passphrase(path, &bytes, passphrase)
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{")
}

fn seed(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(text, seed.as_mut()).ok()?;
    Some(seed)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KeyError + '_ {
    move |error| KeyError::Io { path: path.into(), error }
}

/// Reads a small secret file, if nobody but its owner may read it.
///
/// # Errors
/// [`KeyError::Mode`], [`KeyError::Format`] when larger than 16 KiB, or what the system says.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let file = File::open(path).map_err(io_error(path))?;
    check_mode(path, &file)?;
    read_small(path, &file)
}

fn read_small(path: &Path, file: &File) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io_error(path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(KeyError::Format { path: path.into(), reason: "it is larger than 16 KiB".into() });
    }
    Ok(bytes)
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(io_error(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Mode { path: path.into(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

/// Writes a secret to a new file that its owner alone may read, and waits until it is on disk.
/// Never overwrites: of two who try at once, one fails.
///
/// # Errors
/// [`KeyError::Exists`], or what the system says.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    put_private(path, bytes, |file| file.persist_noclobber(path))
}

/// As [`create_private`], in the place of what is there: at every moment the file is the old one or the new.
///
/// # Errors
/// What the system says.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    put_private(path, bytes, |file| file.persist(path))
}

fn put_private(
    path: &Path,
    bytes: &[u8],
    persist: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> Result<(), KeyError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Temporary files are created with mode 600.
    let mut file =
        tempfile::Builder::new().prefix(".psephos-").tempfile_in(folder).map_err(io_error(path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io_error(path))?;
    persist(file).map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.into()),
        _ => KeyError::Io { path: path.into(), error: failed.error },
    })?;
    // The new name is durable when the folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(path))
}

#[cfg(all(test, unix))]
mod tests;
