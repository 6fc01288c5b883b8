//! The transcript vocabulary (spec 2.3): every hash, challenge and seed expansion of the protocol.
//!
//! One Merlin transcript per purpose, each with a domain of its own, each field with a label and
//! its length (Merlin frames both), so that two different inputs never give the same transcript.
//! Nothing else in the project calls Merlin.

use alloc::vec::Vec;
use curve25519_dalek::{ristretto::CompressedRistretto, scalar::Scalar, traits::IsIdentity};
use merlin::Transcript;
use rand_core::{CryptoRng, RngCore};

use crate::{
    ids::{BallotHash, Digest, Eid, Genesis},
    keys::PublicKey,
    range_proof::Shape,
};

/// A role that signs (spec 2.4). The role is part of every signed message, so that a signature
/// made in one role means nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// A board member approves an action.
    Board = 1,
    /// A registrar proposes a batch of the roll.
    Registrar = 2,
    /// A holder of an invitation claims a roll entry for a credential.
    Invitation = 3,
    /// A credential proves that its holder wants the roll entry.
    Registration = 4,
    /// A trustee accepts an election.
    TrusteeAcceptance = 5,
    /// A credential casts a ballot.
    Ballot = 6,
    /// A trustee vouches that it holds a good share of a ballot.
    Receipt = 7,
    /// A trustee states which set of ballots is to be opened.
    Agreement = 8,
    /// A trustee publishes its share of the sums.
    Contribution = 9,
    /// A trustee states where it can be reached.
    Endpoint = 10,
    /// A trustee asks another for what it missed.
    PeerRequest = 11,
    /// A trustee hands another a part of what rebuilds a third one's shares.
    RepairPart = 12,
    /// A trustee declares which counted ballots it can't serve.
    Declaration = 13,
}

/// What a signature is over: role, chain, election, index and payload, hashed to 64 bytes.
#[must_use]
pub fn signed(role: Role, genesis: &Genesis, eid: &Eid, index: u32, payload: &[u8]) -> [u8; 64] {
    begin_signed(role, genesis, eid, index).signed(payload)
}

/// What all statements of one signer begin with.
pub(crate) struct Begun(Transcript);

/// Everything of [`signed`] but the payload.
pub(crate) fn begin_signed(role: Role, genesis: &Genesis, eid: &Eid, index: u32) -> Begun {
    let mut t = Transcript::new(b"psephos signature v1");
    t.append_u64(b"role", u64::from(role as u8));
    t.append_message(b"genesis", &genesis.0);
    t.append_message(b"eid", &eid.0);
    t.append_u64(b"index", u64::from(index));
    Begun(t)
}

impl Begun {
    /// What a signature over this payload is over.
    pub(crate) fn signed(&self, payload: &[u8]) -> [u8; 64] {
        let mut t = self.0.clone();
        t.append_message(b"payload", payload);
        let mut out = [0u8; 64];
        t.challenge_bytes(b"message", &mut out);
        out
    }
}

fn hash32(mut transcript: Transcript) -> [u8; 32] {
    let mut out = [0u8; 32];
    transcript.challenge_bytes(b"hash", &mut out);
    out
}

fn digest(domain: &'static [u8], label: &'static [u8], bytes: &[u8]) -> Digest {
    let mut t = Transcript::new(domain);
    t.append_message(label, bytes);
    Digest(hash32(t))
}

/// The election identifier (spec 3.2).
#[must_use]
pub fn eid(genesis: &Genesis, number: u32, manifest: &[u8]) -> Eid {
    let mut t = Transcript::new(b"psephos election v1");
    t.append_u64(b"version", u64::from(crate::VERSION));
    t.append_message(b"genesis", &genesis.0);
    t.append_u64(b"number", u64::from(number));
    t.append_message(b"manifest", manifest);
    Eid(hash32(t))
}

/// The digest of the generators that a manifest names (spec 2.1).
#[must_use]
pub fn generators(encodings: impl Iterator<Item = [u8; 32]>) -> Digest {
    let mut t = Transcript::new(b"psephos generators v1");
    for encoding in encodings {
        t.append_message(b"generator", &encoding);
    }
    Digest(hash32(t))
}

/// The digest δ of a ballot's polynomial commitments (spec 5.2).
#[must_use]
pub fn dealing(bytes: &[u8]) -> Digest {
    digest(b"psephos dealing v1", b"dealing", bytes)
}

/// The transcript of a ballot's range proof, after everything public was absorbed (spec 6.2).
#[must_use]
pub fn range_proof(statement: &[u8]) -> Transcript {
    let mut t = Transcript::new(b"psephos ballot v1");
    t.append_message(b"statement", statement);
    t
}

/// What prover and verifier of a range proof say (spec 6.2.2): labels and order are those of the
/// `bulletproofs` crate, version 5.
pub(crate) trait ProofTranscript {
    /// An aggregated range proof of that shape starts.
    fn start_range_proof(&mut self, shape: Shape);
    /// Its inner-product argument starts.
    fn start_inner_product(&mut self, shape: Shape);
    /// A point.
    fn point(&mut self, label: &'static [u8], point: &CompressedRistretto);
    /// A point of a proof; `None` if it is the identity.
    fn point_not_identity(&mut self, label: &'static [u8], point: &CompressedRistretto) -> Option<()>;
    /// A scalar.
    fn scalar(&mut self, label: &'static [u8], scalar: &Scalar);
    /// A challenge: 64 bytes, mod ℓ.
    fn challenge(&mut self, label: &'static [u8]) -> Scalar;
}

impl ProofTranscript for Transcript {
    fn start_range_proof(&mut self, shape: Shape) {
        self.append_message(b"dom-sep", b"rangeproof v1");
        self.append_u64(b"n", u64::from(shape.width));
        self.append_u64(b"m", shape.statements as u64);
    }

    fn start_inner_product(&mut self, shape: Shape) {
        self.append_message(b"dom-sep", b"ipp v1");
        self.append_u64(b"n", shape.bits() as u64);
    }

    fn point(&mut self, label: &'static [u8], point: &CompressedRistretto) {
        self.append_message(label, point.as_bytes());
    }

    fn point_not_identity(&mut self, label: &'static [u8], point: &CompressedRistretto) -> Option<()> {
        self.point(label, point);
        (!point.is_identity()).then_some(())
    }

    fn scalar(&mut self, label: &'static [u8], scalar: &Scalar) {
        self.append_message(label, scalar.as_bytes());
    }

    fn challenge(&mut self, label: &'static [u8]) -> Scalar {
        let mut bytes = [0u8; 64];
        self.challenge_bytes(label, &mut bytes);
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}

/// The ballot hash (spec 6.3): of the canonical bytes of the whole ballot, proof included.
#[must_use]
pub fn ballot_hash(bytes: &[u8]) -> BallotHash {
    let mut t = Transcript::new(b"psephos ballot hash v1");
    t.append_message(b"ballot", bytes);
    BallotHash(hash32(t))
}

/// The expander of a ballot's seed (spec 5.1): its context decides every random value.
#[must_use]
pub fn ballot_randomness(seed: &[u8; 64], context: &[u8], choices: &[u8]) -> Expander {
    let mut t = Transcript::new(b"psephos ballot randomness v1");
    t.append_message(b"seed", seed);
    t.append_message(b"context", context);
    t.append_message(b"choices", choices);
    Expander(t)
}

/// Public coins of a verifier (spec 6.4.10): weights that combine equations, fixed by all that is
/// verified together, and not before. Of each ballot are given the bytes that fix it.
#[must_use]
pub fn verifier_randomness<'a>(ballots: impl Iterator<Item = &'a [u8]>) -> Expander {
    let mut t = Transcript::new(b"psephos verifier v1");
    ballots.for_each(|bytes| t.append_message(b"ballot", bytes));
    Expander(t)
}

/// The next head of an append-only log (spec 4.4 and 6.6): hash of the last head and the new item.
#[must_use]
pub fn log(head: &Digest, item: &[u8]) -> Digest {
    let mut t = Transcript::new(b"psephos log v1");
    t.append_message(b"head", &head.0);
    t.append_message(b"item", item);
    Digest(hash32(t))
}

/// The digest of a batch of roll entries (spec 4.2).
#[must_use]
pub fn batch(entries: &[u8]) -> Digest {
    digest(b"psephos roll batch v1", b"entries", entries)
}

/// The salted hash of a person's identifier on the roll (spec 4.1).
#[must_use]
pub fn person(salt: &[u8; 32], identifier: &[u8]) -> Digest {
    let mut t = Transcript::new(b"psephos person v1");
    t.append_message(b"salt", salt);
    t.append_message(b"identifier", identifier);
    Digest(hash32(t))
}

/// A leaf of the Merkle tree over the accepted set (spec 7.2).
#[must_use]
pub fn accepted_leaf(bytes: &[u8]) -> Digest {
    digest(b"psephos accepted leaf v1", b"leaf", bytes)
}

/// An inner node of the Merkle tree over the accepted set (spec 7.2).
#[must_use]
pub fn accepted_node(left: &Digest, right: &Digest) -> Digest {
    let mut t = Transcript::new(b"psephos accepted node v1");
    t.append_message(b"left", &left.0);
    t.append_message(b"right", &right.0);
    Digest(hash32(t))
}

/// What the parts and sums of a repair are bound to (spec 5.9): the request for it.
#[must_use]
pub fn repair(request: &[u8]) -> Digest {
    digest(b"psephos repair v1", b"request", request)
}

/// The digest of a board action, under which approvals are collected (spec 3.4).
#[must_use]
pub fn action(bytes: &[u8]) -> Digest {
    digest(b"psephos action v1", b"action", bytes)
}

/// The digest of a team of trustees, which rehearses (spec 3.8).
#[must_use]
pub fn trustees(bytes: &[u8]) -> Digest {
    digest(b"psephos trustees v1", b"trustees", bytes)
}

/// The digest of a result, which the board certifies (spec 7.6).
#[must_use]
pub fn result(eid: &Eid, set: &Digest, result: &[u8]) -> Digest {
    let mut t = Transcript::new(b"psephos result v1");
    t.append_message(b"eid", &eid.0);
    t.append_message(b"set", &set.0);
    t.append_message(b"result", result);
    Digest(hash32(t))
}

/// The checksum of a tracking code or an invitation code: leading bits of a hash.
#[must_use]
pub fn checksum(purpose: &'static [u8], bytes: &[u8]) -> [u8; 32] {
    let mut t = Transcript::new(b"psephos checksum v1");
    t.append_message(b"purpose", purpose);
    t.append_message(b"bytes", bytes);
    hash32(t)
}

/// The public context of a registration, which invitation and credential both sign (spec 4.3).
#[must_use]
pub fn registration(entry: u32, credential: &PublicKey) -> Vec<u8> {
    codec::Encode::encode(&(entry, credential))
}

/// Bytes squeezed from a transcript: a deterministic generator (spec 2.5).
///
/// Each request is one Merlin challenge, so that the stream depends on how it is read; the order
/// of reads is part of the specification.
pub struct Expander(Transcript);

impl RngCore for Expander {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0u8; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0u8; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.challenge_bytes(b"random", dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Expander {}
