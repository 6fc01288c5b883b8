//! Writes the test vectors: `cargo run --release -p psephos-protocol --example vectors -- docs/vectors`.
//!
//! They are deterministic: a run that changes a file has changed the protocol.

mod generate;
mod malformed;

use std::{env, fs, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("give the folder to write to, such as docs/vectors");
        return ExitCode::FAILURE;
    };
    for (name, text) in generate::files() {
        let path = folder.join(name);
        if let Err(error) = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{}", path.display());
    }
    ExitCode::SUCCESS
}
