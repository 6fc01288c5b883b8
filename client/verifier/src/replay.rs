//! The replay: the chain's state machine over the record's messages, in the chain's order.
//!
//! The rules are those of spec 8.1; this code shares none with the chain but the protocol itself. The
//! first message that the rules forbid ends the replay: what follows could only repeat the verdict.

use psephos_protocol::{
    board::{Action, Approval},
    bounds::{show, Reason, LOWERED_QUORUM_WAIT},
    election::Election,
    ids::{Anchor, Eid, Genesis},
    manifest::Manifest,
    record::{RecordBlock, RecordHeader},
    state::{LoweredQuorum, Phase},
    wire::Message,
};

use crate::{
    board::{self, Proposals},
    header::{Block, Headers},
    report::{Checks, Failure, Party, Step},
    running::Running,
    Stop,
};

/// The phases in which an election can be voided.
const BEFORE_THE_END: [Phase; 7] = [
    Phase::Setup,
    Phase::Registration,
    Phase::Frozen,
    Phase::Open,
    Phase::Closed,
    Phase::Agreed,
    Phase::Tallied,
];

/// The whole replay.
pub(crate) struct Replay {
    header: RecordHeader,
    pub(crate) headers: Headers,
    proposals: Proposals,
    pub(crate) running: Option<Running>,
    pub(crate) checks: Checks,
    pub(crate) notes: Vec<String>,
}

impl Replay {
    pub(crate) fn new(header: RecordHeader, checks: Checks) -> Self {
        Self {
            header,
            headers: Headers::default(),
            proposals: Proposals::default(),
            running: None,
            checks,
            notes: Vec::new(),
        }
    }

    /// The chain.
    pub(crate) fn genesis(&self) -> Genesis {
        self.header.genesis
    }

    /// Chain and election.
    pub(crate) fn election(&self) -> (Genesis, Eid) {
        (self.header.genesis, self.header.eid)
    }

    fn is_over(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_over)
    }

    /// Replays the next block.
    pub(crate) fn block(&mut self, record: RecordBlock) -> Result<(), Stop> {
        if let (true, Some(last)) = (self.is_over(), self.headers.last()) {
            let reason = "it follows the end of the election";
            return Err(Failure::new(Step::End, Party::Source, format!("what follows {last}"), reason).into());
        }
        let block = self.headers.next(&record)?;
        self.tick(&block)?;
        for (place, message) in record.messages.into_iter().enumerate() {
            self.message(&block, &format!("{block}, message {place}"), message)?;
        }
        Ok(())
    }

    /// Verifies all ballots so far.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.running.as_mut().map_or(Ok(()), |running| running.ballots.flush(&running.election))
    }

    /// Bytes of the ballots that were read and are not verified yet.
    pub(crate) fn unverified(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.ballots.unverified())
    }

    /// The record is at its end.
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        self.flush()?;
        let end = |reason: &str| Err(Failure::early_end(reason).into());
        match self.running.as_ref().map(|running| running.phase) {
            None => return end("no election was created"),
            Some(Phase::Certified | Phase::Void) => {}
            Some(phase) => {
                let reason = format!("the election is in phase {phase}, neither certified nor voided");
                return end(&reason);
            }
        }
        let last = self.headers.last().map_or(Anchor::default(), |block| block.anchor);
        let blocks = self.headers.count();
        self.checks.pass(Step::Format, format!("{blocks} blocks"));
        self.checks.pass(Step::Headers, format!("{blocks} headers up to block {}", last.number));
        self.checks.pass(Step::End, format!("in block {}", last.number));
        Ok(())
    }

    /// The clock at the start of a block, which is the time of the block before.
    fn tick(&mut self, block: &Block) -> Result<(), Stop> {
        let (Some(running), Some(time)) = (&mut self.running, block.parent_time) else { return Ok(()) };
        running.phase = running.due_phase(time);
        // Closed just now, or by the board in the block before.
        if running.phase == Phase::Closed && running.expected.is_none() {
            running.close(block.parent, &mut self.checks)?;
        }
        // A lowered quorum is reached by waiting.
        running.settle(block.anchor.number, &mut self.checks, &block.to_string())?;
        Ok(())
    }

    fn message(&mut self, block: &Block, object: &str, message: Message) -> Result<(), Stop> {
        let fail = |step, party, reason: &str| Err(Failure::new(step, party, object, reason).into());
        if self.is_over() {
            return fail(Step::End, Party::Validators, "it follows the end of the election");
        }
        if message.eid().is_some_and(|eid| eid != self.header.eid) {
            return fail(Step::Format, Party::Source, "it is of another election");
        }
        let step = step(&message);
        if let Message::Approve(approval) = message {
            return self.approve(block, object, approval);
        }
        let Some(running) = &mut self.running else {
            let reason = "the election is not created yet";
            return Err(Failure::new(Step::Creation, Party::Validators, object, reason).into());
        };
        let checks = &mut self.checks;
        if let Message::Cast(cast) = message {
            return running.cast(&self.headers, block, object, cast);
        }
        running.ballots.flush(&running.election)?;
        let of_roll = |(party, reason)| Failure::new(step, party, object, reason);
        match message {
            Message::Accept(acceptance) => running.accept(checks, object, &acceptance)?,
            Message::AddBatch(batch) => {
                running.require(&[Phase::Setup, Phase::Registration], step, object)?;
                running.roll.add(&running.election, batch).map_err(of_roll)?;
            }
            Message::Register(claim) => {
                running.require(&[Phase::Registration], step, object)?;
                running.roll.register(&running.election, &claim).map_err(of_roll)?;
            }
            Message::Agree(agreement) => {
                running.require(&[Phase::Closed, Phase::Agreed], step, object)?;
                running.agree(block.anchor.number, checks, object, &agreement)?;
            }
            Message::Contribute(contribution) => {
                running.require(&[Phase::Agreed], step, object)?;
                let agreed = running.expected(object)?;
                let cells = running.ballots.cells(&running.election);
                running.tally.contribute(&running.election, &cells, &agreed, contribution, object)?;
            }
            Message::Finalize(finalize) => {
                running.require(&[Phase::Agreed], step, object)?;
                running.finalize(checks, object, &finalize)?;
            }
            Message::Declare(declaration) => {
                running.require(&[Phase::Closed], step, object)?;
                let excluded = running.declare(checks, object, declaration)?;
                self.notes.extend(excluded);
            }
            Message::Announce(announcement) => running.announce(object, &announcement)?,
            Message::Approve(_) | Message::Cast(_) => {}
        }
        Ok(())
    }

    /// A board member approves; the k-th approval carries the action out. Each approval is checked
    /// as if it did.
    fn approve(&mut self, block: &Block, object: &str, approval: Approval) -> Result<(), Stop> {
        let now = block.anchor.number;
        let step = board::step(&approval.action);
        let members = self.proposals.with(&approval, now);
        self.flush()?;
        let board = match (&approval.action, &self.running) {
            (Action::CreateElection { .. }, _) | (_, None) => &self.header.board,
            (_, Some(running)) => &running.election.manifest.board,
        };
        let signed = self.proposals.check(&approval, &self.header.genesis, board, now);
        // What is approved comes before who approves it (spec 9.2); who did not is not held to it.
        self.check_action(block, object, &approval.action, &members).map_err(|failure| match signed {
            Ok(()) => failure,
            Err(_) => Failure { party: Party::Validators, ..failure },
        })?;
        signed.map_err(|reason| Failure::new(step, Party::Validators, object, reason))?;
        if members.len() < usize::from(board.threshold) {
            self.proposals.wait(&approval, now);
            return Ok(());
        }
        self.proposals.forget(&approval.action);
        self.carry_out(now, approval.action, &members, object)
    }

    /// Whether the action may be carried out now.
    fn check_action(
        &self,
        block: &Block,
        object: &str,
        action: &Action,
        members: &[u8],
    ) -> Result<(), Failure> {
        let step = board::step(action);
        let fail = |reason: String| Err(Failure::new(step, Party::Board(members.to_vec()), object, reason));
        let running = match (action, &self.running) {
            (Action::CreateElection { number, manifest }, running) => {
                self.check_creation(object, *number, manifest.clone(), members)?;
                return match running {
                    None => Ok(()),
                    Some(_) => fail(String::from("the election exists already")),
                };
            }
            (_, Some(running)) => running,
            (_, None) => {
                let reason = "the election is not created yet";
                return Err(Failure::new(Step::Creation, Party::Validators, object, reason));
            }
        };
        let wrong = |reason: String| Failure::new(step, Party::Board(members.to_vec()), object, reason);
        let require = |phases: &[Phase]| running.require_at(block, phases, step, object);
        match action {
            Action::CreateElection { .. } => Ok(()),
            Action::ConfirmBatch { batch, digest, .. } => {
                require(&[Phase::Setup, Phase::Registration])?;
                running.roll.may_confirm(&running.election, *batch, digest).map_err(wrong)
            }
            Action::Reinvite { entry, round, keys, .. } => {
                require(&[Phase::Registration])?;
                running.roll.may_reinvite(*entry, *round, keys).map_err(wrong)
            }
            Action::Freeze { roll, .. } => {
                require(&[Phase::Registration])?;
                running.may_freeze(block, roll, members, object)
            }
            Action::Postpone { opens_at, closes_at, .. } => {
                require(&[Phase::Setup, Phase::Registration, Phase::Frozen])?;
                let later =
                    *opens_at > running.opens_at && *closes_at >= running.closes_at && closes_at > opens_at;
                if later {
                    Ok(())
                } else {
                    fail(String::from("a postponement must be to later times"))
                }
            }
            Action::Extend { closes_at, reason, .. } => {
                require(&[Phase::Open])?;
                check_reason(reason).map_err(wrong)?;
                if *closes_at > running.closes_at {
                    Ok(())
                } else {
                    fail(String::from("an extension must be to a later time"))
                }
            }
            Action::Close { .. } => {
                require(&[Phase::Open])?;
                if running.election.manifest.early_close {
                    Ok(())
                } else {
                    fail(String::from("the manifest does not allow closing early"))
                }
            }
            Action::Certify { result, .. } => {
                require(&[Phase::Tallied])?;
                match running.tally.result() {
                    Some(stands) if stands.digest == *result => Ok(()),
                    Some(stands) => fail(format!(
                        "the board certifies {result}, and the result's digest is {}",
                        stands.digest
                    )),
                    None => fail(String::from("there is no result")),
                }
            }
            Action::Void { reason, .. } => {
                require(&BEFORE_THE_END)?;
                check_reason(reason).map_err(wrong)
            }
            Action::LowerQuorum { quorum, reason, .. } => {
                require(&[Phase::Closed])?;
                check_reason(reason).map_err(wrong)?;
                if LoweredQuorum::may_follow(running.lowered, &running.election.manifest, *quorum) {
                    Ok(())
                } else {
                    fail(format!("the quorum can't be lowered to {quorum}"))
                }
            }
        }
    }

    fn check_creation(
        &self,
        object: &str,
        number: u32,
        manifest: Manifest,
        members: &[u8],
    ) -> Result<Election, Failure> {
        let fail = |party, reason: String| Failure::new(Step::Definition, party, object, reason);
        let election = Election::new(self.header.genesis, number, manifest).map_err(|error| {
            fail(Party::Board(members.to_vec()), format!("the manifest breaks a rule: {error}"))
        })?;
        if election.eid != self.header.eid {
            let reason = format!(
                "genesis, number and manifest give the identifier {}, and the record is of {}",
                election.eid, self.header.eid
            );
            return Err(fail(Party::Source, reason));
        }
        Ok(election)
    }

    /// Carries an action out that was checked.
    fn carry_out(&mut self, height: u32, action: Action, members: &[u8], object: &str) -> Result<(), Stop> {
        let by = by(members);
        if let Action::CreateElection { number, manifest } = action {
            let election = self.check_creation(object, number, manifest, members)?;
            self.checks.pass(Step::Definition, format!("election {number} of the chain"));
            self.checks.pass(Step::Creation, by);
            self.running = Some(Running::new(election)?);
            return Ok(());
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        match action {
            Action::CreateElection { .. } => {}
            Action::ConfirmBatch { batch, .. } => running.roll.confirm(batch),
            Action::Reinvite { entry, keys, .. } => running.roll.reinvite(entry, keys),
            Action::Freeze { .. } => {
                running.phase = Phase::Frozen;
                running.roll.freeze();
                self.checks.pass(Step::Roll, running.roll.summary());
            }
            Action::Postpone { opens_at, closes_at, .. } => {
                (running.opens_at, running.closes_at) = (opens_at, closes_at);
                self.notes.push(format!("{object}: the board postponed the opening to {opens_at} ms and the close to {closes_at} ms"));
            }
            Action::Extend { closes_at, reason, .. } => {
                running.closes_at = closes_at;
                self.notes.push(format!(
                    "{object}: the board extended voting to {closes_at} ms: {}",
                    show(&reason)
                ));
            }
            Action::Close { .. } => {
                running.phase = Phase::Closed;
                self.notes.push(format!("{object}: the board closed voting early"));
            }
            Action::Certify { .. } => {
                running.phase = Phase::Certified;
                self.checks.pass(Step::Certification, by);
            }
            Action::Void { reason, .. } => running.void(&mut self.checks, show(&reason), by),
            Action::LowerQuorum { quorum, reason, .. } => {
                let from = height.saturating_add(LOWERED_QUORUM_WAIT);
                running.lowered = Some(LoweredQuorum { quorum, from });
                self.notes.push(format!(
                    "{object}: the board lowered the quorum for the set to {quorum} from block {from}: {}",
                    show(&reason)
                ));
            }
        }
        Ok(())
    }
}

/// The check that a message belongs to.
fn step(message: &Message) -> Step {
    match message {
        Message::Approve(approval) => board::step(&approval.action),
        Message::AddBatch(_) | Message::Register(_) => Step::Roll,
        Message::Accept(_) | Message::Announce(_) => Step::Trustees,
        Message::Cast(_) => Step::Ballots,
        Message::Declare(_) | Message::Agree(_) => Step::Agreement,
        Message::Contribute(_) => Step::Contributions,
        Message::Finalize(_) => Step::Openings,
    }
}

fn by(members: &[u8]) -> String {
    let list: Vec<String> = members.iter().map(u8::to_string).collect();
    format!("by board members {}", list.join(", "))
}

fn check_reason(reason: &Reason) -> Result<(), String> {
    if reason.is_empty() || std::str::from_utf8(reason).is_err() {
        return Err(String::from("it needs a reason, in UTF-8"));
    }
    Ok(())
}
