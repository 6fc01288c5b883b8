//! What trustees can't serve, and a quorum that can't be reached.

use psephos_protocol::{
    agreement::SetStatement,
    board::Action,
    bounds::LOWERED_QUORUM_WAIT,
    cells::Cells,
    declaration::{Declaration, Missing},
    refusal::Refusal,
    state::Phase,
    tally::{Finalize, Turnout},
    testing::{set_statement, Counted, Fixture, Params},
    wire::Message,
};

use super::reason;
use crate::mock::*;
use crate::*;

/// Four voters voted; n = 4, t = 2, q = 3; closed and summed.
fn closed() -> (Chain, Vec<Counted>) {
    let mut chain = Chain::open(Fixture::new(&Params { voters: vec![1, 1, 3, 3], ..params() }));
    let votes = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]];
    let ballots =
        votes.iter().enumerate().map(|(voter, vote)| chain.cast(voter, 1, &[vote.to_vec()])).collect();
    chain.close();
    (chain, ballots)
}

fn credential(ballot: &Counted) -> PublicKey {
    ballot.cast.signed.ballot.statement.credential
}

fn listed(ballots: &[&Counted]) -> Missing {
    let mut credentials: Vec<PublicKey> = ballots.iter().map(|ballot| credential(ballot)).collect();
    credentials.sort_unstable();
    Missing::Listed(credentials.try_into().expect("few"))
}

fn declaration(chain: &mut Chain, trustee: u8, missing: Missing) -> Declaration {
    let closing = chain.state().closing.expect("closed");
    chain.fixture.declare(trustee, closing, missing)
}

fn declare(chain: &mut Chain, trustee: u8, missing: Missing) -> Result<(), Refusal> {
    let declaration = declaration(chain, trustee, missing);
    chain.submit(Message::Declare(declaration))
}

fn agree(chain: &mut Chain, trustee: u8, ballots: &[Counted]) -> Result<(), Refusal> {
    let state = chain.state();
    let closing = state.closing.expect("closed");
    let statement = SetStatement { log: state.ballot_log, ..set_statement(ballots, closing) };
    let agreement = chain.fixture.agree(trustee, statement);
    chain.submit(Message::Agree(agreement))
}

#[test]
fn a_ballot_that_too_few_can_serve_is_excluded_and_the_rest_is_opened() {
    let (mut chain, mut ballots) = closed();
    let lost = ballots.remove(1);
    let eid = chain.eid();
    declare(&mut chain, 4, listed(&[])).expect("it has all");
    for trustee in [1, 2] {
        declare(&mut chain, trustee, listed(&[&lost])).expect("it lacks one");
    }
    assert_eq!(chain.state().excluded, 0, "n - t may lie or be away");
    assert!(chain.state().summed);
    declare(&mut chain, 3, listed(&[&lost, &ballots[0]])).expect("it lacks two");
    let state = chain.state();
    assert_eq!((state.counted, state.excluded, state.summed), (3, 1, false));
    assert_eq!(agree(&mut chain, 1, &ballots), Err(Refusal::NotSummed));
    chain.block(1_104_000);
    chain.block(1_106_000);
    assert!(chain.state().summed);
    let with_the_lost = [lost];
    assert_eq!(agree(&mut chain, 1, &with_the_lost), Err(Refusal::WrongClosing), "another number of ballots");
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("the set without it");
    }
    for trustee in [1, 2] {
        let contribution = chain.fixture.contribute(trustee, &ballots);
        chain.submit(Message::Contribute(contribution)).expect("contributed");
    }
    let contributors = vec![1, 2].try_into().expect("two");
    chain.submit(Message::Finalize(Finalize { eid, contributors })).expect("it opens");
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied");
    let manifest = &chain.fixture.election.manifest;
    let totals = result.totals(manifest, &Cells::all(manifest)).expect("totals");
    assert_eq!(totals.election, [vec![1, 3, 3]]);
    assert_eq!(result.turnout.0.to_vec(), [Turnout { ballots: 3, weight: 7 }]);
    chain.block(1_108_000);
}

#[test]
fn who_serves_nothing_counts_as_missing_each() {
    let (mut chain, ballots) = closed();
    declare(&mut chain, 1, Missing::All).expect("its disk is gone");
    declare(&mut chain, 2, listed(&[&ballots[3]])).expect("it lacks one");
    assert_eq!(chain.state().excluded, 0);
    declare(&mut chain, 3, listed(&[&ballots[3]])).expect("it lacks one");
    assert_eq!(chain.state().excluded, 1);
}

#[test]
fn where_so_many_miss_everything_nothing_is_excluded() {
    let (mut chain, ballots) = closed();
    declare(&mut chain, 4, listed(&[&ballots[0]])).expect("it lacks one");
    for trustee in 1..=3 {
        declare(&mut chain, trustee, Missing::All).expect("its disk is gone");
    }
    assert_eq!((chain.state().counted, chain.state().excluded), (4, 0));
    chain.block(1_104_000);
}

#[test]
fn an_exclusion_may_leave_a_group_too_small() {
    let fixture = Fixture::with(&Params { voters: vec![1, 1, 3, 3], ..params() }, |manifest| {
        manifest.privacy_minimum = 2
    });
    let mut chain = Chain::open(fixture);
    let ballots: Vec<Counted> = (0..4).map(|voter| chain.cast(voter, 1, &[vec![1, 0, 0]])).collect();
    chain.close();
    assert!(!chain.state().withheld);
    for trustee in 1..=3 {
        declare(&mut chain, trustee, listed(&[&ballots[3]])).expect("it lacks one");
    }
    chain.block(1_104_000);
    chain.block(1_106_000);
    assert!(chain.state().summed && chain.state().withheld, "one voter of weight 3 is left");
    assert_eq!(agree(&mut chain, 1, &ballots[..3]), Err(Refusal::Withheld));
}

#[test]
fn an_exclusion_joins_cells() {
    let params = Params { voters: vec![1; 6], units: vec![0, 0, 1, 1, 2, 2], by_unit: true, ..params() };
    let fixture = Fixture::with(&params, |manifest| manifest.privacy_minimum = 2);
    let mut chain = Chain::open(fixture);
    let votes = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]];
    let mut ballots: Vec<_> =
        votes.iter().enumerate().map(|(voter, vote)| chain.cast(voter, 1, &[vote.to_vec()])).collect();
    chain.close();
    let eid = chain.eid();
    let units = |chain: &mut Chain| {
        let view = chain.run(|| Voting::view_tally(eid)).expect("there");
        view.cells.map(|cells| cells.units().collect::<Vec<_>>())
    };
    assert_eq!(units(&mut chain), Some(vec![0..1, 1..2, 2..3]));
    let lost = ballots.remove(2);
    for trustee in 1..=3 {
        declare(&mut chain, trustee, listed(&[&lost])).expect("it lacks one");
    }
    assert_eq!(units(&mut chain), None, "the sums are taken anew");
    chain.block(1_104_000);
    chain.block(1_106_000);
    assert_eq!(units(&mut chain), Some(vec![0..1, 1..3]), "one ballot of the second unit is left");
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    for trustee in 1..=2 {
        let contribution = chain.fixture.contribute(trustee, &ballots);
        chain.submit(Message::Contribute(contribution)).expect("contributes");
    }
    let contributors = vec![1, 2].try_into().expect("few");
    chain.submit(Message::Finalize(Finalize { eid, contributors })).expect("the openings open the sums");
    let manifest = chain.fixture.election.manifest.clone();
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied");
    let totals = result.totals(&manifest, &chain.fixture.cells(&ballots)).expect("totals");
    assert_eq!(totals.cells, [vec![vec![2, 0, 0]], vec![vec![0, 1, 2]]]);
}

#[test]
fn a_declaration_is_made_once_by_its_trustee_about_ballots_that_count() {
    let (mut chain, ballots) = closed();
    let good = declaration(&mut chain, 1, listed(&[&ballots[0], &ballots[1]]));
    let mut forged = good.clone();
    forged.trustee = 2;
    assert_eq!(chain.submit(Message::Declare(forged)), Err(Refusal::NotTrustee));
    let mut changed = good.clone();
    changed.missing = Missing::All;
    assert_eq!(chain.submit(Message::Declare(changed)), Err(Refusal::NotTrustee));
    let mut foreign = chain.state().closing.expect("closed");
    foreign.number -= 1;
    let wrong = chain.fixture.declare(1, foreign, Missing::All);
    assert_eq!(chain.submit(Message::Declare(wrong)), Err(Refusal::WrongClosing));
    let ordered = listed(&[&ballots[0], &ballots[1]]);
    let (first, second) = (ordered.listed()[0], ordered.listed()[1]);
    for list in [vec![second, first], vec![first, first], vec![PublicKey([9; 32])]] {
        let missing = Missing::Listed(list.try_into().expect("few"));
        assert_eq!(declare(&mut chain, 1, missing), Err(Refusal::WrongDeclaration));
    }
    chain.submit(Message::Declare(good.clone())).expect("its own");
    assert_eq!(chain.submit(Message::Declare(good)), Err(Refusal::AlreadyDone));
    for trustee in 1..=3 {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    assert_eq!(declare(&mut chain, 2, listed(&[])), Err(Refusal::WrongPhase), "the set is agreed on");
}

#[test]
fn nothing_is_declared_before_the_close() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let early = chain.fixture.declare(1, Default::default(), Missing::All);
    assert_eq!(chain.submit(Message::Declare(early)), Err(Refusal::WrongPhase));
}

fn lower(chain: &mut Chain, quorum: u8) -> Result<(), Refusal> {
    let eid = chain.eid();
    chain.board(Action::LowerQuorum { eid, quorum, reason: reason("two trustees are gone") })
}

/// Ends the block at this height and begins the next.
fn block_after(chain: &mut Chain, height: u32) {
    chain.run(|| System::set_block_number(u64::from(height)));
    chain.block(1_300_000);
}

#[test]
fn a_lowered_quorum_holds_after_the_wait() {
    let (mut chain, ballots) = closed();
    for trustee in [1, 2] {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    assert_eq!(lower(&mut chain, 1), Err(Refusal::WrongQuorum), "below the threshold");
    assert_eq!(lower(&mut chain, 3), Err(Refusal::WrongQuorum), "no less than before");
    lower(&mut chain, 2).expect("the board lowers it");
    assert_eq!(lower(&mut chain, 2), Err(Refusal::WrongQuorum), "done");
    let from = chain.state().lowered.expect("lowered").from;
    assert_eq!(from, chain.run(System::block_number) as u32 + LOWERED_QUORUM_WAIT);
    block_after(&mut chain, from - 2);
    assert_eq!(chain.state().phase, Phase::Closed, "it waits");
    block_after(&mut chain, from - 1);
    assert_eq!(chain.state().phase, Phase::Agreed);
    assert_eq!(lower(&mut chain, 1), Err(Refusal::WrongPhase));
}

#[test]
fn a_signature_after_the_wait_completes_a_lowered_quorum() {
    let (mut chain, ballots) = closed();
    agree(&mut chain, 1, &ballots).expect("signs");
    lower(&mut chain, 2).expect("the board lowers it");
    let from = chain.state().lowered.expect("lowered").from;
    block_after(&mut chain, from);
    assert_eq!(chain.state().phase, Phase::Closed, "one is not enough");
    agree(&mut chain, 2, &ballots).expect("signs");
    assert_eq!(chain.state().phase, Phase::Agreed);
}

#[test]
fn two_sets_with_a_lowered_quorum_each_open_nothing() {
    let (mut chain, ballots) = closed();
    let closing = chain.state().closing.expect("closed");
    for trustee in [1, 2] {
        agree(&mut chain, trustee, &ballots).expect("signs");
    }
    let mut other = set_statement(&ballots, closing);
    other.root = psephos_protocol::testing::some_digest("another set");
    lower(&mut chain, 2).expect("the board lowers it");
    for trustee in [3, 4] {
        let agreement = chain.fixture.agree(trustee, other);
        chain.submit(Message::Agree(agreement)).expect("signs another");
    }
    let from = chain.state().lowered.expect("lowered").from;
    block_after(&mut chain, from);
    assert_eq!(chain.state().phase, Phase::Closed, "nothing is opened");
    assert!(chain.state().conflict);
}

#[test]
fn only_the_board_lowers_the_quorum_and_only_after_the_close() {
    let mut chain = Chain::open(Fixture::new(&params()));
    assert_eq!(lower(&mut chain, 2), Err(Refusal::WrongPhase));
    let (mut chain, _) = closed();
    let eid = chain.eid();
    let silent = Action::LowerQuorum { eid, quorum: 2, reason: reason("") };
    assert_eq!(chain.board(silent), Err(Refusal::InvalidText));
    let action = Action::LowerQuorum { eid, quorum: 2, reason: reason("gone") };
    let approval = chain.fixture.approve(action, 0);
    chain.submit(Message::Approve(approval)).expect("one member");
    assert_eq!(chain.state().lowered, None, "k members are needed");
}
