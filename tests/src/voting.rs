//! The voters' part: all of them at once, each as their own client.

use anyhow::{bail, ensure, Context, Result};
use futures::{stream, StreamExt, TryStreamExt};
use psephos_client::voter::{VoterReceipt, Voting};
use psephos_protocol::{
    ballot::{AuditOpening, TrackingCode},
    keys::SigningKey,
};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    election::{credential, Invited},
    ranked::Ranking,
};

/// Voters who are at it at the same time, at most.
const AT_ONCE: usize = 64;

/// How many of so many vote at the same time: few enough that crashes in between hit some of them.
fn at_once(voters: usize) -> usize {
    (voters / 6).clamp(1, AT_ONCE)
}

/// A voter with the ballot that they have in mind.
pub struct Voter {
    /// Their credential.
    pub credential: SigningKey,
    /// What they want to vote.
    pub ranking: Ranking,
}

/// Every invited person makes a credential and registers it.
pub async fn register(
    voting: &Voting,
    invited: Vec<Invited>,
    rankings: Vec<Ranking>,
    done: impl Fn(),
) -> Result<Vec<Voter>> {
    ensure!(invited.len() == rankings.len(), "one invitation per voter");
    let done = &done;
    stream::iter(invited.into_iter().zip(rankings))
        .map(|(invited, ranking)| async move {
            let credential = credential();
            let registered = voting.register(&invited.codes, &credential).await;
            registered.with_context(|| format!("registering {}", invited.person.identifier))?;
            done();
            Ok(Voter { credential, ranking })
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// A voter prepares, then casts.
pub async fn cast(voting: &Voting, voter: &Voter) -> Result<VoterReceipt> {
    let options = voting.election().manifest.contests.first().map_or(0, |contest| contest.options.len());
    let prepared = voting.prepare(&voter.credential.public(), voter.ranking.choices(options)).await?;
    let shown = prepared.tracking_code();
    let recorded = voting.cast(prepared, &voter.credential).await?;
    ensure!(recorded.receipt.tracking_code == shown, "the tracking code is the one that was shown");
    Ok(recorded.receipt)
}

/// All voters cast, in parallel; `milestone` hears how many have.
pub async fn cast_all(
    voting: &Voting,
    voters: &[Voter],
    milestone: impl Fn(usize),
) -> Result<Vec<VoterReceipt>> {
    let count = AtomicUsize::new(0);
    let (count, milestone) = (&count, &milestone);
    stream::iter(voters)
        .map(|voter| async move {
            let receipt = cast(voting, voter).await?;
            milestone(count.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(receipt)
        })
        .buffered(at_once(voters.len()))
        .try_collect()
        .await
}

/// A voter prepares a ballot, sees its tracking code, and audits it instead of casting: another device
/// rebuilds it from what was revealed. Gives the code.
pub async fn audit(voting: &Voting, voter: &Voter) -> Result<TrackingCode> {
    let election = voting.election();
    let options = election.manifest.contests.first().map_or(0, |contest| contest.options.len());
    let wanted = voter.ranking.choices(options);
    let prepared = voting.prepare(&voter.credential.public(), wanted.clone()).await?;
    let (code, hash) = (prepared.tracking_code(), prepared.hash());
    // The audit file travels to the other device.
    let file = prepared.audit().to_bytes();
    let opening = AuditOpening::from_bytes(&file)?;
    let held = opening.check(election, voting.generators(), &hash)?;
    if *held != wanted {
        bail!("the ballot with code {code} holds another vote than the voter wanted");
    }
    Ok(code)
}
