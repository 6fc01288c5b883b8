//! The election while it runs: its phase, and what each phase takes.

use std::collections::{BTreeMap, BTreeSet};

use psephos_protocol::{
    agreement::{Acceptance, Agreement, SetStatement},
    ballot::CastBallot,
    cells::Groups,
    declaration::{Declaration, Declarations},
    election::Election,
    endpoint::Announcement,
    ids::{Anchor, BallotHash, Digest},
    keys::{verify_signature, PublicKey},
    state::{LoweredQuorum, Phase},
    tally::Finalize,
};

use crate::{
    ballots::{too_small, Ballots},
    header::{Block, Headers},
    report::{Checks, Failure, Party, Step},
    roll::Roll,
    tally::Tally,
    Stop,
};

/// The election while it runs.
pub(crate) struct Running {
    pub(crate) election: Election,
    pub(crate) phase: Phase,
    /// In ms since the Unix epoch.
    pub(crate) opens_at: u64,
    /// In ms since the Unix epoch.
    pub(crate) closes_at: u64,
    /// The trustees who accepted.
    accepted: BTreeSet<u8>,
    /// How many addresses each trustee stated.
    announced: BTreeMap<u8, u8>,
    pub(crate) roll: Roll,
    pub(crate) ballots: Ballots,
    /// The set that trustees should sign, once voting is over.
    pub(crate) expected: Option<SetStatement>,
    declarations: Declarations,
    /// The quorum for the set, where the board lowered it.
    pub(crate) lowered: Option<LoweredQuorum>,
    pub(crate) tally: Tally,
    /// Why it was voided.
    pub(crate) voided: Option<String>,
}

impl Running {
    /// An election that was just created.
    pub(crate) fn new(election: Election) -> Result<Self, Stop> {
        Ok(Self {
            phase: Phase::Setup,
            opens_at: election.manifest.opens_at,
            closes_at: election.manifest.closes_at,
            accepted: BTreeSet::new(),
            announced: BTreeMap::new(),
            roll: Roll::default(),
            ballots: Ballots::new(&election)?,
            expected: None,
            declarations: Declarations::default(),
            lowered: None,
            tally: Tally::default(),
            voided: None,
            election,
        })
    }

    /// Whether nothing can follow.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Certified | Phase::Void)
    }

    /// Checks that the election is in one of these phases, which are given in order. What comes too early
    /// fails the check whose subject is missing before it.
    pub(crate) fn require(&self, phases: &[Phase], step: Step, object: &str) -> Result<(), Failure> {
        if phases.contains(&self.phase) {
            return Ok(());
        }
        let early = phases.first().is_some_and(|first| (self.phase as u8) < (*first as u8));
        let (step, reason) = match self.phase {
            Phase::Certified | Phase::Void => (Step::End, String::from("it follows the end of the election")),
            Phase::Setup if early => {
                (Step::Trustees, format!("it comes before trustees {} accepted", self.absent()))
            }
            Phase::Registration if early => {
                (Step::Schedule, String::from("it comes before the roll was frozen"))
            }
            Phase::Frozen if early => (step, String::from("it comes before voting opened")),
            Phase::Open if early => (step, String::from("it comes before voting closed")),
            Phase::Closed if early => (
                Step::Agreement,
                format!("it comes before {} trustees signed the counted set", self.election.manifest.quorum),
            ),
            Phase::Agreed if early => {
                (Step::Openings, String::from("it comes before the totals were opened"))
            }
            phase => (step, format!("it comes too late, in phase {phase}")),
        };
        Err(Failure::new(step, Party::Validators, object, reason))
    }

    /// The phase that the clock makes of this one at `time`, in ms.
    pub(crate) fn due_phase(&self, time: u64) -> Phase {
        match self.phase {
            Phase::Frozen if time >= self.opens_at => Phase::Open,
            Phase::Open if time >= self.closes_at => Phase::Closed,
            phase => phase,
        }
    }

    /// As [`Self::require`], and that the time of the block itself has not ended the phase: the clock ends it
    /// one block later.
    pub(crate) fn require_at(
        &self,
        block: &Block,
        phases: &[Phase],
        step: Step,
        object: &str,
    ) -> Result<(), Failure> {
        self.require(phases, step, object)?;
        let (phase, time) = (self.phase, block.time);
        if phases.contains(&self.due_phase(time)) {
            return Ok(());
        }
        let reason = format!("it comes too late, at {time} ms, which ends phase {phase}");
        Err(Failure::new(step, Party::Validators, object, reason))
    }

    /// The trustees who have not accepted.
    fn absent(&self) -> String {
        let all = 1..=self.election.manifest.trustees.len() as u8;
        let absent: Vec<String> = all
            .filter(|trustee| !self.accepted.contains(trustee))
            .map(|trustee| trustee.to_string())
            .collect();
        absent.join(", ")
    }

    /// A trustee accepts the election.
    pub(crate) fn accept(
        &mut self,
        checks: &mut Checks,
        object: &str,
        acceptance: &Acceptance,
    ) -> Result<(), Failure> {
        self.require(&[Phase::Setup], Step::Trustees, object)?;
        let trustee = acceptance.trustee;
        let fail = |reason: String| Err(Failure::new(Step::Trustees, Party::Validators, object, reason));
        if !acceptance.verify(&self.election, verify_signature) {
            return fail(format!("the acceptance is not signed by trustee {trustee} of this election"));
        }
        if !self.accepted.insert(trustee) {
            return fail(format!("trustee {trustee} accepted before"));
        }
        if self.accepted.len() == self.election.manifest.trustees.len() {
            self.phase = Phase::Registration;
            checks.pass(Step::Trustees, format!("all {}", self.accepted.len()));
        }
        Ok(())
    }

    /// A trustee states where it can be reached.
    pub(crate) fn announce(&mut self, object: &str, announcement: &Announcement) -> Result<(), Failure> {
        let Announcement { trustee, endpoint, .. } = announcement;
        let fail = |party, reason: String| Err(Failure::new(Step::Trustees, party, object, reason));
        if !announcement.verify(&self.election, verify_signature) {
            let reason = format!("the address is not signed by trustee {trustee} of this election");
            return fail(Party::Validators, reason);
        }
        if !endpoint.is_valid() {
            let reason = format!("statement {} of trustee {trustee} is no address", endpoint.number);
            return fail(Party::Trustees(vec![*trustee]), reason);
        }
        let before = self.announced.insert(*trustee, endpoint.number).unwrap_or(0);
        if endpoint.number <= before {
            let number = endpoint.number;
            let reason =
                format!("statement {number} of trustee {trustee} comes after its statement {before}");
            return fail(Party::Validators, reason);
        }
        Ok(())
    }

    /// Whether the board may freeze the roll that it saw.
    pub(crate) fn may_freeze(
        &self,
        block: &Block,
        seen: &Digest,
        members: &[u8],
        object: &str,
    ) -> Result<(), Failure> {
        let fail =
            |step, reason: String| Err(Failure::new(step, Party::Board(members.to_vec()), object, reason));
        if *seen != self.roll.log() {
            let log = self.roll.log();
            return fail(
                Step::Roll,
                format!("the board froze the roll {seen}, and the roll of this record is {log}"),
            );
        }
        if block.time >= self.closes_at {
            let (time, close) = (block.time, self.closes_at);
            return fail(
                Step::Schedule,
                format!("the board froze the roll at {time} ms, and voting ends at {close} ms"),
            );
        }
        let manifest = &self.election.manifest;
        let mut groups = Groups::new(manifest);
        self.roll.voters().for_each(|rights| groups.add(manifest, rights.weight, rights.style));
        if groups.is_empty() {
            return fail(Step::Roll, String::from("the board froze a roll on which nobody has a credential"));
        }
        match too_small(&self.election, &groups) {
            Some(group) => fail(Step::Privacy, format!("the roll has {group}")),
            None => Ok(()),
        }
    }

    /// A voter casts a ballot.
    pub(crate) fn cast(
        &mut self,
        headers: &Headers,
        block: &Block,
        object: &str,
        cast: CastBallot,
    ) -> Result<(), Stop> {
        self.require_at(block, &[Phase::Open], Step::Ballots, object)?;
        self.ballots.cast(&self.election, &self.roll, headers, block, object, cast)
    }

    /// The phase is Closed; `closing` is the last block whose ballots count.
    pub(crate) fn close(&mut self, closing: Anchor, checks: &mut Checks) -> Result<(), Stop> {
        self.ballots.flush(&self.election)?;
        checks.pass(Step::Schedule, format!("voting ended with block {}", closing.number));
        checks.pass(Step::Ballots, self.ballots.summary());
        self.expect(closing, checks)?;
        checks.pass(Step::Once, format!("{} ballots of as many roll entries count", self.ballots.counted()));
        Ok(())
    }

    /// The set as it is now is what trustees should sign.
    fn expect(&mut self, closing: Anchor, checks: &mut Checks) -> Result<(), Stop> {
        let (root, ballots, log) =
            (self.ballots.root(&self.roll)?, self.ballots.counted(), self.ballots.log());
        self.expected = Some(SetStatement { closing, root, ballots, log });
        let columns = self.election.manifest.columns();
        let of_cells = match self.ballots.cells(&self.election).len() {
            1 => String::new(),
            cells => format!(" of {cells} cells"),
        };
        checks.pass(Step::Sums, format!("{ballots} ballots in {columns} columns{of_cells}"));
        match self.ballots.too_small(&self.election) {
            None => checks
                .pass(Step::Privacy, format!("the minimum is {}", self.election.manifest.privacy_minimum)),
            Some(_) => checks.forget(Step::Privacy),
        }
        Ok(())
    }

    /// A trustee declares what it can't serve. Gives what is to be said of ballots that are excluded now.
    pub(crate) fn declare(
        &mut self,
        checks: &mut Checks,
        object: &str,
        declaration: Declaration,
    ) -> Result<Vec<String>, Stop> {
        let closing = self.expected(object)?.closing;
        let trustee = declaration.trustee;
        let fail = |party, reason: String| Err(Failure::new(Step::Agreement, party, object, reason).into());
        let own = || Party::Trustees(vec![trustee]);
        if !declaration.verify(&self.election, verify_signature) {
            let reason = format!("the declaration is not signed by trustee {trustee} of this election");
            return fail(Party::Validators, reason);
        }
        if declaration.closing != closing {
            return fail(own(), format!("trustee {trustee} declares for another closing block"));
        }
        let missing = declaration.missing;
        let counts = |credential: &PublicKey| self.ballots.voted(&self.roll, credential);
        if !missing.is_ordered() || !missing.listed().iter().all(counts) {
            return fail(own(), format!("trustee {trustee} lists what does not count, or not in order"));
        }
        if let Some(before) = self.declarations.of(trustee) {
            // The same once more is sent by anybody.
            let again = *before == missing;
            let (party, what) = if again { (Party::Validators, "this") } else { (own(), "something else") };
            return fail(party, format!("trustee {trustee} declared {what} before"));
        }
        self.declarations.add(trustee, missing);
        let excluded = self.declarations.excluded(&self.election.manifest);
        let before = self.ballots.excluded().clone();
        let left_out = self.ballots.exclude(&self.election, &self.roll, &excluded)?;
        if *self.ballots.excluded() != before {
            self.expect(closing, checks)?;
        }
        let note = |(credential, hash, vouched): (PublicKey, BallotHash, Vec<u8>)| {
            let without = Party::Trustees(self.declarations.without(&credential));
            let vouched = Party::Trustees(vouched);
            format!(
                "ballot {hash} of credential {credential} is not in the set: {without} say that they can't serve \
                 it; its receipts are by {vouched}"
            )
        };
        Ok(left_out.into_iter().map(note).collect())
    }

    /// The set that trustees should sign.
    pub(crate) fn expected(&self, object: &str) -> Result<SetStatement, Failure> {
        let early =
            || Failure::new(Step::Agreement, Party::Validators, object, "it comes before the closing block");
        self.expected.ok_or_else(early)
    }

    /// A trustee signs the set.
    pub(crate) fn agree(
        &mut self,
        height: u32,
        checks: &mut Checks,
        object: &str,
        agreement: &Agreement,
    ) -> Result<(), Failure> {
        self.require(&[Phase::Closed, Phase::Agreed], Step::Agreement, object)?;
        let expected = self.expected(object)?;
        if let Some(group) = self.ballots.too_small(&self.election) {
            let party = Party::Trustees(vec![agreement.trustee]);
            return Err(Failure::new(
                Step::Privacy,
                party,
                object,
                format!("a set with {group} is to be opened"),
            ));
        }
        self.tally.agree(&self.election, &expected, agreement, object)?;
        if self.phase == Phase::Agreed {
            self.name_signers(&expected, checks);
        }
        self.settle(height, checks, object)
    }

    /// The set is agreed on when a quorum has signed it.
    pub(crate) fn settle(&mut self, height: u32, checks: &mut Checks, object: &str) -> Result<(), Failure> {
        let (Phase::Closed, Some(expected)) = (self.phase, self.expected) else { return Ok(()) };
        let quorum = LoweredQuorum::at(self.lowered, &self.election.manifest, height);
        if self.tally.agreed(quorum, &expected, object)? {
            self.phase = Phase::Agreed;
            self.name_signers(&expected, checks);
        }
        Ok(())
    }

    /// Says who signed the set, and who another one.
    fn name_signers(&self, expected: &SetStatement, checks: &mut Checks) {
        let (same, other) = self.tally.signers(expected);
        let dissent = match other.as_slice() {
            [] => String::new(),
            some => {
                format!("; {} signed another set, which nothing supports", Party::Trustees(some.to_vec()))
            }
        };
        checks.pass(
            Step::Agreement,
            format!("{} signed the set of {} ballots{dissent}", Party::Trustees(same), expected.ballots),
        );
    }

    /// The totals are opened.
    pub(crate) fn finalize(
        &mut self,
        checks: &mut Checks,
        object: &str,
        finalize: &Finalize,
    ) -> Result<(), Failure> {
        let agreed = self.expected(object)?;
        self.tally.finalize(&self.election, &self.ballots, &agreed, finalize, object)?;
        self.phase = Phase::Tallied;
        checks.pass(Step::Contributions, format!("{} trustees contributed", self.tally.contributed()));
        let named = Party::Trustees(finalize.contributors.to_vec());
        checks.pass(Step::Openings, format!("with the contributions of {named}"));
        Ok(())
    }

    /// The board voids the election: what had not come to its end never will.
    pub(crate) fn void(&mut self, checks: &mut Checks, reason: String, by: String) {
        let phase = self.phase;
        self.phase = Phase::Void;
        self.voided = Some(reason);
        checks.pass(Step::Certification, format!("voided {by}"));
        if let Some(group) = self.expected.and_then(|_| self.ballots.too_small(&self.election)) {
            checks.pass(Step::Privacy, format!("nothing was opened, with {group}"));
        }
        let open =
            Step::ALL.into_iter().filter(|step| !matches!(step, Step::Format | Step::Headers | Step::End));
        for step in open {
            checks.not_applicable(step, format!("voided in phase {phase}"));
        }
    }
}
