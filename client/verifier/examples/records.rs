//! Writes docs/vectors/records.json: whole records, and what a verifier must say of each. Deterministic.

#[path = "../tests/common/cases.rs"]
mod cases;
#[path = "../tests/common/chain.rs"]
mod chain;
#[path = "../tests/common/mod.rs"]
mod common;

use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = env::args().nth(1).ok_or("give the file to write, such as docs/vectors/records.json")?;
    fs::write(file, serde_json::to_string_pretty(&cases::cases())? + "\n")?;
    Ok(())
}
