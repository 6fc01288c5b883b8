// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Where the defaults of an election chain differ from the SDK's.
//!
//! They are set on the command line's arguments themselves, so that `--help` shows them and an
//! operator can override each.

use clap::Arg;

/// Every block and every state. Auditors execute the whole chain and ask for storage proofs at any
/// block, and the mode can't be changed once the database exists.
const PRUNING: &str = "archive";

/// No web page may read from this node unless the operator names its origin. The word is not an
/// origin that a browser can send.
const CORS: &str = "none";

/// Calls per minute and connection: a burst of as many, then 200 a second. A trustee daemon that
/// rebuilds the accepted set reads each block once, thus a day of voting in under four minutes;
/// whoever exceeds the limit is slowed down before calls are refused. Loopback is not excepted,
/// for behind a reverse proxy on this machine everybody has that address.
const RPC_RATE_LIMIT: &str = "12000";

/// Calls in one batch: the limit above counts calls, but a batch is held in memory as a whole.
const RPC_BATCH_LENGTH: &str = "100";

/// Transactions in the pool, and their size in KiB at 2 KiB each: ballots have 1.3 to 1.6 KB. Some
/// ten full blocks, for the rush before polls close.
const POOL_TRANSACTIONS: &str = "32768";
const POOL_KIBIBYTES: &str = "65536";

/// How long the pool shuts out the bytes of a transaction that it found invalid. The SDK's half an
/// hour would lock out a voter who was a minute early.
const POOL_BAN_SECONDS: &str = "30";

/// Gives an argument its default, by its name in the SDK. All other arguments pass unchanged.
pub fn of_argument(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "state_pruning" | "blocks_pruning" => argument.default_value(PRUNING).long_help(
            "What to keep of old blocks: archive (everything), archive-canonical (what is \
             finalized) or the NUMBER of latest finalized blocks. It can't be changed once the \
             database exists; auditors need archive",
        ),
        "rpc_cors" => argument.default_value(CORS).long_help(
            "The browser origins that may call this node, separated by commas \
             (https://vote.example.org), or all",
        ),
        "rpc_rate_limit" => argument
            .default_value(RPC_RATE_LIMIT)
            .long_help("How many calls a connection may make per minute"),
        "rpc_max_batch_request_len" => argument.default_value(RPC_BATCH_LENGTH),
        "pool_limit" => argument.default_value(POOL_TRANSACTIONS),
        "pool_kbytes" => argument.default_value(POOL_KIBIBYTES),
        "tx_ban_seconds" => argument
            .default_value(POOL_BAN_SECONDS)
            .long_help("How long the pool shuts out a transaction that was invalid"),
        _ => argument,
    }
}
