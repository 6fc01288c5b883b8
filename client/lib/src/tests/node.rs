//! A node that serves a chain, and lies where it is told to.

use codec::{Decode, Encode};
use jsonrpsee::{server::Server, types::ErrorObjectOwned, RpcModule};
use psephos_protocol::{
    ids::Eid,
    state::{ElectionState, ElectionView, EntryState},
    wire::Message,
};
use serde_json::{json, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex,
    },
};

use super::world::{prove, Block, World};
use crate::{
    chain::{hex0x, Chain},
    proof, ChainError,
};

const METHODS: [&str; 8] = [
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getHead",
    "chain_getHeader",
    "chain_getBlock",
    "state_getReadProof",
    "state_call",
    "state_queryStorageAt",
];

type Answer = Result<Value, ErrorObjectOwned>;
/// What a node says instead of the truth, to a method with these parameters; none where it tells the truth.
type Lie = Box<dyn Fn(&str, &[Value]) -> Option<Value> + Send>;

/// What a node has.
pub struct Node {
    pub world: World,
    /// Blocks that are not on the chain.
    pub strays: Vec<Block>,
    /// Whether its pool takes ballots; each comes into a block of its own, or these blocks follow in its place.
    pub takes: bool,
    pub later: Vec<Block>,
    /// Set when the pool took a ballot, of which nothing comes but what it lies.
    pub taken: Option<Arc<AtomicBool>>,
    lie: Lie,
    /// How often each method was called.
    calls: BTreeMap<&'static str, usize>,
}

/// A node that runs.
#[derive(Clone)]
pub struct Running {
    pub node: Arc<Mutex<Node>>,
    url: String,
}

impl Running {
    pub async fn start(world: World) -> Self {
        let node = Node {
            world,
            strays: Vec::new(),
            takes: true,
            later: Vec::new(),
            taken: None,
            lie: Box::new(|_, _| None),
            calls: BTreeMap::new(),
        };
        let node = Arc::new(Mutex::new(node));
        let mut module = RpcModule::new(node.clone());
        for method in METHODS {
            module
                .register_method(method, move |params, node, _| -> Answer {
                    let params: Vec<Value> = params.parse().unwrap_or_default();
                    node.lock().unwrap().answer(method, &params)
                })
                .unwrap();
        }
        module
            .register_method("voting_submit", |params, node, _| -> Answer {
                let params: Vec<Value> = params.parse().unwrap_or_default();
                node.lock().unwrap().submit(&bytes(&params[0]))
            })
            .unwrap();
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", server.local_addr().unwrap());
        tokio::spawn(server.start(module).stopped());
        Self { node, url }
    }

    /// A client's connection to it.
    pub async fn connect(&self) -> Result<Chain, ChainError> {
        Chain::connect(std::slice::from_ref(&self.url)).await
    }

    /// Has the node say something else than the truth.
    pub fn lies(&self, lie: impl Fn(&str, &[Value]) -> Option<Value> + Send + 'static) {
        self.node.lock().unwrap().lie = Box::new(lie);
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.node.lock().unwrap().calls.get(method).copied().unwrap_or_default()
    }
}

/// A pool's refusal with one of the protocol's codes.
fn refused(code: u8) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(1010, "Invalid Transaction", Some(format!("Custom error: {code}")))
}

pub fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

impl Node {
    fn block(&self, hash: &Value) -> Option<&Block> {
        let hash = bytes(hash);
        self.world.blocks.iter().chain(&self.strays).find(|block| block.anchor.hash == hash[..])
    }

    fn answer(&mut self, method: &'static str, params: &[Value]) -> Answer {
        *self.calls.entry(method).or_default() += 1;
        if let Some(lie) = (self.lie)(method, params) {
            return Ok(lie);
        }
        let blocks = &self.world.blocks;
        Ok(match method {
            "chain_getBlockHash" => {
                let block = blocks.get(params[0].as_u64().unwrap() as usize);
                json!(block.map(|block| hex0x(&block.anchor.hash)))
            }
            "chain_getFinalizedHead" | "chain_getHead" => json!(hex0x(&self.world.last().anchor.hash)),
            "chain_getHeader" => json!(self.block(&params[0]).map(|block| &block.header)),
            "chain_getBlock" => json!(self.block(&params[0]).map(Block::json)),
            "state_getReadProof" => {
                let keys: Vec<_> = params[0].as_array().unwrap().iter().map(bytes).collect();
                read_proof(self.block(&params[1]).unwrap(), &keys)
            }
            "state_queryStorageAt" => {
                // The best block where none is named.
                let at = params.get(1).filter(|hash| !hash.is_null()).and_then(|hash| self.block(hash));
                let keys: Vec<_> = params[0].as_array().unwrap().iter().map(bytes).collect();
                stored(at.unwrap_or(self.world.last()), &keys)
            }
            "state_call" => json!(hex0x(&self.call(params[0].as_str().unwrap(), &bytes(&params[1])))),
            other => unreachable!("{other}"),
        })
    }

    fn call(&self, function: &str, mut arguments: &[u8]) -> Vec<u8> {
        let stored = |key: Vec<u8>| self.world.last().state.get(&key).cloned();
        match function {
            "VotingApi_election" => {
                let eid = Eid::decode(&mut arguments).unwrap();
                let state = stored(proof::election_key(&eid));
                let view = state.map(|state| ElectionView {
                    eid,
                    state: ElectionState::decode(&mut state.as_slice()).unwrap(),
                    manifest: self.world.fixture.election.manifest.clone(),
                });
                view.encode()
            }
            "VotingApi_entry_of" => None::<u32>.encode(),
            "VotingApi_entry" => None::<EntryState>.encode(),
            other => unreachable!("{other}"),
        }
    }

    fn submit(&mut self, extrinsic: &[u8]) -> Answer {
        match Message::from_extrinsic(extrinsic) {
            Some(Message::Cast(_)) if self.taken.is_some() => {
                self.taken.iter().for_each(|taken| taken.store(true, Ordering::Relaxed));
                self.world.blocks.append(&mut self.later);
                Ok(json!(hex0x(&[0; 32])))
            }
            Some(Message::Cast(cast)) if self.takes => {
                let changes = self.world.recorded(&cast);
                self.world.push(changes, &[Message::Cast(cast)]);
                Ok(json!(hex0x(&[0; 32])))
            }
            _ => Err(refused(2)),
        }
    }
}

/// As `state_getReadProof` gives it.
pub fn read_proof(block: &Block, keys: &[Vec<u8>]) -> Value {
    let nodes: Vec<String> = prove(&block.state, keys).1.iter().map(|node| hex0x(node)).collect();
    json!({ "at": hex0x(&block.anchor.hash), "proof": nodes })
}

/// As `state_queryStorageAt` gives it: a key that is asked for again is not said again.
pub fn stored(block: &Block, keys: &[Vec<u8>]) -> Value {
    let keys: BTreeSet<_> = keys.iter().collect();
    let changes: Vec<_> =
        keys.iter().map(|key| (hex0x(key), block.state.get(*key).map(|value| hex0x(value)))).collect();
    json!([{ "block": hex0x(&block.anchor.hash), "changes": changes }])
}
