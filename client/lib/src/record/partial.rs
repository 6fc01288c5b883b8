//! The file that a record grows in until it is whole: an export that was cut off goes on with it.
//!
//! Every [`CHECKPOINT`] blocks the file is brought to the disk before more is written. Whatever a crash leaves is right
//! up to the last such place before its last whole frame, so that an export begins again there, if that block is still
//! one of the chain: else at the last place whose block is.

use codec::Encode;
use psephos_protocol::{
    header::Header,
    ids::Anchor,
    record::{frame, FrameReader, RecordBlock, RecordError as FormatError, RecordHeader, MAGIC, MAX_FRAME},
    wire::Message,
};
use sp_crypto_hashing::blake2_256;
use std::{
    cell::Cell,
    fs::{self, File, TryLockError},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{Ending, RecordError, Resumed};
use crate::{chain::Chain, error::ChainError};

/// Blocks between two places at which the file is brought to the disk.
pub(super) const CHECKPOINT: u32 = 64;

/// How far a record is written.
#[derive(Clone)]
pub(super) struct State {
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// Messages in it.
    pub(super) messages: u64,
    /// Blocks in it.
    pub(super) blocks: u32,
    /// Its last block; none before the first.
    pub(super) last: Option<Anchor>,
    /// The approvals of the election's end so far; none where a record ends at the last finalized block.
    ending: Option<Ending>,
}

impl State {
    /// Counts a frame. Whether the election ends with it.
    fn count(&mut self, anchor: Anchor, messages: &[Message], bytes: u64) -> bool {
        self.bytes += bytes;
        self.messages += messages.len() as u64;
        self.blocks += 1;
        self.last = Some(anchor);
        self.ending.as_mut().is_some_and(|ending| ending.is_reached_by(anchor.number, messages))
    }
}

/// A record that is being written.
pub(super) struct Partial {
    path: PathBuf,
    file: BufWriter<File>,
    state: State,
    /// Where an export may go on, before any block and then every [`CHECKPOINT`] blocks.
    checkpoints: Vec<State>,
}

/// Why a frame can't be read.
enum Unread {
    Disk(io::Error),
    Format,
}

impl From<FormatError> for Unread {
    fn from(_: FormatError) -> Self {
        Self::Format
    }
}

/// The name that a record has until it is whole.
pub(super) fn path_of(record: &Path) -> PathBuf {
    let mut beside = record.as_os_str().to_owned();
    beside.push(".partial");
    beside.into()
}

impl Partial {
    /// Opens the file, or makes it, and reads what there is: blocks from number `first` on, each the child of the one
    /// before, up to the first that is none. `seen` is told their numbers.
    ///
    /// # Errors
    /// [`RecordError::Busy`], [`RecordError::Other`] or [`RecordError::NotPartial`], with the file as it was.
    pub(super) fn open(
        path: PathBuf,
        header: &RecordHeader,
        first: u32,
        ending: Option<Ending>,
        seen: impl FnMut(u32),
    ) -> Result<Self, RecordError> {
        let failed = |error| RecordError::File { path: path.clone(), error };
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            // The export that held the lock may just have given the file its final name.
            Ok(()) if path.try_exists().map_err(failed)? => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Err(RecordError::Busy(path)),
            // Not every file system has locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let beginning = [MAGIC.to_vec(), frame(header)].concat();
        let start = State { bytes: beginning.len() as u64, messages: 0, blocks: 0, last: None, ending };
        let mut partial =
            Self { path, file: BufWriter::new(file), state: start.clone(), checkpoints: vec![start] };
        if partial.begin(&beginning, header)? {
            partial.scan(first, seen).map_err(|error| partial.failed(error))?;
        }
        Ok(partial)
    }

    fn failed(&self, error: io::Error) -> RecordError {
        RecordError::File { path: self.path.clone(), error }
    }

    /// Writes what a record begins with, unless it is there. Whether it was.
    fn begin(&mut self, beginning: &[u8], header: &RecordHeader) -> Result<bool, RecordError> {
        let mut there = Vec::new();
        let file = self.file.get_ref();
        file.take(beginning.len() as u64).read_to_end(&mut there).map_err(|error| self.failed(error))?;
        if there == beginning {
            return Ok(true);
        }
        // Cut off within the beginning, or just made.
        if beginning.starts_with(&there) {
            let write = |file: &mut BufWriter<File>| {
                file.seek(SeekFrom::Start(0))?;
                file.write_all(beginning)?;
                sync(file)
            };
            write(&mut self.file).map_err(|error| RecordError::File { path: self.path.clone(), error })?;
            return Ok(false);
        }
        let path = self.path.clone();
        match self.other_header().map_err(|error| self.failed(error))? {
            Some(found) if found != *header => {
                Err(RecordError::Other { path, eid: found.eid, genesis: found.genesis })
            }
            _ => Err(RecordError::NotPartial(path)),
        }
    }

    /// The header of a record of something else.
    fn other_header(&self) -> io::Result<Option<RecordHeader>> {
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(0))?;
        let read = |buffer: &mut [u8]| file.read(buffer).map_err(Unread::Disk);
        match FrameReader::new(read).and_then(|mut frames| frames.next()) {
            Ok(header) => Ok(header),
            Err(Unread::Format) => Ok(None),
            Err(Unread::Disk(error)) => Err(error),
        }
    }

    /// Reads the blocks that are there, and notes where an export may go on.
    fn scan(&mut self, first: u32, mut seen: impl FnMut(u32)) -> io::Result<()> {
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::new(file);
        let bytes = Cell::new(0u64);
        let read = |buffer: &mut [u8]| {
            let got = file.read(buffer).map_err(Unread::Disk)?;
            bytes.set(bytes.get() + got as u64);
            Ok::<usize, Unread>(got)
        };
        let mut state = self.state.clone();
        let blocks = || -> Result<(), Unread> {
            let mut frames = FrameReader::new(read)?;
            frames.next::<RecordHeader>()?;
            while let Some(block) = frames.next::<RecordBlock>()? {
                let Some(anchor) = child(&block.header, state.last, first) else { return Ok(()) };
                // This frame was written after the last place was brought to the disk, which holds for that place.
                if state.blocks > 0 && state.blocks.is_multiple_of(CHECKPOINT) {
                    self.checkpoints.push(state.clone());
                }
                seen(anchor.number);
                if state.count(anchor, &block.messages, bytes.get() - state.bytes) {
                    return Ok(());
                }
            }
            Ok(())
        };
        match blocks() {
            Err(Unread::Disk(error)) => Err(error),
            // What can't be read is what was cut off.
            Ok(()) | Err(Unread::Format) => Ok(()),
        }
    }

    /// Takes off what may not have reached the disk, and what is not of this chain. What is left.
    ///
    /// # Errors
    /// What chain or disk say.
    pub(super) async fn resume(&mut self, chain: &Chain) -> Result<Resumed, RecordError> {
        // All blocks before one of the chain are of the chain.
        let (mut low, mut high) = (0, self.checkpoints.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let on_chain = match self.checkpoints.get(middle).and_then(|place| place.last) {
                Some(block) => chain.block_hash(block.number).await? == Some(block.hash),
                None => true,
            };
            (low, high) = if on_chain { (middle + 1, high) } else { (low, middle) };
        }
        let forked = low < self.checkpoints.len();
        self.checkpoints.truncate(low);
        if let Some(place) = self.checkpoints.last() {
            self.state = place.clone();
        }
        let cut = |file: &mut BufWriter<File>, bytes| {
            file.get_ref().set_len(bytes)?;
            file.seek(SeekFrom::Start(bytes))?;
            sync(file)
        };
        cut(&mut self.file, self.state.bytes).map_err(|error| self.failed(error))?;
        Ok(Resumed { blocks: self.state.blocks, forked })
    }

    /// How far it is written.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Writes the next block with the messages of the record. Whether the election ends with it.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`]; [`ChainError::Inconsistent`] when it is not the child of the last; what the disk says.
    pub(super) fn write(
        &mut self,
        parent: [u8; 32],
        anchor: Anchor,
        block: &RecordBlock,
    ) -> Result<bool, RecordError> {
        if self.state.last.is_some_and(|last| last.hash != parent) {
            let what = format!("block {} is not the child of the block before it", anchor.number);
            let endpoint = String::from("the node in use");
            return Err(ChainError::Inconsistent { endpoint, what }.into());
        }
        if block.encoded_size() > MAX_FRAME as usize {
            return Err(RecordError::TooLarge(anchor.number));
        }
        let bytes = frame(block);
        self.file.write_all(&bytes).map_err(|error| self.failed(error))?;
        let ends = self.state.count(anchor, &block.messages, bytes.len() as u64);
        if self.state.blocks.is_multiple_of(CHECKPOINT) {
            sync(&mut self.file).map_err(|error| RecordError::File { path: self.path.clone(), error })?;
        }
        Ok(ends)
    }

    /// The record is whole: its proof of finality is put beside it, then it gets its name.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn finish(mut self, path: &Path, proof: &Path, finality: &[u8]) -> Result<State, RecordError> {
        sync(&mut self.file).map_err(|error| RecordError::File { path: self.path.clone(), error })?;
        let write = || {
            let mut file = File::create(proof)?;
            file.write_all(finality)?;
            file.sync_all()
        };
        write().map_err(|error| RecordError::File { path: proof.to_path_buf(), error })?;
        fs::rename(&self.path, path)
            .map_err(|error| RecordError::File { path: path.to_path_buf(), error })?;
        Ok(self.state)
    }
}

/// Brings what was written to the disk.
fn sync(file: &mut BufWriter<File>) -> io::Result<()> {
    file.flush()?;
    file.get_ref().sync_all()
}

/// The block that these bytes are the header of, if it comes after `last`, or is number `first`.
fn child(bytes: &[u8], last: Option<Anchor>, first: u32) -> Option<Anchor> {
    let header = Header::from_bytes(bytes).ok()?;
    let number = header.number.0;
    let follows = match last {
        Some(last) => Some(number) == last.number.checked_add(1) && header.parent == last.hash,
        None => number == first,
    };
    follows.then(|| Anchor { number, hash: blake2_256(bytes) })
}
