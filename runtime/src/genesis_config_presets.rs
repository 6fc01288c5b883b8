//! Genesis presets for development. A real chain starts from a chain spec with its own keys.

use crate::{AccountId, RuntimeGenesisConfig, SessionConfig, SessionKeys, VotingConfig};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// How many of the three board members must agree.
const BOARD_THRESHOLD: u8 = 2;

/// A genesis whose validators are the well-known development keys of the given names, and whose
/// board is Alice, Bob and Charlie.
fn genesis(validators: &[(Sr25519Keyring, Ed25519Keyring)]) -> Value {
    let keys = validators
        .iter()
        .map(|(aura, grandpa)| {
            let validator: AccountId = aura.to_account_id();
            let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
            (validator.clone(), validator, keys)
        })
        .collect::<Vec<_>>();
    let board = [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie]
        .map(|member| member.public().0)
        .to_vec();
    build_struct_json_patch!(RuntimeGenesisConfig {
        session: SessionConfig { keys },
        voting: VotingConfig { board, threshold: BOARD_THRESHOLD },
    })
}

/// One validator, Alice: for a developer's own machine.
pub fn development() -> Value {
    genesis(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

/// Four validators, Alice to Dave: the smallest set whose finality survives the loss of one.
pub fn local_testnet() -> Value {
    genesis(&[
        (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
        (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
        (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        (Sr25519Keyring::Dave, Ed25519Keyring::Dave),
    ])
}

/// The JSON patch of the preset `id`, or nothing if there is no such preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        sp_genesis_builder::DEV_RUNTIME_PRESET => development(),
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

/// Names that [`get_preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
        PresetId::from(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}
