//! Double finality (spec 3.5, 7.2, 9.3): more than a third of the validators sign two histories of one election, which
//! fork before the close, and whose sets differ in one ballot. Trustees are shown one history each, later the other, by
//! the daemon's own code from the proof of finality to the contribution. However the honest ones are split, and
//! though t − 1 dishonest ones serve both sets, one set at most is opened: two would open that one ballot.

use codec::{Compact, Encode};
use ed25519_dalek::Signer;
use psephos_client::tally::{solve, Solution};
use psephos_protocol::{
    agreement::{AcceptedSet, SetStatement},
    ballot::CastBallot,
    board::Board,
    cells::Cells,
    declaration::Missing,
    envelope::Deposit,
    finality::{FinalityError, Validators},
    keys::verify_signature,
    tally::{Contribution, Turnout, Turnouts},
    testing::{set_statement, Counted, Fixture, Params},
};
use redb::{backends::InMemoryBackend, Database};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use super::*;
use crate::{
    follow::{read, Fact, FollowError, Follower},
    store::{Deposited, Keep},
    tally::{agree, contribute, declare, statement, TallyError},
};

/// The validators: two that sign anything, which are more than a third, and one that is shown each history.
const DISHONEST: [u8; 2] = [1, 2];
const SHOWN: [u8; 2] = [3, 4];

/// The votes of four voters for one of three options. The last ballot is in the second history alone.
const CHOICES: [usize; 4] = [1, 2, 1, 0];
const BALLOTS: [usize; 2] = [3, 4];
const TOTALS: [[u64; 3]; 2] = [[0, 2, 1], [1, 2, 1]];

fn hash(bytes: &[u8]) -> [u8; 32] {
    let digest = blake2b_simd::Params::new().hash_length(32).hash(bytes);
    digest.as_bytes().try_into().unwrap()
}

fn validator(index: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[index; 32])
}

/// The validators as the state of the first block lists them.
fn validators() -> Validators {
    let all = DISHONEST.into_iter().chain(SHOWN);
    let list: Vec<([u8; 32], u64)> =
        all.map(|index| (validator(index).verifying_key().to_bytes(), 1)).collect();
    Validators::from_state(&list.encode()).unwrap()
}

/// The precommits of these validators for a block.
fn justification(block: Anchor, validators: &[u8]) -> Vec<u8> {
    let (round, set) = (1u64, 0u64);
    let precommits = validators.iter().map(|index| {
        let key = validator(*index);
        let signature = key.sign(&(1u8, block.hash, block.number, round, set).encode()).to_bytes();
        (block.hash, block.number, signature, key.verifying_key().to_bytes())
    });
    let headers: Vec<()> = Vec::new();
    (round, block.hash, block.number, precommits.collect::<Vec<_>>(), headers).encode()
}

/// A chain from its first block on, with what every trustee reads in its blocks, and the validators that sign it.
#[derive(Clone)]
struct History {
    blocks: Vec<(ChainBlock, Vec<Fact>)>,
    signers: Vec<u8>,
    /// The election's state since the close.
    closed: ElectionState,
}

impl History {
    fn push(&mut self, served: &Served, messages: Vec<Message>) {
        let parent = self.blocks.last().map_or([0; 32], |(block, _)| block.anchor.hash);
        let number = self.blocks.len() as u32 + 1;
        let header = (parent, Compact(number), [1u8; 32], hash(&messages.encode()), Compact(0u32)).encode();
        let anchor = Anchor { number, hash: hash(&header) };
        let block = ChainBlock { anchor, parent, header, time: 0, messages };
        let facts = read(served, &block).unwrap();
        self.blocks.push((block, facts));
    }

    fn head(&self) -> Anchor {
        self.blocks.last().unwrap().0.anchor
    }

    fn closing(&self) -> Anchor {
        self.closed.closing.unwrap()
    }

    /// Voting is over with the last block.
    fn close(&mut self, counted: &[Counted]) {
        let log = set_statement(counted, self.head()).log;
        let (ballots, closing) = (counted.len() as u32, Some(self.head()));
        self.closed = ElectionState {
            ballots,
            counted: ballots,
            closing,
            summed: true,
            ballot_log: log,
            ..state(Phase::Closed)
        };
    }

    /// A trustee reads up to this block, which leads to one that is proved to be final.
    fn show(&self, follower: &mut Follower, board: &Board, until: u32) -> Result<(), FollowError> {
        let proved = validators().check(&justification(self.head(), &self.signers), hash).unwrap();
        for (block, facts) in &self.blocks {
            let Anchor { number, .. } = block.anchor;
            if number >= follower.next() && number <= until {
                follower.apply(board, block.anchor, block.parent, facts.clone())?;
            }
        }
        follower.ends_with(proved)
    }
}

/// One election and its two histories up to their closes, replayed with many splits.
struct Stage {
    fixture: Fixture,
    served: Vec<Arc<Served>>,
    answers: Answers,
    ballots: Vec<Counted>,
    deposits: Vec<Vec<Deposit>>,
    histories: [History; 2],
}

impl Stage {
    fn new(trustees: u8, threshold: u8, quorum: u8) -> Self {
        let params =
            Params { trustees, threshold, quorum, voters: vec![1; CHOICES.len()], ..Params::default() };
        let mut fixture = Fixture::new(&params);
        let mut state = state(Phase::Open);
        state.accepted = (1..=trustees).collect::<Vec<_>>().try_into().unwrap();
        let served: Vec<_> = (1..=trustees)
            .map(|index| Arc::new(Served::new(fixture.election.clone(), index, state.clone())))
            .collect();
        let (mut ballots, mut deposits) = (Vec::new(), Vec::new());
        for (voter, choice) in CHOICES.into_iter().enumerate() {
            let vote = (0..3).map(|option| u32::from(option == choice)).collect();
            let mut signed = fixture.sign(voter, 1, &[vote]);
            deposits.push(fixture.deposits(&mut signed));
            let receipts: Vec<_> = (1..=quorum).map(|index| fixture.receipt(index, &signed.hash)).collect();
            let cast = CastBallot { signed: signed.ballot, receipts: receipts.try_into().unwrap() };
            ballots.push(Counted { cast, hash: signed.hash, shares: signed.shares, weight: 1, unit: 0 });
        }
        let cast = |from: usize, to: usize| {
            ballots[from..to].iter().map(|ballot| Message::Cast(ballot.cast.clone())).collect::<Vec<_>>()
        };
        // Two blocks are common; the third has one ballot more in the second history.
        let mut common = History { blocks: Vec::new(), signers: Vec::new(), closed: state.clone() };
        for messages in [Vec::new(), cast(0, 2)] {
            common.push(&served[0], messages);
        }
        let histories = [0, 1].map(|side| {
            let mut history =
                History { signers: [&DISHONEST[..], &[SHOWN[side]]].concat(), ..common.clone() };
            history.push(&served[0], cast(2, BALLOTS[side]));
            history.push(&served[0], Vec::new());
            history.close(&ballots[..BALLOTS[side]]);
            history
        });
        let answers = Answers::of(&fixture);
        Self { fixture, served, answers, ballots, deposits, histories }
    }

    fn counted(&self, side: usize) -> &[Counted] {
        &self.ballots[..BALLOTS[side]]
    }

    fn statement(&self, side: usize) -> SetStatement {
        set_statement(self.counted(side), self.histories[side].closing())
    }

    /// Puts what every trustee was given into a store.
    async fn fill(&mut self, index: u8, store: &Store) {
        for (ballot, deposits) in self.ballots.iter().zip(&self.deposits) {
            let receipt = self.fixture.receipt(index, &ballot.hash);
            let deposit = deposits[usize::from(index) - 1].encode();
            let credential = ballot.cast.signed.ballot.statement.credential;
            let deposited = Deposited { deposit, receipt };
            let keep = Keep { eid: self.fixture.election.eid, ballot: ballot.hash, credential, deposited };
            store.keep(keep).await.unwrap();
        }
    }

    /// A trustee's daemon starts anew on its store and is shown a history.
    async fn visit(&self, index: u8, store: &Store, history: &History) -> Visit {
        let own = &self.fixture.trustees[usize::from(index) - 1];
        let keys = Keys { signing: own.signing.clone(), kem: own.kem.clone() };
        let (election, served) = (&self.fixture.election, self.served[usize::from(index) - 1].clone());
        let (board, closing) = (&election.manifest.board, history.closing());
        let mut follower = Follower::new(1);
        history.show(&mut follower, board, closing.number).unwrap();
        let set = follower.accepted_set(election, &self.answers, closing, &history.closed).await.unwrap();
        history.show(&mut follower, board, u32::MAX).unwrap();
        self.duty(store, &keys, &served, &follower, history, &set)
    }

    /// What it sends then, in the order of [`crate::duty`], as far as the chain takes it.
    fn duty(
        &self,
        store: &Store,
        keys: &Keys,
        served: &Served,
        follower: &Follower,
        history: &History,
        set: &AcceptedSet,
    ) -> Visit {
        let (closing, log) = (history.closing(), history.closed.ballot_log);
        let right = statement(closing, set, log);
        let mut sent = Vec::new();
        // One that was marked for the other history names another closing block, which this one refuses.
        let declaration = declare(store, keys, served, follower, closing, &[]).unwrap();
        sent.extend(declaration.filter(|made| made.closing == closing).map(Message::Declare));
        if !follower.declarations().settled(&served.election.manifest) {
            return Visit { sent, refusal: None };
        }
        let agreed = agree(store, keys, served, follower, right);
        let contributed = contribute(store, keys, served, follower, right, set, &AtomicBool::new(false));
        let refusal = agreed.as_ref().err().or(contributed.as_ref().err()).cloned();
        sent.extend(agreed.ok().flatten().map(Message::Agree));
        sent.extend(contributed.ok().flatten().map(Message::Contribute));
        Visit { sent, refusal }
    }

    /// Shows each honest trustee its history until nobody sends anything more, then the other one, and both once more;
    /// dishonest ones, which have no side, serve both sets at once.
    async fn play(&mut self, sides: &[Option<usize>]) -> [Outcome; 2] {
        let mut histories = self.histories.clone();
        let mut published = [Vec::new(), Vec::new()];
        let mut honest = Vec::new();
        for (index, side) in (1u8..).zip(sides) {
            let Some(side) = side else { continue };
            let own = &self.fixture.trustees[usize::from(index) - 1];
            let identity = Identity { genesis: self.fixture.election.genesis, signing: own.signing.public() };
            let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
            let store = Store::over(database, "memory".into(), &identity).unwrap();
            self.fill(index, &store).await;
            honest.push((index, *side, store));
        }
        for (index, _) in (1u8..).zip(sides).filter(|(_, side)| side.is_none()) {
            for side in [0, 1] {
                let (closing, right) = (histories[side].closing(), self.statement(side));
                let declaration = self.fixture.declare(index, closing, Missing::Listed(Default::default()));
                let agreement = self.fixture.agree(index, right);
                let contribution = self.fixture.contribute(index, &self.ballots[..BALLOTS[side]]);
                published[side].push(contribution.clone());
                let messages = vec![
                    Message::Declare(declaration),
                    Message::Agree(agreement),
                    Message::Contribute(contribution),
                ];
                histories[side].push(&self.served[0], messages);
            }
        }
        for other in [0, 1, 0, 1] {
            loop {
                let mut sent = [Vec::new(), Vec::new()];
                for (index, side, store) in &honest {
                    let shown = (side + other) % 2;
                    sent[shown].extend(self.visit(*index, store, &histories[shown]).await.sent);
                }
                if sent.iter().all(Vec::is_empty) {
                    break;
                }
                for (side, messages) in sent.into_iter().enumerate() {
                    published[side].extend(messages.iter().filter_map(|message| match message {
                        Message::Contribute(contribution) => Some(contribution.clone()),
                        _ => None,
                    }));
                    histories[side].push(&self.served[0], messages);
                }
            }
        }
        [0, 1].map(|side| self.outcome(side, &histories[side], &published[side]))
    }

    /// What an adversary comes to that has everything that anybody published, and the dishonest trustees' sums.
    fn outcome(&self, side: usize, history: &History, published: &[Contribution]) -> Outcome {
        let (election, right) = (&self.fixture.election, self.statement(side));
        let manifest = &election.manifest;
        let mut follower = Follower::new(1);
        history.show(&mut follower, &manifest.board, u32::MAX).unwrap();
        let verified = published
            .iter()
            .filter(|made| made.root == right.root && made.verify(election, verify_signature));
        let ballots = BALLOTS[side] as u32;
        let turnout = Turnouts(vec![Turnout { ballots, weight: ballots.into() }].try_into().unwrap());
        Outcome {
            signers: follower.signers(&right),
            contributors: verified.map(|made| made.trustee).collect(),
            solution: solve(
                manifest,
                &Cells::all(manifest),
                &self.fixture.sums(self.counted(side)),
                &turnout,
                published,
            ),
        }
    }
}

/// What a trustee does that is shown a history.
struct Visit {
    sent: Vec<Message>,
    /// Why it signs or contributes nothing, if so.
    refusal: Option<TallyError>,
}

/// What came out of one history.
struct Outcome {
    signers: usize,
    /// Who contributed to its set.
    contributors: BTreeSet<u8>,
    /// What opens its set.
    solution: Option<Solution>,
}

/// Every way to be shown one history or the other, or to be dishonest, as at most `dishonest` trustees are.
fn splits(trustees: u8, dishonest: usize) -> Vec<Vec<Option<usize>>> {
    let mut all = vec![Vec::new()];
    for _ in 0..trustees {
        let with = |sides: Vec<Option<usize>>| {
            [Some(0), Some(1), None].map(|side| sides.iter().copied().chain([side]).collect::<Vec<_>>())
        };
        all = all.into_iter().flat_map(with).collect();
    }
    all.retain(|sides| sides.iter().filter(|side| side.is_none()).count() <= dishonest);
    all
}

async fn one_set_at_most(trustees: u8, threshold: u8, quorum: u8) {
    let mut stage = Stage::new(trustees, threshold, quorum);
    let (q, t) = (usize::from(quorum), usize::from(threshold));
    let all = splits(trustees, t - 1);
    let mut opened = [0, 0];
    for sides in &all {
        let outcomes = stage.play(sides).await;
        let dishonest: BTreeSet<u8> =
            (1u8..).zip(sides).filter(|(_, side)| side.is_none()).map(|(index, _)| index).collect();
        let agreed = outcomes.each_ref().map(|outcome| outcome.signers >= q);
        assert_ne!(agreed, [true, true], "q trustees signed both sets: {sides:?}");
        let [first, second] = outcomes.each_ref().map(|outcome| &outcome.contributors);
        let both: BTreeSet<u8> = first.intersection(second).copied().collect();
        assert_eq!(both, dishonest, "an honest trustee contributes once: {sides:?}");
        for side in [0, 1] {
            let Outcome { contributors, solution, .. } = &outcomes[side];
            if agreed[side] {
                let solution = solution.as_ref().expect("t honest trustees have signed");
                assert_eq!(solution.totals.election, vec![TOTALS[side].to_vec()], "{sides:?}");
                opened[side] += 1;
            } else {
                assert_eq!((contributors, solution), (&dishonest, &None), "{sides:?}");
                assert!(contributors.len() < t, "nobody can open the other set: {sides:?}");
            }
        }
    }
    let none = all.len() - opened[0] - opened[1];
    println!("{} splits: {opened:?} open a set, {none} none", all.len());
    assert!(opened.iter().all(|times| *times > 0), "each history is one that can win");
}

#[tokio::test]
async fn two_histories_open_one_set_of_four_trustees() {
    one_set_at_most(4, 2, 3).await;
}

#[tokio::test]
async fn two_histories_open_one_set_of_seven_trustees() {
    one_set_at_most(7, 3, 5).await;
}

/// The bound is sharp, and what is simulated is the attack: t dishonest trustees open both sets, and so the ballot
/// in which they differ.
#[tokio::test]
async fn t_dishonest_trustees_open_both() {
    let of = |sides: &[Option<usize>]| sides.to_vec();
    for (params, sides) in [
        ((4, 2, 3), of(&[None, None, Some(0), Some(1)])),
        ((7, 3, 5), of(&[None, None, None, Some(0), Some(0), Some(1), Some(1)])),
    ] {
        let outcomes = Stage::new(params.0, params.1, params.2).play(&sides).await;
        let totals = outcomes.map(|outcome| outcome.solution.unwrap().totals.election.concat());
        assert_eq!(totals, TOTALS.map(|totals| totals.to_vec()));
        let ballot: Vec<u64> =
            totals[1].iter().zip(&totals[0]).map(|(with, without)| with - without).collect();
        assert_eq!(ballot, [1, 0, 0], "somebody's vote");
    }
}

/// A third of the validators or fewer can't make two histories, whichever the others are shown.
#[test]
fn two_histories_take_more_than_a_third_of_the_validators() {
    let block = Anchor { number: 5, hash: [5; 32] };
    let check = |signers: &[u8]| validators().check(&justification(block, signers), hash);
    assert_eq!(check(&[DISHONEST[0], DISHONEST[1], SHOWN[0]]), Ok(block));
    // One dishonest of four, and the others split in every way.
    for first in 0..8u8 {
        let (left, right): (Vec<u8>, Vec<u8>) =
            [2, 3, 4].into_iter().partition(|index| first & (1 << (index - 2)) != 0);
        let proved = [left, right].map(|shown| check(&[&[1], &shown[..]].concat()));
        assert!(proved.contains(&Err(FinalityError::Weight)), "{proved:?}");
    }
}

/// One trustee on its disk: what it read, and what it marked, holds against the other history.
#[tokio::test]
async fn a_trustee_that_signed_one_history_refuses_the_other() {
    let mut stage = Stage::new(4, 2, 3);
    let folder = tempfile::tempdir().unwrap();
    let [mut first, mut second] = stage.histories.clone();
    for (side, history) in [&mut first, &mut second].into_iter().enumerate() {
        let (closing, right) = (history.closing(), stage.statement(side));
        let others = [1, 3, 4].map(|index| {
            let declaration = stage.fixture.declare(index, closing, Missing::Listed(Default::default()));
            [Message::Declare(declaration), Message::Agree(stage.fixture.agree(index, right))]
        });
        history.push(&stage.served[0], others.concat());
    }
    let store = super::store(&stage.fixture, folder.path());
    stage.fill(INDEX, &store).await;
    let visit = stage.visit(INDEX, &store, &first).await;
    assert!(matches!(visit.sent[..], [Message::Declare(_), Message::Agree(_), Message::Contribute(_)]));
    assert_eq!(visit.refusal, None);
    let marks = store.marks(&stage.fixture.election.eid).unwrap();

    // As long as it runs, it knows the block that it read.
    let board = &stage.fixture.election.manifest.board;
    let mut follower = Follower::new(1);
    first.show(&mut follower, board, u32::MAX).unwrap();
    let unproved = second.show(&mut follower, board, u32::MAX);
    assert!(matches!(unproved, Err(FollowError::Unproved { .. })), "{unproved:?}");
    second.push(&stage.served[0], Vec::new());
    let gap = second.show(&mut follower, board, u32::MAX);
    assert!(matches!(gap, Err(FollowError::Gap { .. })), "{gap:?}");

    // Started anew, it has its marks; nothing more comes from it, neither there nor here.
    drop(store);
    let store = super::store(&stage.fixture, folder.path());
    let visit = stage.visit(INDEX, &store, &second).await;
    assert!(visit.sent.is_empty());
    let (signed, ours) = (stage.statement(0).root, stage.statement(1).root);
    assert_eq!(visit.refusal, Some(TallyError::SignedBefore { signed, ours }));
    assert_eq!(store.marks(&stage.fixture.election.eid), Ok(marks.clone()));
    let again = stage.visit(INDEX, &store, &first).await.sent;
    let same = [
        Message::Declare(marks.declaration.unwrap()),
        Message::Agree(marks.agreement.unwrap()),
        Message::Contribute(marks.contribution.unwrap()),
    ];
    assert_eq!(again, same, "the same bytes as before");
}
