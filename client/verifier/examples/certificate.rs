//! Writes docs/vectors/certificate.json: a certificate, and what must be refused. Deterministic.

#[path = "../tests/common/cases.rs"]
mod cases;
#[path = "../tests/common/certificates.rs"]
mod certificates;
#[path = "../tests/common/chain.rs"]
mod chain;
#[path = "../tests/common/mod.rs"]
mod common;

use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = env::args().nth(1).ok_or("give the file to write, such as docs/vectors/certificate.json")?;
    let vectors = certificates::vectors(&cases::records());
    fs::write(file, serde_json::to_string_pretty(&vectors)? + "\n")?;
    Ok(())
}
