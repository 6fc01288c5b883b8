//! `network.toml`: which processes a local network has, and on which ports.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use crate::{error::CliError, manifest::read_bounded};

/// The file's name in the network's folder.
pub const FILE: &str = "network.toml";
/// The most validators, trustees, board members or registrars each.
pub const MOST: u8 = 16;
/// From the base port: P2P ports from +0, RPC ports from +20, trustees' ports from +40.
const RPC_OFFSET: u16 = 20;
const TRUSTEE_OFFSET: u16 = 40;
const PORTS: u16 = TRUSTEE_OFFSET + MOST as u16;
const VERSION: u32 = 1;

/// A local network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    version: u32,
    /// The chain's identifier in its chain spec.
    pub chain: String,
    /// Whether trustees accept every election that names them, unread.
    pub accept_all: bool,
    /// The validators.
    pub validators: Vec<Validator>,
    /// The trustees.
    #[serde(default)]
    pub trustees: Vec<Trustee>,
}

/// A validator's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Its name, also that of its folder and log.
    pub name: String,
    /// Where other nodes reach it.
    pub p2p_port: u16,
    /// Where clients reach it.
    pub rpc_port: u16,
    /// Its libp2p peer id.
    pub peer_id: String,
}

/// A trustee's daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trustee {
    /// Its name, also that of its folder and log.
    pub name: String,
    /// Where voters reach it.
    pub port: u16,
    /// The key of its own TLS certificate, as addresses pin it; without, it speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

impl Validator {
    /// The node's address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port)
    }
}

impl Trustee {
    /// The trustee's address for voters.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.pin {
            Some(pin) => format!("https://127.0.0.1:{}/#{pin}", self.port),
            None => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// The folder of its store.
    #[must_use]
    pub fn data(&self, folder: &Path) -> PathBuf {
        folder.join("trustees").join(&self.name)
    }
}

impl Network {
    /// A network whose ports follow from a base port.
    ///
    /// # Errors
    /// [`CliError::Input`] when the ports don't fit.
    pub fn new(
        chain: &str,
        accept_all: bool,
        peer_ids: Vec<String>,
        trustees: u8,
        base_port: u16,
    ) -> Result<Self, CliError> {
        if !(1_024..=u16::MAX - PORTS).contains(&base_port) {
            return Err(CliError::Input(format!(
                "--base-port: {PORTS} ports from {base_port} on are needed, between 1024 and 65535"
            )));
        }
        let validators = (0u16..).zip(peer_ids).map(|(index, peer_id)| Validator {
            name: format!("validator-{}", index + 1),
            p2p_port: base_port + index,
            rpc_port: base_port + RPC_OFFSET + index,
            peer_id,
        });
        let trustees = (0..u16::from(trustees)).map(|index| Trustee {
            name: format!("trustee-{}", index + 1),
            port: base_port + TRUSTEE_OFFSET + index,
            pin: None,
        });
        let network = Self {
            version: VERSION,
            chain: chain.into(),
            accept_all,
            validators: validators.collect(),
            trustees: trustees.collect(),
        };
        network.check().map_err(CliError::Input)?;
        Ok(network)
    }

    /// Reads a network's file.
    ///
    /// # Errors
    /// [`CliError::Input`] naming the field.
    pub fn load(folder: &Path) -> Result<Self, CliError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(CliError::file(
                folder,
                format!("has no {FILE}; make a network with `psephos network new {}`", folder.display()),
            ));
        }
        let network: Self =
            toml::from_str(&read_bounded(&path)?).map_err(|error| CliError::file(&path, error))?;
        network.check().map_err(|error| CliError::file(&path, error))?;
        Ok(network)
    }

    /// Writes the network's file.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self, folder: &Path) -> Result<(), CliError> {
        let path = folder.join(FILE);
        let text = toml::to_string(self).map_err(|error| CliError::file(&path, error))?;
        fs::write(&path, text).map_err(|error| CliError::file(&path, error))
    }

    fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("version: this is {}, and this software reads {VERSION}", self.version));
        }
        for (field, count) in [("validators", self.validators.len()), ("trustees", self.trustees.len())] {
            if count > usize::from(MOST) {
                return Err(format!("{field}: there are {count}, the most is {MOST}"));
            }
        }
        if self.validators.is_empty() {
            return Err("validators: at least one is needed".into());
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= 64
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let mut names = BTreeMap::new();
        for name in self.names().chain([self.chain.as_str()]) {
            if !plain(name) {
                return Err(format!("name {name:?}: must be 1 to 64 letters, digits, - and _"));
            }
            if names.insert(name, ()).is_some() {
                return Err(format!("name {name:?}: is given twice"));
            }
        }
        let mut ports = BTreeMap::new();
        for (port, owner) in self.names().flat_map(|name| self.ports_of(name)) {
            if let Some(other) = ports.insert(port, owner.clone()) {
                return Err(format!("port {port} is given to {other} and to {owner}; each needs its own"));
            }
        }
        Ok(())
    }

    /// The names of all processes, validators first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let validators = self.validators.iter().map(|validator| validator.name.as_str());
        validators.chain(self.trustees.iter().map(|trustee| trustee.name.as_str()))
    }

    /// The ports of a process, each with whose it is.
    fn ports_of(&self, name: &str) -> Vec<(u16, String)> {
        let validators = self.validators.iter().filter(|v| v.name == name);
        let trustees = self.trustees.iter().filter(|t| t.name == name);
        validators
            .flat_map(|v| [(v.p2p_port, format!("{name} (P2P)")), (v.rpc_port, format!("{name} (RPC)"))])
            .chain(trustees.map(|t| (t.port, name.to_owned())))
            .collect()
    }

    /// Checks that nothing else uses the ports of a process.
    ///
    /// # Errors
    /// [`CliError::Input`] naming the port.
    pub fn check_ports_free(&self, name: &str) -> Result<(), CliError> {
        for (port, owner) in self.ports_of(name) {
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(|error| {
                CliError::Input(format!(
                    "port {port} of {owner} can't be used ({error}): stop what uses it, or set another port in {FILE}"
                ))
            })?;
        }
        Ok(())
    }

    /// The nodes' addresses for clients.
    #[must_use]
    pub fn node_urls(&self) -> Vec<String> {
        self.validators.iter().map(Validator::url).collect()
    }

    /// The multiaddresses of all validators but one.
    #[must_use]
    pub fn bootnodes(&self, but: &str) -> Vec<String> {
        let others = self.validators.iter().filter(|validator| validator.name != but);
        others.map(|v| format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", v.p2p_port, v.peer_id)).collect()
    }
}

/// The first of as many free ports in a row as a network needs.
///
/// # Errors
/// [`CliError::Input`] when there are none.
pub fn free_ports() -> Result<u16, CliError> {
    let free = |port: u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok();
    (10_000..20_000).step_by(usize::from(PORTS)).find(|first| (*first..first + PORTS).all(free)).ok_or_else(
        || {
            CliError::Input(format!(
                "no {PORTS} free ports in a row between 10000 and 20000: give --base-port"
            ))
        },
    )
}

/// Where the log of a process is.
#[must_use]
pub fn log(folder: &Path, name: &str) -> PathBuf {
    folder.join("logs").join(format!("{name}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(base: u16) -> Result<Network, CliError> {
        let peers = (0..MOST).map(|index| format!("peer{index}")).collect();
        Network::new("psephos_test", true, peers, MOST, base)
    }

    #[test]
    fn ports_are_distinct_and_fit() {
        let network = network(30_400).unwrap();
        let mut ports: Vec<u16> =
            network.names().flat_map(|name| network.ports_of(name)).map(|(port, _)| port).collect();
        let count = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!((ports.len(), count), (48, 48));
        assert!(network_err(1_023).contains("--base-port"));
        assert!(network_err(65_500).contains("--base-port"));
        assert!(super::tests::network(65_479).is_ok());
    }

    fn network_err(base: u16) -> String {
        network(base).unwrap_err().to_string()
    }

    #[test]
    fn a_network_survives_its_file_and_mistakes_in_it_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut network = network(30_400).unwrap();
        network.trustees[0].pin = Some("sha256=00".into());
        network.save(folder.path()).unwrap();
        let urls: Vec<String> = network.trustees.iter().take(2).map(Trustee::url).collect();
        assert_eq!(urls, ["https://127.0.0.1:30440/#sha256=00", "http://127.0.0.1:30441"]);
        assert_eq!(Network::load(folder.path()).unwrap(), network);
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        let cases = [
            ("30401", "30400", "port 30400 is given to validator-1 (P2P) and to validator-2 (P2P)"),
            ("\"validator-2\"", "\"../validator\"", "name \"../validator\""),
            ("\"validator-2\"", "\"validator-1\"", "is given twice"),
            ("version = 1", "version = 2", "version: this is 2"),
            ("accept_all", "accept", "unknown field"),
        ];
        for (from, to, expected) in cases {
            fs::write(folder.path().join(FILE), text.replacen(from, to, 1)).unwrap();
            let error = Network::load(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_port_in_use_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut network = network(30_400).unwrap();
        network.trustees[0].port = port;
        let error = network.check_ports_free("trustee-1").unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} of trustee-1")), "{error}");
    }
}
