//! Making key files, the same for every role.

use clap::Args;
use psephos_client::keystore::{KeyError, KeyFile, KeyRole, Protection, PublicKeyFile};
use rand_core::OsRng;
use serde::Serialize;
use serde_json::json;
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{context::Context, error::CliError};

/// Bytes of the longest name.
const MAX_NAME: usize = psephos_protocol::bounds::MAX_TEXT as usize;

/// A key file to make.
#[derive(Args)]
pub struct NewKey {
    /// The key file to make; its public half goes beside it, as NAME.pub.json.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The holder's name, as it will stand in manifests.
    #[arg(long)]
    pub name: String,
    /// Leave the secret unencrypted: for development only.
    #[arg(long)]
    pub insecure_plaintext: bool,
}

impl NewKey {
    /// Checks the name, and that neither half of the key nor another of its files exists.
    ///
    /// # Errors
    /// [`CliError::Input`].
    pub fn check(&self, others: impl IntoIterator<Item = PathBuf>) -> Result<(), CliError> {
        check_name(&self.name)?;
        let halves = [self.out.clone(), public_path(&self.out)];
        match halves.into_iter().chain(others).find(|path| path.exists()) {
            Some(path) => Err(taken(&path)),
            None => Ok(()),
        }
    }
}

/// Checks a holder's name.
///
/// # Errors
/// [`CliError::Input`].
pub fn check_name(name: &str) -> Result<(), CliError> {
    if name.trim().is_empty() || name.len() > MAX_NAME {
        return Err(CliError::Input(format!("--name: has {} bytes, needed are 1 to {MAX_NAME}", name.len())));
    }
    Ok(())
}

/// A file is in the way.
#[must_use]
pub fn taken(path: &Path) -> CliError {
    CliError::file(path, "exists already; nothing was written: choose another --out")
}

/// How a new key file is protected: by a passphrase, unless plaintext is asked for, which is warned of.
///
/// # Errors
/// [`CliError::Input`] when there is no passphrase.
pub fn protection(path: &Path, plaintext: bool, context: &Context) -> Result<Protection, CliError> {
    if plaintext {
        context.out.warn(&format!(
            "{} is written UNENCRYPTED: whoever reads the file has the key. For development only.",
            path.display()
        ));
        return Ok(Protection::InsecurePlaintext);
    }
    Ok(Protection::Passphrase(context.passphrase.new_one(path)?))
}

/// The file of a key's public half.
#[must_use]
pub fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub.json")
}

/// Writes both halves of a key to new files. The public half may be there, if it is this one's.
///
/// # Errors
/// [`CliError::Input`] when one exists, before any is written.
pub fn write(key: &KeyFile, path: &Path, protection: &Protection) -> Result<PublicKeyFile, CliError> {
    let public = key.public_file();
    halves(path, &public, || key.create(path, protection))?;
    Ok(public)
}

/// As [`write`], of any key: `create` writes the secret half.
///
/// # Errors
/// As there.
pub fn halves(
    path: &Path,
    public: &impl Serialize,
    create: impl FnOnce() -> Result<(), KeyError>,
) -> Result<(), CliError> {
    let public_path = public_path(path);
    let text = serde_json::to_vec_pretty(public).map_err(CliError::input)?;
    let published = match fs::read(&public_path) {
        Ok(there) if there == text => true,
        Ok(_) => {
            return Err(CliError::file(
                &public_path,
                "exists already, with another key or name; nothing was written: choose another --out",
            ))
        }
        Err(_) => false,
    };
    create()?;
    if !published {
        create_new(&public_path, &text)?;
    }
    Ok(())
}

/// Writes a new file, durably.
///
/// # Errors
/// [`CliError::Input`] when it exists, or what the system says.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| CliError::file(path, error))
}

/// Makes a key of a role and says what to do with its public half.
///
/// # Errors
/// [`CliError::Input`].
pub fn make(role: KeyRole, args: &NewKey, next: &str, context: &Context) -> Result<(), CliError> {
    args.check([])?;
    let protection = protection(&args.out, args.insecure_plaintext, context)?;
    let key = KeyFile::generate(role, &args.name, &mut OsRng);
    let progress = context.out.spinner("encrypting the key");
    let written = write(&key, &args.out, &protection);
    progress.finish_and_clear();
    let public = written?;
    let public_file = public_path(&args.out);
    let value = json!({ "key": args.out, "public_file": public_file, "name": public.name, "signing": public.signing });
    context.out.result(&value, || {
        format!(
            "Key file     {}  (secret: keep it, and a copy elsewhere)\nPublic half  {}\nPublic key   {}\n\n{next}",
            args.out.display(),
            public_file.display(),
            public.signing,
        )
    })
}
