//! Encryption of key files in the age format: with a passphrase, or to the holder of an age identity.

use age::{
    armor::{ArmoredReader, ArmoredWriter, Format},
    scrypt, x25519, Decryptor, Encryptor, Identity,
};
use std::{
    fmt, io,
    io::{Read, Write},
    iter,
    path::Path,
    str::FromStr,
};
use zeroize::Zeroizing;

use super::{read_private, KeyError, SecretString, MAX_BYTES};

/// scrypt's log2(N) for new files, as the `age` tool has it.
const WORK_FACTOR: u8 = 18;
/// The largest log2(N) that is accepted: 4 GiB and some 16 s.
const MAX_WORK_FACTOR: u8 = 22;

/// The public half of an age identity, `age1…`: whom a backup is encrypted to.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            "not the public half of an age identity: it begins with age1, and `age-keygen` prints it".into()
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

pub(super) fn with_passphrase(passphrase: &SecretString, plaintext: &[u8]) -> io::Result<Vec<u8>> {
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(WORK_FACTOR);
    encrypt(&recipient, plaintext)
}

pub(super) fn to(recipient: &Recipient, plaintext: &[u8]) -> io::Result<Vec<u8>> {
    encrypt(&recipient.0, plaintext)
}

fn encrypt(recipient: &dyn age::Recipient, plaintext: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let encryptor = Encryptor::with_recipients(iter::once(recipient)).map_err(io::Error::other)?;
    let mut writer = encryptor.wrap_output(ArmoredWriter::wrap_output(&mut out, Format::AsciiArmor)?)?;
    writer.write_all(plaintext)?;
    writer.finish()?.finish()?;
    Ok(out)
}

pub(super) fn open_with_passphrase(
    path: &Path,
    bytes: &[u8],
    passphrase: impl FnOnce() -> Result<SecretString, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let decryptor = decryptor(path, bytes)?;
    if !decryptor.is_scrypt() {
        return Err(KeyError::Format {
            path: path.into(),
            reason: "it is encrypted to an age identity and not with a passphrase: if it is a backup, make the key file again with `psephos trustee restore --backup`".into(),
        });
    }
    let mut identity = scrypt::Identity::new(passphrase()?);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    read(decryptor, &mut iter::once(&identity as &dyn Identity))
        .ok_or_else(|| KeyError::WrongPassphrase { path: path.into() })
}

pub(super) fn open_with_identity(
    path: &Path,
    bytes: &[u8],
    identity: &Path,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let lines = read_private(identity)?;
    // The parser's own error names the line only, but here the file is named, too.
    let identities = age::IdentityFile::from_buffer(lines.as_slice())
        .ok()
        .and_then(|file| file.into_identities().ok())
        .filter(|identities| !identities.is_empty())
        .ok_or_else(|| KeyError::NoIdentity(identity.into()))?;
    let decryptor = decryptor(path, bytes)?;
    read(decryptor, &mut identities.iter().map(|identity| identity.as_ref() as &dyn Identity))
        .ok_or_else(|| KeyError::WrongIdentity { path: path.into(), identity: identity.into() })
}

fn decryptor<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<Decryptor<ArmoredReader<io::BufReader<&'a [u8]>>>, KeyError> {
    Decryptor::new_buffered(ArmoredReader::new(bytes)).map_err(|_| KeyError::Format {
        path: path.into(),
        reason: "it is neither JSON nor encrypted in the age format".into(),
    })
}

fn read(
    decryptor: Decryptor<ArmoredReader<io::BufReader<&[u8]>>>,
    identities: &mut dyn Iterator<Item = &dyn Identity>,
) -> Option<Zeroizing<Vec<u8>>> {
    let reader = decryptor.decrypt(identities).ok()?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize));
    reader.take(MAX_BYTES).read_to_end(&mut plaintext).ok()?;
    Some(plaintext)
}
