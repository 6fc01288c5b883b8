//! Which counted ballots a trustee can't serve (spec 7.2), said before the set is agreed on.
//!
//! A ballot counts with q receipts, so t honest trustees have its shares, and come to theirs by repair if they lost
//! them. If more than n − t trustees say that they have none, fewer than t can be left: the ballot can't be opened, and
//! with it in the set nothing could be. It is excluded then, and the trustees whose receipts it carries are named.
//! Within the bounds of spec 3.5 that does not happen: q − t liars and n − q that were away are n − t.

use alloc::{collections::BTreeMap, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    bounds::MAX_MISSING,
    election::Election,
    ids::{Anchor, Eid},
    keys::{CheckSignature, PublicKey, Signable, Signature, SigningKey},
    manifest::Manifest,
    transcript::Role,
};

/// The counted ballots of which a trustee has no good share.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Missing {
    /// Those of these credentials, ascending; none if it has all.
    #[codec(index = 0)]
    Listed(BoundedVec<PublicKey, ConstU32<MAX_MISSING>>),
    /// More than can be listed: it serves none.
    #[codec(index = 1)]
    All,
}

impl Missing {
    /// Whether the list is in strictly ascending order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.listed().windows(2).all(|pair| matches!(pair, [a, b] if a < b))
    }

    /// The credentials that are listed.
    #[must_use]
    pub fn listed(&self) -> &[PublicKey] {
        match self {
            Self::Listed(credentials) => credentials,
            Self::All => &[],
        }
    }

    /// Whether the counted ballot of this credential is missing.
    #[must_use]
    pub fn contains(&self, credential: &PublicKey) -> bool {
        match self {
            Self::Listed(credentials) => credentials.binary_search(credential).is_ok(),
            Self::All => true,
        }
    }
}

/// A trustee's statement of what it can't serve. A trustee makes one per election.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Declaration {
    /// The election.
    pub eid: Eid,
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// The closing block: the last whose ballots count.
    pub closing: Anchor,
    /// What it can't serve.
    pub missing: Missing,
    /// The trustee's signature.
    pub signature: Signature,
}

fn signable<'a>(election: &'a Election, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable {
        role: Role::Declaration,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(trustee),
        payload,
    }
}

impl Declaration {
    /// Signs a declaration.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        closing: Anchor,
        missing: Missing,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = (closing, &missing).encode();
        let signature = key.sign(&signable(election, trustee, &payload), rng);
        Self { eid: election.eid, trustee, closing, missing, signature }
    }

    /// Whether the trustee named takes part in the tally and signed this.
    #[must_use]
    pub fn verify(&self, election: &Election, check: CheckSignature) -> bool {
        let payload = (self.closing, &self.missing).encode();
        self.eid == election.eid
            && election.tallier(self.trustee).is_some_and(|trustee| {
                signable(election, self.trustee, &payload).verify(check, &self.signature, &trustee.signing)
            })
    }
}

/// What the trustees declared, by trustee.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declarations(BTreeMap<u8, Missing>);

impl FromIterator<(u8, Missing)> for Declarations {
    fn from_iter<I: IntoIterator<Item = (u8, Missing)>>(declared: I) -> Self {
        Self(declared.into_iter().collect())
    }
}

impl Declarations {
    /// Adds a trustee's declaration; its first one stands. Gives whether this is it.
    pub fn add(&mut self, trustee: u8, missing: Missing) -> bool {
        let first = !self.0.contains_key(&trustee);
        self.0.entry(trustee).or_insert(missing);
        first
    }

    /// What this trustee has declared.
    #[must_use]
    pub fn of(&self, trustee: u8) -> Option<&Missing> {
        self.0.get(&trustee)
    }

    /// Whether this trustee has declared.
    #[must_use]
    pub fn has(&self, trustee: u8) -> bool {
        self.of(trustee).is_some()
    }

    /// The trustees that declared the counted ballot of this credential missing.
    #[must_use]
    pub fn without(&self, credential: &PublicKey) -> Vec<u8> {
        let without = self.0.iter().filter(|(_, missing)| missing.contains(credential));
        without.map(|(trustee, _)| *trustee).collect()
    }

    /// The credentials whose counted ballots are excluded, ascending: those that more than n − t trustees miss.
    /// None where so many miss everything, because there is nothing to be opened then.
    #[must_use]
    pub fn excluded(&self, manifest: &Manifest) -> Vec<PublicKey> {
        let most = manifest.trustees.len().saturating_sub(usize::from(manifest.threshold));
        let all = self.0.values().filter(|missing| **missing == Missing::All).count();
        if all > most {
            return Vec::new();
        }
        let mut counts: BTreeMap<PublicKey, usize> = BTreeMap::new();
        for credential in self.0.values().flat_map(Missing::listed) {
            let count = counts.entry(*credential).or_insert(all);
            *count = count.saturating_add(1);
        }
        counts.into_iter().filter(|(_, count)| *count > most).map(|(credential, _)| credential).collect()
    }

    /// Whether t trustees have said of every ballot that is not excluded that they can serve it. Then the set can be
    /// opened, and none is excluded any more, whatever the other trustees say.
    #[must_use]
    pub fn settled(&self, manifest: &Manifest) -> bool {
        let threshold = usize::from(manifest.threshold);
        let excluded = self.excluded(manifest);
        let with =
            |credential: &PublicKey| self.0.values().filter(|missing| !missing.contains(credential)).count();
        let unlisted = self.0.values().filter(|missing| **missing != Missing::All).count();
        let listed = self.0.values().flat_map(Missing::listed);
        unlisted >= threshold
            && listed
                .filter(|credential| excluded.binary_search(credential).is_err())
                .all(|credential| with(credential) >= threshold)
    }
}
