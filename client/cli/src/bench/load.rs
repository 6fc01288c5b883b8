//! Sending the ballots of a file, and what becomes of them.

use futures::future::try_join_all;
use psephos_client::{endpoints::TrusteeClient, Chain};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, sleep_until};

use super::{
    flood::{Kind, Source},
    ledger::Ledger,
    machine::Machine,
    network::NetworkArgs,
    own::Net,
    prepare::anchors,
    ready::{note_sent, Header, Reader},
    report::{Asked, Report, Steady},
    send::{Pace, Sender},
    setup::Prepared,
};
use crate::{error::CliError, output::Output};

/// Connections to each node, unless asked otherwise.
const PER_NODE: usize = 4;
/// How long ballots that were sent are waited for while none becomes final.
const DRAIN: Duration = Duration::from_secs(60);
/// How often the load is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Sends the ballots, watches what becomes final, and adds the figures to the report.
///
/// # Errors
/// When no node answers, or the file of ballots is damaged.
pub async fn load(
    args: &NetworkArgs,
    net: &Net,
    chain: &Chain,
    prepared: &Prepared,
    mut report: Report,
    out: &Output,
) -> Result<Report, CliError> {
    let election = &prepared.election;
    let connect = (0..report.asked.connections)
        .map(|connection| async move { Chain::connect(&net.nodes(connection)).await });
    let chains = try_join_all(connect).await?;
    let trustees = match args.trustees {
        None => Vec::new(),
        Some(_) => clients(net)?,
    };
    let ledger = Arc::<Ledger>::default();
    let source = source(args, prepared, chain, ledger.clone()).await?;
    let heights = anchors(chain).await?;
    let before = chain.election(&election.eid).await?.state.ballots;
    let from = chain.finalized().await?.number.saturating_add(1);
    let watch = tokio::spawn(ledger.clone().watch(chain.clone(), election.eid, from));

    let sender = Sender { chains, election: election.clone(), trustees, ledger: ledger.clone() };
    let start = Instant::now();
    let end = start + Duration::from_secs(args.duration);
    let pace = Pace { start, end, rate: args.rate, window: args.window as usize };
    let steady_from = start + Duration::from_secs(args.warmup());
    let reader = Reader::open(&prepared.path)?;
    let sending = async {
        let sent = sender.send(reader, &pace, &heights).await;
        (sent, Instant::now(), net.usage())
    };
    let flooding = try_join_all(args.mix.iter().map(|flood| source.run(*flood, &sender.chains, start, end)));
    let first_look = async {
        sleep_until(steady_from.into()).await;
        net.usage()
    };
    let showing = show(&ledger, start, args.duration, out);
    let ((sent, ended, after), floods, before_use) = tokio::select! {
        all = async { tokio::join!(sending, flooding, first_look) } => all,
        () = showing => return Err(CliError::Refused("the load ended early".into())),
    };
    let sent = sent?;
    if ended + LOOK < end {
        out.warn("the ballots were over before the time; prepare more with --ballots");
    }
    drain(&ledger, out).await;
    let header = Header { sent: prepared.header.sent + sent.ballots, next: sent.next, ..prepared.header };
    note_sent(&prepared.path, &header)?;
    watch.abort();

    report.floods = floods?;
    // Without a rate, the ballots may be over before the time is.
    let steady = Steady { start, from: steady_from.min(ended), to: end.min(ended) };
    report.count(&ledger.entries(), &steady);
    report.used(&before_use, &after);
    report.counted_by_chain =
        u64::from(chain.election(&election.eid).await?.state.ballots.saturating_sub(before));
    Ok(report)
}

fn clients(net: &Net) -> Result<Vec<TrusteeClient>, CliError> {
    let clients = net.trustees().into_iter().map(|(index, url)| TrusteeClient::new(index, "real", &url));
    Ok(clients.collect::<Result<_, _>>()?)
}

/// What floods are made from. The attackers' good ballots are prepared here.
async fn source(
    args: &NetworkArgs,
    prepared: &Prepared,
    chain: &Chain,
    ledger: Arc<Ledger>,
) -> Result<Source, CliError> {
    let (header, plan, anchor) = (&prepared.header, prepared.plan(args), chain.finalized().await?);
    let attackers = (header.voters..).take(header.attackers as usize);
    let attackers = attackers.map(|voter| Ok((voter, plan.ballot(voter, 1, anchor)?.signed)));
    let attackers = attackers.collect::<Result<Vec<_>, CliError>>()?;
    let others = args.mix.iter().any(|flood| !matches!(flood.kind, Kind::Junk | Kind::Duplicate));
    if attackers.is_empty() && others {
        return Err(CliError::file(&prepared.path, "was prepared without --mix; choose another --prepared"));
    }
    Ok(Source {
        election: prepared.election.clone(),
        closed: header.closed,
        keyring: prepared.keyring,
        attackers,
        trustees: prepared.played.clone(),
        path: prepared.path.clone(),
        ledger,
    })
}

/// Shows how the load goes, for ever.
async fn show(ledger: &Ledger, start: Instant, seconds: u64, out: &Output) {
    let progress = out.bar(seconds, "sending");
    loop {
        progress.set_position(start.elapsed().as_secs().min(seconds));
        let (sent, accepted) = {
            let entries = ledger.entries();
            (entries.sent, entries.accepted.len())
        };
        progress.set_message(format!("{sent} sent, {accepted} final"));
        sleep(LOOK).await;
    }
}

/// Waits for what is under way, as long as any of it becomes final.
async fn drain(ledger: &Ledger, out: &Output) {
    let progress = out.spinner("waiting for the rest to be final");
    let (mut last, mut since) = (usize::MAX, Instant::now());
    loop {
        let left = ledger.entries().under_way.len();
        if left < last {
            (last, since) = (left, Instant::now());
        }
        if left == 0 || since.elapsed() > DRAIN {
            break;
        }
        sleep(LOOK).await;
    }
    progress.finish_and_clear();
}

/// A report of what was asked for, without figures.
pub fn empty(args: &NetworkArgs, net: &Net, prepared: &Prepared) -> Report {
    let manifest = &prepared.election.manifest;
    Report {
        machine: Machine::this(),
        asked: Asked {
            form: args.form.to_string(),
            validators: net.validators(),
            trustees: manifest.trustees.len(),
            real_trustees: args.trustees.is_some(),
            one_core_each: args.one_core_each,
            quorum: manifest.quorum,
            rate: args.rate,
            window: args.window as usize,
            connections: args.connections.unwrap_or(PER_NODE * net.validators()).max(1),
            voters: prepared.header.voters,
        },
        prepared: prepared.took,
        ..Report::default()
    }
}
