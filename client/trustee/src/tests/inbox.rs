//! The inbox: every check refuses what it should, in its order, and nothing but a kept share is vouched for.

use codec::Encode;
use psephos_protocol::{
    ballot::Signed,
    bounds::{MAX_BALLOTS_PER_CREDENTIAL, SEQUENCE_WINDOW},
    envelope::{Deposit, MAX_DEPOSIT_BYTES},
    keys::verify_signature,
    refusal::Refusal,
    testing::{Fixture, Params},
};
use std::sync::atomic::Ordering;
use tempfile::TempDir;

use super::*;
use crate::{
    inbox::{DepositError, Inbox, MAX_FAULTS},
    store::{Deposited, Keep},
};

struct Case {
    fixture: Fixture,
    served: Arc<Served>,
    elections: Arc<Elections>,
    chain: Answers,
    store: Arc<Store>,
    inbox: Inbox<Answers>,
    _folder: TempDir,
}

fn case(phase: Phase) -> Case {
    let (fixture, folder) = (Fixture::new(&Params::default()), tempfile::tempdir().unwrap());
    let store = store(&fixture, folder.path());
    over(fixture, phase, store, folder)
}

fn over(fixture: Fixture, phase: Phase, store: Arc<Store>, folder: TempDir) -> Case {
    let (served, chain) = (served(&fixture, phase), Answers::of(&fixture));
    let elections = elections(&served, 20);
    let inbox = Inbox::new(chain.clone(), keys(&fixture), store.clone(), elections.clone(), metrics());
    Case { fixture, served, elections, chain, store, inbox, _folder: folder }
}

impl Case {
    fn signed(&mut self, voter: usize, sequence: u32) -> Signed {
        self.fixture.sign(voter, sequence, &[vec![0, 1, 0]])
    }

    fn deposit(&mut self, voter: usize, sequence: u32) -> Deposit {
        let mut signed = self.signed(voter, sequence);
        self.own(&mut signed)
    }

    fn own(&self, signed: &mut Signed) -> Deposit {
        self.fixture.deposits(signed).swap_remove(usize::from(INDEX) - 1)
    }

    async fn refusal(&self, deposit: &Deposit) -> Refusal {
        self.refusal_of(&deposit.encode()).await
    }

    async fn refusal_of(&self, bytes: &[u8]) -> Refusal {
        match self.inbox.deposit(bytes).await {
            Err(DepositError::Refused { refusal, detail }) => {
                assert!(!detail.is_empty());
                refusal
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_good_deposit_gets_one_receipt_ever() {
    let mut case = case(Phase::Open);
    let deposit = case.deposit(0, 1);
    let hash = deposit.ballot.ballot.hash();
    let receipt = case.inbox.deposit(&deposit.encode()).await.unwrap();
    assert_eq!((receipt.trustee, receipt.height), (INDEX, 20));
    assert!(receipt.verify(&case.fixture.election, &hash, verify_signature));
    let kept = case.store.deposited(&case.served.eid(), &hash).unwrap().unwrap();
    assert_eq!(kept, Deposited { deposit: deposit.encode(), receipt });

    // Later, closed, off the roll: the same ballot has the same receipt, and counts once.
    case.elections.advance(anchor(50));
    case.served.update(state(Phase::Tallied));
    case.chain.voters.lock().unwrap().clear();
    assert_eq!(case.inbox.deposit(&deposit.encode()).await, Ok(receipt));
    assert_eq!(case.store.receipts_given(&case.served.eid(), &case.fixture.voters[0].key.public()), Ok(1));
}

#[tokio::test]
async fn malformed_bytes_are_refused() {
    let mut case = case(Phase::Open);
    let bytes = case.deposit(0, 1).encode();
    for bad in
        [&[][..], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat(), &vec![0; MAX_DEPOSIT_BYTES + 1]]
    {
        assert_eq!(case.refusal_of(bad).await, Refusal::MalformedBallot);
    }
}

#[tokio::test]
async fn other_elections_are_not_served() {
    let mut case = case(Phase::Open);
    let deposit = case.deposit(0, 1);
    let mut rerun = Fixture::new(&Params { number: 2, ..Params::default() });
    let mut signed = rerun.sign(0, 1, &[vec![0, 1, 0]]);
    let other = rerun.deposits(&mut signed).swap_remove(usize::from(INDEX) - 1);
    assert_eq!(case.refusal(&other).await, Refusal::NotServing);
    let mut unaccepted = state(Phase::Open);
    unaccepted.accepted = vec![1, 3, 4].try_into().unwrap();
    case.served.update(unaccepted);
    assert_eq!(case.refusal(&deposit).await, Refusal::NotServing);
}

#[tokio::test]
async fn ballots_are_taken_in_their_time() {
    let mut case = case(Phase::Open);
    let deposit = case.deposit(0, 1);
    for phase in [Phase::Setup, Phase::Registration, Phase::Frozen, Phase::Closed, Phase::Agreed, Phase::Void]
    {
        case.served.update(state(phase));
        assert_eq!(case.refusal(&deposit).await, Refusal::WrongPhase, "{phase}");
    }
    case.served.update(state(Phase::Open));
    case.elections.advance(anchor(case.fixture.expiry + 1));
    assert_eq!(case.refusal(&deposit).await, Refusal::Expired);
    case.elections.advance(anchor(case.fixture.expiry));
    assert!(case.inbox.deposit(&deposit.encode()).await.is_ok());
}

#[tokio::test]
async fn only_voters_on_the_roll_with_their_style_and_sequence() {
    let mut case = case(Phase::Open);
    let (own, other) = (case.fixture.voters[0].key.public(), case.deposit(1, 1));
    case.chain.voters.lock().unwrap().remove(&case.fixture.voters[1].key.public());
    assert_eq!(case.refusal(&other).await, Refusal::NotOnRoll);

    let deposit = case.deposit(0, 5);
    case.chain.change(&own, |voter| voter.style = 1);
    assert_eq!(case.refusal(&deposit).await, Refusal::WrongStyle);
    case.chain.change(&own, |voter| voter.style = 0);
    for (last, refused) in [(4, false), (5, true), (6, true)] {
        case.chain.change(&own, |voter| voter.sequence = last);
        let deposit = case.deposit(0, 5);
        let outcome = case.inbox.deposit(&deposit.encode()).await;
        assert_eq!(outcome.is_err(), refused, "after {last}: {outcome:?}");
    }
    case.chain.change(&own, |voter| voter.sequence = 0);
    let far = case.deposit(0, SEQUENCE_WINDOW + 1);
    assert_eq!(case.refusal(&far).await, Refusal::WrongSequence);
    case.chain.change(&own, |voter| voter.ballots = 5);
    let many = case.deposit(0, 6);
    assert_eq!(case.refusal(&many).await, Refusal::TooManyBallots);
}

#[tokio::test]
async fn an_accepted_ballot_is_taken_late_but_no_other_is() {
    let mut case = case(Phase::Closed);
    let credential = case.fixture.voters[0].key.public();
    let (recorded, other) = (case.deposit(0, 3), case.deposit(0, 3));
    case.chain.change(&credential, |voter| (voter.ballots, voter.sequence) = (1, 3));
    case.chain.recorded.lock().unwrap().insert(credential, recorded.ballot.ballot.hash());
    assert_eq!(case.refusal(&other).await, Refusal::WrongPhase);
    assert!(case.inbox.deposit(&recorded.encode()).await.is_ok());
    case.served.update(state(Phase::Open));
    assert_eq!(case.refusal(&other).await, Refusal::WrongSequence);
}

#[tokio::test]
async fn the_quota_comes_before_any_costly_check() {
    let mut case = case(Phase::Open);
    let (eid, credential) = (case.served.eid(), case.fixture.voters[0].key.public());
    let mut deposit = case.deposit(0, 1);
    for number in 0..MAX_BALLOTS_PER_CREDENTIAL {
        let ballot = BallotHash([number; 32]);
        let deposited = Deposited { deposit: Vec::new(), receipt: case.fixture.receipt(INDEX, &ballot) };
        case.store.keep(Keep { eid, ballot, credential, deposited }).await.unwrap();
    }
    // Its signature is wrong as well, and is not looked at.
    deposit.ballot.signature.0[0] ^= 1;
    assert_eq!(case.refusal(&deposit).await, Refusal::Quota);
}

#[tokio::test]
async fn a_wrong_signature_is_not_held_against_the_voter() {
    let mut case = case(Phase::Open);
    let deposit = case.deposit(0, 1);
    let mut forged = deposit.clone();
    forged.ballot.signature.0[0] ^= 1;
    for _ in 0..=MAX_FAULTS {
        assert_eq!(case.refusal(&forged).await, Refusal::BadSignature);
    }
    assert!(case.inbox.deposit(&deposit.encode()).await.is_ok());
}

#[tokio::test]
async fn a_voter_who_signs_wrong_proofs_is_cut_off() {
    let mut case = case(Phase::Open);
    let mut deposit = case.deposit(0, 1);
    deposit.ballot.ballot.proof[40] ^= 1;
    let hash = deposit.ballot.ballot.hash();
    let signable = psephos_protocol::ballot::Ballot::signable(&case.fixture.election, &hash);
    deposit.ballot.signature = case.fixture.voters[0].key.sign(&signable, &mut rand_core::OsRng);
    for _ in 0..MAX_FAULTS {
        assert_eq!(case.refusal(&deposit).await, Refusal::BadProof);
    }
    assert_eq!(case.refusal(&deposit).await, Refusal::Quota);
    let other = case.deposit(1, 1);
    assert!(case.inbox.deposit(&other.encode()).await.is_ok());
}

#[tokio::test]
async fn envelopes_and_shares_must_be_this_trustees_own() {
    let mut case = case(Phase::Open);
    let mut signed = case.signed(0, 1);
    let all = case.fixture.deposits(&mut signed);
    for (other, deposit) in (1u8..).zip(&all).filter(|(index, _)| *index != INDEX) {
        assert_eq!(case.refusal(deposit).await, Refusal::BadShare, "the envelope of trustee {other}");
    }
    let good = all[usize::from(INDEX) - 1].clone();
    let mut changed = good.clone();
    changed.envelope.0[1_200] ^= 1;
    assert_eq!(case.refusal(&changed).await, Refusal::BadShare);

    let mut other = case.signed(0, 1);
    let mut swapped = good.clone();
    swapped.dealing = other.dealing.clone();
    assert_eq!(case.refusal(&swapped).await, Refusal::BadShare, "another ballot's dealing");

    // A share that was sealed rightly and is wrong: the equation finds it.
    other.shares.swap(0, usize::from(INDEX) - 1);
    let poisoned = case.own(&mut other);
    assert_eq!(case.refusal(&poisoned).await, Refusal::BadShare);
    assert_eq!(case.store.deposits(&case.served.eid()), Ok(0));
    assert!(case.inbox.deposit(&good.encode()).await.is_ok());
}

#[tokio::test]
async fn no_share_on_the_disk_no_receipt() {
    let fixture = Fixture::new(&Params::default());
    let (store, broken) = super::store::on_failing_disk(&fixture);
    let mut case = over(fixture, Phase::Open, store, tempfile::tempdir().unwrap());
    let deposit = case.deposit(0, 1);
    broken.store(true, Ordering::SeqCst);
    assert_eq!(case.refusal(&deposit).await, Refusal::Storage);
}

#[tokio::test]
async fn many_deposits_at_once_are_all_kept() {
    let mut case = case(Phase::Open);
    let deposits: Vec<Deposit> = (0..3)
        .flat_map(|voter| (1..=4).map(move |sequence| (voter, sequence)))
        .map(|(v, s)| case.deposit(v, s))
        .collect();
    let bytes: Vec<Vec<u8>> = deposits.iter().map(Encode::encode).collect();
    // Each twice, at the same time.
    let asks = bytes.iter().chain(&bytes).map(|bytes| case.inbox.deposit(bytes));
    let receipts = futures::future::join_all(asks).await;
    for (index, deposit) in deposits.iter().enumerate() {
        assert_eq!(receipts[index], receipts[index + deposits.len()], "one ballot, one receipt");
        let kept = case.store.deposited(&case.served.eid(), &deposit.ballot.ballot.hash()).unwrap().unwrap();
        assert_eq!(receipts[index], Ok(kept.receipt));
    }
    assert_eq!(case.store.deposits(&case.served.eid()), Ok(12));
    let asked = case.chain.asked.lock().unwrap().clone();
    assert_eq!(asked.iter().sum::<usize>(), 24, "each was asked for");
    assert!(asked.len() <= 3, "in far fewer calls than there are deposits: {asked:?}");
}
