//! What may enter the chain, and in which bytes.

use crate::{
    genesis_config_presets, Address, Executive, Hash, RuntimeCall, RuntimeGenesisConfig, TxExtension,
    UncheckedExtrinsic,
};
use codec::Encode;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
    },
    BuildStorage, MultiSignature,
};

/// The extensions, none of which has content.
fn extension() -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        Default::default(),
        frame_system::CheckWeight::new(),
    )
}

/// Calls that no pallet authorizes.
fn unauthorized_calls() -> [RuntimeCall; 2] {
    [
        frame_system::Call::remark { remark: vec![1, 2, 3] }.into(),
        pallet_timestamp::Call::set { now: 1 }.into(),
    ]
}

/// Asks the runtime, on top of a fresh chain, whether the pool may take `extrinsic`.
fn validity(extrinsic: UncheckedExtrinsic) -> TransactionValidity {
    let storage = RuntimeGenesisConfig::default()
        .build_storage()
        .expect("an empty genesis builds");
    sp_io::TestExternalities::new(storage).execute_with(|| {
        Executive::validate_transaction(TransactionSource::External, extrinsic, Hash::zero())
    })
}

#[test]
fn the_extensions_encode_to_nothing() {
    assert!(extension().encode().is_empty());
}

#[test]
fn a_general_transaction_is_two_bytes_and_the_call() {
    for call in unauthorized_calls() {
        let mut body = vec![0x45, 0x00];
        call.encode_to(&mut body);

        let extrinsic = UncheckedExtrinsic::new_transaction(call, extension());

        // A vector of bytes and an extrinsic have the same length prefix.
        assert_eq!(extrinsic.encode(), body.encode());
    }
}

#[test]
fn a_signed_extrinsic_is_refused() {
    for call in unauthorized_calls() {
        // The signed payload is the call and the extensions, which are empty.
        let signature = MultiSignature::from(Sr25519Keyring::Alice.sign(&call.encode()));
        let signer: Address = Sr25519Keyring::Alice.to_account_id().into();
        let extrinsic = UncheckedExtrinsic::new_signed(call, signer, signature, extension());

        assert_eq!(
            validity(extrinsic),
            Err(TransactionValidityError::Invalid(InvalidTransaction::BadSigner)),
            "by OnlyAuthorized: the signature itself holds (else the answer is BadProof)",
        );
    }
}

#[test]
fn a_call_that_does_not_authorize_itself_is_refused() {
    for call in unauthorized_calls() {
        let extrinsic = UncheckedExtrinsic::new_transaction(call, extension());
        assert_eq!(
            validity(extrinsic),
            Err(TransactionValidityError::Invalid(InvalidTransaction::BadSigner)),
        );
    }
}

#[test]
fn a_bare_call_is_refused() {
    for call in unauthorized_calls() {
        assert!(validity(UncheckedExtrinsic::new_bare(call)).is_err());
    }
}

#[test]
fn the_presets_build() {
    for name in genesis_config_presets::preset_names() {
        let json = genesis_config_presets::get_preset(&name);
        assert!(json.is_some(), "the preset {name:?} is listed and must exist");
    }
}
