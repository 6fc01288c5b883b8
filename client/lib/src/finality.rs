//! What a node can't make up: that a block is final (spec 9.3), and what the state at it holds (spec 8.4).
//!
//! The validators are read from the state of the chain's first block, whose hash every election's identifier binds;
//! more than two thirds of them signed what is final; and a final header binds the whole state.

use codec::Decode;
use jsonrpsee::rpc_params;
use psephos_protocol::{
    finality::{FinalityProof, Validators, VALIDATORS_KEY},
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

/// Blocks after one that is final, in which a justification is looked for: a round of GRANDPA finalizes far fewer.
const MAX_SEARCH: usize = 4_096;

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
        let head = self.finalized_hash().await?;
        let (header, _) = self.justified(head).await?.ok_or_else(|| self.unproved(&head))?;
        Ok(FinalBlock { chain: self.clone(), header })
    }

    /// What shows an auditor offline that a block is final (spec 9.5): by the first block from it on that has a
    /// justification of its own.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] when a proof does not hold, [`ChainError::Unproved`] when there is none.
    pub async fn finality_proof(&self, last: Anchor) -> Result<FinalityProof, ChainError> {
        let genesis = self.header(self.genesis().0).await?;
        let (_, state) = self.state_proof(&genesis, &VALIDATORS_KEY).await?;
        let mut headers = Vec::new();
        let mut hash = last.hash;
        for number in (last.number..).take(MAX_SEARCH) {
            if number > last.number {
                hash = self.block_hash(number).await?.ok_or_else(|| self.unproved(&last.hash))?;
                headers.push(self.header(hash).await?.bytes);
            }
            if let Some((_, justification)) =
                self.justified(hash).await?.filter(|(header, _)| header.anchor.hash == hash)
            {
                let (version, genesis) = (psephos_protocol::VERSION, genesis.bytes);
                return Ok(FinalityProof { version, genesis, state, headers, justification });
            }
        }
        Err(self.unproved(&last.hash))
    }

    fn unproved(&self, hash: &[u8; 32]) -> ChainError {
        ChainError::Unproved { endpoint: self.inner.nodes.endpoints().join(" or "), block: hex0x(hash) }
    }

    /// The block that the justification kept with a block shows to be final, and the justification; `None` if the
    /// node keeps none with it.
    async fn justified(&self, hash: [u8; 32]) -> Result<Option<(Header, Vec<u8>)>, ChainError> {
        let validators = self.validators().await?;
        let (endpoint, block): (_, Option<JsonSignedBlock>) =
            self.ask("chain_getBlock", rpc_params![hex0x(&hash)]).await?;
        let inconsistent = |why: String| ChainError::Inconsistent { endpoint: endpoint.clone(), what: why };
        let block = block.ok_or_else(|| inconsistent("it does not have a block that it named".into()))?;
        let Some(justification) = block.justification() else { return Ok(None) };
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
        Ok(Some((header, justification.to_vec())))
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
            what: proof::OTHER_FORM.into(),
        })
    }
}
