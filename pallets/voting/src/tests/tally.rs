//! From the close to the certified result.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    contest::Rule,
    refusal::Refusal,
    state::Phase,
    tally::{Finalize, Turnout},
    testing::{accepted_set, contest, set_statement, some_digest, Counted, Fixture, Params},
    wire::Message,
};

use super::reason;
use crate::mock::*;
use crate::*;

/// Two contests and three weights.
fn weighted() -> Fixture {
    Fixture::new(&Params {
        contests: vec![contest(3, Rule::plurality()), contest(2, Rule::approval(2))],
        voters: vec![1, 1, 5, 5],
        ..params()
    })
}

/// Three voters vote, one of them twice; then the election is closed and summed.
fn closed() -> (Chain, Vec<Counted>) {
    let mut chain = Chain::open(weighted());
    chain.cast(0, 1, &[vec![1, 0, 0], vec![1, 1]]);
    let ballots = vec![
        chain.cast(0, 2, &[vec![0, 1, 0], vec![0, 1]]),
        chain.cast(1, 1, &[vec![0, 0, 1], vec![0, 0]]),
        chain.cast(2, 1, &[vec![0, 1, 0], vec![1, 1]]),
    ];
    chain.close();
    (chain, ballots)
}

/// What the trustees sign when these ballots count.
fn statement(chain: &mut Chain, ballots: &[Counted]) -> SetStatement {
    let state = chain.state();
    SetStatement { log: state.ballot_log, ..set_statement(ballots, state.closing.expect("closed")) }
}

fn agree(chain: &mut Chain, trustee: u8, ballots: &[Counted]) -> Result<(), Refusal> {
    let statement = statement(chain, ballots);
    let agreement = chain.fixture.agree(trustee, statement);
    chain.submit(Message::Agree(agreement))
}

fn contribute(chain: &mut Chain, trustee: u8, ballots: &[Counted]) -> Result<(), Refusal> {
    let contribution = chain.fixture.contribute(trustee, ballots);
    chain.submit(Message::Contribute(contribution))
}

fn finalize(chain: &mut Chain, contributors: &[u8]) -> Result<(), Refusal> {
    let contributors = contributors.to_vec().try_into().expect("few");
    let eid = chain.eid();
    chain.submit(Message::Finalize(Finalize { eid, contributors }))
}

/// q trustees agree on these ballots.
fn agreed() -> (Chain, Vec<Counted>) {
    let (mut chain, ballots) = closed();
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("a trustee signs the set");
    }
    assert_eq!(chain.state().phase, Phase::Agreed);
    (chain, ballots)
}

#[test]
fn a_whole_election_counts_right() {
    let (mut chain, ballots) = agreed();
    for trustee in [2, 4] {
        contribute(&mut chain, trustee, &ballots).expect("a trustee contributes");
    }
    finalize(&mut chain, &[2, 4]).expect("the openings open the sums");
    let eid = chain.eid();
    let manifest = chain.fixture.election.manifest.clone();
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied");
    assert_eq!(result.totals(&manifest), Ok(vec![vec![0, 6, 1], vec![5, 6]]));
    assert_eq!(result.turnout.to_vec(), vec![Turnout { ballots: 3, weight: 7 }; 2]);

    let digest = result.digest(&eid, &accepted_set(&ballots).root());
    assert_eq!(chain.board(Action::Certify { eid, result: some_digest("other") }), Err(Refusal::WrongResult));
    assert_eq!(agree(&mut chain, 4, &ballots), Err(Refusal::WrongPhase), "the result stands");
    assert_eq!(contribute(&mut chain, 1, &ballots), Err(Refusal::WrongPhase), "the result stands");
    let certify = Action::Certify { eid, result: digest };
    chain.board(certify.clone()).expect("the board certifies");
    assert_eq!(chain.state().phase, Phase::Certified);
    assert_eq!(chain.board(certify), Err(Refusal::WrongPhase), "once");
    let void = Action::Void { eid, reason: reason("a bad loser") };
    assert_eq!(chain.board(void), Err(Refusal::WrongPhase), "certified is final");
    chain.block(1_200_000);
}

#[test]
fn sums_are_taken_in_steps_and_come_out_the_same() {
    let (mut chain, _) = closed();
    let eid = chain.eid();
    let at_once = chain.run(|| Sums::<Test>::get(eid)).expect("summed");
    chain.run(|| {
        Sums::<Test>::remove(eid);
        Elections::<Test>::mutate(eid, |state| state.as_mut().expect("there").summed = false);
    });
    let columns = chain.fixture.election.manifest.columns() as u32;
    // Room for one ballot in each block.
    chain.idle = Voting::sum_weight(columns, 1);
    let mut blocks = 0;
    while !chain.state().summed {
        chain.block(1_200_000 + blocks);
        blocks += 1;
        assert!(blocks < 20, "the sum ends");
    }
    assert!(blocks > 2, "it took several blocks");
    let in_steps = chain.run(|| Sums::<Test>::get(eid)).expect("summed");
    assert_eq!((in_steps.sums, in_steps.turnout), (at_once.sums, at_once.turnout));
}

#[test]
fn sums_end_and_leave_the_rest_of_the_block() {
    let mut chain = Chain::open(weighted());
    let ballot = chain.cast(2, 1, &[vec![0, 1, 0], vec![1, 1]]);
    let eid = chain.eid();
    chain.board(Action::Close { eid }).expect("the board closes");
    let columns = chain.fixture.election.manifest.columns() as u32;
    // No room for a ballot.
    chain.idle = Voting::sum_weight(columns, 0);
    chain.block(1_100_000);
    chain.block(1_102_000);
    chain.run(|| assert_eq!(Sums::<Test>::get(eid), None));
    assert_eq!(agree(&mut chain, 1, &[ballot]), Err(Refusal::NotSummed));

    // More ballots than a step takes.
    chain.run(|| {
        let (_, ballot) = Ballots::<Test>::iter_prefix(eid).next().expect("cast");
        for other in 1..=sums::MAX_STEP {
            let mut credential = [0; 32];
            credential[..8].copy_from_slice(&other.to_le_bytes());
            Ballots::<Test>::insert(eid, PublicKey(credential), ballot.clone());
        }
        let step = Voting::on_idle(0, Weight::MAX);
        assert_eq!(step, Voting::sum_weight(columns, sums::MAX_STEP as u32));
        let summed = || Elections::<Test>::get(eid).is_some_and(|state| state.summed);
        assert!(!summed(), "one is left");
        assert_eq!(Voting::on_idle(0, Weight::MAX), Voting::sum_weight(columns, 1));
        assert!(summed());
        assert_eq!(Voting::on_idle(0, Weight::MAX), Weight::zero(), "nothing is left");
    });
}

#[test]
fn nothing_is_opened_before_q_trustees_agree() {
    let (mut chain, ballots) = closed();
    for trustee in 1..=2 {
        agree(&mut chain, trustee, &ballots).expect("signed");
        assert_eq!(agree(&mut chain, trustee, &ballots), Err(Refusal::AlreadyDone));
    }
    assert_eq!(contribute(&mut chain, 1, &ballots), Err(Refusal::WrongPhase));
    assert_eq!(finalize(&mut chain, &[1, 2]), Err(Refusal::WrongPhase));
    // A shortened set with the right count can't be signed into agreement by one trustee.
    let mut other = ballots;
    other[0].hash.0[0] ^= 1;
    agree(&mut chain, 3, &other).expect("taken as evidence");
    let state = chain.state();
    assert!(state.conflict && state.phase == Phase::Closed && state.agreed.is_none());
}

#[test]
fn a_late_signature_is_kept_and_changes_nothing() {
    let (mut chain, ballots) = agreed();
    let (eid, before) = (chain.eid(), chain.state());
    let entered = chain.entered(|chain| agree(chain, 4, &ballots).expect("evidence"));
    assert_eq!((entered, chain.state()), (vec![], before));
    chain.run(|| assert!(Agreements::<Test>::contains_key(eid, 4)));
}

#[test]
fn a_set_is_tied_to_the_closing_block_and_count() {
    let (mut chain, mut ballots) = closed();
    let mut closing = chain.state().closing.expect("closed");
    let open = &mut Chain::open(weighted());
    let early = open.fixture.agree(1, set_statement(&[], closing));
    assert_eq!(open.submit(Message::Agree(early)), Err(Refusal::WrongPhase), "voting is on");
    let right = statement(&mut chain, &ballots);
    closing.number -= 1;
    for wrong in [SetStatement { closing, ..right }, SetStatement { log: right.root, ..right }] {
        let agreement = chain.fixture.agree(1, wrong);
        assert_eq!(chain.submit(Message::Agree(agreement)), Err(Refusal::WrongClosing));
    }
    ballots.pop();
    assert_eq!(agree(&mut chain, 1, &ballots), Err(Refusal::WrongClosing), "shortened");
}

#[test]
fn agreements_and_contributions_are_signed_by_their_trustee() {
    let (mut chain, ballots) = agreed();
    let mut contribution = chain.fixture.contribute(1, &ballots);
    contribution.trustee = 2;
    assert_eq!(chain.submit(Message::Contribute(contribution)), Err(Refusal::NotTrustee));
    let statement = statement(&mut chain, &ballots);
    let mut agreement = chain.fixture.agree(1, statement);
    agreement.trustee = 4;
    assert_eq!(chain.submit(Message::Agree(agreement)), Err(Refusal::NotTrustee));
}

#[test]
fn a_trustee_contributes_once_and_to_the_agreed_set() {
    let (mut chain, ballots) = agreed();
    let mut other = chain.fixture.contribute(1, &ballots[..2]);
    assert_eq!(chain.submit(Message::Contribute(other.clone())), Err(Refusal::WrongRoot));
    other.sums.pop();
    contribute(&mut chain, 1, &ballots).expect("contributed");
    assert_eq!(contribute(&mut chain, 1, &ballots), Err(Refusal::AlreadyDone));
}

#[test]
fn malformed_contributions_are_refused() {
    let (mut chain, ballots) = agreed();
    let good = chain.fixture.contribute(1, &ballots);
    let mut short = good.clone();
    short.sums.pop();
    assert_eq!(chain.submit(Message::Contribute(short)), Err(Refusal::MalformedContribution));
    let mut above = good;
    above.sums[0].0 .0 = [0xff; 32];
    assert_eq!(chain.submit(Message::Contribute(above)), Err(Refusal::MalformedContribution));
}

#[test]
fn a_lying_trustee_changes_nothing_and_the_rest_finish() {
    let (mut chain, ballots) = agreed();
    // A lie that adds a vote: F one higher.
    let honest = chain.fixture.contribute(1, &ballots);
    let mut sums = honest.sums;
    let one_more = sums[0].0.scalar().expect("canonical") + curve25519_dalek::Scalar::ONE;
    sums[0].0 = psephos_protocol::group::ScalarBytes::of(&one_more);
    let fixture = &mut chain.fixture;
    let key = &fixture.trustees[0].signing;
    let lie = psephos_protocol::tally::Contribution::sign(
        &fixture.election,
        1,
        key,
        honest.root,
        sums,
        &mut fixture.rng,
    );
    chain.submit(Message::Contribute(lie)).expect("it can't be told apart alone");
    contribute(&mut chain, 2, &ballots).expect("contributed");
    contribute(&mut chain, 3, &ballots).expect("contributed");
    assert_eq!(finalize(&mut chain, &[1, 2]), Err(Refusal::WrongOpening));
    assert_eq!(finalize(&mut chain, &[1, 3]), Err(Refusal::WrongOpening));
    for wrong in [&[2][..], &[3, 2], &[2, 2], &[2, 4], &[1, 2, 3]] {
        assert_eq!(finalize(&mut chain, wrong), Err(Refusal::WrongContributors), "{wrong:?}");
    }
    finalize(&mut chain, &[2, 3]).expect("the honest ones open the sums");
    assert_eq!(finalize(&mut chain, &[2, 3]), Err(Refusal::WrongPhase));
}

#[test]
fn a_small_group_that_voted_withholds_the_totals() {
    let fixture = Fixture::with(&Params { voters: vec![1, 1, 1, 5, 5], ..params() }, |manifest| {
        manifest.privacy_minimum = 2
    });
    let mut chain = Chain::open(fixture);
    let vote = [vec![1, 0, 0]];
    let ballots: Vec<_> = [0, 1, 3].into_iter().map(|voter| chain.cast(voter, 1, &vote)).collect();
    chain.close();
    assert!(chain.state().withheld, "one voter alone voted with weight 5");
    assert_eq!(agree(&mut chain, 1, &ballots), Err(Refusal::Withheld));
}

#[test]
fn an_election_without_ballots_ends_with_zeros() {
    let mut chain = Chain::open(weighted());
    chain.close();
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &[]).expect("the empty set");
    }
    for trustee in 1..=2 {
        contribute(&mut chain, trustee, &[]).expect("zeros");
    }
    finalize(&mut chain, &[1, 2]).expect("zeros open the identity");
    let eid = chain.eid();
    let manifest = chain.fixture.election.manifest.clone();
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied");
    assert_eq!(result.totals(&manifest), Ok(vec![vec![0, 0, 0], vec![0, 0]]));
}
