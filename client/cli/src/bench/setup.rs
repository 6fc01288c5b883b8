//! An election that is open, and prepared ballots for it.

use psephos_client::{open_election, voter::generators, Chain};
use psephos_protocol::{election::Election, ids::Eid, keys::SigningKey, manifest::Trustee, state::Phase};
use psephos_trustee::Keys;
use rand_core::{OsRng, RngCore};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    flood::Kind,
    keyring::{self, Keyring},
    network::NetworkArgs,
    own::Net,
    prepare::{anchors, Plan},
    ready::{Header, Reader, Writer},
    stage,
};
use crate::{context::Context, error::CliError, output::Output};

/// Trustees that this command plays unless real ones are asked for.
const PLAYED: u8 = 5;
/// The file of ballots, unless one is named.
const FILE: &str = "ballots.bench";

/// An election that is open, and a file of ballots for it.
pub struct Prepared {
    /// The election.
    pub election: Election,
    /// The keys of all who take part.
    pub keyring: Keyring,
    /// The trustees' keys; none if they are real.
    pub played: Vec<Keys>,
    /// The file.
    pub path: PathBuf,
    /// Its header.
    pub header: Header,
    /// Ballots that were prepared now, and the seconds that it took.
    pub took: Option<(u64, f64)>,
}

impl Prepared {
    /// How its ballots are prepared.
    #[must_use]
    pub fn plan(&self, args: &NetworkArgs) -> Plan {
        plan(args, &self.election, &self.keyring, self.header.voters, &self.played)
    }
}

/// Opens the election and the file of an earlier run, or makes both.
///
/// # Errors
/// What the chain says, or that the file is of another election.
pub async fn prepare(
    args: &NetworkArgs,
    net: &Net,
    chain: &Chain,
    context: &Context,
) -> Result<Prepared, CliError> {
    let path = args.prepared.clone().unwrap_or_else(|| net.folder().join(FILE));
    if path.exists() {
        return reopen(args, &path, chain).await;
    }
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    let keyring = Keyring(seed);
    let board = net.board_keys(&chain.chain_board().await?, context)?;
    let played = played(args, &keyring);
    let named = match args.trustees {
        None => keyring.trustees(PLAYED)?,
        Some(_) => {
            let keys = net.trustee_keys(context)?;
            keys.iter().map(|(name, keys)| keyring::named(name, keys)).collect::<Result<_, _>>()?
        }
    };
    let voters = args.voters();
    let on_roll = voters.saturating_add(args.attackers());
    let manifest = keyring::manifest(&args.form, &keyring, named.clone(), threshold(args), on_roll)?;
    let closed = match args.mix.iter().any(|flood| flood.kind == Kind::Closed) {
        true => Some(closed(chain, &board, args, &keyring, &played, named, context).await?),
        false => None,
    };
    let progress = context.out.spinner("making the election");
    let election = stage::create(chain, &board, manifest, &played).await?;
    progress.finish_and_clear();
    stage::enroll(chain, &election, &keyring, on_roll, &context.out).await?;
    let progress = context.out.spinner("opening the election");
    stage::open(chain, &election.eid, &keyring).await?;
    progress.finish_and_clear();
    let header = Header {
        genesis: chain.genesis(),
        eid: election.eid,
        seed,
        voters,
        attackers: args.attackers(),
        closed,
        ballots: 0,
        sent: 0,
        next: 0,
    };
    let plan = plan(args, &election, &keyring, voters, &played);
    let started = Instant::now();
    let header = write(plan, chain, &path, header, &context.out).await?;
    let took = Some((header.ballots, started.elapsed().as_secs_f64()));
    Ok(Prepared { election, keyring, played, path, header, took })
}

/// How many trustees open the tally: of those that are played three, of real ones two.
fn threshold(args: &NetworkArgs) -> u8 {
    if args.trustees.is_some() {
        2
    } else {
        3
    }
}

fn played(args: &NetworkArgs, keyring: &Keyring) -> Vec<Keys> {
    let count = if args.trustees.is_some() { 0 } else { PLAYED };
    (1..=count).map(|index| keyring.trustee(index)).collect()
}

fn plan(args: &NetworkArgs, election: &Election, keyring: &Keyring, voters: u32, played: &[Keys]) -> Plan {
    Plan {
        election: election.clone(),
        generators: generators(election),
        form: args.form,
        keyring: *keyring,
        voters,
        ballots: args.ballots(),
        trustees: (!played.is_empty()).then(|| played.to_vec()),
    }
}

async fn write(
    plan: Plan,
    chain: &Chain,
    path: &Path,
    header: Header,
    out: &Output,
) -> Result<Header, CliError> {
    let anchors = anchors(chain).await?;
    let mut writer = Writer::create(path, header)?;
    let (asked, progress) = (plan.ballots, out.bar(plan.ballots, "preparing ballots"));
    let shown = progress.clone();
    let written = tokio::task::spawn_blocking(move || {
        plan.write(&anchors, &mut writer, |done| shown.set_position(done))?;
        writer.finish()
    });
    let header = written.await.map_err(CliError::input)??;
    progress.finish_and_clear();
    if header.ballots < asked {
        out.warn(&format!(
            "only {} of {asked} ballots were prepared: the first would expire before they are sent; give fewer \
             --ballots, or measure in parts",
            header.ballots
        ));
    }
    Ok(header)
}

async fn reopen(args: &NetworkArgs, path: &Path, chain: &Chain) -> Result<Prepared, CliError> {
    let header = *Reader::open(path)?.header();
    if header.genesis != chain.genesis() {
        return Err(CliError::file(path, "is for another network; choose another --prepared"));
    }
    if chain.election(&header.eid).await?.state.phase != Phase::Open {
        return Err(CliError::file(path, "is for an election that is not open; choose another --prepared"));
    }
    let election = open_election(chain, &header.eid).await?;
    let keyring = Keyring(header.seed);
    let played = played(args, &keyring);
    Ok(Prepared { election, keyring, played, path: path.into(), header, took: None })
}

/// An election that was opened, and is closed.
async fn closed(
    chain: &Chain,
    board: &[SigningKey],
    args: &NetworkArgs,
    keyring: &Keyring,
    played: &[Keys],
    named: Vec<Trustee>,
    context: &Context,
) -> Result<Eid, CliError> {
    let progress = context.out.spinner("making an election that is closed");
    let manifest = keyring::manifest(&args.form, keyring, named, threshold(args), 1)?;
    let election = stage::create(chain, board, manifest, played).await?;
    stage::enroll(chain, &election, keyring, 1, &context.out).await?;
    stage::open(chain, &election.eid, keyring).await?;
    stage::close(chain, &election.eid, keyring).await?;
    progress.finish_and_clear();
    Ok(election.eid)
}
