//! An election in this process, with everything that is timed of it.

use bounded_collections::BoundedVec;
use psephos_client::voter::generators;
use psephos_protocol::{
    ballot::{prepare, Ballotpaper, CastBallot, Checks, Prepared, Seed, Signed, Terms},
    election::Election,
    envelope::{seal, Envelope},
    ids::{Anchor, BallotHash, Genesis},
    range_proof::Generators,
    receipt::Receipt,
    shares::Share,
};
use psephos_trustee::Keys;
use rand_core::OsRng;

use super::{
    form::Form,
    keyring::{self, Keyring},
};
use crate::error::CliError;

/// An election with its keys, on no chain.
pub struct Sample {
    /// What is on the ballot.
    pub form: Form,
    /// The election.
    pub election: Election,
    /// Its generators.
    pub generators: Generators,
    /// What its ballots are checked against.
    pub checks: Checks,
    /// The trustees' keys, trustee 1 first.
    pub trustees: Vec<Keys>,
    keyring: Keyring,
}

impl Sample {
    /// An election of n trustees of whom t open the tally; q is the least allowed.
    ///
    /// # Errors
    /// [`CliError::Input`] naming the rule of the manifest that it breaks.
    pub fn new(form: Form, trustees: u8, threshold: u8) -> Result<Self, CliError> {
        let keyring = Keyring([7; 32]);
        let manifest = keyring::manifest(&form, &keyring, keyring.trustees(trustees)?, threshold, 1_000_000)?;
        let election = Election::new(Genesis([1; 32]), 0, manifest).map_err(CliError::input)?;
        Ok(Self {
            form,
            generators: generators(&election),
            checks: Checks::new(Terms::of(&election, 0).map_err(CliError::input)?),
            election,
            trustees: (1..=trustees).map(|index| keyring.trustee(index)).collect(),
            keyring,
        })
    }

    /// The keys of all who take part.
    #[cfg(test)]
    pub fn keyring(&self) -> Keyring {
        self.keyring
    }

    /// Prepares a ballot of the voter in that place.
    ///
    /// # Errors
    /// [`CliError::Integrity`] when what was prepared does not verify.
    pub fn prepare(&self, voter: u32) -> Result<Prepared, CliError> {
        let anchor = Anchor { number: 10, hash: [10; 32] };
        let paper = Ballotpaper {
            style: 0,
            credential: self.keyring.voter(voter).public(),
            sequence: 1,
            anchor,
            expiry: 100,
        };
        let choices = self.form.choices(u64::from(voter));
        prepare(&self.election, &self.generators, paper, choices, Seed::generate(&mut OsRng))
            .map_err(|error| CliError::Integrity(error.to_string()))
    }

    /// Prepares and signs a ballot.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn sign(&self, voter: u32) -> Result<Signed, CliError> {
        Ok(self.prepare(voter)?.cast(&self.election, &self.keyring.voter(voter), &mut OsRng))
    }

    /// Seals a signed ballot's shares, one envelope per trustee.
    ///
    /// # Errors
    /// [`CliError::Input`] when a trustee's key is none.
    pub fn seal(&self, signed: &mut Signed) -> Result<Vec<Envelope>, CliError> {
        seal(&self.election, &signed.hash, &signed.shares, &mut signed.randomness).map_err(CliError::input)
    }

    /// Opens a trustee's envelope; trustees are counted from 1.
    ///
    /// # Errors
    /// [`CliError::Integrity`] when it does not open.
    pub fn open(
        &self,
        signed: &Signed,
        envelope: &Envelope,
        (index, keys): (u8, &Keys),
    ) -> Result<Share, CliError> {
        let options = self.election.manifest.columns();
        let opened = keys.kem.open(envelope, &self.election.eid, &signed.hash, index, options);
        opened.map_err(|error| CliError::Integrity(error.to_string()))
    }

    /// A trustee's receipt; trustees are counted from 1.
    #[must_use]
    pub fn receipt(&self, ballot: &BallotHash, (index, keys): (u8, &Keys)) -> Receipt {
        Receipt::sign(&self.election, index, &keys.signing, ballot, 12, &mut OsRng)
    }

    /// A signed ballot with q receipts.
    #[must_use]
    pub fn cast(&self, signed: &Signed) -> CastBallot {
        let quorum = usize::from(self.election.manifest.quorum);
        let receipts =
            (1..).zip(&self.trustees).take(quorum).map(|trustee| self.receipt(&signed.hash, trustee));
        CastBallot { signed: signed.ballot.clone(), receipts: BoundedVec::truncate_from(receipts.collect()) }
    }
}
