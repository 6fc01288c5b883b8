//! All trustees of an election on this machine, each with its own store and door, over one chain of answers.

use codec::Encode;
use jsonrpsee::server::ServerHandle;
use psephos_client::endpoints::TrusteeClient;
use psephos_protocol::{
    ballot::Signed,
    envelope::Deposit,
    repair::{Ask, PeerRequest},
    testing::{Fixture, Params},
};
use rand_core::OsRng;
use redb::{backends::InMemoryBackend, Database};
use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use super::*;
use crate::{
    help::Helper,
    inbox::Inbox,
    recover::{recover, Own, Recovered},
    rpc::{serve, Rpc},
};

/// One trustee.
pub struct Member {
    pub keys: Arc<Keys>,
    pub served: Arc<Served>,
    pub store: Arc<Store>,
    pub inbox: Arc<Inbox<Answers>>,
    pub client: TrusteeClient,
    server: ServerHandle,
}

impl Member {
    /// Trustee `index` with an empty store, serving.
    pub async fn new(fixture: &Fixture, chain: &Answers, index: u8) -> Self {
        let own = &fixture.trustees[usize::from(index) - 1];
        let keys = Arc::new(Keys { signing: own.signing.clone(), kem: own.kem.clone() });
        let mut state = state(Phase::Open);
        state.accepted = (1..=fixture.trustees.len() as u8).collect::<Vec<_>>().try_into().unwrap();
        let served = Arc::new(Served::new(fixture.election.clone(), index, state));
        let elections = elections(&served, 20);
        let identity = Identity { genesis: fixture.election.genesis, signing: keys.signing.public() };
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let store = Arc::new(Store::over(database, "memory".into(), &identity).unwrap());
        let inbox =
            Arc::new(Inbox::new(chain.clone(), keys.clone(), store.clone(), elections.clone(), metrics()));
        let helper = Helper::new(chain.clone(), keys.clone(), store.clone(), elections.clone());
        let name = format!("trustee-{index}");
        let rpc = Rpc {
            name: name.clone(),
            inbox: inbox.clone(),
            helper,
            store: store.clone(),
            elections,
            tls: None,
            metrics: metrics(),
        };
        let (address, server) = serve(([127, 0, 0, 1], 0).into(), 64, rpc).await.unwrap();
        let client = TrusteeClient::new(index, &name, &format!("http://{address}")).unwrap();
        Self { keys, served, store, inbox, client, server }
    }

    pub fn request(&self, ask: Ask) -> PeerRequest {
        let Served { election, index, .. } = &*self.served;
        PeerRequest::sign(election, *index, &self.keys.signing, ask, &mut OsRng)
    }

    /// Comes to what it missed through these peers.
    pub async fn recover(
        &self,
        peers: &[&Member],
        wanted: &[BallotHash],
        damaged: &[BallotHash],
    ) -> Recovered {
        self.recover_from(peers.iter().map(|peer| peer.client.clone()).collect(), wanted, damaged).await
    }

    /// The same, with clients of peers.
    pub async fn recover_from(
        &self,
        peers: Vec<TrusteeClient>,
        wanted: &[BallotHash],
        damaged: &[BallotHash],
    ) -> Recovered {
        let own = Own {
            keys: self.keys.clone(),
            store: self.store.clone(),
            inbox: self.inbox.clone(),
            served: self.served.clone(),
            stop: Arc::new(AtomicBool::new(false)),
        };
        let damaged: BTreeSet<BallotHash> = damaged.iter().copied().collect();
        recover(own, peers, wanted.to_vec(), damaged).await.unwrap()
    }

    pub fn has(&self, ballot: &BallotHash) -> bool {
        self.store.deposited(&self.served.eid(), ballot).unwrap().is_some()
    }

    pub fn left(&self, trustee: u8) -> usize {
        self.store.left(&self.served.eid(), trustee, usize::MAX).unwrap().len()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.server.stop();
    }
}

/// All of them.
pub struct Team {
    pub fixture: Fixture,
    pub chain: Answers,
    pub members: Vec<Member>,
}

impl Team {
    pub async fn new(params: &Params) -> Self {
        let fixture = Fixture::new(params);
        let chain = Answers::of(&fixture);
        let mut members = Vec::new();
        for index in 1..=params.trustees {
            members.push(Member::new(&fixture, &chain, index).await);
        }
        Self { fixture, chain, members }
    }

    /// Trustee `index`.
    pub fn member(&self, index: u8) -> &Member {
        &self.members[usize::from(index) - 1]
    }

    /// All but trustee `index`.
    pub fn peers(&self, index: u8) -> Vec<&Member> {
        self.members.iter().filter(|member| member.served.index != index).collect()
    }

    /// A ballot of a voter for the first option, with all deposits.
    pub fn ballot(&mut self, voter: usize) -> (Signed, Vec<Deposit>) {
        let contests = self.fixture.election.manifest.contests.iter();
        let votes: Vec<Vec<u32>> = contests
            .map(|contest| (0..contest.len()).map(|option| u32::from(option == 0)).collect())
            .collect();
        let mut signed = self.fixture.sign(voter, 1, &votes);
        let deposits = self.fixture.deposits(&mut signed);
        (signed, deposits)
    }

    /// Deposits with these trustees.
    pub async fn deposit(&self, deposits: &[Deposit], with: &[u8]) {
        let deposits = with.iter().map(|index| async {
            let deposit = deposits[usize::from(*index) - 1].encode();
            self.member(*index).inbox.deposit(&deposit).await.unwrap();
        });
        futures::future::join_all(deposits).await;
    }

    /// The chain accepts a ballot.
    pub fn accept(&self, signed: &Signed) {
        let credential = signed.ballot.ballot.statement.credential;
        self.chain.recorded.lock().unwrap().insert(credential, signed.hash);
        self.chain.change(&credential, |voter| (voter.ballots, voter.sequence) = (1, 1));
    }

    /// Whether a trustee keeps its very share of a ballot.
    pub fn has_share(&self, index: u8, signed: &Signed) -> bool {
        let member = self.member(index);
        let Some(deposited) = member.store.deposited(&member.served.eid(), &signed.hash).unwrap() else {
            return false;
        };
        let deposit = Deposit::from_bytes(&deposited.deposit).unwrap();
        let options = signed.ballot.ballot.statement.commitments.len();
        let eid = member.served.eid();
        let share = member.keys.kem.open(&deposit.envelope, &eid, &signed.hash, index, options).unwrap();
        share == signed.shares[usize::from(index) - 1]
    }
}
