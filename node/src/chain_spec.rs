// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The built-in chains, for development only. A real chain comes as a chain spec file.

use psephos_runtime::WASM_BINARY;
use sc_service::ChainType;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

/// Chain spec without extensions.
pub type ChainSpec = sc_service::GenericChainSpec;

/// One validator, Alice.
pub fn development() -> Result<ChainSpec, String> {
    built_in("Psephos development", "psephos_dev", ChainType::Development, DEV_RUNTIME_PRESET)
}

/// Four validators on one machine or one local network, Alice to Dave.
pub fn local() -> Result<ChainSpec, String> {
    built_in("Psephos local network", "psephos_local", ChainType::Local, LOCAL_TESTNET_RUNTIME_PRESET)
}

/// A chain that starts from one of the runtime's own genesis presets.
fn built_in(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let code = WASM_BINARY.ok_or(
        "This node was built without its runtime (SKIP_WASM_BUILD was set), so it has no built-in \
         chains. Build it without that variable, or give a chain spec file with --chain.",
    )?;
    Ok(ChainSpec::builder(code, None)
        .with_name(name)
        .with_id(id)
        .with_protocol_id("psephos")
        .with_chain_type(chain_type)
        .with_genesis_config_preset_name(preset)
        .build())
}
