//! A ballot as it leaves the device (spec 5.7 and 5.8): signed, its shares sealed.

use codec::{Decode, DecodeAll, Encode};
use psephos_protocol::{
    ballot::{Prepared, SignedBallot},
    bounds::{MAX_BALLOT_BYTES, MAX_DEALING, MAX_TRUSTEES},
    election::Election,
    envelope::{seal, Deposit, Envelope, MAX_ENVELOPE},
    ids::BallotHash,
    keys::SigningKey,
    shares::Dealing,
};
use rand_core::OsRng;

use super::{VoterError, Voting};

/// Bytes of the largest sealed ballot.
pub const MAX_SEALED_BYTES: usize =
    MAX_BALLOT_BYTES + 32 * MAX_DEALING as usize + MAX_TRUSTEES as usize * (MAX_ENVELOPE as usize + 4) + 16;

/// All that is sent of a ballot, and nothing secret. Whoever keeps it on disk until it is recorded loses
/// nothing in a crash: [`Voting::send`] goes on where it was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SealedBallot {
    /// The signed ballot.
    pub ballot: SignedBallot,
    /// The commitments to its sharing polynomials.
    pub dealing: Dealing,
    /// The trustees' sealed shares, trustee 1 first.
    pub envelopes: Vec<Envelope>,
}

impl SealedBallot {
    /// The ballot hash.
    #[must_use]
    pub fn hash(&self) -> BallotHash {
        self.ballot.ballot.hash()
    }

    /// What trustee `trustee`, counted from 1, is given; none if there is no such trustee.
    #[must_use]
    pub fn deposit(&self, trustee: u8) -> Option<Deposit> {
        let envelope = self.envelopes.get(usize::from(trustee).checked_sub(1)?)?.clone();
        Some(Deposit { ballot: self.ballot.clone(), dealing: self.dealing.clone(), envelope })
    }

    /// Reads its SCALE encoding; none if it is too long, malformed, or has bytes left over.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_SEALED_BYTES).then(|| Self::decode_all(&mut bytes).ok())?
    }
}

impl Voting {
    /// Signs a prepared ballot and seals its shares. Nothing is sent yet.
    ///
    /// # Errors
    /// [`VoterError::OtherCredential`], or [`VoterError::Seal`].
    pub async fn seal(
        &self,
        prepared: Prepared,
        credential: &SigningKey,
    ) -> Result<SealedBallot, VoterError> {
        let (given, prepared_for) = (credential.public(), prepared.ballot().statement.credential);
        if prepared_for != given {
            return Err(VoterError::OtherCredential { prepared: prepared_for, given });
        }
        let key = credential.clone();
        self.compute(move |shared| sealed(&shared.election, prepared, &key)).await?
    }
}

fn sealed(
    election: &Election,
    prepared: Prepared,
    credential: &SigningKey,
) -> Result<SealedBallot, VoterError> {
    let mut signed = prepared.cast(election, credential, &mut OsRng);
    let envelopes = seal(election, &signed.hash, &signed.shares, &mut signed.randomness)?;
    Ok(SealedBallot { ballot: signed.ballot, dealing: signed.dealing, envelopes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::testing::{Fixture, Params};

    #[test]
    fn what_is_kept_gives_every_trustee_the_same_deposit_again() {
        let mut fixture = Fixture::new(&Params::default());
        let mut signed = fixture.sign(0, 1, &[vec![1, 0, 0]]);
        let deposits = fixture.deposits(&mut signed);
        let kept = SealedBallot {
            ballot: signed.ballot.clone(),
            dealing: signed.dealing.clone(),
            envelopes: deposits.iter().map(|deposit| deposit.envelope.clone()).collect(),
        };
        let read = SealedBallot::from_bytes(&kept.encode()).unwrap();
        assert_eq!((&read, read.hash()), (&kept, signed.hash));
        for (trustee, deposit) in (1u8..).zip(&deposits) {
            assert_eq!(read.deposit(trustee).as_ref(), Some(deposit));
        }
        assert_eq!((read.deposit(0), read.deposit(200)), (None, None));
        let bytes = kept.encode();
        assert_eq!(SealedBallot::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(SealedBallot::from_bytes(&[bytes, vec![0]].concat()), None);
    }
}
