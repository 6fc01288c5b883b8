//! A node that lies: it stands before a real one, and answers a voter's `psephos voter check` with something else.

use anyhow::{ensure, Context, Result};
use jsonrpsee::{
    core::{client::ClientT, params::ArrayParams},
    rpc_params,
    server::{RpcModule, Server, ServerHandle},
    types::ErrorObjectOwned,
    ws_client::{WsClient, WsClientBuilder},
};
use serde_json::{json, Value};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{process::Command, time::sleep};

use crate::network::{path, program};

/// What the check asks a node.
const METHODS: [&str; 6] = [
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getHeader",
    "chain_getBlock",
    "state_getReadProof",
    "state_call",
];

/// The pause while the node finalizes another block.
const PAUSE: Duration = Duration::from_millis(200);

/// What it lies about.
#[derive(Clone, Copy, Debug)]
enum Lie {
    None,
    /// It proves the state of the block before.
    State,
    /// It gives the final block another state root.
    Header,
    /// It changes the signatures.
    Signature,
    /// It gives the proof of an earlier block.
    Other,
    /// It says that another block is the chain's first.
    Chain,
    /// It stays at the block before the ballot's.
    Old(u32),
}

/// The node behind the relay, and its last final block at the start with the proof of that.
struct Real {
    node: WsClient,
    head: Value,
    justifications: Value,
}

/// A receipt is judged rightly through an honest relay, and no lie is believed.
pub async fn is_found_out(node: &str, receipt: &Path, block: u32) -> Result<()> {
    let cases = [
        (Lie::None, 0, "counts"),
        (Lie::State, 4, "storage proof does not hold"),
        (Lie::Header, 4, "has another hash"),
        (Lie::Signature, 4, "9.3."),
        (Lie::Other, 4, "had named block"),
        (Lie::Chain, 4, "is that of"),
        (Lie::Old(block.saturating_sub(1)), 3, "ask another node"),
    ];
    for (lie, code, why) in cases {
        let (url, server) = relay(node, lie).await?;
        let output = Command::new(program("psephos")?)
            .args(["--json", "--node", &url, "voter", "check", path(receipt)?])
            .output()
            .await?;
        server.stop()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(
            output.status.code() == Some(code) && said.contains(why),
            "{lie:?}: {code} and {why:?} are expected: {} {said}",
            output.status
        );
    }
    Ok(())
}

async fn relay(node: &str, lie: Lie) -> Result<(String, ServerHandle)> {
    let node = WsClientBuilder::default().max_response_size(32 << 20).build(node).await?;
    let head = ask(&node, "chain_getFinalizedHead", Vec::new()).await?;
    let justifications = ask(&node, "chain_getBlock", vec![head.clone()]).await?["justifications"].clone();
    let real = Arc::new(Real { node, head, justifications });
    let mut module = RpcModule::new(real);
    for method in METHODS {
        module.register_async_method(method, move |params, real, _| async move {
            let params: Vec<Value> = params.parse().unwrap_or_default();
            let answer = answer(&real, lie, method, params).await;
            answer.map_err(|error| ErrorObjectOwned::owned(-32_000, format!("{error:#}"), None::<()>))
        })?;
    }
    let server = Server::builder().build("127.0.0.1:0").await?;
    Ok((format!("ws://{}", server.local_addr()?), server.start(module)))
}

async fn answer(real: &Real, lie: Lie, method: &str, mut params: Vec<Value>) -> Result<Value> {
    match (lie, method) {
        (Lie::Chain, "chain_getBlockHash") => params = vec![json!(1)],
        (Lie::Old(number), "chain_getFinalizedHead") => {
            return ask(&real.node, "chain_getBlockHash", vec![json!(number)]).await;
        }
        (Lie::Other, "chain_getFinalizedHead") => loop {
            let head = ask(&real.node, method, Vec::new()).await?;
            if head != real.head {
                return Ok(head);
            }
            sleep(PAUSE).await;
        },
        (Lie::State, "state_getReadProof") => {
            let header =
                ask(&real.node, "chain_getHeader", params.get(1).cloned().into_iter().collect()).await?;
            // The first block, where the validators are, has none before it.
            if header["number"] != "0x0" {
                *params.get_mut(1).context("a block")? = header["parentHash"].clone();
            }
        }
        _ => {}
    }
    let mut answer = ask(&real.node, method, params).await?;
    if method == "chain_getBlock" {
        match lie {
            Lie::Header => answer["block"]["header"]["stateRoot"] = json!(format!("0x{}", "77".repeat(32))),
            Lie::Signature => {
                // Round, hash, height and the number of precommits; then block, height and signature of the first.
                let byte = &mut answer["justifications"][0][1][8 + 32 + 4 + 1 + 32 + 4];
                *byte = json!(byte.as_u64().context("a signature")? ^ 1);
            }
            Lie::Other => answer["justifications"] = real.justifications.clone(),
            _ => {}
        }
    }
    Ok(answer)
}

async fn ask(real: &WsClient, method: &str, params: Vec<Value>) -> Result<Value> {
    let mut array: ArrayParams = rpc_params![];
    for param in params {
        array.insert(param)?;
    }
    Ok(real.request(method, array).await?)
}
