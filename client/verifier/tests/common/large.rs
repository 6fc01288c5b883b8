//! Records of any number of ballots, made on all cores and written block by block.
#![allow(dead_code)] // Each user takes a part.

use std::io::{self, Write};

use psephos_protocol::{
    agreement::{Accepted, AcceptedSet, SetStatement},
    ballot::{prepare, CastBallot, Choices, Seed},
    board::Action,
    bounds::{MAX_BATCH, MAX_LIFETIME},
    cells::Cells,
    contest::Rule,
    ids::{Anchor, BallotHash, Digest},
    receipt::Receipt,
    record::{frame, RecordBlock, RecordHeader, MAGIC},
    roll::RollEvent,
    shares::Share,
    tally::{reconstruct, Contribution, ElectionResult, Finalize, ShareSums, Turnouts},
    testing::{contest, Fixture, Params},
    transcript,
    wire::Message,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rayon::prelude::*;

use super::common::{hash, header_with, time, FIRST, SLOT};

/// Ballots in a block.
pub const PER_BLOCK: usize = 1_000;

/// What a large record is made of: one plurality.
#[derive(Clone, Copy)]
pub struct Large {
    pub voters: usize,
    /// So many of them, the first ones, vote a second time.
    pub again: usize,
    pub options: usize,
    pub trustees: u8,
    pub threshold: u8,
    pub quorum: u8,
}

impl Large {
    /// Ballots in the record.
    pub fn ballots(&self) -> usize {
        self.voters + self.again
    }

    /// What a voter's ballot is for: the second one is for the next option.
    fn choice(&self, voter: usize, sequence: u32) -> usize {
        (voter + sequence as usize - 1) % self.options
    }

    /// The totals of the options.
    pub fn totals(&self) -> Vec<u64> {
        let mut totals = vec![0; self.options];
        for voter in 0..self.voters {
            totals[self.choice(voter, 1 + u32::from(voter < self.again))] += 1;
        }
        totals
    }

    /// Writes the record.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let all: Vec<(usize, u32)> =
            (0..self.voters).map(|voter| (voter, 1)).chain((0..self.again).map(|voter| (voter, 2))).collect();
        let blocks = all.len().div_ceil(PER_BLOCK);
        let opens = 2 + self.voters.div_ceil(MAX_BATCH as usize) + 1;
        let closes = opens + 1 + blocks;
        let params = Params {
            contests: vec![contest(self.options, Rule::plurality())],
            trustees: self.trustees,
            threshold: self.threshold,
            quorum: self.quorum,
            voters: vec![1; self.voters],
            ..Params::default()
        };
        let mut fixture = Fixture::with(&params, |manifest| {
            (manifest.opens_at, manifest.closes_at) = (time(opens), time(closes));
            manifest.max_voters = self.voters as u32;
        });
        let mut chain = Chain { out, parent: [9; 32], place: 0 };
        chain.begin(&fixture)?;
        set_up(&mut fixture, &mut chain)?;
        assert_eq!(chain.place, opens);
        fixture.anchor = chain.block(Vec::new())?;
        fixture.expiry = fixture.anchor.number + MAX_LIFETIME;

        let election = fixture.election.clone();
        let manifest = &election.manifest;
        let cells = Cells::all(manifest);
        let (mut set, mut log) = (AcceptedSet::default(), Digest::default());
        let mut turnout = Turnouts::new(manifest, 1);
        let mut shares = vec![ShareSums::new(manifest, &cells); usize::from(self.threshold)];
        for voters in all.chunks(PER_BLOCK) {
            let made: Vec<Made> = voters
                .par_iter()
                .map(|(voter, sequence)| made(&fixture, *voter, *sequence, self.choice(*voter, *sequence)))
                .collect();
            let mut messages = Vec::new();
            for ((voter, sequence), made) in voters.iter().zip(made) {
                log = transcript::log(&log, &made.hash.0);
                let accepted = Accepted { sequence: *sequence, ballot: made.hash, weight: 1, unit: 0 };
                set.accept(fixture.voters[*voter].key.public(), accepted);
                if *sequence == 2 || *voter >= self.again {
                    turnout.add(manifest, 0, 0, 1).expect("it fits");
                    for (sums, share) in shares.iter_mut().zip(&made.shares) {
                        sums.add(manifest, 0, 0, 1, share).expect("it fits");
                    }
                }
                messages.push(Message::Cast(made.cast));
            }
            chain.block(messages)?;
        }
        let closing = chain.block(Vec::new())?;
        let statement = SetStatement { closing, root: set.root(), ballots: set.len() as u32, log };
        tally(&mut fixture, &mut chain, statement, turnout, &shares)?;
        chain.out.flush()
    }
}

/// A ballot with the shares of its trustees.
struct Made {
    cast: CastBallot,
    hash: BallotHash,
    shares: Vec<Share>,
}

/// A voter's ballot, with randomness of its own.
fn made(fixture: &Fixture, voter: usize, sequence: u32, choice: usize) -> Made {
    let mut rng = ChaCha20Rng::seed_from_u64((voter as u64) << 8 | u64::from(sequence));
    let election = &fixture.election;
    let contests = election.manifest.contests.iter();
    let votes =
        contests.map(|contest| (0..contest.len()).map(|option| u32::from(option == choice)).collect());
    let (paper, seed) = (fixture.paper(voter, sequence), Seed::generate(&mut rng));
    let signed = prepare(election, &fixture.generators, paper, Choices(votes.collect()), seed)
        .expect("the votes are valid")
        .cast(election, &fixture.voters[voter].key, &mut rng);
    let trustees = (1u8..).zip(&fixture.trustees).take(usize::from(election.manifest.quorum));
    let receipts: Vec<Receipt> = trustees
        .map(|(index, keys)| {
            Receipt::sign(election, index, &keys.signing, &signed.hash, fixture.height, &mut rng)
        })
        .collect();
    let receipts = receipts.try_into().expect("no more than trustees");
    Made { cast: CastBallot { signed: signed.ballot, receipts }, hash: signed.hash, shares: signed.shares }
}

/// The chain whose blocks are written.
struct Chain<W> {
    out: W,
    parent: [u8; 32],
    place: usize,
}

impl<W: Write> Chain<W> {
    fn begin(&mut self, fixture: &Fixture) -> io::Result<()> {
        let election = &fixture.election;
        let header = RecordHeader {
            version: 1,
            genesis: election.genesis,
            board: election.manifest.board.clone(),
            eid: election.eid,
        };
        self.out.write_all(&MAGIC)?;
        self.out.write_all(&frame(&header))
    }

    fn block(&mut self, messages: Vec<Message>) -> io::Result<Anchor> {
        let header = header_with(self.parent, self.place, time(self.place) / SLOT);
        let anchor = Anchor { number: FIRST + self.place as u32, hash: hash(&header) };
        self.out.write_all(&frame(&RecordBlock { header, time: time(self.place), messages }))?;
        self.parent = anchor.hash;
        self.place += 1;
        Ok(anchor)
    }
}

/// Two members of the board act.
fn act(fixture: &mut Fixture, action: &Action) -> Vec<Message> {
    [0, 1].map(|member| Message::Approve(fixture.approve(action.clone(), member))).to_vec()
}

/// Creation to freeze.
fn set_up<W: Write>(fixture: &mut Fixture, chain: &mut Chain<W>) -> io::Result<()> {
    let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
    let trustees = manifest.trustees.len() as u8;
    chain.block(act(fixture, &Action::CreateElection { number: 1, manifest }))?;
    chain.block((1..=trustees).map(|trustee| Message::Accept(fixture.accept(trustee))).collect())?;
    let mut roll = Digest::default();
    let voters: Vec<usize> = (0..fixture.voters.len()).collect();
    for (batch, voters) in (0u32..).zip(voters.chunks(MAX_BATCH as usize)) {
        let entries: Vec<_> = voters.iter().map(|voter| fixture.entry(*voter)).collect();
        let proposed = fixture.batch(batch, entries);
        let digest = proposed.digest();
        let (first, count) = (voters[0] as u32, voters.len() as u32);
        roll = RollEvent::Confirmed { batch, digest, first, count }.append_to(&roll);
        let mut messages = vec![Message::AddBatch(proposed)];
        messages.extend(act(fixture, &Action::ConfirmBatch { eid, batch, digest }));
        chain.block(messages)?;
    }
    chain.block(act(fixture, &Action::Freeze { eid, roll }))?;
    Ok(())
}

/// Agreement to certification.
fn tally<W: Write>(
    fixture: &mut Fixture,
    chain: &mut Chain<W>,
    statement: SetStatement,
    turnout: Turnouts,
    shares: &[ShareSums],
) -> io::Result<()> {
    let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
    let agreements = (1..=manifest.quorum).map(|trustee| Message::Agree(fixture.agree(trustee, statement)));
    chain.block(agreements.collect())?;
    let contributions: Vec<Contribution> = (1u8..)
        .zip(shares)
        .map(|(trustee, sums)| {
            let Fixture { election, trustees, rng, .. } = fixture;
            let key = &trustees[usize::from(trustee) - 1].signing;
            Contribution::sign(election, trustee, key, statement.root, sums.columns(), rng)
        })
        .collect();
    let given: Vec<_> = contributions.iter().map(|given| (given.trustee, &given.sums)).collect();
    let openings = reconstruct(&manifest, &given).expect("they fit");
    let contributors: Vec<u8> = given.iter().map(|(trustee, _)| *trustee).collect();
    let contributors = contributors.try_into().expect("no more than trustees");
    let result = ElectionResult { openings, turnout, contributors };
    chain.block(contributions.into_iter().map(Message::Contribute).collect())?;
    let finalize = Finalize { eid, contributors: result.contributors.clone() };
    chain.block(vec![Message::Finalize(finalize)])?;
    let result = result.digest(&eid, &statement.root);
    chain.block(act(fixture, &Action::Certify { eid, result }))?;
    Ok(())
}
