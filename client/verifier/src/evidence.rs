//! A dispute about contributions (spec 7.7): the record says what the ballots' dealings hash to, a file has the dealings,
//! and together they show of every contribution whether it is the sum of its trustee's shares. Nothing is believed
//! of whoever wrote the file.

use codec::{Decode, IoReader};
use psephos_protocol::{
    agreement::SetStatement,
    ballot::TrackingCode,
    bounds::show,
    evidence::{Dealt, EvidenceHeader, MAGIC},
    ids::{BallotHash, Digest, Eid},
    tally::{Contribution, DealtSums},
    VERSION,
};
use serde::Serialize;
use std::io::{self, Read};

use crate::{ballots::InSet, replayed, report::Failure, running::Running, Options, Stop};

/// Why evidence shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The record does not hold.
    #[error("the record does not hold, so that nothing can be checked against it: {0}")]
    Record(Failure),
    /// Nobody contributed.
    #[error("no set was agreed in this record, so that there are no contributions to check")]
    NoSet,
    /// Another kind of file, cut off, or not canonical.
    #[error("7.7.1: the file is no evidence of this version, or it is cut off or too long")]
    Format,
    /// Evidence of another election.
    #[error("7.7.2: the evidence is of the election {found}, and the record of {expected}")]
    Election {
        /// In the evidence.
        found: Eid,
        /// In the record.
        expected: Eid,
    },
    /// Evidence of another set.
    #[error(
        "7.7.2: the evidence is of the set {found} of {ballots} ballots, and the record's is {expected}"
    )]
    Set {
        /// The root in the evidence.
        found: Digest,
        /// Its ballots.
        ballots: u32,
        /// The root in the record.
        expected: Digest,
    },
    /// A ballot of the set is not there.
    #[error("7.7.3: where ballot {expected} is due, the evidence has ballot {found}")]
    Ballot {
        /// In the evidence.
        found: TrackingCode,
        /// The set's next one.
        expected: TrackingCode,
    },
    /// A dealing is not the ballot's.
    #[error("7.7.4: the dealing of ballot {0} is not the one that the ballot names")]
    Dealing(TrackingCode),
    /// A dealing is the ballot's, but not of points and size.
    #[error("7.7.5: the dealing of ballot {0}, which its voter signed, is no dealing")]
    Points(TrackingCode),
}

impl From<Stop> for EvidenceError {
    fn from(stop: Stop) -> Self {
        stop.failure().map_or_else(Self::Io, Self::Record)
    }
}

/// What the evidence shows of one contribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The trustee, from 1.
    pub trustee: u8,
    /// Its name in the manifest.
    pub name: String,
    /// Whether the contribution is the sum of its shares.
    pub fits: bool,
}

/// A record's agreed set and the contributions to it.
pub struct Dispute {
    record: Running,
    header: EvidenceHeader,
    /// In the order of the set.
    ballots: Vec<BallotHash>,
}

impl Dispute {
    /// The set and the contributions of a record, which is verified on the way.
    ///
    /// # Errors
    /// [`EvidenceError::Io`], [`EvidenceError::Record`] or [`EvidenceError::NoSet`].
    pub fn of_record(record: impl Read, options: &Options) -> Result<Self, EvidenceError> {
        let (_, replay, failure) = replayed(record, options, |_| ())?;
        if let Some(failure) = failure {
            return Err(EvidenceError::Record(failure));
        }
        let record = replay.and_then(|replay| replay.running).ok_or(EvidenceError::NoSet)?;
        // Contributions are taken once the set is agreed, and not before.
        let set = record.expected.filter(|_| record.tally.contributed() > 0).ok_or(EvidenceError::NoSet)?;
        let (eid, SetStatement { root, ballots, .. }) = (record.election.eid, set);
        let header = EvidenceHeader { version: VERSION, eid, root, ballots };
        let hashes = record.ballots.set(&record.roll).map(|ballot| Ok(ballot?.kept.accepted.ballot));
        let ballots = hashes.collect::<Result<_, Stop>>()?;
        Ok(Self { record, header, ballots })
    }

    /// What evidence in this dispute begins with.
    #[must_use]
    pub fn header(&self) -> EvidenceHeader {
        self.header.clone()
    }

    /// The ballots whose dealings it has, in its order.
    #[must_use]
    pub fn ballots(&self) -> Vec<BallotHash> {
        self.ballots.clone()
    }

    /// Checks evidence, and every contribution of the record with it.
    ///
    /// # Errors
    /// [`EvidenceError`]: the first check that fails.
    pub fn judge(&self, evidence: impl Read) -> Result<Vec<Finding>, EvidenceError> {
        let mut evidence = IoReader(evidence);
        let (expected, found) = (&self.header, header(&mut evidence)?);
        if found.eid != expected.eid {
            return Err(EvidenceError::Election { found: found.eid, expected: expected.eid });
        }
        if (found.root, found.ballots) != (expected.root, expected.ballots) {
            let EvidenceHeader { root, ballots, .. } = found;
            return Err(EvidenceError::Set { found: root, ballots, expected: expected.root });
        }
        let sums = self.sums(&mut evidence)?;
        if evidence.0.read(&mut [0])? != 0 {
            return Err(EvidenceError::Format);
        }
        let finding = |contribution: &Contribution| Finding {
            trustee: contribution.trustee,
            name: self
                .record
                .election
                .trustee(contribution.trustee)
                .map(|trustee| show(&trustee.name))
                .unwrap_or_default(),
            fits: sums.fit(contribution),
        };
        Ok(self.record.tally.contributions().map(finding).collect())
    }

    /// Σ w·C and Σ w·D over the set, each dealing compared with its ballot.
    fn sums(&self, evidence: &mut IoReader<impl Read>) -> Result<DealtSums, EvidenceError> {
        let Running { election, roll, ballots, .. } = &self.record;
        let manifest = &election.manifest;
        let cells = ballots.cells(election);
        let mut sums = DealtSums::new(manifest, &cells);
        for ballot in ballots.set(roll) {
            let InSet { rights, kept, .. } = ballot?;
            let code = TrackingCode::of(&kept.accepted.ballot);
            let Dealt { ballot: found, dealing } =
                Dealt::decode(evidence).map_err(|_| EvidenceError::Format)?;
            if found != kept.accepted.ballot {
                return Err(EvidenceError::Ballot { found: TrackingCode::of(&found), expected: code });
            }
            if dealing.digest() != kept.dealing {
                return Err(EvidenceError::Dealing(code));
            }
            let added = cells.cell_of(rights.unit).map(|cell| {
                sums.add_vartime(manifest, cell, rights.style, rights.weight, &kept.commitments, &dealing)
            });
            if !matches!(added, Some(Ok(()))) {
                return Err(EvidenceError::Points(code));
            }
        }
        Ok(sums)
    }
}

/// Reads magic and header.
fn header(evidence: &mut IoReader<impl Read>) -> Result<EvidenceHeader, EvidenceError> {
    let magic = <[u8; 8]>::decode(evidence).map_err(|_| EvidenceError::Format)?;
    let header = EvidenceHeader::decode(evidence).map_err(|_| EvidenceError::Format)?;
    (magic == MAGIC && header.version == VERSION).then_some(header).ok_or(EvidenceError::Format)
}
