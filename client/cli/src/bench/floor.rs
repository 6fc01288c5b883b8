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
use serde::Serialize;
use std::{hint::black_box, time::Duration};

use super::timing::{micros, own_time};

/// Points in a credential's signature: the credential and the nonce's commitment.
pub const SIGNATURE_POINTS: usize = 2;
/// Points in a receipt: the nonce's commitment. The trustees' keys are few and the same in every ballot.
pub const RECEIPT_POINTS: usize = 1;
/// Scalars in a range proof of any shape; the rest are points.
const PROOF_SCALARS: usize = 5;
/// Points that one look at the machine's speed decompresses: a millisecond or two of one core.
const LOOK: u32 = 200;
/// Looks at a time, and times, when the floor is measured.
const PULSES: usize = 10;
const ROUNDS: u32 = 10;

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

    /// The floor, and the machine's speed meanwhile: it may change within seconds, so both are asked in turn.
    #[must_use]
    pub fn floor_with_pulse(&self, budget: Duration) -> Floor {
        let (floors, pulses): (Vec<_>, Vec<_>) =
            (0..ROUNDS).map(|_| (self.floor(budget / ROUNDS), mean(&[(); PULSES].map(|()| pulse())))).unzip();
        Floor { micros: mean(&floors), pulse: mean(&pulses) }
    }
}

/// How fast the machine is at this arithmetic just now: microseconds of a core for decompressing a point. Only the
/// time that this thread has a core counts, so that it can be asked while others need the cores too; and only what comes
/// after as much again, since a core that did something else is slow at first. On cores that mostly sleep it still reads
/// a quarter too much.
#[must_use]
pub fn pulse() -> f64 {
    let encoded = RISTRETTO_BASEPOINT_POINT.compress();
    let work = || {
        (0..LOOK).for_each(|_| {
            black_box(black_box(encoded).decompress());
        });
    };
    work();
    own_time(work).as_secs_f64() * 1e6 / f64::from(LOOK)
}

/// The mean; of nothing it is 0.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The floor of a ballot, with the machine's speed when it was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Floor {
    /// Microseconds of one core.
    pub micros: f64,
    /// The [`pulse`] at that time.
    pub pulse: f64,
}

/// The floor of a load: of one ballot in all processes together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Floors {
    /// Measured before it, on the idle network.
    pub before: Floor,
    /// While it lasted: as many pulses as before and after, on average, of those that were felt meanwhile.
    pub during: Floor,
    /// Measured after it.
    pub after: Floor,
}

impl Floors {
    /// Microseconds, by what was measured before and after the load: what efficiency is told by.
    #[must_use]
    pub fn micros(&self) -> f64 {
        mean(&[self.before.micros, self.after.micros])
    }

    /// With the pulses that were felt during the load.
    #[must_use]
    pub fn new(before: Floor, pulses: &[f64], after: Floor) -> Self {
        let in_pulses = |floor: Floor| floor.micros / floor.pulse.max(f64::MIN_POSITIVE);
        let pulse = mean(pulses);
        let micros = mean(&[in_pulses(before), in_pulses(after)]) * pulse;
        Self { before, during: Floor { micros, pulse }, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_on_a_slow_machine_has_a_floor_as_much_higher() {
        let floor = |micros, pulse| Floor { micros, pulse };
        let floors = Floors::new(floor(600.0, 6.0), &[8.0, 10.0], floor(880.0, 8.0));
        assert_eq!((floors.during.micros, floors.during.pulse), (945.0, 9.0));
        assert_eq!(floors.micros(), 740.0);
        assert!(pulse() > 0.0);
    }

    #[test]
    fn a_batch_has_the_points_of_all_its_ballots() {
        let batch = Batch::new(5, 100);
        assert_eq!((batch.encoded.len(), batch.points.len(), batch.scalars.len()), (500, 500, 500));
        assert!(batch.floor(Duration::from_millis(1)) > 0.0);
    }
}
