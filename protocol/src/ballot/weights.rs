//! The weights under which the equations of ballots are added (spec 6.4.10).

use core::array;
use curve25519_dalek::scalar::Scalar;
use rand_core::RngCore;

use crate::transcript::{self, Expander};

/// Weights with one request: Merlin gives their 160 bytes without hashing again.
const REQUEST: usize = 10;

/// Weights, in their order.
pub(super) struct Weights {
    coins: Expander,
    requested: array::IntoIter<[u8; 16], REQUEST>,
}

impl Weights {
    /// The weights that these bytes fix: all that the equations depend on.
    pub fn of<'a>(bytes: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut coins = transcript::verifier_randomness(bytes);
        let requested = request(&mut coins);
        Self { coins, requested }
    }

    /// The next one: of 128 bits, not zero.
    pub fn next(&mut self) -> Scalar {
        loop {
            if let Some(bytes) = self.requested.next() {
                return Scalar::from(u128::from_le_bytes(bytes) | 1);
            }
            self.requested = request(&mut self.coins);
        }
    }
}

fn request(coins: &mut Expander) -> array::IntoIter<[u8; 16], REQUEST> {
    let mut bytes = [[0; 16]; REQUEST];
    coins.fill_bytes(bytes.as_flattened_mut());
    bytes.into_iter()
}
