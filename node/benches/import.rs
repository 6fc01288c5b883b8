// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What a ballot costs a node that imports it in a full block: `cargo bench -p psephos-node --features own-code`.
//!
//! One plurality of ten options, n = 5, t = 3, q = 4. A chain with an open election is built, and then as many
//! full blocks as the ballots need: first with ballots that travel alone, then with ballots in bundles. Three nodes with
//! databases of their own import the same blocks in turn:
//!
//! - one whose runtime verifies ballots with its own Wasm code, as it would without the host function;
//! - one that has not seen the ballots: it checks each block's in batches, on all cores;
//! - one that has seen them: their verdicts are known.
//!
//! Seals and finality are left out: they cost the same per block, however many ballots it has.

use codec::Encode;
use pallet_voting::api::VotingApi;
use psephos_node::{
    ahead::{import::AheadImport, Ahead},
    chain_spec::ChainSpec,
    service::{FullBackend, FullClient, HostFunctions},
};
use psephos_protocol::{
    ballot::CastBallot,
    board::Action,
    contest::Rule,
    ids::{Anchor, Genesis},
    testing::{contest, Fixture, Params},
    wire::{bundle, bundle_to_extrinsic, Message},
};
use psephos_runtime::{
    apis::RuntimeApi,
    genesis_config_presets,
    opaque::{Block, UncheckedExtrinsic},
    own_code, SLOT_DURATION, WASM_BINARY,
};
use sc_block_builder::BlockBuilderBuilder;
use sc_client_api::{execution_extensions::ExecutionExtensions, HeaderBackend};
use sc_client_db::DatabaseSettings;
use sc_consensus::{BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult, StateAction};
use sc_executor::WasmExecutor;
use sc_service::{BlocksPruning, ClientConfig, DatabaseSource, GenesisBlockBuilder, PruningMode};
use sp_api::ProvideRuntimeApi;
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

type Executor = WasmExecutor<HostFunctions>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const BALLOTS: usize = 1_000;
const OPTIONS: usize = 10;

fn main() -> Outcome<()> {
    // Compiles each runtime once for all nodes.
    let executor = WasmExecutor::builder().build();
    [1, 64].into_iter().try_for_each(|together| measure(&executor, together))
}

/// Imports blocks of ballots of which so many travel together.
fn measure(executor: &Executor, together: usize) -> Outcome<()> {
    let mut author = Node::new(executor, true)?;
    let mut fixture = fixture(author.genesis());
    let mut blocks = open_election(&mut author, &mut fixture)?;
    let before = blocks.len();

    println!("\n{BALLOTS} ballots of {OPTIONS} options, {together} in an extrinsic");
    let anchor = author.client.info();
    fixture.anchor = Anchor { number: anchor.best_number, hash: anchor.best_hash.0 };
    fixture.expiry = anchor.best_number.saturating_add(500);
    let mut vote = vec![0; OPTIONS];
    // Another vote each time: ballots that this process has verified before would be known.
    vote[together % OPTIONS] = 1;
    let ballots = (0..BALLOTS).map(|voter| fixture.cast(voter, 1, &[vote.clone()]).cast);
    let ballots: Vec<CastBallot> = ballots.collect();
    let mut ballots: Vec<Vec<u8>> = ballots.chunks(together).map(extrinsic).collect::<Outcome<_>>()?;
    println!("{} bytes each", ballots[0].len() / together);
    let opens_at = fixture.election.manifest.opens_at;
    while !ballots.is_empty() {
        let slot = opens_at / SLOT_DURATION + blocks.len() as u64;
        let (block, rest) = author.build(slot, ballots)?;
        let which = if rest.is_empty() { "the last" } else { "a full" };
        let held = ((block.extrinsics.len() - 1) * together).min(BALLOTS);
        let size = block.encode().len() / 1_000;
        println!("{which} block has {held} ballots, of {size} KB");
        blocks.push(block);
        ballots = rest;
    }

    let nodes = [
        ("in the runtime's own Wasm", Node::new(executor, true)?),
        ("natively, not seen before", Node::new(executor, false)?),
        ("natively, seen before", Node::new(executor, false)?),
    ];
    let mut times = [Duration::ZERO; 3];
    for (number, block) in blocks.iter().enumerate() {
        for ((_, node), time) in nodes.iter().zip(&mut times) {
            let took = node.import(block)?;
            if number >= before {
                *time += took;
            }
        }
    }
    println!("{:<28} {:>12} {:>8}", "import", "per ballot", "faster");
    for ((name, _), time) in nodes.iter().zip(&times) {
        let ratio = times[0].as_secs_f64() / time.as_secs_f64();
        println!("{name:<28} {:>9.3} ms {ratio:>7.1}x", time.as_secs_f64() * 1e3 / BALLOTS as f64);
    }
    Ok(())
}

fn fixture(genesis: Genesis) -> Fixture {
    Fixture::new(&Params {
        genesis,
        number: 0,
        contests: vec![contest(OPTIONS, Rule::plurality())],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        voters: vec![1; BALLOTS],
        ..Params::default()
    })
}

/// Creates the election and opens it: the blocks up to where ballots are taken.
fn open_election(author: &mut Node, fixture: &mut Fixture) -> Outcome<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut next = |author: &mut Node, messages: Vec<Message>| -> Outcome<()> {
        let extrinsics = messages.iter().map(Message::to_extrinsic).collect();
        let (block, rest) = author.build(blocks.len() as u64 + 1, extrinsics)?;
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
    let action = Action::CreateElection { number: 0, manifest };
    next(author, approvals(fixture, &action))?;
    next(author, (1..=5).map(|trustee| Message::Accept(fixture.accept(trustee))).collect())?;
    let roll = fixture.roll();
    let action = Action::ConfirmBatch { eid, batch: 0, digest: roll.digest() };
    next(author, vec![Message::AddBatch(roll)])?;
    next(author, approvals(fixture, &action))?;
    let best = author.client.info().best_hash;
    let view = author.client.runtime_api().election(best, eid)?.ok_or("no election")?;
    next(author, approvals(fixture, &Action::Freeze { eid, roll: view.state.roll }))?;
    let (block, _) = author.build(fixture.election.manifest.opens_at / SLOT_DURATION, Vec::new())?;
    blocks.push(block);
    Ok(blocks)
}

/// The extrinsic of these ballots.
fn extrinsic(ballots: &[CastBallot]) -> Outcome<Vec<u8>> {
    match ballots {
        [ballot] => Ok(Message::Cast(ballot.clone()).to_extrinsic()),
        ballots => Ok(bundle_to_extrinsic(&bundle(ballots.to_vec()).ok_or("too many for a bundle")?)),
    }
}

/// A node without a network.
struct Node {
    client: Arc<FullClient>,
    import: Box<dyn BlockImport<Block, Error = sp_consensus::Error>>,
    _folder: TempDir,
}

impl Node {
    /// A node on a fresh chain whose runtime verifies ballots itself, or asks the node.
    fn new(executor: &Executor, own_code: bool) -> Outcome<Self> {
        let code = WASM_BINARY.ok_or("built without the runtime")?;
        let mut genesis = genesis_config_presets::development();
        let board: Vec<_> = fixture(Genesis([0; 32])).board.iter().map(|key| key.public().0).collect();
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
        let own = own_code::WASM_BINARY.ok_or("built without the runtime that verifies itself")?;
        let substitutes = if own_code { HashMap::from([(0, own.to_vec())]) } else { HashMap::new() };
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
        let import: Box<dyn BlockImport<_, Error = _>> = if own_code {
            Box::new(client.clone())
        } else {
            Box::new(AheadImport::new(client.clone(), Arc::new(Ahead::new(client.clone(), None)?)))
        };
        Ok(Self { client, import, _folder: folder })
    }

    fn genesis(&self) -> Genesis {
        Genesis(self.client.info().genesis_hash.0)
    }

    /// Builds the next block with as many extrinsics as find room, and imports it; the others come back.
    fn build(&mut self, slot: u64, extrinsics: Vec<Vec<u8>>) -> Outcome<(Block, Vec<Vec<u8>>)> {
        let info = self.client.info();
        let digest = Digest { logs: vec![DigestItem::PreRuntime(*b"aura", slot.encode())] };
        let mut builder = BlockBuilderBuilder::new(&*self.client)
            .on_parent_block(info.best_hash)
            .with_parent_block_number(info.best_number)
            .with_inherent_digests(digest)
            .build()?;
        let mut inherents = InherentData::new();
        inherents.put_data(sp_timestamp::INHERENT_IDENTIFIER, &(slot * SLOT_DURATION))?;
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
                Err(sp_blockchain::Error::ApplyExtrinsicFailed(
                    sp_blockchain::ApplyExtrinsicFailed::Validity(validity),
                )) if validity.exhausted_resources() => {
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
    fn import(&self, block: &Block) -> Outcome<Duration> {
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
