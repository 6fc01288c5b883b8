//! What `psephos voter check` says of a receipt, by a network's nodes and by a record.

use anyhow::{ensure, Context, Result};
use psephos_client::voter::VoterReceipt;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::network::{path, program};

/// Sees that a receipt is judged like this by each of these nodes, by all together, and by the record without any.
pub fn is(
    verdict: &str,
    receipt: &VoterReceipt,
    nodes: &[String],
    record: &Path,
    folder: &Path,
) -> Result<()> {
    let file = keep(receipt, folder)?;
    let check = ["voter", "check", path(&file)?];
    let each = nodes.iter().cloned().chain([nodes.join(",")]);
    let mut said: Vec<Value> = Vec::new();
    for node in each {
        said.push(run(&[&["--json", "--node", &node], &check[..]].concat())?);
    }
    said.push(run(&[&["--json"], &check[..], &["--record", path(record)?]].concat())?);
    let code = receipt.tracking_code.to_string();
    for said in said {
        ensure!(said["verdict"] == verdict && said["tracking_code"] == code, "{verdict} is expected: {said}");
        ensure!(said["counts"] == (verdict == "counts"), "{said}");
    }
    Ok(())
}

/// Writes a receipt, as a voter keeps it.
pub fn keep(receipt: &VoterReceipt, folder: &Path) -> Result<PathBuf> {
    let file = folder.join(format!("receipt-{}.json", receipt.ballot));
    fs::write(&file, serde_json::to_vec_pretty(receipt)?)?;
    Ok(file)
}

/// What the command printed, whatever it ended with.
fn run(arguments: &[&str]) -> Result<Value> {
    let output = Command::new(program("psephos")?).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said).with_context(|| {
        format!("`psephos {}`: {said}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))
    })
}
