//! `psephos bench crypto`: what each step costs on this machine, in one thread.

use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use clap::Args;
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified},
        Ballot, CastBallot,
    },
    cells::Cells,
    group::Point,
    keys::verify_signature,
    manifest::Manifest,
    shares::Share,
    tally::{Columns, CommitmentSums, ShareSums, TallyError},
    wire::Message,
};
use rand_core::OsRng;
use serde::Serialize;
use std::{hint::black_box, path::PathBuf, time::Duration};

use super::{
    floor::{self, Batch},
    form::Form,
    machine::Machine,
    sample::Sample,
    timing::micros,
    write_report,
};
use crate::{context::Context, error::CliError, output};

/// Different ballots in a batch; the rest repeat them.
const DIFFERENT: u32 = 8;
/// Ballots that are summed at a time.
const SUMMED: u32 = 100;

/// What is timed.
#[derive(Args)]
pub struct CryptoArgs {
    /// Ballots to time: the number of options, or CONTESTSxOPTIONS.
    #[arg(
        long,
        value_name = "FORM",
        value_delimiter = ',',
        default_value = "1,2,5,10,20,50,100,2x10,3x10,4x10"
    )]
    form: Vec<Form>,
    /// Trustees.
    #[arg(long, default_value_t = 4)]
    trustees: u8,
    /// Trustees who open the tally; the least allowed number vouches for each ballot.
    #[arg(long, default_value_t = 2)]
    threshold: u8,
    /// Ballots in a batch.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// For how many milliseconds each step is repeated, at least.
    #[arg(long, value_name = "MS", default_value_t = 300)]
    time: u64,
    /// Also write the report to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// What one form of ballot costs: times in microseconds, sizes in bytes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Costs {
    /// What is on the ballot.
    pub form: String,
    /// A ballot as an extrinsic, with its receipts.
    pub ballot_bytes: usize,
    /// A trustee's envelope.
    pub envelope_bytes: usize,
    /// Points of ballot and proof, as they travel.
    pub points: usize,
    /// Preparing, checked by the device itself.
    pub prepare: f64,
    /// Preparing, signing, and sealing every trustee's share.
    pub prepare_and_seal: f64,
    /// Verifying a ballot's points and range proof, by itself.
    pub verify: f64,
    /// Verifying proof, signature and receipts in a batch.
    pub batch: f64,
    /// The same on all cores.
    pub batch_on_all_cores: f64,
    /// An 8-bit proof of the same statements, verified by the `bulletproofs` crate.
    pub bulletproofs: f64,
    /// Verifying the signature and q receipts, one by one.
    pub signatures: f64,
    /// The least that a batch's verifier needs per ballot for points and proof.
    pub floor: f64,
    /// The same for signature and receipts too.
    pub floor_all: f64,
    /// Opening an envelope.
    pub open: f64,
    /// Checking the share in it.
    pub share: f64,
    /// Signing a receipt.
    pub receipt: f64,
    /// Adding a ballot's share to a trustee's sums.
    pub sum_share: f64,
    /// Decompressing a ballot's commitments and adding them to the chain's sums.
    pub sum_commitments: f64,
}

/// A report on this machine.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    trustees: u8,
    threshold: u8,
    quorum: u8,
    batch: u32,
    costs: Vec<Costs>,
}

/// Times every step for every form, and shows one table.
///
/// # Errors
/// [`CliError`].
pub fn run(args: &CryptoArgs, context: &Context) -> Result<(), CliError> {
    let budget = Duration::from_millis(args.time);
    let progress = context.out.bar(args.form.len() as u64, "timing");
    let mut costs = Vec::new();
    let mut quorum = 0;
    for form in &args.form {
        progress.set_message(format!("timing {form} options"));
        let sample = Sample::new(*form, args.trustees, args.threshold)?;
        quorum = sample.election.manifest.quorum;
        costs.push(measure(&sample, args.batch, budget)?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let report = Report {
        machine: Machine::this(),
        trustees: args.trustees,
        threshold: args.threshold,
        quorum,
        batch: args.batch,
        costs,
    };
    write_report(args.report.as_deref(), &report)?;
    context.out.result(&report, || show(&report))
}

/// Times every step for one form.
///
/// # Errors
/// [`CliError::Integrity`] when something that was made does not verify.
pub fn measure(sample: &Sample, count: u32, budget: Duration) -> Result<Costs, CliError> {
    let signed = (0..DIFFERENT).map(|voter| sample.sign(voter)).collect::<Result<Vec<_>, _>>()?;
    let ballots: Vec<CastBallot> = signed.iter().map(|signed| sample.cast(signed)).collect();
    let (Some(first), Some(cast)) = (signed.first(), ballots.first()) else {
        return Err(CliError::Integrity("no ballot was made".into()));
    };
    let (generators, checks) = (&sample.generators, &sample.checks);
    let manifest = &sample.election.manifest;
    let mut sealed = sample.sign(0)?;
    let envelopes = sample.seal(&mut sealed)?;
    let (Some(envelope), Some(keys), Some(share)) =
        (envelopes.first(), sample.trustees.first(), sealed.shares.first())
    else {
        return Err(CliError::Integrity("there is no trustee".into()));
    };
    let ballot = &cast.signed.ballot;
    let verified = checks.ballot(&sealed.ballot.ballot, generators).map_err(wrong)?;
    let together: Vec<Unverified<'_>> =
        ballots.iter().cycle().take(count as usize).map(|cast| Unverified::Cast(cast, checks)).collect();
    for verdict in batch::verify(&together, generators) {
        verdict.map_err(wrong)?;
    }
    let open = || sample.open(&sealed, envelope, (1, keys));
    open()?;
    let dealing = &sealed.ballot.ballot.statement.dealing;
    let check =
        || share.verify(1, manifest.threshold, &verified.commitments, dealing, &sealed.dealing, &mut OsRng);
    check().map_err(wrong)?;
    sum_shares(manifest, share).map_err(wrong)?;
    sum_commitments(manifest, ballot).map_err(wrong)?;

    let points = floor::proof_points(ballot);
    Ok(Costs {
        form: sample.form.to_string(),
        ballot_bytes: Message::Cast(cast.clone()).to_extrinsic().len(),
        envelope_bytes: envelope.0.len(),
        points,
        prepare: micros(budget, || sample.prepare(0)),
        prepare_and_seal: micros(budget, || sample.sign(0).and_then(|mut signed| sample.seal(&mut signed))),
        verify: micros(budget, || checks.ballot(ballot, generators)),
        batch: micros(budget, || batch::verify(&together, generators)) / f64::from(count),
        batch_on_all_cores: micros(budget, || batch::verify_parallel(&together, generators))
            / f64::from(count),
        bulletproofs: crate_proof(sample, budget)?,
        signatures: micros(budget, || checks.signatures(cast, verify_signature)),
        floor: Batch::new(points, count).floor(budget),
        floor_all: Batch::new(floor::cast_points(cast), count).floor(budget),
        open: micros(budget, open),
        share: micros(budget, check),
        receipt: micros(budget, || sample.receipt(&first.hash, (1, keys))),
        sum_share: micros(budget, || sum_shares(manifest, share)) / f64::from(SUMMED),
        sum_commitments: micros(budget, || sum_commitments(manifest, ballot)) / f64::from(SUMMED),
    })
}

/// As a trustee sums its shares.
fn sum_shares(manifest: &Manifest, share: &Share) -> Result<Columns, TallyError> {
    let mut sums = ShareSums::new(manifest, &Cells::all(manifest));
    (0..SUMMED).try_for_each(|_| sums.add(manifest, 0, 0, 1, black_box(share)))?;
    Ok(sums.columns())
}

/// As the chain and an auditor sum commitments.
fn sum_commitments(manifest: &Manifest, ballot: &Ballot) -> Result<CommitmentSums, TallyError> {
    let mut sums = CommitmentSums::new(manifest, 1);
    for _ in 0..SUMMED {
        let commitments = black_box(&ballot.statement.commitments).iter();
        let points: Result<Vec<_>, _> = commitments.map(Point::decompress).collect();
        sums.add_vartime(manifest, 0, 0, 1, &points.map_err(|_| TallyError::Shape)?)?;
    }
    Ok(sums)
}

fn wrong(error: impl std::fmt::Display) -> CliError {
    CliError::Integrity(format!("what this machine made does not verify: {error}"))
}

/// Without its standard library, the crate's error has no words.
fn crate_error(error: bulletproofs::ProofError) -> CliError {
    wrong(format!("{error:?}"))
}

/// The time that the `bulletproofs` crate takes for as many statements, at the fewest bits that it proves.
fn crate_proof(sample: &Sample, budget: Duration) -> Result<f64, CliError> {
    const BITS: usize = 8;
    let statements = sample.form.statements().next_power_of_two();
    let (generators, bases) = (BulletproofGens::new(BITS, statements), PedersenGens::default());
    let values = vec![1u64; statements];
    let blindings: Vec<Scalar> = values.iter().map(|_| Scalar::random(&mut OsRng)).collect();
    let transcript = || Transcript::new(b"psephos bench");
    let proved = RangeProof::prove_multiple_with_rng(
        &generators,
        &bases,
        &mut transcript(),
        &values,
        &blindings,
        BITS,
        &mut OsRng,
    );
    let (proof, commitments) = proved.map_err(crate_error)?;
    let verify = || {
        proof.verify_multiple_with_rng(&generators, &bases, &mut transcript(), &commitments, BITS, &mut OsRng)
    };
    verify().map_err(crate_error)?;
    Ok(micros(budget, verify))
}

fn show(report: &Report) -> String {
    let time = |of: fn(&Costs) -> f64| -> Vec<String> {
        report.costs.iter().map(|costs| shown(of(costs))).collect()
    };
    let size = |of: fn(&Costs) -> usize| -> Vec<String> {
        report.costs.iter().map(|costs| of(costs).to_string()).collect()
    };
    let rows = [
        ("prepare", time(|c| c.prepare)),
        ("prepare, sign and seal", time(|c| c.prepare_and_seal)),
        ("verify the proof of one", time(|c| c.verify)),
        ("  bulletproofs crate, 8 bits", time(|c| c.bulletproofs)),
        ("  floor", time(|c| c.floor)),
        ("verify signature and receipts", time(|c| c.signatures)),
        ("verify all in a batch", time(|c| c.batch)),
        ("  on all cores", time(|c| c.batch_on_all_cores)),
        ("  floor", time(|c| c.floor_all)),
        ("open envelope", time(|c| c.open)),
        ("check share", time(|c| c.share)),
        ("sign receipt", time(|c| c.receipt)),
        ("sum a share", time(|c| c.sum_share)),
        ("sum commitments", time(|c| c.sum_commitments)),
        ("ballot, points", size(|c| c.points)),
        ("ballot, bytes", size(|c| c.ballot_bytes)),
        ("envelope, bytes", size(|c| c.envelope_bytes)),
    ];
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, cells)| [vec![name.to_owned()], cells].concat()).collect();
    let head: Vec<&str> =
        ["options"].into_iter().chain(report.costs.iter().map(|costs| costs.form.as_str())).collect();
    format!(
        "{}\nn = {}, t = {}, q = {}. Times per ballot in µs, in one thread unless said; batches of {}.\n\n{}",
        report.machine,
        report.trustees,
        report.threshold,
        report.quorum,
        report.batch,
        output::table(head, &rows)
    )
}

/// Three significant digits, or a whole number.
fn shown(micros: f64) -> String {
    let decimals = match micros {
        micros if micros < 10.0 => 2,
        micros if micros < 100.0 => 1,
        _ => 0,
    };
    format!("{micros:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_timed() {
        let sample = Sample::new("3".parse().unwrap(), 4, 2).unwrap();
        let costs = measure(&sample, 10, Duration::from_millis(1)).unwrap();
        let value = serde_json::to_value(&costs).unwrap();
        for (name, cost) in value.as_object().unwrap() {
            assert!(name == "form" || cost.as_f64().unwrap() > 0.0, "{name}");
        }
        assert!(costs.floor < costs.floor_all && costs.floor < costs.verify);
        assert!(costs.floor_all < costs.batch);
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!([shown(1.234), shown(12.34), shown(1234.5)], ["1.23", "12.3", "1234"]);
    }
}
