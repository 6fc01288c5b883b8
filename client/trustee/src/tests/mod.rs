//! What the tests of this crate share: a trustee's store, its elections, and a chain that answers from a list.

mod crash;
mod evidence;
mod faults;
mod inbox;
mod metrics;
mod peers;
mod restore;
mod roll;
mod rpc;
mod store;
mod tally;
pub mod team;
mod tls;
mod two_chains;

use psephos_client::{ChainBlock, ChainError};
use psephos_protocol::{
    bounds::Reason,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::PublicKey,
    state::{ElectionState, Phase, RegisteredVoter, Voter},
    testing::Fixture,
    wire::Message,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use crate::{
    config::Keys,
    elections::{Elections, Proved, Served, View},
    metrics::Metrics,
    store::{Identity, Store},
};

/// The index of the trustee under test.
pub const INDEX: u8 = 2;

/// An open election that every trustee accepted, without ballots.
pub fn state(phase: Phase) -> ElectionState {
    ElectionState {
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
        roll: Digest::default(),
        ballots: 0,
        counted: 0,
        ballot_log: Digest::default(),
        closing: None,
        summed: false,
        withheld: false,
        conflict: false,
        excluded: 0,
        lowered: None,
        agreed: None,
        certified: None,
        void: None::<Reason>,
    }
}

/// Counts that nobody looks at.
pub fn metrics() -> Metrics {
    Metrics::register(&prometheus_endpoint::Registry::new()).unwrap()
}

pub fn keys(fixture: &Fixture) -> Arc<Keys> {
    let own = &fixture.trustees[usize::from(INDEX) - 1];
    Arc::new(Keys { signing: own.signing.clone(), kem: own.kem.clone() })
}

pub fn identity(fixture: &Fixture) -> Identity {
    Identity { genesis: fixture.election.genesis, signing: keys(fixture).signing.public() }
}

pub fn store(fixture: &Fixture, folder: &Path) -> Arc<Store> {
    Arc::new(Store::open(folder, &identity(fixture)).unwrap())
}

pub fn served(fixture: &Fixture, phase: Phase) -> Arc<Served> {
    Arc::new(Served::new(fixture.election.clone(), INDEX, state(phase)))
}

pub fn elections(served: &Arc<Served>, height: u32) -> Arc<Elections> {
    let elections = Arc::new(Elections::default());
    elections.add(served.clone());
    elections.advance(Anchor { number: height, hash: [1; 32] });
    elections
}

/// A chain that answers from lists.
#[derive(Clone, Default)]
pub struct Answers {
    pub voters: Arc<Mutex<BTreeMap<PublicKey, Voter>>>,
    pub recorded: Arc<Mutex<BTreeMap<PublicKey, BallotHash>>>,
    /// How many voters were asked for in each call.
    pub asked: Arc<Mutex<Vec<usize>>>,
}

impl Answers {
    /// The fixture's roll; nobody has voted.
    pub fn of(fixture: &Fixture) -> Self {
        let voters = fixture.voters.iter().zip(0..).map(|(voter, entry)| {
            let (weight, style, unit) = (voter.weight, voter.style, voter.unit);
            (voter.key.public(), Voter { entry, weight, style, unit, ballots: 0, sequence: 0 })
        });
        Self { voters: Arc::new(Mutex::new(voters.collect())), ..Self::default() }
    }

    pub fn change(&self, credential: &PublicKey, change: impl FnOnce(&mut Voter)) {
        change(self.voters.lock().unwrap().get_mut(credential).unwrap());
    }
}

impl Proved for Answers {
    async fn registered(
        &self,
        eid: &Eid,
        credentials: &[PublicKey],
    ) -> Result<Vec<Option<RegisteredVoter>>, ChainError> {
        let registered = |voter: Voter| {
            let Voter { entry, weight, style, unit, .. } = voter;
            RegisteredVoter { entry, weight, style, unit }
        };
        let voters = self.voters(eid, credentials).await?.into_iter();
        Ok(voters.map(|voter| voter.map(registered)).collect())
    }
}

impl View for Answers {
    async fn voters(&self, _: &Eid, credentials: &[PublicKey]) -> Result<Vec<Option<Voter>>, ChainError> {
        self.asked.lock().unwrap().push(credentials.len());
        let voters = self.voters.lock().unwrap();
        Ok(credentials.iter().map(|credential| voters.get(credential).cloned()).collect())
    }

    async fn recorded(&self, _: &Eid, credential: &PublicKey) -> Result<Option<BallotHash>, ChainError> {
        Ok(self.recorded.lock().unwrap().get(credential).copied())
    }
}

/// Block `number` of a chain whose blocks have their number as hash.
pub fn block(number: u32, messages: Vec<Message>) -> ChainBlock {
    ChainBlock {
        anchor: anchor(number),
        parent: anchor(number - 1).hash,
        header: Vec::new(),
        time: 0,
        messages,
    }
}

pub fn anchor(number: u32) -> Anchor {
    let mut hash = [0xAB; 32];
    hash[..4].copy_from_slice(&number.to_le_bytes());
    Anchor { number, hash }
}
