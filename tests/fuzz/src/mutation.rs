//! Random changes of valid inputs: of bits, bytes, numbers, lengths and group elements, and of what stands where.

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// The order of the group, little-endian: added to a scalar it gives a second encoding of it.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// The prime of the field, 2^255 − 19: a point's second encoding, were it not checked.
const PRIME: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];
/// Numbers at which something may turn over.
const EDGES: [u64; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, i64::MAX as u64, u64::MAX];
/// SCALE lengths that are large, or not in their shortest form.
const LENGTHS: [&[u8]; 8] = [
    &[0x01, 0x00],
    &[0x02, 0x00, 0x00, 0x00],
    &[0x03, 0x00, 0x00, 0x00, 0x00],
    &[0xfd, 0xff],
    &[0xfe, 0xff, 0xff, 0xff],
    &[0x03, 0xff, 0xff, 0xff, 0xff],
    &[0x13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xff; 9],
];
/// What makes texts look different.
const LETTERS: &[u8] = b"+-0xXoOiIlLuU \t\n%#:/,\"\\\xc2\xa0\xff";

/// A source of mutants, the same for the same seed.
pub struct Mutator(ChaCha8Rng);

impl Mutator {
    /// The source of a seed and a stream of its own.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number below a bound that is not zero.
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A part of so many bytes, at most a long one, most often short.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        let most = [1, 4, 33, 64, length][self.below(5)].min(length - from);
        from..from + self.below(most + 1)
    }

    /// One of these inputs, changed at one to four places. `others` is spliced in as well.
    pub fn mutant(&mut self, corpus: &[Vec<u8>], others: &[Vec<u8>]) -> Vec<u8> {
        let place = self.below(corpus.len());
        let mut bytes = corpus[place].clone();
        for _ in 0..=self.below(4).min(self.below(4)) {
            let other = if self.below(2) == 0 { corpus } else { others };
            let place = self.below(other.len());
            self.change(&mut bytes, &other[place]);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let place = self.below(bytes.len() + 1);
        match self.below(16) {
            0 | 1 => {
                let bit = self.below(8);
                bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            2 => {
                let new = self.0.next_u32() as u8;
                bytes.get_mut(place).into_iter().for_each(|byte| *byte = new);
            }
            3 => {
                let step = self.pick(&[1, 4, 0xff, 0xfc]);
                bytes.get_mut(place).into_iter().for_each(|byte| *byte = byte.wrapping_add(step));
            }
            4 => {
                let letter = self.pick(LETTERS);
                bytes.get_mut(place).into_iter().for_each(|byte| *byte = letter);
            }
            5 => {
                let width = self.pick(&[1usize, 2, 4, 8]);
                let edge = self.pick(&EDGES).to_le_bytes();
                overwrite(bytes, place, &edge[..width]);
            }
            6 => {
                let length = self.pick(&LENGTHS);
                overwrite(bytes, place, length);
            }
            7 => self.lengthen(bytes, place),
            8 => {
                let summand = self.pick(&[ORDER, PRIME]);
                add(bytes, place, &summand);
            }
            9 => {
                let word = self.pick(&[ORDER, PRIME, [0; 32], [0xff; 32]]);
                overwrite(bytes, place, &word);
            }
            10 => {
                let mut new = vec![0; self.pick(&[1, 2, 4, 32, 33, 500])];
                if self.below(2) == 0 {
                    self.0.fill_bytes(&mut new);
                }
                bytes.splice(place..place, new);
            }
            11 => drop(bytes.drain(self.part(bytes.len()))),
            12 => bytes.truncate(place),
            13 => {
                let copy = bytes[self.part(bytes.len())].to_vec();
                bytes.splice(place..place, copy);
            }
            14 => {
                let copy = other[self.part(other.len())].to_vec();
                let to = (place + copy.len()).min(bytes.len());
                bytes.splice(place..to, copy);
            }
            _ => {
                bytes.truncate(place);
                bytes.extend_from_slice(&other[place.min(other.len())..]);
            }
        }
    }

    /// Writes a one-byte SCALE length in two or four bytes.
    fn lengthen(&mut self, bytes: &mut Vec<u8>, place: usize) {
        // Where there is one: a byte whose lowest bits are zero.
        let Some(at) = (place..bytes.len()).find(|at| bytes[*at] & 3 == 0) else { return };
        let short = bytes[at];
        let long = [short | self.pick(&[1, 2]), 0, 0, 0];
        let width = if long[0] & 3 == 1 { 2 } else { 4 };
        bytes.splice(at..=at, long[..width].iter().copied());
    }
}

/// Writes over what is there, up to its end.
fn overwrite(bytes: &mut [u8], place: usize, new: &[u8]) {
    bytes[place..].iter_mut().zip(new).for_each(|(byte, new)| *byte = *new);
}

/// Adds to the little-endian number of 32 bytes that begins there, if one does.
fn add(bytes: &mut [u8], place: usize, summand: &[u8; 32]) {
    let Some(number) = bytes.get_mut(place..place + 32) else { return };
    let mut carry = 0u16;
    for (byte, more) in number.iter_mut().zip(summand) {
        carry += u16::from(*byte) + u16::from(*more);
        *byte = carry as u8;
        carry >>= 8;
    }
}
