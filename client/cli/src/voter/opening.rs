//! Files of prepared ballots and of audit openings: JSON around the protocol's bytes.
//!
//! Both hold the same: seed and choices, from which the ballot is built again. A prepared ballot is secret; an
//! opening is meant to be shown, and its ballot is never cast.

use psephos_client::keystore::{create_private, read_private};
use psephos_protocol::ballot::AuditOpening;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::casting;
use crate::{error::CliError, manifest::read_bounded};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// To be cast or audited; secret.
    Prepared,
    /// Revealed, never to be cast.
    Audit,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    #[zeroize(skip)]
    kind: Kind,
    opening: String,
}

/// Writes a new file, mode 600.
///
/// # Errors
/// [`CliError::Input`] when it exists.
pub fn write(path: &Path, kind: Kind, opening: &AuditOpening) -> Result<(), CliError> {
    let bytes = Zeroizing::new(opening.to_bytes());
    let stored = Stored { version: 1, kind, opening: hex::encode(&*bytes) };
    let json = Zeroizing::new(serde_json::to_vec(&stored).map_err(CliError::input)?);
    Ok(create_private(path, &json)?)
}

/// Reads a file of one kind.
///
/// # Errors
/// [`CliError::Input`] naming what is wrong.
pub fn read(path: &Path, kind: Kind) -> Result<AuditOpening, CliError> {
    let bad = |what: &str| CliError::file(path, what);
    if casting::read(path)?.is_some() {
        return Err(bad(
            "is being cast and must never be revealed: go on with `psephos voter cast --prepared`",
        ));
    }
    let text = match kind {
        Kind::Prepared => {
            let bytes = read_private(path)?;
            Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
        }
        Kind::Audit => Zeroizing::new(read_bounded(path)?),
    };
    let stored: Stored = serde_json::from_str(&text).map_err(|_| {
        bad("is neither a prepared ballot nor an audit opening: `psephos voter prepare` makes one")
    })?;
    if stored.version != 1 {
        return Err(bad("is of another version; this software reads version 1"));
    }
    match (stored.kind, kind) {
        (Kind::Audit, Kind::Prepared) => {
            return Err(bad("was revealed for an audit and must never be cast: prepare another ballot"))
        }
        (Kind::Prepared, Kind::Audit) => {
            return Err(bad(
                "is a prepared ballot, not an opening: reveal it with `psephos voter audit` first",
            ))
        }
        _ => {}
    }
    let bytes =
        Zeroizing::new(hex::decode(&stored.opening).map_err(|_| bad("`opening` is not hexadecimal"))?);
    AuditOpening::from_bytes(&bytes).map_err(|error| CliError::file(path, error))
}
