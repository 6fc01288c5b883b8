//! The demonstration: a real election from an empty folder to a verified record, with crashes.

use anyhow::{ensure, Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use psephos_client::{
    chain::Chain,
    endpoints::TrusteeClient,
    record, tally,
    voter::{VoterReceipt, Voting},
};
use psephos_protocol::{ids::Eid, wire::Message};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rand_core::{OsRng, RngCore};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::{
    doctor,
    election::{self, Officials, PATIENCE},
    fleet::until,
    liar,
    network::{Network, Size},
    ranked::{plain_count, Ballots, Ranking},
    receipt, table, twice, verify,
    voting::{self, Voter},
};

/// Voters who vote again with another choice.
const REVOTERS: usize = 5;
/// Voters who audit a ballot before they vote.
const AUDITORS: usize = 2;
/// The trustee that is killed and loses its store, and the validator that is killed and comes back.
const LOST_TRUSTEE: u8 = 4;
const CRASHED_VALIDATOR: u8 = 3;

/// What to run.
pub struct Demo {
    /// The file with ranked ballots.
    pub ballots: PathBuf,
    /// How many voters are drawn from it.
    pub voters: usize,
    /// The folder for network and record; made if need be, must be empty.
    pub dir: PathBuf,
    /// Whether the network goes on at the end.
    pub keep: bool,
    /// The seed of the draw; a random one if none.
    pub seed: Option<u64>,
    /// The first of the network's ports.
    pub base_port: u16,
}

/// What came out.
pub struct Outcome {
    /// The election record.
    pub record: PathBuf,
    /// Whether every total is the plain count and the offline verifier agrees.
    pub equal: bool,
}

/// Says what happens now, with the time since the start.
struct Story(Instant);

impl Story {
    fn tell(&self, text: &str) {
        println!("[{:>6.1} s] {text}", self.0.elapsed().as_secs_f64());
    }

    fn bar(&self, length: usize, what: &str) -> Result<ProgressBar> {
        let style = ProgressStyle::with_template("           {msg} [{bar:32}] {pos}/{len} ({eta} left)")?;
        Ok(ProgressBar::new(length as u64).with_style(style).with_message(what.to_owned()))
    }
}

/// Runs the demonstration.
pub async fn run(demo: &Demo) -> Result<Outcome> {
    let story = Story(Instant::now());
    let file = Ballots::load(&demo.ballots)?;
    ensure!(demo.voters > REVOTERS + AUDITORS, "--voters: at least {} are needed", REVOTERS + AUDITORS + 1);
    let seed = demo.seed.unwrap_or_else(|| OsRng.next_u64());
    let mut draw = ChaCha20Rng::seed_from_u64(seed);
    let mut rankings = file.draw(demo.voters, &mut draw)?;
    story.tell(&format!(
        "{} voters drawn from the {} ballots of {} (--seed {seed} draws the same)",
        demo.voters,
        file.len(),
        demo.ballots.display()
    ));

    let size = Size { validators: 4, trustees: 4, base_port: demo.base_port, rehearsal: true };
    story.tell("starting 4 validators and 4 trustees (t = 2, q = 3)");
    let mut network = Network::start(&demo.dir.join("network"), size)?;
    let chain = network.connect().await?;
    story.tell(&format!("blocks are final; the chain is {}", chain.genesis()));

    story.tell(
        "the trustees rehearse, one of them held back; until then the chain freezes no election of theirs",
    );
    for line in network.rehearse()? {
        println!("           | {line}");
    }
    story.tell("the rehearsal is certified");

    let (election, officials) =
        election::create(&chain, &network, size, "Demonstration", &file.options).await?;
    let eid = election.eid;
    story.tell(&format!("two of three board members created election {eid}; every trustee accepted"));

    let voters = enroll(&story, &chain, &officials, &election, rankings.clone()).await?;
    let voting = Voting::open(&chain, &eid).await?;
    officials.open(&chain, &eid).await?;
    story.tell("the board froze the roll; voting is open");

    for voter in voters.iter().take(AUDITORS) {
        let code = voting::audit(&voting, voter).await?;
        story.tell(&format!("a voter audited ballot {code} on another device: it holds what they chose"));
    }
    let (nodes, some) = (network.nodes().get(..2), voters.get(..twice::VOTERS));
    twice::is_harmless(&voting, nodes.unwrap_or_default(), some.unwrap_or_default()).await?;
    story.tell("a voter cast two ballots by two nodes at once: one counts, and no ballot that travelled with them was lost");
    let started = Instant::now();
    let mut receipts = cast_with_crashes(&story, &voting, &network, &voters).await?;
    let took = started.elapsed();
    let replaced = receipts.first().cloned().context("somebody voted")?;

    let mut again = Vec::new();
    for voter in voters.iter().take(REVOTERS) {
        let ranking = another(&file, &voter.ranking, &mut draw)?;
        again.push(Voter { credential: voter.credential.clone(), ranking });
    }
    for (place, receipt) in voting::cast_all(&voting, &again, |_| ()).await?.into_iter().enumerate() {
        receipts[place] = receipt;
        rankings[place] = again[place].ranking.clone();
    }
    story.tell(&format!("{REVOTERS} voters voted again with another choice"));

    restore(&network, &eid, voters.len()).await?;
    story.tell(&format!(
        "started trustee-{LOST_TRUSTEE} again with an empty store; the others helped it to its shares of all ballots"
    ));
    let well = doctor::diagnose(&network, &eid, 1, 1)?;
    ensure!(well.is_well(), "trustee-1 is well, and its doctor finds {well:?}");
    story.tell("trustee-1's doctor finds all in order");
    officials.close(&chain, &eid).await?;
    story.tell("the board closed voting");
    let tallied = tally::tally(&chain, &eid, PATIENCE).await?;
    story.tell(&format!("trustees {:?} opened the sums", tallied.result.contributors.to_vec()));
    officials.certify(&chain, &eid).await?;
    story.tell("the board certified the result");

    check_recorded(&chain, &eid, &receipts).await?;
    story.tell(&format!("all {} ballots that were shown as recorded are on the chain", receipts.len()));
    let record = demo.dir.join("election.psephos");
    let exported = record::export(&chain, &eid, &record, |_| ()).await?;
    story.tell(&format!("{}: {} messages, {} bytes", record.display(), exported.messages, exported.bytes));

    let crashed = network.nodes().iter().skip(usize::from(CRASHED_VALIDATOR) - 1).take(1).cloned();
    let crashed = Chain::connect(&crashed.collect::<Vec<_>>()).await?;
    let again = demo.dir.join("again.psephos");
    record::export(&crashed, &eid, &again, |_| ()).await?;
    ensure!(fs::read(&record)? == fs::read(&again)?, "validator-{CRASHED_VALIDATOR} gives another record");
    story.tell(&format!("validator-{CRASHED_VALIDATOR}, which had crashed, gives the very same bytes"));

    receipt::is("replaced", &replaced, network.nodes(), &record, &demo.dir)?;
    for counts in receipts.iter().take(1).chain(receipts.last()) {
        receipt::is("counts", counts, network.nodes(), &record, &demo.dir)?;
    }
    story.tell("each node proves to a voter what became of the ballot, and so does the record without any");
    let last = receipts.last().context("somebody voted")?;
    let node = network.nodes().first().context("there is a node")?;
    liar::is_found_out(node, &receipt::keep(last, &demo.dir)?, last.block).await?;
    story.tell("a node that lies to a voter about state, header, finality, chain or time is found out");

    let verified = verify::report(&record, &chain)?;
    let equal = show(&file, &rankings, &tallied.totals.election, &verified);
    println!();
    println!("{:<34}{:>10.1}", "voting, seconds", took.as_secs_f64());
    println!("{:<34}{:>10.1}", "ballots per second, finalized", receipts.len() as f64 / took.as_secs_f64());
    println!("{:<34}{:>10}", "ballot as an extrinsic, bytes", ballot_size(&chain, &receipts).await?);
    println!("{:<34}{:>10}", "election record, bytes", exported.bytes);
    println!("{:<34}{:>10.1}", "everything, seconds", story.0.elapsed().as_secs_f64());
    println!(
        "{}",
        if equal { "\nEQUAL: tally, plain count and offline verifier agree" } else { "\nDIFFERENT" }
    );
    if demo.keep {
        network.keep();
        look_around(&network, &eid, &record);
    }
    Ok(Outcome { record, equal })
}

/// The registrar's list, the invitations, and every voter's registration.
async fn enroll(
    story: &Story,
    chain: &Chain,
    officials: &Officials,
    election: &psephos_protocol::election::Election,
    rankings: Vec<Ranking>,
) -> Result<Vec<Voter>> {
    let persons: String = std::iter::once("identifier\n".to_owned())
        .chain((1..=rankings.len()).map(|n| format!("person-{n}\n")))
        .collect();
    let bar = story.bar(rankings.len(), "invitations")?;
    let shown = bar.clone();
    let invited =
        officials.enroll(chain, election, &persons, move |done| shown.set_position(done as u64)).await?;
    bar.finish_and_clear();
    story.tell(&format!("the registrar invited {} persons; the board confirmed the roll", invited.len()));
    let voting = Voting::open(chain, &election.eid).await?;
    let bar = story.bar(rankings.len(), "registrations")?;
    let voters = voting::register(&voting, invited, rankings, || bar.inc(1)).await?;
    bar.finish_and_clear();
    story.tell(&format!("{} voters made a credential and registered it", voters.len()));
    Ok(voters)
}

/// Starts the trustee that lost its store, and waits until it has a share of every ballot that counts.
async fn restore(network: &Network, eid: &Eid, ballots: usize) -> Result<()> {
    let name = format!("trustee-{LOST_TRUSTEE}");
    network.restart(&name)?;
    let endpoints = network.endpoints()?;
    let url = endpoints.iter().find(|(index, _)| *index == LOST_TRUSTEE).context("it has an address")?.1;
    let trustee = TrusteeClient::new(LOST_TRUSTEE, &name, url)?;
    until("the restored trustee's shares", async || {
        let status = trustee.status().await?;
        let eid = eid.to_string();
        Ok(status.served.iter().any(|served| served.eid == eid && served.deposits >= ballots as u64))
    })
    .await
}

/// All voters cast, while a trustee loses its store and a validator crashes and comes back.
async fn cast_with_crashes(
    story: &Story,
    voting: &Voting,
    network: &Network,
    voters: &[Voter],
) -> Result<Vec<VoterReceipt>> {
    let bar = story.bar(voters.len(), "ballots finalized")?;
    let cast = AtomicU64::new(0);
    let crashes = async {
        let reached = |part: u64| {
            let cast = &cast;
            async move {
                while cast.load(Ordering::Relaxed) * 4 < voters.len() as u64 * part {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        reached(1).await;
        let lost = format!("trustee-{LOST_TRUSTEE}");
        network.kill(&lost)?;
        std::fs::remove_file(network.dir().join("trustees").join(&lost).join("trustee.redb"))?;
        bar.suspend(|| story.tell(&format!("killed {lost} and deleted its store")));
        let fix = find_faults(network, voting)?;
        bar.suspend(|| story.tell(&format!("its doctor says: {fix}")));
        reached(2).await;
        let crashed = format!("validator-{CRASHED_VALIDATOR}");
        network.kill(&crashed)?;
        bar.suspend(|| story.tell(&format!("killed {crashed}")));
        reached(3).await;
        network.restart(&crashed)?;
        bar.suspend(|| story.tell(&format!("started {crashed} again")));
        Ok::<_, anyhow::Error>(())
    };
    let casting = voting::cast_all(voting, voters, |count| {
        cast.store(count as u64, Ordering::Relaxed);
        bar.set_position(count as u64);
    });
    let (receipts, ()) = tokio::try_join!(casting, crashes)?;
    bar.finish_and_clear();
    story.tell(&format!("{} voters voted, in parallel", receipts.len()));
    Ok(receipts)
}

/// What the doctor says to do about the trustee that was killed; it finds a trustee's wrong key, too.
fn find_faults(network: &Network, voting: &Voting) -> Result<String> {
    let eid = voting.election().eid;
    let other = doctor::diagnose(network, &eid, 1, 2)?;
    let fix = other.fix("shares").unwrap_or_default();
    ensure!(fix.contains("or its --key"), "trustee-2's key is not trustee-1's: {other:?}");
    let killed = doctor::diagnose(network, &eid, LOST_TRUSTEE, LOST_TRUSTEE)?;
    let fix = killed.fix("daemon").unwrap_or_default();
    ensure!(fix.contains("see that the daemon runs"), "it does not run: {killed:?}");
    Ok(fix.to_owned())
}

/// A ranking with other choices.
fn another(file: &Ballots, ranking: &Ranking, draw: &mut ChaCha20Rng) -> Result<Ranking> {
    for _ in 0..1_000 {
        let other = file.draw(1, draw)?.pop().context("one ballot")?;
        if other.first_choice() != ranking.first_choice() {
            return Ok(other);
        }
    }
    anyhow::bail!("all ballots of the file have one first choice")
}

/// Every ballot whose voter was told that it is recorded must be the one that counts.
async fn check_recorded(chain: &Chain, eid: &Eid, receipts: &[VoterReceipt]) -> Result<()> {
    for receipt in receipts {
        let recorded = chain.recorded_ballot(eid, &receipt.credential).await?;
        let found = recorded.map(|(ballot, _)| ballot.hash);
        ensure!(
            found == Some(receipt.ballot),
            "ballot {} was shown as recorded and is lost",
            receipt.tracking_code
        );
    }
    Ok(())
}

/// Shows the result beside the plain count; gives whether tally, count and verifier agree.
fn show(file: &Ballots, rankings: &[Ranking], totals: &[Vec<u64>], verified: &serde_json::Value) -> bool {
    let plain = plain_count(file.options.len(), rankings.iter());
    let mut equal = verified["verified"] == true && verify::totals(verified) == totals;
    for ((title, totals), plain) in ["First choice", "Approved"].into_iter().zip(totals).zip(&plain) {
        let (text, same) = table::contest(title, &file.options, totals, plain, rankings.len() as u64);
        print!("{text}");
        equal &= same;
    }
    let undervotes = rankings.iter().filter(|ranking| ranking.first_choice().is_none()).count();
    println!("  undervotes in the first contest: {undervotes}");
    equal
}

/// The size of a ballot that was cast, as it stands in its block.
async fn ballot_size(chain: &Chain, receipts: &[VoterReceipt]) -> Result<usize> {
    let receipt = receipts.first().context("somebody voted")?;
    let block = chain.block(receipt.block_hash.0).await?;
    let size = block.messages.iter().find_map(|message| match message {
        Message::Cast(ballot) if ballot.signed.ballot.hash() == receipt.ballot => {
            Some(message.to_extrinsic().len())
        }
        _ => None,
    });
    size.with_context(|| format!("block {} has ballot {}", receipt.block, receipt.tracking_code))
}

fn look_around(network: &Network, eid: &Eid, record: &Path) {
    let node = network.nodes().first().cloned().unwrap_or_default();
    let (dir, record) = (network.dir().display(), record.display());
    println!("\nThe network is still running. To look around:");
    println!("  export PSEPHOS_NODE={node}");
    println!("  psephos network status {dir}");
    println!("  psephos audit show {eid}");
    println!("  psephos audit result {eid}");
    println!("  psephos-verify {record}");
    println!("  psephos network down {dir}");
}
