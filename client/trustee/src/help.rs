//! What a trustee does for its peers (spec 5.9): keeps their envelopes while they are away, gives them the
//! dealings of ballots, and helps to repair their shares.
//!
//! Nothing that it gives shows its own shares: envelopes are sealed to the trustee that asks, dealings hide the votes,
//! and parts of a repair are random but for their sum. A share is repaired only of a ballot that counts.

use codec::{DecodeAll, Encode};
use psephos_protocol::{
    ballot::TrackingCode,
    envelope::{envelope_bytes, Deposit, Envelope},
    ids::{BallotHash, Eid},
    refusal::Refusal,
    repair::{self, Ask, DealtBallot, Part, PeerRequest, MAX_PAIRS, MAX_SEALED},
    shares::Share,
    state::Phase,
};
use rand_core::OsRng;
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::{
    config::Keys,
    elections::{Elections, Served, View},
    inbox::{refused, DepositError},
    store::{Deposited, Store},
    tally::open_share,
};

/// Deposits in one answer, some 4 KB each.
pub const KEPT_AT_ONCE: usize = 64;
/// Bytes of deposits or dealings in one answer.
const MAX_ANSWER: usize = 1_024 * 1_024;
/// Bytes of the largest request: a repair's parts from as many helpers as there can be.
pub const MAX_ASKED_BYTES: usize = 16 * (MAX_SEALED as usize + 128) + 16 * 1_024;
/// Repairs at a time: deposits go first.
const REPAIRS: usize = 2;

/// A trustee as its peers see it.
pub struct Helper<V> {
    view: V,
    keys: Arc<Keys>,
    store: Arc<Store>,
    elections: Arc<Elections>,
    repairs: Semaphore,
}

impl<V: View> Helper<V> {
    /// A helper over a store, for these elections.
    #[must_use]
    pub fn new(view: V, keys: Arc<Keys>, store: Arc<Store>, elections: Arc<Elections>) -> Self {
        Self { view, keys, store, elections, repairs: Semaphore::new(REPAIRS) }
    }

    /// Keeps another trustee's deposit of a ballot whose own deposit is here. Whoever brings it knows the dealing,
    /// which only the voter and the trustees do: nobody else can put something in its place.
    ///
    /// # Errors
    /// [`DepositError`]: the first check that fails.
    pub async fn leave(&self, trustee: u8, bytes: &[u8]) -> Result<(), DepositError> {
        let deposit = Deposit::from_bytes(bytes)
            .map_err(|error| refused(Refusal::MalformedBallot, format!("deposit: {error}")))?;
        let statement = &deposit.ballot.ballot.statement;
        let served = self.served(&statement.eid)?;
        if trustee == served.index || served.election.trustee(trustee).is_none() {
            return Err(refused(
                Refusal::NotTrustee,
                format!("trustee {trustee}: it is not another trustee"),
            ));
        }
        let ballot = deposit.ballot.ballot.hash();
        let own = self.stored(&served, &ballot)?.filter(|own| own.dealing == deposit.dealing);
        if own.is_none() {
            return Err(refused(Refusal::NotDeposited, format!("ballot {}", TrackingCode::of(&ballot))));
        }
        if deposit.envelope.0.len() != envelope_bytes(statement.commitments.len()) {
            return Err(refused(Refusal::BadShare, "envelope: it has another length"));
        }
        let (store, eid) = (self.store.clone(), served.eid());
        blocking(move || Ok(store.leave(&eid, trustee, &ballot, &deposit.envelope.0)?)).await
    }

    /// Answers a peer's request.
    ///
    /// # Errors
    /// [`DepositError`]: the first check that fails.
    pub async fn ask(&self, bytes: &[u8]) -> Result<Vec<u8>, DepositError> {
        let (served, request) = self.request(bytes)?;
        let eid = served.eid();
        match &request.ask {
            Ask::Kept { arrived } => {
                let (store, arrived, trustee) = (self.store.clone(), arrived.clone(), request.trustee);
                blocking(move || {
                    store.forget(&eid, trustee, &arrived)?;
                    let mut kept = Vec::new();
                    let mut bytes = 0usize;
                    for (ballot, envelope) in store.left(&eid, trustee, KEPT_AT_ONCE)? {
                        let Some(deposited) = store.deposited(&eid, &ballot)? else { continue };
                        let Ok(own) = Deposit::from_bytes(&deposited.deposit) else { continue };
                        let Ok(envelope) = envelope.try_into() else { continue };
                        bytes = bytes.saturating_add(deposited.deposit.len());
                        if bytes > MAX_ANSWER {
                            break;
                        }
                        kept.push(Deposit { envelope: Envelope(envelope), ..own });
                    }
                    Ok(kept.encode())
                })
                .await
            }
            Ask::Dealt { ballots } => {
                let mut dealt: Vec<DealtBallot> = Vec::new();
                let mut bytes = 0usize;
                for ballot in ballots {
                    let Some(Deposit { ballot, dealing, .. }) = self.stored(&served, ballot)? else {
                        continue;
                    };
                    let one = DealtBallot { ballot, dealing };
                    bytes = bytes.saturating_add(one.encoded_size());
                    if bytes > MAX_ANSWER {
                        break;
                    }
                    dealt.push(one);
                }
                Ok(dealt.encode())
            }
            Ask::Split { ballots, .. } => {
                let _permit = self.repairs.acquire().await.map_err(|_| DepositError::Stopping)?;
                self.check_counted(&served, ballots).await?;
                let (keys, store, trustee) = (self.keys.clone(), self.store.clone(), request.trustee);
                tracing::info!(%eid, trustee, ballots = ballots.len(), "helps to repair a trustee's shares");
                blocking(move || split(&keys, &store, &served, &request)).await
            }
        }
    }

    /// Adds up the parts of a repair that are for this trustee.
    ///
    /// # Errors
    /// [`DepositError`]: the first check that fails.
    pub async fn sum(&self, request: &[u8], mut parts: &[u8]) -> Result<Vec<u8>, DepositError> {
        let (served, request) = self.request(request)?;
        let parts = Vec::<Part>::decode_all(&mut parts).map_err(|_| malformed())?;
        let _permit = self.repairs.acquire().await.map_err(|_| DepositError::Stopping)?;
        let keys = self.keys.clone();
        blocking(move || {
            let sum = repair::sum(&served.election, &request, served.index, &keys.kem, &parts, &mut OsRng);
            sum.map(|sum| sum.encode()).map_err(|error| refused(Refusal::NotPeer, error.to_string()))
        })
        .await
    }

    fn served(&self, eid: &Eid) -> Result<Arc<Served>, DepositError> {
        self.elections.get(eid).filter(|served| served.accepted()).ok_or_else(|| {
            refused(Refusal::NotServing, format!("eid {eid}: it is not among the elections of its status"))
        })
    }

    /// The request, signed by another trustee, while its election needs shares.
    fn request(&self, mut bytes: &[u8]) -> Result<(Arc<Served>, PeerRequest), DepositError> {
        let request = PeerRequest::decode_all(&mut bytes).map_err(|_| malformed())?;
        let served = self.served(&request.eid)?;
        let phase = served.state().phase;
        if !matches!(phase, Phase::Open | Phase::Closed | Phase::Agreed) {
            return Err(refused(
                Refusal::WrongPhase,
                format!("the election is {phase}: shares are needed no more"),
            ));
        }
        if request.trustee == served.index || !request.verify(&served.election) {
            let detail = format!("trustee {}: its signature does not verify", request.trustee);
            return Err(refused(Refusal::NotPeer, detail));
        }
        Ok((served, request))
    }

    fn stored(&self, served: &Served, ballot: &BallotHash) -> Result<Option<Deposit>, DepositError> {
        let deposited = self.store.deposited(&served.eid(), ballot)?;
        Ok(deposited.and_then(|deposited| Deposit::from_bytes(&deposited.deposit).ok()))
    }

    /// Checks that all of these ballots count at the last finalized block, and are few enough.
    async fn check_counted(&self, served: &Served, ballots: &[BallotHash]) -> Result<(), DepositError> {
        let mut pairs = 0usize;
        for ballot in ballots {
            let code = TrackingCode::of(ballot);
            let own = self.stored(served, ballot)?;
            let own = own.ok_or_else(|| refused(Refusal::NotDeposited, format!("ballot {code}")))?;
            let statement = &own.ballot.ballot.statement;
            pairs = pairs.saturating_add(statement.commitments.len());
            if pairs > MAX_PAIRS {
                return Err(refused(Refusal::NotPeer, "ballots: too many at once"));
            }
            if self.view.recorded(&served.eid(), &statement.credential).await? != Some(*ballot) {
                return Err(refused(Refusal::NotPeer, format!("ballot {code}: it does not count")));
            }
        }
        Ok(())
    }
}

/// This trustee's parts of a repair.
fn split(
    keys: &Keys,
    store: &Store,
    served: &Served,
    request: &PeerRequest,
) -> Result<Vec<u8>, DepositError> {
    let Ask::Split { ballots, .. } = &request.ask else { return Err(malformed()) };
    let shares: Vec<Share> = ballots
        .iter()
        .map(|ballot| {
            let Some(Deposited { deposit, .. }) = store.deposited(&served.eid(), ballot)? else {
                return Err(refused(Refusal::NotDeposited, format!("ballot {}", TrackingCode::of(ballot))));
            };
            // A share that is no good any more must not go into a repair.
            let opened = open_share(keys, served, &deposit, ballot);
            opened.map(|(_, share)| share).map_err(|error| {
                tracing::error!(code = %TrackingCode::of(ballot), %error, "a stored share is no good any more");
                refused(Refusal::Storage, "its own share is damaged")
            })
        })
        .collect::<Result<_, DepositError>>()?;
    let parts = repair::split(&served.election, request, served.index, &keys.signing, &shares, &mut OsRng);
    parts.map(|parts| parts.encode()).map_err(|error| refused(Refusal::NotPeer, error.to_string()))
}

fn malformed() -> DepositError {
    refused(Refusal::NotPeer, "the request does not decode")
}

/// Does what takes long away from the threads that answer.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DepositError> + Send + 'static,
) -> Result<T, DepositError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| DepositError::Stopping)?
}
