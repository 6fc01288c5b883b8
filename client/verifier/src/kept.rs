//! What is kept of each ballot that counts, in a temporary file: a row per roll entry, of the same size.
//!
//! It is needed again when the ballot is replaced or excluded, for the root of the set, and in a dispute about
//! contributions.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use codec::{Decode, Encode};
use psephos_protocol::{agreement::Accepted, group::Point, ids::Digest, manifest::Manifest};

/// Bytes of a row beside its commitments, and some to spare.
const FIXED: usize = 96;

/// A ballot that counts.
#[derive(Encode, Decode)]
pub(crate) struct Kept {
    pub(crate) accepted: Accepted,
    /// The digest of its dealing.
    pub(crate) dealing: Digest,
    /// The trustees whose receipts it carries, each the bit of its index.
    pub(crate) vouched: u32,
    pub(crate) commitments: Vec<Point>,
}

/// The ballots that count, by roll entry.
pub(crate) struct KeptBallots {
    file: File,
    /// Bytes of a row.
    row: usize,
}

fn failed(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the temporary file of ballots: {error}"))
}

impl KeptBallots {
    /// None yet.
    pub(crate) fn new(manifest: &Manifest) -> io::Result<Self> {
        let row = manifest.columns().saturating_mul(32).saturating_add(FIXED);
        Ok(Self { file: tempfile::tempfile().map_err(failed)?, row })
    }

    fn seek(&self, entry: u32) -> io::Result<u64> {
        let place = u64::from(entry).saturating_mul(self.row as u64);
        (&self.file).seek(SeekFrom::Start(place))
    }

    /// Keeps a ballot in place of an earlier one.
    pub(crate) fn put(&self, entry: u32, ballot: &Kept) -> io::Result<()> {
        let mut row = ballot.encode();
        if row.len() > self.row {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        }
        row.resize(self.row, 0);
        self.seek(entry).and_then(|_| (&self.file).write_all(&row)).map_err(failed)
    }

    /// The ballot that was kept.
    pub(crate) fn get(&self, entry: u32) -> io::Result<Kept> {
        let mut row = vec![0; self.row];
        self.seek(entry).and_then(|_| (&self.file).read_exact(&mut row)).map_err(failed)?;
        Kept::decode(&mut row.as_slice()).map_err(|_| failed(io::ErrorKind::InvalidData.into()))
    }
}
