//! Where the trustees of an election can be reached, and calling them.
//!
//! Addresses are not part of the manifest: they may change during an election. A wrong address does no
//! harm beyond silence, because deposits are sealed to the trustee and receipts are signed by it.

use codec::{Decode, DecodeAll, Encode};
use jsonrpsee::{
    core::client::Error as RpcError,
    http_client::{HttpClient, HttpClientBuilder},
};
use psephos_protocol::{
    bounds,
    election::Election,
    ids::{BallotHash, Eid},
    keys::verify_signature,
    receipt::Receipt,
    refusal::Refusal,
    repair::{Part, PeerRequest, Sealed},
};
use std::{
    collections::BTreeMap, fmt::Display, future::Future, path::Path, str::FromStr, sync::Arc, time::Duration,
};
use tokio::sync::Semaphore;

use crate::{
    chain::Chain,
    error::ChainError,
    tls::{self, Pin},
    trustee_api::{error_to_refusal, TrusteeApiClient, TrusteeStatus},
};

/// How long a trustee may take to answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Deposits with one trustee at a time from one process: below the half of a server's connections, from which on it
/// ends each with its answer. A deposit takes 0.15 s, and 0.3 s where the machine is busy: fewer would bound the rate.
const CONCURRENT: usize = 128;
/// How often a call is sent whose connection ends before the answer.
const TRIES: u32 = 3;

/// The addresses of an election's trustees, by index: one `INDEX URL` per line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrusteeEndpoints(BTreeMap<u8, String>);

/// Why a list of addresses can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// The file can't be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Not an index and an address.
    #[error("line {line}: write a trustee's index and its address, such as `1 https://host:9960`, and not {text:?}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A trustee has two addresses.
    #[error("line {line}: trustee {trustee} has an address already; give one for each")]
    Twice {
        /// The line, counted from 1.
        line: usize,
        /// The trustee.
        trustee: u8,
    },
    /// The election has no such trustee.
    #[error("the election has {trustees} trustees, and an address is given for trustee {trustee}")]
    Unknown {
        /// The trustee.
        trustee: u8,
        /// How many the election has.
        trustees: usize,
    },
    /// Too few to ever get the receipts.
    #[error(
        "addresses of {given} trustees are given, and a ballot needs receipts of {quorum}: add the others"
    )]
    TooFew {
        /// Addresses given.
        given: usize,
        /// The election's quorum q.
        quorum: u8,
    },
    /// The HTTP client can't be made.
    #[error("no connection to {url} can be set up: {reason}")]
    Client {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
}

impl TrusteeEndpoints {
    /// Takes indices and `http://` or `https://` addresses.
    ///
    /// # Errors
    /// [`EndpointsError::Line`] or [`EndpointsError::Twice`], counting the items as lines.
    pub fn new(list: impl IntoIterator<Item = (u8, String)>) -> Result<Self, EndpointsError> {
        let mut endpoints = BTreeMap::new();
        for (line, (trustee, url)) in (1..).zip(list) {
            let is_http = url.starts_with("http://") || url.starts_with("https://");
            if trustee == 0 || !is_http || url.chars().any(char::is_whitespace) {
                return Err(EndpointsError::Line { line, text: format!("{trustee} {url}") });
            }
            if endpoints.insert(trustee, url).is_some() {
                return Err(EndpointsError::Twice { line, trustee });
            }
        }
        Ok(Self(endpoints))
    }

    /// What the trustees have stated on the chain.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn stated(chain: &Chain, eid: &Eid) -> Result<Self, ChainError> {
        let stated = chain.endpoints(eid).await?.into_iter();
        let valid = stated.filter(|(_, endpoint)| endpoint.is_valid());
        Ok(Self(valid.map(|(trustee, endpoint)| (trustee, bounds::show(&endpoint.url))).collect()))
    }

    /// Reads a file of lines `INDEX URL`; empty lines and those beginning with `#` say nothing.
    ///
    /// # Errors
    /// [`EndpointsError`] naming the file or the line.
    pub fn load(path: &Path) -> Result<Self, EndpointsError> {
        std::fs::read_to_string(path)
            .map_err(|error| EndpointsError::File {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?
            .parse()
    }

    /// Index and address, by index.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().map(|(trustee, url)| (*trustee, url.as_str()))
    }

    /// Clients of the trustees of an election.
    ///
    /// # Errors
    /// [`EndpointsError::Unknown`], or [`EndpointsError::TooFew`] when no ballot could get its receipts.
    pub fn clients(&self, election: &Election) -> Result<Vec<TrusteeClient>, EndpointsError> {
        let trustees = election.manifest.trustees.len();
        if let Some(trustee) = self.0.keys().find(|trustee| election.trustee(**trustee).is_none()) {
            return Err(EndpointsError::Unknown { trustee: *trustee, trustees });
        }
        let quorum = election.manifest.quorum;
        if self.0.len() < usize::from(quorum) {
            return Err(EndpointsError::TooFew { given: self.0.len(), quorum });
        }
        self.each(election).collect()
    }

    /// Clients of the other trustees that have an address one can call, as a trustee needs them.
    #[must_use]
    pub fn peers(&self, election: &Election, own: u8) -> Vec<TrusteeClient> {
        self.each(election).flatten().filter(|client| client.trustee() != own).collect()
    }

    fn each(
        &self,
        election: &Election,
    ) -> impl Iterator<Item = Result<TrusteeClient, EndpointsError>> + use<'_> {
        let names: Vec<String> =
            election.manifest.trustees.iter().map(|trustee| bounds::show(&trustee.name)).collect();
        self.iter().map(move |(trustee, url)| {
            let name = usize::from(trustee).checked_sub(1).and_then(|place| names.get(place));
            TrusteeClient::new(trustee, name.map_or("", String::as_str), url)
        })
    }
}

impl FromStr for TrusteeEndpoints {
    type Err = EndpointsError;

    fn from_str(text: &str) -> Result<Self, EndpointsError> {
        let mut endpoints = BTreeMap::new();
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let wrong = || EndpointsError::Line { line, text: content.into() };
            let (index, url) = content.split_once(char::is_whitespace).ok_or_else(wrong)?;
            let trustee: u8 = index.parse().map_err(|_| wrong())?;
            Self::new([(trustee, url.trim().to_string())]).map_err(|_| wrong())?;
            if endpoints.insert(trustee, url.trim().to_string()).is_some() {
                return Err(EndpointsError::Twice { line, trustee });
            }
        }
        Ok(Self(endpoints))
    }
}

/// Why a trustee gave no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrusteeError {
    /// It can't be reached, or did not answer within 20 s.
    #[error("trustee {trustee} ({name}) at {url} does not answer: {reason}")]
    Unreachable {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
        /// Its address.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It has another key than the address pins.
    #[error(
        "trustee {trustee} ({name}) at {url}: what answers there shows the key {shown}, and not the one in its \
         address. Nothing was sent to it. Perhaps somebody stands between you and the trustee: ask the board for \
         the trustee's address of today, and don't leave the key out"
    )]
    WrongKey {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
        /// Its address.
        url: String,
        /// The key that was shown.
        shown: Pin,
    },
    /// It refused.
    #[error("trustee {trustee} ({name}) refused: {message}")]
    Refused {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
        /// The refusal.
        refusal: Refusal,
        /// Its words.
        message: String,
    },
    /// It answered with an error of another kind.
    #[error("trustee {trustee} ({name}) failed with error {code}: {message}")]
    Failed {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
        /// The JSON-RPC error code.
        code: i32,
        /// Its words.
        message: String,
    },
    /// What it gave is not what was asked for.
    #[error("what trustee {trustee} ({name}) answered does not decode: it may run another version")]
    Malformed {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
    },
    /// What it gave is not its receipt for this ballot.
    #[error(
        "what trustee {trustee} ({name}) at {url} gave is not its receipt for this ballot: check the address"
    )]
    BadReceipt {
        /// The trustee.
        trustee: u8,
        /// Its name.
        name: String,
        /// Its address.
        url: String,
    },
}

impl TrusteeError {
    /// Whether the same deposit may be taken later: the trustee is away, or has not followed the chain
    /// as far as the ballot's author.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Failed { .. } => true,
            Self::BadReceipt { .. } | Self::Malformed { .. } | Self::WrongKey { .. } => false,
            Self::Refused { refusal, .. } => matches!(
                refusal,
                Refusal::Storage
                    | Refusal::NotServing
                    | Refusal::WrongPhase
                    | Refusal::NotOnRoll
                    | Refusal::WrongAnchor
                    | Refusal::UnknownElection
                    | Refusal::NotDeposited
            ),
        }
    }
}

/// A trustee that can be called. Cheap to clone.
#[derive(Clone)]
pub struct TrusteeClient {
    trustee: u8,
    name: String,
    url: String,
    http: HttpClient,
    permits: Arc<Semaphore>,
}

impl TrusteeClient {
    /// A client of the trustee at this `http://` or `https://` address, which may pin the trustee's key (see
    /// [`tls`]). Connects when first used.
    ///
    /// # Errors
    /// [`EndpointsError::Client`] when the address is none.
    pub fn new(trustee: u8, name: &str, url: &str) -> Result<Self, EndpointsError> {
        let wrong =
            |error: &dyn Display| EndpointsError::Client { url: url.into(), reason: error.to_string() };
        let pin = Pin::in_url(url).map_err(|error| wrong(&error))?;
        let http = HttpClientBuilder::default()
            .with_custom_cert_store(tls::client_config(pin).map_err(|error| wrong(&error))?)
            .request_timeout(TIMEOUT)
            .build(url)
            .map_err(|error| wrong(&error))?;
        let permits = Arc::new(Semaphore::new(CONCURRENT));
        Ok(Self { trustee, name: name.into(), url: url.into(), http, permits })
    }

    /// The trustee's index, from 1.
    #[must_use]
    pub fn trustee(&self) -> u8 {
        self.trustee
    }

    /// The trustee's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the trustee's daemon stands.
    ///
    /// # Errors
    /// [`TrusteeError`].
    pub async fn status(&self) -> Result<TrusteeStatus, TrusteeError> {
        self.answer(|| self.http.status()).await
    }

    /// Deposits a share and checks the receipt. `deposit` is the encoded deposit in hexadecimal.
    ///
    /// # Errors
    /// [`TrusteeError`]; [`TrusteeError::is_passing`] says whether to try again.
    pub async fn deposit(
        &self,
        election: &Election,
        ballot: &BallotHash,
        deposit: &str,
    ) -> Result<Receipt, TrusteeError> {
        let _permit = self.permits.acquire().await;
        let answer = self.answer(|| self.http.deposit(deposit.into())).await?;
        let receipt = hex::decode(answer.strip_prefix("0x").unwrap_or(&answer))
            .ok()
            .and_then(|bytes| Receipt::decode_all(&mut bytes.as_slice()).ok());
        match receipt {
            Some(receipt)
                if receipt.trustee == self.trustee && receipt.verify(election, ballot, verify_signature) =>
            {
                Ok(receipt)
            }
            _ => Err(TrusteeError::BadReceipt {
                trustee: self.trustee,
                name: self.name.clone(),
                url: self.url.clone(),
            }),
        }
    }

    /// Leaves another trustee's deposit with this one. `deposit` is encoded and in hexadecimal.
    ///
    /// # Errors
    /// [`TrusteeError`]; [`TrusteeError::is_passing`] says whether to try again.
    pub async fn leave(&self, trustee: u8, deposit: &str) -> Result<(), TrusteeError> {
        let _permit = self.permits.acquire().await;
        self.answer(|| self.http.leave(trustee, deposit.into())).await
    }

    /// Asks for what another trustee may: gives the answer, decoded.
    ///
    /// # Errors
    /// [`TrusteeError`], [`TrusteeError::Malformed`] among them.
    pub async fn ask<A: Decode>(&self, request: &PeerRequest) -> Result<A, TrusteeError> {
        let request = hex::encode(request.encode());
        self.decode(&self.answer(|| self.http.ask(request.clone())).await?)
    }

    /// Has this helper of a repair add up the parts that are for it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn sum(&self, request: &PeerRequest, parts: &Vec<Part>) -> Result<Sealed, TrusteeError> {
        let (request, parts) = (hex::encode(request.encode()), hex::encode(parts.encode()));
        self.decode(&self.answer(|| self.http.sum(request.clone(), parts.clone())).await?)
    }

    /// The answer to a call. A connection that was kept from the call before may be ended by the server just when
    /// the next one is sent on it. Then it is sent again: every call may be repeated, for it gives the same answer.
    async fn answer<T, C>(&self, call: impl Fn() -> C) -> Result<T, TrusteeError>
    where
        C: Future<Output = Result<T, RpcError>>,
    {
        let mut tries = 1;
        loop {
            match call().await {
                Err(error) if tries < TRIES && tls::ended_early(&error) => tries += 1,
                outcome => return outcome.map_err(|error| self.error(error)),
            }
        }
    }

    fn decode<A: Decode>(&self, answer: &str) -> Result<A, TrusteeError> {
        let bytes = hex::decode(answer).ok();
        bytes.and_then(|bytes| A::decode_all(&mut bytes.as_slice()).ok()).ok_or_else(|| self.malformed())
    }

    /// The error of an answer that is not what was asked for.
    #[must_use]
    pub fn malformed(&self) -> TrusteeError {
        TrusteeError::Malformed { trustee: self.trustee, name: self.name.clone() }
    }

    fn error(&self, error: RpcError) -> TrusteeError {
        let (trustee, name) = (self.trustee, self.name.clone());
        match error {
            RpcError::Call(error) => match error_to_refusal(&error) {
                Some(refusal) => {
                    TrusteeError::Refused { trustee, name, refusal, message: error.message().into() }
                }
                None => TrusteeError::Failed {
                    trustee,
                    name,
                    code: error.code(),
                    message: error.message().into(),
                },
            },
            other => {
                let url = self.url.clone();
                match tls::wrong_key(&other) {
                    Some(shown) => TrusteeError::WrongKey { trustee, name, url, shown },
                    None => {
                        TrusteeError::Unreachable { trustee, name, reason: tls::reason(&url, &other), url }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn a_list_of_addresses_is_read_line_by_line() {
        let endpoints: TrusteeEndpoints =
            "# trustees\n1 http://a:1\n\n  3\thttps://c.example/#sha256=00 \n".parse().unwrap();
        assert_eq!(
            endpoints.iter().collect::<Vec<_>>(),
            [(1, "http://a:1"), (3, "https://c.example/#sha256=00")]
        );
        for (text, line) in
            [("1", 1), ("\n0 http://a:1", 2), ("x http://a:1", 1), ("1 ws://a:1", 1), ("1 http://a b", 1)]
        {
            let error = text.parse::<TrusteeEndpoints>().unwrap_err();
            assert!(
                matches!(error, EndpointsError::Line { line: found, .. } if found == line),
                "{text:?}: {error}"
            );
        }
        let twice = "1 http://a:1\n1 http://b:1".parse::<TrusteeEndpoints>();
        assert_eq!(twice, Err(EndpointsError::Twice { line: 2, trustee: 1 }));
    }

    /// Ends this many connections after their request, then answers one with nothing.
    async fn server(ends: usize) -> (TrusteeClient, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = async move {
            for connection in 0..=ends {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    let value = line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse());
                    length = value.map_or(length, Result::unwrap);
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.unwrap();
                let request: serde_json::Value = serde_json::from_slice(&body).unwrap();
                if connection == ends {
                    let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":null}}"#, request["id"]);
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all((head + &body).as_bytes()).await.unwrap();
                }
            }
        };
        (TrusteeClient::new(1, "One", &url).unwrap(), tokio::spawn(serve))
    }

    #[tokio::test]
    async fn a_call_whose_connection_ends_is_sent_again() {
        let (client, served) = server(2).await;
        assert_eq!(client.leave(2, "00").await, Ok(()));
        served.await.unwrap();
        let (client, served) = server(3).await;
        let error = client.leave(2, "00").await.unwrap_err();
        assert!(matches!(error, TrusteeError::Unreachable { .. }), "{error}");
        assert!(error.to_string().ends_with("connection closed before message completed"), "{error}");
        served.abort();
    }

    #[test]
    fn a_pin_that_is_none_makes_no_client() {
        let client = |url: &str| TrusteeClient::new(1, "One", url).err().map(|error| error.to_string());
        assert_eq!(client(&format!("https://c.example/#sha256={}", "00".repeat(32))), None);
        assert_eq!(client("https://c.example/"), None);
        for url in ["https://c.example/#sha256=00", "http://c.example/#sha256=00"] {
            assert!(client(url).unwrap().starts_with(&format!("no connection to {url} can be set up: ")));
        }
    }
}
