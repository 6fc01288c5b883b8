//! Trustees declare what they can't serve (spec 7.2): what too few can serve is excluded from the set.

use frame_support::{pallet_prelude::*, traits::Get, weights::Weight};
use psephos_protocol::{
    declaration::{Declaration, Declarations},
    election::Election,
    ids::Eid,
    refusal::Refusal,
    state::Phase,
};
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{host_verify, pallet::*, priority, WeightInfo, ACT_LONGEVITY};

impl<T: Config> Pallet<T> {
    /// What an agreement costs, which reads as much besides the ballots that are listed.
    pub(crate) fn declare_weight(declaration: &Declaration) -> Weight {
        let listed = declaration.missing.listed().len() as u64;
        <T as Config>::WeightInfo::authorize_agree().saturating_add(T::DbWeight::get().reads(listed))
    }

    pub(crate) fn authorize_declare(
        _: TransactionSource,
        declaration: &Declaration,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_declaration(declaration).map(|_| ()),
            priority::ACTS,
            ACT_LONGEVITY,
            [("declare", declaration.eid, declaration.trustee)],
        )
    }

    fn check_declaration(declaration: &Declaration) -> Result<Election, Refusal> {
        let Declaration { eid, trustee, closing, missing, .. } = declaration;
        let (election, state) = Self::election(eid)?;
        if state.phase != Phase::Closed {
            return Err(Refusal::WrongPhase);
        }
        if DeclaredMissing::<T>::contains_key(eid, trustee) {
            return Err(Refusal::AlreadyDone);
        }
        if state.closing != Some(*closing) {
            return Err(Refusal::WrongClosing);
        }
        if !declaration.verify(&election, host_verify) {
            return Err(Refusal::NotTrustee);
        }
        let counts = |credential: &_| Ballots::<T>::contains_key(eid, credential);
        if !missing.is_ordered() || !missing.listed().iter().all(counts) {
            return Err(Refusal::WrongDeclaration);
        }
        Ok(election)
    }

    pub(crate) fn do_declare(declaration: Declaration) -> Result<(), Refusal> {
        let election = Self::check_declaration(&declaration)?;
        let Declaration { eid, trustee, missing, .. } = declaration;
        let mut declarations = Self::declarations(&eid);
        let before = declarations.excluded(&election.manifest).len();
        declarations.add(trustee, missing.clone());
        let excluded = declarations.excluded(&election.manifest);
        DeclaredMissing::<T>::insert(eid, trustee, missing);
        Self::deposit_event(Event::Declared { eid, trustee });
        if excluded.len() == before {
            return Ok(());
        }
        // The sums are taken anew, without them.
        Sums::<T>::remove(eid);
        let count = excluded.len() as u32;
        Self::update(&eid, |state| {
            state.counted = state.counted.saturating_add(state.excluded).saturating_sub(count);
            state.excluded = count;
            state.summed = false;
        })?;
        excluded.into_iter().for_each(|credential| {
            Self::deposit_event(Event::Excluded { eid, credential });
        });
        Ok(())
    }

    /// What the trustees declared so far.
    pub(crate) fn declarations(eid: &Eid) -> Declarations {
        DeclaredMissing::<T>::iter_prefix(eid).collect()
    }
}
