//! The whole record of an election, byte by byte, and all that t − 1 trustees are given.

use bounded_collections::BoundedVec;
use codec::Encode;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use std::collections::BTreeSet;

use super::{build, params, Tape, Vote, World};
use crate::{
    ballot::{Ballot, CastBallot, SignedBallot},
    board::{Action, Approval},
    contest::{Contest, Rule},
    declaration::Missing,
    envelope::{seal, Deposit},
    ids::Anchor,
    keys::SigningKey,
    record::{frame, RecordBlock, RecordHeader},
    roll::Registration,
    tally::{Finalize, Totals},
    testing::{accepted_set, contest, set_statement, Counted, Fixture, Params},
    transcript::registration,
    wire::Message,
};

/// The ballots in the order in which they are cast: by voter, with the sequence number. The second replaces the first.
const CAST: [(usize, u32); 4] = [(0, 1), (0, 2), (1, 1), (2, 1)];

/// Together fewer than t = 3.
const CORRUPTED: [u8; 2] = [2, 4];

/// What an election leaves behind.
struct Run {
    /// Everything that was said to the chain.
    messages: Vec<Message>,
    /// Per ballot and trustee what the voter sent.
    deposits: Vec<Vec<Deposit>>,
    totals: Totals,
}

/// An election from its creation to its certification. Everybody's randomness but the voters' tapes is fixed.
fn run(world: &World, params: &Params, votes: &[Vote], tapes: &[Tape]) -> Run {
    let mut fixture = world.fixture(params);
    let eid = fixture.election.eid;
    let mut messages = before(&mut fixture);
    let (mut ballots, mut deposits) = (Vec::new(), Vec::new());
    for (((voter, sequence), vote), tape) in CAST.into_iter().zip(votes).zip(tapes) {
        let (counted, sent) = cast(&mut fixture, voter, sequence, vote, tape);
        messages.push(Message::Cast(counted.cast.clone()));
        ballots.push(counted);
        deposits.push(sent);
    }
    let closing = Anchor { number: 50, hash: [50; 32] };
    let statement = set_statement(&ballots, closing);
    let counted = &ballots[1..];
    assert_eq!(statement.root, accepted_set(counted).root());
    let trustees = 1..=params.trustees;
    let none = || Missing::Listed(BoundedVec::default());
    messages.extend(trustees.clone().map(|i| Message::Declare(fixture.declare(i, closing, none()))));
    messages.extend((1..=params.quorum).map(|i| Message::Agree(fixture.agree(i, statement))));
    // All trustees contribute, more than are needed.
    let contributions: Vec<_> = trustees.map(|i| fixture.contribute(i, counted)).collect();
    let result = fixture.result(counted, &contributions[..params.threshold.into()]);
    let totals =
        result.verify(&fixture.election.manifest, &fixture.cells(counted), &fixture.sums(counted)).unwrap();
    messages.extend(contributions.into_iter().map(Message::Contribute));
    messages.push(Message::Finalize(Finalize { eid, contributors: result.contributors.clone() }));
    let action = Action::Certify { eid, result: result.digest(&eid, &statement.root) };
    messages.extend(approve(&mut fixture, &action));
    Run { messages, deposits, totals }
}

/// All messages up to the opening.
fn before(fixture: &mut Fixture) -> Vec<Message> {
    let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
    let mut messages = approve(fixture, &Action::CreateElection { number: 1, manifest });
    messages.push(Message::Announce(fixture.announce(1, 1, "https://trustee.example")));
    messages.extend((1..=5).map(|i| Message::Accept(fixture.accept(i))));
    let roll = fixture.roll();
    let digest = roll.digest();
    messages.push(Message::AddBatch(roll));
    messages.extend(approve(fixture, &Action::ConfirmBatch { eid, batch: 0, digest }));
    // None of these voters needs it; it is here as one more kind of message.
    let key = &fixture.voters[0].key;
    let payload = registration(0, &key.public());
    let (invitation, possession) = (
        Registration::invitation_signable(&fixture.election, 0, &payload),
        Registration::possession_signable(&fixture.election, &payload),
    );
    let invitation = SigningKey::from_seed([1; 32]).sign(&invitation, &mut fixture.rng);
    messages.push(Message::Register(Registration {
        eid,
        entry: 0,
        credential: key.public(),
        invitations: vec![invitation].try_into().unwrap(),
        possession: key.sign(&possession, &mut fixture.rng),
    }));
    messages.extend(approve(fixture, &Action::Freeze { eid, roll: digest }));
    messages
}

fn approve(fixture: &mut Fixture, action: &Action) -> Vec<Message> {
    (0..2).map(|member| Message::Approve(fixture.approve(action.clone(), member))).collect()
}

/// A ballot from its tape, with q receipts, and the deposits for all trustees.
fn cast(
    fixture: &mut Fixture,
    voter: usize,
    sequence: u32,
    vote: &Vote,
    tape: &Tape,
) -> (Counted, Vec<Deposit>) {
    let built = build(fixture, voter, sequence, vote, tape);
    let hash = built.ballot.verify(&fixture.election, &fixture.generators).unwrap().hash;
    let key = &fixture.voters[voter].key;
    let signature = key.sign(&Ballot::signable(&fixture.election, &hash), &mut fixture.rng);
    let signed = SignedBallot { ballot: built.ballot, signature };
    let envelopes = seal(&fixture.election, &hash, &built.shares, &mut fixture.rng).unwrap();
    let deposit = |envelope| Deposit { ballot: signed.clone(), dealing: built.dealing.clone(), envelope };
    let deposits = envelopes.into_iter().map(deposit).collect();
    let receipts = (1..=fixture.election.manifest.quorum).map(|i| fixture.receipt(i, &hash));
    let receipts = receipts.collect::<Vec<_>>().try_into().unwrap();
    let cast = CastBallot { signed, receipts };
    let (weight, unit) = (fixture.voters[voter].weight, fixture.voters[voter].unit);
    (Counted { cast, hash, shares: built.shares, weight, unit }, deposits)
}

/// The bytes of the record, a block for each message.
fn record(fixture: &Fixture, messages: &[Message]) -> Vec<u8> {
    let header = RecordHeader {
        version: crate::VERSION,
        genesis: fixture.election.genesis,
        board: fixture.election.manifest.board.clone(),
        eid: fixture.election.eid,
    };
    let block = |(time, message): (u64, &Message)| {
        frame(&RecordBlock { header: vec![time as u8; 100], time, messages: vec![message.clone()] })
    };
    frame(&header).into_iter().chain((1..).zip(messages).flat_map(block)).collect()
}

/// Elections, each with three ways to vote in it: the first two with the same totals, the third with others. In the
/// order of [`CAST`]; the replaced ballots are as they like.
fn elections() -> Vec<(Vec<Contest>, [Vec<Vote>; 3])> {
    let vote = |first: &[u32], second: &[u32]| vec![first.to_vec(), second.to_vec()];
    let binary = vec![contest(3, Rule::plurality()), contest(4, Rule::choose(1, 3))];
    let wide = vec![contest(3, Rule::plurality()), contest(2, Rule::score(4, 2))];
    vec![
        (
            binary,
            [
                vec![
                    vote(&[0, 0, 1], &[1, 1, 1, 0]),
                    vote(&[1, 0, 0], &[1, 1, 0, 0]),
                    vote(&[1, 0, 0], &[1, 1, 0, 0]),
                    vote(&[0, 1, 0], &[0, 0, 1, 0]),
                ],
                vec![
                    vote(&[1, 0, 0], &[0, 0, 0, 1]),
                    vote(&[0, 1, 0], &[0, 0, 1, 0]),
                    vote(&[0, 1, 0], &[0, 0, 1, 0]),
                    vote(&[1, 0, 0], &[1, 1, 0, 0]),
                ],
                vec![
                    vote(&[1, 0, 0], &[0, 0, 0, 1]),
                    vote(&[0, 0, 1], &[1, 1, 0, 1]),
                    vote(&[0, 1, 0], &[0, 0, 1, 0]),
                    vote(&[1, 0, 0], &[1, 1, 0, 0]),
                ],
            ],
        ),
        (
            wide,
            [
                vec![
                    vote(&[0, 0, 1], &[4, 4]),
                    vote(&[1, 0, 0], &[4, 0]),
                    vote(&[0, 0, 1], &[0, 2]),
                    vote(&[0, 1, 0], &[1, 3]),
                ],
                vec![
                    vote(&[0, 1, 0], &[0, 1]),
                    vote(&[0, 0, 1], &[2, 4]),
                    vote(&[1, 0, 0], &[2, 0]),
                    vote(&[0, 1, 0], &[1, 2]),
                ],
                vec![
                    vote(&[0, 1, 0], &[0, 1]),
                    vote(&[0, 0, 1], &[2, 4]),
                    vote(&[1, 0, 0], &[2, 0]),
                    vote(&[0, 0, 1], &[0, 0]),
                ],
            ],
        ),
    ]
}

/// An election as it was held, and as it would be had the voters voted `other`, with the randomness that explains it.
fn twice(contests: &[Contest], votes: &[Vote], other: &[Vote], check: impl Fn(&Fixture, &Run, &Run)) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let params = params(contests.to_vec());
    let world = World::of(&params, &mut rng);
    let tapes: Vec<Tape> = CAST.iter().map(|_| world.tape(&mut rng)).collect();
    let real = run(&world, &params, votes, &tapes);
    let ballots = real.deposits.iter().map(|deposits| &deposits[0].ballot.ballot);
    let explained: Vec<Tape> = ballots
        .zip(&tapes)
        .zip(votes.iter().zip(other))
        .map(|((ballot, tape), (vote, other))| world.equivocate(ballot, tape, [vote, other], &CORRUPTED))
        .collect();
    let simulated = run(&world, &params, other, &explained);
    check(&world.fixture(&params), &real, &simulated);
}

#[test]
fn the_record_is_the_same_for_all_votes_with_the_same_totals() {
    for (contests, [votes, other, _]) in elections() {
        twice(&contests, &votes, &other, |fixture, real, simulated| {
            assert_eq!(real.totals, simulated.totals);
            let kinds: BTreeSet<u8> = real.messages.iter().map(|message| message.encode()[0]).collect();
            assert!(kinds.into_iter().eq(0..10), "the record has every kind of message");
            assert!(record(fixture, &real.messages) == record(fixture, &simulated.messages));
        });
    }
}

#[test]
fn fewer_than_t_trustees_are_given_the_same_whatever_the_votes() {
    for (contests, [votes, other, other_totals]) in elections() {
        for other in [other, other_totals] {
            twice(&contests, &votes, &other, |_, real, simulated| {
                for (ballot, (real, simulated)) in real.deposits.iter().zip(&simulated.deposits).enumerate() {
                    for (trustee, (real, simulated)) in (1..).zip(real.iter().zip(simulated)) {
                        let Deposit { ballot: signed, dealing, envelope } = real;
                        assert!(*signed == simulated.ballot && *dealing == simulated.dealing);
                        assert_eq!(envelope.0.len(), simulated.envelope.0.len());
                        // What is sealed to the others differs: that it shows nothing is up to X-Wing.
                        let same = CORRUPTED.contains(&trustee) || votes[ballot] == other[ballot];
                        assert_eq!(
                            *envelope == simulated.envelope,
                            same,
                            "ballot {ballot}, trustee {trustee}"
                        );
                    }
                }
            });
        }
    }
}

#[test]
fn other_totals_show_in_what_opens_them_and_nowhere_else() {
    for (contests, [votes, _, other]) in elections() {
        twice(&contests, &votes, &other, |_, real, simulated| {
            assert_ne!(real.totals, simulated.totals);
            assert_eq!(real.messages.len(), simulated.messages.len());
            for (place, (real, simulated)) in real.messages.iter().zip(&simulated.messages).enumerate() {
                assert_eq!(real != simulated, depends_on_totals(real), "message {place}");
            }
        });
    }
}

/// Whether a message depends on the totals. No wildcard: a new kind of message is thought about here before it
/// compiles.
fn depends_on_totals(message: &Message) -> bool {
    match message {
        Message::Approve(Approval { action, .. }) => matches!(action, Action::Certify { .. }),
        // What t − 1 trustees contribute follows from their shares, which tell nothing of the totals.
        Message::Contribute(contribution) => !CORRUPTED.contains(&contribution.trustee),
        Message::AddBatch(_)
        | Message::Register(_)
        | Message::Accept(_)
        | Message::Cast(_)
        | Message::Agree(_)
        | Message::Finalize(_)
        | Message::Announce(_)
        | Message::Declare(_) => false,
    }
}
