//! A chain that asks for rehearsals freezes no other election before its trustees have done one.

use psephos_protocol::{
    board::Action,
    declaration::Missing,
    manifest::Manifest,
    refusal::Refusal,
    state::Phase,
    tally::Finalize,
    testing::{set_statement, Counted, Fixture, Params},
    wire::Message,
};

use super::reason;
use crate::mock::*;
use crate::*;

/// Trustee 4 is held back; n = 4, t = 2, q = 3.
const HELD: u8 = 4;

fn rehearsal() -> Fixture {
    Fixture::with(&params(), |manifest| manifest.rehearsal = Some(HELD))
}

/// A chain that asks for rehearsals, with this election open.
fn open(fixture: Fixture) -> Chain {
    let mut chain = Chain::asking(fixture, true);
    chain.create();
    chain.accept();
    chain.enroll();
    chain.freeze().expect("a rehearsal needs none before it");
    chain.open_by_clock();
    chain
}

/// From the close to the certification by the board.
fn certify(chain: &mut Chain, ballots: &[Counted]) {
    chain.close();
    let (eid, state) = (chain.eid(), chain.state());
    let statement = set_statement(ballots, state.closing.expect("closed"));
    for trustee in 1..=3 {
        let agreement = chain.fixture.agree(trustee, statement);
        chain.submit(Message::Agree(agreement)).expect("it agrees");
    }
    for trustee in [1, 3] {
        let contribution = chain.fixture.contribute(trustee, ballots);
        chain.submit(Message::Contribute(contribution)).expect("it contributes");
    }
    let contributors = vec![1, 3].try_into().expect("two");
    chain.submit(Message::Finalize(Finalize { eid, contributors })).expect("it opens");
    assert_eq!(rehearsed(chain), None, "not before the board says so");
    let result = chain.run(|| Results::<Test>::get(eid)).expect("tallied").digest(&eid, &statement.root);
    chain.board(Action::Certify { eid, result }).expect("the board certifies");
    chain.block(1_104_000);
}

fn rehearsed(chain: &mut Chain) -> Option<Eid> {
    let team = chain.fixture.election.manifest.team();
    let (asked, eid) = chain.run(|| Voting::view_rehearsed(team));
    assert!(asked);
    eid
}

/// The next election of this chain, with this change, up to its freeze.
fn next(chain: &mut Chain, params: Params, change: impl FnOnce(&mut Manifest)) -> Result<(), Refusal> {
    let number = chain.run(NextNumber::<Test>::get);
    chain.fixture = Fixture::with(&Params { number, ..params }, change);
    let manifest = chain.fixture.election.manifest.clone();
    chain.board(Action::CreateElection { number, manifest }).expect("the board creates it");
    chain.accept();
    chain.enroll();
    chain.freeze()
}

#[test]
fn a_certified_rehearsal_lets_its_team_freeze() {
    let mut chain = open(rehearsal());
    let ballots = [chain.cast(0, 1, &[vec![0, 1, 0]])];
    certify(&mut chain, &ballots);
    let (eid, phase) = (chain.eid(), chain.state().phase);
    assert_eq!((rehearsed(&mut chain), phase), (Some(eid), Phase::Certified));
    assert_eq!(next(&mut chain, params(), |_| ()), Ok(()));
    assert_eq!(next(&mut chain, params(), |_| ()), Ok(()), "and again");
    // Another q, t, n, or key: another team.
    let refused = Err(Refusal::NotRehearsed);
    assert_eq!(next(&mut chain, Params { quorum: 4, ..params() }, |_| ()), refused);
    assert_eq!(next(&mut chain, Params { threshold: 3, quorum: 4, ..params() }, |_| ()), refused);
    assert_eq!(next(&mut chain, Params { trustees: 5, quorum: 4, ..params() }, |_| ()), refused);
    assert_eq!(next(&mut chain, params(), |manifest| manifest.trustees[0].kem[0] ^= 1), refused);
}

#[test]
fn without_a_rehearsal_nothing_is_frozen() {
    let mut chain = Chain::asking(Fixture::new(&params()), true);
    chain.create();
    chain.accept();
    chain.enroll();
    assert_eq!(chain.freeze(), Err(Refusal::NotRehearsed));
    assert_eq!(chain.state().phase, Phase::Registration);
    // The first approval is refused as well: nobody waits for the last one to hear it.
    chain.run(|| assert_eq!(Proposals::<Test>::iter().count(), 0));
}

#[test]
fn a_chain_that_does_not_ask_freezes_all_the_same() {
    let mut chain = Chain::open(Fixture::new(&params()));
    let team = chain.fixture.election.manifest.team();
    assert_eq!(chain.run(|| Voting::view_rehearsed(team)), (false, None));
}

#[test]
fn a_rehearsal_that_nobody_certified_counts_for_nothing() {
    let mut chain = open(rehearsal());
    chain.cast(0, 1, &[vec![0, 1, 0]]);
    assert_eq!(next(&mut chain, params(), |_| ()), Err(Refusal::NotRehearsed), "it goes on");
    let mut chain = open(rehearsal());
    let eid = chain.eid();
    chain.board(Action::Void { eid, reason: reason("a trustee was ill") }).expect("voided");
    assert_eq!(next(&mut chain, params(), |_| ()), Err(Refusal::NotRehearsed), "it was voided");
}

#[test]
fn a_rehearsal_without_ballots_has_shown_nothing() {
    let mut chain = open(rehearsal());
    certify(&mut chain, &[]);
    assert_eq!(chain.state().phase, Phase::Certified);
    assert_eq!(rehearsed(&mut chain), None);
    assert_eq!(next(&mut chain, params(), |_| ()), Err(Refusal::NotRehearsed));
}

#[test]
fn an_election_that_counts_is_no_rehearsal() {
    let mut chain = Chain::open(Fixture::new(&params()));
    chain.run(|| RequireRehearsal::<Test>::put(true));
    let ballots = [chain.cast(0, 1, &[vec![0, 1, 0]])];
    certify(&mut chain, &ballots);
    assert_eq!(next(&mut chain, params(), |_| ()), Err(Refusal::NotRehearsed));
}

#[test]
fn who_is_held_back_is_refused_at_every_step_of_the_tally() {
    let mut chain = open(rehearsal());
    let ballots = [chain.cast(0, 1, &[vec![0, 1, 0]])];
    chain.close();
    let closing = chain.state().closing.expect("closed");
    let declaration = chain.fixture.declare(HELD, closing, Missing::Listed(Default::default()));
    assert_eq!(chain.submit(Message::Declare(declaration)), Err(Refusal::NotTrustee));
    let statement = set_statement(&ballots, closing);
    let agreement = chain.fixture.agree(HELD, statement);
    assert_eq!(chain.submit(Message::Agree(agreement)), Err(Refusal::NotTrustee));
    for trustee in 1..=3 {
        let agreement = chain.fixture.agree(trustee, statement);
        chain.submit(Message::Agree(agreement)).expect("it agrees");
    }
    assert_eq!(chain.state().phase, Phase::Agreed, "the others suffice");
    let contribution = chain.fixture.contribute(HELD, &ballots);
    assert_eq!(chain.submit(Message::Contribute(contribution)), Err(Refusal::NotTrustee));
}
