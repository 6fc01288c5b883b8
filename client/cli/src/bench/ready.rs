//! Ballots that are ready to be sent, in a file: however many there are, few are in memory.

use bounded_collections::BoundedVec;
use codec::{Decode, DecodeAll, Encode};
use psephos_protocol::{
    ballot::{CastBallot, SignedBallot},
    envelope::{Deposit, Envelope},
    ids::{BallotHash, Eid, Genesis},
    receipt::Receipt,
    shares::Dealing,
    wire::Message,
};
use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::error::CliError;

const MAGIC: &[u8; 8] = b"PSBENCH1";
/// Bytes before the first ballot.
const HEADER: usize = 256;
/// Bytes of the largest ballot with all its envelopes.
const MOST: u32 = 1024 * 1024;

/// What stands at the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// The chain.
    pub genesis: Genesis,
    /// The election.
    pub eid: Eid,
    /// The seed of all its keys.
    pub seed: [u8; 32],
    /// Voters that cast good ballots.
    pub voters: u32,
    /// Voters after them on the roll, that only bad ballots are signed by.
    pub attackers: u32,
    /// An election of the same chain that is closed.
    pub closed: Option<Eid>,
    /// Ballots in the file.
    pub ballots: u64,
    /// Ballots that were sent.
    pub sent: u64,
    /// Where in the file the first one is that was not sent.
    pub next: u64,
}

/// A ballot that is ready: with receipts, or with what its trustees need to give them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ready {
    /// Its hash.
    pub ballot: BallotHash,
    /// The signed ballot.
    pub signed: SignedBallot,
    /// Receipts of trustees that this program plays.
    pub receipts: Vec<Receipt>,
    /// For real trustees.
    pub dealing: Option<Dealing>,
    /// One per real trustee, trustee 1 first.
    pub envelopes: Vec<Envelope>,
}

impl Ready {
    /// The last block that may accept the ballot.
    #[must_use]
    pub fn expiry(&self) -> u32 {
        self.signed.ballot.statement.expiry
    }

    /// What each real trustee is given, encoded in hexadecimal, trustee 1 first.
    #[must_use]
    pub fn deposits(&self) -> Vec<String> {
        let Some(dealing) = &self.dealing else { return Vec::new() };
        let deposit = |envelope: &Envelope| Deposit {
            ballot: self.signed.clone(),
            dealing: dealing.clone(),
            envelope: envelope.clone(),
        };
        self.envelopes.iter().map(|envelope| hex::encode(deposit(envelope).encode())).collect()
    }

    /// The message to the chain, with these receipts.
    #[must_use]
    pub fn message(self, receipts: Vec<Receipt>) -> Message {
        Message::Cast(CastBallot { signed: self.signed, receipts: BoundedVec::truncate_from(receipts) })
    }
}

/// Writes a file, ballot by ballot.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    header: Header,
}

impl Writer {
    /// A new file, which its owner alone may read.
    ///
    /// # Errors
    /// [`CliError::Input`] when it exists or can't be written.
    pub fn create(path: &Path, header: Header) -> Result<Self, CliError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| CliError::file(path, error))?;
        let mut writer = Self { path: path.into(), file: BufWriter::new(file), header };
        let empty = [0; HEADER];
        writer.file.write_all(&empty).map_err(|error| CliError::file(path, error))?;
        Ok(writer)
    }

    /// Appends a ballot.
    ///
    /// # Errors
    /// [`CliError::Input`] when it can't be written.
    pub fn push(&mut self, ready: &Ready) -> Result<(), CliError> {
        let bytes = ready.encode();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let written = self.file.write_all(&length).and_then(|()| self.file.write_all(&bytes));
        self.header.ballots += 1;
        written.map_err(|error| CliError::file(&self.path, error))
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`CliError::Input`] when it can't be written.
    pub fn finish(mut self) -> Result<Header, CliError> {
        self.header.next = HEADER as u64;
        let flushed = self.file.flush();
        flushed.map_err(|error| CliError::file(&self.path, error))?;
        write_header(self.file.get_mut(), &self.header).map_err(|error| CliError::file(&self.path, error))?;
        Ok(self.header)
    }
}

fn write_header(file: &mut File, header: &Header) -> std::io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    header.encode_to(&mut bytes);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)
}

/// Reads a file, ballot by ballot.
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    at: u64,
}

impl Reader {
    /// Opens a file at the first ballot that was not sent.
    ///
    /// # Errors
    /// [`CliError::Input`] when it is no such file, or was not completed.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let bad = |error: std::io::Error| CliError::file(path, error);
        let mut file = File::open(path).map_err(bad)?;
        let mut head = [0; HEADER];
        file.read_exact(&mut head).map_err(bad)?;
        let header = head.strip_prefix(MAGIC).and_then(|mut bytes| Header::decode(&mut bytes).ok());
        let header = header
            .filter(|header| header.next >= HEADER as u64)
            .ok_or_else(|| CliError::file(path, "holds no prepared ballots; choose another --prepared"))?;
        file.seek(SeekFrom::Start(header.next)).map_err(bad)?;
        Ok(Self { path: path.into(), file: BufReader::new(file), header, at: header.next })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where the next ballot is.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next ballot; none at the end.
    ///
    /// # Errors
    /// [`CliError::Input`] when the file is damaged.
    pub fn next(&mut self) -> Result<Option<Ready>, CliError> {
        let mut length = [0; 4];
        match self.file.read_exact(&mut length) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other.map_err(|error| CliError::file(&self.path, error))?,
        }
        let length = u32::from_le_bytes(length);
        let mut bytes = vec![0; length.min(MOST) as usize];
        self.file.read_exact(&mut bytes).map_err(|error| CliError::file(&self.path, error))?;
        self.at += 4 + u64::from(length);
        Ready::decode_all(&mut bytes.as_slice())
            .map(Some)
            .map_err(|_| CliError::file(&self.path, "is damaged; prepare anew"))
    }
}

/// Notes how far the ballots of a file were sent.
///
/// # Errors
/// [`CliError::Input`] when it can't be written.
pub fn note_sent(path: &Path, header: &Header) -> Result<(), CliError> {
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|mut file| write_header(&mut file, header)).map_err(|error| CliError::file(path, error))
}

#[cfg(test)]
impl Header {
    /// Of a file of an election, for the tests.
    pub fn of(election: &psephos_protocol::election::Election) -> Self {
        let (genesis, eid) = (election.genesis, election.eid);
        Self {
            genesis,
            eid,
            seed: [0; 32],
            voters: 1,
            attackers: 1,
            closed: None,
            ballots: 0,
            sent: 0,
            next: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample::Sample;

    #[test]
    fn ballots_come_back_in_order_and_from_where_sending_ended() {
        let sample = Sample::new("3".parse().unwrap(), 4, 2).unwrap();
        let ready = |voter| {
            let mut signed = sample.sign(voter).unwrap();
            let envelopes = sample.seal(&mut signed).unwrap();
            let receipts = sample.cast(&signed).receipts.into_inner();
            Ready {
                ballot: signed.hash,
                signed: signed.ballot,
                receipts,
                dealing: Some(signed.dealing),
                envelopes,
            }
        };
        let all: Vec<Ready> = (0..3).map(ready).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballots");
        let header = Header { seed: [3; 32], closed: Some(Eid([4; 32])), ..Header::of(&sample.election) };
        let mut writer = Writer::create(&path, header).unwrap();
        all.iter().for_each(|ready| writer.push(ready).unwrap());
        assert!(Reader::open(&path).is_err(), "it is not complete");
        assert_eq!(writer.finish().unwrap().ballots, 3);
        assert!(Writer::create(&path, header).is_err(), "nothing is overwritten");

        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.next().unwrap().as_ref(), all.first());
        let sent = Header { sent: 1, next: reader.position(), ..*reader.header() };
        note_sent(&path, &sent).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(*reader.header(), sent);
        assert_eq!(reader.next().unwrap().as_ref(), all.get(1));
        assert_eq!(reader.next().unwrap().as_ref(), all.get(2));
        assert_eq!(reader.next().unwrap(), None);
        assert_eq!(all[0].deposits().len(), 4);
        std::fs::write(&path, b"something else").unwrap();
        assert!(Reader::open(&path).is_err());
    }
}
