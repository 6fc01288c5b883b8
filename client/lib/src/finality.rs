//! What a node can't make up: that a block is final (spec 9.3), and what the state at it holds (spec 8.4).
//!
//! The validators are read from the state of the chain's first block, whose hash every election's identifier binds;
//! more than two thirds of them signed what is final; and a final header binds the whole state.

use codec::{Decode, DecodeAll};
use jsonrpsee::rpc_params;
use psephos_protocol::{
    bounds::MAX_LIFETIME,
    finality::{FinalityProof, Validators, VALIDATORS_KEY},
    ids::{Anchor, Eid},
    keys::PublicKey,
    state::{ElectionState, RecordedBallot},
};
use sp_crypto_hashing::blake2_256;
use std::time::{Duration, Instant};

use crate::{
    block::{Header, JsonSignedBlock},
    chain::{hex0x, Chain, FINALIZED},
    error::ChainError,
    proof,
    roll::MAX_KEYS,
};

/// Blocks after one that is final, in which a justification is looked for: a round of GRANDPA finalizes far fewer.
const MAX_SEARCH: usize = 4_096;
/// How long a node may take to have the proof of a block that it has just finalized: three blocks.
const PATIENCE: Duration = Duration::from_secs(6);
/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(400);

/// A block that is proved to be final, and the chain's state at it, proved against its header.
#[derive(Clone)]
pub struct FinalBlock {
    pub(crate) chain: Chain,
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
        self.value(proof::election_key(eid)).await?.ok_or(ChainError::UnknownElection(*eid))
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
        self.value(proof::ballot_key(eid, credential)).await
    }

    /// Whether a block is this one or comes before it, whatever a node says: a state names the blocks before its own,
    /// as far back as ballots may be tied to them, and so on from the last of those.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`], or what the node says that keeps no state of a block on the way.
    pub async fn includes(&self, block: &Anchor) -> Result<bool, ChainError> {
        let mut at = self.clone();
        loop {
            let Anchor { number, hash } = at.anchor();
            if number <= block.number {
                return Ok(number == block.number && hash == block.hash);
            }
            let before = block.number.max(number.saturating_sub(MAX_LIFETIME));
            let named: Option<[u8; 32]> = at.value(proof::block_key(before)).await?;
            match named {
                None => return Ok(false),
                Some(named) if before == block.number => return Ok(named == block.hash),
                Some(named) => at.header = self.chain.header(named).await?,
            }
        }
    }

    /// Refuses a block that a node gave as final and that is not [included](Self::includes).
    pub(crate) async fn require(&self, block: &Anchor) -> Result<(), ChainError> {
        if self.includes(block).await? {
            return Ok(());
        }
        Err(self.chain.inconsistent(format!(
            "block {} {}, which it gave as final, is not among those up to block {}, which is proved to be final",
            block.number,
            hex0x(&block.hash),
            self.anchor().number
        )))
    }

    /// What is stored under a key.
    async fn value<T: Decode>(&self, key: Vec<u8>) -> Result<Option<T>, ChainError> {
        self.chain.decoded(self.values(&[key]).await?.pop().flatten())
    }

    /// What is stored under each of these keys, by one proof of as many as a call may ask for.
    pub(crate) async fn values(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, ChainError> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_KEYS) {
            values.append(&mut self.chain.proved_values(&self.header, keys).await?);
        }
        Ok(values)
    }
}

impl Chain {
    /// The last block of which a node proves that it is final. The proof of one block is looked at once.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] when its proof does not hold or is another block's, [`ChainError::Unproved`] when it
    /// has none after some seconds.
    pub async fn proved_final(&self) -> Result<FinalBlock, ChainError> {
        let since = Instant::now();
        loop {
            match self.at(FINALIZED, |head| self.prove_final(head)).await {
                Err(ChainError::Unproved { .. }) if since.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                proved => return Ok(FinalBlock { chain: self.clone(), header: proved? }),
            }
        }
    }

    /// A block that is proved to be final and is this one or comes after it, which is thereby final, too.
    ///
    /// # Errors
    /// As [`Self::proved_final`]; [`ChainError::Inconsistent`] when the final blocks don't include it,
    /// [`ChainError::Timeout`] when no node proves a block as high.
    pub async fn proved_to_include(&self, block: &Anchor) -> Result<FinalBlock, ChainError> {
        // Another node may have taken over that has not finalized the block yet.
        let proved = self
            .wait_finalized("a block as high as the message's at the node in use", 8, || async {
                let proved = self.proved_final().await?;
                Ok::<_, ChainError>((proved.anchor().number >= block.number).then_some(proved))
            })
            .await?;
        proved.require(block).await?;
        Ok(proved)
    }

    /// The ballot that counts for a credential, and the block that proves it: a node can't make one up or hide one,
    /// but it may be behind.
    ///
    /// # Errors
    /// As [`Self::proved_final`].
    pub async fn recorded_ballot(
        &self,
        eid: &Eid,
        credential: &PublicKey,
    ) -> Result<Option<(RecordedBallot, Anchor)>, ChainError> {
        let block = self.proved_final().await?;
        Ok(block.ballot(eid, credential).await?.map(|ballot| (ballot, block.anchor())))
    }

    /// What shows an auditor offline that a block is final (spec 9.5): by the first block from it on that has a
    /// justification of its own.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] when a proof does not hold, [`ChainError::Unproved`] when there is none.
    pub async fn finality_proof(&self, last: Anchor) -> Result<FinalityProof, ChainError> {
        let genesis = self.header(self.genesis().0).await?;
        let (_, state) = self.state_proof(&genesis, &[VALIDATORS_KEY.to_vec()]).await?;
        let mut headers = Vec::new();
        let mut hash = last.hash;
        for number in (last.number..).take(MAX_SEARCH) {
            if number > last.number {
                hash = self.block_hash(number).await?.ok_or_else(|| self.unproved(&last.hash))?;
                headers.push(self.header(hash).await?.bytes);
            }
            if let Some((_, justification)) = self.justified(hash).await? {
                let (version, genesis) = (psephos_protocol::VERSION, genesis.bytes);
                return Ok(FinalityProof { version, genesis, state, headers, justification });
            }
        }
        Err(self.unproved(&last.hash))
    }

    fn unproved(&self, hash: &[u8; 32]) -> ChainError {
        ChainError::Unproved { endpoint: self.inner.nodes.endpoints().join(" or "), block: hex0x(hash) }
    }

    /// The header of a block that is proved to be final.
    async fn prove_final(&self, hash: [u8; 32]) -> Result<Header, ChainError> {
        let mut proved = self.inner.proved.lock().await;
        if let Some(header) = proved.as_ref().filter(|header| header.anchor.hash == hash) {
            return Ok(header.clone());
        }
        let (header, _) = self.justified(hash).await?.ok_or_else(|| self.unproved(&hash))?;
        *proved = Some(header.clone());
        Ok(header)
    }

    /// A block's header with the justification that shows it to be final; `None` if the node keeps none with it.
    async fn justified(&self, hash: [u8; 32]) -> Result<Option<(Header, Vec<u8>)>, ChainError> {
        let validators = self.validators().await?;
        let (endpoint, block): (_, Option<JsonSignedBlock>) =
            self.ask("chain_getBlock", rpc_params![hex0x(&hash)]).await?;
        let inconsistent = |what: String| ChainError::Inconsistent { endpoint: endpoint.clone(), what };
        let block = block.ok_or_else(|| inconsistent("it does not have a block that it named".into()))?;
        let header = block.block.header.check(&endpoint, hash)?;
        let Some(justification) = block.justification() else { return Ok(None) };
        let anchor = validators
            .check(justification, blake2_256)
            .map_err(|error| inconsistent(format!("its proof of finality does not hold: {error}")))?;
        // The number is signed with the hash; both are the header's.
        if header.anchor != anchor {
            return Err(inconsistent(format!(
                "it proves block {} {} to be final, and had named block {} {}",
                anchor.number,
                hex0x(&anchor.hash),
                header.anchor.number,
                hex0x(&hash)
            )));
        }
        Ok(Some((header, justification.to_vec())))
    }

    /// The validators of the chain's first block.
    async fn validators(&self) -> Result<Validators, ChainError> {
        if let Some(known) = self.inner.validators.get() {
            return Ok(known.clone());
        }
        let genesis = self.header(self.genesis().0).await?;
        let list = self.proved_values(&genesis, &[VALIDATORS_KEY.to_vec()]).await?.pop().flatten();
        let validators = Validators::from_state(&list.unwrap_or_default())
            .map_err(|error| self.inconsistent(error.to_string()))?;
        // Another task may have been first; it has read the same.
        let _ = self.inner.validators.set(validators.clone());
        Ok(validators)
    }

    /// What was proved to be stored, as a type of the protocol.
    pub(crate) fn decoded<T: Decode>(&self, value: Option<Vec<u8>>) -> Result<Option<T>, ChainError> {
        let decoded = value.map(|bytes| T::decode_all(&mut bytes.as_slice())).transpose();
        decoded.map_err(|_| self.inconsistent(proof::OTHER_FORM.into()))
    }

    fn inconsistent(&self, what: String) -> ChainError {
        ChainError::Inconsistent { endpoint: self.inner.nodes.endpoints().join(" or "), what }
    }
}
