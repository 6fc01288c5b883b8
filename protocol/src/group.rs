//! The group (spec 2): Ristretto255, its two bases, and canonical encodings.
//!
//! `B` is the Ristretto basepoint, `B̃` the blinding base of the `bulletproofs` crate, a hash to the
//! group, so that nobody knows its discrete logarithm to base `B`.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{Identity, IsIdentity},
};
use scale_info::TypeInfo;

use crate::ids::id32;
use core::fmt;

/// Bytes that are not the one canonical encoding of what they should be (spec 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not a canonical Ristretto255 encoding.
    #[error("not a canonical point")]
    Point,
    /// The identity, where it would make a statement trivial.
    #[error("the identity where it is not allowed")]
    Identity,
    /// Not a scalar below the group order.
    #[error("not a canonical scalar")]
    Scalar,
}

id32!(
    /// A point as 32 bytes, not yet checked; [`Point::decompress`] checks.
    Point
);

impl Point {
    /// The encoding of a group element.
    #[must_use]
    pub fn of(point: &RistrettoPoint) -> Self {
        Self(point.compress().to_bytes())
    }

    /// The group element, if the bytes are its canonical encoding and it is not the identity.
    ///
    /// # Errors
    /// [`EncodingError::Point`] or [`EncodingError::Identity`].
    pub fn decompress(&self) -> Result<RistrettoPoint, EncodingError> {
        let point = CompressedRistretto(self.0).decompress().ok_or(EncodingError::Point)?;
        if point.is_identity() {
            return Err(EncodingError::Identity);
        }
        Ok(point)
    }
}

/// A public scalar as 32 little-endian bytes, not yet checked; [`ScalarBytes::scalar`] checks.
///
/// Shares and openings of a sum travel in it. It prints nothing, because some of them are secret.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ScalarBytes(pub [u8; 32]);

impl fmt::Debug for ScalarBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScalarBytes(..)")
    }
}

impl ScalarBytes {
    /// The encoding of a scalar.
    #[must_use]
    pub fn of(scalar: &Scalar) -> Self {
        Self(scalar.to_bytes())
    }

    /// The scalar, if the bytes are its canonical encoding.
    ///
    /// # Errors
    /// [`EncodingError::Scalar`].
    pub fn scalar(&self) -> Result<Scalar, EncodingError> {
        Option::from(Scalar::from_canonical_bytes(self.0)).ok_or(EncodingError::Scalar)
    }

    /// The scalar as a small number, if it is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let (low, high) = self.0.split_first_chunk::<8>()?;
        high.iter().all(|byte| *byte == 0).then(|| u64::from_le_bytes(*low))
    }
}

/// The two bases of every Pedersen commitment, `v·B + r·B̃`.
#[must_use]
pub fn pedersen() -> bulletproofs::PedersenGens {
    let bases = bulletproofs::PedersenGens::default();
    #[cfg(test)]
    let bases = trapdoor::in_place_of(bases);
    bases
}

/// The commitment `value·B + blinding·B̃`; constant time in both.
#[must_use]
pub fn commit(value: Scalar, blinding: Scalar) -> RistrettoPoint {
    pedersen().commit(value, blinding)
}

/// weight·point by double-and-add over the weight's own bits; most weights are 1.
pub(crate) fn multiply_vartime(weight: u64, point: &RistrettoPoint) -> RistrettoPoint {
    let Some(highest) = weight.checked_ilog2() else { return RistrettoPoint::identity() };
    (0..highest).rev().fold(*point, |sum, bit| {
        let doubled = sum + sum;
        if weight.checked_shr(bit).unwrap_or(0) & 1 == 1 {
            doubled + point
        } else {
            doubled
        }
    })
}

/// Another B̃ for this crate's own tests: one whose logarithm to base B the test knows, as nobody knows that of the
/// real one. `ballot/hiding/` says what for.
#[cfg(test)]
pub(crate) mod trapdoor {
    use super::*;
    use core::cell::Cell;

    std::thread_local! {
        static LOGARITHM: Cell<Option<Scalar>> = const { Cell::new(None) };
    }

    pub(super) fn in_place_of(real: bulletproofs::PedersenGens) -> bulletproofs::PedersenGens {
        LOGARITHM.get().map_or(real, |log| bulletproofs::PedersenGens { B_blinding: real.B * log, ..real })
    }

    /// While it lives, B̃ is log·B on this thread.
    pub(crate) struct Trapdoor(pub(crate) Scalar);

    impl Trapdoor {
        pub(crate) fn open(log: Scalar) -> Self {
            LOGARITHM.set(Some(log));
            Self(log)
        }
    }

    impl Drop for Trapdoor {
        fn drop(&mut self) {
            LOGARITHM.set(None);
        }
    }
}
