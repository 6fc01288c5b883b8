//! Verification of a range proof (spec 6.2.3), as terms of a [`Combination`].

use alloc::vec::Vec;
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar};
use merlin::Transcript;

use super::{Generators, Shape};
use crate::{combination::Combination, transcript::ProofTranscript};

/// A range proof whose scalars are canonical; its points are checked when it is verified.
pub struct RangeProof {
    a: CompressedRistretto,
    s: CompressedRistretto,
    t1: CompressedRistretto,
    t2: CompressedRistretto,
    t_x: Scalar,
    t_x_blinding: Scalar,
    e_blinding: Scalar,
    rounds: Vec<(CompressedRistretto, CompressedRistretto)>,
    final_a: Scalar,
    final_b: Scalar,
}

impl RangeProof {
    /// Reads a proof of that shape; `None` if the length is another or a scalar is not canonical.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], shape: Shape) -> Option<Self> {
        if bytes.len() != shape.proof_bytes() {
            return None;
        }
        let mut words = bytes.chunks_exact(32).filter_map(|word| <[u8; 32]>::try_from(word).ok());
        let (a, s) = (point(&mut words)?, point(&mut words)?);
        let (t1, t2) = (point(&mut words)?, point(&mut words)?);
        let (t_x, t_x_blinding, e_blinding) = (scalar(&mut words)?, scalar(&mut words)?, scalar(&mut words)?);
        let rounds = (0..shape.rounds())
            .map(|_| Some((point(&mut words)?, point(&mut words)?)))
            .collect::<Option<_>>()?;
        let (final_a, final_b) = (scalar(&mut words)?, scalar(&mut words)?);
        Some(Self { a, s, t1, t2, t_x, t_x_blinding, e_blinding, rounds, final_a, final_b })
    }

    /// Adds the proof's two equations under these weights: all but the terms of the commitments `V_j`, whose
    /// scalars are returned in order. `None` if a point is no canonical encoding or the identity.
    ///
    /// `transcript` absorbed the statement; `weights` must depend on the whole proof.
    #[must_use]
    pub fn add_to(
        &self,
        combination: &mut Combination,
        generators: &Generators,
        shape: Shape,
        transcript: &mut Transcript,
        commitments: &[CompressedRistretto],
        [of_inner_product, of_polynomial]: [Scalar; 2],
    ) -> Option<Vec<Scalar>> {
        if commitments.len() != shape.statements || self.rounds.len() != shape.rounds() {
            return None;
        }
        let places = generators.places(shape)?;
        let Challenges { y, z, x, w, squares, product } = self.challenges(shape, transcript, commitments)?;
        let (zz, (wi, wp)) = (z * z, (of_inner_product, of_polynomial));

        // P = A + x·S − z·ΣG + Σ(z·y^k + z^(2+j)·2^i)·H' − e·B̃ with H'_k = y^-k·H_k, and
        // P + w·t(x)·B + Σ(u²·L + u⁻²·R) = a·Σ s_k·G_k + b·Σ s_k⁻¹·H'_k + w·a·b·B.
        // All of it is taken y^(n-1)·Πu² times, which is not zero: then nothing need be inverted.
        let y_powers: Vec<Scalar> = powers(Scalar::ONE, y).take(shape.bits()).collect();
        let (others, all_squares) = products_of_others(&squares);
        let wi_y = wi * y_powers.last()?;
        let (wi_squares, wi_all) = (wi * all_squares, wi_y * all_squares);
        combination.encoded(&self.a, wi_all)?;
        combination.encoded(&self.s, wi_all * x)?;
        for ((l, r), (square, others)) in self.rounds.iter().zip(squares.iter().zip(&others)) {
            combination.encoded(l, wi_all * square)?;
            combination.encoded(r, wi_y * others)?;
        }
        // a·s_k for G_k, and b·s_k⁻¹·y^-k for H_k. With all else of H_k the latter is taken y^(n-1) times: y^(2^i) comes with
        // the round of bit i.
        let from_lowest_bit = || squares.iter().rev();
        let y_squares = core::iter::successors(Some(y), |power| Some(power * power));
        let of_g = folded(wi_y * self.final_a * product, from_lowest_bit().copied());
        let of_h = folded(wi * self.final_b * product, from_lowest_bit().zip(y_squares).map(|(u, y)| u * y));
        let wi_z = wi_all * z;
        let mut z_power = wi_squares * zz;
        let mut bits = of_g.iter().zip(of_h.iter().rev()).zip(y_powers.iter().rev()).zip(places);
        for _ in 0..shape.statements {
            let mut z_power_times_two = z_power;
            for (((a, b), y_power), place) in bits.by_ref().take(usize::from(shape.width)) {
                combination.vectors(place, -(wi_z + a), wi_z + y_power * z_power_times_two - b);
                z_power_times_two += z_power_times_two;
            }
            z_power *= z;
        }

        // t(x)·B + τ·B̃ = Σ z^(2+j)·V_j + δ(y, z)·B + x·T₁ + x²·T₂.
        combination.encoded(&self.t1, wp * x)?;
        combination.encoded(&self.t2, wp * x * x)?;
        combination.blinding(-wi_all * self.e_blinding - wp * self.t_x_blinding);
        let inner = w * (self.t_x - self.final_a * self.final_b);
        combination.base(wi_all * inner + wp * (delta(shape, y, z) - self.t_x));
        let first = wp * zz;
        Some(powers(first, z).take(shape.statements).collect())
    }

    /// Replays the prover's side of the transcript.
    fn challenges(
        &self,
        shape: Shape,
        transcript: &mut Transcript,
        commitments: &[CompressedRistretto],
    ) -> Option<Challenges> {
        transcript.start_range_proof(shape);
        commitments.iter().for_each(|commitment| transcript.point(b"V", commitment));
        transcript.point_not_identity(b"A", &self.a)?;
        transcript.point_not_identity(b"S", &self.s)?;
        let (y, z) = (transcript.challenge(b"y"), transcript.challenge(b"z"));
        transcript.point_not_identity(b"T_1", &self.t1)?;
        transcript.point_not_identity(b"T_2", &self.t2)?;
        let x = transcript.challenge(b"x");
        transcript.scalar(b"t_x", &self.t_x);
        transcript.scalar(b"t_x_blinding", &self.t_x_blinding);
        transcript.scalar(b"e_blinding", &self.e_blinding);
        let w = transcript.challenge(b"w");
        transcript.start_inner_product(shape);
        let (mut squares, mut product) = (Vec::with_capacity(self.rounds.len()), Scalar::ONE);
        for (l, r) in &self.rounds {
            transcript.point_not_identity(b"L", l)?;
            transcript.point_not_identity(b"R", r)?;
            let u = transcript.challenge(b"u");
            squares.push(u * u);
            product *= u;
        }
        // Never in practice; what is multiplied by it would always hold.
        if y == Scalar::ZERO || product == Scalar::ZERO {
            return None;
        }
        Some(Challenges { y, z, x, w, squares, product })
    }
}

struct Challenges {
    y: Scalar,
    z: Scalar,
    x: Scalar,
    w: Scalar,
    /// u² of every round, the first first.
    squares: Vec<Scalar>,
    /// Π u.
    product: Scalar,
}

/// first·Π f_i over the bits i of k that are set, for each k; the factors come from the lowest bit on, which is the last
/// round's. With first = Π u and f_i = u_i² it is Πu²·s_k, where s_k = Π u_i^±1.
fn folded(first: Scalar, factors: impl Iterator<Item = Scalar>) -> Vec<Scalar> {
    let mut all = Vec::from([first]);
    for factor in factors {
        let upper: Vec<Scalar> = all.iter().map(|lower| lower * factor).collect();
        all.extend(upper);
    }
    all
}

/// For each factor the product of the others, and the product of all.
fn products_of_others(factors: &[Scalar]) -> (Vec<Scalar>, Scalar) {
    let mut others = Vec::with_capacity(factors.len());
    let mut before = Scalar::ONE;
    for factor in factors {
        others.push(before);
        before *= factor;
    }
    let mut behind = Scalar::ONE;
    for (others, factor) in others.iter_mut().zip(factors).rev() {
        *others *= behind;
        behind *= factor;
    }
    (others, before)
}

/// first, first·base, first·base², …
fn powers(first: Scalar, base: Scalar) -> impl Iterator<Item = Scalar> {
    core::iter::successors(Some(first), move |power| Some(power * base))
}

/// 1 + base + base² + … of `count` terms, a power of two: Π (1 + base^(2^i)).
fn sum_of_powers(base: Scalar, count: usize) -> Scalar {
    let doublings = count.checked_ilog2().unwrap_or(0);
    let (sum, _) = (0..doublings)
        .fold((Scalar::ONE, base), |(sum, power), _| (sum * (Scalar::ONE + power), power * power));
    sum
}

/// δ(y, z) = (z − z²)·Σ y^k − Σ_j z^(3+j)·Σ 2^i.
fn delta(shape: Shape, y: Scalar, z: Scalar) -> Scalar {
    let of_y = sum_of_powers(y, shape.bits());
    let of_two = sum_of_powers(Scalar::from(2u8), usize::from(shape.width));
    let of_z = sum_of_powers(z, shape.statements);
    (z - z * z) * of_y - z * z * z * of_two * of_z
}

fn point(words: &mut impl Iterator<Item = [u8; 32]>) -> Option<CompressedRistretto> {
    words.next().map(CompressedRistretto)
}

fn scalar(words: &mut impl Iterator<Item = [u8; 32]>) -> Option<Scalar> {
    words.next().and_then(|word| Scalar::from_canonical_bytes(word).into())
}
