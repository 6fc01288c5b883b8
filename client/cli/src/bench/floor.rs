//! What no verifier of whole batches can go below with this arithmetic: decompressing every point that a
//! ballot brings along, and the ballot's share of one multi-scalar multiplication over the whole batch.

use curve25519_dalek::{
    constants::RISTRETTO_BASEPOINT_POINT,
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::VartimeMultiscalarMul,
};
use psephos_protocol::ballot::Ballot;
use rand_core::OsRng;
use std::{hint::black_box, time::Duration};

use super::timing::micros;

/// Points in a credential's signature: the credential and the nonce's commitment.
pub const SIGNATURE_POINTS: usize = 2;
/// Points in a receipt: the nonce's commitment. The trustees' keys are few and the same in every ballot.
pub const RECEIPT_POINTS: usize = 1;
/// Scalars in a range proof of any shape; the rest are points.
const PROOF_SCALARS: usize = 5;

/// The points of a ballot and its range proof.
#[must_use]
pub fn proof_points(ballot: &Ballot) -> usize {
    let (statement, words) = (&ballot.statement, ballot.proof.len() / 32);
    statement.commitments.len() + statement.slack.len() + words.saturating_sub(PROOF_SCALARS)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_the_points_of_all_its_ballots() {
        let batch = Batch::new(5, 100);
        assert_eq!((batch.encoded.len(), batch.points.len(), batch.scalars.len()), (500, 500, 500));
        assert!(batch.floor(Duration::from_millis(1)) > 0.0);
    }
}
