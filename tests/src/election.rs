//! The officials' part of an election, through the client library.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use psephos_client::{
    board::{self, actions},
    chain::Chain,
    keystore::KeyRole,
    registrar,
};
use psephos_protocol::{
    board::{Action, Board},
    bounds::{text, Text},
    contest::{Contest, Rule},
    election::Election,
    ids::Eid,
    keys::SigningKey,
    manifest::{least_quorum, Manifest, Style, Trustee},
    range_proof::GENERATORS_DIGEST,
    state::Phase,
};
use rand_core::OsRng;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::network::{Network, Size};

/// Trustees who open the tally.
pub const THRESHOLD: u8 = 2;
/// Blocks that something may take before it counts as stuck.
pub const PATIENCE: u32 = 300;

/// The officials' keys.
pub struct Officials {
    board: Vec<SigningKey>,
    registrar: SigningKey,
}

/// A person with the code of an invitation.
pub type Invited = registrar::Invitation;

fn name(value: &str) -> Result<Text> {
    text(value).map_err(|length| anyhow::anyhow!("{value:?}: has {length} bytes; the most is 256"))
}

/// The manifest of the demonstration: a plurality and an approval contest over the same names.
fn manifest(network: &Network, size: Size, title: &str, options: &[String]) -> Result<(Manifest, Officials)> {
    let members: Vec<_> = (1..=3).map(|index| network.key(KeyRole::Board, index)).collect::<Result<_>>()?;
    let registrar = network.key(KeyRole::Registrar, 1)?;
    let trustees = (1..=size.trustees)
        .map(|index| {
            let key = network.key(KeyRole::Trustee, index)?;
            let kem = key.kem().context("a trustee's key file has a KEM key")?.public()?;
            Ok(Trustee { name: name(key.name())?, signing: key.public(), kem })
        })
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<Text> = options.iter().map(|option| name(option)).collect::<Result<_>>()?;
    let contest = |title: &str, rule| -> Result<Contest> {
        let options = names.clone().try_into().ok().context("a contest has 128 options at most")?;
        Ok(Contest { title: name(title)?, options, rule })
    };
    let contests = vec![
        contest("First choice", Rule::plurality_or_none())?,
        contest("Approved", Rule::approval(names.len() as u32))?,
    ];
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let quorum = least_quorum(usize::from(size.trustees), THRESHOLD) as u8;
    let keys = members.iter().map(|key| key.public()).collect::<Vec<_>>();
    let few = "officials are few";
    let manifest = Manifest {
        version: psephos_protocol::VERSION,
        title: name(title)?,
        contests: contests.try_into().ok().context("two contests")?,
        styles: vec![Style { name: name("All")?, contests: vec![0, 1].try_into().ok().context("two")? }]
            .try_into()
            .ok()
            .context("one style")?,
        units: vec![name("City")?].try_into().ok().context("one unit")?,
        weights: vec![1].try_into().ok().context("one weight")?,
        max_voters: 100_000,
        privacy_minimum: 10,
        small_groups_public: false,
        max_ballots: 8,
        trustees: trustees.try_into().ok().context("trustees are few")?,
        threshold: THRESHOLD,
        quorum,
        board: Board { members: keys.try_into().ok().context(few)?, threshold: 2 },
        registrars: vec![registrar.public()].try_into().ok().context(few)?,
        opens_at: now,
        closes_at: now + 24 * 60 * 60 * 1_000,
        // Everyone on the roll votes here, so the board closes when they have.
        early_close: true,
        by_unit: false,
        rehearsal: None,
        generators: GENERATORS_DIGEST,
    };
    let board = members.iter().map(|key| key.signing().clone()).collect();
    Ok((manifest, Officials { board, registrar: registrar.signing().clone() }))
}

impl Officials {
    /// Two of the three members approve, each on their own; the third is not needed.
    async fn act(&self, chain: &Chain, action: &Action) -> Result<()> {
        let members = self.board.iter().take(2);
        try_join_all(members.map(|key| board::approve(chain, key, action.clone()))).await?;
        board::await_effect(chain, action, PATIENCE).await?;
        Ok(())
    }

    /// The board closes voting.
    pub async fn close(&self, chain: &Chain, eid: &Eid) -> Result<()> {
        self.act(chain, &actions::close(eid)).await
    }

    /// The board certifies the result, having checked it.
    pub async fn certify(&self, chain: &Chain, eid: &Eid) -> Result<()> {
        let action = actions::certify(chain, eid).await?;
        self.act(chain, &action).await
    }

    /// The registrar invites persons from a CSV file, and the board confirms the roll.
    pub async fn enroll(
        &self,
        chain: &Chain,
        election: &Election,
        csv: &str,
        progress: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<Vec<Invited>> {
        let persons = registrar::read_persons(&election.manifest, csv.as_bytes())?;
        let own = election.clone();
        let invited =
            tokio::task::spawn_blocking(move || registrar::invite(&own, persons, 1, progress)).await??;
        let batches = registrar::batches(election, &self.registrar, 0, invited.entries, registrar::BATCH)?;
        registrar::submit_roll(chain, &batches, |_| ()).await?;
        for action in actions::confirm_batches(chain, &election.eid).await? {
            self.act(chain, &action).await?;
        }
        Ok(invited.invitations)
    }

    /// The board freezes the roll; the clock opens the election.
    pub async fn open(&self, chain: &Chain, eid: &Eid) -> Result<()> {
        let action = actions::freeze(chain, eid).await?;
        self.act(chain, &action).await?;
        until(chain, eid, Phase::Open).await
    }
}

/// Creates an election and waits until every trustee has accepted it.
pub async fn create(
    chain: &Chain,
    network: &Network,
    size: Size,
    title: &str,
    options: &[String],
) -> Result<(Election, Officials)> {
    let (election, officials) = set_up(chain, network, size, title, options).await?;
    until(chain, &election.eid, Phase::Registration).await?;
    Ok((election, officials))
}

/// Creates an election, which the trustees are still to accept.
pub async fn set_up(
    chain: &Chain,
    network: &Network,
    size: Size,
    title: &str,
    options: &[String],
) -> Result<(Election, Officials)> {
    let (manifest, officials) = manifest(network, size, title, options)?;
    let (action, eid) = actions::create_election(chain, manifest).await?;
    officials.act(chain, &action).await?;
    Ok((psephos_client::election::open_election(chain, &eid).await?, officials))
}

/// Waits for a phase.
pub async fn until(chain: &Chain, eid: &Eid, phase: Phase) -> Result<()> {
    let what = format!("phase {phase}");
    Ok(chain
        .wait_finalized(&what, PATIENCE, || async {
            let state = chain.election(eid).await?.state;
            Ok::<_, psephos_client::error::ChainError>((state.phase == phase).then_some(()))
        })
        .await?)
}

/// A new credential.
pub fn credential() -> SigningKey {
    SigningKey::generate(&mut OsRng)
}
