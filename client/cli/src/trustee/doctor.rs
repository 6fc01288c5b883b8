//! `psephos trustee doctor`: looks at everything that a trustee depends on, and says what to do.
//!
//! Here things are asked; [`judge`] decides what is a problem.

mod judge;

use clap::Args;
use futures::future::join_all;
use psephos_client::{
    endpoints::TrusteeClient,
    keystore::{fingerprint, KeyFile, KeyRole},
    open_election,
    trustee_api::TrusteeStatus,
    Chain, NodeFailure, NodeHealth,
};
use psephos_protocol::{
    bounds::show,
    election::Election,
    ids::Eid,
    state::{ElectionState, Phase},
};
use psephos_trustee::{
    config,
    store::{look, Look, StoreError},
};
use rand_core::OsRng;
use std::path::{Path, PathBuf};

use super::index_of;
use crate::{
    context::{find_election, Context},
    error::CliError,
    times,
};
use judge::{Check, Daemon, Room, Store, Verdict};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos trustee doctor --key trustee.key --data /var/lib/psephos
  psephos trustee doctor --key trustee.key --data /var/lib/psephos --url https://trustee.example

Prints one line for each thing, with what to do, and changes nothing. Give all your nodes with
--node. Ends with 0 if there is no problem, otherwise with 1. While the daemon runs, its store is
locked, and the daemon is asked for its deposits instead.";

/// A trustee to look after.
#[derive(Args)]
pub struct DoctorArgs {
    /// The key file that `trustee init` made.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The folder of the daemon's store.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The daemon's address, best the one that voters use; the daemon of this machine unless given.
    #[arg(long)]
    url: Option<String>,
    /// The election: its identifier, or the first digits. Otherwise all open ones that name the key.
    #[arg(long, value_name = "EID")]
    election: Option<String>,
}

/// An election that names the key, as the chain has it.
struct Duty {
    election: Election,
    state: ElectionState,
    index: u8,
}

/// Looks at everything and prints a line for each thing.
///
/// # Errors
/// [`CliError::Refused`] when there is a problem.
pub async fn run(args: DoctorArgs, context: &Context) -> Result<(), CliError> {
    let mut checks = Vec::new();
    let key = key(&args.key, context, &mut checks);

    let progress = context.out.spinner("asking nodes and daemon");
    let nodes = join_all(context.nodes.iter().map(|node| NodeHealth::ask(node))).await;
    checks.extend(judge::nodes(&nodes));
    let chain = chain(&nodes).await;
    if let Some(chain) = &chain {
        checks.push(clock(chain).await);
    }
    let (duties, mut found) = duties(chain.as_ref(), key.as_ref(), args.election.as_deref()).await;
    checks.append(&mut found);

    let store = store(&args.data);
    let locked = matches!(store, Err(StoreError::InUse(_)));
    let whose = (key.as_ref().map(KeyFile::public), chain.as_ref().map(Chain::genesis));
    checks.push(judge::store(&args.data, &store, whose));
    checks.push(judge::room(&room(&args.data, &store, &duties)));

    // Asked after the chain's state: a deposit comes before its ballot is accepted.
    let daemon = daemon(args.url, locked).await;
    progress.finish_and_clear();
    let serving = duties.iter().any(|duty| judge::is_needed(duty.state.phase));
    let finalized = nodes.iter().flatten().map(|node| node.finalized.number).max();
    checks.push(judge::daemon(&daemon, key.as_ref().map(KeyFile::name), finalized, serving));
    for duty in &duties {
        checks.extend(shares(duty, &daemon, &store));
    }
    report(&checks, context)
}

fn key(path: &Path, context: &Context, checks: &mut Vec<Check>) -> Option<KeyFile> {
    let key = match context.key(path, KeyRole::Trustee) {
        Ok(key) => key,
        Err(error) => {
            checks.push(Check::problem(
                "key file",
                error.to_string(),
                "mend what the message says; if the file is lost, make it again with `psephos trustee restore`",
            ));
            return None;
        }
    };
    let print = fingerprint(&key.public());
    checks.push(match key.root() {
        Some(_) => Check::ok("key file", format!("{} is yours alone and opens; {print}", path.display())),
        None => Check::ok(
            "key file",
            format!(
                "{} is yours alone and opens; {print}; an older file, without recovery sheet",
                path.display()
            ),
        ),
    });
    let opened = key.kem().map(|kem| kem.public().and_then(|public| kem.check_pair(&public, &mut OsRng)));
    checks.push(match opened {
        Some(Ok(())) => Check::ok("kem key", "opens an envelope that was sealed to it"),
        Some(Err(error)) => judge::kem(&error.to_string()),
        None => judge::kem("there is none"),
    });
    Some(key)
}

/// The chain through the nodes that answered and are of one chain.
async fn chain(nodes: &[Result<NodeHealth, NodeFailure>]) -> Option<Chain> {
    let mut answered = nodes.iter().flatten();
    let first = answered.next()?;
    let others = answered.filter(|node| node.genesis == first.genesis);
    let endpoints: Vec<String> =
        std::iter::once(first).chain(others).map(|node| node.endpoint.clone()).collect();
    Chain::connect(&endpoints).await.ok()
}

async fn clock(chain: &Chain) -> Check {
    let block = async { chain.block(chain.best().await?.hash).await }.await;
    match block {
        Ok(block) => judge::clock(block.time, times::now()),
        Err(error) => Check::warning("clock", format!("the last block can't be read: {error}"), "ask again"),
    }
}

/// The elections that name the key, and what is wrong with them.
async fn duties(
    chain: Option<&Chain>,
    key: Option<&KeyFile>,
    named: Option<&str>,
) -> (Vec<Duty>, Vec<Check>) {
    let (Some(chain), Some(key)) = (chain, key) else { return (Vec::new(), Vec::new()) };
    let eids = match named {
        Some(_) => find_election(chain, named).await.map(|eid| vec![eid]),
        None => chain.elections().await.map_err(CliError::from),
    };
    let eids = match eids {
        Ok(eids) => eids,
        Err(error) => return (Vec::new(), vec![judge::election(error.to_string())]),
    };
    let (mut duties, mut checks) = (Vec::new(), Vec::new());
    for eid in eids {
        match duty(chain, &eid, key, named.is_some()).await {
            Ok(Some(duty)) => {
                checks.push(judge::duty(&duty.election, &duty.state, duty.index));
                duties.push(duty);
            }
            Ok(None) => {}
            Err(error) => checks.push(judge::election(error.to_string())),
        }
    }
    if duties.is_empty() && checks.is_empty() {
        checks.push(Check::warning(
            "election",
            "no open election on this chain names this key",
            "wait for the board to create it; if it has, compare trustee.pub.json with the one it was given",
        ));
    }
    (duties, checks)
}

/// The duty in an election; none if nobody asked for that one and it does not name the key, or is over.
async fn duty(chain: &Chain, eid: &Eid, key: &KeyFile, asked: bool) -> Result<Option<Duty>, CliError> {
    let election = open_election(chain, eid).await?;
    let state = chain.election(eid).await?.state;
    let is_over = matches!(state.phase, Phase::Certified | Phase::Void);
    let names_key = election.manifest.trustees.iter().any(|trustee| trustee.signing == key.public());
    if !asked && (is_over || !names_key) {
        return Ok(None);
    }
    let index = index_of(&election, key)?;
    Ok(Some(Duty { election, state, index }))
}

/// What the folder of the store holds, and whether it can be written.
fn store(folder: &Path) -> Result<Store, StoreError> {
    if !folder.exists() {
        return Ok(Store { look: None, folder: false, writable: true });
    }
    // Gone again when dropped.
    let writable = tempfile::Builder::new().prefix(".psephos-").tempfile_in(folder).is_ok();
    Ok(Store { look: look(folder)?, folder: true, writable })
}

fn room(folder: &Path, store: &Result<Store, StoreError>, duties: &[Duty]) -> Room {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let free = rustix::fs::statvfs(there)
        .map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
        .map_err(|error| error.to_string());
    let used = store.as_ref().ok().and_then(|store| store.look.as_ref()).map_or(0, |look: &Look| look.bytes);
    let voters = duties.iter().map(|duty| judge::roll(&duty.election, &duty.state)).sum();
    Room { free, used, voters }
}

async fn daemon(url: Option<String>, locked: bool) -> Daemon {
    let asked = url.is_some();
    let url = url.unwrap_or_else(|| format!("http://127.0.0.1:{}", config::DEFAULT_PORT));
    // Its index differs by election, and is not needed to ask for the status.
    let answer = match TrusteeClient::new(0, "at that address", &url) {
        Ok(client) => client.status().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Daemon { url, asked, locked, answer }
}

/// Whether the trustee has its shares of an election, by the daemon's word or else by the store's.
fn shares(duty: &Duty, daemon: &Daemon, store: &Result<Store, StoreError>) -> Option<Check> {
    let eid = duty.election.eid;
    let title = show(&duty.election.manifest.title);
    if let Ok(status) = &daemon.answer {
        return Some(served(duty, &title, status, &daemon.url));
    }
    let look = store.as_ref().ok()?.look.as_ref();
    let own = duty.election.trustee(duty.index).map(|trustee| trustee.signing);
    if look.is_some_and(|look| Some(look.identity.signing) != own) {
        return None;
    }
    let kept = look.and_then(|look| look.deposits.get(&eid)).copied().unwrap_or(0);
    Some(judge::shares(&title, &duty.state, kept, "the store"))
}

fn served(duty: &Duty, title: &str, status: &TrusteeStatus, url: &str) -> Check {
    let eid = duty.election.eid.to_string();
    match status.served.iter().find(|served| served.eid == eid) {
        Some(served) if served.index == duty.index => {
            judge::shares(title, &duty.state, served.deposits, "the daemon")
        }
        Some(served) => judge::other_trustee(title, served.index, duty.index, url),
        None => judge::not_served(title, &duty.state, duty.index, &eid),
    }
}

fn report(checks: &[Check], context: &Context) -> Result<(), CliError> {
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (warnings, problems) = (count(Verdict::Warning), count(Verdict::Problem));
    context.out.result(&checks, || {
        let lines: String = checks.iter().map(ToString::to_string).collect();
        match problems {
            0 => format!("{lines}\nNo problem, {warnings} to look at."),
            _ => lines,
        }
    })?;
    match problems {
        0 => Ok(()),
        1 => Err(CliError::Refused("1 problem: do what its line says".into())),
        several => Err(CliError::Refused(format!("{several} problems: do what their lines say"))),
    }
}
