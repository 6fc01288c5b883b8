//! What a trustee keeps: every deposit with its receipt, and what it has signed and may never sign
//! again.
//!
//! **Why redb.** A receipt says "stored durably", so the store must survive `kill -9`, power loss
//! and a full disk with either the whole write or none of it. redb is a copy-on-write B-tree in one
//! file, pure Rust, with one writer and checksummed commits that `fsync`. Commits are made in two phases, because
//! deposits are bytes of strangers. The file is locked: a second daemon on the same data is refused.
//!
//! **What a thief finds.** Sealed envelopes. The plaintext of a share exists in memory alone, while
//! it is checked and while it is added up; the KEM key lives elsewhere.
//!
//! **Group commit.** One thread writes. It takes all deposits that wait, writes them in one
//! transaction, and answers them after the one `fsync`: many voters share its cost.

mod look;

use codec::{Decode, DecodeAll, Encode};
use psephos_protocol::{
    agreement::Agreement,
    bounds::MAX_BALLOTS_PER_CREDENTIAL,
    declaration::Declaration,
    ids::{BallotHash, Eid, Genesis},
    keys::PublicKey,
    receipt::Receipt,
    tally::Contribution,
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot, watch};

pub use look::{look, Look};

/// (eid, ballot hash) → [`Deposited`].
const DEPOSITS: TableDefinition<&[u8; 64], &[u8]> = TableDefinition::new("deposits");
/// (eid, credential) → receipts given.
const QUOTAS: TableDefinition<&[u8; 64], u8> = TableDefinition::new("quotas");
/// eid → deposits kept.
const COUNTS: TableDefinition<&[u8; 32], u64> = TableDefinition::new("counts");
/// (eid, ballot hash), by trustee → the envelope that a voter left for that trustee.
const LEFT: TableDefinition<(u8, &[u8; 64]), &[u8]> = TableDefinition::new("left");
/// eid → [`Marks`].
const MARKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("marks");
/// One entry: whose store this is, as [`Identity`].
const IDENTITY: TableDefinition<(), &[u8]> = TableDefinition::new("identity");

/// The version of the tables and their encodings.
const FORMAT: u16 = 2;
/// The store's file in the data folder.
const FILE: &str = "trustee.redb";
/// Deposits in one transaction at the most.
const GROUP: usize = 256;
/// Deposits that may wait for the writer; more wait outside.
const WAITING: usize = 1_024;

/// Whose store this is: one trustee's on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The chain.
    pub genesis: Genesis,
    /// The trustee's signing key.
    pub signing: PublicKey,
}

/// A deposit as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Deposited {
    /// The canonical bytes of the [`psephos_protocol::envelope::Deposit`], its share still sealed.
    pub deposit: Vec<u8>,
    /// The receipt that was given for it.
    pub receipt: Receipt,
}

/// A deposit that was verified and is to be kept.
pub struct Keep {
    /// The election.
    pub eid: Eid,
    /// The ballot.
    pub ballot: BallotHash,
    /// The voter, whose quota it counts against.
    pub credential: PublicKey,
    /// What is kept.
    pub deposited: Deposited,
}

/// What this trustee has signed in an election. A mark is durable before what it marks is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Marks {
    /// Whether it accepted the election.
    pub accepted: bool,
    /// What it said that it can't serve.
    pub declaration: Option<Declaration>,
    /// The only set that it signs, ever.
    pub agreement: Option<Agreement>,
    /// The only contribution that it makes, ever.
    pub contribution: Option<Contribution>,
}

/// Why something is not kept or can't be read. No receipt is given then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk or the database failed.
    #[error("the store {path} failed: {reason}; check disk and space, then start again: nothing that was promised is lost")]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
    /// Another daemon has it.
    #[error("the store {0} is in use by another process: a trustee runs once; stop the other one")]
    InUse(PathBuf),
    /// A daemon was killed and left it open, which the next one mends. Only a look can't.
    #[error("the store {0} was not closed, because its daemon was killed or the machine went down; the daemon mends it when it starts")]
    NotClosed(PathBuf),
    /// It is another trustee's, or of another chain.
    #[error("the store {0} belongs to another trustee key or another chain: give each its own data folder")]
    Foreign(PathBuf),
    /// It was written by another version.
    #[error(
        "the store {path} has format {found} and this version reads {FORMAT}: use the version that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
    },
    /// An entry does not decode.
    #[error(
        "the store {path} holds an entry of {table} that can't be read: the file is damaged; restore a copy"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The table.
        table: &'static str,
    },
    /// The credential's quota is used up.
    #[error("this credential has been given {MAX_BALLOTS_PER_CREDENTIAL} receipts, which is the most")]
    Quota,
}

struct Waiting {
    keep: Keep,
    answer: oneshot::Sender<Result<Receipt, StoreError>>,
}

struct Inner {
    database: Database,
    path: PathBuf,
    /// The first failure, which stops the daemon: after one, the database takes no more writes.
    failure: watch::Sender<Option<StoreError>>,
}

/// The store.
pub struct Store {
    inner: Arc<Inner>,
    queue: Option<mpsc::Sender<Waiting>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in this folder, or makes both; only this user can read them.
    ///
    /// # Errors
    /// [`StoreError`], naming the file.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        private_file(folder, &path)
            .map_err(|error| StoreError::Failed { path: path.clone(), reason: error.to_string() })?;
        let database = Database::create(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.clone()),
            error => StoreError::Failed { path: path.clone(), reason: error.to_string() },
        })?;
        Self::over(database, path, identity)
    }

    /// The store in an open database.
    pub(crate) fn over(database: Database, path: PathBuf, identity: &Identity) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner { database, path, failure: watch::Sender::new(None) });
        inner.claim(identity)?;
        let (queue, waiting) = mpsc::channel(WAITING);
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn({
                let inner = inner.clone();
                move || inner.write_groups(waiting)
            })
            .map_err(|error| inner.failed(error))?;
        Ok(Self { inner, queue: Some(queue), writer: Some(writer) })
    }

    /// The deposit of a ballot, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Failed`] or [`StoreError::Damaged`].
    pub fn deposited(&self, eid: &Eid, ballot: &BallotHash) -> Result<Option<Deposited>, StoreError> {
        let inner = &self.inner;
        let table =
            inner.read().and_then(|read| Ok(read.open_table(DEPOSITS)?)).map_err(|e| inner.failed(e))?;
        let entry = table.get(&key(eid, &ballot.0)).map_err(|error| inner.failed(error))?;
        entry.map(|entry| inner.decode("deposits", entry.value())).transpose()
    }

    /// How many deposits of an election are kept.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn deposits(&self, eid: &Eid) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let table =
            inner.read().and_then(|read| Ok(read.open_table(COUNTS)?)).map_err(|e| inner.failed(e))?;
        let entry = table.get(&eid.0).map_err(|error| inner.failed(error))?;
        Ok(entry.map_or(0, |entry| entry.value()))
    }

    /// How many receipts a credential was given.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn receipts_given(&self, eid: &Eid, credential: &PublicKey) -> Result<u8, StoreError> {
        let inner = &self.inner;
        let table =
            inner.read().and_then(|read| Ok(read.open_table(QUOTAS)?)).map_err(|e| inner.failed(e))?;
        let entry = table.get(&key(eid, &credential.0)).map_err(|error| inner.failed(error))?;
        Ok(entry.map_or(0, |entry| entry.value()))
    }

    /// Keeps a deposit; returns when it is on the disk. Gives the receipt that stands: the one given
    /// before, if this ballot was deposited before, and then nothing is written.
    ///
    /// # Errors
    /// [`StoreError::Quota`], or that it could not be written; no receipt may be given then.
    pub async fn keep(&self, keep: Keep) -> Result<Receipt, StoreError> {
        let gone =
            || StoreError::Failed { path: self.inner.path.clone(), reason: "its writer has stopped".into() };
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Waiting { keep, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Puts a deposit in the place of what is kept of that ballot, if anything: a share that was repaired. Waits for
    /// the disk. It counts against nobody's quota, because the chain has accepted the ballot.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mend(&self, eid: &Eid, ballot: &BallotHash, deposited: &Deposited) -> Result<(), StoreError> {
        self.inner.write_with(|transaction| {
            let replaced = {
                let mut deposits = transaction.open_table(DEPOSITS)?;
                let before = deposits.insert(&key(eid, &ballot.0), deposited.encode().as_slice())?;
                before.is_some()
            };
            if !replaced {
                let mut counts = transaction.open_table(COUNTS)?;
                let count = counts.get(&eid.0)?.map_or(0, |entry| entry.value());
                counts.insert(&eid.0, count + 1)?;
            }
            Ok(())
        })
    }

    /// Keeps an envelope for another trustee; the first that comes stays. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leave(
        &self,
        eid: &Eid,
        trustee: u8,
        ballot: &BallotHash,
        envelope: &[u8],
    ) -> Result<(), StoreError> {
        self.inner.write_with(|transaction| {
            let mut left = transaction.open_table(LEFT)?;
            let place = key(eid, &ballot.0);
            if left.get((trustee, &place))?.is_none() {
                left.insert((trustee, &place), envelope)?;
            }
            Ok(())
        })
    }

    /// Envelopes that are kept for another trustee, at most that many.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn left(
        &self,
        eid: &Eid,
        trustee: u8,
        most: usize,
    ) -> Result<Vec<(BallotHash, Vec<u8>)>, StoreError> {
        let inner = &self.inner;
        let read = || {
            let table = inner.read()?.open_table(LEFT)?;
            let (first, last) = (key(eid, &[0; 32]), key(eid, &[0xFF; 32]));
            let range = table.range((trustee, &first)..=(trustee, &last))?.take(most);
            range
                .map(|entry| {
                    let (place, envelope) = entry?;
                    let ballot = place.value().1.last_chunk::<32>().copied().unwrap_or_default();
                    Ok((BallotHash(ballot), envelope.value().to_vec()))
                })
                .collect::<Result<_, redb::Error>>()
        };
        read().map_err(|error| inner.failed(error))
    }

    /// Deletes envelopes that were kept for another trustee, because they have arrived. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&self, eid: &Eid, trustee: u8, arrived: &[BallotHash]) -> Result<(), StoreError> {
        if arrived.is_empty() {
            return Ok(());
        }
        self.inner.write_with(|transaction| {
            let mut left = transaction.open_table(LEFT)?;
            for ballot in arrived {
                left.remove((trustee, &key(eid, &ballot.0)))?;
            }
            Ok(())
        })
    }

    /// What this trustee has signed in an election.
    ///
    /// # Errors
    /// [`StoreError::Failed`] or [`StoreError::Damaged`].
    pub fn marks(&self, eid: &Eid) -> Result<Marks, StoreError> {
        let inner = &self.inner;
        let table = inner.read().and_then(|read| Ok(read.open_table(MARKS)?)).map_err(|e| inner.failed(e))?;
        let entry = table.get(&eid.0).map_err(|error| inner.failed(error))?;
        entry.map_or(Ok(Marks::default()), |entry| inner.decode("marks", entry.value()))
    }

    /// Marks the election as accepted. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`], and nothing may be sent then.
    pub fn mark_accepted(&self, eid: &Eid) -> Result<(), StoreError> {
        self.inner.mark(eid, |marks| marks.accepted = true).map(|_| ())
    }

    /// Marks a declaration as the only one, unless there is one, and gives the one that stands. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`], and nothing may be sent then.
    pub fn declare_once(&self, declaration: &Declaration) -> Result<Declaration, StoreError> {
        let marks = self.inner.mark(&declaration.eid, |marks| {
            marks.declaration.get_or_insert_with(|| declaration.clone());
        })?;
        Ok(marks.declaration.unwrap_or_else(|| declaration.clone()))
    }

    /// Marks an agreement as the only one, unless there is one, and gives the one that stands. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`], and nothing may be sent then.
    pub fn agree_once(&self, agreement: Agreement) -> Result<Agreement, StoreError> {
        let marks = self.inner.mark(&agreement.eid, |marks| {
            marks.agreement.get_or_insert(agreement);
        })?;
        Ok(marks.agreement.unwrap_or(agreement))
    }

    /// Marks a contribution as the only one, unless there is one, and gives the one that stands. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`], and nothing may be sent then.
    pub fn contribute_once(&self, contribution: &Contribution) -> Result<Contribution, StoreError> {
        let marks = self.inner.mark(&contribution.eid, |marks| {
            marks.contribution.get_or_insert_with(|| contribution.clone());
        })?;
        Ok(marks.contribution.unwrap_or_else(|| contribution.clone()))
    }

    /// Waits until the store fails; it takes no more writes then and must be opened anew.
    pub async fn failure(&self) -> StoreError {
        let mut failure = self.inner.failure.subscribe();
        let failed = failure.wait_for(Option::is_some).await.ok().and_then(|failure| failure.clone());
        // The sender lives as long as `self`.
        failed.unwrap_or(StoreError::Failed { path: self.inner.path.clone(), reason: "closed".into() })
    }
}

impl Drop for Store {
    /// Lets the writer finish what it has, so that the file is free afterwards.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            if writer.join().is_err() {
                tracing::error!("the store's writer panicked");
            }
        }
    }
}

impl Inner {
    /// The error of a failed database, which stops the daemon.
    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        let failed = StoreError::Failed { path: self.path.clone(), reason: error.into().to_string() };
        self.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert_with(|| failed.clone());
            first
        });
        failed
    }

    fn decode<T: Decode>(&self, table: &'static str, mut bytes: &[u8]) -> Result<T, StoreError> {
        T::decode_all(&mut bytes).map_err(|_| StoreError::Damaged { path: self.path.clone(), table })
    }

    fn read(&self) -> Result<redb::ReadTransaction, redb::Error> {
        Ok(self.database.begin_read()?)
    }

    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        Ok(transaction)
    }

    /// Makes the tables of a new store; checks whose an old one is.
    fn claim(&self, identity: &Identity) -> Result<(), StoreError> {
        let found = self.claim_or_read(identity).map_err(|error| self.failed(error))?;
        let Some(found) = found else { return Ok(()) };
        let mut rest = found.as_slice();
        let format: u16 = u16::decode(&mut rest)
            .map_err(|_| StoreError::Damaged { path: self.path.clone(), table: "identity" })?;
        if format != FORMAT {
            return Err(StoreError::Format { path: self.path.clone(), found: format });
        }
        if self.decode::<Identity>("identity", rest)? != *identity {
            return Err(StoreError::Foreign(self.path.clone()));
        }
        Ok(())
    }

    fn claim_or_read(&self, identity: &Identity) -> Result<Option<Vec<u8>>, redb::Error> {
        let transaction = self.begin()?;
        let found = {
            let mut table = transaction.open_table(IDENTITY)?;
            let found = table.get(())?.map(|entry| entry.value().to_vec());
            if found.is_none() {
                table.insert((), (FORMAT, identity).encode().as_slice())?;
                transaction.open_table(DEPOSITS)?;
                transaction.open_table(QUOTAS)?;
                transaction.open_table(COUNTS)?;
                transaction.open_table(LEFT)?;
                transaction.open_table(MARKS)?;
            }
            found
        };
        transaction.commit()?;
        Ok(found)
    }

    /// One transaction, on the disk when this returns.
    fn write_with(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let write = || {
            let transaction = self.begin()?;
            change(&transaction)?;
            transaction.commit()?;
            Ok::<_, redb::Error>(())
        };
        write().map_err(|error| self.failed(error))
    }

    fn mark(&self, eid: &Eid, change: impl FnOnce(&mut Marks)) -> Result<Marks, StoreError> {
        let transaction = self.begin().map_err(|error| self.failed(error))?;
        let marks = {
            let mut table = transaction.open_table(MARKS).map_err(|error| self.failed(error))?;
            let stored = table.get(&eid.0).map_err(|error| self.failed(error))?;
            let mut marks =
                stored.map_or(Ok(Marks::default()), |entry| self.decode("marks", entry.value()))?;
            change(&mut marks);
            table.insert(&eid.0, marks.encode().as_slice()).map_err(|error| self.failed(error))?;
            marks
        };
        transaction.commit().map_err(|error| self.failed(error))?;
        Ok(marks)
    }

    /// The writer: groups of deposits, until the queue is closed and empty.
    fn write_groups(&self, mut waiting: mpsc::Receiver<Waiting>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP {
                let Ok(next) = waiting.try_recv() else { break };
                group.push(next);
            }
            let (keeps, answers): (Vec<Keep>, Vec<_>) = group.into_iter().map(|w| (w.keep, w.answer)).unzip();
            let outcomes = self.write(&keeps).unwrap_or_else(|error| vec![Err(error); answers.len()]);
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever asked may be gone; the deposit stays and the same request gets the same receipt.
                let _ = answer.send(outcome);
            }
        }
    }

    /// Writes a group in one transaction; its outcomes are true once this returned.
    fn write(&self, keeps: &[Keep]) -> Result<Vec<Result<Receipt, StoreError>>, StoreError> {
        let transaction = self.begin().map_err(|error| self.failed(error))?;
        let outcomes = {
            let mut deposits = transaction.open_table(DEPOSITS).map_err(|error| self.failed(error))?;
            let mut quotas = transaction.open_table(QUOTAS).map_err(|error| self.failed(error))?;
            let mut counts = transaction.open_table(COUNTS).map_err(|error| self.failed(error))?;
            let mut outcomes = Vec::with_capacity(keeps.len());
            for keep in keeps {
                let ballot = key(&keep.eid, &keep.ballot.0);
                let before = deposits.get(&ballot).map_err(|error| self.failed(error))?;
                if let Some(before) = before.map(|entry| self.decode::<Deposited>("deposits", entry.value()))
                {
                    outcomes.push(before.map(|before| before.receipt));
                    continue;
                }
                let credential = key(&keep.eid, &keep.credential.0);
                let entry = quotas.get(&credential).map_err(|error| self.failed(error))?;
                let given = entry.map_or(0, |entry| entry.value());
                if given >= MAX_BALLOTS_PER_CREDENTIAL {
                    outcomes.push(Err(StoreError::Quota));
                    continue;
                }
                let bytes = keep.deposited.encode();
                deposits.insert(&ballot, bytes.as_slice()).map_err(|error| self.failed(error))?;
                quotas.insert(&credential, given + 1).map_err(|error| self.failed(error))?;
                let entry = counts.get(&keep.eid.0).map_err(|error| self.failed(error))?;
                let count = entry.map_or(0, |entry| entry.value());
                counts.insert(&keep.eid.0, count + 1).map_err(|error| self.failed(error))?;
                outcomes.push(Ok(keep.deposited.receipt));
            }
            outcomes
        };
        transaction.commit().map_err(|error| self.failed(error))?;
        Ok(outcomes)
    }
}

fn key(eid: &Eid, id: &[u8; 32]) -> [u8; 64] {
    let mut key = [0u8; 64];
    let (first, second) = key.split_at_mut(32);
    first.copy_from_slice(&eid.0);
    second.copy_from_slice(id);
    key
}

/// Makes folder and file if they are missing, readable by this user alone, and the file's name durable.
fn private_file(folder: &Path, path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all()?;
            fs::File::open(folder)?.sync_all()
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        }
        Err(error) => Err(error),
    }
}
