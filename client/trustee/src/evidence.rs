//! Evidence (spec 7.7): the dealings of all ballots of the agreed set, for anybody to check contributions with.

use codec::Encode;
use psephos_protocol::{
    agreement::AcceptedSet,
    ballot::TrackingCode,
    envelope::Deposit,
    evidence::{Dealt, EvidenceHeader, MAGIC},
    ids::{BallotHash, Eid},
};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::store::{Store, StoreError};

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A ballot of the set is not in the store.
    #[error("ballot {0} of the set was never deposited here: another trustee that has all ballots can write the evidence")]
    Missing(TrackingCode),
    /// A stored deposit is no good any more.
    #[error(
        "the stored deposit of ballot {0} can't be read any more: another trustee can write the evidence"
    )]
    Damaged(TrackingCode),
    /// The file can't be written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Says which trustees contributed something wrong, and writes into this folder what shows it to anybody; gives where.
pub fn accuse(store: &Store, folder: &Path, eid: &Eid, set: &AcceptedSet, wrong: &[u8]) -> Option<PathBuf> {
    tracing::error!(%eid, trustees = ?wrong, "these trustees have contributed something else than the sums of their shares: the dealings of the ballots show it");
    let path = folder.join(format!("evidence-{eid}.psephos"));
    let ballots = set.iter().map(|(_, accepted)| accepted.ballot);
    match write(store, &EvidenceHeader::of(*eid, set), ballots, &path) {
        Ok(()) => {
            tracing::error!(%eid, file = %path.display(), "publish this file: `psephos audit evidence` checks it against the record");
            Some(path)
        }
        Err(error) => {
            tracing::error!(%eid, %error, "the evidence can't be written");
            None
        }
    }
}

/// Writes the dealings of these ballots, those of the set in its order, to `path`, which appears once it is complete.
///
/// # Errors
/// [`EvidenceError`], naming ballot or file.
pub fn write(
    store: &Store,
    header: &EvidenceHeader,
    ballots: impl IntoIterator<Item = BallotHash>,
    path: &Path,
) -> Result<(), EvidenceError> {
    let file_error = |error| EvidenceError::File { path: path.to_path_buf(), error };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut out = BufWriter::new(File::create(&part).map_err(file_error)?);
    out.write_all(&(MAGIC, header).encode()).map_err(file_error)?;
    for ballot in ballots {
        let code = || TrackingCode::of(&ballot);
        let deposited =
            store.deposited(&header.eid, &ballot)?.ok_or_else(|| EvidenceError::Missing(code()))?;
        let deposit = Deposit::from_bytes(&deposited.deposit).map_err(|_| EvidenceError::Damaged(code()))?;
        let dealt = Dealt { ballot, dealing: deposit.dealing };
        out.write_all(&dealt.encode()).map_err(file_error)?;
    }
    let file = out.into_inner().map_err(|error| file_error(error.into_error()))?;
    file.sync_all().map_err(file_error)?;
    fs::rename(&part, path).map_err(file_error)
}
