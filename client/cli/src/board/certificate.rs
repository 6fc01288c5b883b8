//! `psephos board certificate`: the file of a certified record under a hash-based signature (spec 9.6), and a page of it.

mod sheet;

use psephos_client::{keystore::CertificateKeyFile, record};
use psephos_protocol::{
    certificate::{Certificate, Statement, SUFFIX},
    finality,
};
use psephos_verifier::{
    report::{Outcome, Step},
    verify, Options, Report, Verdict,
};
use rand_core::OsRng;
use serde_json::json;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use super::args::CertificateArgs;
use crate::{
    context::Context,
    error::CliError,
    keys::{self, NewKey},
};

/// Makes the key, and says what to print of it.
pub(super) fn make_key(args: &NewKey, context: &Context) -> Result<(), CliError> {
    args.check([])?;
    let protection = keys::protection(&args.out, args.insecure_plaintext, context)?;
    let progress = context.out.spinner("making and encrypting the key");
    let key = CertificateKeyFile::generate(&args.name, &mut OsRng);
    let public = key.public_file();
    let written = keys::halves(&args.out, &public, || key.create(&args.out, &protection));
    progress.finish_and_clear();
    written?;
    let public_file = keys::public_path(&args.out);
    let value = json!({
        "key": args.out, "public_file": public_file, "name": public.name, "certificate": public.certificate,
        "fingerprint": public.fingerprint,
    });
    context.out.result(&value, || {
        format!(
            "Key file     {}  (secret: keep it, and a copy elsewhere)\nPublic half  {}\nFingerprint  {}\n\n\
             Print the fingerprint now, before the election: it tells the true record from others for as long as the print is kept.",
            args.out.display(),
            public_file.display(),
            sheet::groups(&public.fingerprint),
        )
    })
}

/// Verifies a record and certifies its file.
pub(super) fn run(args: &CertificateArgs, context: &Context) -> Result<(), CliError> {
    let out = beside(&args.record, SUFFIX);
    let page = beside(&out, ".html");
    if let Some(path) = [&out, &page].into_iter().find(|path| path.exists()) {
        return Err(CliError::file(path, "exists already; nothing was done: move it away if you are sure"));
    }
    let key = CertificateKeyFile::load(&args.key, &context.passphrase)?;
    let report = verified(args, context)?;
    let statement = statement(&report).ok_or_else(|| {
        CliError::Refused(
            "the board did not certify a result in this record, so there is nothing to certify".into(),
        )
    })?;
    let progress = context.out.spinner("signing");
    let certificate = Certificate::sign(statement, key.key(), &mut OsRng);
    progress.finish_and_clear();
    let certificate = certificate.map_err(|error| CliError::Refused(error.to_string()))?;
    let file = args.record.file_name().unwrap_or(args.record.as_os_str()).to_string_lossy();
    let sheet = sheet::page(&report, &certificate, &file)
        .map_err(|_| CliError::Refused("the certificate does not fit on its page".into()))?;
    keys::create_new(&out, &certificate.to_bytes())?;
    keys::create_new(&page, sheet.as_bytes())?;
    let value = json!({
        "election": statement.eid.to_string(), "record": args.record, "sha256": statement.record.to_string(),
        "result": statement.result.to_string(), "last": statement.last.number, "certificate": out, "page": page,
        "fingerprint": certificate.key.fingerprint().to_string(), "signature": certificate.signature_digest().to_string(),
    });
    context.out.result(&value, || {
        format!(
            "SHA-256 of the record  {}\nCertificate            {}  (publish it beside the record)\n\
             Page                   {}  (print it, sign it by hand, keep it)\nKey's fingerprint      {}\n\n\
             Anybody checks it with\n  psephos-verify {} --certificate-key {}",
            statement.record,
            out.display(),
            page.display(),
            certificate.key.fingerprint(),
            args.record.display(),
            certificate.key.fingerprint(),
        )
    })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The report of a record that verifies.
fn verified(args: &CertificateArgs, context: &Context) -> Result<Report, CliError> {
    let unreadable = |error| CliError::file(&args.record, error);
    let options = Options { eid: args.election, finality: proof(&args.record)?, ..Options::default() };
    let file = File::open(&args.record).map_err(unreadable)?;
    let bar = context.out.bar(file.metadata().map_or(0, |data| data.len()), "verifying the record");
    let report = verify(bar.wrap_read(BufReader::new(file)), &options);
    bar.finish_and_clear();
    let report = report.map_err(unreadable)?;
    if !report.verified() {
        return Err(CliError::Refused(format!("nothing is certified: {}", report.summary())));
    }
    let finality = report.checks.iter().find(|check| check.number == Step::Finality.number());
    if finality.is_none_or(|check| check.verdict != Verdict::Passed) {
        context.out.warn(
            "there is no finality proof beside the record: compare the hash of its last block with a node before you publish the certificate",
        );
    }
    Ok(report)
}

/// The finality proof beside the record, if there is one.
fn proof(record: &Path) -> Result<Option<Vec<u8>>, CliError> {
    let path = record::finality_path(record);
    if !path.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    // One more than there may be, so that what is too long is found to be.
    File::open(&path)
        .and_then(|file| file.take(finality::MAX_PROOF_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::file(&path, error))?;
    Ok(Some(bytes))
}

/// What is certified of a verified record; nothing of one without a certified result.
fn statement(report: &Report) -> Option<Statement> {
    let Some(Outcome::Certified { result }) = report.outcome else { return None };
    Some(Statement {
        version: psephos_protocol::VERSION,
        genesis: report.genesis?,
        eid: report.eid?,
        record: report.digest?,
        result,
        last: report.last?,
    })
}
