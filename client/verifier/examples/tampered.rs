//! Writes docs/vectors/tampered.json: changed records, and the check that each must fail. Deterministic.

#[path = "../tests/common/cases.rs"]
mod cases;
#[path = "../tests/common/chain.rs"]
mod chain;
#[path = "../tests/common/mod.rs"]
mod common;
#[allow(dead_code)] // The other half is the test's.
#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = env::args().nth(1).ok_or("give the file to write, such as docs/vectors/tampered.json")?;
    fs::write(file, corpus::Corpus::new().to_json())?;
    Ok(())
}
