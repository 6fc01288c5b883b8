//! The range proof of a ballot (spec 6.2).
//!
//! **Relation.** For public commitments `V_1 … V_m`, the prover knows `v_i, γ_i` with
//! `V_i = v_i·B + γ_i·B̃` and `v_i ∈ [0, 2^n)` for all i. The `V_i` are the style's range
//! statements ([`crate::contest::Statement`]), derived from the ballot's commitments and padded to
//! a power of two by repeating the last.
//!
//! **Proof.** One aggregated Bulletproof: Bünz, Bootle, Boneh, Poelstra, Wuille, Maxwell,
//! *Bulletproofs: Short Proofs for Confidential Transactions and More* (IEEE S&P 2018), section
//! 4.2, made non-interactive over a transcript that absorbed the whole ballot statement first.
//! `32·(9 + 2·log2(n·m))` bytes. Proving is constant time in values and blindings.
//!
//! **Why no value wraps.** A value and a sum of at most 2^16 values, each below 2^64, are far below
//! the group order; so is each limit. A negative number mod ℓ is above 2^64 and has no proof.

use alloc::vec::Vec;
use bulletproofs::{BulletproofGens, RangeProof};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use rand_core::{CryptoRng, RngCore};

use crate::{
    bounds::MAX_RANGE_BITS,
    contest::Contest,
    group::pedersen,
    ids::{BallotHash, Digest},
    transcript,
};

/// The widths that the `bulletproofs` crate proves, in bits.
const WIDTHS: [u8; 4] = [8, 16, 32, 64];

/// The digest of the generators of this protocol version: what [`generators_digest`] gives, as a test
/// of this crate and the verifier both check.
pub const GENERATORS_DIGEST: Digest = Digest([
    0x60, 0xa4, 0x2c, 0x34, 0x88, 0x39, 0x00, 0xa2, 0xb6, 0x71, 0xbd, 0xaf, 0x12, 0xef, 0xb9, 0xeb, 0xab,
    0x4e, 0xe7, 0x4c, 0xb1, 0x0f, 0x24, 0x47, 0x41, 0xb7, 0xdc, 0xca, 0xb0, 0xa4, 0xc8, 0xff,
]);

/// Derives the generators anew and hashes them (spec 2.1): B, B̃, then for each width, narrow first,
/// the vector G of as many statements as a ballot can have. Takes about half a second.
///
/// The vector H comes from the same derivation under another label, but the `bulletproofs` crate
/// doesn't show it. It is pinned by the test vectors instead: their proofs verify under no other H.
#[must_use]
pub fn generators_digest() -> Digest {
    let bases = pedersen();
    let vectors = WIDTHS.into_iter().flat_map(|width| {
        let width = usize::from(width);
        let statements = (MAX_RANGE_BITS as usize).checked_div(width).unwrap_or(0);
        let generators = Generators::for_bits(width, statements);
        (0..statements).flat_map(move |j| generators.0.share(j).G(width).copied().collect::<Vec<_>>())
    });
    let all = [bases.B, bases.B_blinding].into_iter().chain(vectors);
    transcript::generators(all.map(|point| point.compress().to_bytes()))
}

/// The shape of a style's range proof: its width and how many statements it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bits of each range.
    pub width: u8,
    /// Statements, padded to a power of two.
    pub statements: usize,
}

impl Shape {
    /// The shape for these contests, in ballot order.
    #[must_use]
    pub fn of(contests: &[&Contest]) -> Self {
        let count = contests.iter().map(|contest| contest.statements().len()).fold(0, usize::saturating_add);
        let largest = contests.iter().map(|contest| contest.largest()).max().unwrap_or(0);
        let needed = 64u32.saturating_sub(u64::from(largest).leading_zeros());
        let width = WIDTHS.into_iter().find(|width| u32::from(*width) >= needed).unwrap_or(64);
        Self { width, statements: count.checked_next_power_of_two().unwrap_or(usize::MAX) }
    }

    /// The range bits of the proof, n·m.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.statements.saturating_mul(usize::from(self.width))
    }

    /// The proof's length in bytes.
    #[must_use]
    pub fn proof_bytes(&self) -> usize {
        let rounds = self.bits().checked_ilog2().unwrap_or(0) as usize;
        rounds.saturating_mul(2).saturating_add(9).saturating_mul(32)
    }
}

/// The vector generators up to some shape. Deriving them costs about as much as verifying a proof:
/// keep them.
pub struct Generators(BulletproofGens);

impl Generators {
    /// The generators that serve one shape and all smaller ones.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self::for_bits(usize::from(shape.width), shape.statements)
    }

    fn for_bits(width: usize, statements: usize) -> Self {
        Self(BulletproofGens::new(width, statements))
    }

    /// The generators that serve every style of these.
    #[must_use]
    pub fn covering(shapes: impl Iterator<Item = Shape>) -> Self {
        let (mut width, mut statements) = (8, 1);
        for shape in shapes {
            width = width.max(usize::from(shape.width));
            statements = statements.max(shape.statements);
        }
        Self::for_bits(width, statements)
    }
}

/// The commitments of all range statements of a ballot, in order and padded.
///
/// `committed` holds the ballot's commitments; it must be as long as the contests ask for.
#[must_use]
pub fn statement_commitments(contests: &[&Contest], committed: &[RistrettoPoint]) -> Vec<RistrettoPoint> {
    let mut out = Vec::new();
    let mut rest = committed;
    for contest in contests {
        let (own, others) = rest.split_at_checked(contest.committed()).unwrap_or((rest, &[]));
        rest = others;
        let all = contest.all_commitments(own);
        out.extend(contest.statements().into_iter().map(|s| contest.statement_commitment(s, &all)));
    }
    pad(&mut out);
    out
}

/// The openings of all range statements, in order and padded; `None` if one is negative.
pub(super) fn statement_openings(
    contests: &[&Contest],
    votes: &[Vec<u32>],
    blindings: &[Scalar],
) -> Option<(Vec<u64>, Vec<Scalar>)> {
    let (mut values, mut factors) = (Vec::new(), Vec::new());
    let mut rest = blindings;
    for (contest, vote) in contests.iter().zip(votes) {
        let (own, others) = rest.split_at_checked(contest.committed())?;
        rest = others;
        let all = contest.all_blindings(own);
        for statement in contest.statements() {
            let (value, factor) = contest.statement_opening(statement, vote, &all)?;
            values.push(value);
            factors.push(factor);
        }
    }
    pad(&mut values);
    pad(&mut factors);
    Some((values, factors))
}

/// Repeats the last item until the length is a power of two.
fn pad<T: Clone>(items: &mut Vec<T>) {
    if let (Some(last), Some(length)) = (items.last().cloned(), items.len().checked_next_power_of_two()) {
        items.resize(length, last);
    }
}

/// Proves that all openings are in range. `statement` is the encoded ballot statement.
///
/// The crate's prover returns an invalid proof for a value out of range; the caller has checked
/// the vote, and verifies what comes out.
pub(super) fn prove(
    generators: &Generators,
    shape: Shape,
    statement: &[u8],
    values: &[u64],
    blindings: &[Scalar],
    rng: &mut (impl RngCore + CryptoRng),
) -> Option<Vec<u8>> {
    let mut transcript = transcript::range_proof(statement);
    RangeProof::prove_multiple_with_rng(
        &generators.0,
        &pedersen(),
        &mut transcript,
        values,
        blindings,
        usize::from(shape.width),
        rng,
    )
    .ok()
    .map(|(proof, _)| proof.to_bytes())
}

/// Verifies a ballot's range proof against its statement commitments.
///
/// The crate combines two equations under a random weight that it draws before it reads the
/// inner-product argument. The weight here is a hash of the whole ballot, proof included, so that
/// every node comes to the same verdict and no prover can choose a proof to fit the weight.
pub(super) fn verify(
    generators: &Generators,
    shape: Shape,
    statement: &[u8],
    ballot: &BallotHash,
    proof: &[u8],
    commitments: &[RistrettoPoint],
) -> bool {
    let Ok(proof) = RangeProof::from_bytes(proof) else { return false };
    let commitments: Vec<CompressedRistretto> = commitments.iter().map(RistrettoPoint::compress).collect();
    proof
        .verify_multiple_with_rng(
            &generators.0,
            &pedersen(),
            &mut transcript::range_proof(statement),
            &commitments,
            usize::from(shape.width),
            &mut transcript::verifier_randomness(ballot),
        )
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_digest_is_that_of_the_generators() {
        assert_eq!(generators_digest(), GENERATORS_DIGEST);
    }
}
