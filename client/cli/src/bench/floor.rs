//! What no verifier of whole batches can go below with this arithmetic: decompressing every point that a
//! ballot brings along, and the ballot's share of one multi-scalar multiplication over the whole batch.

use curve25519_dalek::{
    constants::RISTRETTO_BASEPOINT_POINT,
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::VartimeMultiscalarMul,
};
use psephos_protocol::ballot::{Ballot, CastBallot};
use rand_core::OsRng;
use serde::Serialize;
use std::{hint::black_box, time::Duration};

use super::{sample::Sample, timing::micros};
use crate::error::CliError;

/// Points in a credential's signature: the credential and the nonce's commitment.
const SIGNATURE_POINTS: usize = 2;
/// Points in a receipt: the nonce's commitment. The trustees' keys are few and the same in every ballot.
const RECEIPT_POINTS: usize = 1;
/// Scalars in a range proof of any shape; the rest are points.
const PROOF_SCALARS: usize = 5;
/// Ballots in a batch of which the floor of a load is told.
const BALLOTS: u32 = 1_000;

/// The points of a ballot and its range proof.
#[must_use]
pub fn proof_points(ballot: &Ballot) -> usize {
    let (statement, words) = (&ballot.statement, ballot.proof.len() / 32);
    statement.commitments.len() + statement.slack.len() + words.saturating_sub(PROOF_SCALARS)
}

/// The points of a ballot as it is cast, with signature and receipts.
#[must_use]
pub fn cast_points(cast: &CastBallot) -> usize {
    proof_points(&cast.signed.ballot) + SIGNATURE_POINTS + cast.receipts.len() * RECEIPT_POINTS
}

/// Points and scalars of a batch, as they would come.
pub struct Batch {
    encoded: Vec<CompressedRistretto>,
    points: Vec<RistrettoPoint>,
    scalars: Vec<Scalar>,
    ballots: u32,
}

impl Batch {
    /// A batch of ballots with so many points each.
    #[must_use]
    pub fn new(points_each: usize, ballots: u32) -> Self {
        let count = points_each.saturating_mul(ballots as usize);
        let first = RistrettoPoint::random(&mut OsRng);
        let points: Vec<RistrettoPoint> =
            std::iter::successors(Some(first), |point| Some(point + RISTRETTO_BASEPOINT_POINT))
                .take(count)
                .collect();
        Self {
            encoded: points.iter().map(RistrettoPoint::compress).collect(),
            scalars: points.iter().map(|_| Scalar::random(&mut OsRng)).collect(),
            points,
            ballots,
        }
    }

    /// The time per ballot in microseconds, in one thread.
    #[must_use]
    pub fn floor(&self, budget: Duration) -> f64 {
        // Decompression takes the same for each point: fewer of them are timed than there are.
        let some = self.encoded.get(..self.encoded.len().min(1_000)).unwrap_or_default();
        let decompressing = micros(budget, || {
            some.iter().for_each(|encoded| {
                black_box(encoded.decompress());
            });
        });
        let multiplying =
            micros(budget, || RistrettoPoint::vartime_multiscalar_mul(&self.scalars, &self.points));
        let all = decompressing * self.encoded.len() as f64 / some.len().max(1) as f64;
        (all + multiplying) / f64::from(self.ballots.max(1))
    }
}

/// What a validator needs at least for a ballot: for proof, signature and receipts, in microseconds.
///
/// # Errors
/// As [`Sample::sign`].
pub fn of_validator(sample: &Sample, budget: Duration) -> Result<f64, CliError> {
    Ok(Batch::new(cast_points(&sample.cast(&sample.sign(0)?)), BALLOTS).floor(budget))
}

/// What a trustee needs at least: for proof, signature and the dealing that comes in the envelope, in batches; for
/// opening the envelope and signing a receipt, by itself. In microseconds.
///
/// # Errors
/// As [`Sample::seal`] and [`Sample::open`].
pub fn of_trustee(sample: &Sample, budget: Duration) -> Result<f64, CliError> {
    let mut signed = sample.sign(0)?;
    let envelopes = sample.seal(&mut signed)?;
    let manifest = &sample.election.manifest;
    let dealt = manifest.columns() * usize::from(manifest.threshold).saturating_sub(1);
    let points = proof_points(&signed.ballot.ballot) + SIGNATURE_POINTS + dealt;
    let (Some(envelope), Some(keys)) = (envelopes.first(), sample.trustees.first()) else {
        return Err(CliError::Integrity("there is no trustee".into()));
    };
    let open = || sample.open(&signed, envelope, (1, keys));
    open()?;
    let open = micros(budget, open);
    let receipt = micros(budget, || sample.receipt(&signed.hash, (1, keys)));
    Ok(Batch::new(points, BALLOTS).floor(budget) + open + receipt)
}

/// The floor of a load: microseconds of a core for one ballot, in all processes together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Floors {
    /// Measured before it, on the idle network.
    pub before: f64,
    /// Measured after it.
    pub after: f64,
}

impl Floors {
    /// The mean of both: the machine may be faster at one time than at the other.
    #[must_use]
    pub fn mean(&self) -> f64 {
        (self.before + self.after) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_ballot_has_the_points_of_its_proof_signature_and_receipts() {
        let sample = Sample::new("10".parse().unwrap(), 5, 3).unwrap();
        let cast = sample.cast(&sample.sign(0).unwrap());
        // Nine commitments, the tenth follows from them; a proof of sixteen one-bit ranges.
        assert_eq!(proof_points(&cast.signed.ballot), 21);
        assert_eq!(cast_points(&cast), 21 + 2 + 4);
    }

    #[test]
    fn a_trustee_needs_more_than_a_validator() {
        let (sample, budget) = (Sample::new("10".parse().unwrap(), 4, 2).unwrap(), Duration::from_millis(20));
        let validator = of_validator(&sample, budget).unwrap();
        assert!(validator > 0.0 && of_trustee(&sample, budget).unwrap() > validator);
    }

    #[test]
    fn a_batch_has_the_points_of_all_its_ballots() {
        let batch = Batch::new(5, 100);
        assert_eq!((batch.encoded.len(), batch.points.len(), batch.scalars.len()), (500, 500, 500));
        assert!(batch.floor(Duration::from_millis(1)) > 0.0);
    }
}
