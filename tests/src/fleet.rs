//! The processes of a network one by one: killed with SIGKILL by their pid, started again, looked after until
//! they follow again.

use anyhow::{bail, ensure, Context, Result};
use psephos_client::{chain::Chain, endpoints::TrusteeClient};
use psephos_protocol::{
    ids::{BallotHash, Eid},
    keys::PublicKey,
};
use rustix::process::{kill_process, Pid, Signal};
use std::{
    fmt,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

use crate::network::Network;

/// How long anything may take before it counts as stuck, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(240);
/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long one process may take to answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(5);

/// A process of the network, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Process {
    /// A node.
    Validator(u8),
    /// A trustee's daemon.
    Trustee(u8),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Validator(index) => write!(f, "validator-{index}"),
            Self::Trustee(index) => write!(f, "trustee-{index}"),
        }
    }
}

/// All of them, each with a connection of its own.
pub struct Fleet<'a> {
    network: &'a Network,
    nodes: Vec<Chain>,
    trustees: Vec<TrusteeClient>,
}

impl<'a> Fleet<'a> {
    /// Connects to every process of a network that is up.
    pub async fn of(network: &'a Network) -> Result<Self> {
        let mut nodes = Vec::new();
        for node in network.nodes() {
            nodes.push(Chain::connect(std::slice::from_ref(node)).await?);
        }
        let endpoints = network.endpoints()?;
        let trustees = endpoints
            .iter()
            .map(|(index, url)| TrusteeClient::new(index, &Process::Trustee(index).to_string(), url));
        Ok(Self { network, nodes, trustees: trustees.collect::<Result<_, _>>()? })
    }

    /// Connects to all nodes as somebody who asks this process's node first; `None` takes them in order.
    pub async fn chain_by(&self, first: Option<Process>) -> Result<Chain> {
        let mut nodes = self.network.nodes().to_vec();
        if let Some(Process::Validator(index)) = first {
            nodes.rotate_left(usize::from(index).saturating_sub(1));
        }
        Ok(Chain::connect(&nodes).await?)
    }

    /// A node that is not this process.
    pub fn witness(&self, but: Option<Process>) -> Result<&Chain> {
        let skipped = |index: u8| but == Some(Process::Validator(index));
        let mut nodes = (1u8..).zip(&self.nodes).filter(|(index, _)| !skipped(*index));
        Ok(nodes.next().context("a network has several nodes")?.1)
    }

    /// A trustee's client, counted from 1.
    pub fn trustee(&self, index: u8) -> Result<&TrusteeClient> {
        self.trustees.get(usize::from(index).wrapping_sub(1)).context("there is such a trustee")
    }

    /// Kills a process, at once and without a word.
    pub fn kill(&self, process: Process) -> Result<()> {
        self.signal(process, Signal::KILL)
    }

    /// Halts a process until [`Self::go_on`]: a machine that has no time for it.
    pub fn halt(&self, process: Process) -> Result<()> {
        self.signal(process, Signal::STOP)
    }

    /// Lets a process go on.
    pub fn go_on(&self, process: Process) -> Result<()> {
        self.signal(process, Signal::CONT)
    }

    fn signal(&self, process: Process, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.network.pid(&process.to_string())?).context("a pid is not 0")?;
        kill_process(pid, signal).with_context(|| process.to_string())
    }

    /// Starts a process again, as soon as the one that was killed is gone.
    pub async fn restart(&self, process: Process) -> Result<()> {
        let name = process.to_string();
        let end = Instant::now() + PATIENCE;
        loop {
            match self.network.restart(&name) {
                Err(_) if Instant::now() < end => sleep(POLL).await,
                outcome => return outcome,
            }
        }
    }

    /// Waits until every node has finalized, and every trustee followed, what any node had finalized when this began,
    /// and every trustee serves these elections.
    pub async fn healthy(&self, elections: &[Eid]) -> Result<()> {
        let mut goal = 0;
        until("every node to answer", async || {
            for node in &self.nodes {
                goal = goal.max(timeout(ANSWER, node.finalized()).await??.number);
            }
            Ok(true)
        })
        .await?;
        until(&format!("every process to come to block {goal}"), async || {
            for (index, node) in (1u8..).zip(&self.nodes) {
                let height = timeout(ANSWER, node.finalized()).await??.number;
                ensure!(height >= goal, "{} is at block {height}", Process::Validator(index));
            }
            for trustee in &self.trustees {
                let status = timeout(ANSWER, trustee.status()).await??;
                let height = status.finalized;
                ensure!(height >= goal, "{} is at block {height}", trustee.name());
                let serves = |eid: &Eid| status.served.iter().any(|served| served.eid == eid.to_string());
                ensure!(elections.iter().all(serves), "{} serves not all elections", trustee.name());
            }
            Ok(true)
        })
        .await
    }

    /// Whether one of the nodes proves now, at a finalized header, that this is the credential's ballot.
    pub async fn is_proved(&self, eid: &Eid, credential: &PublicKey, ballot: &BallotHash) -> bool {
        for node in &self.nodes {
            if proves(node, eid, credential, ballot).await {
                return true;
            }
        }
        false
    }

    /// The names of the nodes that don't prove that this is the credential's ballot.
    pub async fn doubters(&self, eid: &Eid, credential: &PublicKey, ballot: &BallotHash) -> Vec<Process> {
        let mut doubters = Vec::new();
        for (index, node) in (1u8..).zip(&self.nodes) {
            if !proves(node, eid, credential, ballot).await {
                doubters.push(Process::Validator(index));
            }
        }
        doubters
    }
}

async fn proves(node: &Chain, eid: &Eid, credential: &PublicKey, ballot: &BallotHash) -> bool {
    let recorded = timeout(ANSWER, node.recorded_ballot(eid, credential)).await;
    matches!(recorded, Ok(Ok(Some((recorded, _)))) if recorded.hash == *ballot)
}

/// Waits for a condition; what can't be asked now is asked again.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let outcome = holds().await;
        if let Ok(true) = outcome {
            return Ok(());
        }
        if Instant::now() > end {
            let seconds = PATIENCE.as_secs();
            let why = outcome.err().map(|error| format!(": {error:#}")).unwrap_or_default();
            bail!("waited {seconds} s for {what}{why}");
        }
        sleep(POLL).await;
    }
}
