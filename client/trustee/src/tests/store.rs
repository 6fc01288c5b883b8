//! The store: what was answered is on the disk, and nothing else is answered.

use codec::Encode;
use psephos_protocol::{
    ids::{BallotHash, Genesis},
    testing::{some_digest, Fixture, Params},
};
use redb::{backends::InMemoryBackend, Database, StorageBackend};
use std::{
    io,
    os::unix::fs::PermissionsExt,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

use super::*;
use crate::store::{look, Deposited, Keep, StoreError};

fn keep(fixture: &mut Fixture, voter: usize, ballot: u8) -> Keep {
    let ballot = BallotHash([ballot; 32]);
    let receipt = fixture.receipt(INDEX, &ballot);
    let credential = fixture.voters[voter].key.public();
    Keep {
        eid: fixture.election.eid,
        ballot,
        credential,
        deposited: Deposited { deposit: vec![1, 2, 3], receipt },
    }
}

#[tokio::test]
async fn a_deposit_survives_and_keeps_its_first_receipt() {
    let (mut fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    let (first, mut again) = (keep(&mut fixture, 0, 1), keep(&mut fixture, 0, 1));
    let (eid, ballot, deposited) = (first.eid, first.ballot, first.deposited.clone());
    again.deposited.receipt.height += 1;
    let store = super::store(&fixture, folder.path());
    assert_eq!(store.keep(first).await, Ok(deposited.receipt));
    drop(store);

    let store = super::store(&fixture, folder.path());
    assert_eq!(store.deposited(&eid, &ballot), Ok(Some(deposited.clone())));
    assert_eq!(store.keep(again).await, Ok(deposited.receipt));
    assert_eq!(store.deposited(&eid, &BallotHash([9; 32])), Ok(None));
    assert_eq!(store.deposits(&eid), Ok(1));
    assert_eq!(store.receipts_given(&eid, &fixture.voters[0].key.public()), Ok(1));
}

#[tokio::test]
async fn the_quota_holds_across_a_restart_and_per_credential() {
    let (mut fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    let store = super::store(&fixture, folder.path());
    for ballot in 0..31 {
        store.keep(keep(&mut fixture, 0, ballot)).await.unwrap();
    }
    drop(store);
    let store = super::store(&fixture, folder.path());
    // All at once, so that the quota must hold within a group too.
    let late: Vec<Keep> = (31..40).map(|ballot| keep(&mut fixture, 0, ballot)).collect();
    let outcomes = futures::future::join_all(late.into_iter().map(|keep| store.keep(keep))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(StoreError::Quota)).count(), 8);
    assert!(store.keep(keep(&mut fixture, 0, 7)).await.is_ok(), "an old ballot gets its old receipt");
    assert!(store.keep(keep(&mut fixture, 1, 50)).await.is_ok(), "another voter has another quota");
}

#[tokio::test]
async fn marks_are_made_once() {
    let (mut fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    let eid = fixture.election.eid;
    let statement = psephos_protocol::testing::set_statement(&[], anchor(5));
    let other = psephos_protocol::testing::set_statement(&[], anchor(6));
    let (first, second) = (fixture.agree(INDEX, statement), fixture.agree(INDEX, other));
    let contribution = fixture.contribute(INDEX, &[]);
    let mut changed = contribution.clone();
    changed.root = some_digest("another set");
    let store = super::store(&fixture, folder.path());
    store.mark_accepted(&eid).unwrap();
    assert_eq!(store.agree_once(first), Ok(first));
    drop(store);
    let store = super::store(&fixture, folder.path());
    assert_eq!(store.agree_once(second), Ok(first));
    assert_eq!(store.contribute_once(&contribution), Ok(contribution.clone()));
    assert_eq!(store.contribute_once(&changed), Ok(contribution.clone()));
    let marks = store.marks(&eid).unwrap();
    assert!(marks.accepted);
    assert_eq!((marks.agreement, marks.contribution), (Some(first), Some(contribution)));
}

#[test]
fn the_store_is_private_and_one_trustees_on_one_chain() {
    let (fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let store = super::store(&fixture, &data);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("trustee.redb"))), (0o700, 0o600));
    assert!(matches!(Store::open(&data, &identity(&fixture)), Err(StoreError::InUse(_))));
    drop(store);
    let other_chain = Identity { genesis: Genesis([8; 32]), ..identity(&fixture) };
    assert!(matches!(Store::open(&data, &other_chain), Err(StoreError::Foreign(_))));
    let other_key = Identity { signing: fixture.trustees[0].signing.public(), ..identity(&fixture) };
    assert!(matches!(Store::open(&data, &other_key), Err(StoreError::Foreign(_))));
    assert!(Store::open(&data, &identity(&fixture)).is_ok());
}

/// A disk that can be made to fail when it is asked to hold on to something.
#[derive(Debug)]
pub(super) struct Disk {
    memory: InMemoryBackend,
    broken: Arc<AtomicBool>,
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.memory.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.memory.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.memory.set_len(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.memory.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.memory.write(offset, data)
    }
}

/// A store on a disk that fails once the flag is set.
pub(super) fn on_failing_disk(fixture: &Fixture) -> (Arc<Store>, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let disk = Disk { memory: InMemoryBackend::new(), broken: broken.clone() };
    let database = Database::builder().create_with_backend(disk).unwrap();
    (Arc::new(Store::over(database, "disk".into(), &identity(fixture)).unwrap()), broken)
}

#[tokio::test]
async fn a_full_disk_gives_no_receipt_and_no_mark_and_is_noticed() {
    let mut fixture = Fixture::new(&Params::default());
    let (store, broken) = on_failing_disk(&fixture);
    assert!(store.keep(keep(&mut fixture, 0, 1)).await.is_ok());
    broken.store(true, Ordering::SeqCst);
    assert!(matches!(store.keep(keep(&mut fixture, 0, 2)).await, Err(StoreError::Failed { .. })));
    let agreement = fixture.agree(INDEX, psephos_protocol::testing::set_statement(&[], anchor(5)));
    assert!(matches!(store.agree_once(agreement), Err(StoreError::Failed { .. })));
    let failure = tokio::time::timeout(Duration::from_secs(5), store.failure()).await.unwrap();
    assert!(matches!(failure, StoreError::Failed { .. }), "{failure}");
}

#[tokio::test]
async fn a_damaged_entry_is_named() {
    let (mut fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    drop(super::store(&fixture, folder.path()));
    let mut bad = keep(&mut fixture, 0, 1);
    let database = Database::create(folder.path().join("trustee.redb")).unwrap();
    let write = database.begin_write().unwrap();
    let mut key = [0u8; 64];
    key[..32].copy_from_slice(&bad.eid.0);
    key[32..].copy_from_slice(&bad.ballot.0);
    let table = redb::TableDefinition::<&[u8; 64], &[u8]>::new("deposits");
    let bytes = bad.deposited.encode();
    write.open_table(table).unwrap().insert(&key, &bytes[..bytes.len() - 1]).unwrap();
    write.commit().unwrap();
    drop(database);
    let store = super::store(&fixture, folder.path());
    let found = store.deposited(&bad.eid, &bad.ballot);
    assert!(matches!(found, Err(StoreError::Damaged { table: "deposits", .. })), "{found:?}");
    bad.deposited.receipt.height += 1;
    assert!(store.keep(bad).await.is_err(), "no second receipt beside a damaged first");
}

#[tokio::test]
async fn a_look_counts_deposits_and_changes_nothing() {
    let (mut fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    assert_eq!(look(folder.path()), Ok(None));
    let open = super::store(&fixture, folder.path());
    open.keep(keep(&mut fixture, 0, 1)).await.unwrap();
    open.keep(keep(&mut fixture, 1, 2)).await.unwrap();
    assert!(matches!(look(folder.path()), Err(StoreError::InUse(_))));
    drop(open);
    let before = std::fs::read(folder.path().join("trustee.redb")).unwrap();
    let seen = look(folder.path()).unwrap().unwrap();
    assert_eq!(seen.identity, identity(&fixture));
    assert_eq!(seen.deposits.into_iter().collect::<Vec<_>>(), [(fixture.election.eid, 2)]);
    assert_eq!(seen.bytes, before.len() as u64);
    assert_eq!(std::fs::read(folder.path().join("trustee.redb")).unwrap(), before);
    std::fs::write(folder.path().join("trustee.redb"), "no store").unwrap();
    assert!(matches!(look(folder.path()), Err(StoreError::Failed { .. })));
}
