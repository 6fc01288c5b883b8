//! Set agreement (spec 7.2): which ballots are opened, and nothing else ever.
//!
//! Two sums that differ in one ballot open that ballot. So before a trustee releases anything it
//! signs the set, once; contributions follow only q matching signatures, and any two quorums share
//! a trustee who would have to sign twice.

use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use rand_core::{CryptoRng, RngCore};
use scale_info::TypeInfo;

use crate::{
    election::Election,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::{CheckSignature, PublicKey, Signable, Signature, SigningKey},
    transcript::{self, Role},
};

/// The ballot that counts for one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Accepted {
    /// Its sequence number.
    pub sequence: u32,
    /// Its hash.
    pub ballot: BallotHash,
    /// The voter's weight.
    pub weight: u64,
    /// The voter's reporting unit: so the signatures under the set fix its cells (spec 7.1).
    pub unit: u16,
}

/// The accepted set: for each credential its last accepted ballot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedSet(BTreeMap<PublicKey, Accepted>);

impl AcceptedSet {
    /// Adds a ballot that the chain accepted; replaces an earlier one of the same credential and
    /// gives that back.
    pub fn accept(&mut self, credential: PublicKey, accepted: Accepted) -> Option<Accepted> {
        self.0.insert(credential, accepted)
    }

    /// Takes a credential's ballot out, because too few trustees can serve it.
    pub fn exclude(&mut self, credential: &PublicKey) -> Option<Accepted> {
        self.0.remove(credential)
    }

    /// The ballots that count, by credential.
    pub fn iter(&self) -> impl Iterator<Item = (&PublicKey, &Accepted)> {
        self.0.iter()
    }

    /// How many ballots count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no ballot counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The root of the set ([`SetRoot`]).
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut root = SetRoot::default();
        self.iter().for_each(|(credential, accepted)| root.add(credential, accepted));
        root.digest()
    }
}

/// The root of the Merkle tree over (credential, sequence, ballot hash, weight, unit), sorted by credential, ballot by
/// ballot. An odd node goes up unpaired; leaves and nodes are hashed in different domains; the empty set has the
/// all-zero root.
#[derive(Clone, Debug, Default)]
pub struct SetRoot(
    /// The roots of whole subtrees from left to right, each with its height, which fall.
    Vec<(u32, Digest)>,
);

impl SetRoot {
    /// Adds the next ballot. Credentials must ascend.
    pub fn add(&mut self, credential: &PublicKey, accepted: &Accepted) {
        let (mut height, mut node) = (0u32, transcript::accepted_leaf(&(credential, accepted).encode()));
        while let Some((_, left)) = self.0.pop_if(|(other, _)| *other == height) {
            node = transcript::accepted_node(&left, &node);
            height = height.saturating_add(1);
        }
        self.0.push((height, node));
    }

    /// The root of what was added.
    #[must_use]
    pub fn digest(self) -> Digest {
        let nodes = self.0.into_iter().rev().map(|(_, node)| node);
        nodes.reduce(|right, left| transcript::accepted_node(&left, &right)).unwrap_or_default()
    }
}

/// What trustees agree on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SetStatement {
    /// The last block whose ballots count.
    pub closing: Anchor,
    /// The root of the accepted set.
    pub root: Digest,
    /// How many ballots count.
    pub ballots: u32,
    /// The head of the log of all accepted ballots (spec 6.6), so that none can be left out of a record unnoticed.
    pub log: Digest,
}

/// A trustee's signature under the set. A trustee signs one per election, ever.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Agreement {
    /// The election.
    pub eid: Eid,
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// What it agrees to.
    pub statement: SetStatement,
    /// The trustee's signature.
    pub signature: Signature,
}

fn signable<'a>(election: &'a Election, trustee: u8, payload: &'a [u8]) -> Signable<'a> {
    Signable {
        role: Role::Agreement,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(trustee),
        payload,
    }
}

impl Agreement {
    /// Signs a set. The caller has marked durably that it never signs another.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        statement: SetStatement,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let payload = statement.encode();
        let signature = key.sign(&signable(election, trustee, &payload), rng);
        Self { eid: election.eid, trustee, statement, signature }
    }

    /// Whether the trustee named takes part in the tally and signed this.
    #[must_use]
    pub fn verify(&self, election: &Election, check: CheckSignature) -> bool {
        let payload = self.statement.encode();
        self.eid == election.eid
            && election.tallier(self.trustee).is_some_and(|trustee| {
                signable(election, self.trustee, &payload).verify(check, &self.signature, &trustee.signing)
            })
    }
}

/// A trustee's acceptance of an election (spec 3.6): it has read the manifest on the chain, found its own
/// keys in it, and will serve.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Acceptance {
    /// The election.
    pub eid: Eid,
    /// The trustee's index, from 1.
    pub trustee: u8,
    /// The trustee's signature: it also proves that it holds its signing key.
    pub signature: Signature,
}

fn acceptance_signable(election: &Election, trustee: u8) -> Signable<'_> {
    Signable {
        role: Role::TrusteeAcceptance,
        genesis: &election.genesis,
        eid: &election.eid,
        index: u32::from(trustee),
        payload: &[],
    }
}

impl Acceptance {
    /// Signs an acceptance.
    pub fn sign(
        election: &Election,
        trustee: u8,
        key: &SigningKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        Self { eid: election.eid, trustee, signature: key.sign(&acceptance_signable(election, trustee), rng) }
    }

    /// Whether the trustee named signed this.
    #[must_use]
    pub fn verify(&self, election: &Election, check: CheckSignature) -> bool {
        self.eid == election.eid
            && election.trustee(self.trustee).is_some_and(|trustee| {
                acceptance_signable(election, self.trustee).verify(check, &self.signature, &trustee.signing)
            })
    }
}
