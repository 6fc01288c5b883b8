//! The election record (spec 9): a stream of blocks with every message that concerns the election.
//!
//! `RecordHeader`, then one [`RecordBlock`] per block from the first approval of the election's creation to
//! the one that certified or voided it, each SCALE-encoded and prefixed by its length as a
//! little-endian u32. Everything in it was signed by its author, so that it proves itself.

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use scale_info::TypeInfo;

use crate::{
    board::Board,
    ids::{Eid, Genesis},
    wire::Message,
};

/// The first bytes of a record file.
pub const MAGIC: [u8; 8] = *b"PSEPHOS1";
/// Bytes of the largest frame: a block of the chain.
pub const MAX_FRAME: u32 = 8 * 1024 * 1024;
/// Bytes of a frame that are read at first.
const PIECE: usize = 16 * 1024;

/// What a record begins with, after [`MAGIC`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RecordHeader {
    /// [`crate::VERSION`].
    pub version: u16,
    /// The chain.
    pub genesis: Genesis,
    /// The chain's board, which creates elections.
    pub board: Board,
    /// The election.
    pub eid: Eid,
}

/// A block of the chain, with the messages of this election.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RecordBlock {
    /// The block header in the chain's own SCALE encoding; its BLAKE2b-256 is the block's hash.
    pub header: Vec<u8>,
    /// The block's time in ms since the Unix epoch.
    pub time: u64,
    /// The messages, in the block's order.
    pub messages: Vec<Message>,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Another kind of file.
    #[error("not an election record: the file does not begin with PSEPHOS1")]
    Magic,
    /// The file ends within a frame.
    #[error("the record is cut off within frame {0}")]
    Truncated(u64),
    /// A frame that is too large.
    #[error("frame {0} is larger than 8 MiB")]
    TooLarge(u64),
    /// A frame that does not decode, or not wholly.
    #[error("frame {0} is malformed")]
    Malformed(u64),
}

/// A frame's bytes: length and encoding.
#[must_use]
pub fn frame(item: &impl Encode) -> Vec<u8> {
    // A frame is one `Vec<u8>` whose length is written at full width, so that a reader can seek.
    let body = item.encode();
    let mut out = (body.len() as u32).to_le_bytes().to_vec();
    out.extend(body);
    out
}

/// Reads frames from any source of bytes, without trusting any length.
pub struct FrameReader<R> {
    read: R,
    frames: u64,
}

impl<R, E> FrameReader<R>
where
    R: FnMut(&mut [u8]) -> Result<usize, E>,
    E: From<RecordError>,
{
    /// Starts reading: checks the magic. `read` fills a buffer like `std::io::Read::read`.
    ///
    /// # Errors
    /// [`RecordError::Magic`], or the source's own.
    pub fn new(read: R) -> Result<Self, E> {
        let mut reader = Self { read, frames: 0 };
        let mut magic = [0u8; 8];
        if reader.fill(&mut magic)? != magic.len() || magic != MAGIC {
            return Err(RecordError::Magic.into());
        }
        Ok(reader)
    }

    /// The next frame; none at the end of the source.
    ///
    /// # Errors
    /// [`RecordError`] naming the frame, or the source's own.
    #[allow(clippy::should_implement_trait)] // No iterator: the first frame has another type than the rest.
    pub fn next<T: Decode>(&mut self) -> Result<Option<T>, E> {
        let mut length = [0u8; 4];
        let got = self.fill(&mut length)?;
        if got == 0 {
            return Ok(None);
        }
        let index = self.frames;
        self.frames = self.frames.saturating_add(1);
        if got != length.len() {
            return Err(RecordError::Truncated(index).into());
        }
        let length = u32::from_le_bytes(length);
        if length > MAX_FRAME {
            return Err(RecordError::TooLarge(index).into());
        }
        let mut body = Vec::new();
        while body.len() < length as usize {
            // What is allocated follows what came, not what the frame's length promises.
            let read = body.len();
            body.resize(read.saturating_mul(2).max(PIECE).min(length as usize), 0);
            let rest = body.get_mut(read..).unwrap_or_default();
            if self.fill(rest)? != rest.len() {
                return Err(RecordError::Truncated(index).into());
            }
        }
        T::decode_all(&mut body.as_slice()).map(Some).map_err(|_| RecordError::Malformed(index).into())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, E> {
        let mut filled = 0usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match (self.read)(rest)? {
                0 => break,
                got => filled = filled.saturating_add(got),
            }
        }
        Ok(filled)
    }
}
