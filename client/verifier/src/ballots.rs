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
    cells::{together, Cells, Groups},
    election::Election,
    group::Point,
    ids::{BallotHash, Digest},
    keys::PublicKey,
    range_proof::Generators,
    tally::{CommitmentSums, TallyError, Turnouts},
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
    /// Sums, turnouts and groups of the counted ballots per unit: the cells are known when all are counted.
    sums: CommitmentSums,
    turnout: Turnouts,
    groups: Vec<Groups>,
    /// Who voted per reporting unit, excluded or not.
    voters: Vec<u32>,
    log: Digest,
    accepted: u64,
    /// Ballots tied to a block before the record.
    unanchored: u64,
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
            sums: CommitmentSums::new(manifest, manifest.counting_units()),
            turnout: Turnouts::new(manifest, manifest.counting_units()),
            groups: Groups::per_unit(manifest),
            voters: vec![0; manifest.units.len()],
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
        let Rights { weight, style, unit, .. } = rights;
        let accepted = Accepted { sequence: statement.sequence, ballot: verified.hash, weight, unit };
        let place = manifest.counting_unit(unit);
        self.sums.add_vartime(manifest, place, style, weight, &verified.commitments)?;
        self.log = transcript::log(&self.log, &verified.hash.0);
        self.accepted = self.accepted.saturating_add(1);
        let voted = self.voted.entry(statement.credential).or_default();
        if self.set.accept(statement.credential, accepted).is_some() {
            self.sums.remove_vartime(manifest, place, style, weight, &voted.commitments)?;
        } else {
            self.groups.get_mut(place).ok_or(TallyError::Shape)?.add(manifest, weight, style);
            self.turnout.add(manifest, place, style, weight)?;
            let voters = self.voters.get_mut(usize::from(unit)).ok_or(TallyError::Shape)?;
            *voters = voters.saturating_add(1);
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
        let Rights { weight, style, unit, .. } = roll.rights(credential).ok_or(TallyError::Shape)?;
        let place = manifest.counting_unit(unit);
        let groups = self.groups.get_mut(place).ok_or(TallyError::Shape)?;
        let commitments = &self.voted.get(credential).ok_or(TallyError::Shape)?.commitments;
        if back {
            let points = commitments.iter().map(Point::decompress).collect::<Result<Vec<_>, _>>();
            let points = points.map_err(|_| TallyError::Shape)?;
            self.sums.add_vartime(manifest, place, style, weight, &points)?;
            self.turnout.add(manifest, place, style, weight)?;
            groups.add(manifest, weight, style);
        } else {
            self.sums.remove_vartime(manifest, place, style, weight, commitments)?;
            self.turnout.remove(manifest, place, style, weight)?;
            groups.remove(manifest, weight, style);
        }
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
            if (rights.weight, rights.unit) != (accepted.weight, accepted.unit) {
                return Err(fail("it counts with another weight or unit than the roll's"));
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

    /// The cells of the counted ballots.
    pub(crate) fn cells(&self, election: &Election) -> Cells {
        Cells::of(&election.manifest, &self.groups)
    }

    /// The sums of the commitments in each cell.
    pub(crate) fn sums(&self, election: &Election, cells: &Cells) -> CommitmentSums {
        self.sums.join(&election.manifest, cells)
    }

    /// The turnouts of each cell.
    pub(crate) fn turnout(&self, election: &Election, cells: &Cells) -> Turnouts {
        self.turnout.join(&election.manifest, cells)
    }

    /// The first group below the privacy minimum among the counted ballots.
    pub(crate) fn too_small(&self, election: &Election) -> Option<String> {
        too_small(election, &together(&election.manifest, &self.groups))
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
        for (unit, voters) in units.iter_mut().zip(&self.voters) {
            unit.voted = *voters;
        }
    }
}

/// The first group that has voters, but fewer than the election's privacy minimum.
pub(crate) fn too_small(election: &Election, groups: &Groups) -> Option<String> {
    let least = election.manifest.privacy_minimum;
    groups.small(&election.manifest).map(|group| format!("{group}, fewer than the privacy minimum {least}"))
}
