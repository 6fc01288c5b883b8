//! Verification of a ballot (spec 6.4): the same for trustee, chain and auditor.

use alloc::vec::Vec;
use codec::Encode;
use curve25519_dalek::ristretto::RistrettoPoint;

use super::{
    range::{self, Generators, Shape},
    Ballot, CastBallot, SignedBallot,
};
use crate::{
    contest::Contest,
    election::Election,
    group::{EncodingError, Point},
    ids::BallotHash,
    keys::{CheckSignature, Signable},
    transcript::Role,
};

/// Why a ballot is not valid. Says which check failed (its spec number) and nothing about the vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BallotError {
    /// Too long, malformed, or with bytes left over.
    #[error("6.4.1: not the canonical encoding of a ballot, or longer than 20,000 bytes")]
    Encoding,
    /// Another protocol version.
    #[error("6.4.2: the ballot is of another protocol version")]
    Version,
    /// Of another election.
    #[error("6.4.3: the ballot is of another election")]
    Election,
    /// A style that the manifest doesn't have.
    #[error("6.4.4: the manifest has no such ballot style")]
    Style,
    /// Another number of commitments, another width or proof length than the style asks for.
    #[error("6.4.5: commitments, width or proof are not of the style's shape")]
    Shape,
    /// A commitment that is not a canonical point, or is the identity.
    #[error("6.4.6: commitment: {0}")]
    Commitment(#[from] EncodingError),
    /// Not signed by its credential.
    #[error("6.4.7: the signature is not by the ballot's credential")]
    Signature,
    /// Receipts too few, too many, not ascending, of an unknown trustee, or not by their trustees.
    #[error("6.4.8: the receipts are not those of q different trustees for this ballot")]
    Receipts,
    /// The range proof fails.
    #[error("6.4.9: the range proof does not hold")]
    Proof,
}

/// A ballot whose proof holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBallot {
    /// Its hash.
    pub hash: BallotHash,
    /// Its commitments as group elements, in ballot order.
    pub commitments: Vec<RistrettoPoint>,
}

impl Ballot {
    /// Checks all that concerns the ballot alone: version, election, style, shape, points, proof.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        election: &Election,
        generators: &Generators,
    ) -> Result<VerifiedBallot, BallotError> {
        self.verify_proof(&self.verify_form(election)?, generators)
    }

    /// Checks 6.4.2 to 6.4.4, which cost next to nothing, and gives the contests of the ballot's style.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_form<'a>(&self, election: &'a Election) -> Result<Vec<&'a Contest>, BallotError> {
        if self.statement.version != crate::VERSION {
            return Err(BallotError::Version);
        }
        if self.statement.eid != election.eid {
            return Err(BallotError::Election);
        }
        let style = election.manifest.style(self.statement.style).ok_or(BallotError::Style)?;
        Ok(election.manifest.style_contests(style))
    }

    /// Checks 6.4.5, 6.4.6 and 6.4.9: shape, points and range proof, for a style with these contests.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify_proof(
        &self,
        contests: &[&Contest],
        generators: &Generators,
    ) -> Result<VerifiedBallot, BallotError> {
        let statement = &self.statement;
        let shape = Shape::of(contests);
        let committed = contests.iter().map(|contest| contest.committed()).fold(0, usize::saturating_add);
        if statement.commitments.len() != committed
            || self.width != shape.width
            || self.proof.len() != shape.proof_bytes()
        {
            return Err(BallotError::Shape);
        }
        let commitments: Vec<RistrettoPoint> =
            statement.commitments.iter().map(Point::decompress).collect::<Result<_, _>>()?;
        let hash = self.hash();
        let ranges = range::statement_commitments(contests, &commitments);
        if !range::verify(generators, shape, &statement.encode(), &hash, &self.proof, &ranges) {
            return Err(BallotError::Proof);
        }
        Ok(VerifiedBallot { hash, commitments })
    }

    /// The statement that the credential signs to cast this ballot, over its hash.
    #[must_use]
    pub fn signable<'a>(election: &'a Election, hash: &'a BallotHash) -> Signable<'a> {
        Signable {
            role: Role::Ballot,
            genesis: &election.genesis,
            eid: &election.eid,
            index: 0,
            payload: &hash.0,
        }
    }
}

impl SignedBallot {
    /// Checks the credential's signature.
    ///
    /// # Errors
    /// [`BallotError::Signature`].
    pub fn verify_signature(
        &self,
        election: &Election,
        hash: &BallotHash,
        check: CheckSignature,
    ) -> Result<(), BallotError> {
        Ballot::signable(election, hash)
            .verify(check, &self.signature, &self.ballot.statement.credential)
            .then_some(())
            .ok_or(BallotError::Signature)
    }

    /// Checks signature and ballot: what a trustee does before it opens its envelope.
    ///
    /// # Errors
    /// The first check that fails, cheap ones first.
    pub fn verify(
        &self,
        election: &Election,
        generators: &Generators,
        check: CheckSignature,
    ) -> Result<VerifiedBallot, BallotError> {
        self.verify_signature(election, &self.ballot.hash(), check)?;
        self.ballot.verify(election, generators)
    }
}

impl CastBallot {
    /// Checks signature and receipts: everything but the proof.
    ///
    /// # Errors
    /// [`BallotError::Signature`] or [`BallotError::Receipts`].
    pub fn verify_signatures(
        &self,
        election: &Election,
        check: CheckSignature,
    ) -> Result<BallotHash, BallotError> {
        let ascending = self.receipts.windows(2).all(|pair| matches!(pair, [a, b] if a.trustee < b.trustee));
        if !ascending || self.receipts.len() != usize::from(election.manifest.quorum) {
            return Err(BallotError::Receipts);
        }
        let hash = self.signed.ballot.hash();
        self.signed.verify_signature(election, &hash, check)?;
        if !self.receipts.iter().all(|receipt| receipt.verify(election, &hash, check)) {
            return Err(BallotError::Receipts);
        }
        Ok(hash)
    }

    /// Checks all that can be checked without the chain's state: what the chain and an auditor do.
    ///
    /// # Errors
    /// The first check that fails, cheap ones first.
    pub fn verify(
        &self,
        election: &Election,
        generators: &Generators,
        check: CheckSignature,
    ) -> Result<VerifiedBallot, BallotError> {
        self.verify_signatures(election, check)?;
        self.signed.ballot.verify(election, generators)
    }
}
