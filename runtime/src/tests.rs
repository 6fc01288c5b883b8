//! What may enter the chain, and in which bytes.

use crate::{
    genesis_config_presets, validation, Address, Executive, Hash, Runtime, RuntimeCall, RuntimeGenesisConfig,
    TxExtension, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::traits::{GetCallIndex, GetCallName};
use psephos_protocol::{
    board::{Action, Approval},
    ids::{Digest, Eid},
    keys::Signature,
    wire::{self, Message},
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
    },
    BuildStorage, MultiSignature,
};

/// The extensions, none of which has content.
fn extension() -> TxExtension {
    (frame_system::AuthorizeCall::new(), Default::default(), frame_system::CheckWeight::new())
}

/// Calls that no pallet authorizes.
fn unauthorized_calls() -> [RuntimeCall; 2] {
    [
        frame_system::Call::remark { remark: vec![1, 2, 3] }.into(),
        frame_system::Call::set_heap_pages { pages: 1 }.into(),
    ]
}

/// An act of the board on an election that does not exist.
fn approval() -> Approval {
    let action = Action::Freeze { eid: Eid::default(), roll: Digest::default() };
    Approval { action, member: 1, signature: Signature([2; 64]) }
}

/// Asks the runtime, on top of a fresh chain, whether the pool may take `extrinsic`.
fn validity(extrinsic: UncheckedExtrinsic) -> TransactionValidity {
    let storage = RuntimeGenesisConfig::default().build_storage().expect("an empty genesis builds");
    sp_io::TestExternalities::new(storage).execute_with(|| {
        Executive::validate_transaction(TransactionSource::External, extrinsic, Hash::zero())
    })
}

#[test]
fn the_extensions_encode_to_nothing() {
    assert!(extension().encode().is_empty());
}

#[test]
fn a_message_of_the_protocol_is_a_general_transaction() {
    let call = pallet_voting::Call::approve { approval: approval() }.into();
    let extrinsic = UncheckedExtrinsic::new_transaction(call, extension());
    assert_eq!(extrinsic.encode(), Message::Approve(approval()).to_extrinsic());
}

#[test]
fn a_bundle_is_a_general_transaction_as_well() {
    let ballots = wire::Bundle::default();
    let bytes = wire::bundle_to_extrinsic(&ballots);
    let call = pallet_voting::Call::cast_bundle { ballots }.into();
    assert_eq!(UncheckedExtrinsic::new_transaction(call, extension()).encode(), bytes);
}

#[test]
fn calls_have_the_numbers_of_the_messages() {
    type VotingCall = pallet_voting::Call<Runtime>;
    assert_eq!(
        VotingCall::get_call_names(),
        [
            "approve",
            "add_batch",
            "register",
            "accept",
            "cast",
            "agree",
            "contribute",
            "finalize",
            "announce",
            "declare",
            "cast_bundle"
        ],
    );
    assert_eq!(VotingCall::get_call_indices(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn the_protocol_reads_a_blocks_time() {
    let call = pallet_timestamp::Call::set { now: 1_234_567_890_123 }.into();
    let extrinsic = UncheckedExtrinsic::new_bare(call);
    assert_eq!(wire::block_time(&extrinsic.encode()), Some(1_234_567_890_123));
}

#[test]
fn a_general_transaction_is_judged_by_its_pallet() {
    let call = pallet_voting::Call::approve { approval: approval() }.into();
    let verdict = validity(UncheckedExtrinsic::new_transaction(call, extension()));
    assert!(
        matches!(verdict, Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(_)))),
        "refused for a reason of the protocol, not {verdict:?}",
    );
}

#[test]
fn a_signed_extrinsic_is_refused() {
    let voting = pallet_voting::Call::approve { approval: approval() }.into();
    for call in unauthorized_calls().into_iter().chain([voting]) {
        // The signed payload is the call and the extensions, which are empty.
        let signature = MultiSignature::from(Sr25519Keyring::Alice.sign(&call.encode()));
        let signer: Address = Sr25519Keyring::Alice.to_account_id().into();
        let extrinsic = UncheckedExtrinsic::new_signed(call, signer, signature, extension());

        assert_eq!(
            validity(extrinsic),
            Err(TransactionValidityError::Invalid(InvalidTransaction::BadSigner)),
            "by OnlyAuthorized; a signature that fails would be BadProof",
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
    // The clock is an inherent: block authors write it, nobody sends it.
    let clock = pallet_timestamp::Call::set { now: 1 }.into();
    for call in unauthorized_calls().into_iter().chain([clock]) {
        assert!(validity(UncheckedExtrinsic::new_bare(call)).is_err());
    }
}

#[test]
fn transactions_together_are_judged_as_each_alone() {
    let voting = || pallet_voting::Call::approve { approval: approval() }.into();
    let clock = pallet_timestamp::Call::set { now: 1 }.into();
    let [remark, _] = unauthorized_calls();
    let all = [
        UncheckedExtrinsic::new_transaction(voting(), extension()),
        UncheckedExtrinsic::new_bare(clock),
        UncheckedExtrinsic::new_transaction(remark, extension()),
        UncheckedExtrinsic::new_transaction(voting(), extension()),
    ];
    let mut bytes: Vec<Vec<u8>> = all.iter().map(Encode::encode).collect();
    bytes.insert(1, vec![1, 2, 3]);
    let mut expected: Vec<TransactionValidity> = all.into_iter().map(validity).collect();
    expected.insert(1, Err(InvalidTransaction::Call.into()));

    let storage = RuntimeGenesisConfig::default().build_storage().expect("an empty genesis builds");
    let mut chain = sp_io::TestExternalities::new(storage);
    let before = chain.execute_with(|| sp_io::storage::root(Default::default()));
    let verdicts =
        chain.execute_with(|| validation::validate_all(TransactionSource::External, bytes, Hash::zero()));
    assert_eq!(verdicts, expected);
    assert_eq!(chain.execute_with(|| sp_io::storage::root(Default::default())), before, "nothing is written");
}

#[test]
fn the_presets_build() {
    for name in genesis_config_presets::preset_names() {
        let json = genesis_config_presets::get_preset(&name);
        assert!(json.is_some(), "the preset {name:?} is listed and must exist");
    }
}
