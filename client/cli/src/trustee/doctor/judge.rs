//! What is a problem for a trustee, and what to do about it.

use psephos_client::{trustee_api::TrusteeStatus, NodeFailure, NodeHealth};
use psephos_protocol::{
    bounds::show,
    election::Election,
    ids::Genesis,
    keys::PublicKey,
    state::{ElectionState, Phase},
};
use psephos_trustee::store::{Look, StoreError};
use serde::Serialize;
use std::{fmt, path::Path};

/// Bytes of a deposit in the store, of an ordinary ballot.
const DEPOSIT: u64 = 4 * 1024;
/// Room is kept for so many deposits per voter: some vote again, and a database needs air.
const DEPOSITS_PER_VOTER: u64 = 2;
/// With less than this a store should not begin.
const LEAST_ROOM: u64 = 64 * 1024 * 1024;
/// How far this machine's clock may be from the chain's, in ms.
const DRIFT: u64 = 60_000;
/// Blocks that a node or daemon may be behind.
const LAG: u32 = 20;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It may be right, or becomes a problem later.
    Warning,
    /// The trustee can't do its duty.
    Problem,
}

/// A thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    /// A thing that is as it should be.
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, text: text.into(), fix: None }
    }

    /// A thing to look at.
    pub fn warning(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, text: text.into(), fix: Some(fix.into()) }
    }

    /// A thing to mend.
    pub fn problem(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Problem, text: text.into(), fix: Some(fix.into()) }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        write!(f, "{verdict:<8} {:<9} {}", self.check, self.text)?;
        if let Some(fix) = &self.fix {
            write!(f, " -> {fix}")?;
        }
        writeln!(f)
    }
}

/// A KEM key that does not work.
pub fn kem(reason: &str) -> Check {
    Check::problem(
        "kem key",
        format!("does not open what is sealed to it: {reason}"),
        "make the key file again from the recovery sheet or a backup: psephos trustee restore",
    )
}

/// Nodes, in the order in which the daemon asks them.
pub fn nodes(nodes: &[Result<NodeHealth, NodeFailure>]) -> Vec<Check> {
    let first = nodes.iter().flatten().next();
    let highest = nodes.iter().flatten().map(|node| node.finalized.number).max().unwrap_or(0);
    nodes
        .iter()
        .map(|answer| match (answer, first) {
            (Err(failure), None) => Check::problem(
                "node",
                failure.to_string(),
                "start the node, or give another with --node: without one the trustee can do nothing",
            ),
            (Err(failure), Some(_)) => Check::warning(
                "node",
                failure.to_string(),
                "the others are asked instead; start it again, or leave it out",
            ),
            (Ok(node), first) => match first {
                Some(first) if first.genesis != node.genesis => Check::problem(
                    "node",
                    format!("{} is of another chain than {}", node.endpoint, first.endpoint),
                    "leave out the one that is not of this election's chain",
                ),
                _ => self::node(node, highest),
            },
        })
        .collect()
}

fn node(node: &NodeHealth, highest: u32) -> Check {
    let number = node.finalized.number;
    let text = format!("{} has finalized block {number}, peers: {}", node.endpoint, node.peers);
    if highest.saturating_sub(number) > LAG {
        return Check::warning(
            "node",
            format!("{text}; another has block {highest}"),
            "wait until it has caught up, or ask the other first",
        );
    }
    if node.syncing {
        return Check::warning(
            "node",
            format!("{text}; it is still fetching blocks"),
            "wait until it is done",
        );
    }
    if node.best.saturating_sub(number) > LAG {
        return Check::warning(
            "node",
            format!("{text}, and the best is {}", node.best),
            "nothing is final: ask the operators whether two thirds of the validators run",
        );
    }
    Check::ok("node", text)
}

/// The last block's time and this machine's, in ms.
pub fn clock(block: u64, now: u64) -> Check {
    let seconds = |ms: u64| ms / 1_000;
    if block.saturating_sub(now) > DRIFT {
        return Check::problem(
            "clock",
            format!("this machine's clock is {} s behind the last block", seconds(block - now)),
            "set it, and let it be set by the network: timedatectl set-ntp true",
        );
    }
    if now.saturating_sub(block) > DRIFT {
        return Check::warning(
            "clock",
            format!("the last block is {} s old", seconds(now - block)),
            "see whether this machine's clock is fast; if not, the chain stands still: ask the operators",
        );
    }
    Check::ok("clock", format!("within {} s of the last block", seconds(DRIFT)))
}

/// An election that can't be served.
pub fn election(reason: String) -> Check {
    Check::problem(
        "election",
        reason,
        "see that --key is the file made for this election, and tell the board",
    )
}

/// An election whose manifest has both keys.
pub fn duty(election: &Election, state: &ElectionState, index: u8) -> Check {
    let text = format!(
        "{:?} names both keys as trustee {index} of {}; phase {}",
        show(&election.manifest.title),
        election.manifest.trustees.len(),
        state.phase
    );
    if state.accepted.contains(&index) || state.phase != Phase::Setup {
        return Check::ok("election", text);
    }
    Check::warning(
        "election",
        format!("{text}; not accepted yet"),
        format!("read it with `psephos audit show {0}`, then `psephos trustee accept`", election.eid),
    )
}

/// Whether a trustee must be there in this phase.
pub fn is_needed(phase: Phase) -> bool {
    matches!(phase, Phase::Open | Phase::Closed | Phase::Agreed)
}

/// The folder of a store.
pub struct Store {
    /// What its store says, if there is one.
    pub look: Option<Look>,
    /// Whether the folder exists.
    pub folder: bool,
    /// Whether a file can be made in it.
    pub writable: bool,
}

/// The store in a folder, and whose it should be as far as that is known.
pub fn store(
    folder: &Path,
    store: &Result<Store, StoreError>,
    (key, genesis): (Option<PublicKey>, Option<Genesis>),
) -> Check {
    let shown = folder.display();
    let store = match store {
        Ok(store) => store,
        Err(StoreError::InUse(_)) => {
            return Check::ok(
                "store",
                format!("{shown} is locked by a running daemon, which is asked instead"),
            )
        }
        Err(error @ StoreError::NotClosed(_)) => {
            return Check::warning("store", error.to_string(), "start the daemon")
        }
        Err(error) => {
            return Check::problem(
                "store",
                error.to_string(),
                "run this as the user of the daemon; if the file is damaged, put a copy back",
            )
        }
    };
    if !store.folder {
        return Check::warning(
            "store",
            format!("there is no folder {shown}"),
            "see that --data is right; the daemon makes it when it first starts",
        );
    }
    if !store.writable {
        return Check::problem(
            "store",
            format!("nothing can be written to {shown}"),
            "run this as the user of the daemon, and see whether the disk is full or read-only",
        );
    }
    let Some(look) = &store.look else {
        return Check::ok("store", format!("{shown} is empty: the daemon has not run yet"));
    };
    if key.is_some_and(|key| key != look.identity.signing) {
        return Check::problem(
            "store",
            format!("{shown} belongs to another trustee key"),
            "give the --key that it was made with, or another --data",
        );
    }
    if genesis.is_some_and(|genesis| genesis != look.identity.genesis) {
        return Check::problem(
            "store",
            format!("{shown} belongs to another chain"),
            "give a --node of that chain, or another --data",
        );
    }
    let deposits: u64 = look.deposits.values().sum();
    Check::ok("store", format!("{shown} belongs to this key, deposits: {deposits}"))
}

/// Room on the disk.
pub struct Room {
    /// Free bytes, or why they are not known.
    pub free: Result<u64, String>,
    /// Bytes of the store as it is.
    pub used: u64,
    /// Voters whose deposits are expected.
    pub voters: u64,
}

/// How many voters an election will have at the most.
pub fn roll(election: &Election, state: &ElectionState) -> u64 {
    match state.phase {
        Phase::Setup | Phase::Registration => u64::from(election.manifest.max_voters),
        _ => u64::from(state.entries),
    }
}

/// Whether the store will have room.
pub fn room(room: &Room) -> Check {
    const FREE: &str = "make room, or move the store with the daemon stopped";
    let free = match &room.free {
        Ok(free) => *free,
        Err(error) => return Check::warning("disk", format!("free space is not known: {error}"), FREE),
    };
    let need = room.voters.saturating_mul(DEPOSIT * DEPOSITS_PER_VOTER).saturating_sub(room.used);
    let text = match room.voters {
        0 => format!(
            "{} free; a store needs about {} per voter",
            bytes(free),
            bytes(DEPOSIT * DEPOSITS_PER_VOTER)
        ),
        voters => format!("{} free, {} to come for {voters} voters", bytes(free), bytes(need)),
    };
    if free < LEAST_ROOM || free < need / DEPOSITS_PER_VOTER {
        return Check::problem("disk", text, FREE);
    }
    if free < need {
        return Check::warning("disk", text, FREE);
    }
    Check::ok("disk", text)
}

fn bytes(bytes: u64) -> String {
    let mut unit = "KiB";
    let mut amount = bytes.div_ceil(1024);
    for larger in ["MiB", "GiB", "TiB"] {
        if amount < 10 * 1024 {
            break;
        }
        (amount, unit) = (amount.div_ceil(1024), larger);
    }
    format!("{amount} {unit}")
}

/// A daemon that was asked for its status.
pub struct Daemon {
    /// Its address.
    pub url: String,
    /// Whether the address was given.
    pub asked: bool,
    /// Whether somebody holds the store.
    pub locked: bool,
    /// What it said, or why not.
    pub answer: Result<TrusteeStatus, String>,
}

/// Whether the daemon is there, has the key's name and follows the chain; `serving` if it must be there now.
pub fn daemon(daemon: &Daemon, name: Option<&str>, finalized: Option<u32>, serving: bool) -> Check {
    let url = &daemon.url;
    let status = match &daemon.answer {
        Ok(status) => status,
        Err(reason) if daemon.asked => {
            return Check::problem(
                "daemon",
                format!("no trustee answers at {url}: {reason}"),
                "see that the daemon runs and that proxy and firewall let voters through to it",
            )
        }
        Err(_) if daemon.locked => {
            return Check::warning(
                "daemon",
                format!("one holds the store, but does not answer at {url}"),
                "give its address with --url",
            )
        }
        Err(_) if serving => {
            return Check::problem(
                "daemon",
                format!("none runs at {url}, and an election needs it now"),
                "start it at once: psephos trustee run",
            )
        }
        Err(_) => {
            return Check::warning(
                "daemon",
                format!("none runs at {url}"),
                "start it before voting opens: psephos trustee run; or give its address with --url",
            )
        }
    };
    let text = format!("{:?} answers at {url}, followed to block {}", status.name, status.finalized);
    if finalized.is_some_and(|finalized| finalized.saturating_sub(status.finalized) > LAG) {
        return Check::warning(
            "daemon",
            format!("{text}, far behind its nodes"),
            "wait a minute and look again; then look at its log",
        );
    }
    if name.is_some_and(|name| name != status.name) {
        return Check::warning(
            "daemon",
            format!("{text}, under another name than the key file's"),
            "see that --url is this trustee's address",
        );
    }
    Check::ok("daemon", text)
}

/// Accepted ballots of an election and the deposits that are kept.
pub fn shares(title: &str, state: &ElectionState, kept: u64, by: &str) -> Check {
    let (ballots, counted) = (u64::from(state.ballots), u64::from(state.counted));
    let text = format!("{title:?} has {ballots} ballots, {by} keeps {kept} deposits");
    if kept < counted {
        return Check::problem(
            "shares",
            format!("{text}: {} counted ones or more are missing", counted - kept),
            "keep the daemon running, late shares come for ten minutes after a ballot; tell the board: without \
             every share this trustee can't contribute",
        );
    }
    if kept < ballots {
        return Check::warning(
            "shares",
            format!("{text}: some are missing, perhaps only of ballots that were replaced"),
            "keep the daemon running, late shares come for ten minutes after a ballot; compare with other trustees",
        );
    }
    Check::ok("shares", text)
}

/// A daemon that does not serve an election.
pub fn not_served(title: &str, state: &ElectionState, index: u8, eid: &str) -> Check {
    if state.accepted.contains(&index) {
        return Check::problem(
            "shares",
            format!("the daemon does not serve {title:?}, which this trustee accepted"),
            "see that it runs with this key and a node of this chain; otherwise restart it and look at its log",
        );
    }
    Check::warning(
        "shares",
        format!("the daemon does not serve {title:?} yet, because it is not accepted"),
        format!("read it with `psephos audit show {eid}`, then `psephos trustee accept`"),
    )
}

/// A daemon with another trustee's key.
pub fn other_trustee(title: &str, found: u8, index: u8, url: &str) -> Check {
    Check::problem(
        "shares",
        format!("at {url} trustee {found} of {title:?} answers, and this key is trustee {index}'s"),
        "give the --url of this trustee, or its --key; see that voters' lists have the right address",
    )
}

#[cfg(test)]
mod tests;
