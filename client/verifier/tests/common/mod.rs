//! A whole election as a record, built offline: what the tests tamper with.
#![allow(dead_code)] // Each test file uses a part.

use codec::{Compact, Encode};
use psephos_protocol::{
    agreement::SetStatement,
    board::{Action, Board},
    contest::Rule,
    declaration::Missing,
    ids::{Anchor, Digest},
    keys::SigningKey,
    manifest::Manifest,
    record::{frame, RecordBlock, RecordHeader, MAGIC},
    roll::{Access, Registration, RollEvent},
    tally::Finalize,
    testing::{contest, set_statement, Counted, Fixture, Params},
    transcript,
    wire::Message,
};
use psephos_verifier::{report::Verdict, verify, Options, Report};

/// The number of the record's first block.
pub const FIRST: u32 = 100;
/// The parent of the record's first block.
const GRANDPARENT: [u8; 32] = [9; 32];
/// ms from block to block, and per slot.
pub const SLOT: u64 = 2_000;
const EPOCH: u64 = 1_700_000_000_000;

/// Where each act happens, by the block's place in the record.
pub const CREATE: usize = 0;
pub const ACCEPT: usize = 1;
pub const ROLL: usize = 2;
pub const REGISTER: usize = 3;
pub const FREEZE: usize = 4;
pub const OPENS: usize = 5;
pub const CAST: usize = 7;
pub const RECAST: usize = 8;
pub const CLOSES: usize = 10;
pub const DECLARE: usize = 11;
pub const AGREE: usize = 12;
pub const CONTRIBUTE: usize = 13;
pub const FINALIZE: usize = 14;
pub const CERTIFY: usize = 15;

/// The time of the block at that place.
pub fn time(place: usize) -> u64 {
    EPOCH + place as u64 * SLOT
}

/// An election as it happened.
#[derive(Clone)]
pub struct World {
    pub fixture: Fixture,
    pub invitation: SigningKey,
    /// Every accepted ballot, in order.
    pub cast: Vec<Counted>,
    /// The messages of each block.
    pub blocks: Vec<Vec<Message>>,
    pub times: Vec<u64>,
    pub roll: Digest,
}

/// Four voters: three with a credential on the roll, the last by invitation; the first votes twice.
pub fn params() -> Params {
    Params { voters: vec![1; 4], contests: vec![contest(3, Rule::plurality())], ..Params::default() }
}

impl World {
    /// The honest election.
    pub fn honest() -> Self {
        Self::of(&params(), |_| ())
    }

    /// The election of these parameters, up to its certification.
    pub fn of(params: &Params, change: impl FnOnce(&mut Manifest)) -> Self {
        let mut world = Self::voted(params, change);
        world.tally();
        world
    }

    /// The election of these parameters, up to the last ballot.
    pub fn voted(params: &Params, change: impl FnOnce(&mut Manifest)) -> Self {
        let mut fixture = Fixture::with(params, |manifest| {
            (manifest.opens_at, manifest.closes_at) = (time(OPENS), time(CLOSES));
            change(manifest);
        });
        fixture.anchor = anchor(OPENS);
        fixture.expiry = FIRST + 40;
        let mut world = Self {
            invitation: SigningKey::from_seed([77; 32]),
            cast: Vec::new(),
            blocks: vec![Vec::new(); CERTIFY + 1],
            times: (0..=CERTIFY).map(time).collect(),
            roll: Digest::default(),
            fixture,
        };
        world.set_up(params.number);
        world.open_roll();
        let last = world.fixture.voters.len() - 1;
        for (voter, choice, place) in
            [(0, 0, CAST), (1, 1, CAST), (2, 1, RECAST), (0, 2, RECAST), (last, 1, RECAST)]
        {
            world.vote(voter, choice, place);
        }
        world
    }

    fn set_up(&mut self, number: u32) {
        let manifest = self.fixture.election.manifest.clone();
        self.act(CREATE, Action::CreateElection { number, manifest });
        for trustee in 1..=self.fixture.trustees.len() as u8 {
            let acceptance = self.fixture.accept(trustee);
            self.blocks[ACCEPT].push(Message::Accept(acceptance));
        }
    }

    fn open_roll(&mut self) {
        let eid = self.fixture.election.eid;
        let mut entries: Vec<_> =
            (0..self.fixture.voters.len()).map(|voter| self.fixture.entry(voter)).collect();
        let count = entries.len() as u32;
        let last = entries.last_mut().expect("there are voters");
        last.access = Access::Invitation(vec![self.invitation.public()].try_into().expect("one key"));
        let batch = self.fixture.batch(0, entries);
        let digest = batch.digest();
        self.blocks[ROLL].push(Message::AddBatch(batch));
        self.act(ROLL, Action::ConfirmBatch { eid, batch: 0, digest });
        let claim = self.register(count - 1, count as usize - 1);
        let credential = claim.credential;
        self.blocks[REGISTER].push(Message::Register(claim));
        let confirmed = RollEvent::Confirmed { batch: 0, digest, first: 0, count };
        let registered = RollEvent::Registered { entry: count - 1, credential };
        self.roll = registered.append_to(&confirmed.append_to(&Digest::default()));
        let roll = self.roll;
        self.act(FREEZE, Action::Freeze { eid, roll });
    }

    /// A voter's claim of an entry, with the invitation's signature.
    pub fn register(&mut self, entry: u32, voter: usize) -> Registration {
        let (election, rng) = (&self.fixture.election, &mut self.fixture.rng);
        let key = &self.fixture.voters[voter].key;
        let payload = transcript::registration(entry, &key.public());
        let invited = self.invitation.sign(&Registration::invitation_signable(election, 0, &payload), rng);
        let possession = key.sign(&Registration::possession_signable(election, &payload), rng);
        Registration {
            eid: election.eid,
            entry,
            credential: key.public(),
            invitations: vec![invited].try_into().expect("one signature"),
            possession,
        }
    }

    /// A voter votes for one option.
    pub fn vote(&mut self, voter: usize, choice: usize, place: usize) {
        let key = self.fixture.voters[voter].key.public();
        let earlier = self.cast.iter().filter(|ballot| ballot.cast.signed.ballot.statement.credential == key);
        let sequence = earlier.count() as u32 + 1;
        let votes = self.votes(choice);
        let ballot = self.fixture.cast(voter, sequence, &votes);
        self.blocks[place].push(Message::Cast(ballot.cast.clone()));
        self.cast.push(ballot);
    }

    /// One vote for an option, in each contest.
    pub fn votes(&self, choice: usize) -> Vec<Vec<u32>> {
        let contests = self.fixture.election.manifest.contests.iter();
        contests
            .map(|contest| (0..contest.len()).map(|option| u32::from(option == choice)).collect())
            .collect()
    }

    /// Agreement to certification.
    pub fn tally(&mut self) {
        let log = set_statement(&self.cast, anchor(CLOSES)).log;
        let counted = self.counted();
        self.tally_of(counted, log);
    }

    /// Trustees declare that they lack a voter's ballot; with all that follows for the set without it.
    pub fn tally_without(&mut self, voter: usize, declaring: &[u8]) {
        let log = set_statement(&self.cast, anchor(CLOSES)).log;
        let mut counted = self.counted();
        let key = self.fixture.voters[voter].key.public();
        for trustee in declaring {
            let missing = Missing::Listed(vec![key].try_into().expect("one"));
            let declaration = self.fixture.declare(*trustee, anchor(CLOSES), missing);
            self.blocks[DECLARE].push(Message::Declare(declaration));
        }
        counted.retain(|ballot| ballot.cast.signed.ballot.statement.credential != key);
        self.tally_of(counted, log);
    }

    fn tally_of(&mut self, counted: Vec<Counted>, log: Digest) {
        let eid = self.fixture.election.eid;
        let statement = SetStatement { log, ..set_statement(&counted, anchor(CLOSES)) };
        for trustee in 1..=3 {
            let agreement = self.fixture.agree(trustee, statement);
            self.blocks[AGREE].push(Message::Agree(agreement));
            let contribution = self.fixture.contribute(trustee, &counted);
            self.blocks[CONTRIBUTE].push(Message::Contribute(contribution));
        }
        let given: Vec<_> = self.blocks[CONTRIBUTE]
            .iter()
            .take(2)
            .filter_map(|message| match message {
                Message::Contribute(contribution) => Some(contribution.clone()),
                _ => None,
            })
            .collect();
        let contributors = vec![1, 2].try_into().expect("two trustees");
        self.blocks[FINALIZE].push(Message::Finalize(Finalize { eid, contributors }));
        let result = self.fixture.result(&counted, &given).digest(&eid, &statement.root);
        self.act(CERTIFY, Action::Certify { eid, result });
        self.cast.extend(counted);
    }

    /// Takes the ballots that count out of those cast.
    pub fn counted(&mut self) -> Vec<Counted> {
        let mut counted: Vec<Counted> = Vec::new();
        for ballot in self.cast.drain(..) {
            let key = ballot.cast.signed.ballot.statement.credential;
            counted.retain(|other| other.cast.signed.ballot.statement.credential != key);
            counted.push(ballot);
        }
        counted
    }

    /// Two members of the board act.
    pub fn act(&mut self, place: usize, action: Action) {
        for member in [0, 1] {
            let approval = self.fixture.approve(action.clone(), member);
            self.blocks[place].push(Message::Approve(approval));
        }
    }

    pub fn board(&self) -> Board {
        self.fixture.election.manifest.board.clone()
    }

    pub fn header(&self) -> RecordHeader {
        let election = &self.fixture.election;
        RecordHeader { version: 1, genesis: election.genesis, board: self.board(), eid: election.eid }
    }

    /// The record's frames: the header's, then one per block.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut frames = vec![frame(&self.header())];
        let mut parent = GRANDPARENT;
        for (place, messages) in self.blocks.iter().enumerate() {
            let (header, messages) = (header_with(parent, place, time(place) / SLOT), messages.clone());
            parent = hash(&header);
            frames.push(frame(&RecordBlock { header, time: self.times[place], messages }));
        }
        frames
    }

    pub fn bytes(&self) -> Vec<u8> {
        [MAGIC.to_vec(), self.frames().concat()].concat()
    }

    pub fn verify(&self) -> Report {
        verify_bytes(&self.bytes())
    }
}

pub fn verify_bytes(bytes: &[u8]) -> Report {
    verify(bytes, &Options::default()).expect("memory can be read")
}

/// The header of the block at that place: parent, number, roots, and a digest with Aura's slot.
pub fn header_with(parent: [u8; 32], place: usize, slot: u64) -> Vec<u8> {
    let mut bytes = (parent, Compact(FIRST + place as u32), [1u8; 32], [2u8; 32]).encode();
    // One digest item: PreRuntime (6), engine, slot.
    (Compact(1u32), 6u8, *b"aura", slot.encode()).encode_to(&mut bytes);
    bytes
}

pub fn hash(header: &[u8]) -> [u8; 32] {
    let digest = blake2b_simd::Params::new().hash_length(32).hash(header);
    digest.as_bytes().try_into().expect("32 bytes")
}

/// The block at that place, after the one before with this hash.
pub fn anchor_after(parent: Option<[u8; 32]>, place: usize) -> Anchor {
    let header = header_with(parent.unwrap_or(GRANDPARENT), place, time(place) / SLOT);
    Anchor { number: FIRST + place as u32, hash: hash(&header) }
}

/// The block at that place.
pub fn anchor(place: usize) -> Anchor {
    let first = anchor_after(None, 0);
    (1..=place).fold(first, |before, place| anchor_after(Some(before.hash), place))
}

/// The number of the check that failed; panics with the report if none did.
pub fn failed(report: &Report) -> u8 {
    assert!(!report.verified(), "this must not verify:\n{report}");
    let failed: Vec<u8> = report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Failed)
        .map(|check| check.number)
        .collect();
    assert_eq!(failed.len(), 1, "one check fails:\n{report}");
    failed[0]
}
