// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Room for ballots. A full pool drops its oldest transactions for new ones; so ballots are refused a little before
//! it is full. A flood then turns away itself and not those who came before it, and officials' acts find room.
//!
//! Nodes that author no blocks refuse earlier. What they take must find room at those who do, and gossip offers a
//! transaction once: a validator that had to refuse it would not hear of it again.

use sc_transaction_pool::PoolLimit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of the pool's limits, the part that is not for ballots at a validator: one in this many.
const RESERVE: usize = 16;

/// The same at other nodes. The difference, 1,536 of 8,192, is what several of them may take in a second while they
/// have not heard yet of what the others took.
const RESERVE_OF_OTHERS: usize = 4;

/// Counts transactions with ballots that wait to be checked, and their bytes, as if they were in the pool.
pub struct Room {
    count: usize,
    bytes: usize,
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
}

/// Room for a transaction of so many bytes, until it is dropped.
pub struct Place<'a>(&'a Room, usize);

impl Room {
    /// The room in a pool with this limit.
    pub fn new(limit: &PoolLimit, is_validator: bool) -> Self {
        let reserve = if is_validator { RESERVE } else { RESERVE_OF_OTHERS };
        let without_reserve = |limit: usize| limit.saturating_sub(limit / reserve);
        Self {
            count: without_reserve(limit.count),
            bytes: without_reserve(limit.total_bytes),
            waiting: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
        }
    }

    /// A place for `own` bytes besides the transactions and bytes that the pool holds, if there is one.
    pub fn enter(&self, ready: usize, bytes: usize, own: usize) -> Option<Place<'_>> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting_bytes = self.waiting_bytes.fetch_add(own, Ordering::Relaxed);
        let place = Place(self, own);
        let bytes = bytes.saturating_add(waiting_bytes);
        let fits = ready.saturating_add(waiting) < self.count && bytes < self.bytes;
        fits.then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.waiting_bytes.fetch_sub(self.1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_is_nearly_full_has_no_room_for_ballots() {
        let room = Room::new(&PoolLimit { count: 160, total_bytes: 16_000 }, true);
        assert!(room.enter(149, 14_999, 1).is_some());
        assert!(room.enter(150, 0, 1).is_none());
        assert!(room.enter(0, 15_000, 1).is_none());
    }

    #[test]
    fn what_other_nodes_take_finds_room_at_a_validator() {
        let limit = PoolLimit { count: 160, total_bytes: 16_000 };
        let (validator, other) = (Room::new(&limit, true), Room::new(&limit, false));
        assert!(other.enter(119, 0, 1).is_some());
        assert!(other.enter(120, 0, 1).is_none() && validator.enter(120, 0, 1).is_some());
    }

    #[test]
    fn ballots_that_wait_take_room_until_they_are_done() {
        let room = Room::new(&PoolLimit { count: 160, total_bytes: 16_000 }, true);
        let first = room.enter(148, 0, 1).expect("two places are left");
        let _second = room.enter(148, 0, 1).expect("one place is left");
        assert!(room.enter(148, 0, 1).is_none());
        drop(first);
        assert!(room.enter(148, 0, 1).is_some());
    }

    #[test]
    fn the_bytes_that_wait_take_room_as_well() {
        let room = Room::new(&PoolLimit { count: 160, total_bytes: 16_000 }, true);
        let first = room.enter(0, 0, 15_000).expect("there is room");
        assert!(room.enter(0, 0, 1).is_none());
        drop(first);
        assert!(room.enter(0, 0, 1).is_some());
    }
}
