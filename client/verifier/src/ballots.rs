//! Checks 8 and 9: each ballot, and that nobody is counted twice.
//!
//! What depends on the ballots before is checked in order; signatures, receipts and proofs, which take
//! the time, are checked a batch at a time on all cores ([`crate::batches`]). A voter who voted takes a few bytes of
//! memory here; what is needed again of the ballot that counts is in a file ([`crate::kept`]).

use std::{collections::BTreeSet, mem, sync::Arc};

use codec::Encode;
use psephos_protocol::{
    agreement::{Accepted, SetRoot},
    ballot::{batch::BATCH, BallotError, CastBallot, Checks, Statement, Terms},
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    cells::{together, Cells, Groups},
    election::Election,
    group::Point,
    ids::{BallotHash, Digest},
    keys::PublicKey,
    tally::{CommitmentSums, TallyError, Turnouts},
    transcript,
};

use crate::{
    batches::{Batches, Replaced, Waiting},
    header::{Block, Headers, Known},
    kept::{Kept, KeptBallots},
    report::{Failure, Party, Step, UnitCount},
    roll::{Rights, Roll},
    Stop,
};

/// What became of a voter's last verified ballot.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    /// There is none.
    #[default]
    None,
    /// It counts.
    Counts,
    /// It would, and too few trustees can serve it.
    Excluded,
}

/// A voter's ballots.
#[derive(Clone, Copy, Default)]
struct Voter {
    /// That of the last ballot; verified or not.
    sequence: u32,
    /// How many there are.
    ballots: u8,
    standing: Standing,
}

/// A ballot of the set.
pub(crate) struct InSet {
    pub(crate) credential: PublicKey,
    pub(crate) rights: Rights,
    pub(crate) kept: Kept,
}

/// The ballot box.
pub(crate) struct Ballots {
    /// By style.
    checks: Vec<Arc<Checks>>,
    /// The ballots of the next batch.
    waiting: Vec<Waiting>,
    /// What the next batch takes out of the sums.
    replaced: Vec<Replaced>,
    batches: Batches,
    /// Bytes of the ballots that are not verified yet.
    unverified: u64,
    /// By roll entry; the roll does not change any more when voting begins.
    voters: Vec<Voter>,
    kept: KeptBallots,
    /// How many ballots are in the set.
    counted: u32,
    /// Whose ballots count and are not in the set, because too few trustees can serve them.
    excluded: BTreeSet<PublicKey>,
    /// Sums, turnouts and groups of the counted ballots per unit: the cells are known when all are counted.
    sums: CommitmentSums,
    turnout: Turnouts,
    groups: Vec<Groups>,
    /// Who voted per reporting unit, excluded or not.
    voted: Vec<u32>,
    log: Digest,
    accepted: u64,
    /// Ballots tied to a block before the record.
    unanchored: u64,
}

impl Ballots {
    /// An empty box.
    pub(crate) fn new(election: &Election) -> Result<Self, Stop> {
        let manifest = &election.manifest;
        let styles = (0u16..).take(manifest.styles.len());
        let terms = styles.filter_map(|style| Terms::of(election, style).ok());
        Ok(Self {
            checks: terms.map(|terms| Arc::new(Checks::new(terms))).collect(),
            waiting: Vec::new(),
            replaced: Vec::new(),
            batches: Batches::new(manifest)?,
            unverified: 0,
            voters: Vec::new(),
            kept: KeptBallots::new(manifest)?,
            counted: 0,
            excluded: BTreeSet::new(),
            sums: CommitmentSums::new(manifest, manifest.counting_units()),
            turnout: Turnouts::new(manifest, manifest.counting_units()),
            groups: Groups::per_unit(manifest),
            voted: vec![0; manifest.units.len()],
            log: Digest::default(),
            accepted: 0,
            unanchored: 0,
        })
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
    ) -> Result<(), Stop> {
        let statement = &cast.signed.ballot.statement;
        let fail = |reason: String| refused(object, statement, Party::Validators, reason);
        let rights = roll
            .rights(&statement.credential)
            .ok_or_else(|| fail(String::from("the credential is not on the electoral roll")))?;
        if statement.style != rights.style {
            let reason = format!("its style is {}, and the roll gives {}", statement.style, rights.style);
            return Err(fail(reason).into());
        }
        let checks = self.checks.get(usize::from(rights.style)).cloned();
        let checks = checks.ok_or_else(|| fail(String::from("the manifest has no such ballot style")))?;
        let older = self.check_time(statement, headers, block).map_err(fail)?;
        let voter = voter(&mut self.voters, rights.entry).ok_or(TallyError::Shape)?;
        let advance = statement.sequence.saturating_sub(voter.sequence);
        if advance == 0 || advance > SEQUENCE_WINDOW {
            let before = voter.sequence;
            let reason = format!("its sequence number is not 1 to {SEQUENCE_WINDOW} more than {before}");
            return Err(fail(reason).into());
        }
        if voter.ballots >= election.manifest.max_ballots {
            let ballots = voter.ballots;
            let reason = format!("the credential has cast {ballots} ballots, all that the manifest allows");
            return Err(fail(reason).into());
        }
        voter.sequence = statement.sequence;
        voter.ballots = voter.ballots.saturating_add(1);
        self.unanchored = self.unanchored.saturating_add(u64::from(older));
        let bytes = cast.encoded_size() as u64;
        self.unverified = self.unverified.saturating_add(bytes);
        self.waiting.push(Waiting { object: object.to_owned(), cast, rights, checks, bytes });
        if self.waiting.len() >= BATCH {
            if self.batches.is_full() {
                self.count_next(election)?;
            }
            self.send();
        }
        Ok(())
    }

    /// What was checked, in words.
    pub(crate) fn summary(&self) -> String {
        let older = match self.unanchored {
            0 => String::new(),
            some => format!("; {some} are tied to blocks before the record, whose hashes it can't show"),
        };
        format!("{} ballots accepted, {} count{older}", self.accepted, self.counted)
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

    /// Verifies all ballots so far, and counts them.
    pub(crate) fn flush(&mut self, election: &Election) -> Result<(), Stop> {
        self.send();
        while self.count_next(election)? {
            self.send();
        }
        Ok(())
    }

    /// Sends the next batch on its way, if there is something in it.
    fn send(&mut self) {
        if !self.waiting.is_empty() || !self.replaced.is_empty() {
            self.batches.send(mem::take(&mut self.waiting), mem::take(&mut self.replaced));
        }
    }

    /// Waits for the oldest batch and counts its ballots. Gives whether there was one.
    fn count_next(&mut self, election: &Election) -> Result<bool, Stop> {
        let Some(batch) = self.batches.next()? else { return Ok(false) };
        for (ballot, verdict) in batch.ballots {
            let counted = verdict.map_err(|error| invalid(&ballot, error).into());
            let counted = counted.and_then(|hash| self.count(election, &ballot, hash));
            // Of what comes after a ballot that is not valid, nothing is said.
            counted.inspect_err(|_| {
                self.waiting.clear();
                self.batches.forget();
            })?;
            self.unverified = self.unverified.saturating_sub(ballot.bytes);
        }
        self.sums.merge(&batch.sums?);
        Ok(true)
    }

    /// Counts a ballot that is valid, but for the sums.
    fn count(&mut self, election: &Election, ballot: &Waiting, hash: BallotHash) -> Result<(), Stop> {
        let (manifest, rights) = (&election.manifest, ballot.rights);
        let Rights { entry, weight, style, unit } = rights;
        let statement = &ballot.cast.signed.ballot.statement;
        self.log = transcript::log(&self.log, &hash.0);
        self.accepted = self.accepted.saturating_add(1);
        let voter = voter(&mut self.voters, entry).ok_or(TallyError::Shape)?;
        if voter.standing == Standing::Counts {
            let commitments = self.kept.get(entry)?.commitments;
            self.replaced.push(Replaced { rights, commitments });
        } else {
            voter.standing = Standing::Counts;
            self.counted = self.counted.saturating_add(1);
            let place = manifest.counting_unit(unit);
            self.groups.get_mut(place).ok_or(TallyError::Shape)?.add(manifest, weight, style);
            self.turnout.add(manifest, place, style, weight)?;
            let voted = self.voted.get_mut(usize::from(unit)).ok_or(TallyError::Shape)?;
            *voted = voted.saturating_add(1);
        }
        let receipts = ballot.cast.receipts.iter();
        let kept = Kept {
            accepted: Accepted { sequence: statement.sequence, ballot: hash, weight, unit },
            dealing: statement.dealing,
            vouched: receipts.fold(0, |all, receipt| all | 1u32.wrapping_shl(receipt.trustee.into())),
            commitments: statement.commitments.to_vec(),
        };
        Ok(self.kept.put(entry, &kept)?)
    }

    fn standing(&self, roll: &Roll, credential: &PublicKey) -> Standing {
        let entry = roll.rights(credential).map(|rights| rights.entry as usize);
        entry.and_then(|entry| self.voters.get(entry)).map_or(Standing::None, |voter| voter.standing)
    }

    /// Whether a ballot of this credential was accepted.
    pub(crate) fn voted(&self, roll: &Roll, credential: &PublicKey) -> bool {
        self.standing(roll, credential) != Standing::None
    }

    /// Takes the ballots of these credentials, and no others, out of set, sums and turnout. Gives those that were in
    /// before: hash, and the trustees whose receipts each carries.
    pub(crate) fn exclude(
        &mut self,
        election: &Election,
        roll: &Roll,
        credentials: &[PublicKey],
    ) -> Result<Vec<(PublicKey, BallotHash, Vec<u8>)>, Stop> {
        // Where too many trustees lack everything, nothing is excluded any more.
        let back: Vec<PublicKey> =
            self.excluded.iter().filter(|credential| !credentials.contains(credential)).copied().collect();
        for credential in back {
            self.excluded.remove(&credential);
            self.move_to(Standing::Counts, election, roll, &credential)?;
        }
        let mut out = Vec::new();
        for credential in credentials {
            if self.standing(roll, credential) != Standing::Counts {
                continue;
            }
            let kept = self.move_to(Standing::Excluded, election, roll, credential)?;
            self.excluded.insert(*credential);
            let vouched = |trustee: &u8| kept.vouched & 1u32.wrapping_shl((*trustee).into()) != 0;
            out.push((*credential, kept.accepted.ballot, (1..=16u8).filter(vouched).collect()));
        }
        Ok(out)
    }

    /// Whose ballots are excluded.
    pub(crate) fn excluded(&self) -> &BTreeSet<PublicKey> {
        &self.excluded
    }

    /// Takes a voter's ballot out of sums, groups and turnout, or adds it again. Gives the ballot.
    fn move_to(
        &mut self,
        standing: Standing,
        election: &Election,
        roll: &Roll,
        credential: &PublicKey,
    ) -> Result<Kept, Stop> {
        let manifest = &election.manifest;
        let Rights { entry, weight, style, unit } = roll.rights(credential).ok_or(TallyError::Shape)?;
        let place = manifest.counting_unit(unit);
        let groups = self.groups.get_mut(place).ok_or(TallyError::Shape)?;
        voter(&mut self.voters, entry).ok_or(TallyError::Shape)?.standing = standing;
        let kept = self.kept.get(entry)?;
        if standing == Standing::Counts {
            let points = kept.commitments.iter().map(Point::decompress).collect::<Result<Vec<_>, _>>();
            let points = points.map_err(|_| TallyError::Shape)?;
            self.sums.add_vartime(manifest, place, style, weight, &points)?;
            self.turnout.add(manifest, place, style, weight)?;
            groups.add(manifest, weight, style);
            self.counted = self.counted.saturating_add(1);
        } else {
            self.sums.remove_vartime(manifest, place, style, weight, &kept.commitments)?;
            self.turnout.remove(manifest, place, style, weight)?;
            groups.remove(manifest, weight, style);
            self.counted = self.counted.saturating_sub(1);
        }
        Ok(kept)
    }

    /// The ballots of the set, in its order. Check 9: each has a roll entry of its own, which gives it its weight and
    /// unit.
    pub(crate) fn set<'a>(&'a self, roll: &'a Roll) -> impl Iterator<Item = Result<InSet, Stop>> + 'a {
        let counts = move |entry: &u32| {
            self.voters.get(*entry as usize).is_some_and(|voter| voter.standing == Standing::Counts)
        };
        roll.frozen().iter().copied().filter(counts).map(move |entry| {
            let object = || format!("roll entry {entry}");
            let fail = |reason: &str| Failure::new(Step::Once, Party::Validators, object(), reason);
            let credential = roll.credential(entry).ok_or_else(|| fail("it counts and has no credential"))?;
            let rights = roll.rights(&credential).filter(|rights| rights.entry == entry);
            let rights = rights.ok_or_else(|| fail("another entry has its credential"))?;
            let kept = self.kept.get(entry)?;
            if (rights.weight, rights.unit) != (kept.accepted.weight, kept.accepted.unit) {
                return Err(fail("it counts with another weight or unit than the roll's").into());
            }
            Ok(InSet { credential, rights, kept })
        })
    }

    /// The root of the set, with check 9.
    pub(crate) fn root(&self, roll: &Roll) -> Result<Digest, Stop> {
        let (mut root, mut found) = (SetRoot::default(), 0u32);
        for ballot in self.set(roll) {
            let InSet { credential, kept, .. } = ballot?;
            root.add(&credential, &kept.accepted);
            found = found.saturating_add(1);
        }
        if found != self.counted {
            let reason = format!("{} ballots count, for {found} entries with a credential", self.counted);
            return Err(Failure::new(Step::Once, Party::Validators, "the roll", reason).into());
        }
        Ok(root.digest())
    }

    /// How many ballots are in the set.
    pub(crate) fn counted(&self) -> u32 {
        self.counted
    }

    /// Bytes of the ballots that were read and are not verified yet.
    pub(crate) fn unverified(&self) -> u64 {
        self.unverified
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
        for (unit, voted) in units.iter_mut().zip(&self.voted) {
            unit.voted = *voted;
        }
    }
}

/// A voter of the roll, who may have cast nothing yet.
fn voter(voters: &mut Vec<Voter>, entry: u32) -> Option<&mut Voter> {
    let place = entry as usize;
    voters.resize(voters.len().max(place.saturating_add(1)), Voter::default());
    voters.get_mut(place)
}

/// A ballot that the rules forbid.
fn refused(object: &str, statement: &Statement, party: Party, reason: String) -> Failure {
    let Statement { sequence, credential, .. } = statement;
    let object = format!("{object} (ballot {sequence} of credential {credential})");
    Failure::new(Step::Ballots, party, object, reason)
}

/// A ballot that is not valid. Signature and receipts are checked first: where they hold, voter and trustees signed it
/// as it is.
fn invalid(ballot: &Waiting, error: BallotError) -> Failure {
    let CastBallot { signed, receipts } = &ballot.cast;
    let statement = &signed.ballot.statement;
    let party = match error {
        BallotError::Encoding | BallotError::Signature | BallotError::Receipts => Party::Validators,
        _ => Party::Signers {
            voter: statement.credential,
            trustees: receipts.iter().map(|receipt| receipt.trustee).collect(),
        },
    };
    refused(&ballot.object, statement, party, error.to_string())
}

/// The first group that has voters, but fewer than the election's privacy minimum.
pub(crate) fn too_small(election: &Election, groups: &Groups) -> Option<String> {
    let least = election.manifest.privacy_minimum;
    groups.small(&election.manifest).map(|group| format!("{group}, fewer than the privacy minimum {least}"))
}
