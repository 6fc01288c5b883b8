// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! A chain without a network on which an election takes ballots, for tests and benches.

use codec::Encode;
use pallet_voting::api::VotingApi;
use psephos_node::{
    ahead::{import::AheadImport, Ahead},
    chain_spec::ChainSpec,
    service::{FullBackend, FullClient, HostFunctions},
};
use psephos_protocol::{
    board::Action,
    bounds::MAX_BATCH,
    contest::Rule,
    ids::{Anchor, Genesis},
    testing::{contest, Fixture, Params},
    wire::Message,
};
use psephos_runtime::{
    apis::RuntimeApi,
    genesis_config_presets,
    opaque::{Block, UncheckedExtrinsic},
    SLOT_DURATION, WASM_BINARY,
};
use sc_block_builder::BlockBuilderBuilder;
use sc_client_api::{execution_extensions::ExecutionExtensions, HeaderBackend};
use sc_client_db::DatabaseSettings;
use sc_consensus::{BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult, StateAction};
use sc_executor::WasmExecutor;
use sc_service::{BlocksPruning, ClientConfig, DatabaseSource, GenesisBlockBuilder, PruningMode};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::ApplyExtrinsicFailed;
use sp_consensus::BlockOrigin;
use sp_core::testing::TaskExecutor;
use sp_inherents::InherentData;
use sp_runtime::{Digest, DigestItem};
use std::{
    collections::HashMap,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Compiles a runtime once for all chains that share it.
pub type Executor = WasmExecutor<HostFunctions>;
/// What can go wrong here has nobody who could act on it.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Options on a ballot.
pub const OPTIONS: usize = 10;

/// One plurality, n = 5, t = 3, q = 4.
pub fn election(genesis: Genesis, voters: usize) -> Fixture {
    Fixture::new(&Params {
        genesis,
        number: 0,
        contests: vec![contest(OPTIONS, Rule::plurality())],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        voters: vec![1; voters],
        ..Params::default()
    })
}

/// A node without a network.
pub struct Chain {
    /// Reads and writes it.
    pub client: Arc<FullClient>,
    import: Box<dyn BlockImport<Block, Error = sp_consensus::Error>>,
    /// The slot of the last block.
    slot: u64,
    _folder: TempDir,
}

impl Chain {
    /// A fresh chain, on which nothing but the genesis has happened. It may have a runtime of its own that verifies
    /// ballots itself.
    pub fn new(executor: &Executor, own_code: Option<&[u8]>) -> Outcome<Self> {
        let code = WASM_BINARY.ok_or("built without the runtime")?;
        let mut genesis = genesis_config_presets::development();
        let board: Vec<_> = election(Genesis([0; 32]), 1).board.iter().map(|key| key.public().0).collect();
        genesis["voting"]["board"] = serde_json::to_value(board)?;
        let spec = ChainSpec::builder(code, None).with_genesis_config_patch(genesis).build();

        let folder = tempfile::tempdir()?;
        let backend: Arc<FullBackend> = sc_service::new_db_backend(DatabaseSettings {
            trie_cache_maximum_size: Some(64 << 20),
            state_pruning: Some(PruningMode::ArchiveAll),
            source: DatabaseSource::ParityDb { path: folder.path().into() },
            blocks_pruning: BlocksPruning::KeepAll,
            pruning_filters: Vec::new(),
            metrics_registry: None,
        })?;
        let builder = GenesisBlockBuilder::new(&spec, true, backend.clone(), executor.clone())?;
        let substitutes = own_code.map(|own| HashMap::from([(0, own.to_vec())])).unwrap_or_default();
        let client: Arc<FullClient> = Arc::new(sc_service::new_client::<_, Block, RuntimeApi, _>(
            backend,
            executor.clone(),
            builder,
            None,
            None,
            ExecutionExtensions::new(None, Arc::new(executor.clone())),
            Box::new(TaskExecutor::new()),
            None,
            None,
            ClientConfig { wasm_runtime_substitutes: substitutes, ..ClientConfig::default() },
        )?);
        // A runtime that verifies ballots itself has no use for verdicts ahead of it.
        let import: Box<dyn BlockImport<_, Error = _>> = if own_code.is_some() {
            Box::new(client.clone())
        } else {
            Box::new(AheadImport::new(client.clone(), Arc::new(Ahead::new(client.clone(), None)?)))
        };
        Ok(Self { client, import, slot: 0, _folder: folder })
    }

    /// Creates an election with so many voters and opens it: the election, whose next ballots are anchored in the
    /// last block, and the blocks.
    pub fn open_election(&mut self, voters: usize) -> Outcome<(Fixture, Vec<Block>)> {
        let mut fixture = election(Genesis(self.client.info().genesis_hash.0), voters);
        let mut blocks = Vec::new();
        let mut next = |chain: &mut Self, messages: Vec<Message>| -> Outcome<()> {
            let (block, rest) = chain.build(messages.iter().map(Message::to_extrinsic).collect())?;
            blocks.push(block);
            if rest.is_empty() {
                Ok(())
            } else {
                Err("a block of the preparation is full".into())
            }
        };
        let approvals = |fixture: &mut Fixture, action: &Action| -> Vec<Message> {
            (0..2).map(|member| Message::Approve(fixture.approve(action.clone(), member))).collect()
        };
        let eid = fixture.election.eid;
        let manifest = fixture.election.manifest.clone();
        let opens_at = manifest.opens_at;
        let action = Action::CreateElection { number: 0, manifest };
        next(self, approvals(&mut fixture, &action))?;
        next(self, (1..=5).map(|trustee| Message::Accept(fixture.accept(trustee))).collect())?;
        let entries: Vec<_> = (0..voters).map(|voter| fixture.entry(voter)).collect();
        for (batch, entries) in (0..).zip(entries.chunks(MAX_BATCH as usize)) {
            let roll = fixture.batch(batch, entries.to_vec());
            let action = Action::ConfirmBatch { eid, batch, digest: roll.digest() };
            next(self, vec![Message::AddBatch(roll)])?;
            next(self, approvals(&mut fixture, &action))?;
        }
        let best = self.client.info().best_hash;
        let view = self.client.runtime_api().election(best, eid)?.ok_or("no election")?;
        next(self, approvals(&mut fixture, &Action::Freeze { eid, roll: view.state.roll }))?;
        self.wait_until(opens_at);
        next(self, Vec::new())?;
        // A block begins by the clock of the one before it.
        next(self, Vec::new())?;

        let anchor = self.client.info();
        fixture.anchor = Anchor { number: anchor.best_number, hash: anchor.best_hash.0 };
        fixture.expiry = anchor.best_number.saturating_add(500);
        Ok((fixture, blocks))
    }

    /// Has the next block be of this time, in ms since the Unix epoch, or a slot later.
    pub fn wait_until(&mut self, time: u64) {
        self.slot = time / SLOT_DURATION;
    }

    /// Builds the next block with as many extrinsics as find room, and imports it; the others come back.
    pub fn build(&mut self, extrinsics: Vec<Vec<u8>>) -> Outcome<(Block, Vec<Vec<u8>>)> {
        self.slot += 1;
        let info = self.client.info();
        let digest = Digest { logs: vec![DigestItem::PreRuntime(*b"aura", self.slot.encode())] };
        let mut builder = BlockBuilderBuilder::new(&*self.client)
            .on_parent_block(info.best_hash)
            .with_parent_block_number(info.best_number)
            .with_inherent_digests(digest)
            .build()?;
        let mut inherents = InherentData::new();
        inherents.put_data(sp_timestamp::INHERENT_IDENTIFIER, &(self.slot * SLOT_DURATION))?;
        for inherent in builder.create_inherents(inherents)? {
            builder.push(inherent)?;
        }
        let mut extrinsics = extrinsics.into_iter();
        let mut rest = Vec::new();
        for bytes in extrinsics.by_ref() {
            let extrinsic = UncheckedExtrinsic::try_from_encoded_extrinsic(&bytes)
                .map_err(|_| "an extrinsic that does not decode")?;
            match builder.push(extrinsic) {
                Ok(()) => (),
                Err(sp_blockchain::Error::ApplyExtrinsicFailed(ApplyExtrinsicFailed::Validity(validity)))
                    if validity.exhausted_resources() =>
                {
                    rest.push(bytes);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        rest.extend(extrinsics);
        let (block, _) = builder.build()?.into_inner();
        self.import(&block)?;
        Ok((block, rest))
    }

    /// Imports a block as one that came from the network: how long it took.
    pub fn import(&self, block: &Block) -> Outcome<Duration> {
        let mut params = BlockImportParams::new(BlockOrigin::NetworkBroadcast, block.header.clone());
        params.body = Some(block.extrinsics.clone());
        params.state_action = StateAction::Execute;
        params.fork_choice = Some(ForkChoiceStrategy::LongestChain);
        let start = Instant::now();
        let result = futures::executor::block_on(self.import.import_block(params))?;
        let took = start.elapsed();
        match result {
            ImportResult::Imported(_) => Ok(took),
            other => Err(format!("a block was not imported: {other:?}").into()),
        }
    }
}
