//! The board's approvals: k of m members under one action.

use std::collections::HashMap;

use psephos_protocol::{
    board::{Action, Approval, Board},
    ids::{Digest, Genesis},
    keys::verify_signature,
};

use crate::report::{Failure, Party, Step};

/// The check that an action belongs to.
pub(crate) fn step(action: &Action) -> Step {
    match action {
        Action::CreateElection { .. } => Step::Creation,
        Action::ConfirmBatch { .. } | Action::Reinvite { .. } => Step::Roll,
        Action::Freeze { .. } | Action::Postpone { .. } | Action::Extend { .. } | Action::Close { .. } => {
            Step::Schedule
        }
        Action::Certify { .. } | Action::Void { .. } => Step::Certification,
    }
}

/// What an action is called.
pub(crate) fn name(action: &Action) -> &'static str {
    match action {
        Action::CreateElection { .. } => "creation",
        Action::ConfirmBatch { .. } => "confirmation of a roll batch",
        Action::Reinvite { .. } => "re-invitation",
        Action::Freeze { .. } => "freeze",
        Action::Postpone { .. } => "postponement",
        Action::Extend { .. } => "extension",
        Action::Close { .. } => "early close",
        Action::Certify { .. } => "certification",
        Action::Void { .. } => "voiding",
    }
}

/// An action that waits for approvals.
struct Waiting {
    members: Vec<u8>,
    /// The last block in which it may be approved.
    expires: u32,
}

/// The actions that wait for approvals, by digest.
#[derive(Default)]
pub(crate) struct Proposals(HashMap<Digest, Waiting>);

impl Proposals {
    /// Counts an approval in block `now`. Gives the members when this was the k-th.
    pub(crate) fn approve(
        &mut self,
        approval: &Approval,
        genesis: &Genesis,
        board: &Board,
        now: u32,
        object: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let action = &approval.action;
        let fail = |reason: String| Failure::new(step(action), Party::Validators, object, reason);
        let member = approval.member;
        if !approval.verify(verify_signature, genesis, board) {
            return Err(fail(format!(
                "the approval of the {} is not signed by member {member} of the board",
                name(action)
            )));
        }
        let digest = action.digest();
        self.0.retain(|_, waiting| now <= waiting.expires);
        let expires = now.saturating_add(PROPOSAL_LIFETIME);
        let waiting = self.0.entry(digest).or_insert_with(|| Waiting { members: Vec::new(), expires });
        if waiting.members.contains(&member) {
            return Err(fail(format!("member {member} approved the {} before", name(action))));
        }
        waiting.members.push(member);
        if waiting.members.len() < usize::from(board.threshold) {
            return Ok(None);
        }
        Ok(self.0.remove(&digest).map(|waiting| waiting.members))
    }
}
