//! Starting, watching and stopping a network's processes.

use psephos_client::keystore::{
    ExposeSecret, KeyFile, KeyRole, PassphraseSource, SecretString, PASSPHRASE_VARIABLE,
};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::sleep;

use super::{
    config::{Network, Trustee, Validator},
    cores, process,
    spec::{self, find_program},
    state::State,
    UpArgs,
};
use crate::{
    context::Context,
    error::CliError,
    output::{table, Output},
};

/// How often processes that come up are asked.
const POLL: Duration = Duration::from_millis(500);
/// How long processes that should end may take: a node flushes its database.
const PATIENCE: Duration = Duration::from_secs(20);
/// Blocks that a trustee may be behind and count as following.
const BEHIND: u32 = 3;

/// Starts what does not run, and shows how the network stands.
pub async fn up(args: &UpArgs, context: &Context) -> Result<(), CliError> {
    bring_up(args, context).await?;
    status(&args.dir, context).await
}

/// Starts what does not run: validators first, trustees when blocks are final.
///
/// # Errors
/// [`CliError`], saying what ended or did not come; what was started still runs.
pub async fn bring_up(args: &UpArgs, context: &Context) -> Result<(), CliError> {
    let (folder, out) = (&args.dir, &context.out);
    let network = Network::load(folder)?;
    let starter = Starter::new(folder, &network, context)?;
    // Everything is checked before anything is started.
    for name in network.names().filter(|name| process::running(folder, name).is_none()) {
        network.check_ports_free(name)?;
    }
    let end = Instant::now() + Duration::from_secs(args.timeout);
    let start = |name: &str, place: usize| match args.one_core_each {
        true => cores::on_one(place, || starter.start(name))?,
        false => starter.start(name),
    };
    for (validator, place) in network.validators.iter().zip(0..) {
        start(&validator.name, place)?;
    }
    let mut before = None;
    wait(folder, &network, out, end, "blocks to be final", |state| blocks_are_final(state, &mut before))
        .await?;
    for (trustee, place) in network.trustees.iter().zip(0..) {
        start(&trustee.name, place)?;
    }
    if args.wait {
        wait(folder, &network, out, end, "the trustees to follow", trustees_follow).await?;
    }
    Ok(())
}

/// Whether every validator has finalized a block beyond those that were final when all first answered.
fn blocks_are_final(state: &State, before: &mut Option<u32>) -> (bool, String) {
    let finalized = state.validators.iter().filter_map(|v| v.heights).map(|heights| heights.finalized);
    let (least, most) = (finalized.clone().min().unwrap_or(0), finalized.clone().max().unwrap_or(0));
    let answer = finalized.count();
    let all = answer == state.validators.len();
    let goes_on = all && least > *before.get_or_insert(if all { most } else { u32::MAX });
    if !all {
        *before = None;
    }
    (goes_on, format!("{answer} of {} validators answer, block {least} is final", state.validators.len()))
}

fn trustees_follow(state: &State) -> (bool, String) {
    let height =
        state.validators.iter().filter_map(|v| v.heights).map(|heights| heights.finalized).max().unwrap_or(0);
    let follow = state
        .trustees
        .iter()
        .filter_map(|trustee| trustee.status.as_ref())
        .filter(|status| status.finalized.saturating_add(BEHIND) >= height)
        .count();
    (
        follow == state.trustees.len(),
        format!("{follow} of {} trustees follow the chain", state.trustees.len()),
    )
}

/// Waits until `check` holds, showing what it says; gives up at the end, or when a process ends.
async fn wait(
    folder: &Path,
    network: &Network,
    out: &Output,
    end: Instant,
    what: &str,
    mut check: impl FnMut(&State) -> (bool, String),
) -> Result<(), CliError> {
    let started: Vec<&str> =
        network.names().filter(|name| process::running(folder, name).is_some()).collect();
    let progress = out.spinner(format!("waiting for {what}"));
    loop {
        let (done, message) = check(&State::of(folder, network).await);
        if done {
            progress.finish_and_clear();
            return Ok(());
        }
        if let Some(ended) = started.iter().find(|name| process::running(folder, name).is_none()) {
            progress.finish_and_clear();
            return Err(CliError::Unreachable(format!(
                "{ended} has ended; {}",
                process::last_words(folder, ended)
            )));
        }
        if Instant::now() > end {
            progress.finish_and_clear();
            return Err(CliError::Unreachable(format!(
                "{message}: gave up waiting for {what}. Look into {}, or give more --timeout; what was started still runs",
                folder.join("logs").display()
            )));
        }
        progress.set_message(message);
        sleep(POLL).await;
    }
}

/// Shows how the network stands.
pub async fn status(folder: &Path, context: &Context) -> Result<(), CliError> {
    let network = Network::load(folder)?;
    let state = State::of(folder, &network).await;
    context.out.result(&state, || show(&state))?;
    if state.validators.iter().all(|validator| validator.heights.is_none()) {
        return Err(CliError::Unreachable(format!(
            "no validator answers; start the network with `psephos network up {}`",
            folder.display()
        )));
    }
    Ok(())
}

fn show(state: &State) -> String {
    let text = |number: Option<u32>| number.map_or_else(|| "–".into(), |number| number.to_string());
    let pid = |pid: Option<i32>| pid.map_or_else(|| "stopped".into(), |pid| pid.to_string());
    let validators: Vec<[String; 6]> = state
        .validators
        .iter()
        .map(|v| {
            let heights = v.heights;
            [
                v.name.clone(),
                pid(v.pid),
                text(heights.map(|h| h.best)),
                text(heights.map(|h| h.finalized)),
                text(heights.map(|h| h.peers)),
                v.url.clone(),
            ]
        })
        .collect();
    let trustees: Vec<[String; 5]> = state
        .trustees
        .iter()
        .map(|t| {
            let answer = t.status.as_ref();
            [
                t.name.clone(),
                pid(t.pid),
                text(answer.map(|status| status.finalized)),
                answer.map_or_else(|| "no answer".into(), |status| status.served.len().to_string()),
                t.url.clone(),
            ]
        })
        .collect();
    format!(
        "{}\n{}",
        table(["VALIDATOR", "PID", "BEST", "FINAL", "PEERS", "ADDRESS"], &validators),
        table(["TRUSTEE", "PID", "FINAL", "ELECTIONS", "ADDRESS"], &trustees)
    )
}

/// Stops all processes, and says which had to be killed.
pub fn down(folder: &Path, context: &Context) -> Result<(), CliError> {
    let network = Network::load(folder)?;
    let ran = network.names().filter(|name| process::running(folder, name).is_some()).count();
    let progress = context.out.spinner("stopping");
    let killed = stop(folder, &network);
    progress.finish_and_clear();
    let killed = killed?;
    context.out.result(&json!({ "stopped": ran, "killed": killed }), || match killed.as_slice() {
        [] => format!("Stopped {ran} processes."),
        killed => format!("Stopped {ran} processes, of which these had to be killed: {}.", killed.join(", ")),
    })
}

/// Stops all processes: trustees first, so that they see the chain to their end. Gives those it had to kill.
///
/// # Errors
/// What the system says.
pub fn stop(folder: &Path, network: &Network) -> Result<Vec<String>, CliError> {
    let trustees: Vec<&str> = network.trustees.iter().map(|trustee| trustee.name.as_str()).collect();
    let validators: Vec<&str> = network.validators.iter().map(|validator| validator.name.as_str()).collect();
    let mut killed = process::stop(folder, &trustees, PATIENCE)?;
    killed.extend(process::stop(folder, &validators, PATIENCE)?);
    Ok(killed)
}

/// Kills one process.
pub fn kill(folder: &Path, name: &str, context: &Context) -> Result<(), CliError> {
    let network = Network::load(folder)?;
    known(&network, name)?;
    if !process::kill(folder, name)? {
        return Err(CliError::Refused(format!(
            "{name} does not run; see `psephos network status {}`",
            folder.display()
        )));
    }
    context.out.result(&json!({ "killed": name }), || {
        format!("Killed {name}. Start it again with `psephos network start {} {name}`.", folder.display())
    })
}

/// Starts one process.
pub fn start(folder: &Path, name: &str, context: &Context) -> Result<(), CliError> {
    let network = Network::load(folder)?;
    known(&network, name)?;
    if let Some(pid) = process::running(folder, name) {
        return Err(CliError::Refused(format!("{name} runs already, as process {pid}")));
    }
    await_ports(&network, name)?;
    let pid = Starter::new(folder, &network, context)?.start(name)?;
    context
        .out
        .result(&json!({ "started": name, "pid": pid }), || format!("Started {name} as process {pid}."))
}

/// Waits for the ports of a process, which the system frees a moment after a kill.
fn await_ports(network: &Network, name: &str) -> Result<(), CliError> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        match network.check_ports_free(name) {
            Err(_) if std::time::Instant::now() < end => {
                std::thread::sleep(std::time::Duration::from_millis(200))
            }
            outcome => return outcome,
        }
    }
}

fn known(network: &Network, name: &str) -> Result<(), CliError> {
    if network.names().any(|known| known == name) {
        return Ok(());
    }
    let names: Vec<&str> = network.names().collect();
    Err(CliError::Input(format!("the network has no process {name:?}; it has {}", names.join(", "))))
}

/// Starts processes of a network.
struct Starter<'a> {
    folder: &'a Path,
    network: &'a Network,
    node: PathBuf,
    this: PathBuf,
    /// The passphrase of the trustees' keys, if they have one.
    passphrase: Option<SecretString>,
}

impl<'a> Starter<'a> {
    fn new(folder: &'a Path, network: &'a Network, context: &Context) -> Result<Self, CliError> {
        let this = std::env::current_exe().map_err(CliError::input)?;
        let passphrase = match network.trustees.first() {
            Some(first) => passphrase(&key(folder, first), &context.passphrase)?,
            None => None,
        };
        Ok(Self { folder, network, node: find_program("psephos-node")?, this, passphrase })
    }

    /// Starts the process of that name, unless it runs; its pid.
    fn start(&self, name: &str) -> Result<i32, CliError> {
        if let Some(pid) = process::running(self.folder, name) {
            return Ok(pid);
        }
        let validator = self.network.validators.iter().find(|validator| validator.name == name);
        let trustee = self.network.trustees.iter().zip(0usize..).find(|(trustee, _)| trustee.name == name);
        let command = match (validator, trustee) {
            (Some(validator), _) => self.validator(validator),
            (_, Some((trustee, index))) => self.trustee(trustee, index),
            (None, None) => return Err(CliError::Input(format!("the network has no process {name:?}"))),
        };
        process::start(self.folder, name, command)
    }

    fn validator(&self, validator: &Validator) -> Command {
        let base = self.folder.join("validators").join(&validator.name);
        let mut command = Command::new(&self.node);
        command
            .arg("--chain")
            .arg(self.folder.join(spec::RAW))
            .arg("--node-key-file")
            .arg(base.join("node.key"))
            .arg("--base-path")
            .arg(base)
            .args(["--validator", "--name", &validator.name])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{}", validator.p2p_port)])
            .args(["--public-addr", &format!("/ip4/127.0.0.1/tcp/{}", validator.p2p_port)])
            .args(["--rpc-port", &validator.rpc_port.to_string(), "--rpc-methods", "safe"])
            .args(["--no-mdns", "--no-prometheus", "--no-telemetry"])
            .args(["--state-pruning", "archive", "--blocks-pruning", "archive"]);
        for address in self.network.bootnodes(&validator.name) {
            command.args(["--bootnodes", &address]);
        }
        command
    }

    fn trustee(&self, trustee: &Trustee, index: usize) -> Command {
        let mut command = Command::new(&self.this);
        // Each trustee asks another validator first.
        let mut nodes = self.network.node_urls();
        let first = index % nodes.len().max(1);
        nodes.rotate_left(first);
        for node in nodes {
            command.args(["--node", &node]);
        }
        command
            .args(["trustee", "run", "--public-url", &trustee.url(), "--key"])
            .arg(key(self.folder, trustee))
            .arg("--data")
            .arg(trustee.data(self.folder))
            .args(["--listen", &format!("127.0.0.1:{}", trustee.port)]);
        if trustee.pin.is_some() {
            command.arg("--tls-self-signed");
        }
        if self.network.accept_all {
            command.arg("--accept-all");
        }
        match &self.passphrase {
            Some(passphrase) => command.env(PASSPHRASE_VARIABLE, passphrase.expose_secret()),
            None => command.env_remove(PASSPHRASE_VARIABLE),
        };
        command
    }
}

fn key(folder: &Path, trustee: &Trustee) -> PathBuf {
    folder.join("keys").join(format!("{}.key", trustee.name))
}

/// The passphrase of a key, tried; none if the key is not encrypted.
fn passphrase(path: &Path, source: &PassphraseSource) -> Result<Option<SecretString>, CliError> {
    if !KeyFile::is_encrypted(path)? {
        return Ok(None);
    }
    let passphrase = source.existing(path)?;
    KeyFile::load_with(path, KeyRole::Trustee, || Ok(passphrase.clone()))?;
    Ok(Some(passphrase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::state::{self, Heights};

    fn state(heights: &[Option<u32>]) -> State {
        let validator = |finalized: &Option<u32>| state::Validator {
            name: String::new(),
            url: String::new(),
            pid: Some(1),
            heights: finalized.map(|finalized| Heights { best: finalized + 1, finalized, peers: 1 }),
        };
        State { validators: heights.iter().map(validator).collect(), trustees: Vec::new() }
    }

    #[test]
    fn a_chain_is_up_when_every_validator_finalizes_more_than_before() {
        let mut before = None;
        let mut done = |heights: &[Option<u32>]| blocks_are_final(&state(heights), &mut before).0;
        assert!(!done(&[Some(9), None]), "one does not answer");
        assert!(!done(&[Some(9), Some(7)]), "they only answer");
        assert!(!done(&[Some(10), Some(9)]), "one is behind");
        assert!(done(&[Some(11), Some(10)]));
    }
}
