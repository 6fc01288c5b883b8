//! A look at a store from outside, which changes nothing: for whoever looks after a trustee.

use codec::{Decode, DecodeAll};
use psephos_protocol::ids::Eid;
use redb::{DatabaseError, ReadOnlyDatabase, ReadableDatabase, ReadableTable};
use std::{collections::BTreeMap, fs, path::Path};

use super::{Identity, StoreError, COUNTS, FILE, FORMAT, IDENTITY};

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose it is.
    pub identity: Identity,
    /// Deposits kept, by election.
    pub deposits: BTreeMap<Eid, u64>,
    /// Bytes of its file.
    pub bytes: u64,
}

/// Looks at the store in this folder; none if there is none.
///
/// # Errors
/// [`StoreError::InUse`] while a daemon runs, [`StoreError::NotClosed`] after one that was killed, and others.
pub fn look(folder: &Path) -> Result<Option<Look>, StoreError> {
    let path = folder.join(FILE);
    let failed = |reason: String| StoreError::Failed { path: path.clone(), reason };
    let bytes = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    if bytes == 0 {
        return Ok(None);
    }
    let database = ReadOnlyDatabase::open(&path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.clone()),
        DatabaseError::RepairAborted => StoreError::NotClosed(path.clone()),
        error => failed(error.to_string()),
    })?;
    let (identity, deposits) = read(&database).map_err(|error| failed(error.to_string()))?;
    let damaged = || StoreError::Damaged { path: path.clone(), table: "identity" };
    let mut rest = identity.as_slice();
    let format = u16::decode(&mut rest).map_err(|_| damaged())?;
    if format != FORMAT {
        return Err(StoreError::Format { path, found: format });
    }
    let identity = Identity::decode_all(&mut rest).map_err(|_| damaged())?;
    Ok(Some(Look { identity, deposits, bytes }))
}

fn read(database: &ReadOnlyDatabase) -> Result<(Vec<u8>, BTreeMap<Eid, u64>), redb::Error> {
    let read = database.begin_read()?;
    let identity = read.open_table(IDENTITY)?.get(())?.map(|entry| entry.value().to_vec());
    let mut deposits = BTreeMap::new();
    for entry in read.open_table(COUNTS)?.iter()? {
        let (eid, count) = entry?;
        deposits.insert(Eid(*eid.value()), count.value());
    }
    Ok((identity.unwrap_or_default(), deposits))
}
