//! Proving ranges (spec 6.2.2). Constant time in values and blindings, up to l(x) and r(x): these are
//! as good as public, since the masks make them independent of the values (Theorem 3 of the paper).

use alloc::vec::Vec;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{MultiscalarMul, VartimeMultiscalarMul},
};
use merlin::Transcript;
use rand_core::{CryptoRng, RngCore};
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroizing;

use super::{Generators, Shape};
use crate::{
    group::{commit, pedersen},
    transcript::ProofTranscript,
};

/// Proves that the openings (value, blinding) of `commitments` are in range. `transcript` absorbed
/// the statement.
///
/// A value out of range gives a proof that does not verify; so do blindings of other commitments: check
/// the vote before and verify what comes out. `None` if the lengths are not the shape's or the generators
/// don't serve it.
pub fn prove(
    generators: &Generators,
    shape: Shape,
    transcript: &mut Transcript,
    commitments: &[CompressedRistretto],
    openings: &[(u64, Scalar)],
    rng: &mut (impl RngCore + CryptoRng),
) -> Option<Vec<u8>> {
    if commitments.len() != shape.statements || openings.len() != shape.statements {
        return None;
    }
    let (g, h) = vectors(generators, shape)?;
    let mut out = Proof(Vec::with_capacity(shape.proof_bytes()));
    transcript.start_range_proof(shape);
    commitments.iter().for_each(|commitment| transcript.point(b"V", commitment));

    // A commits to the bits, S to their masks.
    let bits = bits(shape, openings);
    let a_blinding = Zeroizing::new(Scalar::random(rng));
    let s_blinding = Zeroizing::new(Scalar::random(rng));
    let masks_l = random_scalars(shape.bits(), rng);
    let masks_r = random_scalars(shape.bits(), rng);
    let bases = pedersen();
    let a = g.iter().zip(&h).zip(bits.iter()).fold(bases.B_blinding * *a_blinding, |sum, ((g, h), bit)| {
        sum + RistrettoPoint::conditional_select(&-h, g, Choice::from(*bit))
    });
    let s = RistrettoPoint::multiscalar_mul(
        core::iter::once(&*s_blinding).chain(masks_l.iter()).chain(masks_r.iter()),
        core::iter::once(&bases.B_blinding).chain(&g).chain(&h),
    );
    out.point(transcript, b"A", &a);
    out.point(transcript, b"S", &s);
    let (y, z) = (transcript.challenge(b"y"), transcript.challenge(b"z"));

    // t(X) = <l(X), r(X)>, with l and r linear in X.
    let polynomials = Polynomials::new(shape, &bits, masks_l, masks_r, y, z);
    let (t1, t2) = polynomials.product();
    let t1_blinding = Zeroizing::new(Scalar::random(rng));
    let t2_blinding = Zeroizing::new(Scalar::random(rng));
    out.point(transcript, b"T_1", &commit(*t1, *t1_blinding));
    out.point(transcript, b"T_2", &commit(*t2, *t2_blinding));
    let x = transcript.challenge(b"x");

    let (l, r) = polynomials.at(x);
    let of_commitments: Scalar =
        openings.iter().zip(powers(z)).map(|((_, blinding), power)| z * z * power * blinding).sum();
    let t_x_blinding = of_commitments + x * *t1_blinding + x * x * *t2_blinding;
    out.scalar(transcript, b"t_x", &inner_product(&l, &r));
    out.scalar(transcript, b"t_x_blinding", &t_x_blinding);
    out.scalar(transcript, b"e_blinding", &(*a_blinding + x * *s_blinding));
    let w = transcript.challenge(b"w");

    transcript.start_inner_product(shape);
    let h = h.iter().zip(powers(y.invert())).map(|(h, power)| h * power).collect();
    Argument { g, h, l, r, q: bases.B * w }.run(transcript, &mut out);
    Some(out.0)
}

/// The vector generators of a shape, in order.
fn vectors(generators: &Generators, shape: Shape) -> Option<(Vec<RistrettoPoint>, Vec<RistrettoPoint>)> {
    generators
        .places(shape)?
        .into_iter()
        .map(|place| generators.g().get(place).copied().zip(generators.h().get(place).copied()))
        .collect()
}

/// The proof's bytes, which the transcript absorbs as they are written.
struct Proof(Vec<u8>);

impl Proof {
    fn point(&mut self, transcript: &mut Transcript, label: &'static [u8], point: &RistrettoPoint) {
        let point = point.compress();
        transcript.point(label, &point);
        self.0.extend(point.to_bytes());
    }

    fn scalar(&mut self, transcript: &mut Transcript, label: &'static [u8], scalar: &Scalar) {
        transcript.scalar(label, scalar);
        self.0.extend(scalar.to_bytes());
    }
}

/// The bits of all values, lowest first, one per byte.
fn bits(shape: Shape, openings: &[(u64, Scalar)]) -> Zeroizing<Vec<u8>> {
    let of = |(value, _): &(u64, Scalar)| {
        let value = *value;
        (0..u32::from(shape.width)).map(move |bit| (value.checked_shr(bit).unwrap_or(0) & 1) as u8)
    };
    Zeroizing::new(openings.iter().flat_map(of).collect())
}

type Secrets = Zeroizing<Vec<Scalar>>;

fn random_scalars(count: usize, rng: &mut (impl RngCore + CryptoRng)) -> Secrets {
    let mut out = Zeroizing::new(Vec::with_capacity(count));
    (0..count).for_each(|_| out.push(Scalar::random(rng)));
    out
}

/// 1, base, base², …
fn powers(base: Scalar) -> impl Iterator<Item = Scalar> {
    core::iter::successors(Some(Scalar::ONE), move |power| Some(power * base))
}

fn inner_product(left: &[Scalar], right: &[Scalar]) -> Scalar {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// l(X) = l0 + l1·X and r(X) = r0 + r1·X.
struct Polynomials {
    l0: Secrets,
    l1: Secrets,
    r0: Secrets,
    r1: Secrets,
}

impl Polynomials {
    fn new(shape: Shape, bits: &[u8], masks_l: Secrets, masks_r: Secrets, y: Scalar, z: Scalar) -> Self {
        let width = usize::from(shape.width);
        let empty = || Zeroizing::new(Vec::with_capacity(shape.bits()));
        let mut out = Self { l0: empty(), l1: masks_l, r0: empty(), r1: masks_r };
        let mut y_powers = powers(y);
        let mut y_power = Scalar::ONE;
        let mut z_power = z * z;
        for (statement, r1) in bits.chunks(width.max(1)).zip(out.r1.chunks_mut(width.max(1))) {
            let mut two = z_power;
            for (bit, r1) in statement.iter().zip(r1) {
                y_power = y_powers.next().unwrap_or(y_power);
                let bit = Scalar::from(*bit);
                out.l0.push(bit - z);
                out.r0.push(y_power * (bit - Scalar::ONE + z) + two);
                *r1 *= y_power;
                two += two;
            }
            z_power *= z;
        }
        out
    }

    /// The coefficients of X and X² in <l(X), r(X)>.
    fn product(&self) -> (Zeroizing<Scalar>, Zeroizing<Scalar>) {
        let t1 = inner_product(&self.l0, &self.r1) + inner_product(&self.l1, &self.r0);
        (Zeroizing::new(t1), Zeroizing::new(inner_product(&self.l1, &self.r1)))
    }

    /// l(x) and r(x), which the proof may show in full.
    fn at(&self, x: Scalar) -> (Vec<Scalar>, Vec<Scalar>) {
        let at = |zeroth: &[Scalar], first: &[Scalar]| {
            zeroth.iter().zip(first).map(|(zeroth, first)| zeroth + x * first).collect()
        };
        (at(&self.l0, &self.l1), at(&self.r0, &self.r1))
    }
}

/// The inner-product argument: the prover knows l, r with `P = Σ l·G + Σ r·H + <l, r>·Q`. Variable time.
struct Argument {
    g: Vec<RistrettoPoint>,
    h: Vec<RistrettoPoint>,
    l: Vec<Scalar>,
    r: Vec<Scalar>,
    q: RistrettoPoint,
}

impl Argument {
    fn run(mut self, transcript: &mut Transcript, out: &mut Proof) {
        while self.l.len() > 1 {
            let half = self.l.len() / 2;
            let (l_low, l_high) = self.l.split_at(half);
            let (r_low, r_high) = self.r.split_at(half);
            let (g_low, g_high) = self.g.split_at(half);
            let (h_low, h_high) = self.h.split_at(half);
            let cross = |l: &[Scalar], r: &[Scalar], g: &[RistrettoPoint], h: &[RistrettoPoint]| {
                let product = inner_product(l, r);
                RistrettoPoint::vartime_multiscalar_mul(
                    l.iter().chain(r).chain([&product]),
                    g.iter().chain(h).chain([&self.q]),
                )
            };
            out.point(transcript, b"L", &cross(l_low, r_high, g_high, h_low));
            out.point(transcript, b"R", &cross(l_high, r_low, g_low, h_high));
            let u = transcript.challenge(b"u");
            let inverse = u.invert();
            self = Self {
                l: fold(l_low, l_high, u, inverse),
                r: fold(r_low, r_high, inverse, u),
                g: fold_points(g_low, g_high, inverse, u),
                h: fold_points(h_low, h_high, u, inverse),
                q: self.q,
            };
        }
        self.l.iter().chain(&self.r).for_each(|scalar| out.0.extend(scalar.to_bytes()));
    }
}

fn fold(low: &[Scalar], high: &[Scalar], of_low: Scalar, of_high: Scalar) -> Vec<Scalar> {
    low.iter().zip(high).map(|(low, high)| low * of_low + high * of_high).collect()
}

fn fold_points(
    low: &[RistrettoPoint],
    high: &[RistrettoPoint],
    of_low: Scalar,
    of_high: Scalar,
) -> Vec<RistrettoPoint> {
    low.iter()
        .zip(high)
        .map(|(low, high)| RistrettoPoint::vartime_multiscalar_mul([of_low, of_high], [low, high]))
        .collect()
}
