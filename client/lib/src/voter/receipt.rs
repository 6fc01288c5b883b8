//! What a voter keeps, and what it is worth: that the ballot is recorded and counts, by anybody's state or record.

use psephos_protocol::{
    ballot::TrackingCode,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::PublicKey,
    state::Phase,
};
use serde::{Deserialize, Serialize};

use crate::standing::Standing;

/// What a voter keeps: where the ballot is recorded. It says nothing about the vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterReceipt {
    /// The election.
    #[serde(with = "as_text")]
    pub eid: Eid,
    /// The voter's credential.
    #[serde(with = "as_text")]
    pub credential: PublicKey,
    /// The ballot's sequence number.
    pub sequence: u32,
    /// The ballot hash, all 256 bits.
    #[serde(with = "as_text")]
    pub ballot: BallotHash,
    /// The tracking code, for people.
    #[serde(with = "as_text")]
    pub tracking_code: TrackingCode,
    /// The finalized block that has the ballot.
    pub block: u32,
    /// That block's hash.
    #[serde(with = "as_text")]
    pub block_hash: Digest,
    /// The trustees whose receipts the ballot carries, ascending.
    pub trustees: Vec<u8>,
}

/// What became of a ballot that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the ballot that counts for its credential.
    Counts,
    /// A later ballot of the same credential took its place.
    Replaced {
        /// The later one.
        by: BallotHash,
    },
    /// It is excluded from the set, because too few trustees can serve it (spec 7.2).
    Excluded,
    /// The board voided the election, so that no ballot counts.
    Void,
}

/// Why a proved state does not bear a receipt out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The state is of a block before the receipt's.
    #[error("what is proved to be final ends with block {proved}, and the receipt is of block {block}: the node is behind, or keeps later blocks back; ask another node")]
    Behind {
        /// The block that is proved.
        proved: u32,
        /// The receipt's block.
        block: u32,
    },
    /// Another block is final at the receipt's height.
    #[error("block {block} is final with the hash {proved}, and the receipt has {receipt}: two blocks of one height can't both be final; tell the board, and show the receipt")]
    OtherBlock {
        /// The height.
        block: u32,
        /// The hash of the block that is proved to be final.
        proved: Digest,
        /// The hash in the receipt.
        receipt: Digest,
    },
    /// The state has neither this ballot nor a later one.
    #[error("block {proved} is proved to be final, and its state holds {}, but not ballot {code} of the receipt: tell the board, and show the receipt", has(.holds))]
    Missing {
        /// The block that is proved.
        proved: u32,
        /// The receipt's ballot.
        code: TrackingCode,
        /// The ballot that is recorded in its place.
        holds: Option<TrackingCode>,
    },
}

fn has(holds: &Option<TrackingCode>) -> String {
    holds.map_or_else(
        || "no ballot of this credential".into(),
        |code| format!("ballot {code} of this credential"),
    )
}

impl VoterReceipt {
    /// The block that has the ballot.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        Anchor { number: self.block, hash: self.block_hash.0 }
    }

    /// What became of the ballot, by a proved state of its credential. A state holds the last ballot of a credential,
    /// so that of one that was replaced it shows just that.
    ///
    /// # Errors
    /// [`ReceiptError`] when the state does not bear the receipt out.
    pub fn judge(&self, standing: &Standing) -> Result<Verdict, ReceiptError> {
        let proved = standing.block;
        if proved.number < self.block {
            return Err(ReceiptError::Behind { proved: proved.number, block: self.block });
        }
        if proved.number == self.block && proved.hash != self.block_hash.0 {
            let (proved, receipt) = (Digest(proved.hash), self.block_hash);
            return Err(ReceiptError::OtherBlock { block: self.block, proved, receipt });
        }
        match &standing.ballot {
            Some(ballot) if ballot.caster.sequence > self.sequence => {
                Ok(Verdict::Replaced { by: ballot.hash })
            }
            Some(ballot) if (ballot.caster.sequence, ballot.hash) == (self.sequence, self.ballot) => {
                Ok(match standing.election.phase {
                    Phase::Void => Verdict::Void,
                    _ if standing.excluded => Verdict::Excluded,
                    _ => Verdict::Counts,
                })
            }
            other => Err(ReceiptError::Missing {
                proved: proved.number,
                code: self.tracking_code,
                holds: other.as_ref().map(|ballot| TrackingCode::of(&ballot.hash)),
            }),
        }
    }
}

/// Identifiers as text in receipts.
mod as_text {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};
    use std::{fmt::Display, str::FromStr};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
