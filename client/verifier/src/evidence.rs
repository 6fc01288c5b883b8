//! A dispute about contributions (spec 7.7): the record says what the ballots' dealings hash to, a file has the dealings,
//! and together they show of every contribution whether it is the sum of its trustee's shares. Nothing is believed
//! of whoever wrote the file.

use codec::{Decode, IoReader};
use psephos_protocol::{
    ballot::TrackingCode,
    bounds::show,
    evidence::{Dealt, EvidenceHeader, MAGIC},
    ids::{BallotHash, Digest, Eid},
    tally::{Contribution, DealtSums},
    VERSION,
};
use serde::Serialize;
use std::io::{self, Read};

use crate::{replayed, report::Failure, running::Running, Options};

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
pub struct Dispute(Running);

impl Dispute {
    /// The set and the contributions of a record, which is verified on the way.
    ///
    /// # Errors
    /// [`EvidenceError::Io`], [`EvidenceError::Record`] or [`EvidenceError::NoSet`].
    pub fn of_record(record: impl Read, options: &Options) -> Result<Self, EvidenceError> {
        let (_, replay, failure) = replayed(record, options)?;
        if let Some(failure) = failure {
            return Err(EvidenceError::Record(failure));
        }
        let running = replay.and_then(|replay| replay.running).ok_or(EvidenceError::NoSet)?;
        // Contributions are taken once the set is agreed, and not before.
        if running.expected.is_none() || running.tally.contributed() == 0 {
            return Err(EvidenceError::NoSet);
        }
        Ok(Self(running))
    }

    /// What evidence in this dispute begins with.
    #[must_use]
    pub fn header(&self) -> EvidenceHeader {
        EvidenceHeader::of(self.0.election.eid, self.0.ballots.set())
    }

    /// The ballots whose dealings it has, in its order.
    #[must_use]
    pub fn ballots(&self) -> Vec<BallotHash> {
        self.0.ballots.set().iter().map(|(_, accepted)| accepted.ballot).collect()
    }

    /// Checks evidence, and every contribution of the record with it.
    ///
    /// # Errors
    /// [`EvidenceError`]: the first check that fails.
    pub fn judge(&self, evidence: impl Read) -> Result<Vec<Finding>, EvidenceError> {
        let mut evidence = IoReader(evidence);
        let (expected, found) = (self.header(), header(&mut evidence)?);
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
                .0
                .election
                .trustee(contribution.trustee)
                .map(|trustee| show(&trustee.name))
                .unwrap_or_default(),
            fits: sums.fit(contribution),
        };
        Ok(self.0.tally.contributions().map(finding).collect())
    }

    /// Σ w·C and Σ w·D over the set, each dealing compared with its ballot.
    fn sums(&self, evidence: &mut IoReader<impl Read>) -> Result<DealtSums, EvidenceError> {
        let Running { election, roll, ballots, .. } = &self.0;
        let manifest = &election.manifest;
        let cells = ballots.cells(election);
        let mut sums = DealtSums::new(manifest, &cells);
        for ballot in ballots.dealt() {
            let code = TrackingCode::of(&ballot.accepted.ballot);
            let Dealt { ballot: found, dealing } =
                Dealt::decode(evidence).map_err(|_| EvidenceError::Format)?;
            if found != ballot.accepted.ballot {
                return Err(EvidenceError::Ballot { found: TrackingCode::of(&found), expected: code });
            }
            if dealing.digest() != ballot.digest {
                return Err(EvidenceError::Dealing(code));
            }
            let place = roll.rights(ballot.credential).zip(cells.cell_of(ballot.accepted.unit));
            let added = place.map(|(rights, cell)| {
                let weight = ballot.accepted.weight;
                sums.add_vartime(manifest, cell, rights.style, weight, ballot.commitments, &dealing)
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
