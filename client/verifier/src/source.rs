//! The file as it is read: its digest comes out on the way.

use std::io::{self, Read};

use psephos_protocol::ids::Digest;
use sha2::{Digest as _, Sha256};

/// A source that hashes what is read of it.
pub(crate) struct Hashed<R> {
    source: R,
    hash: Sha256,
    ended: bool,
}

impl<R> Hashed<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, hash: Sha256::new(), ended: false }
    }

    /// SHA-256 of the whole; none if it was not read to its end.
    pub(crate) fn digest(self) -> Option<Digest> {
        self.ended.then(|| Digest(self.hash.finalize().into()))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.source.read(buffer)?;
        self.ended = got == 0 && !buffer.is_empty();
        self.hash.update(buffer.get(..got).unwrap_or_default());
        Ok(got)
    }
}
