//! What a trustee's daemon serves over JSON-RPC (spec 5.8): its status, and receipts for deposits.
//!
//! Daemon and clients share this trait. Whatever a deposit holds is sealed, signed or public, so the
//! transport need not be secret; TLS hides which ballot a deposit is of, and so from whom it comes.

use jsonrpsee::{proc_macros::rpc, types::ErrorObjectOwned};
use psephos_protocol::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// JSON-RPC errors between this and this + 255 are refusals.
pub const REFUSAL_CODE_BASE: i32 = 2_000;

/// How a trustee's daemon stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrusteeStatus {
    /// The name that its operator gave it.
    pub name: String,
    /// The version of its software.
    pub version: String,
    /// The last finalized block that it has followed.
    pub finalized: u32,
    /// The key of its TLS certificate, as addresses pin it; none if it speaks plain HTTP, as behind a proxy.
    pub tls: Option<String>,
    /// The elections that it serves.
    pub served: Vec<Served>,
}

/// An election that a trustee serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The election, as 64 hexadecimal digits.
    pub eid: String,
    /// The trustee's index there, from 1.
    pub index: u8,
    /// Deposits that it keeps.
    pub deposits: u64,
    /// The election's phase as it sees it.
    pub phase: String,
}

/// The daemon's RPC.
#[rpc(client, server, namespace = "trustee")]
pub trait TrusteeApi {
    /// How the daemon stands.
    #[method(name = "status")]
    async fn status(&self) -> Result<TrusteeStatus, ErrorObjectOwned>;

    /// Takes a [`psephos_protocol::envelope::Deposit`] and gives a
    /// [`psephos_protocol::receipt::Receipt`], both SCALE-encoded and in hexadecimal without prefix. The
    /// same deposit gives the same receipt, however often.
    #[method(name = "deposit")]
    async fn deposit(&self, deposit: String) -> Result<String, ErrorObjectOwned>;

    /// Keeps a [`psephos_protocol::envelope::Deposit`] for another trustee that does not answer, when this one has its
    /// own of the same ballot.
    #[method(name = "leave")]
    async fn leave(&self, trustee: u8, deposit: String) -> Result<(), ErrorObjectOwned>;

    /// Answers a [`psephos_protocol::repair::PeerRequest`] of another trustee: with a list of deposits, of
    /// [`psephos_protocol::repair::DealtBallot`]s or of [`psephos_protocol::repair::Part`]s, by what it asks.
    #[method(name = "ask")]
    async fn ask(&self, request: String) -> Result<String, ErrorObjectOwned>;

    /// Adds up the [`psephos_protocol::repair::Part`]s of a repair that are for this trustee; gives a
    /// [`psephos_protocol::repair::Sealed`] sum.
    #[method(name = "sum")]
    async fn sum(&self, request: String, parts: String) -> Result<String, ErrorObjectOwned>;
}

/// A refusal as a JSON-RPC error; `detail` says what exactly, or is empty.
#[must_use]
pub fn refusal_to_error(refusal: Refusal, detail: &str) -> ErrorObjectOwned {
    let message = if detail.is_empty() { refusal.to_string() } else { format!("{refusal}: {detail}") };
    ErrorObjectOwned::owned(REFUSAL_CODE_BASE + i32::from(refusal as u8), message, None::<()>)
}

/// The refusal of a JSON-RPC error; none if it is an error of another kind.
#[must_use]
pub fn error_to_refusal(error: &ErrorObjectOwned) -> Option<Refusal> {
    u8::try_from(error.code().checked_sub(REFUSAL_CODE_BASE)?).ok().and_then(Refusal::from_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_survives_the_way_through_json() {
        let mut seen = 0;
        for code in 0..=255u8 {
            let Some(refusal) = Refusal::from_code(code) else { continue };
            let error = refusal_to_error(refusal, "trustee 3");
            let json = serde_json::to_string(&error).unwrap();
            let back: ErrorObjectOwned = serde_json::from_str(&json).unwrap();
            assert_eq!(error_to_refusal(&back), Some(refusal));
            assert!(back.message().contains(refusal.text()) && back.message().contains("trustee 3"));
            seen += 1;
        }
        assert!(seen > 40, "{seen} refusals");
        for code in [-32603, 1010, 1999, 2000, 2256, i32::MIN, i32::MAX] {
            assert_eq!(error_to_refusal(&ErrorObjectOwned::owned(code, "", None::<()>)), None);
        }
    }
}
