// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Ballots are checked in batches, on all cores, before the runtime asks for them one by one.
//!
//! The runtime judges every ballot by one pure host function, and the node remembers the verdicts. Whoever
//! knows ballots that the runtime is about to judge, the pool ([`crate::pool`]) or the import of a block
//! ([`import`]), has them checked here together, at the price of a batch. This never changes a verdict: what is
//! missed here, or checked against terms that the runtime doesn't use, the runtime has checked alone.

mod alarm;
mod background;
pub mod batch;
pub mod import;
mod metrics;

use crate::service::{FullBackend, FullClient};
use alarm::Alarm;
use codec::{Decode, DecodeAll, Encode};
use metrics::Metrics;
use pallet_voting::{api::VotingApi, Ballots, Voters};
use prometheus_endpoint::Registry;
use psephos_host::{verify_ahead, Job};
use psephos_protocol::{
    ballot::{CastBallot, Checks, Statement, Terms},
    ids::Eid,
    keys::verify_signature,
    state::{Caster, RecordedHead, RegisteredVoter},
    wire::Message,
};
use psephos_runtime::{
    opaque::{Block, UncheckedExtrinsic},
    Hash, Runtime,
};
use rayon::ThreadPool;
use sc_client_api::{Backend, StateBackend};
use sc_service::Error;
use sp_api::ProvideRuntimeApi;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Ballots in one batch, at most. The price of one in a larger batch is hardly lower, and the wait longer.
pub const BATCH: usize = 512;

/// Styles that are kept, at most: those of four elections with all the styles that there can be.
const STYLES: usize = 256;

/// Checks ballots ahead of the runtime.
pub struct Ahead {
    client: Arc<FullClient>,
    /// By election and style. An election's identifier is a hash over its manifest, so these never change.
    styles: Mutex<HashMap<(Eid, u16), Arc<Style>>>,
    /// Raised when somebody sends ballots that spoil batches.
    alarm: Alarm,
    /// Where batches are checked that can wait.
    background: ThreadPool,
    metrics: Option<Metrics>,
}

/// What the ballots of one style are checked against.
struct Style {
    /// As the runtime hands it to the host.
    terms: Arc<[u8]>,
    checks: Checks,
}

impl Style {
    fn job(&self, cast: CastBallot) -> Job {
        Job::new(cast, self.terms.clone())
    }
}

impl Ahead {
    /// Knows nothing yet.
    ///
    /// # Errors
    /// When the registry has metrics of these names already, or the system refuses threads.
    pub fn new(client: Arc<FullClient>, registry: Option<&Registry>) -> Result<Self, Error> {
        let metrics = registry.map(Metrics::register).transpose()?;
        let background = background::threads().map_err(|error| Error::Application(error.into()))?;
        Ok(Self { client, styles: Mutex::default(), alarm: Alarm::default(), background, metrics })
    }

    /// The checks of ballots that were sent to this node together; none if there are no ballots, or the runtime refuses
    /// one at less cost (see [`Roll::may_count`] and [`Alarm`]).
    pub fn jobs(&self, at: Hash, ballots: Vec<CastBallot>) -> Option<Vec<Job>> {
        let roll = self.roll(at)?;
        if !ballots.iter().all(|cast| roll.may_count(cast)) {
            return None;
        }
        // At the first that fails the runtime ends, too.
        let job = |cast| Some(self.worth(at, &cast)?.job(cast));
        let jobs: Vec<Job> = ballots.into_iter().map_while(job).collect();
        (!jobs.is_empty()).then_some(jobs)
    }

    /// Whether the runtime would have to check a ballot's proof.
    pub fn is_worth(&self, at: Hash, roll: &Roll, cast: &CastBallot) -> bool {
        roll.may_count(cast) && self.worth(at, cast).is_some()
    }

    fn worth(&self, at: Hash, cast: &CastBallot) -> Option<Arc<Style>> {
        let style = self.style(at, &cast.signed.ballot.statement)?;
        if self.alarm.is_raised() && style.checks.signatures(cast, verify_signature).is_err() {
            return None;
        }
        Some(style)
    }

    /// The electoral rolls as the state of a block has them.
    pub fn roll(&self, at: Hash) -> Option<Roll> {
        self.client.state_at(at).ok().map(Roll)
    }

    /// Checks the ballots of a block that is about to be executed on top of `parent`. Its author answers for
    /// it, and refuses itself what [`Self::jobs`] asks. The runtime refuses the block at its first bad ballot, so
    /// nothing is checked behind a batch with one in it.
    pub fn check_block(&self, parent: Hash, body: &[UncheckedExtrinsic]) {
        let job = |cast: CastBallot| Some(self.style(parent, &cast.signed.ballot.statement)?.job(cast));
        let jobs: Vec<Job> = body.iter().flat_map(ballots).filter_map(job).collect();
        let jobs: Vec<&Job> = jobs.iter().collect();
        let _ = jobs.chunks(BATCH).all(|batch| self.check(batch));
    }

    /// As [`Self::check`], behind whatever else this node has to do.
    pub fn check_in_background(&self, batch: &[&Job]) -> bool {
        self.background.install(|| self.check(batch))
    }

    /// Checks one batch; returns when the verdicts are known, and whether all are good.
    pub fn check(&self, batch: &[&Job]) -> bool {
        let start = Instant::now();
        let found = verify_ahead(batch);
        let took = start.elapsed();
        if found.bad > 0 {
            self.alarm.raise();
        }
        tracing::debug!(target: "ballots", ballots = batch.len(), found.new, found.bad, ?took, "checked ahead");
        if let Some(metrics) = &self.metrics {
            metrics.report(batch.len(), found.new, took);
        }
        found.bad == 0
    }

    fn style(&self, at: Hash, statement: &Statement) -> Option<Arc<Style>> {
        let key = (statement.eid, statement.style);
        // A thread that panicked has left the map as it was.
        let known = self.styles.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.or_else(|| {
            let terms = self.client.runtime_api().ballot_terms(at, key.0, key.1).ok()??;
            let checks = Checks::new(Terms::decode_all(&mut &*terms).ok()?);
            let style = Arc::new(Style { terms: terms.into(), checks });
            let mut all = self.styles.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= STYLES {
                all.clear();
            }
            all.insert(key, style.clone());
            Some(style)
        })
    }
}

/// Voters, read from the state: a call of the runtime for one would cost about as much as a ballot in a batch.
pub struct Roll(<FullBackend as Backend<Block>>::State);

impl Roll {
    /// Whether a ballot is worth checking: its voter has no ballot as new as this one. Otherwise whoever sends the
    /// ballots of the record once more makes every node pay for proofs that hold.
    pub fn may_count(&self, cast: &CastBallot) -> bool {
        let statement = &cast.signed.ballot.statement;
        let (eid, credential) = (statement.eid, statement.credential);
        let last = self.read::<RecordedHead>(&Ballots::<Runtime>::hashed_key_for(eid, credential));
        let roll = || self.read::<RegisteredVoter>(&Voters::<Runtime>::hashed_key_for(eid, credential));
        Caster::of(last, roll)
            .is_some_and(|voter| voter.style == statement.style && voter.sequence < statement.sequence)
    }

    fn read<T: Decode>(&self, key: &[u8]) -> Option<T> {
        T::decode(&mut self.0.storage(key).ok()??.as_slice()).ok()
    }
}

/// The ballots that an extrinsic casts.
pub fn ballots(extrinsic: &UncheckedExtrinsic) -> Vec<CastBallot> {
    let ballot = |message| match message {
        Message::Cast(cast) => Some(cast),
        _ => None,
    };
    Message::all_from_extrinsic(&extrinsic.encode()).into_iter().filter_map(ballot).collect()
}
