//! The network that is measured: this command's own, or one that runs already.

use psephos_client::keystore::KeyRole;
use psephos_protocol::{board::Board, keys::SigningKey};
use psephos_trustee::Keys;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use super::usage::{self, Usage};
use crate::{
    context::Context,
    error::CliError,
    network::{self, Network, NewArgs, UpArgs},
};

/// For how many seconds an own network may take to come up.
const PATIENCE: u64 = 600;

/// A network on this machine. An own one is stopped when this is dropped, unless it is kept.
pub struct Net {
    folder: PathBuf,
    network: Network,
    own: bool,
    temporary: Option<TempDir>,
}

impl Net {
    /// A network that somebody made and started.
    ///
    /// # Errors
    /// [`CliError::Input`] when the folder holds none.
    pub fn running(folder: &Path) -> Result<Self, CliError> {
        let network = Network::load(folder)?;
        Ok(Self { folder: folder.into(), network, own: false, temporary: None })
    }

    /// Makes and starts a network in this folder, or in a new one under the system's temporary folder.
    ///
    /// # Errors
    /// [`CliError`]; nothing of it runs then.
    pub async fn start(
        validators: u8,
        trustees: u8,
        dir: Option<&Path>,
        one_core_each: bool,
        context: &Context,
    ) -> Result<Self, CliError> {
        let temporary = match dir {
            Some(_) => None,
            None => {
                Some(tempfile::Builder::new().prefix("psephos-bench-").tempdir().map_err(CliError::input)?)
            }
        };
        let folder = match (&temporary, dir) {
            (Some(temporary), _) => temporary.path().join("network"),
            (None, dir) => dir.unwrap_or(Path::new("network")).into(),
        };
        let args = NewArgs {
            dir: folder.clone(),
            validators,
            trustees,
            board: 1,
            board_threshold: 1,
            registrars: 1,
            base_port: network::free_ports()?,
            no_rehearsal: true,
            dev_keys: true,
        };
        let made = network::make(&args, context)?;
        let net = Self { folder: folder.clone(), network: made, own: true, temporary };
        let up = UpArgs { dir: folder, wait: true, timeout: PATIENCE, one_core_each };
        network::bring_up(&up, context).await?;
        Ok(net)
    }

    /// Leaves an own network running, and its folder where it is.
    pub fn keep(&mut self) {
        self.own = false;
        self.spare_folder();
    }

    /// Leaves its folder where it is.
    pub fn spare_folder(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            drop(temporary.keep());
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The nodes' addresses, another one first for each connection.
    #[must_use]
    pub fn nodes(&self, connection: usize) -> Vec<String> {
        let mut urls = self.network.node_urls();
        let first = connection % urls.len().max(1);
        urls.rotate_left(first);
        urls
    }

    /// How many validators there are.
    #[must_use]
    pub fn validators(&self) -> usize {
        self.network.validators.len()
    }

    /// The trustees' addresses, trustee 1 first.
    #[must_use]
    pub fn trustees(&self) -> Vec<(u8, String)> {
        (1u8..).zip(&self.network.trustees).map(|(index, trustee)| (index, trustee.url())).collect()
    }

    /// The trustees' names and keys.
    ///
    /// # Errors
    /// [`CliError::Input`] when a key file can't be opened.
    pub fn trustee_keys(&self, context: &Context) -> Result<Vec<(String, Keys)>, CliError> {
        let open = |name: &String| {
            let path = self.key_path(name);
            let key = context.key(&path, KeyRole::Trustee)?;
            let kem = key.kem().ok_or_else(|| CliError::file(&path, "has no KEM key"))?;
            Ok((key.name().to_owned(), Keys { signing: key.signing().clone(), kem: kem.clone() }))
        };
        self.network.trustees.iter().map(|trustee| open(&trustee.name)).collect()
    }

    /// The keys of as many members of the chain's board as must agree.
    ///
    /// # Errors
    /// [`CliError::Input`] when a key file can't be opened.
    pub fn board_keys(&self, board: &Board, context: &Context) -> Result<Vec<SigningKey>, CliError> {
        let open = |index: u8| {
            let key = context.key(&self.key_path(&format!("board-{index}")), KeyRole::Board)?;
            Ok(key.signing().clone())
        };
        (1..=board.threshold).map(open).collect()
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(format!("{name}.key"))
    }

    /// What the network's processes, and this one, have used so far.
    #[must_use]
    pub fn usage(&self) -> Vec<(String, Usage)> {
        let others = self.network.names().map(|name| (name.to_owned(), network::running(&self.folder, name)));
        let own = ("this command".to_owned(), i32::try_from(std::process::id()).ok());
        others.chain([own]).filter_map(|(name, pid)| Some((name, usage::of(pid?)?))).collect()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if !self.own {
            return;
        }
        if let Err(error) = network::stop(&self.folder, &self.network) {
            eprintln!("warning: the network in {} may still run: {error}", self.folder.display());
        }
    }
}
