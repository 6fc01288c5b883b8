//! Many ballots verified as one (spec 6.4.10).
//!
//! The equations of all ballots of a batch (range proofs, signatures, receipts) become one
//! multi-scalar multiplication under weights that depend on every byte of the batch. If the sum is not the
//! identity, halves are tried, and halves of these: their weights stay, since they were fixed after all
//! that they weigh. A ballot that fails is verified alone, and that verdict counts: so every verdict is
//! the one that the ballot gets alone, up to 2^-128, and names the same check.

use alloc::{vec, vec::Vec};
use codec::Encode;

use super::{weights::Weights, BallotError, CastBallot, Checks, SignedBallot, VerifiedBallot};
use crate::{
    combination::Combination, ids::BallotHash, keys::verify_signature, range_proof::Generators,
    receipt::Receipt,
};

/// Ballots in one multi-scalar multiplication at most: more would need more memory (some 7 KB each) and gain
/// next to nothing.
pub const BATCH: usize = 1_024;
/// Fewer per core are not worth a thread: what a multiplication costs however few points it has would be a sixth of it.
/// So many take some 15 ms.
#[cfg(feature = "parallel")]
const LEAST: usize = 64;

/// A ballot to verify, and what against.
#[derive(Clone, Copy)]
pub enum Unverified<'a> {
    /// With its signature: what a trustee is given.
    Signed(&'a SignedBallot, &'a Checks),
    /// With its receipts too: what the chain accepts.
    Cast(&'a CastBallot, &'a Checks),
}

impl Unverified<'_> {
    fn signed(&self) -> &SignedBallot {
        match self {
            Self::Signed(signed, _) => signed,
            Self::Cast(cast, _) => &cast.signed,
        }
    }

    fn receipts(&self) -> Option<&[Receipt]> {
        match self {
            Self::Signed(..) => None,
            Self::Cast(cast, _) => Some(&cast.receipts),
        }
    }

    /// The ballot's hash, and all that the equations depend on: the ballot by its hash, signature and receipts.
    fn fixed(&self) -> (BallotHash, Vec<u8>) {
        let (hash, signature) = (self.signed().ballot.hash(), self.signed().signature);
        (hash, (hash, signature, self.receipts().unwrap_or_default()).encode())
    }

    fn equations(
        &self,
        hash: &BallotHash,
        generators: &Generators,
        weights: &mut Weights,
    ) -> Result<(Combination, VerifiedBallot), BallotError> {
        let (Self::Signed(_, checks) | Self::Cast(_, checks)) = self;
        let mut out = Combination::default();
        let verified =
            checks.equations(self.signed(), self.receipts(), hash, generators, weights, &mut out)?;
        Ok((out, verified))
    }

    /// The verdict on this ballot alone.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(&self, generators: &Generators) -> Result<VerifiedBallot, BallotError> {
        match self {
            Self::Signed(ballot, checks) => checks.signed(ballot, generators, verify_signature),
            Self::Cast(ballot, checks) => checks.cast(ballot, generators, verify_signature),
        }
    }
}

/// The verdict on each ballot, in order. `generators` must serve the layouts of all.
#[must_use]
pub fn verify(
    ballots: &[Unverified<'_>],
    generators: &Generators,
) -> Vec<Result<VerifiedBallot, BallotError>> {
    ballots.chunks(BATCH).flat_map(|batch| verify_one_batch(batch, generators)).collect()
}

/// As [`verify`], on all cores of rayon's pool.
#[cfg(feature = "parallel")]
#[must_use]
pub fn verify_parallel(
    ballots: &[Unverified<'_>],
    generators: &Generators,
) -> Vec<Result<VerifiedBallot, BallotError>> {
    use rayon::prelude::*;
    let share = ballots.len().div_ceil(rayon::current_num_threads().max(1));
    let size = share.clamp(LEAST, BATCH);
    ballots.par_chunks(size).flat_map_iter(|batch| verify_one_batch(batch, generators)).collect()
}

/// The hash of each ballot, in order, if its signature and receipts hold: the ballot itself is not looked at.
/// `generators` may be any.
#[must_use]
pub fn verify_signatures(
    ballots: &[(&CastBallot, &Checks)],
    generators: &Generators,
) -> Vec<Result<BallotHash, BallotError>> {
    let equations = |(cast, checks): &(&CastBallot, &Checks), hash: &BallotHash, weights: &mut Weights| {
        let mut out = Combination::default();
        checks.signature_equation(&cast.signed, hash, weights, &mut out)?;
        checks.receipt_equations(&cast.receipts, hash, weights, &mut out)?;
        Ok((out, *hash))
    };
    let verify_one_batch = |batch| {
        let fixed = |(cast, checks): &(&CastBallot, &Checks)| Unverified::Cast(cast, checks).fixed();
        let alone = |(cast, checks): &(&CastBallot, &Checks)| checks.signatures(cast, verify_signature);
        together(batch, generators, fixed, equations, alone)
    };
    ballots.chunks(BATCH).flat_map(verify_one_batch).collect()
}

fn verify_one_batch(
    batch: &[Unverified<'_>],
    generators: &Generators,
) -> Vec<Result<VerifiedBallot, BallotError>> {
    let equations = |ballot: &Unverified<'_>, hash: &BallotHash, weights: &mut Weights| {
        ballot.equations(hash, generators, weights)
    };
    together(batch, generators, Unverified::fixed, equations, |ballot| ballot.verify(generators))
}

/// The verdict on each of a batch, by its `equations` with those of the others where these hold, and `alone` where
/// they do not. `fixed` gives the ballot's hash, and all that the equations depend on.
fn together<B, V>(
    batch: &[B],
    generators: &Generators,
    fixed: impl Fn(&B) -> (BallotHash, Vec<u8>),
    equations: impl Fn(&B, &BallotHash, &mut Weights) -> Result<(Combination, V), BallotError>,
    alone: impl Fn(&B) -> Result<V, BallotError>,
) -> Vec<Result<V, BallotError>> {
    let fixed: Vec<(BallotHash, Vec<u8>)> = batch.iter().map(fixed).collect();
    let mut weights = Weights::of(fixed.iter().map(|(_, bytes)| bytes.as_slice()));
    let prepared: Vec<_> =
        batch.iter().zip(&fixed).map(|(ballot, (hash, _))| equations(ballot, hash, &mut weights)).collect();
    let equations: Vec<Option<&Combination>> =
        prepared.iter().map(|made| made.as_ref().ok().map(|(equations, _)| equations)).collect();
    let mut holds = vec![false; batch.len()];
    bisect(&equations, generators, &mut holds);
    let verdicts = batch.iter().zip(prepared).zip(holds);
    verdicts
        .map(|((ballot, made), holds)| match made {
            Ok((_, verified)) if holds => Ok(verified),
            _ => alone(ballot),
        })
        .collect()
}

/// Finds whose equations hold. One ballot alone is left to its own verification.
fn bisect(equations: &[Option<&Combination>], generators: &Generators, holds: &mut [bool]) {
    if equations.len() < 2 {
        return;
    }
    if Combination::hold_together(equations.iter().flatten().copied(), generators) {
        holds.iter_mut().zip(equations).for_each(|(holds, equations)| *holds = equations.is_some());
        return;
    }
    let half = equations.len() / 2;
    let (low, high) = equations.split_at(half);
    let (holds_low, holds_high) = holds.split_at_mut(half);
    bisect(low, generators, holds_low);
    bisect(high, generators, holds_high);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ballot::Terms,
        testing::{Fixture, Params},
    };

    #[test]
    fn every_byte_of_a_ballot_fixes_its_weights() {
        let mut fixture = Fixture::new(&Params::default());
        let checks = Checks::new(Terms::of(&fixture.election, 0).unwrap());
        let bytes = fixture.cast(0, 1, &[vec![0, 1, 0]]).cast.encode();
        let fixed = |bytes: &[u8]| {
            let cast = CastBallot::from_bytes(bytes).ok()?;
            let both = [Unverified::Signed(&cast.signed, &checks), Unverified::Cast(&cast, &checks)];
            Some(both.map(|ballot| ballot.fixed().1))
        };
        let [signed, cast] = fixed(&bytes).unwrap();
        let receipts = fixture.cast(0, 1, &[vec![0, 1, 0]]).cast.receipts.encode().len();
        let mut other = 0;
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            let Some([other_signed, other_cast]) = fixed(&bytes) else { continue };
            other += 1;
            assert_ne!(other_cast, cast, "byte {place}");
            assert!(other_signed != signed || place >= bytes.len() - receipts, "byte {place}");
        }
        // Lengths alone can't be changed without the rest.
        assert!(other + 16 > bytes.len(), "{other}");
    }
}
