//! Invitations (spec 4.1): a code on paper or in a message, from which a signing key is derived.
//!
//! A code holds 80 random bits and 20 bits of checksum, as 20 letters and digits in groups of
//! five. The key is Argon2id (RFC 9106; 8 MiB, 2 passes, 1 lane) of the secret, salted with the
//! election and the channel, so that codes can't be searched for many elections at once.

use alloc::{string::String, vec::Vec};
use argon2::{Algorithm, Argon2, Params, Version};
use codec::Encode;
use core::{fmt, str::FromStr};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    ballot::{five_bit_groups, letter, values},
    ids::Eid,
    keys::SigningKey,
    transcript,
};

/// Characters that carry the secret: 80 bits.
const BODY: usize = 16;
/// Characters of checksum: 20 bits.
const CHECK: usize = 4;
/// Argon2id memory in KiB.
const MEMORY_KIB: u32 = 8 * 1024;
/// Argon2id passes.
const PASSES: u32 = 2;

/// An invitation code: secret. It prints only through [`InvitationCode::reveal`].
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct InvitationCode([u8; BODY]);

/// Why a text is not an invitation code, or gives no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Not 20 characters of the alphabet.
    #[error("an invitation code has 20 letters and digits, in groups of five, without I, L, O and U")]
    Characters,
    /// The checksum does not fit.
    #[error("the invitation code's checksum does not fit: it was mistyped, compare it with the letter")]
    Checksum,
    /// Argon2 failed, for want of memory.
    #[error("the invitation key could not be derived: 8 MiB of memory are needed")]
    Derivation,
}

impl InvitationCode {
    /// A new code.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = Zeroizing::new([0u8; 10]);
        rng.fill_bytes(bytes.as_mut());
        let mut code = [0u8; BODY];
        for (place, value) in code.iter_mut().zip(five_bit_groups(bytes.as_ref(), BODY)) {
            *place = value;
        }
        Self(code)
    }

    fn checksum(&self) -> Vec<u8> {
        five_bit_groups(&transcript::checksum(b"invitation code", &self.0), CHECK)
    }

    /// The code as it is written on an invitation.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let letters: Vec<char> = self.0.iter().copied().chain(self.checksum()).map(letter).collect();
        let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
        Zeroizing::new(groups.join("-"))
    }

    /// The signing key of this code for an election. `channel` counts the entry's invitations from 0.
    ///
    /// # Errors
    /// [`InvitationError::Derivation`] when memory is short.
    pub fn signing_key(&self, eid: &Eid, channel: u32) -> Result<SigningKey, InvitationError> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| InvitationError::Derivation)?;
        let mut seed = Zeroizing::new([0u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&self.0, &(b"psephos invitation v1", eid, channel).encode(), seed.as_mut())
            .map_err(|_| InvitationError::Derivation)?;
        Ok(SigningKey::from_seed(*seed))
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(..)")
    }
}

impl FromStr for InvitationCode {
    type Err = InvitationError;
    fn from_str(text: &str) -> Result<Self, InvitationError> {
        let values = Zeroizing::new(values(text).ok_or(InvitationError::Characters)?);
        let (body, check) = values.split_first_chunk::<BODY>().ok_or(InvitationError::Characters)?;
        if check.len() != CHECK {
            return Err(InvitationError::Characters);
        }
        let code = Self(*body);
        if code.checksum() != check {
            return Err(InvitationError::Checksum);
        }
        Ok(code)
    }
}
