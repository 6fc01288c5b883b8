//! Key files: where the signing keys of people and daemons rest.
//!
//! A key file is JSON, `{"version":1,"role":…,"name":…,"public":…,"signing":…,"kem":…}` with seeds
//! in hexadecimal, encrypted with a passphrase in the age format (scrypt, N = 2^18: 256 MiB and
//! about a second for each guess), so that the `age` tool opens it too. Only development uses the
//! JSON unencrypted. The file is readable by its owner alone and is never overwritten.

use age::{
    armor::{ArmoredReader, ArmoredWriter, Format},
    scrypt, Decryptor, Encryptor,
};
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
    iter,
    path::{Path, PathBuf},
};
use tempfile::{NamedTempFile, PersistError};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use age::secrecy::{ExposeSecret, SecretString};

/// The version of the file's contents.
const VERSION: u32 = 1;
/// scrypt's log2(N) for new files, as the `age` tool has it.
const WORK_FACTOR: u8 = 18;
/// The largest log2(N) that is accepted: 4 GiB and some 16 s.
const MAX_WORK_FACTOR: u8 = 22;
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
    /// Not at all: for development. The caller warns.
    InsecurePlaintext,
}

/// A key with its role and name. Zeroized on drop; prints nothing secret.
pub struct KeyFile {
    role: KeyRole,
    name: String,
    signing: SigningKey,
    kem: Option<KemKey>,
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
    signing: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kem: Option<String>,
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
    /// A new key; a trustee's has a KEM key as well.
    pub fn generate(role: KeyRole, name: &str, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let signing = SigningKey::generate(rng);
        let kem = (role == KeyRole::Trustee).then(|| KemKey::generate(rng));
        Self { role, name: name.into(), signing, kem }
    }

    /// The key of a role that was made elsewhere, such as a voter's credential.
    #[must_use]
    pub fn of(role: KeyRole, name: &str, signing: SigningKey) -> Self {
        Self { role, name: name.into(), signing, kem: None }
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
        if path.exists() {
            return Err(KeyError::Exists(path.into()));
        }
        let stored = Stored {
            version: VERSION,
            role: self.role,
            name: self.name.clone(),
            public: self.public().to_string(),
            signing: hex::encode(self.signing.seed()),
            kem: self.kem.as_ref().map(|kem| hex::encode(kem.seed())),
        };
        // Large enough that it never grows, which would leave copies of the secret behind.
        let mut json = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize));
        let bad =
            |error: serde_json::Error| KeyError::Format { path: path.into(), reason: error.to_string() };
        serde_json::to_writer(&mut *json, &stored).map_err(bad)?;
        json.push(b'\n');
        match protection {
            Protection::InsecurePlaintext => create_private(path, &json),
            Protection::Passphrase(passphrase) => {
                create_private(path, &encrypt(passphrase, &json).map_err(io_error(path))?)
            }
        }
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
        let bytes = read_private(path)?;
        let json = if is_plain(&bytes) { bytes } else { decrypt(path, &bytes, passphrase)? };
        let bad = |reason: &str| KeyError::Format { path: path.into(), reason: reason.into() };
        // The parser's own message could quote the secret.
        let stored: Stored =
            serde_json::from_slice(&json).map_err(|_| bad("its JSON has not the fields of a key file"))?;
        if stored.version != VERSION {
            return Err(bad("it is of another version; this software reads version 1"));
        }
        if stored.role != role {
            return Err(KeyError::Role { path: path.into(), is: stored.role, needs: role });
        }
        let signing =
            SigningKey::from_seed(*seed(&stored.signing).ok_or_else(|| bad("`signing` is no seed"))?);
        if signing.public().to_string() != stored.public {
            return Err(bad("`public` is not the public key of `signing`: the file was changed"));
        }
        let kem = match (&stored.kem, role) {
            (Some(kem), _) => Some(KemKey::from_seed(*seed(kem).ok_or_else(|| bad("`kem` is no seed"))?)),
            (None, KeyRole::Trustee) => {
                return Err(bad("a trustee's key has a `kem` seed, and this has none"))
            }
            (None, _) => None,
        };
        Ok(Self { role, name: stored.name.clone(), signing, kem })
    }
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

fn encrypt(passphrase: &SecretString, plaintext: &[u8]) -> io::Result<Vec<u8>> {
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(WORK_FACTOR);
    let mut out = Vec::new();
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
        .map_err(io::Error::other)?;
    let mut writer = encryptor.wrap_output(ArmoredWriter::wrap_output(&mut out, Format::AsciiArmor)?)?;
    writer.write_all(plaintext)?;
    writer.finish()?.finish()?;
    Ok(out)
}

fn decrypt(
    path: &Path,
    bytes: &[u8],
    passphrase: impl FnOnce() -> Result<SecretString, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let not_ours = |reason: String| KeyError::Format { path: path.into(), reason };
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(bytes))
        .map_err(|_| not_ours("it is neither JSON nor encrypted in the age format".into()))?;
    if !decryptor.is_scrypt() {
        return Err(not_ours("it is encrypted, but not with a passphrase".into()));
    }
    let mut identity = scrypt::Identity::new(passphrase()?);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let wrong = || KeyError::WrongPassphrase { path: path.into() };
    let reader = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).map_err(|_| wrong())?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize));
    reader.take(MAX_BYTES).read_to_end(&mut plaintext).map_err(|_| wrong())?;
    Ok(plaintext)
}

/// Reads a small secret file, if nobody but its owner may read it.
///
/// # Errors
/// [`KeyError::Mode`], [`KeyError::Format`] when larger than 16 KiB, or what the system says.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let file = File::open(path).map_err(io_error(path))?;
    check_mode(path, &file)?;
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
mod tests {
    use super::*;
    use rand_core::OsRng;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn passphrase(text: &str) -> Protection {
        Protection::Passphrase(SecretString::from(text.to_owned()))
    }

    fn source(folder: &Path, text: &str) -> PassphraseSource {
        let path = folder.join(format!("passphrase-{}", text.len()));
        create_private(&path, text.as_bytes()).unwrap();
        PassphraseSource::File(path)
    }

    #[test]
    fn an_encrypted_key_comes_back_only_with_its_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trustee.key");
        let key = KeyFile::generate(KeyRole::Trustee, "Ada", &mut OsRng);
        key.create(&path, &passphrase("correct horse")).unwrap();

        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let right = source(folder.path(), "correct horse\n");
        let loaded = KeyFile::load(&path, KeyRole::Trustee, &right).unwrap();
        assert_eq!(loaded.public_file(), key.public_file());
        assert_eq!(loaded.name(), "Ada");

        let wrong = source(folder.path(), "wrong horse");
        assert!(matches!(
            KeyFile::load(&path, KeyRole::Trustee, &wrong),
            Err(KeyError::WrongPassphrase { .. })
        ));
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.key");
        let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
        key.create(&path, &Protection::InsecurePlaintext).unwrap();
        let before = fs::read(&path).unwrap();
        let other = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
        assert!(matches!(other.create(&path, &Protection::InsecurePlaintext), Err(KeyError::Exists(_))));
        assert!(matches!(create_private(&path, b"x"), Err(KeyError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), before);
        // No temporary file stays behind.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_replaced_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballot");
        create_private(&path, b"old").unwrap();
        replace_private(&path, b"new").unwrap();
        assert_eq!(*read_private(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.key");
        let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
        key.create(&path, &Protection::InsecurePlaintext).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = KeyFile::load(&path, KeyRole::Board, &PassphraseSource::Ask).err().unwrap();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn wrong_role_or_changed_file_is_named_and_secrets_are_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.key");
        let key = KeyFile::generate(KeyRole::Board, "Bo", &mut OsRng);
        key.create(&path, &Protection::InsecurePlaintext).unwrap();
        let error = KeyFile::load(&path, KeyRole::Voter, &PassphraseSource::Ask).err().unwrap();
        assert!(error.to_string().contains("key of a board"), "{error}");

        let secret = hex::encode(key.signing().seed());
        let changed = [
            (secret.clone(), "00".repeat(32)),
            ("\"version\":1".into(), "\"version\":2".into()),
            ("\"signing\"".into(), "\"singing\"".into()),
            ("{".into(), "".into()),
        ];
        let text = fs::read_to_string(&path).unwrap();
        for (index, (from, to)) in changed.into_iter().enumerate() {
            let path = folder.path().join(format!("changed-{index}.key"));
            create_private(&path, text.replacen(&from, &to, 1).as_bytes()).unwrap();
            let error = KeyFile::load(&path, KeyRole::Board, &PassphraseSource::Ask).err().unwrap();
            assert!(matches!(error, KeyError::Format { .. }), "{index}: {error}");
            assert!(!error.to_string().contains(&secret), "{error}");
        }
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let short = source(folder.path(), "1234567");
        assert!(matches!(short.new_one(Path::new("x")), Err(KeyError::ShortPassphrase)));
    }
}
