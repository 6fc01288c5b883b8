//! Whole elections and every refusal, with real cryptography.

use psephos_protocol::bounds::Reason;

mod ballots;
mod board;
mod bundles;
mod clock;
mod declare;
mod rehearsal;
mod roll;
mod tally;
mod trustees;

/// A reason of the board.
fn reason(text: &str) -> Reason {
    text.as_bytes().to_vec().try_into().expect("short")
}
