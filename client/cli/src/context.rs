//! What every command is given: the nodes, the output, and where passphrases come from.

use psephos_client::{
    keystore::{KeyFile, KeyRole, PassphraseSource},
    open_election, Chain,
};
use psephos_protocol::{election::Election, ids::Eid};
use std::path::Path;

use crate::{error::CliError, output::Output};

/// Digits of the shortest abbreviation of an election's identifier.
const SHORTEST: usize = 4;

/// The global options.
pub struct Context {
    /// The nodes to ask, in this order.
    pub nodes: Vec<String>,
    /// Where results go.
    pub out: Output,
    /// Where passphrases of key files come from.
    pub passphrase: PassphraseSource,
}

impl Context {
    /// Connects to the chain.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] naming every node that was tried.
    pub async fn chain(&self) -> Result<Chain, CliError> {
        let progress = self.out.spinner("connecting");
        let chain = Chain::connect(&self.nodes).await;
        progress.finish_and_clear();
        Ok(chain?)
    }

    /// The chain, and the election that a command names; see [`find_election`].
    ///
    /// # Errors
    /// [`CliError`].
    pub async fn election(&self, name: Option<&str>) -> Result<(Chain, Election), CliError> {
        // A mistyped identifier is told before anything is connected.
        check_form(name)?;
        let chain = self.chain().await?;
        let eid = find_election(&chain, name).await?;
        let election = open_election(&chain, &eid).await?;
        Ok((chain, election))
    }

    /// Opens a key file of one role.
    ///
    /// # Errors
    /// [`CliError::Input`].
    pub fn key(&self, path: &Path, role: KeyRole) -> Result<KeyFile, CliError> {
        Ok(KeyFile::load(path, role, &self.passphrase)?)
    }

    #[cfg(test)]
    pub fn for_tests() -> Self {
        Self { nodes: Vec::new(), out: Output { json: true }, passphrase: PassphraseSource::Ask }
    }
}

fn check_form(name: Option<&str>) -> Result<(), CliError> {
    let Some(name) = name else { return Ok(()) };
    let digits = name.strip_prefix("0x").unwrap_or(name);
    if (SHORTEST..=64).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(CliError::Input(format!(
        "{name:?} names no election: one has an identifier of 64 hexadecimal digits, of which the first \
         {SHORTEST} or more will do; list them with `psephos audit elections`"
    )))
}

/// The election of a name: its identifier, or the first digits of it. Without a name, the only election of
/// the chain. Only the full identifier does not depend on the node's word.
///
/// # Errors
/// [`CliError::Input`] when there is none, or more than one.
pub async fn find_election(chain: &Chain, name: Option<&str>) -> Result<Eid, CliError> {
    check_form(name)?;
    if let Some(Ok(eid)) = name.map(str::parse) {
        return Ok(eid);
    }
    let digits =
        name.map(|name| name.strip_prefix("0x").unwrap_or(name).to_ascii_lowercase()).unwrap_or_default();
    let mut elections = chain.elections().await?;
    elections.retain(|eid| eid.to_string().starts_with(&digits));
    match elections.as_slice() {
        [eid] => Ok(*eid),
        [] if digits.is_empty() => Err(CliError::Input(
            "the chain has no election yet; create one with `psephos board create`".into(),
        )),
        [] => Err(CliError::Input(format!(
            "no election's identifier begins with {digits}; list them with `psephos audit elections`"
        ))),
        several => Err(CliError::Input(format!(
            "{} elections would fit; name one with --election: {}",
            several.len(),
            several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked_before_the_network_is_used() {
        for good in ["abcd", "0xABCDEF", &"a".repeat(64)] {
            assert!(check_form(Some(good)).is_ok(), "{good}");
        }
        for bad in ["abc", "xyzw", "", "0x", &"a".repeat(65)] {
            assert!(check_form(Some(bad)).is_err(), "{bad}");
        }
    }
}
