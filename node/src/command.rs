// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Carries out what the command line asks for.

use crate::{
    chain_spec,
    cli::{Cli, Subcommand},
    pool, service,
};
use psephos_runtime::{opaque, Block, Hash};
use sc_cli::SubstrateCli;
use sc_network::config::{NetworkBackendType, TransportConfig};
use sc_service::{ChainType, Configuration, PartialComponents, TaskManager};
use sc_transaction_pool::Options;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Psephos Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        concat!(env!("CARGO_PKG_REPOSITORY"), "/issues").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(match id {
            "dev" => Box::new(chain_spec::development()?),
            "local" => Box::new(chain_spec::local()?),
            "" => {
                return Err("No chain given. Use --chain with the chain spec file of your \
                            election, --dev for a chain of your own, or --chain local for a \
                            network of four on this machine."
                    .into())
            }
            path => Box::new(chain_spec::ChainSpec::from_json_file(path.into()).map_err(|error| {
                format!(
                    "Can't use the chain spec {path}: {error}. --chain takes the path of a \
                         chain spec file, \"dev\" or \"local\"."
                )
            })?),
        })
    }
}

/// Parses the command line and runs the node or the subcommand.
pub fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();

    match &cli.subcommand {
        None => {
            let pool = pool::options(&cli.run.pool_config);
            cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move { start(config, pool) })
        }
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, config.database), task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
        }
        Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, backend, .. } = service::new_partial(&config)?;
            let revert_grandpa = Box::new(|client, _, blocks| {
                sc_consensus_grandpa::revert(client, blocks)?;
                Ok(())
            });
            Ok((cmd.run(client, backend, Some(revert_grandpa)), task_manager))
        }),
        Some(Subcommand::ChainInfo(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
        }
        #[cfg(feature = "runtime-benchmarks")]
        Some(Subcommand::Benchmark(cmd)) => cli.create_runner(cmd)?.sync_run(|config| benchmark(cmd, config)),
    }
}

/// Starts the node on the network backend that the configuration names.
fn start(mut config: Configuration, pool: Options) -> sc_cli::Result<TaskManager> {
    announce_on_local_chains_only(&mut config);
    let node = match config.network.network_backend {
        NetworkBackendType::Libp2p => {
            service::new_full::<sc_network::NetworkWorker<opaque::Block, Hash>>(config, pool)
        }
        NetworkBackendType::Litep2p => service::new_full::<sc_network::Litep2pNetworkBackend>(config, pool),
    };
    node.map_err(sc_cli::Error::Service)
}

/// Validators of a real chain know each other's addresses. Only the built-in local network needs
/// to find its nodes by multicast, which would tell everyone on the wire that a validator is here.
fn announce_on_local_chains_only(config: &mut Configuration) {
    let local = config.chain_spec.chain_type() == ChainType::Local;
    if let TransportConfig::Normal { enable_mdns, .. } = &mut config.network.transport {
        *enable_mdns &= local;
    }
}

/// The benchmarks that make sense here: the others need accounts to sign for them.
#[cfg(feature = "runtime-benchmarks")]
fn benchmark(cmd: &frame_benchmarking_cli::BenchmarkCmd, config: Configuration) -> sc_cli::Result<()> {
    use frame_benchmarking_cli::{BenchmarkCmd, SUBSTRATE_REFERENCE_HARDWARE};

    match cmd {
        BenchmarkCmd::Pallet(cmd) => cmd
            .run_with_spec::<sp_runtime::traits::HashingFor<Block>, service::HostFunctions>(Some(
                config.chain_spec,
            )),
        BenchmarkCmd::Block(cmd) => cmd.run(service::new_partial(&config)?.client),
        BenchmarkCmd::Machine(cmd) => cmd.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone()),
        _ => Err("Only `benchmark pallet`, `block` and `machine` work on this chain: the others \
                  need accounts, and it has none."
            .into()),
    }
}
