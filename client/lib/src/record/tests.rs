use super::*;
use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use jsonrpsee::{
    server::{Server, ServerHandle},
    types::ErrorObjectOwned,
    RpcModule,
};
use psephos_protocol::{
    agreement::Acceptance,
    finality::VALIDATORS_KEY,
    keys::Signature,
    record::{frame, MAGIC},
    state::ElectionState,
    testing::{Fixture, Params},
};
use serde_json::{json, Value};
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::blake2_256;
use sp_trie::{
    trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
    LayoutV0, LayoutV1, MemoryDB, Recorder, StorageProof, Trie as _, TrieConfiguration as _, TrieMut as _,
};
use std::{
    fs,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

use partial::CHECKPOINT;

/// The first approval of the creation, the one that carried it out, those of the certification, and the last block.
const FIRST: u32 = 5;
const CREATED: u32 = 7;
const PROPOSED: u32 = 130;
const CERTIFIED: u32 = 190;
const LAST: u32 = 195;

/// A node with a chain of its own, and an election on it from its creation to its certification.
struct Node {
    chain: Chain,
    eid: Eid,
    /// The blocks that were asked for.
    fetched: Arc<Mutex<Vec<u32>>>,
    _server: ServerHandle,
}

/// What nodes differ in.
#[derive(Clone, Copy, Default)]
struct Kind {
    /// The seed of the election's keys.
    seed: u64,
    /// The chain: its first block has this in its header.
    chain: u8,
    /// The block from which on it is another chain.
    fork: Option<u32>,
    /// The round whose justification it has kept.
    round: u64,
}

struct Block {
    header: Value,
    hash: [u8; 32],
    extrinsics: Vec<String>,
}

struct World {
    blocks: Vec<Block>,
    state: Vec<Vec<u8>>,
    view: ElectionView,
    board: Vec<u8>,
    justification: Vec<u8>,
    fetched: Arc<Mutex<Vec<u32>>>,
}

fn hex0x(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn block(parent: [u8; 32], number: u32, state_root: [u8; 32], extrinsics: &[Vec<u8>]) -> Block {
    let root = LayoutV0::<Blake2Hasher>::ordered_trie_root(extrinsics).0;
    let bytes = (parent, Compact(number), state_root, root, Compact(0u32)).encode();
    let header = json!({
        "parentHash": hex0x(parent), "number": format!("0x{number:x}"), "stateRoot": hex0x(state_root),
        "extrinsicsRoot": hex0x(root), "digest": { "logs": [] },
    });
    Block { header, hash: blake2_256(&bytes), extrinsics: extrinsics.iter().map(hex0x).collect() }
}

/// A state that has this list of validators: its root, and the way to the list.
fn genesis_state(list: &[u8]) -> ([u8; 32], Vec<Vec<u8>>) {
    let mut database: MemoryDB<Blake2Hasher> = StorageProof::empty().into_memory_db();
    let mut root = H256::default();
    let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut database, &mut root).build();
    trie.insert(&VALIDATORS_KEY, list).unwrap();
    drop(trie);
    let mut recorder = Recorder::<LayoutV1<Blake2Hasher>>::new();
    {
        let trie = TrieDBBuilder::<Blake2Hasher>::new(&database, &root).with_recorder(&mut recorder).build();
        trie.get(&VALIDATORS_KEY).unwrap();
    }
    (root.0, recorder.drain().into_iter().map(|record| record.data).collect())
}

impl World {
    fn new(kind: Kind) -> Self {
        let validator = SigningKey::from_bytes(&[kind.chain; 32]);
        let list = vec![(validator.verifying_key().to_bytes(), 1u64)].encode();
        let (root, state) = genesis_state(&list);
        let mut blocks = vec![block([0; 32], 0, root, &[])];
        let genesis = Genesis(blocks[0].hash);
        let mut fixture = Fixture::new(&Params { seed: kind.seed, genesis, ..Params::default() });
        let (eid, manifest) = (fixture.election.eid, fixture.election.manifest.clone());
        let (create, result) =
            (Action::CreateElection { number: 1, manifest: manifest.clone() }, Digest([8; 32]));
        let certify = Action::Certify { eid, result };
        for number in 1..=LAST {
            let accept = |eid| {
                let signature = Signature([number as u8; 64]);
                Message::Accept(Acceptance { eid, trustee: 1, signature }).to_extrinsic()
            };
            let mut time = vec![5u8, 1, 0];
            Compact(u64::from(number) * 2_000).encode_to(&mut time);
            let mut extrinsics = vec![time.encode(), accept(Eid([3; 32])), accept(eid)];
            let action = match number {
                FIRST | CREATED => Some(&create),
                PROPOSED | CERTIFIED => Some(&certify),
                _ => None,
            };
            if let Some(action) = action {
                let member = u8::from(matches!(number, CREATED | CERTIFIED));
                extrinsics.push(Message::Approve(fixture.approve(action.clone(), member)).to_extrinsic());
            }
            let fork = kind.fork.is_some_and(|fork| number >= fork);
            blocks.push(block(blocks.last().unwrap().hash, number, [u8::from(fork); 32], &extrinsics));
        }
        let last = blocks.last().unwrap().hash;
        let mut justification = (kind.round, last, LAST, Compact(1u32)).encode();
        let signed = validator.sign(&(1u8, last, LAST, kind.round, 0u64).encode());
        (last, LAST, signed.to_bytes(), validator.verifying_key().to_bytes()).encode_to(&mut justification);
        Compact(0u32).encode_to(&mut justification);
        let state_of = ElectionState {
            number: 1,
            phase: Phase::Certified,
            created: CREATED,
            opens_at: manifest.opens_at,
            closes_at: manifest.closes_at,
            accepted: Default::default(),
            batches: 0,
            confirmed: 0,
            entries: 0,
            voters: 0,
            roll: Digest::default(),
            ballots: 0,
            counted: 0,
            ballot_log: Digest::default(),
            closing: None,
            summed: true,
            withheld: false,
            conflict: false,
            excluded: 0,
            lowered: None,
            agreed: None,
            certified: Some(result),
            void: None,
        };
        let board = manifest.board.encode();
        let view = ElectionView { eid, state: state_of, manifest };
        Self { blocks, state, view, board, justification, fetched: Arc::default() }
    }

    fn of_hash(&self, hash: &Value) -> Option<(usize, &Block)> {
        self.blocks.iter().enumerate().find(|(_, block)| json!(hex0x(block.hash)) == *hash)
    }

    fn answer(&self, method: &str, params: &[Value]) -> Value {
        match method {
            "chain_getBlockHash" => {
                let block = params[0].as_u64().and_then(|number| self.blocks.get(number as usize));
                json!(block.map(|block| hex0x(block.hash)))
            }
            "chain_getFinalizedHead" => json!(hex0x(self.blocks.last().unwrap().hash)),
            "chain_getHeader" => json!(self.of_hash(&params[0]).map(|(_, block)| &block.header)),
            "chain_getBlock" => {
                let Some((number, block)) = self.of_hash(&params[0]) else { return Value::Null };
                self.fetched.lock().unwrap().push(number as u32);
                let last = number as u32 == LAST;
                let justifications = last.then(|| json!([[b"FRNK", self.justification]]));
                let body = json!({ "header": block.header, "extrinsics": block.extrinsics });
                json!({ "block": body, "justifications": justifications })
            }
            "state_getReadProof" => {
                json!({ "proof": self.state.iter().map(hex0x).collect::<Vec<_>>() })
            }
            "state_call" if params[0] == "VotingApi_chain_board" => json!(hex0x(&self.board)),
            "state_call" if params[0] == "VotingApi_election" => {
                let known = params[1] == json!(hex0x(self.view.eid.0));
                json!(hex0x(known.then_some(&self.view).encode()))
            }
            _ => panic!("{method} is not asked for by an export"),
        }
    }
}

impl Node {
    async fn start(kind: Kind) -> Self {
        let world = World::new(kind);
        let (eid, fetched) = (world.view.eid, world.fetched.clone());
        let mut module = RpcModule::new(world);
        for method in [
            "chain_getBlockHash",
            "chain_getFinalizedHead",
            "chain_getHeader",
            "chain_getBlock",
            "state_getReadProof",
            "state_call",
        ] {
            let register = module.register_method(method, move |params, world, _| {
                let params: Vec<Value> = params.parse().unwrap_or_default();
                Ok::<Value, ErrorObjectOwned>(world.answer(method, &params))
            });
            register.unwrap();
        }
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let _server = server.start(module);
        let chain = Chain::connect(&[format!("ws://{address}")]).await.unwrap();
        Self { chain, eid, fetched, _server }
    }

    async fn export(&self, path: &Path) -> Result<Exported, RecordError> {
        self.fetched.lock().unwrap().clear();
        export(&self.chain, &self.eid, path, |_| ()).await
    }

    /// The whole record, exported in one go.
    async fn record(&self, folder: &TempDir) -> Vec<u8> {
        let path = folder.path().join("whole.psephos");
        self.export(&path).await.unwrap();
        assert!(!partial_path(&path).exists());
        fs::read(path).unwrap()
    }

    /// What comes out if an export that was cut off left this.
    async fn go_on(&self, folder: &TempDir, left: &[u8]) -> Result<(Vec<u8>, Exported), RecordError> {
        let path = folder.path().join("record.psephos");
        fs::write(partial_path(&path), left).unwrap();
        let exported = self.export(&path).await?;
        assert!(!partial_path(&path).exists(), "it has its name now");
        fs::remove_file(finality_path(&path)).expect("its proof of finality is beside it");
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(exported.bytes, bytes.len() as u64);
        Ok((bytes, exported))
    }
}

/// Where each frame ends, the header's first.
fn ends(record: &[u8]) -> Vec<usize> {
    let mut ends = vec![];
    let mut at = MAGIC.len();
    while at < record.len() {
        at += 4 + u32::from_le_bytes(record[at..at + 4].try_into().unwrap()) as usize;
        ends.push(at);
    }
    ends
}

#[tokio::test]
async fn an_export_that_was_cut_off_anywhere_goes_on_to_the_same_bytes() {
    let (node, folder) = (Node::start(Kind::default()).await, tempfile::tempdir().unwrap());
    let whole = node.record(&folder).await;
    let ends = ends(&whole);
    assert_eq!(ends.len(), 1 + (CERTIFIED - FIRST + 1) as usize);
    let mut cuts = vec![0, 3, MAGIC.len(), MAGIC.len() + 2, ends[0] - 1];
    for blocks in [0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 185, 186] {
        let end = ends[blocks];
        cuts.extend([end - 1, end, end + 1, end + 4, end + 100].map(|cut| cut.min(whole.len())));
    }
    for cut in cuts {
        let (bytes, exported) = node.go_on(&folder, &whole[..cut]).await.unwrap();
        assert!(bytes == whole, "cut off after {cut} bytes");
        // What was on the disk for sure is not fetched again.
        let complete = ends.iter().skip(1).filter(|end| **end <= cut).count() as u32;
        let kept = complete.saturating_sub(1) / CHECKPOINT * CHECKPOINT;
        assert_eq!(exported.resumed, Resumed { blocks: kept, forked: false }, "cut off after {cut} bytes");
        let fetched = node.fetched.lock().unwrap();
        assert!(fetched.iter().all(|number| *number <= CREATED || *number >= FIRST + kept), "{fetched:?}");
        assert_eq!((exported.first, exported.last.number), (FIRST, CERTIFIED));
        assert_eq!(exported.messages, u64::from(CERTIFIED - FIRST + 1) + 4);
    }
}

#[tokio::test]
async fn what_a_crash_garbled_is_fetched_again() {
    let (node, folder) = (Node::start(Kind::default()).await, tempfile::tempdir().unwrap());
    let whole = node.record(&folder).await;
    let ends = ends(&whole);
    // Zeros, or anything else, behind what is right.
    for tail in [vec![0; 5], vec![0; 5_000], vec![0xff; 5_000], frame(&(vec![1u8; 90], 7u64, [0u8; 1]))] {
        let (bytes, _) = node.go_on(&folder, &[&whole[..ends[100]], &tail].concat()).await.unwrap();
        assert!(bytes == whole);
    }
    // A message that decodes, and is not the one of the chain, in a frame that may not have reached the disk.
    let mut left = whole[..ends[100]].to_vec();
    left[ends[99] - 1] ^= 1;
    assert!(node.go_on(&folder, &left).await.unwrap().0 == whole);
    // A header, wherever it is, since the next is not its child's.
    let mut left = whole[..ends[140]].to_vec();
    left[ends[20] + 10] ^= 1;
    let (bytes, exported) = node.go_on(&folder, &left).await.unwrap();
    assert!(bytes == whole && exported.resumed.blocks == 0);
}

#[tokio::test]
async fn an_export_that_is_stopped_leaves_what_another_node_goes_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let first = Node::start(Kind { round: 3, ..Kind::default() }).await;
    let second = Node::start(Kind { round: 4, ..Kind::default() }).await;
    let path = folder.path().join("record.psephos");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let reached = |at: Progress| {
        if at.block == 100 {
            stop.take().map(|stop| stop.send(())).into_iter().for_each(Result::unwrap);
        }
    };
    tokio::select! {
        biased;
        _ = stopped => {}
        done = export(&first.chain, &first.eid, &path, reached) => panic!("not stopped: {done:?}"),
    }
    assert!(!path.exists() && partial_path(&path).exists());
    let exported = second.export(&path).await.unwrap();
    assert_eq!(exported.resumed, Resumed { blocks: CHECKPOINT, forked: false });
    let whole = first.record(&folder).await;
    assert!(fs::read(&path).unwrap() == whole, "every node gives the same record");
}

#[tokio::test]
async fn what_is_of_another_election_or_chain_or_no_record_is_refused_and_kept() {
    let (node, folder) = (Node::start(Kind::default()).await, tempfile::tempdir().unwrap());
    let partial = partial_path(&folder.path().join("record.psephos"));
    for kind in [Kind { seed: 1, ..Kind::default() }, Kind { chain: 1, ..Kind::default() }] {
        let other = Node::start(kind).await;
        let left = other.record(&folder).await;
        fs::remove_file(folder.path().join("whole.psephos")).unwrap();
        let error = node.go_on(&folder, &left).await.unwrap_err();
        let (eid, genesis) = (other.eid, other.chain.genesis());
        assert!(
            matches!(&error, RecordError::Other { eid: e, genesis: g, .. } if (*e, *g) == (eid, genesis))
        );
        let text = error.to_string();
        assert!(text.contains(&eid.to_string()) && text.contains(&genesis.to_string()), "{text}");
        assert_eq!(fs::read(&partial).unwrap(), left);
    }
    for left in [b"my notes".to_vec(), [MAGIC.to_vec(), vec![9; 500]].concat()] {
        let error = node.go_on(&folder, &left).await.unwrap_err();
        assert!(matches!(error, RecordError::NotPartial(_)), "{error}");
        assert_eq!(fs::read(&partial).unwrap(), left);
    }
}

#[tokio::test]
async fn what_is_of_a_fork_is_taken_off() {
    let (node, folder) = (Node::start(Kind::default()).await, tempfile::tempdir().unwrap());
    let whole = node.record(&folder).await;
    for (fork, kept) in [(FIRST + CHECKPOINT + 40, CHECKPOINT), (FIRST + CHECKPOINT - 1, 0), (FIRST, 0)] {
        let other = Node::start(Kind { fork: Some(fork), ..Kind::default() }).await;
        let left = other.record(&folder).await;
        assert!(left != whole && left.len() == whole.len());
        let (bytes, exported) = node.go_on(&folder, &left).await.unwrap();
        assert!(bytes == whole);
        assert_eq!(exported.resumed, Resumed { blocks: kept, forked: true });
    }
}

#[tokio::test]
async fn two_exports_do_not_write_one_file() {
    let (node, folder) = (Node::start(Kind::default()).await, tempfile::tempdir().unwrap());
    let path = folder.path().join("record.psephos");
    let other = fs::File::create(partial_path(&path)).unwrap();
    other.lock().unwrap();
    assert!(matches!(node.export(&path).await.unwrap_err(), RecordError::Busy(_)));
    drop(other);
    node.export(&path).await.unwrap();
}
