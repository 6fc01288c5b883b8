//! Where a trustee can be reached (spec 3.7): stated by itself, on the chain.
//!
//! Addresses may change during an election, so they are not part of the manifest. A false one does no harm beyond
//! silence: what is sent there is sealed to the trustee, and what comes back is signed by it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    bounds::Text,
    election::Election,
    ids::Eid,
    keys::{CheckSignature, Signable, Signature, SigningKey},
    transcript::Role,
};

/// A trustee's address.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Endpoint {
    /// How many the trustee stated, this one included: a later one replaces an earlier one.
    pub number: u8,
    /// An `http://` or `https://` address, in UTF-8.
    pub url: Text,
}

impl Endpoint {
    /// Whether the address is one that a client may call.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        core::str::from_utf8(&self.url).is_ok_and(|url| {
            (url.starts_with("http://") || url.starts_with("https://"))
                && !url.contains(|c: char| c.is_whitespace() || c.is_control())
        })
    }
}

/// A trustee's statement of its address.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Announcement {
    /// The election.
    pub eid: Eid,
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// The address.
    pub endpoint: Endpoint,
    /// The trustee's signature.
    pub signature: Signature,
}

fn signable<'a>(election: &'a Election, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable {
        role: Role::Endpoint,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(trustee),
        payload,
    }
}

impl Announcement {
    /// Signs an address.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        endpoint: Endpoint,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = endpoint.encode();
        let signature = key.sign(&signable(election, trustee, &payload), rng);
        Self { eid: election.eid, trustee, endpoint, signature }
    }

    /// Whether the trustee named signed this.
    #[must_use]
    pub fn verify(&self, election: &Election, check: CheckSignature) -> bool {
        let payload = self.endpoint.encode();
        self.eid == election.eid
            && election.trustee(self.trustee).is_some_and(|trustee| {
                signable(election, self.trustee, &payload).verify(check, &self.signature, &trustee.signing)
            })
    }
}
