//! `psephos network new`: everything that a network needs, made in one go or not at all.

use psephos_client::keystore::{KeyFile, KeyRole, Protection};
use psephos_trustee::tls;
use rand_core::{OsRng, RngCore};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{config::Network, identity::Validator, spec, NewArgs};
use crate::{context::Context, error::CliError, keys};

/// The addresses of the trustees, for voters.
pub const ENDPOINTS: &str = "trustees.txt";
/// A manifest to start from.
const MANIFEST: &str = "manifest.toml";

/// Makes a network's folder, and says what to do with it.
pub fn new(args: &NewArgs, context: &Context) -> Result<(), CliError> {
    let network = make(args, context)?;
    let dir = args.dir.display();
    let rehearse = match args.no_rehearsal {
        true => String::new(),
        false => {
            let keys: Vec<String> = (1..=args.board_threshold)
                .map(|index| format!("--key {dir}/keys/board-{index}.key"))
                .collect();
            format!("  psephos board rehearse {dir}/{MANIFEST} {}\n", keys.join(" "))
        }
    };
    let value = json!({
        "dir": args.dir, "chain": network.chain, "nodes": network.node_urls(),
        "trustees": network.trustees.iter().map(|trustee| trustee.url()).collect::<Vec<_>>(),
    });
    context.out.result(&value, || {
        format!(
            "Network {} is ready in {dir}: {} validators, {} trustees.\n\n\
             Next:\n  psephos network up {dir} --wait\n  \
             export PSEPHOS_NODE={}\n{rehearse}  \
             psephos board create {dir}/{MANIFEST} --key {dir}/keys/board-1.key",
            network.chain,
            network.validators.len(),
            network.trustees.len(),
            network.node_urls().first().cloned().unwrap_or_default(),
        )
    })
}

/// Makes a network's folder beside its place and moves it there when it is complete.
///
/// # Errors
/// [`CliError`], and nothing was made.
pub fn make(args: &NewArgs, context: &Context) -> Result<Network, CliError> {
    if args.board_threshold > args.board {
        return Err(CliError::Input(format!(
            "--board-threshold: {} members can't agree on a board of {}; the most is --board",
            args.board_threshold, args.board
        )));
    }
    if args.dir.exists() {
        return Err(CliError::file(&args.dir, "exists already; nothing was changed: choose another folder"));
    }
    let node = spec::find_program("psephos-node")?;
    let protection = protection(args, context)?;
    let parent = match args.dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".psephos-network-")
        .tempdir_in(parent)
        .map_err(|error| CliError::file(parent, error))?;
    let network = fill(temporary.path(), &node, args, &protection, context)?;
    fs::rename(temporary.path(), &args.dir).map_err(|error| CliError::file(&args.dir, error))?;
    // It has moved: there is nothing to delete any more.
    drop(temporary.keep());
    Ok(network)
}

fn protection(args: &NewArgs, context: &Context) -> Result<Protection, CliError> {
    if args.dev_keys {
        context.out.warn(
            "--dev-keys: every secret key of this network is written UNENCRYPTED, and its trustees accept \
             elections unread. Never hold a real election on it.",
        );
        return Ok(Protection::InsecurePlaintext);
    }
    context.out.warn("the node's own keystore and network key can't be encrypted; protect the folder");
    Ok(Protection::Passphrase(context.passphrase.new_one(&args.dir)?))
}

fn fill(
    folder: &Path,
    node: &Path,
    args: &NewArgs,
    protection: &Protection,
    context: &Context,
) -> Result<Network, CliError> {
    let chain = format!("psephos_{:08x}", OsRng.next_u32());
    let validators: Vec<Validator> = (0..args.validators).map(|_| Validator::generate()).collect();
    let peers = validators.iter().map(Validator::peer_id).collect();
    let mut network = Network::new(&chain, args.dev_keys, peers, args.trustees, args.base_port)?;
    for trustee in &mut network.trustees {
        let data = trustee.data(folder);
        fs::create_dir_all(&data).map_err(|error| CliError::file(&data, error))?;
        trustee.pin = Some(tls::own(&data).map_err(CliError::input)?.pin.to_string());
    }
    network.save(folder)?;
    for (entry, validator) in network.validators.iter().zip(&validators) {
        validator.write(&folder.join("validators").join(&entry.name), &chain)?;
    }
    let roles = [
        (KeyRole::Board, args.board),
        (KeyRole::Registrar, args.registrars),
        (KeyRole::Trustee, args.trustees),
    ];
    let folder_of_keys = folder.join("keys");
    fs::create_dir(&folder_of_keys).map_err(|error| CliError::file(&folder_of_keys, error))?;
    let progress = context.out.bar(roles.iter().map(|(_, count)| u64::from(*count)).sum(), "making keys");
    let mut board = Vec::new();
    for (role, count) in roles {
        for index in 1..=count {
            let key = KeyFile::generate(role, &format!("{role}-{index}"), &mut OsRng);
            let path = folder_of_keys.join(format!("{role}-{index}.key"));
            keys::write(&key, &path, protection)?;
            if role == KeyRole::Board {
                board.push(key.public());
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    let progress = context.out.spinner("making the chain spec");
    let voting = spec::Voting {
        board: &board,
        threshold: args.board_threshold,
        require_rehearsal: !args.no_rehearsal,
    };
    spec::write(node, folder, &network, &validators, &voting)?;
    progress.finish_and_clear();
    let write = |name: &str, text: String| {
        let path: PathBuf = folder.join(name);
        fs::write(&path, text).map_err(|error| CliError::file(&path, error))
    };
    let endpoints: String =
        (1..).zip(&network.trustees).map(|(index, trustee)| format!("{index} {}\n", trustee.url())).collect();
    write(ENDPOINTS, format!("# Where the trustees can be reached: INDEX URL\n{endpoints}"))?;
    write(MANIFEST, manifest(args))?;
    Ok(network)
}

/// A manifest with this network's keys.
fn manifest(args: &NewArgs) -> String {
    let files = |role: KeyRole, count: u8| {
        let names: Vec<String> =
            (1..=count).map(|index| format!("\"keys/{role}-{index}.pub.json\"")).collect();
        format!("[{}]", names.join(", "))
    };
    format!(
        r#"# An election to start from; `psephos board create --help` explains every field.
title = "Example"
opens_at = "+5m"
closes_at = "+1h"
early_close = true
max_voters = 1000
max_ballots = 8
privacy_minimum = 10
small_groups_public = true   # an example has few voters; leave this out in a real election
units = ["All"]
weights = [1]
threshold = 2
trustees = {}
registrars = {}

[board]
members = {}
threshold = {}

[[contests]]
title = "President"
options = ["Ada", "Grace", "Blank"]
rule = "plurality"

[[contests]]
title = "Projects"
options = ["Bicycles", "Library", "Trees"]
rule = "approval"
"#,
        files(KeyRole::Trustee, args.trustees),
        files(KeyRole::Registrar, args.registrars),
        files(KeyRole::Board, args.board),
        args.board_threshold,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    fn args(dir: PathBuf) -> NewArgs {
        NewArgs {
            dir,
            validators: 1,
            trustees: 3,
            board: 3,
            board_threshold: 2,
            registrars: 2,
            base_port: 30_400,
            no_rehearsal: false,
            dev_keys: true,
        }
    }

    #[test]
    fn the_manifest_to_start_from_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let args = args(folder.path().join("net"));
        fs::create_dir(folder.path().join("keys")).unwrap();
        for (role, count) in [(KeyRole::Board, 3), (KeyRole::Registrar, 2), (KeyRole::Trustee, 3)] {
            for index in 1..=count {
                let key = KeyFile::generate(role, "x", &mut OsRng);
                let path = folder.path().join(format!("keys/{role}-{index}.key"));
                keys::write(&key, &path, &Protection::InsecurePlaintext).unwrap();
            }
        }
        let path = folder.path().join(MANIFEST);
        fs::write(&path, super::manifest(&args)).unwrap();
        assert_eq!(manifest::load(&path).unwrap().contests.len(), 2);
    }

    #[test]
    fn nothing_is_made_when_something_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::for_tests();
        let mut wrong = args(folder.path().join("net"));
        wrong.board_threshold = 4;
        assert!(new(&wrong, &context).unwrap_err().to_string().contains("--board-threshold"));
        let existing = args(folder.path().to_path_buf());
        assert!(new(&existing, &context).unwrap_err().to_string().contains("exists already"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
