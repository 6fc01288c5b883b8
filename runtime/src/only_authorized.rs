//! The gate of the transaction pool and of every block: only calls that authorize themselves pass.

use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    pallet_prelude::{TransactionSource, TypeInfo, Weight},
    traits::{Contains, OriginTrait},
    CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::RawOrigin;
use sp_runtime::{
    traits::{DispatchInfoOf, Implication, TransactionExtension, ValidateResult},
    transaction_validity::InvalidTransaction,
};

/// Refuses every transaction whose origin is not [`RawOrigin::Authorized`].
///
/// Nonces and fees are what usually keeps signed transactions from being free and endless; this
/// chain has neither, so a signed transaction must never enter. Must stand behind
/// [`frame_system::AuthorizeCall`], which sets that origin for calls that vouch for themselves.
///
/// A call that the base call filter refuses is turned away here as well: otherwise it would
/// take space in a block only to fail there, and could do so again and again.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    CloneNoBound,
    DefaultNoBound,
    EqNoBound,
    PartialEqNoBound,
    DebugNoBound,
    TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct OnlyAuthorized<T>(PhantomData<T>);

impl<T: frame_system::Config + Send + Sync> TransactionExtension<T::RuntimeCall> for OnlyAuthorized<T> {
    const IDENTIFIER: &'static str = "OnlyAuthorized";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    /// Compares two tags and reads no storage: nothing worth a benchmark.
    fn weight(&self, _call: &T::RuntimeCall) -> Weight {
        Weight::zero()
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let authorized = matches!(origin.as_system_ref(), Some(RawOrigin::Authorized));
        if !authorized {
            return Err(InvalidTransaction::BadSigner.into());
        }
        if !T::BaseCallFilter::contains(call) {
            return Err(InvalidTransaction::Call.into());
        }
        Ok((Default::default(), (), origin))
    }

    sp_runtime::impl_tx_ext_default!(T::RuntimeCall; prepare);
}
