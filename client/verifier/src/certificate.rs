//! Check 18: the certificate beside the record is of this very file (spec 9.6), by the key that was printed.
//!
//! All other signatures rest on discrete logarithms. Who computes these can write other records; the certificate still
//! tells which one the board certified.

use psephos_protocol::{
    certificate::Certificate,
    ids::{Anchor, Digest},
    state::Phase,
};

use crate::{
    replay::Replay,
    report::{Certified, Failure, Party, Step},
    Options,
};

/// Checks the certificate, if there is one; gives what it says. `record` is the digest of the whole file.
pub(crate) fn check(
    replay: &mut Replay,
    record: Option<Digest>,
    options: &Options,
) -> Result<Option<Certified>, Failure> {
    let Some(bytes) = &options.certificate else {
        if options.certificate_key.is_some() {
            return Err(failure("there is no certificate, and the reader knows its key".into()));
        }
        replay.checks.not_applicable(Step::Certificate, "no certificate was given");
        return Ok(None);
    };
    let certified = shown(bytes, replay, record, options.certificate_key).map_err(failure)?;
    replay.checks.pass(Step::Certificate, format!("by the key with the fingerprint {}", certified.key));
    Ok(Some(certified))
}

fn failure(reason: String) -> Failure {
    Failure::new(Step::Certificate, Party::Source, "the certificate", reason)
}

fn shown(
    bytes: &[u8],
    replay: &Replay,
    record: Option<Digest>,
    known: Option<Digest>,
) -> Result<Certified, String> {
    let certificate = Certificate::from_bytes(bytes).map_err(|error| error.to_string())?;
    let statement = &certificate.statement;
    let (genesis, eid) = replay.election();
    if (statement.genesis, statement.eid) != (genesis, eid) {
        return Err(format!(
            "9.6.2: it is of the election {} of the chain {}",
            statement.eid, statement.genesis
        ));
    }
    let result = replay.running.as_ref().filter(|running| running.phase == Phase::Certified);
    let result = result.and_then(|running| running.tally.result()).map(|stands| stands.digest);
    if result != Some(statement.result) {
        let of_record = result.map_or("has none".into(), |result| format!("has {result}"));
        return Err(format!("9.6.3: it is of the result {}, and the record {of_record}", statement.result));
    }
    let last = replay.headers.last().map_or(Anchor::default(), |block| block.anchor);
    if statement.last != last {
        let (number, hash) = (statement.last.number, Digest(statement.last.hash));
        return Err(format!(
            "9.6.4: its last block is {number} ({hash}), and the record's is {}",
            last.number
        ));
    }
    if record != Some(statement.record) {
        let file = record.unwrap_or_default();
        return Err(format!(
            "9.6.5: it is of a file with the SHA-256 {}, and this one has {file}",
            statement.record
        ));
    }
    certificate.verify().map_err(|error| error.to_string())?;
    let key = certificate.key.fingerprint();
    if let Some(known) = known.filter(|known| *known != key) {
        return Err(format!("9.6.7: its key has the fingerprint {key}, and the one given is {known}"));
    }
    Ok(Certified { key, signature: certificate.signature_digest() })
}
