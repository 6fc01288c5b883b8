//! The recovery sheet (spec 2.4) and the help of the peers (spec 5.9) together: a trustee that has lost key and store
//! contributes the very sums that it would have contributed before.

use psephos_client::keystore::{KeyFile, KeyRole, Root};
use psephos_protocol::{
    agreement::{Accepted, AcceptedSet},
    ballot::CastBallot,
    cells::Cells,
    contest::Rule,
    keys::verify_signature,
    tally::Contribution,
    testing::{contest, some_digest, Fixture, Params, TrusteeKeys},
};
use rand_core::OsRng;
use std::sync::atomic::AtomicBool;

use super::{
    team::{Member, Team},
    *,
};
use crate::{
    follow::{read, Follower},
    tally::{contribute, statement, wrong_contributions, TallyError},
};

const NAME: &str = "Court of Audit";

/// The keys that the daemon takes from a key file.
fn keys_of(file: &KeyFile) -> TrusteeKeys {
    TrusteeKeys { signing: file.signing().clone(), kem: file.kem().unwrap().clone() }
}

/// The trustees of an election, of which one has its key from a root, as `psephos trustee init` makes it.
async fn team(key: &KeyFile) -> Team {
    let params = Params {
        contests: vec![contest(3, Rule::plurality()), contest(4, Rule::score(9, 4))],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        voters: vec![1, 1, 3],
        ..Params::default()
    };
    let own = usize::from(INDEX) - 1;
    let mut fixture = Fixture::with(&params, |manifest| {
        let keys = keys_of(key);
        manifest.trustees[own].signing = keys.signing.public();
        manifest.trustees[own].kem = keys.kem.public().unwrap();
    });
    fixture.trustees[own] = keys_of(key);
    let chain = Answers::of(&fixture);
    let mut members = Vec::new();
    for index in 1..=params.trustees {
        members.push(Member::new(&fixture, &chain, index).await);
    }
    Team { fixture, chain, members }
}

/// All vote, everybody keeps its share, and q trustees sign the set.
async fn vote(team: &mut Team) -> (Follower, AcceptedSet, Vec<BallotHash>) {
    let mut casts = Vec::new();
    let (mut set, mut ballots) = (AcceptedSet::default(), Vec::new());
    for voter in 0..team.fixture.voters.len() {
        let (signed, deposits) = team.ballot(voter);
        team.deposit(&deposits, &[1, 2, 3, 4, 5]).await;
        team.accept(&signed);
        let receipts: Vec<_> = (1..=4).map(|index| team.fixture.receipt(index, &signed.hash)).collect();
        let accepted =
            Accepted { sequence: 1, ballot: signed.hash, weight: team.fixture.voters[voter].weight, unit: 0 };
        set.accept(signed.ballot.ballot.statement.credential, accepted);
        ballots.push(signed.hash);
        let cast = CastBallot { signed: signed.ballot, receipts: receipts.try_into().unwrap() };
        casts.push(Message::Cast(cast));
    }
    let right = statement(anchor(1), &set, some_digest("log"));
    let agreements = [1, 3, 4, 5].map(|index| Message::Agree(team.fixture.agree(index, right)));
    let mut follower = Follower::new(1);
    for (number, messages) in (1..).zip([casts, agreements.to_vec()]) {
        let block = block(number, messages);
        let facts = read(&team.member(INDEX).served, &block).unwrap();
        let board = &team.fixture.election.manifest.board;
        follower.apply(board, block.anchor, block.parent, facts).unwrap();
    }
    (follower, set, ballots)
}

fn contribution(
    member: &Member,
    follower: &Follower,
    set: &AcceptedSet,
) -> Result<Option<Contribution>, TallyError> {
    let Member { store, keys, served, .. } = member;
    let right = statement(anchor(1), set, some_digest("log"));
    contribute(store, keys, served, follower, right, set, &AtomicBool::new(false))
}

#[tokio::test]
async fn the_words_of_the_sheet_and_the_peers_give_the_same_contribution() {
    let key = KeyFile::generate(KeyRole::Trustee, NAME, &mut OsRng);
    // What the recovery sheet shows.
    let words = key.root().unwrap().words();
    let mut team = team(&key).await;
    let (follower, set, ballots) = vote(&mut team).await;
    let before = contribution(team.member(INDEX), &follower, &set).unwrap().unwrap();

    // The machine burns before it has sent that. Somebody types the words, with their numbers.
    drop(key);
    let typed: Vec<String> = (1..)
        .zip(words.split(' '))
        .map(|(number, word)| format!("{number}. {}", word.to_uppercase()))
        .collect();
    let restored = KeyFile::trustee(NAME, Root::from_words(&typed.join("\n")).unwrap());
    let own = usize::from(INDEX) - 1;
    team.fixture.trustees[own] = keys_of(&restored);
    team.members[own] = Member::new(&team.fixture, &team.chain, INDEX).await;
    let member = team.member(INDEX);
    assert_eq!(member.store.deposits(&member.served.eid()), Ok(0), "an empty store");
    let without = contribution(member, &follower, &set);
    assert!(matches!(without, Err(TallyError::Missing { missing: 3, ballots: 3, .. })), "{without:?}");

    let found = member.recover(&team.peers(INDEX), &ballots, &[]).await;
    assert_eq!((found.repaired, found.missing), (3, 0), "{found:?}");
    let after = contribution(member, &follower, &set).unwrap().unwrap();
    assert_eq!(after.sums, before.sums);
    assert_eq!(after.root, before.root);
    assert!(after.verify(&team.fixture.election, verify_signature));
    let Member { store, served, .. } = team.member(1);
    let cells = Cells::all(&served.election.manifest);
    let wrong = wrong_contributions(store, served, &set, &cells, &[after], &AtomicBool::new(false));
    assert_eq!(wrong, Ok(vec![]), "it fits the dealings, as a peer has them");
}
