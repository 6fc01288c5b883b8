// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Where the defaults of an election chain differ from the SDK's.
//!
//! They are set on the command line's arguments themselves, so that `--help` shows them and an
//! operator can override each.

use clap::{
    builder::{PossibleValuesParser, TypedValueParser},
    Arg,
};
use sc_cli::TransactionPoolType;

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

/// Connections at once. A voter's client holds one until its ballot is final, some ten seconds: with this many, a
/// hundred voters a second are served.
const RPC_CONNECTIONS: &str = "1000";

/// The largest request in MB, of which each connection may have one in memory. The largest single messages are a
/// roll batch of 2,000 entries of 110 bytes and a manifest, below 1 MB in hexadecimal; the largest batch of calls is
/// one of 90 of the largest ballots, 22,000 bytes each, 4 MB.
const RPC_REQUEST_MEGABYTES: &str = "4";

/// Calls in one batch: the limit above counts calls, but a batch is held in memory as a whole.
const RPC_BATCH_LENGTH: &str = "100";

/// Transactions in the pool. Gossip remembers of each peer the last 10,240 transactions that it knows, and every
/// 2.9 s sends it what it forgot of those in the pool: with more in the pool than it can remember, that would be
/// the whole pool each time. What may come between two such rounds, 700 a second, is left room. It is six blocks of
/// ballots of ten options; a larger pool would make voters wait, and the chain no faster.
const POOL_TRANSACTIONS: &str = "8192";

/// Their size in KiB, at 4 KiB each: ballots of ten options have 1.3 KB, of a hundred 4 to 5 KB.
const POOL_KIBIBYTES: &str = "32768";

/// The cache of the state in bytes, which fills up as ballots come. The SDK's 1 GiB is more than the state of
/// a million counted ballots, and on a machine with several nodes more than it has.
const STATE_CACHE_BYTES: &str = "268435456";

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
        "rpc_max_connections" => argument.default_value(RPC_CONNECTIONS),
        "rpc_max_request_size" => argument.default_value(RPC_REQUEST_MEGABYTES),
        // The node has its own pool, and makes no other (docs/adr/0012-ballots-in-batches.md).
        "pool_type" => argument.hide(true).default_value("single-state").value_parser(
            PossibleValuesParser::new(["single-state"]).map(|_| TransactionPoolType::SingleState),
        ),
        "pool_best_blocks_only" => argument.hide(true),
        "pool_limit" => argument.default_value(POOL_TRANSACTIONS),
        "pool_kbytes" => argument.default_value(POOL_KIBIBYTES),
        "trie_cache_size" => argument.default_value(STATE_CACHE_BYTES),
        "tx_ban_seconds" => argument
            .default_value(POOL_BAN_SECONDS)
            .long_help("How long the pool shuts out a transaction that was invalid"),
        _ => argument,
    }
}
