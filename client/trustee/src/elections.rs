//! The elections whose manifest names this trustee, and how they stand at the last finalized block.

use psephos_client::{Chain, ChainError, FinalBlock};
use psephos_protocol::{
    ballot::{Checks, Terms},
    election::Election,
    ids::{Anchor, BallotHash, Eid},
    keys::PublicKey,
    range_proof::Generators,
    state::{ElectionState, RegisteredVoter, Voter},
};
use std::{collections::BTreeMap, future::Future, sync::Arc};
use tokio::sync::watch;

/// An election that names this trustee.
pub struct Served {
    /// The election, its identifier derived again from chain, number and manifest.
    pub election: Election,
    /// This trustee's index in it, from 1.
    pub index: u8,
    /// The generators of its ballots' proofs.
    pub generators: Generators,
    /// What its ballots are checked against, by style.
    pub checks: Vec<Checks>,
    state: watch::Sender<ElectionState>,
}

impl Served {
    /// The election in some state.
    #[must_use]
    pub fn new(election: Election, index: u8, state: ElectionState) -> Self {
        let generators = Generators::covering(election.manifest.shapes());
        let styles = (0u16..).take(election.manifest.styles.len());
        let checks = styles.filter_map(|style| Terms::of(&election, style).ok()).map(Checks::new).collect();
        Self { election, index, generators, checks, state: watch::Sender::new(state) }
    }

    /// The election's identifier.
    #[must_use]
    pub fn eid(&self) -> Eid {
        self.election.eid
    }

    /// Its state at the last finalized block that was followed.
    #[must_use]
    pub fn state(&self) -> ElectionState {
        self.state.borrow().clone()
    }

    /// Whether this trustee takes part in the tally: a rehearsal may hold it back (spec 3.8).
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.election.tallier(self.index).is_some()
    }

    /// Replaces the state by a later one.
    pub fn update(&self, state: ElectionState) {
        self.state.send_replace(state);
    }

    /// Whether the chain has this trustee's acceptance.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.state.borrow().accepted.contains(&self.index)
    }
}

/// All of them, and the last finalized block.
#[derive(Default)]
pub struct Elections {
    served: watch::Sender<BTreeMap<Eid, Arc<Served>>>,
    finalized: watch::Sender<Anchor>,
}

impl Elections {
    /// The election with that identifier.
    #[must_use]
    pub fn get(&self, eid: &Eid) -> Option<Arc<Served>> {
        self.served.borrow().get(eid).cloned()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.served.borrow().values().cloned().collect()
    }

    /// Adds one.
    pub fn add(&self, served: Arc<Served>) {
        self.served.send_modify(|all| {
            all.insert(served.eid(), served);
        });
    }

    /// The last finalized block that was followed.
    #[must_use]
    pub fn finalized(&self) -> Anchor {
        *self.finalized.borrow()
    }

    /// Moves on to a later finalized block and wakes those who wait for one.
    pub fn advance(&self, finalized: Anchor) {
        self.finalized.send_replace(finalized);
    }

    /// Finalized blocks as they come.
    #[must_use]
    pub fn ticks(&self) -> watch::Receiver<Anchor> {
        self.finalized.subscribe()
    }
}

/// What is asked of the chain about voters, at its last finalized block.
pub trait View: Send + Sync + 'static {
    /// Voters on the roll, in the order of these credentials; `None` for one that is not on it.
    fn voters(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> impl Future<Output = Result<Vec<Option<Voter>>, ChainError>> + Send;

    /// The ballot that counts for a credential.
    fn recorded(
        &self,
        eid: &Eid,
        credential: &PublicKey,
    ) -> impl Future<Output = Result<Option<BallotHash>, ChainError>> + Send;
}

/// What the state at a block proves that is final: the weights of a set are taken from it.
pub trait Proved {
    /// Voters on the roll, in the order of these credentials; `None` for one that is not on it.
    fn registered(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> impl Future<Output = Result<Vec<Option<RegisteredVoter>>, ChainError>> + Send;
}

impl Proved for FinalBlock {
    async fn registered(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> Result<Vec<Option<RegisteredVoter>>, ChainError> {
        self.all_registered(eid, credentials).await
    }
}

impl View for Chain {
    async fn voters(&self, eid: &Eid, credentials: &[PublicKey]) -> Result<Vec<Option<Voter>>, ChainError> {
        Chain::voters(self, eid, credentials).await
    }

    async fn recorded(&self, eid: &Eid, credential: &PublicKey) -> Result<Option<BallotHash>, ChainError> {
        Ok(self.recorded_ballot(eid, credential).await?.map(|(ballot, _)| ballot.hash))
    }
}
