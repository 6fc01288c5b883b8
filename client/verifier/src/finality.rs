//! Check 17: the record's last block is final (spec 9.5), and with it all blocks before, which its header binds.
//!
//! The hash of the chain's first block, which the election's identifier binds, gives its state; that names the
//! validators; more than two thirds of them signed the record's last block, or one after it.

use psephos_protocol::{
    finality::{FinalityProof, Validators, VALIDATORS_KEY},
    header::Header,
    ids::{Anchor, Genesis},
};

use crate::{
    header::hash,
    replay::Replay,
    report::{Failure, Party, Step},
    trie,
};

/// Checks the proof, if there is one. A record without one is verified all the same, up to what its last block rests
/// on.
pub(crate) fn check(replay: &mut Replay, proof: Option<&[u8]>) -> Result<(), Failure> {
    let last = replay.headers.last().map_or(Anchor::default(), |block| block.anchor);
    let Some(bytes) = proof else {
        replay.checks.not_applicable(Step::Finality, "no finality proof was given");
        return Ok(());
    };
    match shown(bytes, replay.genesis(), last) {
        Ok(anchor) => {
            replay.checks.pass(Step::Finality, format!("block {} is justified", anchor.number));
            Ok(())
        }
        Err(reason) => Err(Failure::new(Step::Finality, Party::Source, "the finality proof", reason)),
    }
}

/// The block that is justified: the last of the record, or one after it.
fn shown(bytes: &[u8], genesis: Genesis, last: Anchor) -> Result<Anchor, String> {
    let proof = FinalityProof::from_bytes(bytes).map_err(|error| error.to_string())?;
    if hash(&proof.genesis) != genesis.0 {
        return Err(format!("9.5.1: its first block is not that of the chain {genesis}"));
    }
    let first = Header::from_bytes(&proof.genesis).map_err(|_| "9.5.1: its first header is malformed")?;
    let list = trie::value(first.state_root, &proof.state, &VALIDATORS_KEY).map_err(|e| e.to_string())?;
    let list = list.ok_or("9.5.2: the first block's state names no validators")?;
    let validators = Validators::from_state(&list).map_err(|error| error.to_string())?;
    let justified = validators.check(&proof.justification, hash).map_err(|error| error.to_string())?;
    let mut block = last;
    for bytes in &proof.headers {
        let header = Header::from_bytes(bytes).map_err(|_| "9.5.3: a header is malformed")?;
        let child = Anchor { number: header.number.0, hash: hash(bytes) };
        if header.parent != block.hash || Some(child.number) != block.number.checked_add(1) {
            return Err(format!("9.5.3: the header after block {} is not that of its child", block.number));
        }
        block = child;
    }
    if block != justified {
        return Err(format!(
            "9.5.3: its headers lead from the record's last block to block {}, and block {} is justified",
            block.number, justified.number
        ));
    }
    Ok(justified)
}
