//! Linear combinations of equations between points, checked as one multi-scalar multiplication.
//!
//! Every check of a ballot that costs time says that a sum `Σ s·P` is the identity. Sums under weights
//! that nobody could know before the equations were fixed are zero together only if each is
//! (Bellare, Garay, Rabin, *Fast Batch Verification for Modular Exponentiation and Digital Signatures*,
//! EUROCRYPT 1998), up to 2^-128; and one large multiplication costs far less than many small ones.

use alloc::{collections::BTreeMap, vec::Vec};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};

use crate::{group::pedersen, keys::PublicKey, range_proof::Generators};

/// A sum `Σ s·P` that should be the identity. Variable time: everything in it is public.
#[derive(Clone, Default)]
pub struct Combination {
    /// Of B, the base of values.
    base: Scalar,
    /// Of B̃, the base of blindings.
    blinding: Scalar,
    /// Of the vector generators, by their place in the table; as long as the farthest that is used.
    g: Vec<Scalar>,
    h: Vec<Scalar>,
    /// Of keys that many equations share.
    keys: BTreeMap<PublicKey, Scalar>,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl Combination {
    /// Adds `scalar·B`.
    pub fn base(&mut self, scalar: Scalar) {
        self.base += scalar;
    }

    /// Adds `scalar·B̃`.
    pub fn blinding(&mut self, scalar: Scalar) {
        self.blinding += scalar;
    }

    /// Adds `g·G + h·H` for the vector generators in that place of the table.
    pub fn vectors(&mut self, place: usize, g: Scalar, h: Scalar) {
        add_at(&mut self.g, place, g);
        add_at(&mut self.h, place, h);
    }

    /// Adds `scalar·key` for a key that other equations may have too.
    pub fn key(&mut self, key: &PublicKey, scalar: Scalar) {
        *self.keys.entry(*key).or_default() += scalar;
    }

    /// Adds `scalar·point`.
    pub fn point(&mut self, point: RistrettoPoint, scalar: Scalar) {
        self.points.push(point);
        self.scalars.push(scalar);
    }

    /// Adds `scalar·point`; `None` if the bytes are no canonical encoding of a point.
    #[must_use]
    pub fn encoded(&mut self, point: &CompressedRistretto, scalar: Scalar) -> Option<()> {
        self.point(point.decompress()?, scalar);
        Some(())
    }

    /// Whether the sum is the identity. A key that is no point, or a place beyond the table, fails.
    #[must_use]
    pub fn holds(&self, generators: &Generators) -> bool {
        Self::hold_together(core::iter::once(self), generators)
    }

    /// Whether the sum of all these is the identity.
    #[must_use]
    pub fn hold_together<'a>(
        combinations: impl Iterator<Item = &'a Self> + Clone,
        generators: &Generators,
    ) -> bool {
        let mut shared = Self::default();
        combinations.clone().for_each(|combination| shared.add_shared(combination));
        let keys: Option<Vec<RistrettoPoint>> =
            shared.keys.keys().map(|key| CompressedRistretto(key.0).decompress()).collect();
        let (Some(keys), Some(g), Some(h)) =
            (keys, generators.g().get(..shared.g.len()), generators.h().get(..shared.h.len()))
        else {
            return false;
        };
        let bases = pedersen();
        let scalars = [&shared.base, &shared.blinding].into_iter();
        let scalars = scalars.chain(&shared.g).chain(&shared.h).chain(shared.keys.values());
        let scalars = scalars.chain(combinations.clone().flat_map(|combination| &combination.scalars));
        let points = [&bases.B, &bases.B_blinding].into_iter();
        let points = points.chain(g).chain(h).chain(&keys);
        let points = points.chain(combinations.flat_map(|combination| &combination.points));
        // The multiplication wants to know how many there are.
        let (scalars, points): (Vec<&Scalar>, Vec<&RistrettoPoint>) = (scalars.collect(), points.collect());
        RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity()
    }

    /// Adds what another combination has of points that all share.
    fn add_shared(&mut self, other: &Self) {
        self.base += other.base;
        self.blinding += other.blinding;
        add_all(&mut self.g, &other.g);
        add_all(&mut self.h, &other.h);
        other.keys.iter().for_each(|(key, scalar)| self.key(key, *scalar));
    }
}

fn add_at(scalars: &mut Vec<Scalar>, place: usize, scalar: Scalar) {
    if scalars.len() <= place {
        scalars.resize(place.saturating_add(1), Scalar::ZERO);
    }
    if let Some(sum) = scalars.get_mut(place) {
        *sum += scalar;
    }
}

fn add_all(sums: &mut Vec<Scalar>, scalars: &[Scalar]) {
    sums.resize(sums.len().max(scalars.len()), Scalar::ZERO);
    sums.iter_mut().zip(scalars).for_each(|(sum, scalar)| *sum += scalar);
}
