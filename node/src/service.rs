// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Puts the node together from the SDK's parts: Aura authors, GRANDPA finalizes.
//!
//! There are no offchain workers, because no pallet has any.

use crate::{
    ahead::{import::AheadImport, Ahead},
    bundles::Bundles,
    pool::{self, Pool},
    rpc,
};
use jsonrpsee_sdk::core::RegisterMethodError;
use psephos_runtime::{apis::RuntimeApi, opaque::Block, Hash};
use sc_client_api::BlockBackend;
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_network::NetworkBackend;
use sc_service::{
    error::Error, BuildNetworkParams, Configuration, SpawnTasksParams, TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::Options;
use sc_transaction_pool_api::{OffchainTransactionPoolFactory, RejectAllTxPool};
use sp_consensus_aura::sr25519::AuthorityPair as AuraPair;
use std::{sync::Arc, time::Duration};

/// What the runtime may call in the node.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type HostFunctions = (sp_io::SubstrateHostFunctions, psephos_host::ballots::HostFunctions);
/// What the runtime may call in the node.
#[cfg(feature = "runtime-benchmarks")]
pub type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    psephos_host::ballots::HostFunctions,
    frame_benchmarking::benchmarking::HostFunctions,
);

pub type FullBackend = sc_service::TFullBackend<Block>;
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, sc_executor::WasmExecutor<HostFunctions>>;
type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
type GrandpaBlockImport =
    sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;

/// The justification of every block that ends a round of GRANDPA is stored: trustees go by them
/// (docs/adr/0017-proved-finality.md), and each anchors the record for auditors. It has some hundred bytes.
const JUSTIFICATION_PERIOD: u32 = 1;

/// How long GRANDPA gathers messages before it passes them on: a sixth of a slot.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// Share of a slot in which a block is filled. The rest is for sending it and executing it.
const PROPOSAL_SLOT_PORTION: f32 = 2.0 / 3.0;

/// The parts that subcommands need without a network.
pub type Service = sc_service::PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    (),
    (GrandpaBlockImport, GrandpaLink, Arc<Ahead>, Option<Telemetry>),
>;

/// Opens the database and builds the import queue. There is no transaction pool yet.
pub fn new_partial(config: &Configuration) -> Result<Service, Error> {
    // Off unless the operator or the chain spec names an endpoint.
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let executor = sc_service::new_wasm_executor::<HostFunctions>(&config.executor);
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(
            config,
            telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
            executor,
            Vec::new(),
        )?;
    let client = Arc::new(client);

    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });

    let select_chain = sc_consensus::LongestChain::new(backend.clone());

    let ahead = Arc::new(Ahead::new(client.clone(), config.prometheus_registry())?);

    let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;

    let slot_client = client.clone();
    let import_queue = sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
        block_import: AheadImport::new(block_import.clone(), ahead.clone()),
        justification_import: Some(Box::new(block_import.clone())),
        client: client.clone(),
        create_inherent_data_providers: move |parent, ()| {
            let client = slot_client.clone();
            async move {
                let slot_duration = sc_consensus_aura::standalone::slot_duration_at(&*client, parent)?;
                Ok(slot_and_time(slot_duration))
            }
        },
        spawner: &task_manager.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        check_for_equivocation: Default::default(),
        telemetry: telemetry.as_ref().map(Telemetry::handle),
        compatibility_mode: Default::default(),
    })?;

    Ok(Service {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: Arc::new(()),
        other: (block_import, grandpa_link, ahead, telemetry),
    })
}

/// The clock as a block's author and its importers see it.
fn slot_and_time(
    slot_duration: sp_consensus_aura::SlotDuration,
) -> (sp_consensus_aura::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider) {
    let time = sp_timestamp::InherentDataProvider::from_system_time();
    let slot = sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
        *time,
        slot_duration,
    );
    (slot, time)
}

/// Starts everything: network, RPC, block authoring and finality.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
    config: Configuration,
    pool_options: Options,
) -> Result<TaskManager, Error> {
    let Service {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: _,
        other: (block_import, grandpa_link, ahead, mut telemetry),
    } = new_partial(&config)?;

    let transaction_pool: Arc<Pool> = pool::new(
        pool_options,
        config.role.is_authority(),
        client.clone(),
        ahead.clone(),
        config.prometheus_registry(),
        task_manager.spawn_essential_handle(),
    );
    let bundles =
        Bundles::start(client.clone(), transaction_pool.clone(), ahead, task_manager.spawn_handle());
    let bundles = Arc::new(bundles);

    let mut net_config = sc_network::config::FullNetworkConfiguration::<Block, Hash, N>::new(
        &config.network,
        config.prometheus_registry().cloned(),
    );
    let metrics = N::register_notification_metrics(config.prometheus_registry());

    let genesis_hash = client.block_hash(0)?.ok_or_else(|| {
        Error::Other(
            "The database has no genesis block. Delete it with `purge-chain` and start again: \
             the node fetches the chain from its peers."
                .into(),
        )
    })?;
    let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_protocol_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            grandpa_protocol.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_protocol_config);

    let warp_sync = sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    );

    let (network, system_rpc_tx, tx_handler_controller, sync, _bitswap) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    let shared_voter_state = SharedVoterState::empty();
    let grandpa_deps = rpc::GrandpaDeps {
        shared_voter_state: shared_voter_state.clone(),
        shared_authority_set: grandpa_link.shared_authority_set().clone(),
        justification_stream: grandpa_link.justification_stream(),
        finality_provider: FinalityProofProvider::new_for_service(
            backend.clone(),
            Some(grandpa_link.shared_authority_set().clone()),
        ),
    };

    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let finalizes = !config.disable_grandpa;
    let prometheus_registry = config.prometheus_registry().cloned();

    sc_service::spawn_tasks(SpawnTasksParams {
        network: network.clone(),
        client: client.clone(),
        keystore: keystore_container.keystore(),
        task_manager: &mut task_manager,
        transaction_pool: transaction_pool.clone(),
        rpc_builder: Box::new(move |executor| {
            let methods = || {
                let mut methods = rpc::finality(grandpa_deps.clone(), executor)?;
                methods.merge(rpc::voting(bundles.clone())?)?;
                Ok(methods)
            };
            methods().map_err(|error: RegisterMethodError| Error::Application(error.into()))
        }),
        backend,
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync.clone(),
        config,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let proposer_factory = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            prometheus_registry.as_ref(),
            telemetry.as_ref().map(Telemetry::handle),
        );
        let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
        let aura =
            sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
                slot_duration,
                client,
                select_chain,
                block_import,
                proposer_factory,
                create_inherent_data_providers: move |_, ()| async move { Ok(slot_and_time(slot_duration)) },
                force_authoring,
                backoff_authoring_blocks: None::<()>,
                keystore: keystore_container.keystore(),
                sync_oracle: sync.clone(),
                justification_sync_link: sync.clone(),
                block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SLOT_PORTION),
                max_block_proposal_slot_portion: None,
                telemetry: telemetry.as_ref().map(Telemetry::handle),
                compatibility_mode: Default::default(),
            })?;
        // Essential: a validator that can't author must stop rather than look alive.
        task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    }

    if finalizes {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(name),
                observer_enabled: false,
                // Without keys the voter follows the rounds and casts no votes.
                keystore: role.is_authority().then(|| keystore_container.keystore()),
                local_role: role,
                telemetry: telemetry.as_ref().map(Telemetry::handle),
                protocol_name: grandpa_protocol,
            },
            link: grandpa_link,
            network,
            sync,
            notification_service: grandpa_notifications,
            // Vote for the best block itself. The SDK's rule stays two blocks behind it, because it expects forks;
            // with one author per slot they are rare, and voters wait for finality.
            voting_rule: (),
            prometheus_registry,
            shared_voter_state,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            // It would take reports of equivocation, for which the runtime has no use.
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(RejectAllTxPool::default()),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}
