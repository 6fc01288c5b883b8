//! The board's approvals: k of m members under one action.

use std::collections::HashMap;

use psephos_protocol::{
    board::{Action, Approval, Board},
    bounds::PROPOSAL_LIFETIME,
    ids::{Digest, Genesis},
    keys::verify_signature,
};

use crate::report::Step;

/// The check that an action belongs to.
pub(crate) fn step(action: &Action) -> Step {
    match action {
        Action::CreateElection { .. } => Step::Creation,
        Action::ConfirmBatch { .. } | Action::Reinvite { .. } => Step::Roll,
        Action::Freeze { .. } | Action::Postpone { .. } | Action::Extend { .. } | Action::Close { .. } => {
            Step::Schedule
        }
        Action::LowerQuorum { .. } => Step::Agreement,
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
        Action::LowerQuorum { .. } => "lowering of the quorum",
    }
}

/// Who has approved an action that waits.
#[derive(Clone)]
struct Waiting {
    members: Vec<u8>,
    /// The last block in which the approvals count.
    expires: u32,
}

/// The actions that wait for approvals, by digest.
#[derive(Default)]
pub(crate) struct Proposals(HashMap<Digest, Waiting>);

impl Proposals {
    /// Checks that an approval is by a member of the board who has not approved the action before.
    pub(crate) fn check(
        &self,
        approval: &Approval,
        genesis: &Genesis,
        board: &Board,
        now: u32,
    ) -> Result<(), String> {
        let (member, action) = (approval.member, name(&approval.action));
        if self.members(&approval.action.digest(), now).contains(&member) {
            return Err(format!("member {member} approved the {action} before"));
        }
        if !approval.verify(verify_signature, genesis, board) {
            return Err(format!(
                "the approval of the {action} is not signed by member {member} of the board"
            ));
        }
        Ok(())
    }

    fn members(&self, digest: &Digest, now: u32) -> &[u8] {
        let waiting = self.0.get(digest).filter(|waiting| waiting.expires >= now);
        waiting.map_or(&[], |waiting| waiting.members.as_slice())
    }

    /// Who will have approved, this approval included.
    pub(crate) fn with(&self, approval: &Approval, now: u32) -> Vec<u8> {
        let mut members = self.members(&approval.action.digest(), now).to_vec();
        members.push(approval.member);
        members
    }

    /// Counts a checked approval that did not complete its action.
    pub(crate) fn wait(&mut self, approval: &Approval, now: u32) {
        let members = self.with(approval, now);
        self.0.retain(|_, waiting| waiting.expires >= now);
        let first = Waiting { members: Vec::new(), expires: now.saturating_add(PROPOSAL_LIFETIME) };
        self.0.entry(approval.action.digest()).or_insert(first).members = members;
    }

    /// Forgets an action that was carried out.
    pub(crate) fn forget(&mut self, action: &Action) {
        self.0.remove(&action.digest());
    }
}
