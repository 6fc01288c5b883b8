//! The chain as its clients see it: what is finalized, what the elections' state is, and proofs of it.
//!
//! Everything is read at the last finalized block, which no later event takes back. What is needed
//! fresh, such as the sequence number of the next ballot, is read through [`Chain::at_best`].

use codec::{DecodeAll, Encode};
use jsonrpsee::{core::params::ArrayParams, rpc_params};
use psephos_protocol::{
    board::Board,
    endpoint::Endpoint,
    finality::Validators,
    ids::{Anchor, Digest, Eid, Genesis},
    keys::PublicKey,
    state::{Batch, ElectionView, EntryState, Proposal, TallyView},
};
use serde::de::DeserializeOwned;
use std::{
    future::Future,
    sync::{Arc, OnceLock},
};
use tokio::sync::{broadcast, Mutex};

pub use crate::block::ChainBlock;
use crate::{
    block::{Header, JsonHeader, JsonSignedBlock},
    error::ChainError,
    nodes::{hash32, unhex, Nodes},
    proof,
};

/// Asks a node for its last finalized block.
pub(crate) const FINALIZED: &str = "chain_getFinalizedHead";

/// A connection to the chain through any of several nodes. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Chain {
    pub(crate) inner: Arc<Inner>,
    /// Whether it is read at its best block.
    pub(crate) best: bool,
}

pub(crate) struct Inner {
    pub(crate) nodes: Nodes,
    /// Finalized blocks as they come, while anybody waits for one.
    pub(crate) arrivals: Mutex<Option<broadcast::Sender<Arc<ChainBlock>>>>,
    /// The validators of the first block, once they were read.
    pub(crate) validators: OnceLock<Validators>,
    /// The last block that a node proved to be final.
    pub(crate) proved: Mutex<Option<Header>>,
}

impl Chain {
    /// Connects to the first of these nodes that answers (`ws://host:port` or `wss://host:port`).
    ///
    /// When a connection fails later, the next node takes over without the caller noticing; a
    /// request is given up with [`ChainError::Unreachable`] after five rounds over all nodes, with pauses
    /// from 250 ms that double. A request may take 30 s. A node of another chain is passed over.
    ///
    /// # Errors
    /// [`ChainError::NoEndpoint`], [`ChainError::Endpoint`], or [`ChainError::Unreachable`] naming every node.
    pub async fn connect(endpoints: &[String]) -> Result<Self, ChainError> {
        let nodes = Nodes::connect(endpoints).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                nodes,
                arrivals: Mutex::default(),
                validators: OnceLock::new(),
                proved: Mutex::default(),
            }),
            best: false,
        })
    }

    /// The same chain, read at its best block instead of its last finalized one: fresh, but it may
    /// still be taken back.
    #[must_use]
    pub fn at_best(&self) -> Self {
        Self { inner: self.inner.clone(), best: true }
    }

    /// The hash of the chain's first block.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        self.inner.nodes.genesis()
    }

    /// The last finalized block, as the node in use sees it.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] or [`ChainError::Inconsistent`].
    pub async fn finalized(&self) -> Result<Anchor, ChainError> {
        Ok(self.finalized_header().await?.anchor)
    }

    /// The best block, which may still be taken back.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] or [`ChainError::Inconsistent`].
    pub async fn best(&self) -> Result<Anchor, ChainError> {
        Ok(self.at("chain_getHead", |hash| self.header(hash)).await?.anchor)
    }

    /// The hash of the block at this height of the best chain; none above its head.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] or [`ChainError::Inconsistent`].
    pub async fn block_hash(&self, number: u32) -> Result<Option<[u8; 32]>, ChainError> {
        let (endpoint, hash): (_, Option<String>) =
            self.ask("chain_getBlockHash", rpc_params![number]).await?;
        hash.map(|hash| hash32(&endpoint, Some(&hash))).transpose()
    }

    /// The block with this hash, its header and body checked against it.
    ///
    /// # Errors
    /// [`ChainError::MissingBlock`] when the node does not have it, [`ChainError::Inconsistent`] when what
    /// it gives is not that block.
    pub async fn block(&self, hash: [u8; 32]) -> Result<ChainBlock, ChainError> {
        let (endpoint, block): (_, Option<JsonSignedBlock>) =
            self.ask("chain_getBlock", rpc_params![hex0x(&hash)]).await?;
        let block = block
            .ok_or_else(|| ChainError::MissingBlock { endpoint: endpoint.clone(), block: hex0x(&hash) })?;
        block.block.check(&endpoint, hash)
    }

    /// The finalized block at this height.
    ///
    /// # Errors
    /// [`ChainError::NotFinalized`] above the last finalized block, otherwise as [`Self::block`].
    pub async fn finalized_block(&self, number: u32) -> Result<ChainBlock, ChainError> {
        let finalized = self.finalized().await?.number;
        if number > finalized {
            return Err(ChainError::NotFinalized { number, finalized });
        }
        self.block_at(number).await
    }

    /// The block at this height, which the caller knows to be finalized.
    pub(crate) async fn block_at(&self, number: u32) -> Result<ChainBlock, ChainError> {
        let missing = || ChainError::MissingBlock {
            endpoint: self.inner.nodes.endpoints().join(" or "),
            block: number.to_string(),
        };
        let block = self.block(self.block_hash(number).await?.ok_or_else(missing)?).await?;
        if block.anchor.number != number {
            return Err(ChainError::Inconsistent {
                endpoint: self.inner.nodes.endpoints().join(" or "),
                what: format!("it gives block {} as block {number}", block.anchor.number),
            });
        }
        Ok(block)
    }

    /// The chain's board, which creates elections.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn chain_board(&self) -> Result<Board, ChainError> {
        self.call("chain_board", &()).await
    }

    /// The number of the next election.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn next_number(&self) -> Result<u32, ChainError> {
        self.call("next_number", &()).await
    }

    /// The elections of this chain.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn elections(&self) -> Result<Vec<Eid>, ChainError> {
        self.call("elections", &()).await
    }

    /// An election with state and manifest. [`crate::open_election`] checks that the identifier is of
    /// this manifest.
    ///
    /// # Errors
    /// [`ChainError::UnknownElection`] when there is none.
    pub async fn election(&self, eid: &Eid) -> Result<ElectionView, ChainError> {
        self.call::<Option<ElectionView>>("election", eid).await?.ok_or(ChainError::UnknownElection(*eid))
    }

    /// A roll entry.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn entry(&self, eid: &Eid, entry: u32) -> Result<Option<EntryState>, ChainError> {
        self.call("entry", &(eid, entry)).await
    }

    /// The roll entry that an invitation key opens.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn entry_of(&self, eid: &Eid, invitation: &PublicKey) -> Result<Option<u32>, ChainError> {
        self.call("entry_of", &(eid, invitation)).await
    }

    /// A batch of the roll.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn batch(&self, eid: &Eid, batch: u32) -> Result<Option<Batch>, ChainError> {
        self.call("batch", &(eid, batch)).await
    }

    /// The board actions that wait for approvals.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn proposals(&self) -> Result<Vec<Proposal>, ChainError> {
        self.call("proposals", &()).await
    }

    /// Where an election's trustees can be reached, as they stated themselves.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn endpoints(&self, eid: &Eid) -> Result<Vec<(u8, Endpoint)>, ChainError> {
        self.call("endpoints", eid).await
    }

    /// How an election's tally stands.
    ///
    /// # Errors
    /// [`ChainError::UnknownElection`] when there is no such election.
    pub async fn tally(&self, eid: &Eid) -> Result<TallyView, ChainError> {
        self.call::<Option<TallyView>>("tally", eid).await?.ok_or(ChainError::UnknownElection(*eid))
    }

    /// Whether the chain asks for rehearsals before a freeze, and the last certified rehearsal of a team
    /// ([`psephos_protocol::manifest::Manifest::team`]).
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn rehearsed(&self, team: &Digest) -> Result<(bool, Option<Eid>), ChainError> {
        self.call("rehearsed", team).await
    }

    /// The values under storage keys at a block, proved against the block's header.
    pub(crate) async fn proved_values(
        &self,
        header: &Header,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, ChainError> {
        let (endpoint, nodes) = self.state_proof(header, keys).await?;
        proof::read(header.state_root, nodes, keys)
            .map_err(|error| ChainError::Inconsistent { endpoint, what: error.to_string() })
    }

    /// The nodes of a block's state that a node gives for keys, and the node.
    pub(crate) async fn state_proof(
        &self,
        header: &Header,
        keys: &[Vec<u8>],
    ) -> Result<(String, Vec<Vec<u8>>), ChainError> {
        let keys: Vec<String> = keys.iter().map(|key| hex0x(key)).collect();
        let (endpoint, answer): (_, proof::JsonReadProof) =
            self.ask("state_getReadProof", rpc_params![keys, hex0x(&header.anchor.hash)]).await?;
        let nodes = answer.proof.iter().map(|node| unhex(&endpoint, node)).collect::<Result<_, _>>()?;
        Ok((endpoint, nodes))
    }

    pub(crate) async fn finalized_header(&self) -> Result<Header, ChainError> {
        self.at(FINALIZED, |hash| self.header(hash)).await
    }

    pub(crate) async fn finalized_hash(&self) -> Result<[u8; 32], ChainError> {
        self.head(FINALIZED).await
    }

    /// The block that a node gives as its head of a kind.
    async fn head(&self, kind: &str) -> Result<[u8; 32], ChainError> {
        let (endpoint, hash): (_, String) = self.ask(kind, rpc_params![]).await?;
        hash32(&endpoint, Some(&hash))
    }

    /// Does something at a node's head. When another node takes over in between, which may not have that block
    /// yet, it is done again at that node's own head.
    pub(crate) async fn at<T, F: Future<Output = Result<T, ChainError>>>(
        &self,
        kind: &str,
        work: impl Fn([u8; 32]) -> F,
    ) -> Result<T, ChainError> {
        loop {
            let generation = self.inner.nodes.generation().await;
            let hash = self.head(kind).await?;
            match work(hash).await {
                Err(_) if self.inner.nodes.generation().await != generation => {}
                outcome => return outcome,
            }
        }
    }

    pub(crate) async fn header(&self, hash: [u8; 32]) -> Result<Header, ChainError> {
        let (endpoint, header): (_, Option<JsonHeader>) =
            self.ask("chain_getHeader", rpc_params![hex0x(&hash)]).await?;
        header
            .ok_or_else(|| ChainError::MissingBlock { endpoint: endpoint.clone(), block: hex0x(&hash) })?
            .check(&endpoint, hash)
    }

    /// Calls a function of the runtime's `VotingApi`.
    async fn call<R: DecodeAll>(&self, function: &str, arguments: &impl Encode) -> Result<R, ChainError> {
        let arguments = hex0x(&arguments.encode());
        if self.best {
            return self.call_at(function, &arguments, None).await;
        }
        self.at(FINALIZED, |hash| self.call_at(function, &arguments, Some(hash))).await
    }

    async fn call_at<R: DecodeAll>(
        &self,
        function: &str,
        arguments: &str,
        at: Option<[u8; 32]>,
    ) -> Result<R, ChainError> {
        let at = at.map(|hash| hex0x(&hash));
        let (endpoint, answer): (_, String) =
            self.ask("state_call", rpc_params![format!("VotingApi_{function}"), arguments, at]).await?;
        R::decode_all(&mut unhex(&endpoint, &answer)?.as_slice()).map_err(|error| ChainError::Inconsistent {
            endpoint,
            what: format!("its runtime's answer to {function} has another form than this software knows ({error}); one of the two may be older"),
        })
    }

    pub(crate) async fn ask<R: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> Result<(String, R), ChainError> {
        self.inner.nodes.request(method, params).await.map_err(|failure| failure.of(method))
    }
}

pub(crate) fn hex0x(bytes: &[u8]) -> String {
    const_hex::encode_prefixed(bytes)
}
