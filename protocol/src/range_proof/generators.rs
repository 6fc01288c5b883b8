//! The generators (spec 2.1): B, B̃ and, per statement j of a proof, G_{j,i} and H_{j,i} for its bit i.

use alloc::vec::Vec;
use curve25519_dalek::ristretto::RistrettoPoint;
use sha3::{
    digest::{ExtendableOutput, Update, XofReader},
    Shake256,
};

use super::Shape;
use crate::{bounds::MAX_RANGE_BITS, group::pedersen, ids::Digest, transcript};

/// The digest of the generators of this protocol version: what [`generators_digest`] gives, as a test
/// of this crate and the verifier both check.
pub const GENERATORS_DIGEST: Digest = Digest([
    0xf3, 0xb1, 0xa3, 0x14, 0x1c, 0xf1, 0xbb, 0x47, 0x11, 0x2b, 0x05, 0xc9, 0x08, 0xb6, 0x37, 0xc0, 0x33,
    0xcf, 0x0c, 0x80, 0x0c, 0x22, 0xf3, 0x3f, 0xde, 0xc0, 0x9e, 0xe7, 0x17, 0x9b, 0x10, 0xdc,
]);

/// Derives the generators anew and hashes them (spec 2.1): B, B̃, then statement by statement all
/// G_j and all H_j, as many as [`most_bits`] of that statement. Takes about a second of one core; on all cores where the
/// crate may use them.
#[must_use]
pub fn generators_digest() -> Digest {
    let encode = |point: RistrettoPoint| point.compress().to_bytes();
    let encodings = |statement: usize| -> Vec<[u8; 32]> {
        let statement = Statement::derive(statement, usize::from(most_bits(statement)));
        statement.g.into_iter().chain(statement.h).map(encode).collect()
    };
    let statements = 0..MAX_RANGE_BITS as usize;
    #[cfg(feature = "parallel")]
    let vectors: Vec<Vec<[u8; 32]>> = {
        use rayon::prelude::*;
        statements.into_par_iter().map(encodings).collect()
    };
    #[cfg(not(feature = "parallel"))]
    let vectors = statements.map(encodings);
    let bases = pedersen();
    let bases = [bases.B, bases.B_blinding].into_iter().map(encode);
    transcript::generators(bases.chain(vectors.into_iter().flatten()))
}

/// The widest range that statement j can have in a ballot of at most [`MAX_RANGE_BITS`] bits.
fn most_bits(statement: usize) -> u8 {
    let statements = statement.saturating_add(1).next_power_of_two();
    (MAX_RANGE_BITS as usize).checked_div(statements).unwrap_or(0).min(64) as u8
}

/// The generators of one statement, bit by bit.
struct Statement {
    g: Vec<RistrettoPoint>,
    h: Vec<RistrettoPoint>,
}

impl Statement {
    /// Both vectors come from SHAKE256 of a label, as in the `bulletproofs` crate, which shows only its G.
    fn derive(statement: usize, bits: usize) -> Self {
        let chain = |letter: u8| {
            let mut shake = Shake256::default();
            shake.update(b"GeneratorsChain");
            shake.update(&[letter]);
            shake.update(&(statement as u32).to_le_bytes());
            let mut stream = shake.finalize_xof();
            (0..bits)
                .map(|_| {
                    let mut uniform = [0u8; 64];
                    stream.read(&mut uniform);
                    RistrettoPoint::from_uniform_bytes(&uniform)
                })
                .collect()
        };
        Self { g: chain(b'G'), h: chain(b'H') }
    }
}

/// The vector generators up to some shapes, in one table: statement by statement, bit by bit.
/// Deriving them costs about as much as verifying a proof: keep them.
#[derive(Clone)]
pub struct Generators {
    g: Vec<RistrettoPoint>,
    h: Vec<RistrettoPoint>,
    /// Where each statement starts in the table, and where the last ends.
    starts: Vec<usize>,
}

impl Generators {
    /// The generators that serve one shape and all smaller ones.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self::covering([shape].into_iter())
    }

    /// None, for equations that have no range proof.
    #[must_use]
    pub fn none() -> Self {
        Self::covering(core::iter::empty())
    }

    /// The generators that serve all these shapes.
    #[must_use]
    pub fn covering(shapes: impl Iterator<Item = Shape>) -> Self {
        let mut widths: Vec<u8> = Vec::new();
        for shape in shapes.filter(|shape| shape.bits() <= MAX_RANGE_BITS as usize) {
            widths.resize(widths.len().max(shape.statements), 0);
            widths.iter_mut().take(shape.statements).for_each(|width| *width = shape.width.max(*width));
        }
        let (mut g, mut h, mut starts) = (Vec::new(), Vec::new(), Vec::from([0]));
        for (statement, width) in widths.into_iter().enumerate() {
            let derived = Statement::derive(statement, usize::from(width));
            g.extend(derived.g);
            h.extend(derived.h);
            starts.push(g.len());
        }
        Self { g, h, starts }
    }

    /// These generators, for one shape: with logarithms that a test knows.
    #[cfg(test)]
    pub(crate) fn chosen(shape: Shape, g: Vec<RistrettoPoint>, h: Vec<RistrettoPoint>) -> Self {
        let starts = (0..=shape.statements).map(|statement| statement * usize::from(shape.width)).collect();
        Self { g, h, starts }
    }

    /// All G of the table.
    #[must_use]
    pub fn g(&self) -> &[RistrettoPoint] {
        &self.g
    }

    /// All H of the table.
    #[must_use]
    pub fn h(&self) -> &[RistrettoPoint] {
        &self.h
    }

    /// The places in the table of a shape's bits, statement by statement; `None` if it is not served.
    pub(super) fn places(&self, shape: Shape) -> Option<Vec<usize>> {
        let width = usize::from(shape.width);
        let mut out = Vec::with_capacity(shape.bits());
        for bounds in self.starts.get(..=shape.statements)?.windows(2) {
            let [start, end] = bounds else { return None };
            let used = start.checked_add(width).filter(|used| used <= end)?;
            out.extend(*start..used);
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulletproofs::BulletproofGens;

    #[test]
    fn the_digest_is_that_of_the_generators() {
        assert_eq!(generators_digest(), GENERATORS_DIGEST);
    }

    #[test]
    fn g_is_that_of_the_bulletproofs_crate() {
        let theirs = BulletproofGens::new(64, 16);
        for j in 0..16 {
            let g: Vec<_> = theirs.share(j).G(64).copied().collect();
            assert_eq!(Statement::derive(j, 64).g, g);
        }
    }

    #[test]
    fn a_table_serves_its_shapes_and_smaller_ones() {
        let shapes = [(1, 16), (8, 2), (64, 1)].map(|(width, statements)| Shape { width, statements });
        let table = Generators::covering(shapes.into_iter());
        for (width, statements, served) in [
            (1, 16, true),
            (8, 2, true),
            (64, 1, true),
            (2, 2, true),
            (8, 4, false),
            (1, 32, false),
            (64, 2, false),
        ] {
            let shape = Shape { width, statements };
            let places = table.places(shape);
            assert_eq!(places.is_some(), served, "{shape:?}");
            let Some(places) = places else { continue };
            let expected: Vec<_> =
                (0..statements).flat_map(|j| Statement::derive(j, usize::from(width)).h).collect();
            let found: Vec<_> = places.into_iter().map(|place| table.h[place]).collect();
            assert_eq!(found, expected);
        }
    }
}
