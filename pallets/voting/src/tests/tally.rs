//! From the close to the certified result.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    cells::Cells,
    contest::Rule,
    manifest::Manifest,
    refusal::Refusal,
    state::Phase,
    tally::{Contribution, Counts, ElectionResult, Finalize, Turnout},
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

/// The election's totals of a result with one cell.
fn totals(manifest: &Manifest, result: &ElectionResult) -> Counts {
    result.totals(manifest, &Cells::all(manifest)).expect("totals").election
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
    assert_eq!(totals(&manifest, &result), vec![vec![0, 6, 1], vec![5, 6]]);
    assert_eq!(result.turnout.0.to_vec(), vec![Turnout { ballots: 3, weight: 7 }; 2]);

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

/// Three units and a minimum of 2, whose voters are these.
fn in_units(units: Vec<u16>) -> Fixture {
    let params = Params { voters: vec![1; units.len()], units, by_unit: true, ..params() };
    Fixture::with(&params, |manifest| manifest.privacy_minimum = 2)
}

#[test]
fn totals_are_per_cell_and_a_small_unit_joins_another() {
    // Units of 2, 2 and 3 voters; of the last, one votes.
    let mut chain = Chain::open(in_units(vec![0, 0, 1, 1, 2, 2, 2]));
    let votes = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]];
    let ballots: Vec<_> =
        votes.iter().enumerate().map(|(voter, vote)| chain.cast(voter, 1, &[vote.to_vec()])).collect();
    chain.close();
    let eid = chain.eid();
    let view = chain.run(|| Voting::view_tally(eid)).expect("there");
    let cells = view.cells.expect("summed");
    assert_eq!(cells.units().collect::<Vec<_>>(), [0..1, 1..3]);
    assert_eq!(view.sums.expect("summed").len(), 2 * 2);
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    let whole = chain.fixture.contribute(1, &ballots);
    let mut short = whole.clone();
    short.sums.truncate(2);
    assert_eq!(chain.submit(Message::Contribute(short)), Err(Refusal::MalformedContribution), "of one cell");
    chain.submit(Message::Contribute(whole)).expect("contributes");
    contribute(&mut chain, 2, &ballots).expect("contributes");
    finalize(&mut chain, &[1, 2]).expect("the openings open the sums of both cells");
    let manifest = chain.fixture.election.manifest.clone();
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied");
    let totals = result.totals(&manifest, &cells).expect("totals");
    assert_eq!(totals.cells, [vec![vec![1, 1, 0]], vec![vec![0, 2, 1]]]);
    assert_eq!(totals.election, [vec![1, 3, 1]]);
    let turnout = |ballots| Turnout { ballots, weight: ballots.into() };
    assert_eq!(result.turnout.0.to_vec(), [turnout(2), turnout(3)]);
}

#[test]
fn contributions_of_the_wrong_cell_open_nothing() {
    let mut chain = Chain::open(in_units(vec![0, 0, 1, 1]));
    let votes = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]];
    let ballots: Vec<_> =
        votes.iter().enumerate().map(|(voter, vote)| chain.cast(voter, 1, &[vote.to_vec()])).collect();
    chain.close();
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    for trustee in 1..=2 {
        let mut sums = chain.fixture.contribute(trustee, &ballots).sums;
        sums.iter_mut().into_slice().rotate_left(2);
        let fixture = &mut chain.fixture;
        let key = &fixture.trustees[usize::from(trustee) - 1].signing;
        let root = accepted_set(&ballots).root();
        let swapped = Contribution::sign(&fixture.election, trustee, key, root, sums, &mut fixture.rng);
        chain.submit(Message::Contribute(swapped)).expect("it can't be told apart alone");
    }
    assert_eq!(finalize(&mut chain, &[1, 2]), Err(Refusal::WrongOpening));
    for trustee in 3..=4 {
        contribute(&mut chain, trustee, &ballots).expect("contributes");
    }
    finalize(&mut chain, &[3, 4]).expect("each in its cell");
}

#[test]
fn what_finalization_weighs_grows_with_its_sums_and_contributors() {
    let mut chain = Chain::open(in_units(vec![0, 255]));
    let eid = chain.eid();
    chain.run(|| {
        let finalize = |contributors: u8| Finalize {
            eid,
            contributors: (1..=contributors).collect::<Vec<_>>().try_into().expect("few"),
        };
        // The mock's weights: 1,000 for a call, and 1,000 for each sum. 512 sums.
        let checked = Voting::authorize_finalize_weight(&finalize(2)).ref_time();
        assert_eq!(checked, 512u64.div_ceil(127) * 1_000);
        let written = Voting::finalize_weight(&finalize(2)).ref_time();
        assert_eq!(written, 1_000 + 2 * 3 * 512_000 + 513_000);
        let more = Voting::authorize_finalize_weight(&finalize(4)).ref_time();
        assert_eq!(more, checked + 2 * 3 * 512_000);
    });
}

#[test]
fn a_step_weighs_all_sums_and_the_columns_of_each_ballot() {
    let weigh = |units: u16, by_unit, ballots| {
        let params = Params { units: vec![units - 1], by_unit, ..params() };
        Voting::sum_weight(&Fixture::new(&params).election.manifest, ballots).ref_time()
    };
    assert_eq!(weigh(9, false, 7), weigh(1, false, 7));
    assert_eq!(weigh(9, true, 7) - weigh(9, true, 0), weigh(1, false, 7) - weigh(1, false, 0));
    assert_eq!(weigh(9, true, 0), 2 * weigh(1, false, 0), "the mock weighs no sums, but the joining");
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
    let manifest = chain.fixture.election.manifest.clone();
    // Room for one ballot in each block.
    chain.idle = Voting::sum_weight(&manifest, 1);
    let mut blocks = 0;
    while !chain.state().summed {
        chain.block(1_200_000 + blocks);
        blocks += 1;
        assert!(blocks < 20, "the sum ends");
    }
    assert!(blocks > 2, "it took several blocks");
    let in_steps = chain.run(|| Sums::<Test>::get(eid)).expect("summed");
    assert_eq!(in_steps.cells, at_once.cells);
    assert_eq!((in_steps.sums, in_steps.turnout), (at_once.sums, at_once.turnout));
}

#[test]
fn sums_end_and_leave_the_rest_of_the_block() {
    let mut chain = Chain::open(weighted());
    let ballot = chain.cast(2, 1, &[vec![0, 1, 0], vec![1, 1]]);
    let eid = chain.eid();
    chain.board(Action::Close { eid }).expect("the board closes");
    let manifest = chain.fixture.election.manifest.clone();
    // No room for a ballot.
    chain.idle = Voting::sum_weight(&manifest, 0);
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
        assert_eq!(step, Voting::sum_weight(&manifest, sums::MAX_STEP as u32));
        let summed = || Elections::<Test>::get(eid).is_some_and(|state| state.summed);
        assert!(!summed(), "one is left");
        assert_eq!(Voting::on_idle(0, Weight::MAX), Voting::sum_weight(&manifest, 1));
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
    assert_eq!(totals(&manifest, &result), vec![vec![0, 0, 0], vec![0, 0]]);
}
