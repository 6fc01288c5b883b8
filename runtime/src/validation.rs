//! Transactions that come together are judged in one call of the runtime. A call starts with memory of its own, which the
//! node has to make and to take away: that, and writing to it the first time, costs more than the judgement of ballots that
//! it has verified.

use crate::{Executive, Hash, UncheckedExtrinsic};
use alloc::vec::Vec;
use codec::DecodeAll;
use frame_support::storage::{with_transaction_unchecked, TransactionOutcome};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity};

sp_api::decl_runtime_apis! {
    /// Judges transactions for the pool.
    pub trait ValidationApi {
        /// For each of these extrinsics (SCALE), in their order, what `TaggedTransactionQueue::validate_transaction` says of
        /// it alone.
        fn validate_all(
            source: TransactionSource,
            extrinsics: Vec<Vec<u8>>,
            block_hash: Block::Hash,
        ) -> Vec<TransactionValidity>;
    }
}

/// Each verdict on the state as it is: what one of them may have written, the next does not see.
pub(crate) fn validate_all(
    source: TransactionSource,
    extrinsics: Vec<Vec<u8>>,
    block_hash: Hash,
) -> Vec<TransactionValidity> {
    let validate = |bytes: Vec<u8>| {
        let extrinsic =
            UncheckedExtrinsic::decode_all(&mut bytes.as_slice()).map_err(|_| InvalidTransaction::Call)?;
        Executive::validate_transaction(source, extrinsic, block_hash)
    };
    extrinsics
        .into_iter()
        .map(|bytes| with_transaction_unchecked(|| TransactionOutcome::Rollback(validate(bytes))))
        .collect()
}
