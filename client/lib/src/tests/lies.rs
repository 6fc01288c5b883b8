//! What a node can't make a voter believe (spec 8.4, 9.3), and what it can: to wait, and an older truth.

use codec::Encode;
use jsonrpsee::{server::Server, types::ErrorObjectOwned, RpcModule};
use psephos_protocol::{
    ballot::{CastBallot, TrackingCode},
    bounds::MAX_LIFETIME,
    declaration::Missing,
    ids::{Anchor, Digest},
    invitation::InvitationCode,
    keys::{PublicKey, SigningKey},
    roll::{Access, RollEntry},
    state::{EntryState, Phase, RegisteredVoter, Voter},
    wire::Message,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use serde_json::{json, Value};
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use super::{
    node::{bytes, read_proof, Running},
    world::{justify, Block, State, World, EPOCH, SIGNERS},
};
use crate::{
    chain::hex0x,
    open_election, proof,
    voter::{register, ReceiptError, SealedBallot, Verdict, VoterError, VoterReceipt, Voting},
    ChainError, Standing, TrusteeEndpoints,
};

/// An honest node of a chain on which voter 0 voted in block 3 of 5, and the receipt.
async fn voted() -> (Running, VoterReceipt) {
    let mut world = World::new();
    world.push(State::new(), &[]);
    let cast = world.cast(0, 1, 0);
    let receipt = receipt(&cast, world.last().anchor);
    for _ in 0..2 {
        world.push(State::new(), &[]);
    }
    (Running::start(world).await, receipt)
}

fn receipt(cast: &CastBallot, block: Anchor) -> VoterReceipt {
    let (statement, ballot) = (&cast.signed.ballot.statement, cast.signed.ballot.hash());
    VoterReceipt {
        eid: statement.eid,
        credential: statement.credential,
        sequence: statement.sequence,
        ballot,
        tracking_code: TrackingCode::of(&ballot),
        block: block.number,
        block_hash: Digest(block.hash),
        trustees: vec![1, 2, 3],
    }
}

/// What a voter does who knows the receipt, and asks one node.
async fn ask(node: &Running, receipt: &VoterReceipt) -> Result<Standing, String> {
    let chain = node.connect().await.map_err(|error| error.to_string())?;
    let election = open_election(&chain, &receipt.eid).await.map_err(|error| error.to_string())?;
    let proved = chain.proved_final().await.map_err(|error| error.to_string())?;
    proved.standing(&election, &receipt.credential).await.map_err(|error| error.to_string())
}

/// The blocks of a node's chain.
fn blocks(node: &Running) -> Vec<Block> {
    node.node.lock().unwrap().world.blocks.clone()
}

fn is(value: &Value, block: &Block) -> bool {
    bytes(value) == block.anchor.hash
}

fn finalized(block: &Block) -> Value {
    json!(hex0x(&block.anchor.hash))
}

#[tokio::test]
async fn an_honest_node_shows_that_the_ballot_counts() {
    let (node, receipt) = voted().await;
    let standing = ask(&node, &receipt).await.unwrap();
    assert_eq!(receipt.judge(&standing), Ok(Verdict::Counts));
    assert_eq!((standing.block, standing.time), (blocks(&node)[5].anchor, EPOCH + 5 * 2_000));
    assert_eq!(standing.voter.map(|voter| voter.sequence), Some(1));
}

/// One proof of finality a block, and one of state a question.
#[tokio::test]
async fn proofs_are_looked_at_once() {
    let (node, receipt) = voted().await;
    let chain = node.connect().await.unwrap();
    let election = open_election(&chain, &receipt.eid).await.unwrap();
    for _ in 0..10 {
        let proved = chain.proved_final().await.unwrap();
        proved.standing(&election, &receipt.credential).await.unwrap();
    }
    assert_eq!(node.calls("chain_getBlock"), 1);
    assert_eq!(node.calls("state_getReadProof"), 11, "and one for the validators");
    assert_eq!(node.calls("chain_getHeader"), 1, "the first block's");
    node.node.lock().unwrap().world.push(State::new(), &[]);
    assert_eq!(chain.proved_final().await.unwrap().anchor().number, 6);
    assert_eq!(node.calls("chain_getBlock"), 2);
}

/// What became of the ballot is in the state: replaced, excluded, void.
#[tokio::test]
async fn a_state_shows_what_became_of_the_ballot() {
    let (node, receipt) = voted().await;
    let judge = async || receipt.judge(&ask(&node, &receipt).await.unwrap());
    let push = |change: &dyn Fn(&World) -> State| {
        let world = &mut node.node.lock().unwrap().world;
        let changes = change(world);
        world.push(changes, &[]);
    };
    // One trustee more than n − t must lack it.
    let declared = |trustees: u8| {
        move |world: &World| {
            let eid = world.fixture.election.eid;
            let lacks = Missing::Listed(vec![receipt.credential].try_into().unwrap());
            let mut changes = world.election(Phase::Closed, 1);
            changes.extend((1..=trustees).map(|trustee| (proof::missing_key(&eid, trustee), lacks.encode())));
            changes
        }
    };
    push(&declared(2));
    assert_eq!(judge().await, Ok(Verdict::Counts));
    push(&declared(3));
    assert_eq!(judge().await, Ok(Verdict::Excluded));
    push(&|world| world.election(Phase::Void, 1));
    assert_eq!(judge().await, Ok(Verdict::Void));
    let by = node.node.lock().unwrap().world.cast(0, 2, 1).signed.ballot.hash();
    assert_eq!(judge().await, Ok(Verdict::Replaced { by }));
}

/// Each lie, and what is said of it.
#[tokio::test]
async fn each_lie_is_refused_and_named() {
    let (node, receipt) = voted().await;
    let blocks = blocks(&node);
    let head = blocks[5].clone();
    // A state in which the ballot never was, with a header of its own.
    let without = {
        let mut before = blocks[4].clone();
        before.state.remove(&proof::ballot_key(&receipt.eid, &receipt.credential));
        before.next(5, State::new(), &[])
    };
    let unfinal = blocks[5].next(6, State::new(), &[]);
    let stray = |justification: Option<Vec<u8>>| {
        let block = Block { justification, ..unfinal.clone() };
        node.node.lock().unwrap().strays = vec![block.clone()];
        let named = block.clone();
        node.lies(move |method, _| (method == "chain_getFinalizedHead").then(|| finalized(&named)));
        block.anchor
    };
    let refused = async |why: &str| {
        let error = ask(&node, &receipt).await.expect_err(why);
        assert!(error.contains(why), "{why:?} is not said in {error:?}");
    };

    // The state.
    let (at, other) = (head.clone(), without.clone());
    node.lies(move |method, params| {
        (method == "state_getReadProof" && is(&params[1], &at))
            .then(|| read_proof(&other, &[bytes(&params[0][2])]))
    });
    refused("storage proof does not hold").await;

    // The header, so that the state without the ballot would be proved.
    let (at, other) = (head.clone(), without.clone());
    node.lies(move |method, params| {
        let mut lie = at.clone();
        lie.header["stateRoot"] = other.header["stateRoot"].clone();
        match method {
            "chain_getBlock" if is(&params[0], &at) => Some(lie.json()),
            "chain_getHeader" if is(&params[0], &at) => Some(lie.header),
            _ => None,
        }
    });
    refused("has another hash").await;

    // Finality: of a block that is not final, none, another block's, and signed by others, by too few, or falsely.
    stray(None);
    refused("has no proof that its block").await;
    let anchor = stray(head.justification.clone());
    refused(&format!("to be final, and had named block {}", anchor.number)).await;
    for (signers, why) in [(&[1, 2][..], "9.3.4"), (&[1, 2, 9], "9.3.1"), (&[1, 1, 2], "9.3.1")] {
        stray(Some(justify(anchor, signers)));
        refused(why).await;
    }
    let mut forged = justify(anchor, &SIGNERS);
    let last = forged.len() - 40;
    forged[last] ^= 1;
    stray(Some(forged));
    refused("9.3.2").await;

    // The chain: another one from its first block on, by validators of the node's own. The ballot is in it.
    let mut own = World::with(&[11, 12, 13]);
    let genesis = own.blocks[0].clone();
    own.cast(0, 1, 0);
    let liar = Running::start(own).await;
    let error = ask(&liar, &receipt).await.unwrap_err();
    assert!(error.contains("unknown election") || error.contains("is that of"), "{error}");
    // It answers for the election that was asked for, as if it were its own.
    let manifest = node.node.lock().unwrap().world.fixture.election.manifest.clone();
    let view = psephos_protocol::state::ElectionView {
        eid: receipt.eid,
        state: codec::Decode::decode(&mut &head.state[&proof::election_key(&receipt.eid)][..]).unwrap(),
        manifest,
    };
    liar.lies(move |method, params| {
        (method == "state_call" && params[0] == "VotingApi_election")
            .then(|| json!(hex0x(&Some(&view).encode())))
    });
    let error = ask(&liar, &receipt).await.unwrap_err();
    assert!(error.contains("is that of"), "{error}");

    // The right first block by name, with another header; then with the right header, and another state.
    let (true_first, own_first) = (blocks[0].clone(), genesis.clone());
    node.lies(move |method, params| {
        (method == "chain_getHeader" && is(&params[0], &true_first)).then(|| own_first.header.clone())
    });
    refused("has another hash").await;
    let (true_first, own_first) = (blocks[0].clone(), genesis);
    node.lies(move |method, params| {
        let of_first = method == "state_getReadProof" && is(&params[1], &true_first);
        of_first.then(|| read_proof(&own_first, &[bytes(&params[0][0])]))
    });
    refused("storage proof does not hold").await;

    node.lies(|_, _| None);
    assert_eq!(receipt.judge(&ask(&node, &receipt).await.unwrap()), Ok(Verdict::Counts));
}

/// What the runtime says of phase, voter and sequence is not what a voter is shown.
#[tokio::test]
async fn nothing_that_is_shown_is_the_runtimes_word() {
    let (node, receipt) = voted().await;
    let head = blocks(&node)[5].clone();
    let manifest = node.node.lock().unwrap().world.fixture.election.manifest.clone();
    let mut state: psephos_protocol::state::ElectionState =
        codec::Decode::decode(&mut &head.state[&proof::election_key(&receipt.eid)][..]).unwrap();
    state.phase = Phase::Certified;
    let view = psephos_protocol::state::ElectionView { eid: receipt.eid, state, manifest };
    node.lies(move |method, params| match (method, params.first().and_then(Value::as_str)) {
        ("state_call", Some("VotingApi_election")) => Some(json!(hex0x(&Some(&view).encode()))),
        ("state_call", Some("VotingApi_voter")) => Some(json!(hex0x(&None::<Voter>.encode()))),
        _ => None,
    });
    let standing = ask(&node, &receipt).await.unwrap();
    assert_eq!(standing.election.phase, Phase::Open);
    assert!(standing.voter.is_some());
}

/// An older truth is true, and shows its age; it is noticed when it is older than the receipt.
#[tokio::test]
async fn an_older_truth_shows_its_time_and_is_not_taken_for_the_receipts() {
    let (node, receipt) = voted().await;
    let blocks = blocks(&node);
    let stale = |number: usize| {
        let block = blocks[number].clone();
        node.lies(move |method, _| (method == "chain_getFinalizedHead").then(|| finalized(&block)));
    };
    stale(4);
    let standing = ask(&node, &receipt).await.unwrap();
    assert_eq!((standing.block.number, standing.time), (4, EPOCH + 4 * 2_000));
    assert_eq!(receipt.judge(&standing), Ok(Verdict::Counts));
    stale(2);
    let standing = ask(&node, &receipt).await.unwrap();
    assert_eq!(standing.ballot, None);
    assert_eq!(receipt.judge(&standing), Err(ReceiptError::Behind { proved: 2, block: 3 }));
}

/// Validators who drop a ballot after all are shown up by its receipt.
#[tokio::test]
async fn a_final_state_without_the_ballot_is_evidence() {
    let (node, receipt) = voted().await;
    let standing = ask(&node, &receipt).await.unwrap();
    let none = Standing { ballot: None, ..standing.clone() };
    assert!(matches!(receipt.judge(&none), Err(ReceiptError::Missing { proved: 5, holds: None, .. })));
    let mut other = standing.clone();
    other.ballot.as_mut().unwrap().hash.0[0] ^= 1;
    assert!(matches!(receipt.judge(&other), Err(ReceiptError::Missing { holds: Some(_), .. })));
    let mut before = standing.clone();
    before.ballot.as_mut().unwrap().caster.sequence = 0;
    assert!(matches!(receipt.judge(&before), Err(ReceiptError::Missing { .. })));
    let fork = Standing { block: Anchor { number: 3, hash: [1; 32] }, ..standing };
    assert!(matches!(receipt.judge(&fork), Err(ReceiptError::OtherBlock { block: 3, .. })));
}

/// A proof that comes a little late is waited for.
#[tokio::test]
async fn a_proof_that_comes_late_is_waited_for() {
    let (node, receipt) = voted().await;
    let late = Block { justification: None, ..blocks(&node)[5].clone() };
    let first = AtomicBool::new(true);
    node.lies(move |method, params| {
        let is_first =
            method == "chain_getBlock" && is(&params[0], &late) && first.swap(false, Ordering::Relaxed);
        is_first.then(|| late.json())
    });
    assert_eq!(ask(&node, &receipt).await.unwrap().block.number, 5);
}

#[tokio::test]
async fn the_blocks_before_a_final_one_are_known_by_its_state() {
    let (node, _) = voted().await;
    let blocks = blocks(&node);
    let chain = node.connect().await.unwrap();
    let proved = chain.proved_final().await.unwrap();
    for block in &blocks {
        assert!(proved.includes(&block.anchor).await.unwrap(), "{:?}", block.anchor);
        let other = Anchor { hash: [9; 32], ..block.anchor };
        assert!(!proved.includes(&other).await.unwrap());
    }
    assert!(!proved.includes(&Anchor { number: 6, hash: [9; 32] }).await.unwrap());
    // Further back than one state names, by the one before: block 5 has the place of one far above.
    let far = blocks[5].next(5 + MAX_LIFETIME, State::new(), &[]).signed(&SIGNERS);
    node.node.lock().unwrap().world.blocks.push(far);
    let proved = chain.proved_final().await.unwrap();
    assert_eq!(proved.anchor().number, 5 + MAX_LIFETIME);
    for block in &blocks {
        assert!(proved.includes(&block.anchor).await.unwrap(), "{:?}", block.anchor);
        assert!(!proved.includes(&Anchor { hash: [9; 32], ..block.anchor }).await.unwrap());
    }
}

/// Trustees that give the receipts of one ballot to whoever asks.
async fn trustees(world: &mut World, ballot: &SealedBallot) -> TrusteeEndpoints {
    let mut urls = Vec::new();
    for trustee in 1..=3u8 {
        let receipt = hex::encode(world.fixture.receipt(trustee, &ballot.hash()).encode());
        let mut module = RpcModule::new(receipt);
        module
            .register_method("trustee_deposit", |_, receipt, _| Ok::<_, ErrorObjectOwned>(receipt.clone()))
            .unwrap();
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        urls.push((trustee, format!("http://{}", server.local_addr().unwrap())));
        tokio::spawn(server.start(module).stopped());
    }
    TrusteeEndpoints::new(urls).unwrap()
}

/// A node of a chain on which nobody voted, and voter 0 with a ballot to send.
async fn about_to_cast() -> (Running, Voting, SealedBallot) {
    let mut world = World::new();
    world.push(State::new(), &[]);
    let mut signed = world.fixture.sign(0, 1, &[vec![1, 0, 0]]);
    let deposits = world.fixture.deposits(&mut signed);
    let envelopes = deposits.into_iter().map(|deposit| deposit.envelope).collect();
    let ballot = SealedBallot { ballot: signed.ballot, dealing: signed.dealing, envelopes };
    let (endpoints, election) = (trustees(&mut world, &ballot).await, world.fixture.election.clone());
    let node = Running::start(world).await;
    let chain = node.connect().await.unwrap();
    (node, Voting::new(chain, election, &endpoints).unwrap(), ballot)
}

/// The ballot as a node would put it in a block.
fn message(node: &Running, ballot: &SealedBallot) -> (CastBallot, State) {
    let mut node = node.node.lock().unwrap();
    let receipts: Vec<_> = (1..=3).map(|index| node.world.fixture.receipt(index, &ballot.hash())).collect();
    let cast = CastBallot { signed: ballot.ballot.clone(), receipts: receipts.try_into().unwrap() };
    let changes = node.world.recorded(&cast);
    (cast, changes)
}

#[tokio::test]
async fn a_ballot_is_recorded_where_the_receipt_says() {
    let (node, voting, ballot) = about_to_cast().await;
    let recorded = voting.send(&ballot).await.unwrap().receipt;
    let block = blocks(&node)[3].anchor;
    assert_eq!((recorded.anchor(), recorded.ballot), (block, ballot.hash()));
    assert_eq!(recorded.judge(&ask(&node, &recorded).await.unwrap()), Ok(Verdict::Counts));
}

/// The node shows the ballot in a block and a state of its own, as the last final one.
#[tokio::test]
async fn a_block_that_is_not_final_records_nothing() {
    let (node, voting, ballot) = about_to_cast().await;
    let (cast, changes) = message(&node, &ballot);
    let head = blocks(&node)[2].clone();
    let mut own = head.next(3, changes, &[Message::Cast(cast)]);
    own.justification = head.justification.clone();
    node.node.lock().unwrap().strays = vec![own.clone()];
    let taken = Arc::new(AtomicBool::new(false));
    pretend_to_take(&node, &taken);
    node.lies(move |method, params| {
        let shown = taken.load(Ordering::Relaxed);
        match method {
            "chain_getFinalizedHead" | "chain_getHead" if shown => Some(finalized(&own)),
            "chain_getBlockHash" if shown && params[0] == 3 => Some(finalized(&own)),
            _ => None,
        }
    });
    match voting.send(&ballot).await {
        Err(VoterError::Chain(ChainError::Inconsistent { what, .. })) => {
            assert!(what.contains("had named block 3"), "{what}");
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("recorded, in a block that is not final"),
    }
}

/// The node's pool takes ballots and nothing comes of them; `taken` is set.
fn pretend_to_take(node: &Running, taken: &Arc<AtomicBool>) {
    node.node.lock().unwrap().taken = Some(taken.clone());
}

/// The ballot is recorded, and the node shows it in a block in which it is not: the receipt has the right one.
#[tokio::test]
async fn a_receipt_names_no_block_that_is_not_on_the_chain() {
    let (node, voting, ballot) = about_to_cast().await;
    let (cast, changes) = message(&node, &ballot);
    let head = blocks(&node)[2].clone();
    let own = head.next(3, State::new(), &[Message::Cast(cast.clone()), Message::Cast(cast.clone())]);
    let taken = Arc::new(AtomicBool::new(false));
    pretend_to_take(&node, &taken);
    let served = AtomicBool::new(false);
    let truth = {
        let first = head.next(3, State::new(), &[]).signed(&SIGNERS);
        let second = first.next(4, changes, &[Message::Cast(cast)]).signed(&SIGNERS);
        vec![first, second]
    };
    {
        let mut node = node.node.lock().unwrap();
        (node.strays, node.later) = (vec![own.clone()], truth.clone());
    }
    node.lies(move |method, params| {
        if !taken.load(Ordering::Relaxed) || served.load(Ordering::Relaxed) {
            return None;
        }
        match method {
            "chain_getFinalizedHead" | "chain_getHead" => Some(finalized(&own)),
            "chain_getBlockHash" if params[0] == 3 => Some(finalized(&own)),
            "chain_getBlock" if is(&params[0], &own) => {
                served.store(true, Ordering::Relaxed);
                Some(own.json())
            }
            _ => None,
        }
    });
    let recorded = voting.send(&ballot).await.map_err(|error| error.to_string()).unwrap().receipt;
    assert_eq!(recorded.anchor(), truth[1].anchor);
}

/// A ballot is not given up on a node's word that its time is over.
#[tokio::test]
async fn a_ballot_lapses_by_proof_alone() {
    let (node, voting, ballot) = about_to_cast().await;
    node.node.lock().unwrap().takes = false;
    let refused = voting.send(&ballot).await.err().unwrap();
    assert!(
        matches!(refused, VoterError::Chain(ChainError::WrongPhase(_) | ChainError::Refused(_))),
        "{refused}"
    );
    let head = blocks(&node)[2].clone();
    let far = Block { justification: head.justification.clone(), ..head.next(5_000, State::new(), &[]) };
    node.node.lock().unwrap().strays = vec![far.clone()];
    node.lies(move |method, _| (method == "chain_getFinalizedHead").then(|| finalized(&far)));
    let error = voting.send(&ballot).await.err().unwrap();
    assert!(matches!(&error, VoterError::Chain(ChainError::Inconsistent { .. })), "{error}");
}

/// A registration is not on the roll because a node says so.
#[tokio::test]
async fn a_registration_is_proved() {
    let world = World::new();
    let election = world.fixture.election.clone();
    let node = Running::start(world).await;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (code, credential) = (InvitationCode::generate(&mut rng), SigningKey::generate(&mut rng));
    let invited = code.signing_key(&election.eid, 0).unwrap().public();
    let entry = entry(invited, Some(credential.public()));
    let on_roll = RegisteredVoter { entry: 7, weight: 1, style: 0, unit: 0 };
    let (said, eid, public) = (on_roll.clone(), election.eid, credential.public());
    node.lies(move |method, params| match (method, params.first().and_then(Value::as_str)) {
        ("state_call", Some("VotingApi_entry_of")) => Some(json!(hex0x(&Some(7u32).encode()))),
        ("state_call", Some("VotingApi_entry")) => Some(json!(hex0x(&Some(&entry).encode()))),
        ("state_queryStorageAt", _) => {
            let keys = params[0].as_array()?.iter();
            let said = |key: &Value| {
                let is_voter = bytes(key) == proof::voter_key(&eid, &public);
                json!([key, is_voter.then(|| hex0x(&said.encode()))])
            };
            let changes: Vec<Value> = keys.map(said).collect();
            Some(json!([{ "block": hex0x(&[0; 32]), "changes": changes }]))
        }
        _ => None,
    });
    let chain = node.connect().await.unwrap();
    let error = register(&chain, &election, std::slice::from_ref(&code), &credential).await.unwrap_err();
    assert!(
        matches!(&error, VoterError::Chain(ChainError::WrongPhase(_) | ChainError::Refused(_))),
        "{error}"
    );
    // On the roll it is in the state.
    let key = proof::voter_key(&election.eid, &credential.public());
    node.node.lock().unwrap().world.push(State::from([(key, on_roll.encode())]), &[]);
    let registered = register(&chain, &election, &[code], &credential).await.unwrap();
    assert_eq!((registered.voter, registered.block), (on_roll, blocks(&node)[2].anchor));
}

fn entry(invitation: PublicKey, credential: Option<PublicKey>) -> EntryState {
    let access = Access::Invitation(vec![invitation].try_into().unwrap());
    let entry = RollEntry { access, weight: 1, style: 0, unit: 0, person: Digest([1; 32]) };
    EntryState { entry, batch: 0, credential, round: 0 }
}
