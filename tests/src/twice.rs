//! A voter who casts two ballots at once, each by another node, where it travels with others' ballots: the chain takes one
//! of the two, and with the other's bundle nobody else's ballot is lost.

use anyhow::{Context, Result};
use codec::Encode;
use futures::future::{join_all, try_join_all};
use psephos_client::{
    chain::Chain,
    endpoints::TrusteeClient,
    error::ChainError,
    voter::{SealedBallot, Voting},
};
use psephos_protocol::{
    ballot::CastBallot, envelope::Deposit, ids::BallotHash, receipt::Receipt, wire::Message,
};
use std::time::Duration;
use tokio::time::sleep;

use crate::{election::PATIENCE, voting::Voter};

/// Voters that this takes: one casts twice, and at each of two nodes there are others: one that goes alone, for a node
/// gathers what comes after it, and two that travel with the ballot.
pub const VOTERS: usize = 7;

/// How often a trustee is asked, and the pause in between.
const TIMES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Whoever votes here may vote again later.
pub async fn is_harmless(voting: &Voting, nodes: &[String], voters: &[Voter]) -> Result<()> {
    let [first, second] = nodes else { anyhow::bail!("two nodes are needed") };
    let [both, others @ ..] = voters else { anyhow::bail!("{VOTERS} voters are needed") };
    let twice = try_join_all([ready(voting, both), ready(voting, both)]).await?;
    let others = try_join_all(others.iter().map(|voter| ready(voting, voter))).await?;
    let (there, here) = others.split_at(others.len() / 2);
    tokio::try_join!(hand_in(first, here, &twice[0]), hand_in(second, there, &twice[1]))?;

    let chain = voting.chain();
    for ballot in &others {
        is_recorded(chain, std::slice::from_ref(ballot))
            .await
            .context("a ballot went down with another's")?;
    }
    is_recorded(chain, &twice).await.context("neither of a voter's two ballots was taken")
}

/// A voter's ballot with its receipts.
async fn ready(voting: &Voting, voter: &Voter) -> Result<CastBallot> {
    let options = voting.election().manifest.contests.first().map_or(0, |contest| contest.options.len());
    let prepared = voting.prepare(&voter.credential.public(), voter.ranking.choices(options)).await?;
    let sealed: SealedBallot = voting.seal(prepared, &voter.credential).await?;
    let hash = sealed.hash();
    let deposits = voting.trustees().iter().map(|trustee| {
        let deposit = sealed.deposit(trustee.trustee());
        async move { vouched(voting, trustee, &hash, &deposit.context("an envelope for each")?).await }
    });
    let mut receipts = try_join_all(deposits).await?;
    receipts.truncate(usize::from(voting.election().manifest.quorum));
    let receipts = receipts.try_into().ok().context("trustees are few")?;
    Ok(CastBallot { signed: sealed.ballot, receipts })
}

/// A trustee's receipt, once it has followed the chain as far as the election's opening.
async fn vouched(
    voting: &Voting,
    trustee: &TrusteeClient,
    ballot: &BallotHash,
    deposit: &Deposit,
) -> Result<Receipt> {
    let deposit = hex::encode(deposit.encode());
    for _ in 0..TIMES {
        match trustee.deposit(voting.election(), ballot, &deposit).await {
            Err(error) if error.is_passing() => sleep(PAUSE).await,
            outcome => return Ok(outcome?),
        }
    }
    anyhow::bail!("{} does not vouch for a ballot", trustee.name())
}

/// Hands ballots in at a node, once: one at first, which goes on alone, and then the others with it.
async fn hand_in(node: &str, others: &[CastBallot], ballot: &CastBallot) -> Result<()> {
    let chain = Chain::connect(std::slice::from_ref(&node.to_owned())).await?;
    let (alone, others) = others.split_first().context("some others")?;
    chain.submit(&Message::Cast(alone.clone())).await?;
    let together =
        others.iter().chain([ballot]).map(|ballot| Message::Cast(ballot.clone())).collect::<Vec<_>>();
    for answer in join_all(together.iter().map(|message| chain.submit(message))).await {
        match answer {
            // The voter's other ballot was there before.
            Ok(()) | Err(ChainError::Superseded) => {}
            error => error?,
        }
    }
    Ok(())
}

/// Waits until one of a voter's ballots counts.
async fn is_recorded(chain: &Chain, ballots: &[CastBallot]) -> Result<()> {
    let ballot = ballots.first().context("a ballot")?;
    let statement = &ballot.signed.ballot.statement;
    let hashes: Vec<_> = ballots.iter().map(|ballot| ballot.signed.ballot.hash()).collect();
    let recorded = || async {
        let recorded = chain.recorded_ballot(&statement.eid, &statement.credential).await?;
        Ok::<_, ChainError>(recorded.filter(|(ballot, _)| hashes.contains(&ballot.hash)).map(|_| ()))
    };
    Ok(chain.wait_finalized("the ballot's block", PATIENCE / 10, recorded).await?)
}
