//! Every target. A new decoder gets a line in the list of its file, and with it all checks.

mod ballots;
mod chain;
mod files;
mod messages;
mod repair;
mod texts;

use codec::{DecodeAll, Encode};

use crate::Target;

/// All targets.
#[must_use]
pub fn targets() -> Vec<Target> {
    [messages::all(), ballots::all(), repair::all(), chain::all(), files::all(), texts::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// Decodes and encodes again.
fn scale<T: DecodeAll + Encode>(mut bytes: &[u8]) -> Option<Vec<u8>> {
    T::decode_all(&mut bytes).ok().map(|item| item.encode())
}
