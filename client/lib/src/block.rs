//! Blocks as nodes send them, checked: the header against its hash, the body against the header.

use codec::{Compact, Encode};
use psephos_protocol::{
    ids::Anchor,
    wire::{self, Message},
};
use serde::Deserialize;
use sp_core::Blake2Hasher;
use sp_crypto_hashing::blake2_256;
use sp_trie::{LayoutV0, LayoutV1, TrieConfiguration};

use crate::{
    error::ChainError,
    nodes::{hash32, unhex},
};

/// A block of the chain with the messages in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainBlock {
    /// Number and hash.
    pub anchor: Anchor,
    /// The parent's hash.
    pub parent: [u8; 32],
    /// The header in the chain's own SCALE encoding; its BLAKE2b-256 is the block's hash.
    pub header: Vec<u8>,
    /// The block's time in ms since the Unix epoch; 0 in the first block, which has none.
    pub time: u64,
    /// The messages, in the block's order.
    pub messages: Vec<Message>,
}

/// A header as a node's JSON has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonHeader {
    parent_hash: String,
    number: String,
    state_root: String,
    extrinsics_root: String,
    digest: JsonDigest,
}

/// A header's digest: SCALE-encoded items.
#[derive(Clone, Debug, Deserialize)]
struct JsonDigest {
    logs: Vec<String>,
}

/// GRANDPA, among the engines that justify blocks.
const GRANDPA: [u8; 4] = *b"FRNK";

/// The answer to `chain_getBlock`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JsonSignedBlock {
    pub(crate) block: JsonBlock,
    #[serde(default)]
    justifications: Option<Vec<([u8; 4], Vec<u8>)>>,
}

impl JsonSignedBlock {
    /// What shows that the block is final, if the node has kept it.
    pub(crate) fn justification(&self) -> Option<&[u8]> {
        let all = self.justifications.iter().flatten();
        all.into_iter().find(|(engine, _)| *engine == GRANDPA).map(|(_, bytes)| bytes.as_slice())
    }
}

/// A block as a node's JSON has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JsonBlock {
    pub(crate) header: JsonHeader,
    extrinsics: Vec<String>,
}

/// A header that has the hash that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) anchor: Anchor,
    pub(crate) parent: [u8; 32],
    pub(crate) state_root: [u8; 32],
    extrinsics_root: [u8; 32],
    pub(crate) bytes: Vec<u8>,
}

impl JsonHeader {
    /// Encodes the header and checks that it has this hash.
    pub(crate) fn check(&self, endpoint: &str, hash: [u8; 32]) -> Result<Header, ChainError> {
        let inconsistent =
            |what: &str| ChainError::Inconsistent { endpoint: endpoint.into(), what: what.into() };
        let field = |text: &String| hash32(endpoint, Some(text));
        let (parent, state_root, extrinsics_root) =
            (field(&self.parent_hash)?, field(&self.state_root)?, field(&self.extrinsics_root)?);
        let number = self
            .number
            .strip_prefix("0x")
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| inconsistent("a header's number is not a 32-bit number"))?;
        let mut bytes = (parent, Compact(number), state_root, extrinsics_root).encode();
        Compact(
            u32::try_from(self.digest.logs.len()).map_err(|_| inconsistent("a header with too many logs"))?,
        )
        .encode_to(&mut bytes);
        for log in &self.digest.logs {
            bytes.extend(unhex(endpoint, log)?);
        }
        if blake2_256(&bytes) != hash {
            return Err(inconsistent(&format!(
                "the header that it gives for block 0x{} has another hash",
                hex::encode(hash)
            )));
        }
        Ok(Header { anchor: Anchor { number, hash }, parent, state_root, extrinsics_root, bytes })
    }
}

impl JsonBlock {
    /// Checks header and body against the hash, and reads the messages.
    pub(crate) fn check(&self, endpoint: &str, hash: [u8; 32]) -> Result<ChainBlock, ChainError> {
        let header = self.header.check(endpoint, hash)?;
        let extrinsics: Vec<Vec<u8>> =
            self.extrinsics.iter().map(|text| unhex(endpoint, text)).collect::<Result<_, _>>()?;
        // The runtime's version decides which of the two roots it is; both bind every byte of the body.
        let root = header.extrinsics_root;
        if LayoutV0::<Blake2Hasher>::ordered_trie_root(&extrinsics).0 != root
            && LayoutV1::<Blake2Hasher>::ordered_trie_root(&extrinsics).0 != root
        {
            return Err(ChainError::Inconsistent {
                endpoint: endpoint.into(),
                what: format!(
                    "the body that it gives for block {} is not the one of its header",
                    header.anchor.number
                ),
            });
        }
        Ok(ChainBlock {
            anchor: header.anchor,
            parent: header.parent,
            header: header.bytes,
            time: extrinsics.iter().find_map(|bytes| wire::block_time(bytes)).unwrap_or_default(),
            messages: extrinsics.iter().flat_map(|bytes| Message::all_from_extrinsic(bytes)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{
        agreement::Acceptance,
        ids::Eid,
        keys::Signature,
        testing::{Fixture, Params},
        wire::{bundle, bundle_to_extrinsic},
    };

    const NODE: &str = "ws://node";

    fn message(trustee: u8) -> Message {
        Message::Accept(Acceptance { eid: Eid([1; 32]), trustee, signature: Signature([2; 64]) })
    }

    fn time(ms: u64) -> Vec<u8> {
        let mut body = vec![5u8, 1, 0];
        Compact(ms).encode_to(&mut body);
        body.encode()
    }

    fn hex0x(bytes: impl AsRef<[u8]>) -> String {
        format!("0x{}", hex::encode(bytes))
    }

    /// A block of these extrinsics, as JSON, and its hash.
    fn block(extrinsics: &[Vec<u8>]) -> (JsonBlock, [u8; 32]) {
        let root = LayoutV0::<Blake2Hasher>::ordered_trie_root(extrinsics).0;
        let log = vec![6u8, b'a', b'u', b'r', b'a', 4, 7];
        let mut bytes = ([3u8; 32], Compact(77u32), [4u8; 32], root, Compact(1u32)).encode();
        bytes.extend(&log);
        let header = serde_json::json!({
            "parentHash": hex0x([3; 32]), "number": "0x4d", "stateRoot": hex0x([4; 32]),
            "extrinsicsRoot": hex0x(root), "digest": { "logs": [hex0x(log)] },
        });
        let json = serde_json::json!({
            "header": header, "extrinsics": extrinsics.iter().map(hex0x).collect::<Vec<_>>(),
        });
        (serde_json::from_value(json).unwrap(), blake2_256(&bytes))
    }

    #[test]
    fn a_block_gives_its_messages_and_time_in_order() {
        let extrinsics = [time(1_700_000_000_000), message(1).to_extrinsic(), message(2).to_extrinsic()];
        let (json, hash) = block(&extrinsics);
        let checked = json.check(NODE, hash).unwrap();
        assert_eq!(checked.anchor, Anchor { number: 77, hash });
        assert_eq!(checked.parent, [3; 32]);
        assert_eq!(blake2_256(&checked.header), hash);
        assert_eq!(checked.time, 1_700_000_000_000);
        assert_eq!(checked.messages, vec![message(1), message(2)]);
    }

    #[test]
    fn the_ballots_of_a_bundle_are_messages_of_their_own() {
        let mut fixture = Fixture::new(&Params::default());
        let casts = (0..2).map(|voter| fixture.cast(voter, 1, &[vec![0, 1, 0]]).cast);
        let together = bundle(casts.collect()).unwrap();
        let extrinsics =
            [time(1), message(1).to_extrinsic(), bundle_to_extrinsic(&together), message(2).to_extrinsic()];
        let (json, hash) = block(&extrinsics);
        let [one, two] = <[_; 2]>::try_from(together.into_inner()).unwrap().map(Message::Cast);
        assert_eq!(json.check(NODE, hash).unwrap().messages, [message(1), one, two, message(2)]);
    }

    #[test]
    fn a_body_that_is_not_the_headers_is_refused() {
        let (json, hash) = block(&[time(1), message(1).to_extrinsic(), message(2).to_extrinsic()]);
        let wrong = |change: fn(&mut Vec<String>)| {
            let mut json = json.clone();
            change(&mut json.extrinsics);
            json.check(NODE, hash).unwrap_err()
        };
        let changes: [fn(&mut Vec<String>); 4] = [
            |body| drop(body.pop()),
            |body| body.swap(1, 2),
            |body| body.push(hex0x(message(3).to_extrinsic())),
            |body| body[1] = hex0x(message(3).to_extrinsic()),
        ];
        for change in changes {
            assert!(matches!(wrong(change), ChainError::Inconsistent { what, .. } if what.contains("body")));
        }
    }

    #[test]
    fn a_header_that_has_another_hash_is_refused() {
        let (mut json, hash) = block(&[time(1)]);
        json.header.state_root = hex0x([9; 32]);
        assert!(matches!(json.check(NODE, hash), Err(ChainError::Inconsistent { .. })));
    }
}
