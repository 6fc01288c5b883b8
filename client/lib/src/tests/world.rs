//! A chain that is true: headers, states and bodies that hash to what they should, signed by its validators.

use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{
    ballot::CastBallot,
    finality::VALIDATORS_KEY,
    ids::{Anchor, Genesis},
    state::{Caster, ElectionState, Phase, RecordedBallot, RegisteredVoter},
    testing::{Fixture, Params},
    wire::Message,
};
use serde_json::{json, Value};
use sp_core::{Blake2Hasher, H256};
use sp_crypto_hashing::blake2_256;
use sp_trie::{
    trie_types::{TrieDBBuilder, TrieDBMutBuilderV1},
    LayoutV0, LayoutV1, MemoryDB, Recorder, StorageProof, Trie as _, TrieConfiguration as _, TrieMut as _,
};
use std::collections::BTreeMap;

use crate::{chain::hex0x, proof};

/// The validators that sign: three of four.
pub const SIGNERS: [u8; 3] = [1, 2, 3];
/// The time of block 0, in ms.
pub const EPOCH: u64 = 1_780_000_000_000;

pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// A block, all of it.
#[derive(Clone)]
pub struct Block {
    pub anchor: Anchor,
    pub header: Value,
    pub body: Vec<Vec<u8>>,
    pub state: State,
    pub justification: Option<Vec<u8>>,
}

fn validator(index: u8) -> SigningKey {
    SigningKey::from_bytes(&[index; 32])
}

/// The precommits of these validators for a block.
pub fn justify(block: Anchor, signers: &[u8]) -> Vec<u8> {
    let (round, set) = (1u64, 0u64);
    let precommits = signers.iter().map(|index| {
        let key = validator(*index);
        let signature = key.sign(&(1u8, block.hash, block.number, round, set).encode()).to_bytes();
        (block.hash, block.number, signature, key.verifying_key().to_bytes())
    });
    let headers: Vec<()> = Vec::new();
    (round, block.hash, block.number, precommits.collect::<Vec<_>>(), headers).encode()
}

/// A state's root, and the nodes that lead from it to these keys.
pub fn prove(state: &State, keys: &[Vec<u8>]) -> ([u8; 32], Vec<Vec<u8>>) {
    let mut database: MemoryDB<Blake2Hasher> = StorageProof::empty().into_memory_db();
    let mut root = H256::default();
    {
        let mut trie = TrieDBMutBuilderV1::<Blake2Hasher>::new(&mut database, &mut root).build();
        state.iter().for_each(|(key, value)| drop(trie.insert(key, value).unwrap()));
    }
    let mut recorder = Recorder::<LayoutV1<Blake2Hasher>>::new();
    {
        let trie = TrieDBBuilder::<Blake2Hasher>::new(&database, &root).with_recorder(&mut recorder).build();
        keys.iter().for_each(|key| drop(trie.get(key).unwrap()));
    }
    (root.0, recorder.drain().into_iter().map(|record| record.data).collect())
}

impl Block {
    fn new(number: u32, parent: [u8; 32], state: State, messages: &[Message]) -> Self {
        let body: Vec<Vec<u8>> = messages.iter().map(Message::to_extrinsic).collect();
        let state_root = prove(&state, &[]).0;
        let extrinsics_root = LayoutV0::<Blake2Hasher>::ordered_trie_root(&body).0;
        let bytes = (parent, Compact(number), state_root, extrinsics_root, Compact(0u32)).encode();
        let header = json!({
            "parentHash": hex0x(&parent), "number": format!("{number:#x}"), "stateRoot": hex0x(&state_root),
            "extrinsicsRoot": hex0x(&extrinsics_root), "digest": { "logs": [] },
        });
        let anchor = Anchor { number, hash: blake2_256(&bytes) };
        Self { anchor, header, body, state, justification: None }
    }

    /// The first block of a chain with these validators, 1 and up.
    pub fn first(validators: &[u8]) -> Self {
        let list: Vec<([u8; 32], u64)> =
            validators.iter().map(|index| (validator(*index).verifying_key().to_bytes(), 1)).collect();
        // Enough beside it that a proof has several nodes.
        let others = (0..30u8).map(|key| (vec![key.wrapping_mul(9); 32], vec![key; 50]));
        let state = others.chain([(VALIDATORS_KEY.to_vec(), list.encode())]).collect();
        Self::new(0, [0; 32], state, &[])
    }

    /// A block after this one, with some of the state changed. Nobody has signed it.
    pub fn next(&self, number: u32, changes: State, messages: &[Message]) -> Self {
        let mut state = self.state.clone();
        state.insert(proof::time_key(), (EPOCH + u64::from(number) * 2_000).encode());
        state.insert(proof::block_key(self.anchor.number), self.anchor.hash.encode());
        state.extend(changes);
        Self::new(number, self.anchor.hash, state, messages)
    }

    pub fn signed(mut self, signers: &[u8]) -> Self {
        self.justification = Some(justify(self.anchor, signers));
        self
    }

    /// As `chain_getBlock` gives it.
    pub fn json(&self) -> Value {
        let body: Vec<String> = self.body.iter().map(|bytes| hex0x(bytes)).collect();
        let justifications = self.justification.as_ref().map(|bytes| json!([[b"FRNK", bytes]]));
        json!({ "block": { "header": self.header, "extrinsics": body }, "justifications": justifications })
    }
}

/// An election, and the chain that has it.
pub struct World {
    pub fixture: Fixture,
    /// By height.
    pub blocks: Vec<Block>,
}

impl World {
    /// An election in block 1, open, with three voters; no ballot yet.
    pub fn new() -> Self {
        Self::with(&[1, 2, 3, 4])
    }

    /// The same on a chain of these validators.
    pub fn with(validators: &[u8]) -> Self {
        let first = Block::first(validators);
        let genesis = Genesis(first.anchor.hash);
        let mut world =
            Self { fixture: Fixture::new(&Params { genesis, ..Params::default() }), blocks: vec![first] };
        let mut changes = world.election(Phase::Open, 0);
        for (voter, entry) in world.fixture.voters.iter().zip(0u32..) {
            let on_roll = RegisteredVoter { entry, weight: voter.weight, style: 0, unit: voter.unit };
            let key = proof::voter_key(&world.fixture.election.eid, &voter.key.public());
            changes.insert(key, on_roll.encode());
        }
        world.push(changes, &[]);
        world.fixture.anchor = world.last().anchor;
        world
    }

    pub fn last(&self) -> &Block {
        self.blocks.last().unwrap()
    }

    /// Adds a block that three validators sign.
    pub fn push(&mut self, changes: State, messages: &[Message]) {
        let next = self.last().next(self.blocks.len() as u32, changes, messages).signed(&SIGNERS);
        self.blocks.push(next);
    }

    /// The election's state.
    pub fn election(&self, phase: Phase, excluded: u32) -> State {
        let state = ElectionState {
            number: 1,
            phase,
            created: 1,
            opens_at: 0,
            closes_at: u64::MAX,
            accepted: vec![1, 2, 3, 4].try_into().unwrap(),
            batches: 1,
            confirmed: 1,
            entries: 3,
            voters: 3,
            roll: Default::default(),
            ballots: 0,
            counted: 0,
            ballot_log: Default::default(),
            closing: None,
            summed: false,
            withheld: false,
            conflict: false,
            excluded,
            lowered: None,
            agreed: None,
            certified: None,
            void: None,
        };
        State::from([(proof::election_key(&self.fixture.election.eid), state.encode())])
    }

    /// What the state says once a ballot is accepted.
    pub fn recorded(&self, cast: &CastBallot) -> State {
        let statement = &cast.signed.ballot.statement;
        let recorded = RecordedBallot {
            hash: cast.signed.ballot.hash(),
            caster: Caster { sequence: statement.sequence, ballots: 1, style: 0, weight: 1, unit: 0 },
            commitments: statement.commitments.clone(),
        };
        State::from([(proof::ballot_key(&statement.eid, &statement.credential), recorded.encode())])
    }

    /// Adds a block with a voter's ballot.
    pub fn cast(&mut self, voter: usize, sequence: u32, option: usize) -> CastBallot {
        let votes = (0..3).map(|other| u32::from(other == option)).collect();
        let cast = self.fixture.cast(voter, sequence, &[votes]).cast;
        self.push(self.recorded(&cast), &[Message::Cast(cast.clone())]);
        cast
    }
}
