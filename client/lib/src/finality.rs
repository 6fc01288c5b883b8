//! What a node can't make up: that a block is final (spec 9.3), and what the state at it holds (spec 8.4).
//!
//! The validators are read from the state of the chain's first block, whose hash every election's identifier binds;
//! more than two thirds of them signed what is final; and a final header binds the whole state.

use codec::Decode;
use jsonrpsee::rpc_params;
use psephos_protocol::{
    finality::{Validators, VALIDATORS_KEY},
    ids::{Anchor, Eid},
    keys::PublicKey,
    state::{ElectionState, RecordedBallot, Voter},
};
use sp_crypto_hashing::blake2_256;

use crate::{
    block::{Header, JsonSignedBlock},
    chain::{hex0x, Chain},
    error::ChainError,
    proof,
};

/// A block that is proved to be final, and the chain's state at it, proved against its header.
#[derive(Clone)]
pub struct FinalBlock {
    chain: Chain,
    header: Header,
}

impl FinalBlock {
    /// Number and hash.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        self.header.anchor
    }

    /// An election's state.
    ///
    /// # Errors
    /// [`ChainError::UnknownElection`] when there is none; [`ChainError::Inconsistent`].
    pub async fn election(&self, eid: &Eid) -> Result<ElectionState, ChainError> {
        let state = self.chain.proved(&self.header, &proof::election_key(eid)).await?;
        state.ok_or(ChainError::UnknownElection(*eid))
    }

    /// A voter.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn voter(&self, eid: &Eid, credential: &PublicKey) -> Result<Option<Voter>, ChainError> {
        self.chain.proved(&self.header, &proof::voter_key(eid, credential)).await
    }

    /// The ballot that counts for a credential.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn ballot(
        &self,
        eid: &Eid,
        credential: &PublicKey,
    ) -> Result<Option<RecordedBallot>, ChainError> {
        self.chain.proved(&self.header, &proof::ballot_key(eid, credential)).await
    }
}

impl Chain {
    /// The last block of which a node proves that it is final.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] when its proof does not hold, [`ChainError::Unproved`] when it has none.
    pub async fn proved_final(&self) -> Result<FinalBlock, ChainError> {
        let validators = self.validators().await?;
        let head = self.finalized_hash().await?;
        let (endpoint, block): (_, Option<JsonSignedBlock>) =
            self.ask("chain_getBlock", rpc_params![hex0x(&head)]).await?;
        let inconsistent = |why: String| ChainError::Inconsistent { endpoint: endpoint.clone(), what: why };
        let block = block.ok_or_else(|| inconsistent("it does not have its own finalized block".into()))?;
        let Some(justification) = block.justification() else {
            return Err(ChainError::Unproved { endpoint, block: hex0x(&head) });
        };
        let anchor = validators
            .check(justification, blake2_256)
            .map_err(|error| inconsistent(format!("its proof of finality does not hold: {error}")))?;
        // The number is signed with the hash; both are the header's, or the header's hash is another.
        let header = self.header(anchor.hash).await?;
        if header.anchor != anchor {
            return Err(inconsistent(
                "its proof of finality gives a block another height than it has".into(),
            ));
        }
        Ok(FinalBlock { chain: self.clone(), header })
    }

    /// The validators of the chain's first block.
    async fn validators(&self) -> Result<Validators, ChainError> {
        if let Some(known) = self.inner.validators.get() {
            return Ok(known.clone());
        }
        let genesis = self.header(self.genesis().0).await?;
        let endpoint = || self.inner.nodes.endpoints().join(" or ");
        let list = self.proved_value(&genesis, &VALIDATORS_KEY).await?.unwrap_or_default();
        let validators = Validators::from_state(&list)
            .map_err(|error| ChainError::Inconsistent { endpoint: endpoint(), what: error.to_string() })?;
        // Another task may have been first; it has read the same.
        let _ = self.inner.validators.set(validators.clone());
        Ok(validators)
    }

    /// What is stored under a key at a block, proved against the block's header.
    pub(crate) async fn proved<T: Decode>(&self, at: &Header, key: &[u8]) -> Result<Option<T>, ChainError> {
        let value = self.proved_value(at, key).await?;
        let decoded = value.map(|bytes| codec::DecodeAll::decode_all(&mut bytes.as_slice())).transpose();
        decoded.map_err(|_| ChainError::Inconsistent {
            endpoint: self.inner.nodes.endpoints().join(" or "),
            what:
                "what the chain stores has another form than this software knows; one of the two may be older"
                    .into(),
        })
    }
}
