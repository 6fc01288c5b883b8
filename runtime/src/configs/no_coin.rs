//! A currency of which there is nothing.

use crate::{AccountId, RuntimeHoldReason};
use frame_support::traits::{
    fungible::{Dust, Inspect, InspectHold, Mutate, MutateHold, Unbalanced, UnbalancedHold},
    tokens::{DepositConsequence, Fortitude, Preservation, Provenance, WithdrawConsequence},
};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// `pallet-session` wants to know in which coin to take a deposit for session keys. This chain has
/// none, and its deposit is zero: every balance is zero and can't change.
pub struct NoCoin;

impl Inspect<AccountId> for NoCoin {
    type Balance = u64;

    fn total_issuance() -> Self::Balance {
        0
    }

    fn minimum_balance() -> Self::Balance {
        0
    }

    fn total_balance(_who: &AccountId) -> Self::Balance {
        0
    }

    fn balance(_who: &AccountId) -> Self::Balance {
        0
    }

    fn reducible_balance(_: &AccountId, _: Preservation, _: Fortitude) -> Self::Balance {
        0
    }

    fn can_deposit(_: &AccountId, amount: Self::Balance, _: Provenance) -> DepositConsequence {
        match amount {
            0 => DepositConsequence::Success,
            _ => DepositConsequence::UnknownAsset,
        }
    }

    fn can_withdraw(_: &AccountId, amount: Self::Balance) -> WithdrawConsequence<Self::Balance> {
        match amount {
            0 => WithdrawConsequence::Success,
            _ => WithdrawConsequence::BalanceLow,
        }
    }
}

impl Unbalanced<AccountId> for NoCoin {
    fn handle_dust(_dust: Dust<AccountId, Self>) {}

    fn write_balance(
        _who: &AccountId,
        amount: Self::Balance,
    ) -> Result<Option<Self::Balance>, DispatchError> {
        only_zero(amount).map(|()| None)
    }

    fn set_total_issuance(_amount: Self::Balance) {}
}

impl Mutate<AccountId> for NoCoin {}

impl InspectHold<AccountId> for NoCoin {
    type Reason = RuntimeHoldReason;

    fn total_balance_on_hold(_who: &AccountId) -> Self::Balance {
        0
    }

    fn balance_on_hold(_reason: &Self::Reason, _who: &AccountId) -> Self::Balance {
        0
    }
}

impl UnbalancedHold<AccountId> for NoCoin {
    fn set_balance_on_hold(
        _reason: &Self::Reason,
        _who: &AccountId,
        amount: Self::Balance,
    ) -> DispatchResult {
        only_zero(amount)
    }
}

impl MutateHold<AccountId> for NoCoin {}

/// The one balance that can be written.
fn only_zero(amount: u64) -> DispatchResult {
    match amount {
        0 => Ok(()),
        _ => Err(TokenError::Unsupported.into()),
    }
}
