//! How this trustee comes to what it missed or lost (spec 5.9): first what voters left with its peers, then, of
//! ballots that count, shares that its peers repair.

use codec::Encode;
use futures::future::join_all;
use psephos_client::{
    endpoints::{TrusteeClient, TrusteeError},
    tally::subsets,
};
use psephos_protocol::{
    ballot::TrackingCode,
    envelope::{seal_to, Deposit},
    group::Point,
    ids::BallotHash,
    receipt::Receipt,
    repair::{self, Ask, DealtBallot, Hashes, Part, PeerRequest, Sealed, MAX_ASKED, MAX_PAIRS},
    shares::Share,
};
use rand_core::OsRng;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

use crate::{
    config::Keys,
    elections::{Served, View},
    inbox::Inbox,
    store::{Deposited, Store, StoreError},
};

/// Sets of helpers that are tried for one repair.
const HELPER_SETS: usize = 64;

/// What a recovery has come to.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Deposits that voters had left with peers.
    pub fetched: usize,
    /// Shares that peers repaired.
    pub repaired: usize,
    /// Ballots without a share still.
    pub missing: usize,
    /// Why, as far as it is known.
    pub reasons: BTreeSet<String>,
}

/// The trustee that recovers.
pub struct Own<V> {
    /// Its keys.
    pub keys: Arc<Keys>,
    /// Its store.
    pub store: Arc<Store>,
    /// Checks and keeps what peers kept for it.
    pub inbox: Arc<Inbox<V>>,
    /// The election.
    pub served: Arc<Served>,
    /// Set when the daemon stops.
    pub stop: Arc<AtomicBool>,
}

/// Fetches what peers keep for this trustee, then repairs what is still missing of `wanted`, the damaged included.
///
/// # Errors
/// [`StoreError`].
pub async fn recover<V: View>(
    own: Own<V>,
    peers: Vec<TrusteeClient>,
    wanted: Vec<BallotHash>,
    damaged: BTreeSet<BallotHash>,
) -> Result<Recovered, StoreError> {
    let mut recovery = Recovery { own, peers, found: Recovered::default() };
    for peer in recovery.peers.clone() {
        recovery.fetch(&peer).await;
    }
    recovery.repair_all(wanted, &damaged).await?;
    Ok(recovery.found)
}

struct Recovery<V> {
    own: Own<V>,
    peers: Vec<TrusteeClient>,
    found: Recovered,
}

impl<V: View> Recovery<V> {
    fn stopping(&self) -> bool {
        self.own.stop.load(Ordering::Relaxed)
    }

    fn request(&self, ask: Ask) -> PeerRequest {
        let Served { election, index, .. } = &*self.own.served;
        PeerRequest::sign(election, *index, &self.own.keys.signing, ask, &mut OsRng)
    }

    fn note(&mut self, error: &TrusteeError) {
        tracing::debug!(eid = %self.own.served.eid(), %error, "a peer");
        self.found.reasons.insert(error.to_string());
    }

    /// Takes all that voters left for this trustee with a peer, and has the peer delete it. What the inbox refuses was
    /// no good deposit, or is of no use any more.
    async fn fetch(&mut self, peer: &TrusteeClient) {
        let mut arrived = Hashes::default();
        while !self.stopping() {
            let request = self.request(Ask::Kept { arrived });
            let kept: Vec<Deposit> = match peer.ask(&request).await {
                Ok(kept) => kept,
                Err(error) => return self.note(&error),
            };
            if kept.is_empty() {
                return;
            }
            // Together, so that they are checked in batches.
            let bytes: Vec<Vec<u8>> = kept.iter().map(Encode::encode).collect();
            let taken = join_all(bytes.iter().map(|bytes| self.own.inbox.deposit(bytes))).await;
            let mut done = Vec::new();
            for (deposit, taken) in kept.iter().zip(taken) {
                let ballot = deposit.ballot.ballot.hash();
                match taken {
                    Ok(_) => self.found.fetched = self.found.fetched.saturating_add(1),
                    Err(error) if error.is_passing() => return,
                    Err(error) => {
                        let code = TrackingCode::of(&ballot);
                        tracing::warn!(eid = %self.own.served.eid(), %code, peer = peer.trustee(), %error, "what a peer kept is refused");
                    }
                }
                done.push(ballot);
            }
            arrived = Hashes::truncate_from(done);
        }
    }

    async fn repair_all(
        &mut self,
        wanted: Vec<BallotHash>,
        damaged: &BTreeSet<BallotHash>,
    ) -> Result<(), StoreError> {
        let eid = self.own.served.eid();
        let mut left = Vec::new();
        for ballot in wanted {
            if damaged.contains(&ballot) || self.own.store.deposited(&eid, &ballot)?.is_none() {
                left.push(ballot);
            }
        }
        for asked in left.chunks(MAX_ASKED as usize) {
            if self.stopping() {
                return Ok(());
            }
            let dealt = self.dealt(asked).await;
            for batch in batches(asked.iter().filter_map(|ballot| Some((*ballot, dealt.get(ballot)?)))) {
                self.repair(&batch).await?;
            }
            self.found.missing = self.found.missing.saturating_add(asked.len().saturating_sub(dealt.len()));
        }
        Ok(())
    }

    /// The ballots with their dealings, from whichever peers have them.
    async fn dealt(&mut self, ballots: &[BallotHash]) -> BTreeMap<BallotHash, DealtBallot> {
        let mut dealt = BTreeMap::new();
        for peer in self.peers.clone() {
            loop {
                let left: Vec<BallotHash> =
                    ballots.iter().filter(|ballot| !dealt.contains_key(*ballot)).copied().collect();
                if left.is_empty() || self.stopping() {
                    return dealt;
                }
                let request = self.request(Ask::Dealt { ballots: Hashes::truncate_from(left) });
                let answer: Vec<DealtBallot> = match peer.ask(&request).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        self.note(&error);
                        break;
                    }
                };
                let before = dealt.len();
                for one in answer {
                    let hash = one.ballot.ballot.hash();
                    if ballots.contains(&hash) && one.dealing.digest() == one.ballot.ballot.statement.dealing
                    {
                        dealt.insert(hash, one);
                    }
                }
                if dealt.len() == before {
                    break;
                }
            }
        }
        dealt
    }

    /// Has sets of t peers repair these shares until each verifies.
    async fn repair(&mut self, batch: &[(BallotHash, &DealtBallot)]) -> Result<(), StoreError> {
        let threshold = usize::from(self.own.served.election.manifest.threshold);
        let able: Vec<u8> = self.peers.iter().map(TrusteeClient::trustee).collect();
        let mut left: Vec<(BallotHash, &DealtBallot)> = batch.to_vec();
        let mut unable: BTreeSet<u8> = BTreeSet::new();
        for helpers in subsets(&able, threshold).into_iter().take(HELPER_SETS) {
            let helpers: Vec<u8> = helpers.into_iter().copied().collect();
            if left.is_empty() || self.stopping() {
                break;
            }
            if helpers.iter().any(|helper| unable.contains(helper)) {
                continue;
            }
            match self.attempt(&helpers, &left).await {
                Ok(None) => {}
                Ok(Some(shares)) => {
                    let mut wrong = Vec::new();
                    for ((ballot, dealt), share) in left.into_iter().zip(shares) {
                        if self.keep(&ballot, dealt, &share)? {
                            self.found.repaired = self.found.repaired.saturating_add(1);
                        } else {
                            wrong.push((ballot, dealt));
                        }
                    }
                    if let Some((ballot, _)) = wrong.first() {
                        let code = TrackingCode::of(ballot);
                        tracing::warn!(eid = %self.own.served.eid(), ?helpers, %code, shares = wrong.len(), "a repair gave wrong shares: one of these trustees lies or is damaged; trying others");
                        self.found.reasons.insert(format!(
                            "one of trustees {helpers:?} gave a wrong part of the share of ballot {code}"
                        ));
                    }
                    left = wrong;
                }
                Err((helper, error)) => {
                    unable.insert(helper);
                    self.note(&error);
                }
            }
        }
        self.found.missing = self.found.missing.saturating_add(left.len());
        Ok(())
    }

    /// One repair by these helpers: none if what they gave does not fit together; an error names the one that did
    /// not help.
    async fn attempt(
        &self,
        helpers: &[u8],
        batch: &[(BallotHash, &DealtBallot)],
    ) -> Result<Option<Vec<Share>>, (u8, TrusteeError)> {
        let ballots: Vec<BallotHash> = batch.iter().map(|(ballot, _)| *ballot).collect();
        let request = self.request(Ask::Split {
            ballots: Hashes::truncate_from(ballots),
            helpers: helpers.to_vec().try_into().unwrap_or_default(),
        });
        let clients: Vec<&TrusteeClient> =
            self.peers.iter().filter(|peer| helpers.contains(&peer.trustee())).collect();
        let mut sent: Vec<Vec<Part>> = Vec::new();
        for client in &clients {
            let parts: Vec<Part> = client.ask(&request).await.map_err(|error| (client.trustee(), error))?;
            if parts.len() != helpers.len() {
                return Err((client.trustee(), client.malformed()));
            }
            sent.push(parts);
        }
        let mut sums: Vec<Sealed> = Vec::new();
        for (place, client) in clients.iter().enumerate() {
            let parts: Vec<Part> = sent.iter().filter_map(|parts| parts.get(place).cloned()).collect();
            sums.push(client.sum(&request, &parts).await.map_err(|error| (client.trustee(), error))?);
        }
        let options: Vec<usize> =
            batch.iter().map(|(_, dealt)| dealt.ballot.ballot.statement.commitments.len()).collect();
        let (election, keys) = (&self.own.served.election, &self.own.keys);
        match repair::join(election, &request, &keys.kem, &sums, &options) {
            Ok(shares) => Ok(Some(shares)),
            Err(error) => {
                tracing::warn!(eid = %self.own.served.eid(), ?helpers, %error, "a repair failed: one of these trustees lies or is damaged; trying others");
                Ok(None)
            }
        }
    }

    /// Checks a repaired share against its ballot, and keeps it, sealed to this trustee's own key.
    fn keep(&self, ballot: &BallotHash, dealt: &DealtBallot, share: &Share) -> Result<bool, StoreError> {
        let Served { election, index, .. } = &*self.own.served;
        let statement = &dealt.ballot.ballot.statement;
        let points = statement.commitments.iter().map(Point::decompress).collect::<Result<Vec<_>, _>>();
        let Ok(points) = points else { return Ok(false) };
        let threshold = election.manifest.threshold;
        let verdict =
            share.verify(*index, threshold, &points, &statement.dealing, &dealt.dealing, &mut OsRng);
        let Ok(envelope) = seal_to(election, ballot, *index, share, &mut OsRng) else { return Ok(false) };
        if verdict.is_err() {
            return Ok(false);
        }
        let DealtBallot { ballot: signed, dealing } = dealt.clone();
        let deposit = Deposit { ballot: signed, dealing, envelope };
        let height = self.own.inbox.height();
        let receipt = Receipt::sign(election, *index, &self.own.keys.signing, ballot, height, &mut OsRng);
        let deposited = Deposited { deposit: deposit.encode(), receipt };
        self.own.store.mend(&election.eid, ballot, &deposited)?;
        tracing::info!(eid = %election.eid, code = %TrackingCode::of(ballot), "a share was repaired");
        Ok(true)
    }
}

/// As many ballots together as one repair takes.
fn batches<'a>(
    ballots: impl Iterator<Item = (BallotHash, &'a DealtBallot)>,
) -> Vec<Vec<(BallotHash, &'a DealtBallot)>> {
    let mut batches: Vec<Vec<_>> = Vec::new();
    let mut pairs = 0usize;
    for (ballot, dealt) in ballots {
        let options = dealt.ballot.ballot.statement.commitments.len();
        pairs = pairs.saturating_add(options);
        match batches.last_mut() {
            Some(last) if pairs <= MAX_PAIRS => last.push((ballot, dealt)),
            _ => {
                pairs = options;
                batches.push(vec![(ballot, dealt)]);
            }
        }
    }
    batches
}
