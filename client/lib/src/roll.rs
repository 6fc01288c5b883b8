//! Voters as the state has them, many by few calls: on a node's word, or proved (spec 8.4).

use jsonrpsee::rpc_params;
use psephos_protocol::{ids::Eid, keys::PublicKey, state::Voter};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::{
    chain::{hex0x, Chain, FINALIZED},
    error::ChainError,
    finality::FinalBlock,
    nodes::{hash32, unhex},
    proof,
};

/// Storage keys in one call. A node bounds the calls that a connection makes, not what is in them, so what is asked by
/// the thousand is asked together; but it answers a call as a whole, while others wait. So many voters' keys are 58 KB
/// in hexadecimal, and a proof of them some 1 MB at most.
pub(crate) const MAX_KEYS: usize = 256;

/// An answer to `state_queryStorageAt`: values by key, all of one block.
#[derive(Deserialize)]
struct JsonChangeSet {
    block: String,
    changes: Vec<(String, Option<String>)>,
}

/// Where the state has what is said of voters.
struct Places<'a> {
    eid: &'a Eid,
    credentials: &'a [PublicKey],
    /// Each once, and in the state's order: a proof of neighbours has most of its nodes in common.
    keys: Vec<Vec<u8>>,
}

impl<'a> Places<'a> {
    fn of(eid: &'a Eid, credentials: &'a [PublicKey]) -> Self {
        let mut keys: Vec<_> =
            credentials.iter().map(|credential| proof::voter_key(eid, credential)).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { eid, credentials, keys }
    }

    /// The voters by what is stored under the keys, in the order asked for.
    fn voters(&self, chain: &Chain, values: &[Option<Vec<u8>>]) -> Result<Vec<Option<Voter>>, ChainError> {
        let value = |credential: &PublicKey| {
            let place = self.keys.binary_search(&proof::voter_key(self.eid, credential)).ok()?;
            values.get(place)?.clone()
        };
        self.credentials.iter().map(|credential| chain.decoded(value(credential))).collect()
    }
}

impl Chain {
    /// A voter on the roll.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn voter(&self, eid: &Eid, credential: &PublicKey) -> Result<Option<Voter>, ChainError> {
        Ok(self.voters(eid, std::slice::from_ref(credential)).await?.pop().flatten())
    }

    /// Voters on the roll, in the order of these credentials; `None` for one that is not on it.
    ///
    /// # Errors
    /// [`ChainError`], as every reading of state.
    pub async fn voters(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> Result<Vec<Option<Voter>>, ChainError> {
        let places = Places::of(eid, credentials);
        let values = if self.best {
            self.stored(&places.keys, None).await?
        } else {
            self.at(FINALIZED, |hash| self.stored(&places.keys, Some(hash))).await?
        };
        places.voters(self, &values)
    }

    /// What is stored under keys, each given once, without a proof. Trustees ask this for every ballot, and calls of the
    /// runtime would cost the node more.
    async fn stored(
        &self,
        keys: &[Vec<u8>],
        at: Option<[u8; 32]>,
    ) -> Result<Vec<Option<Vec<u8>>>, ChainError> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_KEYS) {
            values.append(&mut self.stored_together(keys, at).await?);
        }
        Ok(values)
    }

    async fn stored_together(
        &self,
        keys: &[Vec<u8>],
        at: Option<[u8; 32]>,
    ) -> Result<Vec<Option<Vec<u8>>>, ChainError> {
        let asked: Vec<String> = keys.iter().map(|key| hex0x(key)).collect();
        let block = at.map(|hash| hex0x(&hash));
        let (endpoint, sets): (_, Vec<JsonChangeSet>) =
            self.ask("state_queryStorageAt", rpc_params![asked, block]).await?;
        let other = || ChainError::Inconsistent {
            endpoint: endpoint.clone(),
            what: "it says what is stored under other keys, or at another block, than it was asked for"
                .into(),
        };
        let [JsonChangeSet { block, changes }] = <[_; 1]>::try_from(sets).map_err(|_| other())?;
        let block = hash32(&endpoint, Some(&block))?;
        if at.is_some_and(|at| at != block) || changes.len() != keys.len() {
            return Err(other());
        }
        let mut values = BTreeMap::new();
        for (key, value) in changes {
            let value = value.map(|value| unhex(&endpoint, &value)).transpose()?;
            values.insert(unhex(&endpoint, &key)?, value);
        }
        keys.iter().map(|key| values.remove(key).ok_or_else(other)).collect()
    }
}

impl FinalBlock {
    /// A voter.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn voter(&self, eid: &Eid, credential: &PublicKey) -> Result<Option<Voter>, ChainError> {
        Ok(self.voters(eid, std::slice::from_ref(credential)).await?.pop().flatten())
    }

    /// Voters, in the order of these credentials; `None` for one that is proved not to be on the roll. Give all at once
    /// that are needed: the proofs are the smaller.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn voters(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> Result<Vec<Option<Voter>>, ChainError> {
        let places = Places::of(eid, credentials);
        places.voters(&self.chain, &self.values(&places.keys).await?)
    }
}
