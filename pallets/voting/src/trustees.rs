//! Trustees accept an election (spec 3.6) and say where they can be reached (spec 3.7).

use frame_support::pallet_prelude::*;
use psephos_protocol::{
    agreement::Acceptance, election::Election, endpoint::Announcement, refusal::Refusal, state::Phase,
};
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{host_verify, pallet::*, priority, ACT_LONGEVITY};

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_accept(
        _: TransactionSource,
        acceptance: &Acceptance,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_accept(acceptance).map(|_| ()),
            priority::ACTS,
            ACT_LONGEVITY,
            [("accept", acceptance.eid, acceptance.trustee)],
        )
    }

    fn check_accept(acceptance: &Acceptance) -> Result<Election, Refusal> {
        let (election, state) = Self::election(&acceptance.eid)?;
        if state.phase != Phase::Setup {
            return Err(Refusal::WrongPhase);
        }
        if state.accepted.contains(&acceptance.trustee) {
            return Err(Refusal::AlreadyDone);
        }
        acceptance.verify(&election, host_verify).then_some(election).ok_or(Refusal::NotTrustee)
    }

    pub(crate) fn do_accept(acceptance: Acceptance) -> Result<(), Refusal> {
        let election = Self::check_accept(&acceptance)?;
        let Acceptance { eid, trustee, .. } = acceptance;
        let mut all = false;
        Self::update(&eid, |state| {
            let place =
                state.accepted.iter().position(|other| *other > trustee).unwrap_or(state.accepted.len());
            all = state.accepted.try_insert(place, trustee).is_ok()
                && state.accepted.len() == election.manifest.trustees.len();
        })?;
        Self::deposit_event(Event::TrusteeAccepted { eid, trustee });
        if all {
            Self::enter(&eid, Phase::Registration)?;
        }
        Ok(())
    }

    pub(crate) fn authorize_announce(
        _: TransactionSource,
        announcement: &Announcement,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_announcement(announcement),
            priority::ACTS,
            ACT_LONGEVITY,
            [("announce", announcement.eid, announcement.trustee)],
        )
    }

    fn check_announcement(announcement: &Announcement) -> Result<(), Refusal> {
        let Announcement { eid, trustee, endpoint, .. } = announcement;
        let (election, state) = Self::election(eid)?;
        if matches!(state.phase, Phase::Certified | Phase::Void) {
            return Err(Refusal::WrongPhase);
        }
        if endpoint.number <= Endpoints::<T>::get(eid, trustee).map_or(0, |before| before.number) {
            return Err(Refusal::AlreadyDone);
        }
        if !endpoint.is_valid() {
            return Err(Refusal::InvalidText);
        }
        announcement.verify(&election, host_verify).then_some(()).ok_or(Refusal::NotTrustee)
    }

    pub(crate) fn do_announce(announcement: Announcement) -> Result<(), Refusal> {
        Self::check_announcement(&announcement)?;
        let Announcement { eid, trustee, endpoint, .. } = announcement;
        Endpoints::<T>::insert(eid, trustee, endpoint);
        Self::deposit_event(Event::EndpointAnnounced { eid, trustee });
        Ok(())
    }
}
