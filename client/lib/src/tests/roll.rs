//! Many voters by few calls, and nodes that answer something else than what they were asked for.

use codec::Encode;
use psephos_protocol::{
    ids::{BallotHash, Eid},
    keys::PublicKey,
    state::{Caster, RecordedBallot, RegisteredVoter, Voter},
};
use serde_json::{json, Value};

use super::{
    node::{bytes, read_proof, stored, Running},
    world::{Block, State, World},
};
use crate::{chain::hex0x, proof, roll::MAX_KEYS, ChainError, FinalBlock};

/// More voters than fit into a call.
const VOTERS: u32 = MAX_KEYS as u32 + 44;

fn credential(number: u32) -> PublicKey {
    let mut key = [5; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    PublicKey(key)
}

/// A voter on the roll, who has cast a ballot if the number is odd.
fn voter(number: u32) -> Voter {
    Voter::of(&registered(number), recorded(number).as_ref())
}

fn registered(number: u32) -> RegisteredVoter {
    RegisteredVoter { entry: number, weight: 1, style: 0, unit: 0 }
}

fn recorded(number: u32) -> Option<RecordedBallot> {
    let caster = Caster { sequence: number + 1, ballots: 2, style: 0, weight: 1, unit: 0 };
    let ballot = RecordedBallot { hash: BallotHash([7; 32]), caster, commitments: Default::default() };
    (number % 2 == 1).then_some(ballot)
}

/// A node of a chain with many voters, and the election.
async fn many() -> (Running, Eid) {
    let mut world = World::new();
    let eid = world.fixture.election.eid;
    let roll = |number| (proof::voter_key(&eid, &credential(number)), registered(number).encode());
    let ballot = |number| Some((proof::ballot_key(&eid, &credential(number)), recorded(number)?.encode()));
    // Nobody is on the roll because of a ballot.
    let stray = [(proof::ballot_key(&eid, &credential(VOTERS)), recorded(1).unwrap().encode())];
    let voters = (0..VOTERS).map(roll).chain((0..VOTERS).filter_map(ballot));
    world.push(voters.chain(stray).collect(), &[]);
    (Running::start(world).await, eid)
}

/// Every voter from the last to the first, one who is not on the roll, and one thrice.
fn asked() -> (Vec<PublicKey>, Vec<Option<Voter>>) {
    let numbers = [7, VOTERS].into_iter().chain((0..VOTERS).rev()).chain([7]);
    numbers.map(|number| (credential(number), (number < VOTERS).then(|| voter(number)))).unzip()
}

#[tokio::test]
async fn many_voters_are_read_by_few_calls() {
    let (node, eid) = many().await;
    let chain = node.connect().await.unwrap();
    let (credentials, voters) = asked();
    assert_eq!(chain.voters(&eid, &credentials).await, Ok(voters.clone()));
    assert_eq!((node.calls("state_queryStorageAt"), node.calls("chain_getFinalizedHead")), (3, 1));
    let cast = voters.iter().flatten().find(|voter| voter.entry == 7).unwrap();
    assert_eq!((cast.ballots, cast.sequence), (2, 8));
    assert_eq!(chain.at_best().voters(&eid, &credentials).await, Ok(voters));
    assert_eq!(chain.voter(&eid, &credential(3)).await, Ok(Some(voter(3))));
    assert_eq!(chain.voter(&eid, &credential(VOTERS)).await, Ok(None));
    // Of another election nobody is.
    assert_eq!(chain.voter(&Eid([1; 32]), &credential(3)).await, Ok(None));
}

#[tokio::test]
async fn many_voters_are_proved_by_few_proofs() {
    let (node, eid) = many().await;
    let block = node.connect().await.unwrap().proved_final().await.unwrap();
    let before = node.calls("state_getReadProof");
    let (credentials, voters) = asked();
    let on_roll = voters.iter().map(|voter| voter.as_ref().map(|voter| registered(voter.entry)));
    assert_eq!(block.all_registered(&eid, &credentials).await, Ok(on_roll.collect()));
    assert_eq!(node.calls("state_getReadProof") - before, 2);
    assert_eq!(block.registered(&eid, &credential(3)).await, Ok(Some(registered(3))));
    assert_eq!(block.registered(&eid, &credential(VOTERS)).await, Ok(None));
}

/// What is said of a node that answers a question about two voters with what `lie` makes of the truth.
async fn refused(lie: impl Fn(&mut Value, &Block) + Send + 'static) -> String {
    let (node, eid) = many().await;
    let chain = node.connect().await.unwrap();
    let last = node.node.lock().unwrap().world.last().clone();
    node.lies(move |method, params| {
        let keys: Vec<_> = params.first()?.as_array()?.iter().map(bytes).collect();
        (method == "state_queryStorageAt").then(|| {
            let mut answer = stored(&last, &keys);
            lie(&mut answer, &last);
            answer
        })
    });
    match chain.voters(&eid, &[credential(1), credential(2)]).await {
        Err(ChainError::Inconsistent { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

fn changes(answer: &mut Value) -> &mut Vec<Value> {
    answer[0]["changes"].as_array_mut().unwrap()
}

#[tokio::test]
async fn answers_to_other_questions_are_refused() {
    let other = |block: &Block| {
        let key = block.state.keys().next().unwrap();
        json!([hex0x(key), hex0x(&registered(9).encode())])
    };
    let than_asked = "than it was asked for";
    let of_another = refused(move |answer, block| changes(answer)[1] = other(block)).await;
    assert!(of_another.contains(than_asked), "another key: {of_another}");
    let too_few = refused(|answer, _| drop(changes(answer).pop())).await;
    assert!(too_few.contains(than_asked), "too few keys: {too_few}");
    let more = refused(move |answer, block| changes(answer).push(other(block))).await;
    assert!(more.contains(than_asked), "one key more: {more}");
    let twice = |answer: &mut Value, _: &Block| {
        let again = json!([changes(answer)[0][0], hex0x(&registered(9).encode())]);
        changes(answer).push(again);
    };
    let twice = refused(twice).await;
    assert!(twice.contains(than_asked), "one key with two values: {twice}");
    let block = refused(|answer, _| answer[0]["block"] = json!(hex0x(&[3; 32]))).await;
    assert!(block.contains(than_asked), "another block: {block}");
    let none = refused(|answer, _| *answer = json!([])).await;
    assert!(none.contains(than_asked), "nothing: {none}");
    let two = refused(|answer, _| {
        let set = answer[0].clone();
        answer.as_array_mut().unwrap().push(set);
    });
    assert!(two.await.contains(than_asked), "two answers");
}

#[tokio::test]
async fn values_of_another_form_are_refused() {
    let malformed = refused(|answer, _| changes(answer)[0][1] = json!(hex0x(&[1; 9]))).await;
    assert!(malformed.contains("another form"), "{malformed}");
    let longer = [registered(1).encode(), vec![0]].concat();
    let longer = refused(move |answer, _| changes(answer)[0][1] = json!(hex0x(&longer))).await;
    assert!(longer.contains("another form"), "{longer}");
    let text = refused(|answer, _| changes(answer)[0][1] = json!("voter")).await;
    assert!(text.contains("not hexadecimal"), "{text}");
    let number = refused(|answer, _| changes(answer)[0][1] = json!(7)).await;
    assert!(number.contains("another form"), "{number}");
}

/// A proof of some voters proves nothing of the others, and one of another state nothing at all.
#[tokio::test]
async fn no_voter_is_taken_without_proof() {
    let (node, eid) = many().await;
    let block: FinalBlock = node.connect().await.unwrap().proved_final().await.unwrap();
    let credentials = [credential(1), credential(2)];
    let last = node.node.lock().unwrap().world.last().clone();
    let refused = async |why: &str| match block.all_registered(&eid, &credentials).await {
        Err(ChainError::Inconsistent { what, .. }) => {
            assert!(what.contains("does not hold"), "{why}: {what}")
        }
        other => panic!("{why}: {other:?}"),
    };
    let (at, key) = (last.clone(), proof::voter_key(&eid, &credential(1)));
    node.lies(move |method, _| {
        (method == "state_getReadProof").then(|| read_proof(&at, std::slice::from_ref(&key)))
    });
    refused("of one voter").await;
    let changes = State::from([(proof::voter_key(&eid, &credential(1)), registered(9).encode())]);
    let own = last.next(last.anchor.number + 1, changes, &[]);
    node.lies(move |method, params| {
        let keys: Vec<_> = params.first()?.as_array()?.iter().map(bytes).collect();
        (method == "state_getReadProof").then(|| read_proof(&own, &keys))
    });
    refused("of another state").await;
}
