//! All that is random in a ballot (spec 5.1), as numbers that can be given again.

use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, Error, RngCore};

use crate::ballot::Layout;

/// The random scalars of one ballot.
#[derive(PartialEq)]
pub(super) struct Tape {
    /// Of the commitments to options.
    pub(super) blindings: Vec<Scalar>,
    /// (a, b) of the sharing polynomials, per option, from X¹ on.
    pub(super) coefficients: Vec<Vec<(Scalar, Scalar)>>,
    /// Of the commitments to slack bits.
    pub(super) slack: Vec<Scalar>,
    /// α.
    pub(super) a_blinding: Scalar,
    /// ρ.
    pub(super) s_blinding: Scalar,
    /// s_L.
    pub(super) masks_l: Vec<Scalar>,
    /// s_R.
    pub(super) masks_r: Vec<Scalar>,
    /// τ_1.
    pub(super) t1_blinding: Scalar,
    /// τ_2.
    pub(super) t2_blinding: Scalar,
}

impl Tape {
    pub(super) fn random(layout: &Layout, threshold: u8, rng: &mut ChaCha20Rng) -> Self {
        let mut scalars = |count: usize| (0..count).map(|_| Scalar::random(rng)).collect::<Vec<_>>();
        let blindings = scalars(layout.options);
        let degree = usize::from(threshold) - 1;
        let polynomial = |_| scalars(degree).into_iter().zip(scalars(degree)).collect();
        let coefficients = (0..layout.options).map(polynomial).collect();
        let (slack, masks_l, masks_r) =
            (scalars(layout.slack), scalars(layout.shape.bits()), scalars(layout.shape.bits()));
        let [a_blinding, s_blinding, t1_blinding, t2_blinding] = scalars(4).try_into().unwrap();
        Self {
            blindings,
            coefficients,
            slack,
            a_blinding,
            s_blinding,
            masks_l,
            masks_r,
            t1_blinding,
            t2_blinding,
        }
    }

    /// Gives these scalars in the order in which they are drawn.
    pub(super) fn replay(&self) -> Replay {
        let coefficients = self.coefficients.iter().flatten().flat_map(|(a, b)| [*a, *b]);
        let scalars = self.blindings.iter().copied().chain(coefficients).chain(self.slack.iter().copied());
        let scalars = scalars.chain([self.a_blinding, self.s_blinding]);
        let scalars = scalars.chain(self.masks_l.iter().chain(&self.masks_r).copied());
        let scalars: Vec<Scalar> = scalars.chain([self.t1_blinding, self.t2_blinding]).collect();
        Replay(scalars.into_iter())
    }
}

/// Scalars of a tape, given out as the 64 bytes that are reduced to them.
pub(super) struct Replay(std::vec::IntoIter<Scalar>);

impl Replay {
    pub(super) fn is_used_up(&self) -> bool {
        self.0.len() == 0
    }
}

impl RngCore for Replay {
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        assert_eq!(dest.len(), 64, "a ballot draws nothing but scalars");
        let scalar = self.0.next().expect("a ballot draws no more than its tape has");
        dest[..32].copy_from_slice(scalar.as_bytes());
        dest[32..].fill(0);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(dest);
        Ok(())
    }

    fn next_u32(&mut self) -> u32 {
        panic!("a ballot draws nothing but scalars")
    }

    fn next_u64(&mut self) -> u64 {
        panic!("a ballot draws nothing but scalars")
    }
}

impl CryptoRng for Replay {}
