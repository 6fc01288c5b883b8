//! Why something could not be learned from the chain or said to it, and what to do next.

use psephos_protocol::{
    ids::{Eid, Genesis},
    refusal::{PhaseMismatch, Refusal},
};

/// A node that was tried, and why it did not serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{endpoint}: {reason}")]
pub struct NodeFailure {
    /// The node's address.
    pub endpoint: String,
    /// What went wrong, as the transport says it.
    pub reason: String,
}

/// Why the chain could not be asked, did not take a message, or gave an answer that can't be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// An address that is not one.
    #[error("{endpoint:?} is not the address of a node: write ws://host:port or wss://host:port")]
    Endpoint {
        /// As given.
        endpoint: String,
    },
    /// No address was given.
    #[error("no node was named: give at least one, as ws://host:port")]
    NoEndpoint,
    /// No node answered.
    #[error("no node answers; tried {}; check addresses and network, or that a node runs", list(.tried))]
    Unreachable {
        /// Every node that was tried, with its last failure.
        tried: Vec<NodeFailure>,
    },
    /// The node answered with an error of its own.
    #[error("{endpoint} answered {method} with error {code}: {message}")]
    Node {
        /// The node.
        endpoint: String,
        /// What it was asked.
        method: String,
        /// The JSON-RPC error code.
        code: i32,
        /// What it said.
        message: String,
    },
    /// The chain refused the message.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The election is in another phase than the act needs.
    #[error("refused: {0}")]
    WrongPhase(PhaseMismatch),
    /// The pool has another message in this one's place, such as another ballot of this voter.
    #[error("another message waits in this one's place (such as another ballot of the same voter): wait until it is in a block, or until it expires, and try again")]
    Superseded,
    /// The pool has no place.
    #[error("the node's pool is full: wait a few blocks and try again")]
    PoolFull,
    /// The node saw the message before and won't look at it for some minutes.
    #[error("the node has seen this message before, in a block or as invalid, and won't look at it again for 30 minutes: look whether it is in a block")]
    SeenBefore,
    /// Nothing came in the number of blocks that was allowed.
    #[error("{what} did not come within {blocks} finalized blocks: see whether the chain finalizes, then try again; doing so is safe")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how many finalized blocks.
        blocks: u32,
    },
    /// A node has no proof that a block is final.
    #[error("{endpoint} has no proof that its block {block} is final: it may have just started; wait, or ask another node")]
    Unproved {
        /// The node.
        endpoint: String,
        /// The block's hash.
        block: String,
    },
    /// The chain finalized nothing for a while.
    #[error("nothing was finalized for {seconds} s, at block {height}: more than a third of the validators may be away; nothing is lost, wait and try again")]
    Stalled {
        /// The last finalized block.
        height: u32,
        /// For how long.
        seconds: u64,
    },
    /// The chain has no such election.
    #[error("unknown election {0}: this chain has none with that identifier; list them with `psephos audit elections`")]
    UnknownElection(Eid),
    /// The block is not finalized.
    #[error("block {number} is not finalized yet; the last finalized block is {finalized}")]
    NotFinalized {
        /// The block asked for.
        number: u32,
        /// The last finalized block.
        finalized: u32,
    },
    /// The node does not have the block.
    #[error(
        "{endpoint} does not have block {block}: ask a node that keeps all blocks (--blocks-pruning archive)"
    )]
    MissingBlock {
        /// The node.
        endpoint: String,
        /// Number or hash.
        block: String,
    },
    /// A node said something that contradicts itself or its own block.
    #[error("{endpoint} contradicts itself: {what}; don't trust this node, ask another")]
    Inconsistent {
        /// The node.
        endpoint: String,
        /// The contradiction.
        what: String,
    },
    /// The node is of another chain.
    #[error("{endpoint} is of another chain: its genesis is {found}, not {expected}")]
    OtherChain {
        /// The node.
        endpoint: String,
        /// Its genesis.
        found: Genesis,
        /// The genesis of the chain that was connected first.
        expected: Genesis,
    },
}

fn list(tried: &[NodeFailure]) -> String {
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
