//! From the close to the verified record.

use anyhow::{ensure, Context, Result};
use futures::future::try_join;
use psephos_client::{record, tally};
use psephos_protocol::state::Phase;
use psephos_tests::{
    election::PATIENCE,
    fleet::until,
    person::{holds_unfinished, Person},
    ranked::plain_count,
    verify,
};
use std::path::PathBuf;

use super::scene::{Contest, Kind, Point, Scene};

const RECORD: &str = "election.psephos";

/// Closes, tallies, certifies and exports an election, and compares what came out. At each point a process of the
/// one kind or the other is killed, in turn.
pub async fn finish(scene: &Scene<'_>, contest: &Contest, [one, other]: [Kind; 2]) -> Result<()> {
    let auditor = scene.person(if contest.by_commands { "auditor" } else { "library" })?;
    close(scene, contest, one).await?;
    try_join(open_sums(scene, contest, &auditor), crashes(scene, contest, [one, other])).await?;
    match contest.by_commands {
        true => scene.decide(Point::Tallied, contest, "certify").await?,
        false => contest.officials.certify(&scene.fleet.chain_by(None).await?, contest.eid()).await?,
    }
    let record = export(scene, contest, &auditor, one).await?;

    let report = verify::report(&record, scene.fleet.witness(None)?)?;
    ensure!(report["verified"] == true, "the record does not verify: {report}");
    let plain = plain_count(contest.options.len(), contest.votes.values());
    ensure!(verify::totals(&report) == plain, "DIFFERENT: the plain count is {plain:?}, and {report}");
    scene.shown.are_in(contest.eid(), &record).await
}

async fn close(scene: &Scene<'_>, contest: &Contest, kind: Kind) -> Result<()> {
    let victim = scene.victim(kind);
    let chain = scene.fleet.chain_by(Some(victim)).await?;
    let closing = async {
        match contest.by_commands {
            true => scene.decide(Point::Closing, contest, "close").await,
            false => contest.officials.close(&chain, contest.eid()).await,
        }
    };
    let reached = scene.reached(Point::Closing, contest.eid(), victim);
    try_join(closing, scene.strike(Point::Closing, victim, reached)).await?;
    scene.recovered().await
}

/// Somebody waits for the trustees and finalizes; their command is cut off before the trustees contribute.
async fn open_sums(scene: &Scene<'_>, contest: &Contest, auditor: &Person) -> Result<()> {
    if !contest.by_commands {
        tally::tally(&scene.fleet.chain_by(None).await?, contest.eid(), PATIENCE).await?;
        return Ok(());
    }
    let (eid, chain) = (contest.eid(), scene.fleet.witness(None)?);
    let agreed = until("agreement", async || Ok(chain.election(eid).await?.state.phase != Phase::Closed));
    let name = eid.to_string();
    let command = ["audit", "tally", &name];
    auditor.cut_off(&command, agreed).await?;
    scene.note(Point::Contribution, "the client of whoever finalizes");
    auditor.run(&command).await.map(|_| ())
}

async fn crashes(scene: &Scene<'_>, contest: &Contest, [one, other]: [Kind; 2]) -> Result<()> {
    let eid = contest.eid();
    for (point, kind) in [(Point::Agreement, other), (Point::Contribution, one), (Point::Tallied, other)] {
        let mut victim = scene.victim(kind);
        scene.reached(point, eid, victim).await?;
        if (point, kind) == (Point::Contribution, Kind::Trustee) {
            victim = scene.before_contribution(eid).await?;
        }
        scene.strike(point, victim, async { Ok(()) }).await?;
        scene.recovered().await?;
    }
    Ok(())
}

/// Exports the record while a process is killed: the command that does it, or the node that is asked.
async fn export(scene: &Scene<'_>, contest: &Contest, auditor: &Person, kind: Kind) -> Result<PathBuf> {
    let (file, victim) = (auditor.file(RECORD), scene.victim(kind));
    if contest.by_commands {
        let folder = file.parent().context("its folder")?.to_path_buf();
        let name = contest.eid().to_string();
        let command = ["audit", "export", &name, RECORD];
        let begun = until("the export", async || Ok(holds_unfinished(&folder)));
        let said = auditor.cut_off(&command, begun).await?;
        scene.note(Point::Export, "the auditor's client");
        ensure!(said.is_some() || !file.exists(), "the record has its name before it is whole");
        scene.strike(Point::Export, victim, async { Ok(()) }).await?;
        if !file.exists() {
            auditor.run(&command).await?;
        }
    } else {
        let chain = scene.fleet.chain_by(Some(victim)).await?;
        let mut struck = None;
        record::export(&chain, contest.eid(), &file, |_| {
            struck.get_or_insert_with(|| scene.fleet.kill(victim));
        })
        .await?;
        struck.context("the export says how far it is")??;
        scene.note(Point::Export, victim);
        scene.fleet.restart(victim).await?;
    }
    scene.recovered().await?;
    Ok(file)
}
