//! The network, the elections on it, and who is killed when.

use anyhow::Result;
use futures::future::try_join;
use psephos_client::{keystore::KeyRole, voter::Voting};
use psephos_protocol::{election::Election, ids::Eid, keys::PublicKey, state::Phase};
use psephos_tests::{
    election::Officials,
    fleet::{until, Fleet, Process},
    network::{path, Network},
    person::Person,
    ranked::Ranking,
    shown::Shown,
    voting::Voter,
};
use rand_chacha::{rand_core::RngCore, ChaCha20Rng};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Instant,
};

/// Processes of a kind.
const EACH: u8 = 4;

/// A point of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    Registration,
    Receipt,
    InBlock,
    Final,
    Closing,
    Agreement,
    Contribution,
    Tallied,
    Export,
}

impl Point {
    /// Those of a ballot's way.
    pub const CASTING: [Self; 3] = [Self::Receipt, Self::InBlock, Self::Final];
}

/// A kind of process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Validator,
    Trustee,
}

/// One election.
pub struct Contest {
    pub election: Election,
    pub officials: Officials,
    pub options: Vec<String>,
    /// Whether people act through the command, otherwise through the library.
    pub by_commands: bool,
    /// Codes of the invitations.
    pub codes: Vec<String>,
    /// Those who have not voted yet, through the library.
    pub voters: Vec<Voter>,
    /// Those who have not voted yet, through the command.
    pub people: Vec<(Person, PublicKey)>,
    /// What every voter wants.
    pub votes: BTreeMap<PublicKey, Ranking>,
}

impl Contest {
    pub fn eid(&self) -> &Eid {
        &self.election.eid
    }
}

/// All that a case needs.
pub struct Scene<'a> {
    pub network: &'a Network,
    pub fleet: Fleet<'a>,
    pub shown: Shown,
    pub eids: Vec<Eid>,
    dir: PathBuf,
    turns: [Mutex<Vec<u8>>; 2],
    killed: Mutex<Vec<(Point, String)>>,
    started: Instant,
}

impl<'a> Scene<'a> {
    pub async fn of(network: &'a Network, dir: &Path, draw: &mut ChaCha20Rng) -> Result<Self> {
        let mut shuffled = || {
            let mut turns: Vec<u8> = (1..=EACH).collect();
            turns.sort_by_cached_key(|_| draw.next_u64());
            Mutex::new(turns)
        };
        Ok(Self {
            network,
            fleet: Fleet::of(network).await?,
            shown: Shown::default(),
            eids: Vec::new(),
            dir: dir.to_path_buf(),
            turns: [shuffled(), shuffled()],
            killed: Mutex::default(),
            started: Instant::now(),
        })
    }

    /// Somebody with a device of their own.
    pub fn person(&self, name: &str) -> Result<Person> {
        Person::new(self.dir.join(name), self.network)
    }

    /// A key file of the network.
    pub fn key(&self, role: KeyRole, index: u8) -> Result<String> {
        let file = self.network.dir().join("keys").join(format!("{role}-{index}.key"));
        path(&file).map(str::to_owned)
    }

    /// A connection of somebody who asks the victim's node first.
    pub async fn voting(&self, contest: &Contest, victim: Process) -> Result<Voting> {
        let chain = self.fleet.chain_by(Some(victim)).await?;
        Ok(Voting::open(&chain, contest.eid()).await?)
    }

    /// Whose turn it is among the processes of a kind.
    pub fn victim(&self, kind: Kind) -> Process {
        let mut turns = self.turns[kind as usize].lock().unwrap();
        turns.rotate_left(1);
        match kind {
            Kind::Validator => Process::Validator(turns[0]),
            Kind::Trustee => Process::Trustee(turns[0]),
        }
    }

    /// Notes who was killed, and says so.
    pub fn note(&self, point: Point, victim: impl ToString) {
        let victim = victim.to_string();
        println!("[{:>6.1} s] {point:?}: kill -9 {victim}", self.started.elapsed().as_secs_f64());
        self.killed.lock().unwrap().push((point, victim));
    }

    /// Kills a process when the point is reached, and starts it again.
    pub async fn strike(
        &self,
        point: Point,
        victim: Process,
        reached: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        reached.await?;
        self.fleet.kill(victim)?;
        self.note(point, victim);
        self.fleet.restart(victim).await
    }

    /// Waits until all processes are back: nothing that was promised is lost.
    pub async fn recovered(&self) -> Result<()> {
        self.fleet.healthy(&self.eids).await?;
        self.shown.stand(&self.fleet).await?;
        self.shown.receipts_stand(&self.fleet).await
    }

    /// Waits for a point of an election as another process than the victim sees it, before it is final.
    pub async fn reached(&self, point: Point, eid: &Eid, victim: Process) -> Result<()> {
        let chain = self.fleet.witness(Some(victim))?.at_best();
        until(&format!("{point:?}"), async || {
            let state = chain.election(eid).await?.state;
            let tally = chain.tally(eid).await?;
            Ok(match point {
                Point::Registration => state.voters > 0,
                Point::Closing => state.closing.is_some() || state.phase == Phase::Closed,
                Point::Agreement => !tally.agreements.is_empty(),
                Point::Contribution => state.agreed.is_some(),
                _ => tally.result.is_some(),
            })
        })
        .await
    }

    /// Two members of the board decide by their own commands, of which the first is cut off once its approval is
    /// in a block, and run again.
    pub async fn decide(&self, point: Point, contest: &Contest, act: &str) -> Result<()> {
        let (eid, chain) = (*contest.eid(), self.fleet.witness(None)?.at_best());
        let approved = until("the first approval", async || {
            Ok(chain.proposals().await?.iter().any(|waiting| waiting.action.eid() == Some(eid)))
        });
        let (name, keys) = (eid.to_string(), [self.key(KeyRole::Board, 1)?, self.key(KeyRole::Board, 2)?]);
        let [first, second] = keys.each_ref().map(|key| ["board", act, "--election", &name, "--key", key]);
        let member = self.person("board-1")?;
        member.cut_off(&first, approved).await?;
        self.note(point, "a board member's client");
        let other = self.person("board-2")?;
        try_join(member.run(&first), other.run(&second)).await.map(|_| ())
    }

    /// A trustee that has not contributed yet, if there is one.
    pub async fn before_contribution(&self, eid: &Eid) -> Result<Process> {
        let tally = self.fleet.witness(None)?.at_best().tally(eid).await?;
        let contributed = |victim: &Process| {
            tally.contributions.iter().any(|contribution| *victim == Process::Trustee(contribution.trustee))
        };
        let mut turns = (0..EACH).map(|_| self.victim(Kind::Trustee));
        Ok(turns.find(|victim| !contributed(victim)).unwrap_or_else(|| self.victim(Kind::Trustee)))
    }

    pub fn every_process_was_killed(&self) -> bool {
        let killed = self.killed.lock().unwrap();
        let was_killed = |process: Process| killed.iter().any(|(_, victim)| *victim == process.to_string());
        (1..=EACH).all(|index| was_killed(Process::Validator(index)) && was_killed(Process::Trustee(index)))
    }
}

impl fmt::Display for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut points: BTreeMap<Point, Vec<&str>> = BTreeMap::new();
        let killed = self.killed.lock().unwrap();
        killed.iter().for_each(|(point, victim)| points.entry(*point).or_default().push(victim));
        points.iter().try_for_each(|(point, victims)| {
            let point = format!("{point:?}");
            writeln!(f, "{point:<14}{}", victims.join(", "))
        })
    }
}
