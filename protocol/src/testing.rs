//! A small election with all its keys, from a seed: what tests of every crate start from.
//!
//! Everything is deterministic: the same [`Params`] give the same keys, election and ballots. The
//! keys are therefore public; nothing outside tests may use this module, and no default feature
//! turns it on. Functions panic where a fixture can't be made.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use alloc::{format, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::Encode;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use crate::{
    agreement::{Acceptance, Accepted, AcceptedSet, Agreement, SetStatement},
    ballot::{prepare, Ballotpaper, CastBallot, Choices, PrepareError, Prepared, Seed, Signed},
    board::{Action, Approval, Board},
    bounds::{text, Text},
    cells::{Cells, Groups},
    contest::{Contest, Rule},
    declaration::{Declaration, Missing},
    election::Election,
    endpoint::{Announcement, Endpoint},
    envelope::{seal, Deposit, KemKey},
    ids::{Anchor, BallotHash, Digest, Genesis},
    keys::SigningKey,
    manifest::{Manifest, Style, Trustee},
    range_proof::{Generators, GENERATORS_DIGEST},
    receipt::Receipt,
    roll::{batch_signable, Access, RollBatch, RollEntry},
    shares::Share,
    tally::{CommitmentSums, Contribution, ElectionResult, ShareSums, Turnouts},
    transcript,
};

/// What a test election is made of.
#[derive(Clone)]
pub struct Params {
    /// The seed of every key and of all randomness.
    pub seed: u64,
    /// The chain.
    pub genesis: Genesis,
    /// The election's number.
    pub number: u32,
    /// The contests; one style has all of them.
    pub contests: Vec<Contest>,
    /// n: trustees.
    pub trustees: u8,
    /// t.
    pub threshold: u8,
    /// q.
    pub quorum: u8,
    /// The voters' weights, one per voter; the manifest lists the different ones.
    pub voters: Vec<u64>,
    /// The voters' reporting units, one per voter; 0 of those beyond this list. The manifest has as many as are named.
    pub units: Vec<u16>,
    /// Whether totals are per cell.
    pub by_unit: bool,
}

impl Default for Params {
    /// One plurality of three options, n = 4, t = 2, q = 3, three voters of weight 1, all in one unit.
    fn default() -> Self {
        Self {
            seed: 0,
            genesis: Genesis([7; 32]),
            number: 1,
            contests: alloc::vec![contest(3, Rule::plurality())],
            trustees: 4,
            threshold: 2,
            quorum: 3,
            voters: alloc::vec![1; 3],
            units: Vec::new(),
            by_unit: false,
        }
    }
}

/// A contest with that many options.
#[must_use]
pub fn contest(options: usize, rule: Rule) -> Contest {
    let options: Vec<Text> = (1..=options).map(|option| name(&format!("Option {option}"))).collect();
    Contest { title: name("Question"), options: bounded(options), rule }
}

/// A name as the manifest holds it.
#[must_use]
pub fn name(value: &str) -> Text {
    text(value).expect("names of tests are short")
}

fn bounded<T, const N: u32>(items: Vec<T>) -> BoundedVec<T, ConstU32<N>> {
    BoundedVec::try_from(items).ok().expect("lists of tests are within bounds")
}

/// A trustee's keys.
#[derive(Clone)]
pub struct TrusteeKeys {
    /// Signs receipts, agreements and contributions.
    pub signing: SigningKey,
    /// Opens envelopes.
    pub kem: KemKey,
}

/// A voter with a credential on the roll itself.
#[derive(Clone)]
pub struct TestVoter {
    /// The credential.
    pub key: SigningKey,
    /// The weight.
    pub weight: u64,
    /// The style.
    pub style: u16,
    /// The reporting unit.
    pub unit: u16,
}

/// An election with all its keys. Tests may change any field.
#[derive(Clone)]
pub struct Fixture {
    /// The election.
    pub election: Election,
    /// Generators for all its styles.
    pub generators: Generators,
    /// The board's keys; use the same board for the chain.
    pub board: Vec<SigningKey>,
    /// The registrars' keys.
    pub registrars: Vec<SigningKey>,
    /// The trustees' keys, trustee 1 first.
    pub trustees: Vec<TrusteeKeys>,
    /// The voters, in the order of the roll.
    pub voters: Vec<TestVoter>,
    /// The anchor of the next ballots.
    pub anchor: Anchor,
    /// The expiry of the next ballots.
    pub expiry: u32,
    /// The finalized height in the next receipts.
    pub height: u32,
    /// All randomness.
    pub rng: ChaCha20Rng,
}

/// A cast ballot with what its trustees hold, and the weight that it counts with.
#[derive(Clone)]
pub struct Counted {
    /// What the chain accepted.
    pub cast: CastBallot,
    /// Its hash.
    pub hash: BallotHash,
    /// Each trustee's share, trustee 1 first.
    pub shares: Vec<Share>,
    /// The voter's weight.
    pub weight: u64,
    /// The voter's reporting unit.
    pub unit: u16,
}

impl Fixture {
    /// The election of these parameters.
    #[must_use]
    pub fn new(params: &Params) -> Self {
        Self::with(params, |_| ())
    }

    /// The election of these parameters, with a manifest that `change` had a last say in.
    #[must_use]
    pub fn with(params: &Params, change: impl FnOnce(&mut Manifest)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(params.seed);
        let mut keys = |count: usize| -> Vec<SigningKey> {
            (0..count).map(|_| SigningKey::generate(&mut rng)).collect()
        };
        let (board, registrars, signing) = (keys(3), keys(1), keys(usize::from(params.trustees)));
        let voters = params
            .voters
            .iter()
            .zip(keys(params.voters.len()))
            .zip(params.units.iter().copied().chain(core::iter::repeat(0)))
            .map(|((weight, key), unit)| TestVoter { key, weight: *weight, style: 0, unit })
            .collect();
        let trustees: Vec<TrusteeKeys> = signing
            .into_iter()
            .map(|signing| TrusteeKeys { signing, kem: KemKey::generate(&mut rng) })
            .collect();
        let mut manifest = manifest(params, &board, &registrars, &trustees);
        change(&mut manifest);
        let generators = Generators::covering(manifest.shapes());
        let election = Election::new(params.genesis, params.number, manifest)
            .expect("the manifest of a fixture is valid");
        let anchor = Anchor { number: 10, hash: [10; 32] };
        Self {
            election,
            generators,
            board,
            registrars,
            trustees,
            voters,
            anchor,
            expiry: 100,
            height: 12,
            rng,
        }
    }

    /// A board member's approval of an action.
    pub fn approve(&mut self, action: Action, member: u8) -> Approval {
        let key = &self.board[usize::from(member)];
        Approval::sign(&self.election.genesis, action, member, key, &mut self.rng)
    }

    /// The roll entry of a voter.
    #[must_use]
    pub fn entry(&self, voter: usize) -> RollEntry {
        let TestVoter { key, weight, style, unit } = &self.voters[voter];
        RollEntry {
            access: Access::Credential(key.public()),
            weight: *weight,
            style: *style,
            unit: *unit,
            person: transcript::person(&[0; 32], format!("voter {voter}").as_bytes()),
        }
    }

    /// The whole roll as one batch, signed by the first registrar.
    pub fn roll(&mut self) -> RollBatch {
        let entries = (0..self.voters.len()).map(|voter| self.entry(voter)).collect();
        self.batch(0, entries)
    }

    /// A batch of entries, signed by the first registrar.
    pub fn batch(&mut self, batch: u32, entries: Vec<RollEntry>) -> RollBatch {
        let entries = bounded(entries);
        let payload = (batch, transcript::batch(&entries.encode())).encode();
        let signature = self.registrars[0].sign(&batch_signable(&self.election, 0, &payload), &mut self.rng);
        RollBatch { eid: self.election.eid, registrar: 0, batch, entries, signature }
    }

    /// A trustee's acceptance of the election.
    pub fn accept(&mut self, trustee: u8) -> Acceptance {
        Acceptance::sign(&self.election, trustee, &self.trustees[place(trustee)].signing, &mut self.rng)
    }

    /// A trustee's statement of its address.
    pub fn announce(&mut self, trustee: u8, number: u8, url: &str) -> Announcement {
        let endpoint = Endpoint { number, url: name(url) };
        let key = &self.trustees[place(trustee)].signing;
        Announcement::sign(&self.election, trustee, key, endpoint, &mut self.rng)
    }

    /// What a voter's next ballot is prepared for.
    #[must_use]
    pub fn paper(&self, voter: usize, sequence: u32) -> Ballotpaper {
        let TestVoter { key, style, .. } = &self.voters[voter];
        Ballotpaper {
            style: *style,
            credential: key.public(),
            sequence,
            anchor: self.anchor,
            expiry: self.expiry,
        }
    }

    /// Prepares a voter's ballot under a fresh seed.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare(
        &mut self,
        voter: usize,
        sequence: u32,
        votes: &[Vec<u32>],
    ) -> Result<Prepared, PrepareError> {
        let (paper, seed) = (self.paper(voter, sequence), Seed::generate(&mut self.rng));
        prepare(&self.election, &self.generators, paper, Choices(votes.to_vec()), seed)
    }

    /// Prepares and signs a voter's ballot.
    pub fn sign(&mut self, voter: usize, sequence: u32, votes: &[Vec<u32>]) -> Signed {
        self.prepare(voter, sequence, votes).expect("the votes of a fixture are valid").cast(
            &self.election,
            &self.voters[voter].key,
            &mut self.rng,
        )
    }

    /// What each trustee is given of a signed ballot, trustee 1 first. Sealing it twice gives other envelopes.
    pub fn deposits(&self, signed: &mut Signed) -> Vec<Deposit> {
        seal(&self.election, &signed.hash, &signed.shares, &mut signed.randomness)
            .expect("the trustees of a fixture have keys")
            .into_iter()
            .map(|envelope| Deposit {
                ballot: signed.ballot.clone(),
                dealing: signed.dealing.clone(),
                envelope,
            })
            .collect()
    }

    /// A trustee's receipt for a ballot.
    pub fn receipt(&mut self, trustee: u8, ballot: &BallotHash) -> Receipt {
        let key = &self.trustees[place(trustee)].signing;
        Receipt::sign(&self.election, trustee, key, ballot, self.height, &mut self.rng)
    }

    /// A ballot with receipts of the first q trustees.
    pub fn cast(&mut self, voter: usize, sequence: u32, votes: &[Vec<u32>]) -> Counted {
        let signed = self.sign(voter, sequence, votes);
        let receipts = (1..=self.election.manifest.quorum).map(|i| self.receipt(i, &signed.hash)).collect();
        Counted {
            cast: CastBallot { signed: signed.ballot, receipts: bounded(receipts) },
            hash: signed.hash,
            shares: signed.shares,
            weight: self.voters[voter].weight,
            unit: self.voters[voter].unit,
        }
    }

    /// A trustee's declaration of what it can't serve.
    pub fn declare(&mut self, trustee: u8, closing: Anchor, missing: Missing) -> Declaration {
        let key = &self.trustees[place(trustee)].signing;
        Declaration::sign(&self.election, trustee, key, closing, missing, &mut self.rng)
    }

    /// A trustee's signature under a set.
    pub fn agree(&mut self, trustee: u8, statement: SetStatement) -> Agreement {
        Agreement::sign(
            &self.election,
            trustee,
            &self.trustees[place(trustee)].signing,
            statement,
            &mut self.rng,
        )
    }

    /// The cells of these ballots.
    #[must_use]
    pub fn cells(&self, ballots: &[Counted]) -> Cells {
        let manifest = &self.election.manifest;
        let mut groups = Groups::per_unit(manifest);
        for ballot in ballots {
            let style = ballot.cast.signed.ballot.statement.style;
            groups[manifest.counting_unit(ballot.unit)].add(manifest, ballot.weight, style);
        }
        Cells::of(manifest, &groups)
    }

    /// A trustee's contribution over these ballots, under their set's root.
    pub fn contribute(&mut self, trustee: u8, ballots: &[Counted]) -> Contribution {
        let (manifest, cells) = (&self.election.manifest, self.cells(ballots));
        let mut sums = ShareSums::new(manifest, &cells);
        for ballot in ballots {
            let style = ballot.cast.signed.ballot.statement.style;
            let (cell, share) = (ballot.cell(&cells), &ballot.shares[place(trustee)]);
            sums.add(manifest, cell, style, ballot.weight, share).expect("shares fit");
        }
        let key = &self.trustees[place(trustee)].signing;
        let root = accepted_set(ballots).root();
        Contribution::sign(&self.election, trustee, key, root, sums.columns(), &mut self.rng)
    }

    /// The sums of these ballots' commitments.
    #[must_use]
    pub fn sums(&self, ballots: &[Counted]) -> CommitmentSums {
        let (manifest, cells) = (&self.election.manifest, self.cells(ballots));
        let mut sums = CommitmentSums::new(manifest, cells.len());
        for ballot in ballots {
            let statement = &ballot.cast.signed.ballot.statement;
            let points: Vec<_> =
                statement.commitments.iter().map(|point| point.decompress().expect("a point")).collect();
            let (cell, style) = (ballot.cell(&cells), statement.style);
            sums.add_vartime(manifest, cell, style, ballot.weight, &points).expect("ballots fit");
        }
        sums
    }

    /// The result of these ballots from these contributions, not verified.
    #[must_use]
    pub fn result(&self, ballots: &[Counted], contributions: &[Contribution]) -> ElectionResult {
        let manifest = &self.election.manifest;
        let given: Vec<_> = contributions.iter().map(|c| (c.trustee, &c.sums)).collect();
        let openings = crate::tally::reconstruct(manifest, &given).expect("contributions fit");
        let cells = self.cells(ballots);
        let mut turnout = Turnouts::new(manifest, cells.len());
        for ballot in ballots {
            let style = ballot.cast.signed.ballot.statement.style;
            turnout.add(manifest, ballot.cell(&cells), style, ballot.weight).expect("ballots fit");
        }
        ElectionResult {
            openings,
            turnout,
            contributors: bounded(contributions.iter().map(|c| c.trustee).collect()),
        }
    }
}

impl Counted {
    /// The cell that it counts in.
    #[must_use]
    pub fn cell(&self, cells: &Cells) -> usize {
        cells.cell_of(self.unit).expect("the units of a fixture are the manifest's")
    }
}

/// The accepted set of these ballots, in chain order.
#[must_use]
pub fn accepted_set(ballots: &[Counted]) -> AcceptedSet {
    let mut set = AcceptedSet::default();
    for ballot in ballots {
        let statement = &ballot.cast.signed.ballot.statement;
        let Counted { hash, weight, unit, .. } = *ballot;
        let accepted = Accepted { sequence: statement.sequence, ballot: hash, weight, unit };
        set.accept(statement.credential, accepted);
    }
    set
}

/// What trustees sign under these ballots, all that were accepted, when the election closed at `closing`.
#[must_use]
pub fn set_statement(ballots: &[Counted], closing: Anchor) -> SetStatement {
    let set = accepted_set(ballots);
    let log = ballots.iter().fold(Digest::default(), |head, ballot| transcript::log(&head, &ballot.hash.0));
    SetStatement { closing, root: set.root(), ballots: set.len() as u32, log }
}

fn place(trustee: u8) -> usize {
    usize::from(trustee) - 1
}

fn manifest(
    params: &Params,
    board: &[SigningKey],
    registrars: &[SigningKey],
    trustees: &[TrusteeKeys],
) -> Manifest {
    let mut weights = params.voters.clone();
    weights.sort_unstable();
    weights.dedup();
    let units = params.units.iter().max().map_or(1, |highest| usize::from(*highest) + 1);
    let units = match units {
        1 => alloc::vec![name("Everywhere")],
        _ => (1..=units).map(|unit| name(&format!("Unit {unit}"))).collect(),
    };
    let all = (0..params.contests.len() as u16).collect();
    let trustees = trustees.iter().zip(1..).map(|(keys, index)| Trustee {
        name: name(&format!("Trustee {index}")),
        signing: keys.signing.public(),
        kem: keys.kem.public().expect("every seed gives a key"),
    });
    Manifest {
        version: crate::VERSION,
        title: name("Test election"),
        contests: bounded(params.contests.clone()),
        styles: bounded(alloc::vec![Style { name: name("All"), contests: bounded(all) }]),
        units: bounded(units),
        weights: bounded(weights),
        max_voters: params.voters.len().max(1_000) as u32,
        privacy_minimum: 1,
        small_groups_public: false,
        max_ballots: 5,
        trustees: bounded(trustees.collect()),
        threshold: params.threshold,
        quorum: params.quorum,
        board: Board { members: bounded(board.iter().map(SigningKey::public).collect()), threshold: 2 },
        registrars: bounded(registrars.iter().map(SigningKey::public).collect()),
        opens_at: 1_000_000,
        closes_at: 2_000_000,
        early_close: true,
        by_unit: params.by_unit,
        rehearsal: None,
        generators: GENERATORS_DIGEST,
    }
}

/// The digest of a text: some digest that is nothing else's.
#[must_use]
pub fn some_digest(text: &str) -> Digest {
    transcript::action(text.as_bytes())
}
