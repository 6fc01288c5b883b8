//! Ballots on their way, and a crash at each point of it.

use anyhow::{ensure, Context, Result};
use futures::future::{try_join3, try_join_all};
use psephos_client::{
    chain::Chain,
    endpoints::TrusteeClient,
    voter::{Deliveries, SealedBallot, VoterReceipt},
};
use psephos_protocol::{ids::Eid, keys::PublicKey};
use psephos_tests::{
    fleet::{until, Process},
    person::Person,
    voting,
};
use std::{fs, time::Duration};

use super::scene::{Contest, Kind, Point, Scene};

/// How long trustees that were away may take to come to their shares.
const DELIVERIES: Duration = Duration::from_secs(240);

/// What is seen of a ballot from outside.
struct Watch<'a> {
    chain: &'a Chain,
    trustee: &'a TrusteeClient,
    eid: Eid,
    credential: PublicKey,
    /// Deposits that the trustee had before.
    before: u64,
}

impl<'a> Watch<'a> {
    /// Looks through a node and a trustee that are not the victim.
    async fn of(
        scene: &'a Scene<'_>,
        contest: &Contest,
        credential: PublicKey,
        victim: Option<Process>,
    ) -> Result<Self> {
        let trustee = scene.fleet.trustee(if victim == Some(Process::Trustee(1)) { 2 } else { 1 })?;
        let chain = scene.fleet.witness(victim)?;
        let mut watch = Self { chain, trustee, eid: *contest.eid(), credential, before: 0 };
        watch.before = watch.deposits().await?;
        Ok(watch)
    }

    async fn deposits(&self) -> Result<u64> {
        let status = self.trustee.status().await?;
        let eid = self.eid.to_string();
        let served = status.served.into_iter().find(|served| served.eid == eid);
        Ok(served.context("the trustee serves the election")?.deposits)
    }

    /// Waits until the voter's first ballot is that far.
    async fn reached(&self, point: Point) -> Result<()> {
        until(&format!("{point:?}"), async || {
            Ok(match point {
                Point::Receipt => self.deposits().await? > self.before,
                Point::InBlock => {
                    let voter = self.chain.at_best().voter(&self.eid, &self.credential).await?;
                    voter.is_some_and(|voter| voter.sequence > 0)
                }
                _ => self.chain.recorded_ballot(&self.eid, &self.credential).await?.is_some(),
            })
        })
        .await
    }
}

/// A voter casts, and a process is killed when the ballot has come to the point. At the first point all who are not
/// needed later cast as well.
pub async fn through_a_crash(
    scene: &Scene<'_>,
    contest: &mut Contest,
    point: Point,
    kind: Kind,
) -> Result<()> {
    let (victim, options) = (scene.victim(kind), contest.options.len());
    let voter = contest.voters.pop().context("a voter who has not voted")?;
    let others = contest.voters.split_off(match point {
        Point::Receipt => Point::CASTING.len() - 1,
        _ => contest.voters.len(),
    });
    let voting = scene.voting(contest, victim).await?;
    let credential = voter.credential.public();
    let prepared = voting.prepare(&credential, voter.ranking.choices(options)).await?;
    let ballot = voting.seal(prepared, &voter.credential).await?;
    let watch = Watch::of(scene, contest, credential, Some(victim)).await?;
    if let Process::Trustee(index) = victim {
        scene.shown.deposit(&scene.fleet, &contest.election, &ballot, index).await?;
    }
    let reached = async {
        match (point, victim) {
            // It has just answered: the kill comes as close to its receipt as can be.
            (Point::Receipt, Process::Trustee(_)) => Ok(()),
            _ => watch.reached(point).await,
        }
    };
    let cast = async {
        let recorded = voting.send(&ballot).await?;
        scene.shown.take(&scene.fleet, recorded.receipt).await?;
        all_have_their_share(recorded.deliveries).await
    };
    let rest = others.iter().map(|voter| async {
        let recorded = voting::cast(&voting, voter).await?;
        scene.shown.take(&scene.fleet, recorded).await
    });
    let rest = try_join_all(rest);
    try_join3(scene.strike(point, victim, reached), cast, rest).await?;
    scene.recovered().await
}

async fn all_have_their_share(deliveries: Deliveries) -> Result<()> {
    let outcomes = deliveries.finish(DELIVERIES).await;
    let without: Vec<_> = outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Some(Ok(_)))).collect();
    ensure!(without.is_empty(), "trustees without their share: {without:?}");
    Ok(())
}

/// A voter's command is killed when its ballot has come to the point, and run again: the same ballot, once.
pub async fn cut_off(scene: &Scene<'_>, contest: &mut Contest, point: Point) -> Result<()> {
    let (person, credential) = contest.people.pop().context("somebody who has not voted")?;
    let votes = contest.votes.get(&credential).context("what they want")?.votes(&contest.options);
    let eid = contest.eid().to_string();
    let mut command = vec!["voter", "cast", "--key", "voter.key", "--election", &eid, "--cast"];
    command.extend(["--receipt", "receipt.json"]);
    command.extend(votes.iter().flat_map(|vote| ["--vote", vote]));
    // Where the command would be through too soon, trustees are slow: at first for the receipts, at last for the
    // shares that it still hands out.
    let slow: &[u8] = match point {
        Point::Receipt => &[3, 4],
        Point::Final => &[4],
        _ => &[],
    };
    let watch = Watch::of(scene, contest, credential, None).await?;
    slow.iter().try_for_each(|index| scene.fleet.halt(Process::Trustee(*index)))?;
    let said = person.cut_off(&command, watch.reached(point)).await;
    slow.iter().try_for_each(|index| scene.fleet.go_on(Process::Trustee(*index)))?;
    scene.note(point, "a voter's client");
    let (said, was) = (said?, kept(&person)?);
    ensure!(said.is_some() || was.is_some(), "the command was cut off and has kept no ballot");
    let shown = match said {
        // It was through before it was killed.
        Some(said) => said,
        None => person.run(&command).await?,
    };
    let shown: VoterReceipt = serde_json::from_value(shown)?;
    scene.shown.take(&scene.fleet, shown.clone()).await?;
    ensure!(was.is_none_or(|was| was.hash() == shown.ballot), "it went on with the ballot that was cut off");
    let voter = watch.chain.voter(contest.eid(), &credential).await?.context("they are on the roll")?;
    ensure!(voter.ballots == 1, "{} ballots were accepted where the voter cast one", voter.ballots);
    ensure!(kept(&person)?.is_none(), "the ballot is recorded and still kept");
    scene.recovered().await
}

/// The ballot that the command keeps while it casts.
fn kept(person: &Person) -> Result<Option<SealedBallot>> {
    let file = person.file("voter.key.casting");
    if !file.exists() {
        return Ok(None);
    }
    let bytes = fs::read(&file)?;
    let start = bytes.iter().position(|byte| *byte == b'\n').context("the file says what it is")? + 1;
    SealedBallot::from_bytes(&bytes[start..]).map(Some).context("the file holds a ballot")
}
