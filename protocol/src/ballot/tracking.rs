//! Tracking codes (spec 5.4): 130 bits of the ballot hash and 20 bits of checksum, in 30
//! characters of an alphabet without look-alikes, grouped for reading aloud.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use crate::{ids::BallotHash, transcript};

/// Crockford's base 32: no I, L, O or U.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that carry hash bits: 130 bits.
const BODY: usize = 26;
/// Characters of checksum: 20 bits.
const CHECK: usize = 4;
/// Characters in a group.
const GROUP: usize = 5;

/// A tracking code: short for a ballot hash, safe to read aloud.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackingCode([u8; BODY]);

/// Why a text is not a tracking code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackingCodeError {
    /// Not 30 characters of the alphabet.
    #[error("a tracking code has 30 letters and digits, in groups of five, without I, L, O and U")]
    Characters,
    /// The checksum does not fit: it was misread or mistyped.
    #[error("the tracking code's checksum does not fit: compare it with the original once more")]
    Checksum,
}

/// The first `count` groups of five bits of `bytes`, most significant bit first.
pub(crate) fn five_bit_groups(bytes: &[u8], count: usize) -> Vec<u8> {
    let bit = |index: usize| {
        let shift = 7usize.saturating_sub(index % 8) as u32;
        bytes.get(index / 8).map_or(0, |byte| byte.checked_shr(shift).unwrap_or(0) & 1)
    };
    (0..count)
        .map(|group| {
            (0..5usize).fold(0u8, |value, k| (value << 1) | bit(group.saturating_mul(5).saturating_add(k)))
        })
        .collect()
}

/// The letter of a five-bit value.
pub(crate) fn letter(value: u8) -> char {
    ALPHABET.get(usize::from(value)).map_or('?', |byte| char::from(*byte))
}

/// The five-bit value of a letter as people write it: small letters, O for 0, I and L for 1.
pub(crate) fn value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|byte| char::from(*byte) == letter).and_then(|index| u8::try_from(index).ok())
}

/// The values of a code that people wrote with any spaces and dashes.
pub(crate) fn values(text: &str) -> Option<Vec<u8>> {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(value).collect()
}

impl TrackingCode {
    /// The tracking code of a ballot.
    #[must_use]
    pub fn of(hash: &BallotHash) -> Self {
        let mut code = [0u8; BODY];
        for (place, value) in code.iter_mut().zip(five_bit_groups(&hash.0, BODY)) {
            *place = value;
        }
        Self(code)
    }

    /// Whether this is the code of that ballot. A checker that has all 256 bits compares those.
    #[must_use]
    pub fn matches(&self, hash: &BallotHash) -> bool {
        *self == Self::of(hash)
    }

    fn checksum(&self) -> Vec<u8> {
        five_bit_groups(&transcript::checksum(b"tracking code", &self.0), CHECK)
    }
}

impl fmt::Display for TrackingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: Vec<char> = self.0.iter().copied().chain(self.checksum()).map(letter).collect();
        let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
        f.write_str(&groups.join("-"))
    }
}

impl fmt::Debug for TrackingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrackingCode({self})")
    }
}

impl FromStr for TrackingCode {
    type Err = TrackingCodeError;
    fn from_str(text: &str) -> Result<Self, TrackingCodeError> {
        let values = values(text).ok_or(TrackingCodeError::Characters)?;
        let (body, check) = values.split_first_chunk::<BODY>().ok_or(TrackingCodeError::Characters)?;
        if check.len() != CHECK {
            return Err(TrackingCodeError::Characters);
        }
        let code = Self(*body);
        if code.checksum() != check {
            return Err(TrackingCodeError::Checksum);
        }
        Ok(code)
    }
}
