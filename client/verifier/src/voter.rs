//! What a record that is verified says of one voter's ballots: where each is recorded, and which counts.

use std::io::{self, Read};

use psephos_protocol::{
    board::Action,
    declaration::Declarations,
    header::Header,
    ids::{Anchor, BallotHash},
    keys::PublicKey,
    manifest::Manifest,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    wire::Message,
};

use crate::header::hash;

/// A ballot of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedBallot {
    /// The block that has it.
    pub block: Anchor,
    /// The ballot hash.
    pub hash: BallotHash,
    /// Its sequence number.
    pub sequence: u32,
}

/// The ballots of one credential in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoterBallots {
    /// All of them, in the record's order: the last one counts, unless it is excluded.
    pub recorded: Vec<RecordedBallot>,
    /// The trustees that declared the last one missing, if they are so many that it is excluded (spec 7.2).
    pub excluded_by: Vec<u8>,
    /// The record's last block.
    pub last: Option<Anchor>,
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Finds the ballots of a credential. Nothing is checked here: ask [`crate::verify`] about the same record before, and
/// see that both end with the same block.
///
/// # Errors
/// [`ReadError`].
pub fn ballots_of(mut source: impl Read, credential: &PublicKey) -> Result<VoterBallots, ReadError> {
    let read = |buffer: &mut [u8]| loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(ReadError::Io),
        }
    };
    let mut frames = FrameReader::new(read)?;
    let _header: Option<RecordHeader> = frames.next()?;
    let mut ballots = VoterBallots::default();
    let mut manifest = None;
    let mut declarations = Declarations::default();
    while let Some(block) = frames.next::<RecordBlock>()? {
        let anchor = anchor(&block)?;
        ballots.last = Some(anchor);
        for message in block.messages {
            match message {
                Message::Cast(cast) if cast.signed.ballot.statement.credential == *credential => {
                    let ballot = &cast.signed.ballot;
                    let sequence = ballot.statement.sequence;
                    ballots.recorded.push(RecordedBallot { block: anchor, hash: ballot.hash(), sequence });
                }
                Message::Approve(approval) => {
                    if let Action::CreateElection { manifest: created, .. } = approval.action {
                        manifest = Some(created);
                    }
                }
                Message::Declare(declaration) => {
                    declarations.add(declaration.trustee, declaration.missing);
                }
                _ => {}
            }
        }
    }
    let excluded = |manifest: &Manifest| declarations.excluded(manifest).binary_search(credential).is_ok();
    if manifest.as_ref().is_some_and(excluded) {
        ballots.excluded_by = declarations.without(credential);
    }
    Ok(ballots)
}

fn anchor(block: &RecordBlock) -> Result<Anchor, RecordError> {
    let header = Header::from_bytes(&block.header).map_err(|_| RecordError::Malformed(0))?;
    Ok(Anchor { number: header.number.0, hash: hash(&block.header) })
}
