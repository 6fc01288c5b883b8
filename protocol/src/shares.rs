//! Verifiable secret shares of a ballot's openings (spec 5.2 and 5.6).
//!
//! **Sharing.** T. P. Pedersen, *Non-Interactive and Information-Theoretic Secure Verifiable
//! Secret Sharing* (CRYPTO 1991). Per committed option j, polynomials f_j and g_j of degree t − 1 with
//! f_j(0) = v_j and g_j(0) = r_j; trustee i's share is (f_j(i), g_j(i)). With coefficients a, b the
//! dealer commits to `D_{j,m} = a_{j,m}·B + b_{j,m}·B̃` for m = 1 … t−1; the ballot's C_j is D_{j,0}.
//!
//! **Check.** `f_j(i)·B + g_j(i)·B̃ = C_j + Σ_m i^m·D_{j,m}` for all j, as one multi-scalar product
//! under the trustee's own fresh random weights of 128 bits.
//!
//! Fewer than t shares are independent of the votes. Dealing is constant time in the votes.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeAll, Encode};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    bounds::MAX_DEALING,
    combination::Combination,
    group::{commit, EncodingError, Point, ScalarBytes},
    ids::Digest,
    range_proof::Generators,
    transcript,
};

/// The commitments to a ballot's sharing polynomials: `D_{j,m}`, option by option, m from 1.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Dealing(pub BoundedVec<Point, ConstU32<MAX_DEALING>>);

impl Dealing {
    /// The digest δ that the ballot carries.
    #[must_use]
    pub fn digest(&self) -> Digest {
        transcript::dealing(&self.encode())
    }

    pub(crate) fn points(&self) -> Result<Vec<RistrettoPoint>, EncodingError> {
        self.0.iter().map(Point::decompress).collect()
    }
}

/// One trustee's share of a ballot: (f_j(i), g_j(i)) per committed option. Secret.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Share(Vec<(Scalar, Scalar)>);

/// Why a share is not the trustee's share of that ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Not the canonical encoding of as many scalars as the ballot has commitments.
    #[error("5.6.1: the share is not canonical scalars, one pair per commitment")]
    Encoding,
    /// The dealing is not the one whose digest the ballot carries.
    #[error("5.6.2: the dealing is not the one that the ballot names")]
    Dealing,
    /// A point of the dealing is not canonical or the identity.
    #[error("5.6.3: dealing: {0}")]
    Point(#[from] EncodingError),
    /// The equation fails.
    #[error("5.6.4: the share does not fit the ballot's commitments")]
    Equation,
}

impl Share {
    /// The share of these pairs.
    #[cfg(feature = "client")]
    pub(crate) fn of(pairs: Vec<(Scalar, Scalar)>) -> Self {
        Self(pairs)
    }

    /// The bytes to be sealed: per committed option f then g, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let pairs: Vec<(ScalarBytes, ScalarBytes)> =
            self.0.iter().map(|(f, g)| (ScalarBytes::of(f), ScalarBytes::of(g))).collect();
        Zeroizing::new(pairs.iter().flat_map(|(f, g)| f.0.into_iter().chain(g.0)).collect())
    }

    /// Reads a share of `options` committed options.
    ///
    /// # Errors
    /// [`ShareError::Encoding`].
    pub fn from_bytes(bytes: &[u8], options: usize) -> Result<Self, ShareError> {
        if bytes.len() != options.saturating_mul(64) {
            return Err(ShareError::Encoding);
        }
        let scalar = |mut half: &[u8]| {
            let bytes = ScalarBytes::decode_all(&mut half).map_err(|_| ShareError::Encoding)?;
            bytes.scalar().map_err(|_| ShareError::Encoding)
        };
        bytes
            .chunks_exact(64)
            .map(|pair| {
                let (f, g) = pair.split_at(32);
                Ok((scalar(f)?, scalar(g)?))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }

    /// The pairs, for the trustee's sums.
    #[must_use]
    pub fn pairs(&self) -> &[(Scalar, Scalar)] {
        &self.0
    }

    /// Checks that this is trustee `index`'s share of the ballot with these commitments.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        index: u8,
        threshold: u8,
        commitments: &[RistrettoPoint],
        digest: &Digest,
        dealing: &Dealing,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), ShareError> {
        let share = Dealt { share: self, commitments, digest, dealing };
        let equations = share.equations(index, threshold, rng)?;
        equations.holds(&Generators::none()).then_some(()).ok_or(ShareError::Equation)
    }
}

/// A share with what it is checked against.
#[derive(Clone, Copy)]
pub struct Dealt<'a> {
    /// The share.
    pub share: &'a Share,
    /// The ballot's commitments to options.
    pub commitments: &'a [RistrettoPoint],
    /// The digest that the ballot carries.
    pub digest: &'a Digest,
    /// The dealing that came with it.
    pub dealing: &'a Dealing,
}

impl Dealt<'_> {
    /// The equations of all options under fresh random weights.
    fn equations(
        &self,
        index: u8,
        threshold: u8,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Combination, ShareError> {
        let Self { share, commitments, digest, dealing } = self;
        let degree = usize::from(threshold).saturating_sub(1);
        if share.0.len() != commitments.len() {
            return Err(ShareError::Encoding);
        }
        if dealing.0.len() != commitments.len().saturating_mul(degree) || dealing.digest() != **digest {
            return Err(ShareError::Dealing);
        }
        let dealt = dealing.points()?;
        let mut dealt = dealt.iter();
        let x = Scalar::from(index);
        let mut out = Combination::default();
        for ((f, g), commitment) in share.0.iter().zip(*commitments) {
            let weight = random_weight(rng);
            out.base(weight * f);
            out.blinding(weight * g);
            out.point(*commitment, -weight);
            let mut power = weight;
            for point in dealt.by_ref().take(degree) {
                power *= x;
                out.point(*point, -power);
            }
        }
        Ok(out)
    }
}

/// Checks shares of trustee `index` of ballots of one election together; the verdicts are those of
/// [`Share::verify`], in order.
#[must_use]
pub fn verify_all(
    shares: &[Dealt<'_>],
    index: u8,
    threshold: u8,
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<(), ShareError>> {
    let none = Generators::none();
    let equations: Vec<_> = shares.iter().map(|share| share.equations(index, threshold, rng)).collect();
    let all_hold = Combination::hold_together(equations.iter().flatten(), &none);
    let alone = |equations: Combination| {
        (all_hold || equations.holds(&none)).then_some(()).ok_or(ShareError::Equation)
    };
    equations.into_iter().map(|equations| equations.and_then(alone)).collect()
}

/// The Lagrange coefficients by which values at different places, none zero, give the value at `at`.
pub(crate) fn lagrange(places: &[u8], at: u8) -> Vec<Scalar> {
    let at = Scalar::from(at);
    places
        .iter()
        .map(|i| {
            let (numerator, denominator) = places.iter().filter(|j| *j != i).fold(
                (Scalar::ONE, Scalar::ONE),
                |(numerator, denominator), j| {
                    let j = Scalar::from(*j);
                    (numerator * (j - at), denominator * (j - Scalar::from(*i)))
                },
            );
            numerator * denominator.invert()
        })
        .collect()
}

/// A random weight of 128 bits, not zero.
fn random_weight(rng: &mut (impl RngCore + CryptoRng)) -> Scalar {
    let mut bytes = [0u8; 16];
    rng.fill_bytes(&mut bytes);
    Scalar::from(u128::from_le_bytes(bytes) | 1)
}

/// Shares values and blindings among trustees 1 to n, any t of whom can rebuild them.
pub(crate) fn deal(
    values: &[Scalar],
    blindings: &[Scalar],
    threshold: u8,
    trustees: u8,
    rng: &mut (impl RngCore + CryptoRng),
) -> (Dealing, Vec<Share>) {
    let degree = usize::from(threshold).saturating_sub(1);
    let mut points = Vec::new();
    let mut shares: Vec<Share> = (0..trustees).map(|_| Share(Vec::with_capacity(values.len()))).collect();
    for (value, blinding) in values.iter().zip(blindings) {
        let mut coefficients = Zeroizing::new(Vec::with_capacity(degree));
        for _ in 0..degree {
            coefficients.push((Scalar::random(rng), Scalar::random(rng)));
        }
        points.extend(coefficients.iter().map(|(a, b)| Point::of(&commit(*a, *b))));
        for (index, share) in (1u8..).zip(shares.iter_mut()) {
            let x = Scalar::from(index);
            // Horner, from the highest coefficient down to the secret.
            let (f, g) = coefficients
                .iter()
                .rev()
                .fold((Scalar::ZERO, Scalar::ZERO), |(f, g), (a, b)| ((f + a) * x, (g + b) * x));
            share.0.push((f + value, g + blinding));
        }
    }
    (Dealing(BoundedVec::truncate_from(points)), shares)
}
