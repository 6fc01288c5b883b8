//! Floods: what nobody should send, beside the ballots that should come through.

use bounded_collections::BoundedVec;
use codec::Encode;
use curve25519_dalek::scalar::Scalar;
use futures::{stream, StreamExt};
use psephos_client::Chain;
use psephos_protocol::{
    ballot::{Ballot, CastBallot, SignedBallot},
    election::Election,
    ids::Eid,
    keys::Signable,
    receipt::Receipt,
    transcript::Role,
    wire::{Message, PALLET},
};
use psephos_trustee::Keys;
use rand_core::{OsRng, RngCore};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{
    keyring::Keyring,
    ledger::Ledger,
    ready::Reader,
    send::{reason, Pace},
};
use crate::error::CliError;

/// Requests under way at a time, per flood.
const AT_ONCE: usize = 256;
/// Bytes of junk: about a ballot.
const JUNK: usize = 1_400;
/// Ballots that were sent last and are not sent again: some may wait for their turn still.
const BEHIND: u64 = 1_000;
/// Where in a range proof its first scalar is: after four points.
const SCALAR: std::ops::Range<usize> = 128..160;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Random bytes behind the first bytes of a ballot.
    Junk,
    /// Ballots that were sent before.
    Duplicate,
    /// Ballots for an election that does not exist.
    Unknown,
    /// Ballots for an election that is closed.
    Closed,
    /// A right signature, and receipts that the voter made up.
    BadReceipts,
    /// Right signature and receipts, and a wrong proof.
    BadProof,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Junk, "junk"),
    (Kind::Duplicate, "duplicate"),
    (Kind::Unknown, "unknown"),
    (Kind::Closed, "closed"),
    (Kind::BadReceipts, "bad-receipts"),
    (Kind::BadProof, "bad-proof"),
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(KINDS.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name))
    }
}

/// A kind, and how many of it per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flood {
    /// What.
    pub kind: Kind,
    /// How many per second.
    pub rate: f64,
}

impl FromStr for Flood {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('=').and_then(|(name, rate)| {
            let (kind, _) = KINDS.iter().find(|(_, known)| *known == name)?;
            let rate = rate.parse().ok().filter(|rate| (0.001..=1e6).contains(rate))?;
            Some(Self { kind: *kind, rate })
        });
        parsed.ok_or_else(|| {
            let names = KINDS.map(|(_, name)| name).join(", ");
            format!("write KIND=RATE, such as junk=500; kinds are {names}; the rate is per second")
        })
    }
}

/// What came of a flood.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// What was sent.
    pub kind: String,
    /// How many per second were asked for.
    pub rate: f64,
    /// How many were sent.
    pub sent: u64,
    /// What the nodes said, and how often.
    pub answers: BTreeMap<String, u64>,
}

/// Makes what is sent.
pub struct Source {
    /// The election that is open.
    pub election: Election,
    /// An election that is closed.
    pub closed: Option<Eid>,
    /// The keys of the voters whose ballots are bad.
    pub keyring: Keyring,
    /// A good ballot of each of these voters, that is never sent, with the voter's place on the roll.
    pub attackers: Vec<(u32, SignedBallot)>,
    /// The trustees that collude with them.
    pub trustees: Vec<Keys>,
    /// The file of ballots that are sent, to send them again.
    pub path: PathBuf,
    /// What is known of them.
    pub ledger: Arc<Ledger>,
}

/// Ballots that were sent, from the first on, and again from the first when none is left.
struct Again<'a> {
    source: &'a Source,
    reader: Option<Reader>,
    read: u64,
}

impl Again<'_> {
    /// The next extrinsic; none if nothing was sent yet.
    fn next(&mut self) -> Result<Option<Vec<u8>>, CliError> {
        let sent = self.source.ledger.entries().sent.saturating_sub(BEHIND);
        if self.read >= sent || self.reader.is_none() {
            (self.reader, self.read) = (Some(Reader::open(&self.source.path)?), 0);
        }
        let reader = self.reader.as_mut().filter(|_| sent > 0);
        let ready = reader.map_or(Ok(None), Reader::next)?;
        self.read += 1;
        Ok(ready.map(|ready| {
            let receipts = ready.receipts.clone();
            ready.message(receipts).to_extrinsic()
        }))
    }
}

impl Source {
    /// The next extrinsic of a kind; none if there is nothing to make it from.
    fn make(&self, kind: Kind, place: u64, again: &Mutex<Again<'_>>) -> Result<Option<Vec<u8>>, CliError> {
        match kind {
            Kind::Junk => return Ok(Some(junk())),
            Kind::Duplicate => return again.lock().unwrap_or_else(PoisonError::into_inner).next(),
            _ => {}
        }
        let Some((voter, good)) = self.attackers.get(place as usize % self.attackers.len().max(1)) else {
            return Ok(None);
        };
        let mut ballot = good.ballot.clone();
        match kind {
            Kind::Closed => ballot.statement.eid = self.closed.unwrap_or_default(),
            Kind::Unknown => OsRng.fill_bytes(&mut ballot.statement.eid.0),
            _ => {}
        }
        // Each is another ballot, and none has a proof that holds.
        if let Some(scalar) = ballot.proof.get_mut(SCALAR) {
            scalar.copy_from_slice(&Scalar::random(&mut OsRng).to_bytes());
        }
        Ok(Some(self.cast(kind, *voter, ballot).to_extrinsic()))
    }

    /// Signs a ballot and gives it receipts.
    fn cast(&self, kind: Kind, voter: u32, ballot: Ballot) -> Message {
        let key = self.keyring.voter(voter);
        let hash = ballot.hash();
        let statement = Signable {
            role: Role::Ballot,
            genesis: &self.election.genesis,
            eid: &ballot.statement.eid,
            index: 0,
            payload: &hash.0,
        };
        let signature = key.sign(&statement, &mut OsRng);
        let quorum = self.election.manifest.quorum;
        let receipts = (1..=quorum).map(|index| {
            let colluding = self.trustees.get(usize::from(index).saturating_sub(1));
            let signer = match (kind, colluding) {
                (Kind::BadProof, Some(keys)) => &keys.signing,
                _ => &key,
            };
            Receipt::sign(&self.election, index, signer, &hash, ballot.statement.anchor.number, &mut OsRng)
        });
        let receipts = BoundedVec::truncate_from(receipts.collect());
        Message::Cast(CastBallot { signed: SignedBallot { ballot, signature }, receipts })
    }

    /// Sends a flood over these connections until the end.
    ///
    /// # Errors
    /// [`CliError::Input`] when the file of ballots is damaged.
    pub async fn run(
        &self,
        flood: Flood,
        chains: &[Chain],
        start: Instant,
        end: Instant,
    ) -> Result<Outcome, CliError> {
        let pace = Pace { start, end, rate: Some(flood.rate), window: usize::MAX };
        let again = &Mutex::new(Again { source: self, reader: None, read: 0 });
        let answers = Mutex::new(BTreeMap::<String, u64>::new());
        let count = |answer: String| {
            if let Ok(mut answers) = answers.lock() {
                *answers.entry(answer).or_default() += 1;
            }
        };
        let places = stream::unfold(0u64, |place| async move {
            tokio::time::sleep_until(pace.due(place)?.into()).await;
            (Instant::now() < end).then_some((place, place + 1))
        });
        places
            .for_each_concurrent(AT_ONCE, |place| async move {
                let chain = chains.get(place as usize % chains.len().max(1));
                match (self.make(flood.kind, place, again), chain) {
                    (Ok(Some(bytes)), Some(chain)) => count(match chain.submit_extrinsic(&bytes).await {
                        Ok(()) => "in the pool".into(),
                        Err(error) => reason(&error),
                    }),
                    (Ok(_), _) => {}
                    (Err(error), _) => count(error.to_string()),
                }
            })
            .await;
        let answers = answers.into_inner().unwrap_or_default();
        Ok(Outcome { kind: flood.kind.to_string(), rate: flood.rate, sent: answers.values().sum(), answers })
    }
}

/// Random bytes where a ballot should be.
fn junk() -> Vec<u8> {
    // An extrinsic of format 5 for the voting pallet's call 4, as `psephos_protocol::wire` has it.
    let mut body = vec![0x45, 0, PALLET, 4];
    body.resize(JUNK, 0);
    if let Some(rest) = body.get_mut(4..) {
        OsRng.fill_bytes(rest);
    }
    body.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        ready::{Header, Writer},
        sample::Sample,
    };
    use psephos_protocol::{ballot::BallotError, keys::verify_signature};

    #[test]
    fn floods_are_read() {
        assert_eq!("bad-proof=2.5".parse(), Ok(Flood { kind: Kind::BadProof, rate: 2.5 }));
        for bad in ["junk", "junk=", "junk=0", "junk=-1", "other=1", "junk=NaN"] {
            assert!(bad.parse::<Flood>().unwrap_err().contains("bad-receipts"), "{bad}");
        }
    }

    /// Each kind must fail at its own check and pass all checks before it.
    #[test]
    fn each_kind_is_bad_in_its_own_way() {
        let sample = Sample::new("3".parse().unwrap(), 4, 2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballots");
        Writer::create(&path, Header::of(&sample.election)).unwrap().finish().unwrap();
        let source = Source {
            election: sample.election.clone(),
            closed: Some(Eid([9; 32])),
            keyring: sample.keyring(),
            attackers: vec![(0, sample.sign(0).unwrap().ballot)],
            trustees: sample.trustees.clone(),
            path,
            ledger: Arc::default(),
        };
        let again = Mutex::new(Again { source: &source, reader: None, read: 0 });
        let make = |kind| source.make(kind, 0, &again).unwrap();
        let verdict = |kind| match make(kind).and_then(|bytes| Message::from_extrinsic(&bytes)) {
            Some(Message::Cast(cast)) => {
                let eid = cast.signed.ballot.statement.eid;
                (eid, sample.checks.cast(&cast, &sample.generators, verify_signature).map(|_| ()))
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(Message::from_extrinsic(&make(Kind::Junk).unwrap()), None);
        assert_eq!(make(Kind::Duplicate), None);
        let eid = sample.election.eid;
        assert_eq!(verdict(Kind::BadReceipts), (eid, Err(BallotError::Receipts)));
        assert_eq!(verdict(Kind::BadProof), (eid, Err(BallotError::Proof)));
        assert_eq!(verdict(Kind::Closed).0, Eid([9; 32]));
        assert_ne!(verdict(Kind::Unknown).0, eid);
        assert_ne!(make(Kind::BadProof), make(Kind::BadProof));
    }
}
