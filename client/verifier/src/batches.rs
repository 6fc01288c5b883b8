//! Batches of ballots under verification, on all cores while the record is read on.
//!
//! A batch goes to whichever core is free, and its verdicts come back in the order of the record. Enough are under
//! way to keep the cores busy; then the reader waits for the oldest.

use std::{
    collections::VecDeque,
    io,
    sync::{
        mpsc::{sync_channel, Receiver},
        Arc,
    },
};

use psephos_protocol::{
    ballot::{
        batch::{self, Unverified, BATCH},
        BallotError, CastBallot, Checks, VerifiedBallot,
    },
    group::Point,
    ids::BallotHash,
    manifest::Manifest,
    range_proof::Generators,
    tally::{CommitmentSums, TallyError},
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::roll::Rights;

/// A ballot whose signatures and proof are not verified yet.
pub(crate) struct Waiting {
    /// The message that it is.
    pub(crate) object: String,
    pub(crate) cast: CastBallot,
    pub(crate) rights: Rights,
    /// Those of its style.
    pub(crate) checks: Arc<Checks>,
    /// How long it is in the record.
    pub(crate) bytes: u64,
}

/// The commitments of a ballot that counted until another one of its voter did.
pub(crate) struct Replaced {
    pub(crate) rights: Rights,
    pub(crate) commitments: Vec<Point>,
}

/// A batch that came back.
pub(crate) struct Verified {
    /// Each ballot with its hash, or with why it is not valid.
    pub(crate) ballots: Vec<(Waiting, Result<BallotHash, BallotError>)>,
    /// Per unit what the valid ones add to the sums, less what the replaced ones did.
    pub(crate) sums: Result<CommitmentSums, TallyError>,
}

/// What all batches need.
struct Rules {
    manifest: Manifest,
    generators: Generators,
}

impl Rules {
    /// Verifies ballots and sums their commitments.
    fn verify(&self, ballots: Vec<Waiting>, replaced: &[Replaced]) -> Verified {
        let unverified = ballots.iter().map(|ballot| Unverified::Cast(&ballot.cast, &ballot.checks));
        let unverified: Vec<_> = unverified.collect();
        // The other cores have batches of their own, but for the last one.
        let verdicts = match unverified.len() {
            BATCH => batch::verify(&unverified, &self.generators),
            _ => batch::verify_parallel(&unverified, &self.generators),
        };
        let sums = self.sum(ballots.iter().zip(&verdicts), replaced);
        let verdicts = verdicts.into_iter().map(|verdict| verdict.map(|verified| verified.hash));
        Verified { sums, ballots: ballots.into_iter().zip(verdicts).collect() }
    }

    /// The commitments of the valid ballots per unit, less those of the replaced ones.
    fn sum<'a>(
        &self,
        ballots: impl Iterator<Item = (&'a Waiting, &'a Result<VerifiedBallot, BallotError>)>,
        replaced: &[Replaced],
    ) -> Result<CommitmentSums, TallyError> {
        let manifest = &self.manifest;
        let mut sums = CommitmentSums::new(manifest, manifest.counting_units());
        for (ballot, verdict) in ballots {
            let (Rights { weight, style, unit, .. }, Ok(verified)) = (ballot.rights, verdict) else {
                continue;
            };
            sums.add_vartime(manifest, manifest.counting_unit(unit), style, weight, &verified.commitments)?;
        }
        for Replaced { rights: Rights { weight, style, unit, .. }, commitments } in replaced {
            sums.remove_vartime(manifest, manifest.counting_unit(*unit), *style, *weight, commitments)?;
        }
        Ok(sums)
    }
}

/// The batches under way.
pub(crate) struct Batches {
    rules: Arc<Rules>,
    /// Its own: a caller's thread that waits may be one of rayon's.
    pool: ThreadPool,
    /// In the order of the record.
    under_way: VecDeque<Receiver<Verified>>,
}

impl Batches {
    /// Nothing under way.
    pub(crate) fn new(manifest: &Manifest) -> io::Result<Self> {
        let generators = Generators::covering(manifest.shapes());
        Ok(Self {
            rules: Arc::new(Rules { manifest: manifest.clone(), generators }),
            pool: ThreadPoolBuilder::new().build().map_err(io::Error::other)?,
            under_way: VecDeque::new(),
        })
    }

    /// Whether more would wait rather than be verified: each core has a batch, and the next one is there.
    pub(crate) fn is_full(&self) -> bool {
        self.under_way.len() >= self.pool.current_num_threads().saturating_mul(2)
    }

    /// Sends a batch of up to [`BATCH`] ballots on its way, and with it what is to be taken out of the sums.
    pub(crate) fn send(&mut self, ballots: Vec<Waiting>, replaced: Vec<Replaced>) {
        let (rules, (to, back)) = (Arc::clone(&self.rules), sync_channel(1));
        // Nobody waits for it where an earlier ballot was not valid.
        self.pool.spawn(move || drop(to.send(rules.verify(ballots, &replaced))));
        self.under_way.push_back(back);
    }

    /// Waits for the oldest batch; none if none is under way.
    pub(crate) fn next(&mut self) -> io::Result<Option<Verified>> {
        self.under_way.pop_front().map(|back| back.recv().map_err(io::Error::other)).transpose()
    }

    /// Forgets what is under way.
    pub(crate) fn forget(&mut self) {
        self.under_way.clear();
    }
}
