//! Check 2: the chain of block headers.
//!
//! A header's BLAKE2b-256 is the block's hash. A block's time is not in it, but Aura's slot is, and the
//! runtime insists that slot = ⌊time / slot duration⌋; so headers fix the times to within one slot.

use std::collections::VecDeque;

use psephos_protocol::{bounds::MAX_LIFETIME, header::Header, ids::Anchor, record::RecordBlock};

use crate::report::{Failure, Party, Step};

/// A block that was linked to the one before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Number and hash.
    pub(crate) anchor: Anchor,
    /// The parent; its number is this block's less one.
    pub(crate) parent: Anchor,
    /// Its time in ms since the Unix epoch.
    pub(crate) time: u64,
    /// The parent's time; none for the record's first block.
    pub(crate) parent_time: Option<u64>,
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "block {}", self.anchor.number)
    }
}

/// What the record says about the block that a ballot is tied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is a block of this chain.
    Yes,
    /// It is not.
    No,
    /// It is older than the record.
    Older,
}

/// The headers so far. Remembers as many hashes as a ballot may look back.
#[derive(Default)]
pub(crate) struct Headers {
    recent: VecDeque<Anchor>,
    first: Option<u32>,
    last: Option<Block>,
    /// ms per slot, from the first header that has a slot.
    slot_duration: Option<u64>,
    count: u64,
}

impl Headers {
    /// Links the next block.
    pub(crate) fn next(&mut self, record: &RecordBlock) -> Result<Block, Failure> {
        let bytes = record.header.as_slice();
        let place = self.last.map_or_else(
            || String::from("the first block"),
            |last| format!("the block after {}", last.anchor.number),
        );
        let fail = |reason: &str| Failure::new(Step::Headers, Party::Source, &place, reason);
        let header = Header::from_bytes(bytes).map_err(|_| fail("its header is malformed"))?;
        let number = header.number.0;
        let parent_number =
            number.checked_sub(1).ok_or_else(|| fail("it is the genesis block, which holds no message"))?;
        if let Some(last) = self.last {
            if parent_number != last.anchor.number {
                return Err(fail(&format!("its number is {number}")));
            }
            if header.parent != last.anchor.hash {
                return Err(fail("its parent hash is not the hash of the block before"));
            }
            if record.time < last.time {
                return Err(fail("its time is before that of the block before"));
            }
        }
        self.check_slot(&header, record.time).map_err(|reason| fail(&reason))?;
        let block = Block {
            anchor: Anchor { number, hash: hash(bytes) },
            parent: Anchor { number: parent_number, hash: header.parent },
            time: record.time,
            parent_time: self.last.map(|last| last.time),
        };
        // The parent of the first block is known by its hash as well.
        if self.first.is_none() {
            self.first = Some(parent_number);
            self.recent.push_back(block.parent);
        }
        self.recent.push_back(block.anchor);
        if self.recent.len() > (MAX_LIFETIME as usize).saturating_add(2) {
            self.recent.pop_front();
        }
        self.last = Some(block);
        self.count = self.count.saturating_add(1);
        Ok(block)
    }

    fn check_slot(&mut self, header: &Header, time: u64) -> Result<(), String> {
        let slot = header.slot().ok_or("it does not name one slot")?;
        if self.slot_duration.is_none() {
            // Slots count from 1970, so that one pair of slot and time gives the duration exactly.
            self.slot_duration = time.checked_div(slot).filter(|duration| *duration > 0);
        }
        let expected = self.slot_duration.and_then(|duration| time.checked_div(duration));
        if expected != Some(slot) {
            return Err(format!("its time {time} ms is not in slot {slot}, which its header names"));
        }
        Ok(())
    }

    /// Whether the record knows that block, as seen from the last one.
    pub(crate) fn knows(&self, anchor: &Anchor) -> Known {
        if self.first.is_none_or(|first| anchor.number < first) {
            return Known::Older;
        }
        // Numbers are consecutive, so that the first one kept gives the place of every other.
        let place = self.recent.front().and_then(|front| anchor.number.checked_sub(front.number));
        match place.and_then(|place| self.recent.get(place as usize)) {
            Some(known) if known == anchor => Known::Yes,
            _ => Known::No,
        }
    }

    /// The record's last block so far.
    pub(crate) fn last(&self) -> Option<Block> {
        self.last
    }

    /// How many blocks the record has so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// BLAKE2b-256, the chain's hash.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let digest = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    let mut out = [0u8; 32];
    out.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    out
}
