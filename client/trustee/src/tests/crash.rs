//! The machine stops at any moment: at every fsync, between them, with what was written since then there or not.
//! What was answered stays, what was signed is never signed otherwise, and nothing that was left is lost.

use codec::Encode;
use psephos_protocol::{
    agreement::SetStatement,
    testing::{set_statement, some_digest, Fixture, Params},
};
use redb::{Database, StorageBackend};
use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{
    store::{Deposited, Keep},
    tally::{contribute, declare, statement},
};

/// A disk that remembers what it held at every fsync, and every write since.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    now: Vec<u8>,
    /// What was there at each fsync, and what was written or cut after it, in order.
    synced: Vec<(Vec<u8>, Vec<Change>)>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let start = *offset as usize;
                bytes[start..start + data.len()].copy_from_slice(data);
            }
            Self::Length(length) => bytes.resize(*length as usize, 0),
        }
    }
}

impl Disk {
    fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter { now: bytes, synced: Vec::new() })))
    }

    fn change(&self, change: Change) {
        let mut platter = self.0.lock().unwrap();
        change.apply(&mut platter.now);
        if let Some((_, since)) = platter.synced.last_mut() {
            since.push(change);
        }
    }

    fn syncs(&self) -> usize {
        self.0.lock().unwrap().synced.len()
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().now.len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let start = offset as usize;
        out.copy_from_slice(&self.0.lock().unwrap().now[start..start + out.len()]);
        Ok(())
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.change(Change::Length(len));
        Ok(())
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        let mut platter = self.0.lock().unwrap();
        let now = platter.now.clone();
        platter.synced.push((now, Vec::new()));
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.change(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}

fn open(fixture: &Fixture, disk: Disk) -> Store {
    let database = Database::builder().create_with_backend(disk).unwrap();
    Store::over(database, "disk".into(), &identity(fixture)).unwrap()
}

/// What was answered or sent, after how many fsyncs.
#[derive(Debug)]
enum Promise {
    Receipt(Box<Keep>),
    Left(u8, BallotHash),
    Signed(Vec<u8>),
}

fn copy(keep: &Keep) -> Keep {
    Keep {
        eid: keep.eid,
        ballot: keep.ballot,
        credential: keep.credential,
        deposited: keep.deposited.clone(),
    }
}

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.ballot)
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_crash_at_every_fsync_and_between() {
    let mut fixture = Fixture::new(&Params::default());
    let served = served(&fixture, Phase::Open);
    let keys = keys(&fixture);
    let eid = fixture.election.eid;
    let mut keeps = Vec::new();
    for voter in 0..3 {
        let mut signed = fixture.sign(voter, 1, &[vec![0, 1, 0]]);
        let deposits = fixture.deposits(&mut signed);
        let receipt = fixture.receipt(INDEX, &signed.hash);
        let deposit = deposits[usize::from(INDEX) - 1].encode();
        let credential = fixture.voters[voter].key.public();
        keeps.push((
            Keep { eid, ballot: signed.hash, credential, deposited: Deposited { deposit, receipt } },
            deposits,
        ));
    }

    let disk = Disk::default();
    let store = open(&fixture, disk.clone());
    let first = disk.syncs();
    let mut promises: Vec<(usize, Promise)> = Vec::new();
    for (keep, deposits) in &keeps {
        store.keep(copy(keep)).await.unwrap();
        promises.push((disk.syncs(), Promise::Receipt(Box::new(copy(keep)))));
        store.leave(&eid, 4, &keep.ballot, &deposits[3].envelope.0).unwrap();
        promises.push((disk.syncs(), Promise::Left(4, keep.ballot)));
    }
    // A share that was repaired in the place of another.
    let mended =
        Deposited { receipt: fixture.receipt(INDEX, &keeps[0].0.ballot), ..keeps[0].0.deposited.clone() };
    store.mend(&eid, &keeps[0].0.ballot, &mended).unwrap();
    let closing = anchor(12);
    let follower = crate::follow::Follower::new(1);
    let declaration = declare(&store, &keys, &served, &follower, closing, &[]).unwrap().unwrap();
    promises.push((disk.syncs(), Promise::Signed(declaration.encode())));
    let set = psephos_protocol::agreement::AcceptedSet::default();
    let right = statement(closing, &set, set_statement(&[], closing).log);
    let agreement = crate::tally::agree(&store, &keys, &served, &follower, right).unwrap().unwrap();
    promises.push((disk.syncs(), Promise::Signed(agreement.encode())));
    let contribution = fixture.contribute(INDEX, &[]);
    store.contribute_once(&contribution).unwrap();
    promises.push((disk.syncs(), Promise::Signed(contribution.encode())));
    drop(store);

    let crashes = AtomicUsize::new(0);
    let platter = disk.0.lock().unwrap();
    for (sync, (bytes, since)) in (1..).zip(&platter.synced) {
        if sync < first {
            continue;
        }
        // Nothing written since, all of it, or what a disk that takes turns kept.
        let kept: [&dyn Fn(usize) -> bool; 4] =
            [&|_| false, &|_| true, &|place| place % 2 == 0, &|place| place % 2 == 1];
        for kept in kept {
            let mut image = bytes.clone();
            let longest = since.iter().map(|change| match change {
                Change::Length(length) => *length as usize,
                Change::Write(offset, data) => *offset as usize + data.len(),
            });
            image.resize(longest.max().unwrap_or(0).max(image.len()), 0);
            let there = since.iter().enumerate().filter(|(place, _)| kept(*place));
            there.for_each(|(_, change)| change.apply(&mut image));
            let store = open(&fixture, Disk::holding(image));
            let promised = promises.iter().filter(|(after, _)| *after <= sync);
            for (_, promise) in promised {
                check(&store, &eid, promise, &mended);
            }
            // Whatever is marked stays the only one.
            let marks = store.marks(&eid).unwrap();
            if let Some(marked) = marks.agreement {
                let other = SetStatement { root: some_digest("another"), ..right };
                assert!(crate::tally::agree(&store, &keys, &served, &follower, other).is_err());
                assert_eq!(marked, agreement);
            }
            if let Some(marked) = marks.contribution {
                let go = std::sync::atomic::AtomicBool::new(false);
                let again = contribute(&store, &keys, &served, &follower, right, &set, &go);
                assert!(again.is_err(), "no set is agreed on in the blocks");
                assert_eq!(store.contribute_once(&fixture.contribute(INDEX, &[])), Ok(marked));
            }
            // A count that is more than what is there would hide a loss.
            let there =
                keeps.iter().filter(|(keep, _)| store.deposited(&eid, &keep.ballot).unwrap().is_some());
            assert_eq!(store.deposits(&eid), Ok(there.count() as u64));
            crashes.fetch_add(1, Ordering::Relaxed);
        }
    }
    let crashes = crashes.into_inner();
    assert!(crashes > 60, "{crashes} crashes");
}

fn check(store: &Store, eid: &Eid, promise: &Promise, mended: &Deposited) {
    match promise {
        Promise::Receipt(keep) => {
            let found = store.deposited(eid, &keep.ballot).unwrap().expect("a receipt has its share");
            assert!(found == keep.deposited || found == *mended);
        }
        Promise::Left(trustee, ballot) => {
            let left = store.left(eid, *trustee, usize::MAX).unwrap();
            assert!(left.iter().any(|(other, _)| other == ballot), "an envelope is lost");
        }
        Promise::Signed(bytes) => {
            let marks = store.marks(eid).unwrap();
            let signed = [
                marks.declaration.map(|made| made.encode()),
                marks.agreement.map(|made| made.encode()),
                marks.contribution.map(|made| made.encode()),
            ];
            assert!(signed.iter().flatten().any(|marked| marked == bytes), "something signed is forgotten");
        }
    }
}
