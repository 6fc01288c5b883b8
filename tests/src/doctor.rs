//! What `psephos trustee doctor` says of the trustees of a network.

use anyhow::{Context, Result};
use psephos_protocol::ids::Eid;
use serde_json::Value;
use std::process::Command;

use crate::network::{path, program, Network};

/// What it found, and how it ended.
#[derive(Debug)]
pub struct Diagnosis {
    code: Option<i32>,
    checks: Vec<Value>,
}

impl Diagnosis {
    /// Whether every line is good, and the exit code says so.
    pub fn is_well(&self) -> bool {
        self.code == Some(0)
            && !self.checks.is_empty()
            && self.checks.iter().all(|check| check["verdict"] == "ok")
    }

    /// What is to be done about a problem, where the exit code says that there is one.
    pub fn fix(&self, of: &str) -> Option<&str> {
        let problem = self.checks.iter().find(|check| check["check"] == of && check["verdict"] == "problem");
        problem.filter(|_| self.code == Some(1)).and_then(|check| check["fix"].as_str())
    }
}

/// Looks after a trustee of the network, counted from 1, with a trustee's key.
pub fn diagnose(network: &Network, eid: &Eid, trustee: u8, key: u8) -> Result<Diagnosis> {
    let node = network.nodes().first().context("a network has nodes")?;
    let endpoints = network.endpoints()?;
    let url = endpoints.iter().find(|(index, _)| *index == trustee).context("it has an address")?.1;
    let key = network.dir().join("keys").join(format!("trustee-{key}.key"));
    let data = network.dir().join("trustees").join(format!("trustee-{trustee}"));
    let eid = eid.to_string();
    let output = Command::new(program("psephos")?)
        .args(["--json", "--node", node, "trustee", "doctor", "--key", path(&key)?, "--data", path(&data)?])
        .args(["--url", url, "--election", &eid])
        .output()?;
    let checks = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("what it says: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Diagnosis { code: output.status.code(), checks })
}
