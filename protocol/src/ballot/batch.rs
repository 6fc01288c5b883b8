//! Many ballots verified as one (spec 6.4.10).
//!
//! The equations of all ballots of a batch (range proofs, signatures, receipts) become one
//! multi-scalar multiplication under weights that hash every byte of the batch. If the sum is not the
//! identity, halves are tried, and halves of these: their weights stay, since they were fixed after all
//! that they weigh. A ballot that fails is verified alone, and that verdict counts: so every verdict is
//! the one that the ballot gets alone, up to 2^-128, and names the same check.

use alloc::{vec, vec::Vec};
use codec::Encode;

use super::{BallotError, CastBallot, Checks, SignedBallot, VerifiedBallot};
use crate::{
    combination::Combination,
    ids::BallotHash,
    keys::verify_signature,
    range_proof::Generators,
    receipt::Receipt,
    transcript::{self, Expander},
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
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Signed(ballot, _) => ballot.encode(),
            Self::Cast(ballot, _) => ballot.encode(),
        }
    }

    fn equations(
        &self,
        generators: &Generators,
        weights: &mut Expander,
    ) -> Result<(Combination, VerifiedBallot), BallotError> {
        let (ballot, receipts, checks): (_, Option<&[Receipt]>, _) = match self {
            Self::Signed(ballot, checks) => (*ballot, None, checks),
            Self::Cast(ballot, checks) => (&ballot.signed, Some(&ballot.receipts), checks),
        };
        let mut out = Combination::default();
        let verified = checks.equations(ballot, receipts, generators, weights, &mut out)?;
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
    let equations = |(cast, checks): &(&CastBallot, &Checks), weights: &mut Expander| {
        let (hash, mut out) = (cast.signed.ballot.hash(), Combination::default());
        checks.signature_equation(&cast.signed, &hash, weights, &mut out)?;
        checks.receipt_equations(&cast.receipts, &hash, weights, &mut out)?;
        Ok((out, hash))
    };
    let verify_one_batch = |batch| {
        let bytes = |(cast, _): &(&CastBallot, &Checks)| cast.encode();
        let alone = |(cast, checks): &(&CastBallot, &Checks)| checks.signatures(cast, verify_signature);
        together(batch, generators, bytes, equations, alone)
    };
    ballots.chunks(BATCH).flat_map(verify_one_batch).collect()
}

fn verify_one_batch(
    batch: &[Unverified<'_>],
    generators: &Generators,
) -> Vec<Result<VerifiedBallot, BallotError>> {
    let equations = |ballot: &Unverified<'_>, weights: &mut Expander| ballot.equations(generators, weights);
    together(batch, generators, Unverified::bytes, equations, |ballot| ballot.verify(generators))
}

/// The verdict on each of a batch, by its `equations` with those of the others where these hold, and `alone` where
/// they do not. `bytes` are all that the equations depend on.
fn together<B, V>(
    batch: &[B],
    generators: &Generators,
    bytes: impl Fn(&B) -> Vec<u8>,
    equations: impl Fn(&B, &mut Expander) -> Result<(Combination, V), BallotError>,
    alone: impl Fn(&B) -> Result<V, BallotError>,
) -> Vec<Result<V, BallotError>> {
    let bytes: Vec<Vec<u8>> = batch.iter().map(bytes).collect();
    let mut weights = transcript::verifier_randomness(bytes.iter().map(Vec::as_slice));
    let prepared: Vec<_> = batch.iter().map(|ballot| equations(ballot, &mut weights)).collect();
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
