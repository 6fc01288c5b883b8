//! Receipts (spec 5.7): a trustee vouches that it verified a ballot and durably stored its share.

use alloc::vec::Vec;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    election::Election,
    ids::{BallotHash, Eid, Genesis},
    keys::{CheckSignature, PublicKey, Signable, Signature, SignatureEquation, Signer, SigningKey},
    transcript::Role,
};

/// A trustee's receipt for one ballot.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Receipt {
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// The trustee's finalized height when it signed: dated evidence, should the ballot never be accepted.
    pub height: u32,
    /// Over ballot hash and height.
    pub signature: Signature,
}

/// What a receipt is over.
fn payload(ballot: &BallotHash, height: u32) -> Vec<u8> {
    (ballot, height).encode()
}

fn signable<'a>(genesis: &'a Genesis, eid: &'a Eid, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable { role: Role::Receipt, genesis, eid, index: u32::from(trustee), payload }
}

impl Receipt {
    /// Signs a receipt. The caller has verified ballot and share and stored the share durably.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        ballot: &BallotHash,
        height: u32,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = payload(ballot, height);
        let statement = signable(&election.genesis, &election.eid, trustee, &payload);
        Self { trustee, height, signature: key.sign(&statement, rng) }
    }

    /// Whether this is that trustee's receipt for that ballot.
    #[must_use]
    pub fn verify(&self, election: &Election, ballot: &BallotHash, check: CheckSignature) -> bool {
        election.trustee(self.trustee).is_some_and(|trustee| {
            let payload = payload(ballot, self.height);
            let statement = signable(&election.genesis, &election.eid, self.trustee, &payload);
            statement.verify(check, &self.signature, &trustee.signing)
        })
    }

    /// Whether this is that signer's receipt for that ballot, under that key.
    pub(crate) fn is_by(
        &self,
        signer: &Signer,
        key: &PublicKey,
        ballot: &BallotHash,
        check: CheckSignature,
    ) -> bool {
        signer.verify(check, &payload(ballot, self.height), &self.signature, key)
    }

    /// The equation that holds if this is the receipt of the trustee with that key ([`Signer::equation`]).
    pub(crate) fn equation(
        &self,
        signer: &Signer,
        key: &PublicKey,
        ballot: &BallotHash,
    ) -> Option<SignatureEquation> {
        signer.equation(&payload(ballot, self.height), &self.signature, key)
    }
}
