//! `psephos`: one command for every role in an election.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audit;
mod bench;
mod board;
mod cli;
mod context;
mod error;
mod keys;
mod manifest;
mod network;
mod output;
mod qr;
mod registrar;
mod show;
mod times;
mod trustee;
mod voter;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}
