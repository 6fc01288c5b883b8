//! What the offline verifier says of an election record.

use anyhow::{ensure, Context, Result};
use psephos_client::chain::Chain;
use serde_json::Value;
use std::path::Path;

use crate::network::{path, run};

/// The checks of a record with its finality proof and without a certificate.
const CHECKS: usize = 17;

/// The report of `psephos-verify`; an error if it does not verify, or not everything was checked.
pub fn report(record: &Path, chain: &Chain) -> Result<Value> {
    let genesis = chain.genesis().to_string();
    let output = run("psephos-verify", &[path(record)?, "--json", "--genesis", &genesis])?;
    let report: Value = serde_json::from_slice(&output.stdout).context("what psephos-verify says")?;
    let checks = report["checks"].as_array().context("the report's checks")?;
    let passed = checks.iter().filter(|check| check["verdict"] == "passed").count();
    ensure!(passed == CHECKS, "{passed} of {CHECKS} checks passed: {report:#}");
    Ok(report)
}

/// The totals in a report, per contest, per option.
pub fn totals(report: &Value) -> Vec<Vec<u64>> {
    let contests = report["contests"].as_array().cloned().unwrap_or_default();
    let totals = |contest: &Value| {
        let options = contest["options"].as_array().cloned().unwrap_or_default();
        options.iter().filter_map(|option| option[1].as_u64()).collect()
    };
    contests.iter().map(totals).collect()
}
