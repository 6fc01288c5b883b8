//! The file of a ballot that is being cast: on disk before anything is sent, gone when the ballot is recorded,
//! so that whatever kills the program loses nothing. It holds what is sent, and nothing secret.

use codec::Encode;
use psephos_client::{
    keystore::{create_private, replace_private},
    voter::{SealedBallot, MAX_SEALED_BYTES},
};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::error::CliError;

/// What such a file begins with; the sealed ballot follows.
const MAGIC: &[u8] = b"psephos ballot being cast v1\n";

/// Where the ballot is kept: in the place of the prepared one, or beside the key, as `voter.key.casting`.
#[must_use]
pub fn path(prepared: Option<&Path>, key: &Path) -> PathBuf {
    prepared.map_or_else(
        || {
            let mut name = key.file_name().map(OsString::from).unwrap_or_default();
            name.push(".casting");
            key.with_file_name(name)
        },
        Path::to_path_buf,
    )
}

/// The ballot that was being cast when the program was cut off; none if there is no file, or a prepared ballot in
/// its place.
///
/// # Errors
/// [`CliError::Input`] when the file can't be read or is damaged.
pub fn read(path: &Path) -> Result<Option<SealedBallot>, CliError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| CliError::file(path, error))?,
    };
    let mut bytes = Vec::new();
    let most = (MAGIC.len() + MAX_SEALED_BYTES + 1) as u64;
    file.take(most).read_to_end(&mut bytes).map_err(|error| CliError::file(path, error))?;
    let Some(ballot) = bytes.strip_prefix(MAGIC) else { return Ok(None) };
    let damaged = || CliError::file(path, "is a ballot that was being cast, and damaged; nothing was sent");
    SealedBallot::from_bytes(ballot).map(Some).ok_or_else(damaged)
}

/// Keeps a ballot, durably. What was prepared is replaced in one step, so that it is never both revealed and sent.
///
/// # Errors
/// [`CliError::Input`]; nothing may be sent then.
pub fn keep(path: &Path, prepared: bool, ballot: &SealedBallot) -> Result<(), CliError> {
    let bytes = [MAGIC, &ballot.encode()].concat();
    if prepared {
        replace_private(path, &bytes)?;
    } else {
        create_private(path, &bytes)?;
    }
    Ok(())
}

/// Forgets a ballot that is recorded, or can't be any more.
///
/// # Errors
/// [`CliError::Input`].
pub fn forget(path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(CliError::file(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voter::opening::{self, Kind};
    use psephos_protocol::testing::{Fixture, Params};

    fn sealed(fixture: &mut Fixture) -> SealedBallot {
        let mut signed = fixture.sign(0, 1, &[vec![1, 0, 0]]);
        let deposits = fixture.deposits(&mut signed);
        let envelopes = deposits.into_iter().map(|deposit| deposit.envelope).collect();
        SealedBallot { ballot: signed.ballot, dealing: signed.dealing, envelopes }
    }

    #[test]
    fn a_ballot_is_kept_beside_its_key_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(None, &folder.path().join("voter.key"));
        assert_eq!(path, folder.path().join("voter.key.casting"));
        assert!(read(&path).unwrap().is_none());
        let ballot = sealed(&mut Fixture::new(&Params::default()));
        keep(&path, false, &ballot).unwrap();
        assert!(keep(&path, false, &ballot).is_err(), "a second program with this key must not begin");
        assert_eq!(read(&path).unwrap(), Some(ballot));
        let mut damaged = fs::read(&path).unwrap();
        damaged.pop();
        fs::write(&path, damaged).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("damaged"));
        forget(&path).unwrap();
        assert!(read(&path).unwrap().is_none());
    }

    #[test]
    fn a_prepared_ballot_that_is_being_cast_is_never_revealed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ballot.prepared");
        let mut fixture = Fixture::new(&Params::default());
        let prepared = fixture.prepare(0, 1, &[vec![1, 0, 0]]).unwrap();
        opening::write(&file, Kind::Prepared, &prepared.audit()).unwrap();
        assert!(read(&file).unwrap().is_none());
        keep(&path(Some(&file), Path::new("voter.key")), true, &sealed(&mut fixture)).unwrap();
        let error = opening::read(&file, Kind::Prepared).err().unwrap().to_string();
        assert!(error.contains("is being cast"), "{error}");
        assert!(read(&file).unwrap().is_some());
    }
}
