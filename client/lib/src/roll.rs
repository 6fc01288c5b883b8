//! Voters as the state has them, many by few calls: on a node's word, or proved (spec 8.4).

use jsonrpsee::rpc_params;
use psephos_protocol::{
    ids::Eid,
    keys::PublicKey,
    state::{RecordedBallot, RegisteredVoter, Voter},
};
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
/// the thousand is asked together; but it answers a call as a whole, while others wait. So many keys are 115 KB
/// in hexadecimal, and a proof of as many voters some 2 MB at most.
pub(crate) const MAX_KEYS: usize = 512;

/// Voters in one call, with their ballots. With a hundred options an answer has 2 MB at most, with the most columns
/// 8.5 MB: a node answers with 15 at most.
const MAX_VOTERS: usize = MAX_KEYS / 2;

/// An answer to `state_queryStorageAt`: values by key, all of one block.
#[derive(Deserialize)]
struct JsonChangeSet {
    block: String,
    changes: Vec<(String, Option<String>)>,
}

/// Each once, and in the state's order: a proof of neighbours has most of its nodes in common.
fn distinct(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    keys.sort_unstable();
    keys.dedup();
    keys
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
        if self.best {
            self.voters_at(eid, credentials, None).await
        } else {
            self.at(FINALIZED, |hash| self.voters_at(eid, credentials, Some(hash))).await
        }
    }

    /// The same at a block, or at the best one that there is at each call.
    async fn voters_at(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
        at: Option<[u8; 32]>,
    ) -> Result<Vec<Option<Voter>>, ChainError> {
        let mut voters = Vec::with_capacity(credentials.len());
        for credentials in credentials.chunks(MAX_VOTERS) {
            let places = |credential| [proof::voter_key(eid, credential), proof::ballot_key(eid, credential)];
            let places: Vec<_> = credentials.iter().map(places).collect();
            let stored = self.stored(&distinct(places.concat()), at).await?;
            for keys in &places {
                let [voter, ballot] = keys.each_ref().map(|key| stored.get(key).cloned().flatten());
                let registered = self.decoded::<RegisteredVoter>(voter)?;
                let last = self.decoded::<RecordedBallot>(ballot)?;
                voters.push(registered.map(|registered| Voter::of(&registered, last.as_ref())));
            }
        }
        Ok(voters)
    }

    /// What is stored under keys, each given once, without a proof. Trustees ask this for every ballot, and calls of the
    /// runtime would cost the node more.
    async fn stored(
        &self,
        keys: &[Vec<u8>],
        at: Option<[u8; 32]>,
    ) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, ChainError> {
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
        keys.iter().all(|key| values.contains_key(key)).then_some(values).ok_or_else(other)
    }
}

impl FinalBlock {
    /// A voter on the roll.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn registered(
        &self,
        eid: &Eid,
        credential: &PublicKey,
    ) -> Result<Option<RegisteredVoter>, ChainError> {
        Ok(self.all_registered(eid, std::slice::from_ref(credential)).await?.pop().flatten())
    }

    /// Voters on the roll, in the order of these credentials; `None` for one that is proved not to be on it. Give all at
    /// once that are needed: the proofs are the smaller.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`].
    pub async fn all_registered(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> Result<Vec<Option<RegisteredVoter>>, ChainError> {
        let place = |credential| proof::voter_key(eid, credential);
        let keys = distinct(credentials.iter().map(place).collect());
        let values = self.values(&keys).await?;
        let value = |credential| values.get(keys.binary_search(&place(credential)).ok()?)?.clone();
        credentials.iter().map(|credential| self.chain.decoded(value(credential))).collect()
    }
}
