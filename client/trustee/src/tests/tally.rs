//! The tally: the set is what the blocks hold, one set is signed, one contribution made, whatever happens.

use codec::Encode;
use psephos_protocol::{
    agreement::{Accepted, AcceptedSet, Agreement, SetStatement},
    ballot::CastBallot,
    cells::Cells,
    keys::verify_signature,
    tally::{reconstruct, Contribution, ElectionResult, Turnout, Turnouts},
    testing::{some_digest, Counted, Fixture, Params},
    transcript,
};
use std::{path::PathBuf, sync::atomic::AtomicBool};
use tempfile::TempDir;

use super::*;
use crate::{
    follow::{read, FollowError, Follower},
    inbox::Inbox,
    tally::{agree, contribute, declare, report_missing, statement, wrong_contributions, TallyError},
};

static GO: AtomicBool = AtomicBool::new(false);

/// An election that has closed at block 12, with this trustee's store.
struct Case {
    fixture: Fixture,
    keys: Arc<Keys>,
    served: Arc<Served>,
    chain: Answers,
    store: Option<Arc<Store>>,
    folder: TempDir,
    counted: Vec<Counted>,
    closed: ElectionState,
    follower: Follower,
    next: u32,
}

const CLOSING: u32 = 12;

/// Votes as (voter, sequence, option, whether this trustee was there).
async fn case(votes: &[(usize, u32, usize, bool)]) -> Case {
    case_with(Fixture::new(&three()), votes).await
}

/// Three voters, the last of weight 3.
fn three() -> Params {
    Params { voters: vec![1, 1, 3], ..Params::default() }
}

async fn case_with(fixture: Fixture, votes: &[(usize, u32, usize, bool)]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let (served, chain) = (served(&fixture, Phase::Open), Answers::of(&fixture));
    let (keys, store) = (keys(&fixture), store(&fixture, &folder.path().join("data")));
    let mut case = Case {
        fixture,
        keys,
        served,
        chain,
        store: Some(store),
        folder,
        counted: Vec::new(),
        closed: state(Phase::Closed),
        follower: Follower::new(1),
        next: 1,
    };
    for (voter, sequence, option, there) in votes {
        case.vote(*voter, *sequence, *option, *there).await;
    }
    while case.next <= CLOSING {
        case.push(Vec::new()).unwrap();
    }
    case.closed.closing = Some(anchor(CLOSING));
    case.closed.summed = true;
    case
}

impl Case {
    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    async fn vote(&mut self, voter: usize, sequence: u32, option: usize, there: bool) {
        let mut vote = vec![0; 3];
        vote[option] = 1;
        let mut signed = self.fixture.sign(voter, sequence, &[vote]);
        let deposit = self.fixture.deposits(&mut signed).swap_remove(usize::from(INDEX) - 1);
        if there {
            let (elections, store) = (elections(&self.served, 10), self.store.clone().unwrap());
            let inbox = Inbox::new(self.chain.clone(), self.keys.clone(), store, elections, metrics());
            inbox.deposit(&deposit.encode()).await.unwrap();
        }
        let quorum = self.fixture.election.manifest.quorum;
        let receipts: Vec<_> = (1..=quorum).map(|index| self.fixture.receipt(index, &signed.hash)).collect();
        let cast = CastBallot { signed: signed.ballot, receipts: receipts.try_into().unwrap() };
        let credential = cast.signed.ballot.statement.credential;
        self.chain.change(&credential, |voter| {
            (voter.ballots, voter.sequence) = (voter.ballots + 1, sequence);
        });
        let (weight, unit) = (self.fixture.voters[voter].weight, self.fixture.voters[voter].unit);
        self.counted.retain(|before| before.cast.signed.ballot.statement.credential != credential);
        let (hash, shares) = (signed.hash, signed.shares);
        self.counted.push(Counted { cast: cast.clone(), hash, shares, weight, unit });
        self.closed.ballots += 1;
        self.closed.counted = self.counted.len() as u32;
        self.closed.ballot_log = transcript::log(&self.closed.ballot_log, &signed.hash.0);
        self.push(vec![Message::Cast(cast)]).unwrap();
    }

    /// The next block.
    fn push(&mut self, messages: Vec<Message>) -> Result<(), FollowError> {
        let block = block(self.next, messages);
        let facts = read(&self.served, &block)?;
        self.follower.apply(&self.fixture.election.manifest.board, block.anchor, block.parent, facts)?;
        self.next += 1;
        Ok(())
    }

    async fn set(&self) -> Result<AcceptedSet, FollowError> {
        let closing = self.closed.closing.unwrap();
        self.follower.accepted_set(&self.fixture.election, &self.chain, closing, &self.closed).await
    }

    async fn agreed_set(&mut self) -> (AcceptedSet, SetStatement) {
        let set = self.set().await.unwrap();
        let statement = statement(anchor(CLOSING), &set, self.closed.ballot_log);
        (set, statement)
    }

    fn others_agree(&mut self, statement: SetStatement, trustees: &[u8]) {
        let agreements =
            trustees.iter().map(|trustee| Message::Agree(self.fixture.agree(*trustee, statement))).collect();
        self.push(agreements).unwrap();
    }

    fn agree(&self, statement: SetStatement) -> Result<Option<Agreement>, TallyError> {
        agree(self.store(), &self.keys, &self.served, &self.follower, statement)
    }

    fn contribute(
        &self,
        statement: SetStatement,
        set: &AcceptedSet,
    ) -> Result<Option<Contribution>, TallyError> {
        contribute(self.store(), &self.keys, &self.served, &self.follower, statement, set, &GO)
    }

    /// Copies the store as it is now.
    fn backup(&mut self) -> PathBuf {
        let (file, copy) =
            (self.folder.path().join("data/trustee.redb"), self.folder.path().join("copy.redb"));
        self.store = None;
        std::fs::copy(file, &copy).unwrap();
        self.reopen();
        copy
    }

    fn restore(&mut self, copy: &std::path::Path) {
        self.store = None;
        std::fs::copy(copy, self.folder.path().join("data/trustee.redb")).unwrap();
        self.reopen();
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(super::store(&self.fixture, &self.folder.path().join("data")));
    }
}

const VOTES: [(usize, u32, usize, bool); 4] =
    [(0, 1, 0, true), (1, 1, 1, true), (0, 2, 2, true), (2, 1, 1, true)];

#[tokio::test]
async fn the_set_is_the_last_ballot_of_each_voter_with_its_weight() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    assert_eq!(case.chain.asked.lock().unwrap().last(), Some(&3), "all voters in one question");
    let mut expected = AcceptedSet::default();
    for counted in &case.counted {
        let ballot = &counted.cast.signed.ballot.statement;
        let Counted { hash, weight, unit, .. } = *counted;
        let accepted = Accepted { sequence: ballot.sequence, ballot: hash, weight, unit };
        expected.accept(ballot.credential, accepted);
    }
    assert_eq!((set.len(), &set), (3, &expected));
    assert_eq!(
        statement,
        SetStatement {
            closing: anchor(CLOSING),
            root: expected.root(),
            ballots: 3,
            log: case.closed.ballot_log
        }
    );
    assert_eq!(case.set().await.map(|set| set.root()), Ok(statement.root));
    assert_eq!(report_missing(case.store(), &case.served, &set), Ok(0));
}

#[tokio::test]
async fn a_set_that_is_not_the_chains_is_refused() {
    let mut case = case(&VOTES).await;
    let good = case.closed.clone();
    let what = |outcome: Result<AcceptedSet, FollowError>| match outcome {
        Err(FollowError::Mismatch { what, ours, chain }) => {
            assert_ne!(ours, chain);
            what
        }
        other => panic!("{other:?}"),
    };
    case.closed.ballot_log = some_digest("other");
    assert_eq!(what(case.set().await), "log of ballots");
    case.closed = ElectionState { ballots: good.ballots + 1, ..good.clone() };
    assert_eq!(what(case.set().await), "accepted ballots");
    case.closed = ElectionState { counted: good.counted - 1, ..good.clone() };
    assert_eq!(what(case.set().await), "counted ballots");
    for other in [anchor(CLOSING - 1), Anchor { number: CLOSING, hash: [9; 32] }] {
        case.closed = ElectionState { closing: Some(other), ..good.clone() };
        assert!(matches!(case.set().await, Err(FollowError::Closing { .. })));
    }
    case.closed = good;
    assert!(case.set().await.is_ok());
    let credential = case.fixture.voters[2].key.public();
    case.chain.change(&credential, |voter| voter.style = 1);
    assert!(matches!(case.set().await, Err(FollowError::Voter { .. })));
    case.chain.change(&credential, |voter| (voter.style, voter.unit) = (0, 1));
    assert!(matches!(case.set().await, Err(FollowError::Voter { .. })), "there is one unit");
    case.chain.voters.lock().unwrap().remove(&credential);
    assert!(matches!(case.set().await, Err(FollowError::Voter { .. })));
}

#[tokio::test]
async fn blocks_must_follow_and_hold_only_good_ballots() {
    let mut case = case(&VOTES[..1]).await;
    let gap = block(case.next + 1, Vec::new());
    assert!(matches!(
        case.follower.apply(&case.fixture.election.manifest.board, gap.anchor, gap.parent, Vec::new()),
        Err(FollowError::Gap { .. })
    ));
    let fork = block(case.next, Vec::new());
    assert!(matches!(
        case.follower.apply(&case.fixture.election.manifest.board, fork.anchor, [0; 32], Vec::new()),
        Err(FollowError::Gap { .. })
    ));

    let good = case.fixture.cast(1, 1, &[vec![1, 0, 0]]).cast;
    let mut unsigned = good.clone();
    unsigned.signed.signature.0[0] ^= 1;
    let mut short = good.clone();
    short.receipts.truncate(2);
    let mut foreign = good.clone();
    foreign.receipts[0] = case.fixture.receipt(1, &BallotHash([1; 32]));
    for bad in [unsigned, short, foreign] {
        assert!(matches!(case.push(vec![Message::Cast(bad)]), Err(FollowError::Ballot { .. })));
    }
    let again = case.counted[0].cast.clone();
    assert!(matches!(case.push(vec![Message::Cast(again)]), Err(FollowError::Sequence { .. })));
}

#[tokio::test]
async fn blocks_that_lead_to_no_final_one_are_of_no_use() {
    let case = case(&VOTES).await;
    let head = anchor(case.next - 1);
    assert_eq!(case.follower.ends_with(head), Ok(()));
    let other = Anchor { hash: [7; 32], ..head };
    assert!(matches!(case.follower.ends_with(other), Err(FollowError::Unproved { .. })), "of another chain");
    // It read what is final before; a node that is behind says nothing about it.
    assert_eq!(case.follower.ends_with(Anchor { number: head.number - 1, hash: [7; 32] }), Ok(()));
}

#[tokio::test]
async fn one_set_is_signed_and_the_same_bytes_are_sent_again() {
    let mut case = case(&VOTES).await;
    let (_, statement) = case.agreed_set().await;
    let first = case.agree(statement).unwrap().unwrap();
    assert!(first.verify(&case.fixture.election, verify_signature));
    case.reopen();
    assert_eq!(case.agree(statement), Ok(Some(first)));
    let other = SetStatement { root: some_digest("another"), ..statement };
    assert!(matches!(case.agree(other), Err(TallyError::SignedBefore { .. })));
    case.push(vec![Message::Agree(first)]).unwrap();
    assert_eq!(case.agree(statement), Ok(None), "it is on the chain");
}

#[tokio::test]
async fn a_restored_store_does_not_sign_another_set() {
    let mut case = case(&VOTES).await;
    let (_, statement) = case.agreed_set().await;
    let other = SetStatement { root: some_digest("another"), ..statement };
    let sent = case.fixture.agree(INDEX, other);
    case.push(vec![Message::Agree(sent)]).unwrap();
    assert!(matches!(case.agree(statement), Err(TallyError::SignedOnChain { .. })));
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().agreement, None);
}

#[tokio::test]
async fn a_forgotten_agreement_is_taken_from_the_chain() {
    let mut case = case(&VOTES).await;
    let (_, statement) = case.agreed_set().await;
    let sent = case.fixture.agree(INDEX, statement);
    case.push(vec![Message::Agree(sent)]).unwrap();
    assert_eq!(case.agree(statement), Ok(None));
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().agreement, Some(sent));
}

#[tokio::test]
async fn another_trustees_other_set_does_not_stop_the_agreement() {
    let mut case = case(&VOTES).await;
    let (_, statement) = case.agreed_set().await;
    let other = SetStatement { root: some_digest("another"), ..statement };
    case.others_agree(other, &[4]);
    let sent = case.agree(statement).unwrap().unwrap();
    assert_eq!(sent.statement, statement, "it signs its own set");
}

#[tokio::test]
async fn the_contribution_opens_the_tally_and_is_made_once() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    let made = case.contribute(statement, &set).unwrap().unwrap();
    assert!(made.verify(&case.fixture.election, verify_signature));

    // With one other it opens the sums of the commitments: 1 and 3 for the second option, 1 for the third.
    let counted = std::mem::take(&mut case.counted);
    let other = case.fixture.contribute(1, &counted);
    let manifest = &case.fixture.election.manifest;
    let openings = reconstruct(manifest, &[(1, &other.sums), (INDEX, &made.sums)]).unwrap();
    let turnout = Turnouts(vec![Turnout { ballots: 3, weight: 5 }].try_into().unwrap());
    let result = ElectionResult { openings, turnout, contributors: vec![1, INDEX].try_into().unwrap() };
    let totals = result.verify(manifest, &case.fixture.cells(&counted), &case.fixture.sums(&counted));
    assert_eq!(totals.unwrap().election, [vec![0, 4, 1]]);

    case.reopen();
    assert_eq!(case.contribute(statement, &set), Ok(Some(made.clone())), "the same bytes again");
    case.push(vec![Message::Contribute(made)]).unwrap();
    assert_eq!(case.contribute(statement, &set), Ok(None));
    let other = SetStatement { root: some_digest("another"), ..statement };
    assert!(case.agree(other).is_err(), "whoever contributed signs no other set");
}

#[tokio::test]
async fn nothing_is_contributed_before_q_signatures_are_in_the_blocks() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 3]);
    assert!(matches!(
        case.contribute(statement, &set),
        Err(TallyError::NotAgreed { signers: 2, quorum: 3, .. })
    ));
    // The same trustee twice, and a signature that is none, don't count.
    case.others_agree(statement, &[1]);
    let mut forged = case.fixture.agree(4, statement);
    forged.signature.0[0] ^= 1;
    case.push(vec![Message::Agree(forged)]).unwrap();
    assert!(matches!(case.contribute(statement, &set), Err(TallyError::NotAgreed { signers: 2, .. })));
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().contribution, None);
    case.others_agree(statement, &[4]);
    assert!(case.contribute(statement, &set).unwrap().is_some());
}

#[tokio::test]
async fn a_lying_minority_does_not_stop_the_contribution() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    case.others_agree(SetStatement { root: some_digest("a lie"), ..statement }, &[4]);
    assert!(case.contribute(statement, &set).unwrap().is_some());
}

#[tokio::test]
async fn a_restored_store_makes_no_second_contribution() {
    let mut case = case(&VOTES).await;
    let copy = case.backup();
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    let made = case.contribute(statement, &set).unwrap().unwrap();
    case.push(vec![Message::Contribute(made)]).unwrap();
    case.restore(&copy);
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().contribution, None, "the copy has forgotten");
    assert_eq!(case.contribute(statement, &set), Err(TallyError::ContributedElsewhere));
}

#[tokio::test]
async fn another_set_gets_no_second_contribution() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    case.contribute(statement, &set).unwrap().unwrap();
    // A rewritten chain that agrees on less.
    let shorter = SetStatement { ballots: 2, root: some_digest("shorter"), ..statement };
    case.follower = Follower::new(case.next);
    case.others_agree(shorter, &[1, 3, 4]);
    assert!(matches!(case.contribute(shorter, &set), Err(TallyError::SignedBefore { .. })));
}

#[tokio::test]
async fn a_trustee_that_was_away_agrees_and_does_not_contribute() {
    let mut case = case(&[(0, 1, 0, true), (1, 1, 1, false), (2, 1, 2, true)]).await;
    let (set, statement) = case.agreed_set().await;
    assert_eq!(report_missing(case.store(), &case.served, &set), Ok(1));
    assert!(case.agree(statement).unwrap().is_some());
    case.others_agree(statement, &[1, 2, 3]);
    let outcome = case.contribute(statement, &set);
    assert!(matches!(outcome, Err(TallyError::Missing { missing: 1, ballots: 3, .. })), "{outcome:?}");
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().contribution, None);
}

/// Four voters in two units of a manifest with a minimum of 2; all voted.
async fn in_units() -> Case {
    let params = Params { voters: vec![1; 4], units: vec![0, 1, 0, 1], by_unit: true, ..Params::default() };
    let fixture = Fixture::with(&params, |manifest| manifest.privacy_minimum = 2);
    case_with(fixture, &[(0, 1, 0, true), (1, 1, 1, true), (2, 1, 1, true), (3, 1, 2, true)]).await
}

#[tokio::test]
async fn contributions_are_per_cell_and_fit_the_dealings_there() {
    let mut case = in_units().await;
    let (set, statement) = case.agreed_set().await;
    let manifest = case.fixture.election.manifest.clone();
    let cells = case.follower.cells(&manifest, &set).unwrap();
    assert_eq!(cells.units().collect::<Vec<_>>(), [0..1, 1..2]);
    case.others_agree(statement, &[1, 2, 3]);
    let own = case.contribute(statement, &set).unwrap().unwrap();
    assert_eq!(own.sums, case.fixture.contribute(INDEX, &case.counted).sums);
    assert_eq!(own.sums.len(), 2 * manifest.columns());
    let mut swapped = case.fixture.contribute(3, &case.counted);
    swapped.sums.iter_mut().into_slice().rotate_left(manifest.columns());
    let all = [case.fixture.contribute(1, &case.counted), own, swapped];
    assert_eq!(wrong_contributions(case.store(), &case.served, &set, &cells, &all, &GO), Ok(vec![3]));
}

#[tokio::test]
async fn cells_are_those_of_the_set_without_what_is_excluded() {
    let mut case = in_units().await;
    let (mut set, _) = case.agreed_set().await;
    let manifest = case.fixture.election.manifest.clone();
    set.exclude(&case.fixture.voters[3].key.public());
    let cells = case.follower.cells(&manifest, &set).unwrap();
    assert_eq!(cells, Cells::all(&manifest), "one ballot of the second unit is left");
    // Nothing is counted that was not read.
    let stranger = Accepted { sequence: 1, ballot: BallotHash([9; 32]), weight: 1, unit: 0 };
    set.accept(PublicKey([9; 32]), stranger);
    assert!(matches!(case.follower.cells(&manifest, &set), Err(FollowError::Voter { .. })));
}

#[tokio::test]
async fn a_missed_ballot_that_was_replaced_is_not_missed() {
    let mut case = case(&[(0, 1, 0, false), (0, 2, 1, true)]).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    assert!(case.contribute(statement, &set).unwrap().is_some());
}

#[tokio::test]
async fn the_wrong_kem_key_contributes_nothing() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    let kem = case.fixture.trustees[0].kem.clone();
    case.keys = Arc::new(Keys { signing: case.keys.signing.clone(), kem });
    assert!(matches!(case.contribute(statement, &set), Err(TallyError::Damaged { .. })));
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().contribution, None);
}

#[tokio::test]
async fn a_rehearsal_may_hold_this_trustee_back() {
    for held in [INDEX, 4] {
        // It gives receipts all the same.
        let fixture = Fixture::with(&three(), |manifest| manifest.rehearsal = Some(held));
        let mut case = case_with(fixture, &VOTES).await;
        let (set, statement) = case.agreed_set().await;
        let declared =
            declare(case.store(), &case.keys, &case.served, &case.follower, anchor(CLOSING), &[]).unwrap();
        let agreed = case.agree(statement).unwrap();
        case.others_agree(statement, &[1, 2, 3, 4]);
        let signers: Vec<u8> =
            (1..=4).filter(|trustee| case.follower.agreement_of(*trustee).is_some()).collect();
        assert_eq!(signers, (1..=4).filter(|trustee| *trustee != held).collect::<Vec<_>>());
        let contributed = case.contribute(statement, &set).unwrap();
        let marks = case.store().marks(&case.served.eid()).unwrap();
        let done = [
            declared.is_some(),
            agreed.is_some(),
            contributed.is_some(),
            marks.declaration.is_some(),
            marks.agreement.is_some(),
            marks.contribution.is_some(),
        ];
        assert_eq!(done, [held != INDEX; 6], "trustee {held} is held back");
    }
}

#[tokio::test]
async fn a_stop_leaves_no_mark() {
    let mut case = case(&VOTES).await;
    let (set, statement) = case.agreed_set().await;
    case.others_agree(statement, &[1, 2, 3]);
    let (stop, store) = (AtomicBool::new(true), case.store());
    let outcome = contribute(store, &case.keys, &case.served, &case.follower, statement, &set, &stop);
    assert_eq!(outcome, Err(TallyError::Stopping));
    assert_eq!(case.store().marks(&case.served.eid()).unwrap().contribution, None);
}
