//! Verification of a ballot (spec 6.4): the same for trustee, chain and auditor.
//!
//! [`Checks`] turns a ballot into equations of a [`Combination`]; alone or with those of many others
//! ([`super::batch`]), the sum under weights that nobody could choose decides.

use alloc::vec::Vec;
use codec::Encode;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};

use super::{weights::Weights, Ballot, CastBallot, Committed, Layout, SignedBallot, Terms};
use crate::{
    combination::Combination,
    election::Election,
    group::{EncodingError, Point},
    ids::BallotHash,
    keys::{CheckSignature, PublicKey, Signable, Signer},
    range_proof::{Generators, RangeProof},
    receipt::Receipt,
    transcript::{self, Role},
};

/// Why a ballot is not valid. Says which check failed (its spec number) and nothing about the vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BallotError {
    /// Too long, malformed, or with bytes left over.
    #[error("6.4.1: not the canonical encoding of a ballot, or longer than 22,000 bytes")]
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
    /// Its commitments to options as group elements, in ballot order.
    pub commitments: Vec<RistrettoPoint>,
}

/// What ballots of one style are checked against, made ready once for many of them.
pub struct Checks {
    terms: Terms,
    layout: Layout,
    /// The voters.
    voters: Signer,
    /// The trustees, in order.
    trustees: Vec<Signer>,
}

impl Checks {
    /// The checks of these terms.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let layout = terms.layout();
        let Terms { genesis, eid, .. } = &terms;
        let voters = Signer::new(Role::Ballot, genesis, eid, 0);
        let trustees = (1u32..).take(terms.trustees.len());
        let trustees = trustees.map(|index| Signer::new(Role::Receipt, genesis, eid, index)).collect();
        Self { layout, voters, trustees, terms }
    }

    /// The layout of these ballots.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Checks signature, receipts and ballot, one after the other.
    ///
    /// # Errors
    /// The first check that fails, cheap ones first.
    pub fn cast(
        &self,
        cast: &CastBallot,
        generators: &Generators,
        check: CheckSignature,
    ) -> Result<VerifiedBallot, BallotError> {
        self.signatures(cast, check)?;
        self.ballot(&cast.signed.ballot, generators)
    }

    /// Checks signature and receipts: everything but the ballot itself.
    ///
    /// # Errors
    /// [`BallotError::Signature`] or [`BallotError::Receipts`].
    pub fn signatures(&self, cast: &CastBallot, check: CheckSignature) -> Result<BallotHash, BallotError> {
        self.receipts_fit(&cast.receipts)?;
        let hash = cast.signed.ballot.hash();
        self.signature(&cast.signed, &hash, check)?;
        let holds = |receipt: &Receipt| {
            let trustee = self.trustee(receipt.trustee);
            trustee.is_some_and(|(key, signer)| receipt.is_by(signer, key, &hash, check))
        };
        cast.receipts.iter().all(holds).then_some(hash).ok_or(BallotError::Receipts)
    }

    /// Checks signature and ballot: what a trustee does before it opens its envelope.
    ///
    /// # Errors
    /// The first check that fails, cheap ones first.
    pub fn signed(
        &self,
        signed: &SignedBallot,
        generators: &Generators,
        check: CheckSignature,
    ) -> Result<VerifiedBallot, BallotError> {
        self.signature(signed, &signed.ballot.hash(), check)?;
        self.ballot(&signed.ballot, generators)
    }

    /// Checks all that concerns the ballot alone: version, election, style, shape, points, proof.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn ballot(&self, ballot: &Ballot, generators: &Generators) -> Result<VerifiedBallot, BallotError> {
        let hash = ballot.hash();
        let mut weights = Weights::of([hash.0.as_slice()].into_iter());
        let mut equations = Combination::default();
        let verified = self.ballot_equations(ballot, &hash, generators, &mut weights, &mut equations)?;
        equations.holds(generators).then_some(verified).ok_or(BallotError::Proof)
    }

    fn signature(
        &self,
        signed: &SignedBallot,
        hash: &BallotHash,
        check: CheckSignature,
    ) -> Result<(), BallotError> {
        self.voters
            .verify(check, &hash.0, &signed.signature, &signed.ballot.statement.credential)
            .then_some(())
            .ok_or(BallotError::Signature)
    }

    fn receipts_fit(&self, receipts: &[Receipt]) -> Result<(), BallotError> {
        let ascending = receipts.windows(2).all(|pair| matches!(pair, [a, b] if a.trustee < b.trustee));
        (ascending && receipts.len() == usize::from(self.terms.quorum))
            .then_some(())
            .ok_or(BallotError::Receipts)
    }

    fn trustee(&self, index: u8) -> Option<(&PublicKey, &Signer)> {
        let place = usize::from(index).checked_sub(1)?;
        Some((self.terms.trustees.get(place)?, self.trustees.get(place)?))
    }

    /// The equations of signature, receipts (where the ballot is cast) and proof, under these weights, of the ballot
    /// with that hash.
    pub(super) fn equations(
        &self,
        signed: &SignedBallot,
        receipts: Option<&[Receipt]>,
        hash: &BallotHash,
        generators: &Generators,
        weights: &mut Weights,
        out: &mut Combination,
    ) -> Result<VerifiedBallot, BallotError> {
        let verified = self.ballot_equations(&signed.ballot, hash, generators, weights, out)?;
        self.signature_equation(signed, hash, weights, out)?;
        receipts.map_or(Ok(()), |receipts| self.receipt_equations(receipts, hash, weights, out))?;
        Ok(verified)
    }

    /// The equation of the voter's signature, under a weight.
    pub(super) fn signature_equation(
        &self,
        signed: &SignedBallot,
        hash: &BallotHash,
        weights: &mut Weights,
        out: &mut Combination,
    ) -> Result<(), BallotError> {
        let credential = &signed.ballot.statement.credential;
        self.voters
            .equation(&hash.0, &signed.signature, credential)
            .and_then(|equation| equation.add_to(out, weights.next()))
            .and_then(|of_key| out.encoded(&CompressedRistretto(credential.0), of_key))
            .ok_or(BallotError::Signature)
    }

    /// The equations of the receipts, under weights.
    pub(super) fn receipt_equations(
        &self,
        receipts: &[Receipt],
        hash: &BallotHash,
        weights: &mut Weights,
        out: &mut Combination,
    ) -> Result<(), BallotError> {
        self.receipts_fit(receipts)?;
        for receipt in receipts {
            let (key, signer) = self.trustee(receipt.trustee).ok_or(BallotError::Receipts)?;
            let equation = receipt.equation(signer, key, hash).ok_or(BallotError::Receipts)?;
            let of_key = equation.add_to(out, weights.next()).ok_or(BallotError::Receipts)?;
            out.key(key, of_key);
        }
        Ok(())
    }

    /// Checks version, election, style, shape and points, and gives the equations of the proof.
    fn ballot_equations(
        &self,
        ballot: &Ballot,
        hash: &BallotHash,
        generators: &Generators,
        weights: &mut Weights,
        out: &mut Combination,
    ) -> Result<VerifiedBallot, BallotError> {
        let (statement, shape) = (&ballot.statement, self.layout.shape);
        if statement.version != crate::VERSION {
            return Err(BallotError::Version);
        }
        if statement.eid != self.terms.eid {
            return Err(BallotError::Election);
        }
        if statement.style != self.terms.style {
            return Err(BallotError::Style);
        }
        if statement.commitments.len() != self.layout.options
            || statement.slack.len() != self.layout.slack
            || ballot.width != shape.width
            || ballot.proof.len() != shape.proof_bytes()
        {
            return Err(BallotError::Shape);
        }
        let (options, slack) = (committed(&statement.commitments)?, committed(&statement.slack)?);
        self.proof_equations(ballot, &options, &slack, generators, weights, out).ok_or(BallotError::Proof)?;
        let commitments = options.iter().map(|committed| committed.point).collect();
        Ok(VerifiedBallot { hash: *hash, commitments })
    }

    fn proof_equations(
        &self,
        ballot: &Ballot,
        options: &[Committed],
        slack: &[Committed],
        generators: &Generators,
        weights: &mut Weights,
        out: &mut Combination,
    ) -> Option<()> {
        let shape = self.layout.shape;
        let proof = RangeProof::from_bytes(&ballot.proof, shape)?;
        let ranges = self.layout.commitments(options, slack)?;
        let mut transcript = transcript::range_proof(&ballot.statement.encode());
        let weights = [weights.next(), weights.next()];
        let of_statements = proof.add_to(out, generators, shape, &mut transcript, &ranges, weights)?;
        let (of_options, of_slack, constant) = self.layout.own_scalars(&of_statements);
        out.base(constant);
        let own = options.iter().zip(of_options).chain(slack.iter().zip(of_slack));
        own.for_each(|(committed, scalar)| out.point(committed.point, scalar));
        Some(())
    }
}

/// The group elements of a ballot's commitments, none the identity.
fn committed(encodings: &[Point]) -> Result<Vec<Committed>, EncodingError> {
    encodings
        .iter()
        .map(|encoding| Ok(Committed { encoding: *encoding, point: encoding.decompress()? }))
        .collect()
}

impl Ballot {
    /// The statement that the credential signs to cast this ballot, over its hash.
    #[must_use]
    pub fn signable<'a>(election: &'a Election, hash: &'a BallotHash) -> Signable<'a> {
        let Election { genesis, eid, .. } = election;
        Signable { role: Role::Ballot, genesis, eid, index: 0, payload: &hash.0 }
    }

    /// Checks all that concerns the ballot alone: version, election, style, shape, points, proof.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        election: &Election,
        generators: &Generators,
    ) -> Result<VerifiedBallot, BallotError> {
        self.checks(election)?.ballot(self, generators)
    }

    /// The checks of this ballot's style.
    fn checks(&self, election: &Election) -> Result<Checks, BallotError> {
        Terms::of(election, self.statement.style).map(Checks::new)
    }
}

impl SignedBallot {
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
        self.ballot.checks(election)?.signed(self, generators, check)
    }

    /// Checks the credential's signature alone.
    ///
    /// # Errors
    /// [`BallotError::Signature`].
    pub fn verify_signature(
        &self,
        election: &Election,
        hash: &BallotHash,
        check: CheckSignature,
    ) -> Result<(), BallotError> {
        self.ballot.checks(election)?.signature(self, hash, check)
    }
}

impl CastBallot {
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
        self.signed.ballot.checks(election)?.cast(self, generators, check)
    }
}
