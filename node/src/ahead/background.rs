// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Threads for what can wait: ballots that are on their way to the pool. Authoring and importing blocks come first, because
//! all of the network waits for them, and on a machine with few cores a batch would keep them waiting in turn.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// How far these threads step back (see nice(2)): beside one of the others, one of them gets a tenth of a core.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// One thread for each core.
///
/// # Errors
/// When the system refuses threads.
pub fn threads() -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .thread_name(|number| format!("ballots-{number}"))
        .start_handler(|_| step_back())
        .build()
}

/// On Linux it is a thread that is nice; elsewhere it would be the process.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(target: "ballots", %error, "ballots are checked at the priority of all else");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn these_threads_step_back_and_others_do_not() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let own = niceness();
        let theirs = threads().unwrap().install(niceness);
        assert_eq!(theirs, (own + NICENESS).min(19));
        assert_eq!(niceness(), own);
    }
}
