//! Trustees help each other: nothing that was left is lost, nothing is shown, and a liar is found out.

use codec::Encode;
use psephos_client::endpoints::TrusteeError;
use psephos_protocol::{
    ballot::Signed,
    contest::Rule,
    envelope::{seal_to, Deposit},
    refusal::Refusal,
    repair::{Ask, DealtBallot, Part, PeerRequest},
    testing::{contest, Params},
};

use super::{team::Team, *};
use crate::store::Deposited;

/// n = 4, t = 2, q = 3.
async fn team() -> Team {
    Team::new(&Params::default()).await
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, TrusteeError>) -> Refusal {
    match outcome {
        Err(TrusteeError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn leave(team: &Team, with: u8, trustee: u8, deposit: &Deposit) -> Result<(), TrusteeError> {
    team.member(with).client.leave(trustee, &hex::encode(deposit.encode())).await
}

#[tokio::test]
async fn what_was_left_comes_to_its_trustee_and_is_deleted() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1, 2, 3]).await;
    for with in [1, 2] {
        leave(&team, with, 4, &deposits[3]).await.unwrap();
        leave(&team, with, 4, &deposits[3]).await.unwrap();
        assert_eq!(team.member(with).left(4), 1);
    }
    let found = team.member(4).recover(&team.peers(4), &[signed.hash], &[]).await;
    assert_eq!((found.fetched, found.repaired, found.missing), (2, 0, 0), "{found:?}");
    assert!(team.has_share(4, &signed));
    assert_eq!((team.member(1).left(4), team.member(2).left(4)), (0, 0), "deleted once it arrived");
}

#[tokio::test]
async fn only_who_knows_the_dealing_leaves_something() {
    let mut team = team().await;
    let (_, deposits) = team.ballot(0);
    assert_eq!(refusal(leave(&team, 1, 4, &deposits[3]).await), Refusal::NotDeposited);
    team.deposit(&deposits, &[1]).await;
    let (_, others) = team.ballot(1);
    let foreign = Deposit { dealing: others[3].dealing.clone(), ..deposits[3].clone() };
    assert_eq!(refusal(leave(&team, 1, 4, &foreign).await), Refusal::NotDeposited);
    let mut long = deposits[3].clone();
    long.envelope.0.try_push(0).unwrap();
    assert_eq!(refusal(leave(&team, 1, 4, &long).await), Refusal::BadShare);
    for trustee in [0, 1, 5] {
        assert_eq!(refusal(leave(&team, 1, trustee, &deposits[3]).await), Refusal::NotTrustee);
    }
    assert_eq!(team.member(1).left(4), 0);
    leave(&team, 1, 4, &deposits[3]).await.unwrap();
    assert_eq!(team.member(1).left(4), 1);
}

#[tokio::test]
async fn junk_that_was_left_is_refused_deleted_and_repaired() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1, 2, 3]).await;
    team.accept(&signed);
    let junk = Deposit { envelope: deposits[2].envelope.clone(), ..deposits[3].clone() };
    leave(&team, 1, 4, &junk).await.unwrap();
    let found = team.member(4).recover(&team.peers(4), &[signed.hash], &[]).await;
    assert_eq!((found.fetched, found.repaired, found.missing), (0, 1, 0), "{found:?}");
    assert!(team.has_share(4, &signed));
    assert_eq!(team.member(1).left(4), 0);
}

#[tokio::test]
async fn a_lost_store_is_rebuilt_from_peers() {
    let contests = vec![contest(3, Rule::plurality()), contest(4, Rule::score(9, 4))];
    let params =
        Params { contests, trustees: 5, threshold: 3, quorum: 4, voters: vec![1; 3], ..Params::default() };
    let mut team = Team::new(&params).await;
    let mut ballots = Vec::new();
    for voter in 0..3 {
        let (signed, deposits) = team.ballot(voter);
        team.deposit(&deposits, &[1, 2, 4, 5]).await;
        team.accept(&signed);
        ballots.push(signed);
    }
    let wanted: Vec<BallotHash> = ballots.iter().map(|ballot| ballot.hash).collect();
    let found = team.member(3).recover(&team.peers(3), &wanted, &[]).await;
    assert_eq!((found.fetched, found.repaired, found.missing), (0, 3, 0), "{found:?}");
    assert!(ballots.iter().all(|ballot| team.has_share(3, ballot)));
    // It helps others from now on, and gives receipts as ever.
    let found = team.member(3).recover(&team.peers(3), &wanted, &[]).await;
    assert_eq!((found.repaired, found.missing), (0, 0));
}

#[tokio::test]
async fn a_damaged_share_is_repaired() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1, 2, 3, 4]).await;
    team.accept(&signed);
    damage(&mut team, 4, &signed, &deposits[3]);
    assert!(!team.has_share(4, &signed));
    let found = team.member(4).recover(&team.peers(4), &[signed.hash], &[signed.hash]).await;
    assert_eq!((found.repaired, found.missing), (1, 0), "{found:?}");
    assert!(team.has_share(4, &signed));
    assert_eq!(team.member(4).store.deposits(&team.fixture.election.eid), Ok(1), "counted once");
}

/// Puts another share in the place of a trustee's.
fn damage(team: &mut Team, index: u8, signed: &Signed, deposit: &Deposit) {
    let other = &signed.shares[usize::from(index % 4)];
    let envelope =
        seal_to(&team.fixture.election, &signed.hash, index, other, &mut team.fixture.rng).unwrap();
    let deposit = Deposit { envelope, ..deposit.clone() };
    let receipt = team.fixture.receipt(index, &signed.hash);
    let (store, eid) = (&team.member(index).store, team.fixture.election.eid);
    store.mend(&eid, &signed.hash, &Deposited { deposit: deposit.encode(), receipt }).unwrap();
}

#[tokio::test]
async fn a_helper_with_a_damaged_share_helps_with_none() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1, 2, 3]).await;
    team.accept(&signed);
    damage(&mut team, 1, &signed, &deposits[0]);
    let found = team.member(4).recover(&team.peers(4), &[signed.hash], &[]).await;
    assert_eq!((found.repaired, found.missing), (1, 0), "trustees 2 and 3 repair it");
    assert!(found.reasons.iter().any(|reason| reason.contains("trustee-1")), "{:?}", found.reasons);
}

#[tokio::test]
async fn with_fewer_than_t_holders_nothing_is_repaired_and_it_is_said() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1]).await;
    team.accept(&signed);
    let found = team.member(4).recover(&team.peers(4), &[signed.hash], &[]).await;
    assert_eq!((found.repaired, found.missing), (0, 1));
    assert!(!found.reasons.is_empty());
    let found = team.member(4).recover(&[], &[signed.hash], &[]).await;
    assert_eq!((found.repaired, found.missing), (0, 1));
    assert!(!team.member(4).has(&signed.hash));
}

fn split(team: &Team, trustee: u8, signed: &Signed, helpers: &[u8]) -> PeerRequest {
    let ballots = vec![signed.hash].try_into().unwrap();
    team.member(trustee).request(Ask::Split { ballots, helpers: helpers.to_vec().try_into().unwrap() })
}

#[tokio::test]
async fn shares_are_split_for_trustees_alone_and_of_ballots_that_count() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1, 2, 3]).await;
    let helper = team.member(1).client.clone();
    let good = split(&team, 4, &signed, &[1, 2]);
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&good).await), Refusal::NotPeer, "it does not count");
    team.accept(&signed);
    assert!(helper.ask::<Vec<Part>>(&good).await.is_ok());
    let mut forged = good.clone();
    forged.trustee = 3;
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&forged).await), Refusal::NotPeer, "another's signature");
    let own = split(&team, 1, &signed, &[2, 3]);
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&own).await), Refusal::NotPeer, "its own");
    for helpers in [&[1][..], &[1, 2, 3], &[2, 3], &[1, 4]] {
        let request = split(&team, 4, &signed, helpers);
        assert_eq!(refusal(helper.ask::<Vec<Part>>(&request).await), Refusal::NotPeer, "{helpers:?}");
    }
    let (unknown, _) = team.ballot(1);
    let request = split(&team, 4, &unknown, &[1, 2]);
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&request).await), Refusal::NotDeposited);
    // A ballot that was replaced counts no more.
    let credential = signed.ballot.ballot.statement.credential;
    team.chain.recorded.lock().unwrap().insert(credential, unknown.hash);
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&good).await), Refusal::NotPeer);
    // After the tally nobody needs a share.
    team.accept(&signed);
    team.member(1).served.update(state(Phase::Tallied));
    assert_eq!(refusal(helper.ask::<Vec<Part>>(&good).await), Refusal::WrongPhase);
}

#[tokio::test]
async fn dealings_are_for_trustees_alone() {
    let mut team = team().await;
    let (signed, deposits) = team.ballot(0);
    team.deposit(&deposits, &[1]).await;
    let ask = || Ask::Dealt { ballots: vec![BallotHash([9; 32]), signed.hash].try_into().unwrap() };
    let request = team.member(4).request(ask());
    let dealt: Vec<DealtBallot> = team.member(1).client.ask(&request).await.unwrap();
    assert_eq!(dealt, [DealtBallot { ballot: signed.ballot.clone(), dealing: signed.dealing.clone() }]);
    let mut forged = request;
    forged.signature.0[0] ^= 1;
    assert_eq!(refusal(team.member(1).client.ask::<Vec<DealtBallot>>(&forged).await), Refusal::NotPeer);
}

/// 2,500 ballots of four envelopes each. Every 250 ballots another trustee is away, and comes back when the next
/// one goes.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_envelopes_arrive_while_trustees_come_and_go() {
    const BALLOTS: usize = 2_500;
    let contests = vec![contest(2, Rule::plurality())];
    let params = Params { contests, voters: vec![1; BALLOTS], ..Params::default() };
    let mut team = Team::new(&params).await;
    let mut ballots = Vec::new();
    for round in 0..BALLOTS / 250 {
        let away = (round % 4) as u8 + 1;
        let some: Vec<_> = (0..250).map(|place| team.ballot(round * 250 + place)).collect();
        let present: Vec<u8> = (1..=4).filter(|index| *index != away).collect();
        for chunk in some.chunks(125) {
            let deposits = chunk.iter().map(|(_, deposits)| team.deposit(deposits, &present));
            futures::future::join_all(deposits).await;
            let rest = chunk.iter().map(|(_, deposits)| async {
                // One of the peers is enough; each takes its turn.
                let with = present[deposits[0].envelope.0[0] as usize % 3];
                leave(&team, with, away, &deposits[usize::from(away) - 1]).await.unwrap();
            });
            futures::future::join_all(rest).await;
        }
        for (signed, _) in some {
            team.accept(&signed);
            ballots.push(signed);
        }
        // It is back.
        let found = team.member(away).recover(&team.peers(away), &[], &[]).await;
        assert_eq!(found.fetched, 250, "round {round}: {:?}", found.reasons);
    }
    for member in &team.members {
        assert_eq!(member.store.deposits(&team.fixture.election.eid), Ok(BALLOTS as u64));
        assert!(ballots.iter().all(|ballot| member.has(&ballot.hash)), "every one, by its hash");
        assert!((1..=4).all(|index| member.left(index) == 0), "nothing is kept any longer");
    }
}
