//! The chain spec of a new network: the node's own local chain, with this network's keys in it.

use serde_json::{json, Value};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{config::Network, identity::Validator};
use crate::error::CliError;
use psephos_protocol::keys::PublicKey;

/// The spec that every node of the network is started with.
pub const RAW: &str = "chain-spec.json";
/// The same before it was made final: genesis as JSON, for people.
pub const PLAIN: &str = "chain-spec.plain.json";

/// What the first block says of elections, for good.
pub struct Voting<'a> {
    /// The keys of the chain's board.
    pub board: &'a [PublicKey],
    /// How many of them must agree.
    pub threshold: u8,
    /// Whether trustees must rehearse before an election of theirs is frozen.
    pub require_rehearsal: bool,
}

/// Where a program of this project is: beside this one, or on the PATH.
///
/// # Errors
/// [`CliError::Input`] saying where it was looked for.
pub fn find_program(name: &str) -> Result<PathBuf, CliError> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = beside.into_iter().chain(std::env::split_paths(&path)).collect();
    folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()).ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        CliError::Input(format!(
            "{name} is not found; looked in {}. Build it with `cargo build --release -p {name}` or put it on the PATH",
            looked.join(", ")
        ))
    })
}

/// Writes both chain specs of a network into its folder.
///
/// # Errors
/// What the node says, or the system.
pub fn write(
    node: &Path,
    folder: &Path,
    network: &Network,
    validators: &[Validator],
    voting: &Voting,
) -> Result<(), CliError> {
    let built_in = export(node, &["--chain", "local"])?;
    let mut spec: Value =
        serde_json::from_slice(&built_in).map_err(|error| unexpected(node, &error.to_string()))?;
    patch(&mut spec, network, validators, voting).map_err(|what| unexpected(node, &what))?;
    let plain = folder.join(PLAIN);
    let text = serde_json::to_vec_pretty(&spec).map_err(CliError::input)?;
    fs::write(&plain, text).map_err(|error| CliError::file(&plain, error))?;
    let path = plain.to_str().ok_or_else(|| CliError::file(folder, "the path is not UTF-8"))?;
    let raw = folder.join(RAW);
    fs::write(&raw, export(node, &["--chain", path, "--raw"])?).map_err(|error| CliError::file(&raw, error))
}

/// Puts the network's own identity and keys into the node's built-in local chain.
fn patch(
    spec: &mut Value,
    network: &Network,
    validators: &[Validator],
    voting: &Voting,
) -> Result<(), String> {
    let keys: Vec<Value> = validators
        .iter()
        .map(|validator| {
            let (aura, grandpa) = (validator.aura_address(), validator.grandpa_address());
            json!([aura, aura, { "aura": aura, "grandpa": grandpa }])
        })
        .collect();
    let genesis = spec
        .pointer_mut("/genesis/runtimeGenesis/patch")
        .and_then(Value::as_object_mut)
        .ok_or("its local chain has no /genesis/runtimeGenesis/patch")?;
    for pallet in ["session", "voting"] {
        if !genesis.contains_key(pallet) {
            return Err(format!("its local chain's genesis has no {pallet:?}"));
        }
    }
    genesis.insert("session".into(), json!({ "keys": keys }));
    let members: Vec<[u8; 32]> = voting.board.iter().map(|key| key.0).collect();
    let (threshold, asks) = (voting.threshold, voting.require_rehearsal);
    genesis.insert(
        "voting".into(),
        json!({ "board": members, "threshold": threshold, "requireRehearsal": asks }),
    );
    let bootnodes = network.bootnodes("");
    let fields = spec.as_object_mut().ok_or("its local chain is no JSON object")?;
    fields.insert("id".into(), json!(network.chain));
    fields.insert("name".into(), json!(format!("Psephos {}", network.chain)));
    fields.insert("protocolId".into(), json!(network.chain));
    fields.insert("bootNodes".into(), json!(bootnodes));
    Ok(())
}

fn export(node: &Path, arguments: &[&str]) -> Result<Vec<u8>, CliError> {
    let output = Command::new(node)
        .arg("export-chain-spec")
        .args(arguments)
        .output()
        .map_err(|error| CliError::file(node, error))?;
    if !output.status.success() {
        return Err(unexpected(node, String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(output.stdout)
}

fn unexpected(node: &Path, what: &str) -> CliError {
    CliError::file(
        node,
        format!("made no chain spec: {what}; check that it is of the same version as this program"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_keys_replace_those_of_the_built_in_chain() {
        let mut spec = json!({ "id": "psephos_local", "genesis": { "runtimeGenesis": { "code": "0x00", "patch": {
            "session": { "keys": ["Alice"] }, "voting": { "board": [], "threshold": 0 }, "other": 1 } } } });
        let validators = [Validator::generate(), Validator::generate()];
        let peers = validators.iter().map(Validator::peer_id).collect();
        let network = Network::new("psephos_abc", true, peers, 2, 30_400).unwrap();
        let voting = Voting { board: &[PublicKey([7; 32])], threshold: 1, require_rehearsal: true };
        patch(&mut spec, &network, &validators, &voting).unwrap();
        assert_eq!(spec["id"], "psephos_abc");
        assert_eq!(spec["bootNodes"].as_array().unwrap().len(), 2);
        let genesis = &spec["genesis"]["runtimeGenesis"]["patch"];
        assert_eq!(genesis["session"]["keys"][1][2]["grandpa"], validators[1].grandpa_address());
        assert_eq!(genesis["voting"]["board"][0][31], 7);
        assert_eq!(genesis["voting"]["requireRehearsal"], true);
        assert_eq!(genesis["other"], 1);
        assert!(patch(&mut json!({}), &network, &validators, &voting).is_err());
    }

    #[test]
    fn a_missing_program_says_where_it_was_looked_for() {
        let error = find_program("psephos-no-such-program").unwrap_err().to_string();
        let folder = std::env::current_exe().unwrap().parent().unwrap().display().to_string();
        assert!(error.contains(&folder) && error.contains("cargo build"), "{error}");
    }
}
