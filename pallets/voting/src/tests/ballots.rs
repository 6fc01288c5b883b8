//! Which ballots are accepted.

use psephos_protocol::{
    ballot::CastBallot,
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    ids::{BallotHash, Digest},
    refusal::Refusal,
    testing::{Fixture, Params},
    transcript,
    wire::Message,
};

use crate::mock::*;
use crate::*;

const VOTE: [u32; 3] = [0, 1, 0];

fn votes() -> Vec<Vec<u32>> {
    vec![VOTE.to_vec()]
}

fn submit(chain: &mut Chain, ballot: CastBallot) -> Result<(), Refusal> {
    chain.submit(Message::Cast(ballot))
}

#[test]
fn the_last_ballot_counts_once() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let voter = |chain: &mut Chain| {
        let (eid, credential) = (chain.eid(), chain.fixture.voters[0].key.public());
        let voter = chain.run(|| Voting::view_voter(eid, credential)).unwrap();
        (voter.ballots, voter.sequence)
    };
    assert_eq!(voter(&mut chain), (0, 0));
    let first = chain.cast(0, 1, &votes());
    assert_eq!(voter(&mut chain), (1, 1));
    assert_eq!(submit(&mut chain, first.cast), Err(Refusal::WrongSequence), "replayed");
    let second = chain.cast(0, 5, &[vec![1, 0, 0]]);
    assert_eq!(voter(&mut chain), (2, 5));
    let state = chain.state();
    assert_eq!((state.ballots, state.counted), (2, 1));
    let log = |head, ballot: &BallotHash| transcript::log(&head, &ballot.0);
    assert_eq!(state.ballot_log, log(log(Digest::default(), &first.hash), &second.hash));
    let (eid, credential) = (chain.eid(), chain.fixture.voters[0].key.public());
    chain.run(|| {
        assert_eq!(Ballots::<Test>::get(eid, credential).map(|ballot| ballot.hash), Some(second.hash))
    });
}

#[test]
fn a_voters_keys_are_those_of_the_maps() {
    let chain = Chain::open(Fixture::new(&Params { voters: vec![1, 1], ..params() }));
    let mut keys = crate::cast::VoterKeys::new::<Test>(&chain.eid());
    for voter in chain.fixture.voters.iter().rev() {
        let credential = voter.key.public();
        keys.turn_to(&credential);
        assert_eq!(keys.ballot, Ballots::<Test>::hashed_key_for(chain.eid(), credential));
        assert_eq!(keys.voter, Voters::<Test>::hashed_key_for(chain.eid(), credential));
    }
}

#[test]
fn the_sequence_moves_within_its_window() {
    let mut chain = Chain::open(Fixture::new(&params()));
    for sequence in [0, SEQUENCE_WINDOW + 1, u32::MAX] {
        let ballot = chain.fixture.cast(0, sequence, &votes());
        assert_eq!(submit(&mut chain, ballot.cast), Err(Refusal::WrongSequence), "{sequence}");
    }
    chain.cast(0, SEQUENCE_WINDOW, &votes());
    let lower = chain.fixture.cast(0, 3, &votes());
    assert_eq!(submit(&mut chain, lower.cast), Err(Refusal::WrongSequence));
}

#[test]
fn a_credential_casts_the_manifests_number_of_ballots() {
    let mut chain = Chain::open(Fixture::with(&params(), |manifest| manifest.max_ballots = 2));
    chain.cast(0, 1, &votes());
    chain.cast(0, 2, &votes());
    let third = chain.fixture.cast(0, 3, &votes());
    assert_eq!(submit(&mut chain, third.cast), Err(Refusal::TooManyBallots));
}

#[test]
fn early_late_and_expired_ballots_are_refused() {
    let mut chain = Chain::new(Fixture::new(&params()));
    chain.create();
    chain.accept();
    chain.enroll();
    chain.freeze().expect("frozen");
    let early = chain.fixture.cast(0, 1, &votes());
    assert_eq!(submit(&mut chain, early.cast), Err(Refusal::WrongPhase));

    let mut chain = Chain::open(Fixture::new(&params()));
    chain.fixture.expiry = chain.fixture.anchor.number;
    let expired = chain.fixture.cast(0, 1, &votes());
    assert_eq!(submit(&mut chain, expired.cast), Err(Refusal::Expired));
    chain.anchor();
    let late = chain.fixture.cast(0, 1, &votes());
    chain.run(|| pallet_timestamp::Now::<Test>::put(2_000_000));
    assert_eq!(submit(&mut chain, late.cast), Err(Refusal::WrongPhase), "in the closing block");
}

#[test]
fn a_ballot_is_tied_to_a_block_of_this_chain() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let good = chain.fixture.anchor;
    let height = chain.run(System::block_number) as u32;
    for (number, hash) in [(good.number, [3; 32]), (good.number + 1, good.hash), (height, [0; 32])] {
        chain.fixture.anchor = psephos_protocol::ids::Anchor { number, hash };
        let ballot = chain.fixture.cast(0, 1, &votes());
        assert_eq!(submit(&mut chain, ballot.cast), Err(Refusal::WrongAnchor), "block {number}");
    }
    chain.fixture.anchor = good;
    chain.fixture.expiry = good.number + MAX_LIFETIME + 1;
    let ballot = chain.fixture.cast(0, 1, &votes());
    assert_eq!(submit(&mut chain, ballot.cast), Err(Refusal::WrongAnchor), "lives too long");
}

#[test]
fn only_the_roll_votes_and_in_its_style() {
    let params = psephos_protocol::testing::Params { voters: vec![1, 1, 1], ..params() };
    let fixture = Fixture::with(&params, |manifest| {
        let style = manifest.styles[0].clone();
        manifest.styles.try_push(style).expect("room");
    });
    let mut chain = Chain::open(fixture);
    chain.fixture.voters[0].style = 1;
    let ballot = chain.fixture.cast(0, 1, &votes());
    assert_eq!(submit(&mut chain, ballot.cast), Err(Refusal::WrongStyle));
    chain.fixture.voters[1].key = psephos_protocol::keys::SigningKey::from_seed([9; 32]);
    let stranger = chain.fixture.cast(1, 1, &votes());
    assert_eq!(submit(&mut chain, stranger.cast), Err(Refusal::NotOnRoll));
}

#[test]
fn a_copied_ballot_is_refused() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let original = chain.fixture.cast(0, 1, &votes());
    let mut copied = original.cast.clone();
    copied.signed.ballot.statement.credential = chain.fixture.voters[1].key.public();
    assert_eq!(submit(&mut chain, copied), Err(Refusal::BadSignature));
    let mut other = original.cast;
    other.signed.ballot.statement.eid.0[0] ^= 1;
    assert_eq!(submit(&mut chain, other), Err(Refusal::UnknownElection));
}

#[test]
fn receipts_are_of_exactly_q_trustees_for_this_ballot() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let good = chain.fixture.cast(0, 1, &votes());
    let other = chain.fixture.cast(1, 1, &votes());
    let fourth = chain.fixture.receipt(4, &good.hash);
    let with = |change: &dyn Fn(&mut CastBallot)| {
        let mut ballot = good.cast.clone();
        change(&mut ballot);
        ballot
    };
    let bad = [
        ("too few", with(&|b| b.receipts.truncate(2))),
        ("too many", with(&|b| b.receipts.try_push(fourth).expect("room"))),
        ("one twice", with(&|b| b.receipts[1] = b.receipts[0])),
        (
            "not sorted",
            with(&|b| {
                b.receipts = b.receipts.iter().rev().copied().collect::<Vec<_>>().try_into().expect("three")
            }),
        ),
        ("of another ballot", with(&|b| b.receipts = other.cast.receipts.clone())),
        ("of another trustee", with(&|b| b.receipts[2].trustee = 4)),
        ("of no trustee", with(&|b| b.receipts[2].trustee = 5)),
        ("at another height", with(&|b| b.receipts[0].height += 1)),
    ];
    for (what, ballot) in bad {
        assert_eq!(submit(&mut chain, ballot), Err(Refusal::BadReceipts), "{what}");
    }
    submit(&mut chain, with(&|b| b.receipts[2] = fourth)).expect("any q do");
}

#[test]
fn the_proof_must_hold() {
    let mut chain = Chain::open(Fixture::new(&params()));
    // A ballot whose commitments are another ballot's, everything signed anew.
    let other = chain.fixture.sign(0, 1, &[vec![1, 0, 0]]);
    let mut signed = chain.fixture.sign(0, 1, &votes());
    signed.ballot.ballot.statement.commitments = other.ballot.ballot.statement.commitments;
    let hash = signed.ballot.ballot.hash();
    let fixture = &mut chain.fixture;
    signed.ballot.signature = fixture.voters[0]
        .key
        .sign(&psephos_protocol::ballot::Ballot::signable(&fixture.election, &hash), &mut fixture.rng);
    let receipts: Vec<_> = (1..=3).map(|trustee| fixture.receipt(trustee, &hash)).collect();
    let ballot = CastBallot { signed: signed.ballot, receipts: receipts.try_into().expect("three") };
    assert_eq!(submit(&mut chain, ballot.clone()), Err(Refusal::BadProof));
    let mut short = ballot;
    short.signed.ballot.proof.truncate(64);
    assert_eq!(submit(&mut chain, short), Err(Refusal::BadSignature), "the signature covers the proof");
}
