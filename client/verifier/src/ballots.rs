//! Checks 8 and 9: each ballot, and that nobody is counted twice.
//!
//! What depends on the ballots before is checked in order; signatures, receipts and proofs, which take
//! the time, are checked a chunk at a time on all cores.

use std::collections::{BTreeMap, HashMap};

use psephos_protocol::{
    agreement::{Accepted, AcceptedSet},
    ballot::{
        batch::{self, Unverified},
        CastBallot, Checks, Statement, Terms, VerifiedBallot,
    },
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    election::Election,
    group::Point,
    ids::{BallotHash, Digest},
    keys::PublicKey,
    manifest::Manifest,
    range_proof::Generators,
    tally::{CommitmentSums, TallyError, Turnout, Turnouts},
    transcript,
};

use crate::{
    header::{Block, Headers, Known},
    report::{Failure, Party, Step, UnitCount},
    roll::{Rights, Roll},
};

/// How many ballots are verified at once; bounds what waits in memory to about 5 MB.
const CHUNK: usize = 4 * batch::BATCH;

/// A voter's ballots.
#[derive(Default)]
struct Voted {
    sequence: u32,
    ballots: u8,
    /// The commitments of the ballot that counts so far, to be taken out of the sums when it is replaced or
    /// excluded.
    commitments: Vec<Point>,
    /// The digest of that ballot's dealing.
    dealing: Digest,
    /// The trustees whose receipts that ballot carries, each the bit of its index.
    vouched: u32,
}

/// A ballot of the set, as its dealing is checked against it.
pub(crate) struct DealtBallot<'a> {
    pub(crate) credential: &'a PublicKey,
    pub(crate) accepted: &'a Accepted,
    pub(crate) commitments: &'a [Point],
    /// The digest of its dealing.
    pub(crate) digest: Digest,
}

/// A ballot whose signatures and proof wait for their check.
struct Waiting {
    object: String,
    cast: CastBallot,
    rights: Rights,
}

/// The ballot box.
pub(crate) struct Ballots {
    generators: Generators,
    /// By style.
    checks: Vec<Checks>,
    waiting: Vec<Waiting>,
    voted: HashMap<PublicKey, Voted>,
    set: AcceptedSet,
    /// Ballots that count and are not in the set, because too few trustees can serve them.
    excluded: BTreeMap<PublicKey, Accepted>,
    sums: CommitmentSums,
    turnout: Vec<Turnout>,
    /// Counted ballots per weight, per style and per unit.
    groups: Groups,
    log: Digest,
    accepted: u64,
    /// Ballots tied to a block before the record.
    unanchored: u64,
}

/// How many ballots count per group of voters.
#[derive(Default)]
pub(crate) struct Groups {
    weights: HashMap<u64, u32>,
    styles: HashMap<u16, u32>,
    units: HashMap<u16, u32>,
}

impl Groups {
    /// Counts a voter.
    pub(crate) fn add(&mut self, rights: &Rights) {
        self.count(rights, true);
        let unit = self.units.entry(rights.unit).or_default();
        *unit = unit.saturating_add(1);
    }

    /// Counts a voter more or less by weight and by style. Who voted in a unit has voted, excluded or not.
    fn count(&mut self, rights: &Rights, more: bool) {
        let one = |count: &mut u32| {
            *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
        };
        one(self.weights.entry(rights.weight).or_default());
        one(self.styles.entry(rights.style).or_default());
    }

    /// Whether nobody was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The first group that has voters, but fewer than the election's privacy minimum.
    pub(crate) fn too_small(&self, election: &Election) -> Option<String> {
        let manifest = &election.manifest;
        if manifest.small_groups_public {
            return None;
        }
        let least = manifest.privacy_minimum;
        let small = |count: Option<&u32>| count.copied().filter(|count| *count > 0 && *count < least);
        let weight = manifest.weights.iter().find_map(|weight| {
            small(self.weights.get(weight)).map(|count| format!("{count} voters of weight {weight}"))
        });
        let style = || {
            (0u16..).take(manifest.styles.len()).find_map(|style| {
                small(self.styles.get(&style)).map(|count| format!("{count} voters of style {style}"))
            })
        };
        weight.or_else(style).map(|group| format!("{group}, fewer than the privacy minimum {least}"))
    }
}

impl Ballots {
    /// An empty box.
    pub(crate) fn new(election: &Election) -> Self {
        let manifest = &election.manifest;
        let styles = (0u16..).take(manifest.styles.len());
        Self {
            generators: Generators::covering(manifest.shapes()),
            checks: styles.filter_map(|style| Terms::of(election, style).ok()).map(Checks::new).collect(),
            waiting: Vec::new(),
            voted: HashMap::new(),
            set: AcceptedSet::default(),
            excluded: BTreeMap::new(),
            sums: CommitmentSums::new(manifest),
            turnout: vec![Turnout::default(); manifest.contests.len()],
            groups: Groups::default(),
            log: Digest::default(),
            accepted: 0,
            unanchored: 0,
        }
    }

    /// Takes a ballot of `block`, when voting is open.
    pub(crate) fn cast(
        &mut self,
        election: &Election,
        roll: &Roll,
        headers: &Headers,
        block: &Block,
        object: &str,
        cast: CastBallot,
    ) -> Result<(), Failure> {
        let statement = &cast.signed.ballot.statement;
        let object =
            format!("{object} (ballot {} of credential {})", statement.sequence, statement.credential);
        let fail = |reason: String| Failure::new(Step::Ballots, Party::Validators, &object, reason);
        let rights = roll
            .rights(&statement.credential)
            .ok_or_else(|| fail(String::from("the credential is not on the electoral roll")))?;
        if statement.style != rights.style {
            return Err(fail(format!(
                "its style is {}, and the roll gives {}",
                statement.style, rights.style
            )));
        }
        let older = self.check_time(statement, headers, block).map_err(fail)?;
        let voted = self.voted.entry(statement.credential).or_default();
        let advance = statement.sequence.saturating_sub(voted.sequence);
        if advance == 0 || advance > SEQUENCE_WINDOW {
            return Err(fail(format!(
                "its sequence number is not 1 to {SEQUENCE_WINDOW} more than {}",
                voted.sequence
            )));
        }
        if voted.ballots >= election.manifest.max_ballots {
            return Err(fail(format!(
                "the credential has cast {} ballots, all that the manifest allows",
                voted.ballots
            )));
        }
        voted.sequence = statement.sequence;
        voted.ballots = voted.ballots.saturating_add(1);
        self.unanchored = self.unanchored.saturating_add(u64::from(older));
        self.waiting.push(Waiting { object, cast, rights });
        if self.waiting.len() >= CHUNK {
            self.flush(election)?;
        }
        Ok(())
    }

    /// What was checked, in words.
    pub(crate) fn summary(&self) -> String {
        let older = match self.unanchored {
            0 => String::new(),
            some => format!("; {some} are tied to blocks before the record, whose hashes it can't show"),
        };
        format!("{} ballots accepted, {} count{older}", self.accepted, self.set.len())
    }

    /// Checks anchor and expiry. Gives whether the anchor is older than the record.
    fn check_time(&self, statement: &Statement, headers: &Headers, block: &Block) -> Result<bool, String> {
        let Statement { anchor, expiry, .. } = statement;
        let now = block.anchor.number;
        if *expiry < now {
            return Err(format!("it expired after block {expiry}"));
        }
        if *expiry > anchor.number.saturating_add(MAX_LIFETIME) {
            return Err(format!(
                "it expires more than {MAX_LIFETIME} blocks after its anchor {}",
                anchor.number
            ));
        }
        match headers.knows(anchor) {
            Known::Yes if anchor.number < now => Ok(false),
            Known::Older => Ok(true),
            _ => Err(format!(
                "it is tied to block {} {}, which this chain does not have",
                anchor.number,
                Digest(anchor.hash)
            )),
        }
    }

    /// Checks signatures, receipts and proofs of all ballots that wait, and counts them.
    pub(crate) fn flush(&mut self, election: &Election) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let unverified = waiting.iter().map(|ballot| {
            // The style is the roll's, which the manifest has.
            let checks = self.checks.get(usize::from(ballot.rights.style)).ok_or(TallyError::Shape);
            checks.map(|checks| Unverified::Cast(&ballot.cast, checks))
        });
        let unverified: Vec<_> = unverified.collect::<Result<_, _>>().map_err(|error| {
            Failure::new(Step::Ballots, Party::Validators, "a ballot style", error.to_string())
        })?;
        let verdicts = batch::verify_parallel(&unverified, &self.generators);
        for (ballot, verdict) in waiting.into_iter().zip(verdicts) {
            let object = ballot.object.clone();
            let fail = |reason: String| Failure::new(Step::Ballots, Party::Validators, &object, reason);
            let verified = verdict.map_err(|error| fail(error.to_string()))?;
            self.count(election, ballot, verified).map_err(|error| fail(error.to_string()))?;
        }
        Ok(())
    }

    fn count(
        &mut self,
        election: &Election,
        ballot: Waiting,
        verified: VerifiedBallot,
    ) -> Result<(), TallyError> {
        let (manifest, rights) = (&election.manifest, ballot.rights);
        let statement = &ballot.cast.signed.ballot.statement;
        let accepted =
            Accepted { sequence: statement.sequence, ballot: verified.hash, weight: rights.weight };
        self.sums.add_vartime(manifest, rights.style, rights.weight, &verified.commitments)?;
        self.log = transcript::log(&self.log, &verified.hash.0);
        self.accepted = self.accepted.saturating_add(1);
        let voted = self.voted.entry(statement.credential).or_default();
        if self.set.accept(statement.credential, accepted).is_some() {
            self.sums.remove_vartime(manifest, rights.style, rights.weight, &voted.commitments)?;
        } else {
            self.groups.add(&rights);
            count_turnout(&mut self.turnout, manifest, &rights, true);
        }
        voted.commitments = statement.commitments.to_vec();
        voted.dealing = statement.dealing;
        let receipts = ballot.cast.receipts.iter();
        voted.vouched = receipts.fold(0, |all, receipt| all | 1u32.wrapping_shl(receipt.trustee.into()));
        Ok(())
    }

    /// Whether a ballot of this credential was accepted.
    pub(crate) fn voted(&self, credential: &PublicKey) -> bool {
        self.voted.contains_key(credential)
    }

    /// Takes the ballots of these credentials, and no others, out of set, sums and turnout. Gives those that were in
    /// before: hash, and the trustees whose receipts each carries.
    pub(crate) fn exclude(
        &mut self,
        election: &Election,
        roll: &Roll,
        credentials: &[PublicKey],
    ) -> Result<Vec<(PublicKey, BallotHash, Vec<u8>)>, TallyError> {
        // Where too many trustees lack everything, nothing is excluded any more.
        let back: Vec<PublicKey> =
            self.excluded.keys().filter(|credential| !credentials.contains(credential)).copied().collect();
        for credential in back {
            if let Some(accepted) = self.excluded.remove(&credential) {
                self.set.accept(credential, accepted);
                self.move_counts(election, roll, &credential, true)?;
            }
        }
        let mut out = Vec::new();
        for credential in credentials {
            let Some(accepted) = self.set.exclude(credential) else { continue };
            self.move_counts(election, roll, credential, false)?;
            self.excluded.insert(*credential, accepted);
            let vouched = self.voted.get(credential).map_or(0, |voted| voted.vouched);
            let trustees = (1..=16u8).filter(|trustee| vouched & 1u32.wrapping_shl((*trustee).into()) != 0);
            out.push((*credential, accepted.ballot, trustees.collect()));
        }
        Ok(out)
    }

    /// Adds a voter's ballot to sums, groups and turnout again, or takes it out.
    fn move_counts(
        &mut self,
        election: &Election,
        roll: &Roll,
        credential: &PublicKey,
        back: bool,
    ) -> Result<(), TallyError> {
        let manifest = &election.manifest;
        let rights = roll.rights(credential).ok_or(TallyError::Shape)?;
        let commitments = &self.voted.get(credential).ok_or(TallyError::Shape)?.commitments;
        if back {
            let points = commitments.iter().map(Point::decompress).collect::<Result<Vec<_>, _>>();
            let points = points.map_err(|_| TallyError::Shape)?;
            self.sums.add_vartime(manifest, rights.style, rights.weight, &points)?;
        } else {
            self.sums.remove_vartime(manifest, rights.style, rights.weight, commitments)?;
        }
        self.groups.count(&rights, back);
        count_turnout(&mut self.turnout, manifest, &rights, back);
        Ok(())
    }

    /// Check 9, when voting is over: each counted ballot has a roll entry of its own.
    pub(crate) fn check_once(&self, roll: &Roll) -> Result<(), Failure> {
        let mut entries: Vec<u32> = Vec::with_capacity(self.set.len());
        for (credential, accepted) in self.set.iter() {
            let fail = |reason: &str| {
                Failure::new(Step::Once, Party::Validators, format!("credential {credential}"), reason)
            };
            let rights = roll.rights(credential).ok_or_else(|| fail("it counts and is not on the roll"))?;
            if rights.weight != accepted.weight {
                return Err(fail("it counts with another weight than the roll's"));
            }
            entries.push(rights.entry);
        }
        entries.sort_unstable();
        match entries.windows(2).find_map(|pair| matches!(pair, [a, b] if a == b).then_some(pair.first())) {
            Some(entry) => Err(Failure::new(
                Step::Once,
                Party::Validators,
                format!("roll entry {}", entry.copied().unwrap_or_default()),
                "two ballots count for it",
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn set(&self) -> &AcceptedSet {
        &self.set
    }

    /// The ballots of the set, in its order, each with the digest of its dealing.
    pub(crate) fn dealt(&self) -> impl Iterator<Item = DealtBallot<'_>> + '_ {
        self.set.iter().filter_map(|(credential, accepted)| {
            let voted = self.voted.get(credential)?;
            Some(DealtBallot { credential, accepted, commitments: &voted.commitments, digest: voted.dealing })
        })
    }

    pub(crate) fn sums(&self) -> &CommitmentSums {
        &self.sums
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    pub(crate) fn turnout(&self) -> Turnouts {
        Turnouts::truncate_from(self.turnout.clone())
    }

    pub(crate) fn log(&self) -> Digest {
        self.log
    }

    /// Ballots that were accepted, replaced ones included.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Adds who voted to the counts per unit.
    pub(crate) fn add_turnout(&self, units: &mut [UnitCount]) {
        for (index, unit) in (0u16..).zip(units) {
            unit.voted = self.groups.units.get(&index).copied().unwrap_or_default();
        }
    }
}

/// Counts a voter's ballot more or less in the turnout of each contest of its style.
fn count_turnout(turnouts: &mut [Turnout], manifest: &Manifest, rights: &Rights, more: bool) {
    let contests = manifest.style(rights.style).map(|style| style.contests.as_slice()).unwrap_or_default();
    for contest in contests {
        let Some(turnout) = turnouts.get_mut(usize::from(*contest)) else { continue };
        (turnout.ballots, turnout.weight) = match more {
            true => (turnout.ballots.saturating_add(1), turnout.weight.saturating_add(rights.weight)),
            false => (turnout.ballots.saturating_sub(1), turnout.weight.saturating_sub(rights.weight)),
        };
    }
}
