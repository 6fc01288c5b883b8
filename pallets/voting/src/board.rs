//! The board acts (spec 3.4): approvals are collected, the k-th carries the action out.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::*, weights::Weight};
use psephos_protocol::{
    board::{Action, Approval, Board},
    bounds::{Reason, LOWERED_QUORUM_WAIT, PROPOSAL_LIFETIME},
    cells::Groups,
    election::Election,
    ids::{Digest, Eid},
    keys::PublicKey,
    refusal::Refusal,
    roll::{InvitationKeys, RollEvent},
    state::{ElectionState, LoweredQuorum, Phase, Proposal},
    tally::ElectionResult,
};
use scale_info::TypeInfo;
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{host_verify, pallet::*, priority, WeightInfo, ACT_LONGEVITY};

/// A proposal in the list that bounds how many wait.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct WaitingProposal {
    /// What waits.
    pub digest: Digest,
    /// Who proposed it.
    pub proposer: PublicKey,
    /// The block after which it expires.
    pub expires: u32,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn approve_weight(action: &Action) -> Weight {
        let act = match action {
            // Measured with one style.
            Action::CreateElection { manifest, .. } => <T as Config>::WeightInfo::create_election()
                .saturating_add(T::DbWeight::get().writes(manifest.styles.len() as u64)),
            // To note a rehearsal is a write and a hash over the trustees' keys: less than a creation's five writes.
            Action::Certify { .. } => <T as Config>::WeightInfo::create_election(),
            Action::ConfirmBatch { eid, batch, .. } => {
                <T as Config>::WeightInfo::confirm_batch(Self::batch_count(eid, *batch))
            }
            _ => Weight::zero(),
        };
        <T as Config>::WeightInfo::approve().saturating_add(act)
    }

    /// A batch's entries are checked at each approval as they were when it was proposed. Whether trustees have
    /// rehearsed is two reads and a hash over their keys: less than a creation's five writes.
    pub(crate) fn authorize_approve_weight(action: &Action) -> Weight {
        let more = match action {
            Action::Freeze { .. } => <T as Config>::WeightInfo::create_election(),
            Action::ConfirmBatch { eid, batch, .. } => {
                <T as Config>::WeightInfo::authorize_add_batch(Self::batch_count(eid, *batch))
            }
            _ => Weight::zero(),
        };
        <T as Config>::WeightInfo::authorize_approve().saturating_add(more)
    }

    pub(crate) fn authorize_approve(
        _: TransactionSource,
        approval: &Approval,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_approval(approval),
            priority::ACTS,
            ACT_LONGEVITY,
            [("approve", approval.action.digest(), approval.member)],
        )
    }

    /// The board that decides on an action.
    fn board_of(action: &Action) -> Result<Board, Refusal> {
        match action.eid() {
            None => Ok(ChainBoard::<T>::get()),
            Some(eid) => Ok(Self::election(&eid)?.0.manifest.board),
        }
    }

    /// What was approved so far, unless that has expired.
    fn waiting(digest: &Digest) -> Option<Proposal> {
        Proposals::<T>::get(digest).filter(|proposal| proposal.expires >= Self::height())
    }

    /// Each approval is checked as if it carried the action out.
    fn check_approval(approval: &Approval) -> Result<(), Refusal> {
        let board = Self::board_of(&approval.action)?;
        match Self::waiting(&approval.action.digest()) {
            Some(proposal) if proposal.approvals.contains(&approval.member) => {
                return Err(Refusal::AlreadyApproved)
            }
            Some(_) => {}
            None => Self::check_room(&board, approval.member)?,
        }
        if !approval.verify(host_verify, &Self::genesis(), &board) {
            return Err(Refusal::NotBoard);
        }
        Self::check_action(&approval.action)
    }

    /// Whether the member may have another action waiting.
    fn check_room(board: &Board, member: u8) -> Result<(), Refusal> {
        let now = Self::height();
        let waiting = Waiting::<T>::get();
        let alive = || waiting.iter().filter(|proposal| proposal.expires >= now);
        let proposer = board.members.get(usize::from(member)).ok_or(Refusal::NotBoard)?;
        let own = alive().filter(|proposal| proposal.proposer == *proposer).count();
        if own >= MAX_PROPOSALS_PER_MEMBER || alive().count() >= MAX_PROPOSALS as usize {
            return Err(Refusal::TooManyProposals);
        }
        Ok(())
    }

    /// Whether the action can be carried out now.
    fn check_action(action: &Action) -> Result<(), Refusal> {
        if let Action::CreateElection { number, manifest } = action {
            if *number != NextNumber::<T>::get() {
                return Err(Refusal::WrongNumber);
            }
            if Active::<T>::get().is_full() {
                return Err(Refusal::TooManyElections);
            }
            return manifest.validate().map_err(|_| Refusal::InvalidManifest);
        }
        let eid = action.eid().ok_or(Refusal::UnknownElection)?;
        let (election, state) = Self::election(&eid)?;
        // In this phase, and not beyond it by this block's own time.
        let due = Self::due_phase(&state);
        let needs = |phases: &[Phase]| {
            let on = phases.contains(&state.phase) && phases.contains(&due);
            on.then_some(()).ok_or(Refusal::WrongPhase)
        };
        match action {
            Action::CreateElection { .. } => Ok(()),
            Action::ConfirmBatch { batch, digest, .. } => {
                needs(&[Phase::Setup, Phase::Registration])?;
                Self::check_confirm(&election, &state, *batch, digest)
            }
            Action::Reinvite { entry, round, keys, .. } => {
                needs(&[Phase::Registration])?;
                Self::check_reinvite(&eid, *entry, *round, keys)
            }
            Action::Freeze { roll, .. } => {
                needs(&[Phase::Registration])?;
                Self::check_freeze(&election, &state, roll)
            }
            Action::Postpone { opens_at, closes_at, .. } => {
                needs(&[Phase::Setup, Phase::Registration, Phase::Frozen])?;
                let later =
                    *opens_at > state.opens_at && *closes_at >= state.closes_at && closes_at > opens_at;
                later.then_some(()).ok_or(Refusal::WrongTime)
            }
            Action::Extend { closes_at, reason, .. } => {
                needs(&[Phase::Open])?;
                check_reason(reason)?;
                (*closes_at > state.closes_at).then_some(()).ok_or(Refusal::WrongTime)
            }
            Action::Close { .. } => {
                needs(&[Phase::Open])?;
                election.manifest.early_close.then_some(()).ok_or(Refusal::NoEarlyClose)
            }
            Action::Certify { result, .. } => {
                needs(&[Phase::Tallied])?;
                (Self::result_digest(&eid, &state) == Some(*result)).then_some(()).ok_or(Refusal::WrongResult)
            }
            Action::Void { reason, .. } => {
                check_reason(reason)?;
                (!matches!(state.phase, Phase::Certified | Phase::Void))
                    .then_some(())
                    .ok_or(Refusal::WrongPhase)
            }
            Action::LowerQuorum { quorum, reason, .. } => {
                needs(&[Phase::Closed])?;
                check_reason(reason)?;
                LoweredQuorum::may_follow(state.lowered, &election.manifest, *quorum)
                    .then_some(())
                    .ok_or(Refusal::WrongQuorum)
            }
        }
    }

    fn result_digest(eid: &Eid, state: &ElectionState) -> Option<Digest> {
        let result: ElectionResult = Results::<T>::get(eid)?;
        Some(result.digest(eid, &state.agreed?.root))
    }

    pub(crate) fn do_approve(approval: Approval) -> Result<(), Refusal> {
        let Approval { action, member, .. } = approval;
        let (board, digest) = (Self::board_of(&action)?, action.digest());
        let mut proposal = match Self::waiting(&digest) {
            Some(proposal) => proposal,
            None => Self::propose(&board, &action, digest, member)?,
        };
        proposal.approvals.try_push(member).map_err(|_| Refusal::NotBoard)?;
        Self::deposit_event(Event::Approved {
            digest,
            member,
            approvals: proposal.approvals.len() as u32,
            needed: board.threshold,
        });
        if proposal.approvals.len() < usize::from(board.threshold) {
            Proposals::<T>::insert(digest, proposal);
            return Ok(());
        }
        Self::forget(&digest);
        Self::carry_out(action)
    }

    /// A new proposal, after those that expired are gone.
    fn propose(board: &Board, action: &Action, digest: Digest, member: u8) -> Result<Proposal, Refusal> {
        let now = Self::height();
        let expires = now.saturating_add(PROPOSAL_LIFETIME);
        let proposer = *board.members.get(usize::from(member)).ok_or(Refusal::NotBoard)?;
        Waiting::<T>::try_mutate(|waiting| {
            for expired in waiting.iter().filter(|proposal| proposal.expires < now) {
                Proposals::<T>::remove(expired.digest);
            }
            waiting.retain(|proposal| proposal.expires >= now);
            waiting
                .try_push(WaitingProposal { digest, proposer, expires })
                .map_err(|_| Refusal::TooManyProposals)
        })?;
        Ok(Proposal { action: action.clone(), approvals: Default::default(), expires })
    }

    fn forget(digest: &Digest) {
        Proposals::<T>::remove(digest);
        Waiting::<T>::mutate(|waiting| waiting.retain(|proposal| proposal.digest != *digest));
    }

    fn carry_out(action: Action) -> Result<(), Refusal> {
        match action {
            Action::CreateElection { number, manifest } => {
                let election =
                    Election::new(Self::genesis(), number, manifest).map_err(|_| Refusal::InvalidManifest)?;
                Self::create(number, election)
            }
            Action::ConfirmBatch { eid, batch, .. } => Self::confirm_batch(&eid, batch),
            Action::Reinvite { eid, entry, keys, .. } => Self::reinvite(&eid, entry, keys),
            Action::Freeze { eid, .. } => Self::enter(&eid, Phase::Frozen),
            Action::Postpone { eid, opens_at, closes_at } => {
                Self::reschedule(&eid, Some(opens_at), closes_at)
            }
            Action::Extend { eid, closes_at, .. } => Self::reschedule(&eid, None, closes_at),
            Action::Close { eid } => Self::enter(&eid, Phase::Closed),
            Action::Certify { eid, result } => {
                Self::update(&eid, |state| state.certified = Some(result))?;
                Self::note_rehearsal(&eid)?;
                Self::deposit_event(Event::Certified { eid, result });
                Self::enter(&eid, Phase::Certified)
            }
            Action::Void { eid, reason } => {
                Self::update(&eid, |state| state.void = Some(reason))?;
                Self::enter(&eid, Phase::Void)
            }
            Action::LowerQuorum { eid, quorum, .. } => {
                let from = Self::height().saturating_add(LOWERED_QUORUM_WAIT);
                Self::update(&eid, |state| state.lowered = Some(LoweredQuorum { quorum, from }))?;
                Self::deposit_event(Event::QuorumLowered { eid, quorum, from });
                Ok(())
            }
        }
    }

    pub(crate) fn create(number: u32, election: Election) -> Result<(), Refusal> {
        Self::keep_styles(&election)?;
        let Election { eid, manifest, .. } = election;
        Active::<T>::try_mutate(|active| active.try_push(eid)).map_err(|_| Refusal::TooManyElections)?;
        NextNumber::<T>::put(number.saturating_add(1));
        let state = ElectionState {
            number,
            phase: Phase::Setup,
            created: Self::height(),
            opens_at: manifest.opens_at,
            closes_at: manifest.closes_at,
            accepted: Default::default(),
            batches: 0,
            confirmed: 0,
            entries: 0,
            voters: 0,
            roll: Digest::default(),
            ballots: 0,
            counted: 0,
            ballot_log: Digest::default(),
            closing: None,
            summed: false,
            withheld: false,
            conflict: false,
            excluded: 0,
            lowered: None,
            agreed: None,
            certified: None,
            void: None,
        };
        RollGroups::<T>::insert(eid, Groups::new(&manifest));
        Elections::<T>::insert(eid, state);
        Manifests::<T>::insert(eid, manifest);
        Self::deposit_event(Event::Created { eid, number });
        Ok(())
    }

    fn reschedule(eid: &Eid, opens_at: Option<u64>, closes_at: u64) -> Result<(), Refusal> {
        let mut opening = 0;
        Self::update(eid, |state| {
            state.opens_at = opens_at.unwrap_or(state.opens_at);
            state.closes_at = closes_at;
            opening = state.opens_at;
        })?;
        Self::deposit_event(Event::Rescheduled { eid: *eid, opens_at: opening, closes_at });
        Ok(())
    }

    fn check_reinvite(eid: &Eid, entry: u32, round: u8, keys: &InvitationKeys) -> Result<(), Refusal> {
        let current = Entries::<T>::get(eid, entry).ok_or(Refusal::UnknownEntry)?;
        if current.round != round || round == u8::MAX {
            return Err(Refusal::WrongNumber);
        }
        // None, or one twice.
        if keys.first() == keys.get(1) {
            return Err(Refusal::InvalidEntry);
        }
        if keys.iter().any(|key| Invitations::<T>::contains_key(eid, key)) {
            return Err(Refusal::DuplicateCredential);
        }
        Ok(())
    }

    fn reinvite(eid: &Eid, entry: u32, keys: InvitationKeys) -> Result<(), Refusal> {
        let mut current = Entries::<T>::get(eid, entry).ok_or(Refusal::UnknownEntry)?;
        Self::withdraw_access(eid, &current);
        for key in &keys {
            Invitations::<T>::insert(eid, key, entry);
        }
        current.entry.access = psephos_protocol::roll::Access::Invitation(keys.clone());
        current.credential = None;
        current.round = current.round.saturating_add(1);
        Entries::<T>::insert(eid, entry, current);
        Self::log_roll(eid, &RollEvent::Reinvited { entry, keys })?;
        Self::deposit_event(Event::Reinvited { eid: *eid, entry });
        Ok(())
    }
}

/// A reason must be given, in words.
fn check_reason(reason: &Reason) -> Result<(), Refusal> {
    (!reason.is_empty() && core::str::from_utf8(reason).is_ok()).then_some(()).ok_or(Refusal::InvalidText)
}
