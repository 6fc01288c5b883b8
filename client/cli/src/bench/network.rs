//! `psephos bench network`: ballots per second on a real network.

use clap::Args;
use psephos_client::Chain;
use psephos_protocol::bounds::MAX_BALLOTS_PER_CREDENTIAL;
use std::{path::PathBuf, time::Duration};

use super::{
    flood::{Flood, Kind},
    floor,
    form::Form,
    load,
    machine::cores,
    own::Net,
    report::{Asked, Report},
    sample::Sample,
    setup::prepare,
    stage, write_report,
};
use crate::{context::Context, error::CliError};

/// Ballots per second that are prepared for a load without a rate.
const FLAT_OUT: f64 = 500.0;
/// Voters whose ballots are bad.
const ATTACKERS: u32 = 16;
/// The time for each step when the floor is measured: long enough for the machine's ups and downs.
const TIMED: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Args)]
pub struct NetworkArgs {
    /// Validators of a network of its own.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub validators: u8,
    /// Start so many real trustees and deposit every share with them; otherwise this command plays five, and
    /// the ballots have their receipts before they are sent.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(3..=16))]
    pub trustees: Option<u8>,
    /// Measure the network in this folder, that `psephos network new --no-rehearsal` made and that runs, instead of an
    /// own one.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["validators", "dir"])]
    pub network: Option<PathBuf>,
    /// The folder of the own network; must not exist. Default: a new one under the system's temporary folder.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Give each process of the own network one core of this machine, in turn, and with it as few threads: many that
    /// share few cores then hold each other up less.
    #[arg(long, conflicts_with = "network")]
    pub one_core_each: bool,
    /// Leave network and election as they are, and the prepared ballots.
    #[arg(long)]
    pub keep: bool,
    /// Ballots per second; without it, as many as the window allows.
    #[arg(long, value_parser = positive)]
    pub rate: Option<f64>,
    /// For how many seconds ballots are sent.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=4_500))]
    pub duration: u64,
    /// Seconds at the start that don't count. Default: a quarter of the duration, at most 30.
    #[arg(long, value_name = "SECONDS")]
    pub warmup: Option<u64>,
    /// What is on the ballot: the number of options, or CONTESTSxOPTIONS.
    #[arg(long, default_value = "10")]
    pub form: Form,
    /// Ballots to prepare. Default: enough for the duration, at 500 per second if there is no rate.
    #[arg(long, value_name = "COUNT")]
    pub ballots: Option<u64>,
    /// Voters on the roll, who cast in turn, each at most 32 times. Default: as few as the window allows.
    #[arg(long, value_name = "COUNT")]
    pub voters: Option<u32>,
    /// Ballots that may be under way, sent and not yet final.
    #[arg(long, value_name = "COUNT", default_value_t = 8_192, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub window: u32,
    /// WebSocket connections, spread over the nodes. Default: 4 per node.
    #[arg(long, value_name = "COUNT")]
    pub connections: Option<usize>,
    /// Send something bad as well, so many per second; may be repeated.
    #[arg(long, value_name = "KIND=RATE", value_delimiter = ',')]
    pub mix: Vec<Flood>,
    /// The file of prepared ballots. If it exists, what it holds is sent, from where sending ended before.
    #[arg(long, value_name = "FILE")]
    pub prepared: Option<PathBuf>,
    /// Also write the report to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

fn positive(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "write a number of ballots per second, such as 100 or 0.5".into())
}

impl NetworkArgs {
    /// Checks that the arguments fit together.
    ///
    /// # Errors
    /// [`CliError::Input`] naming the argument.
    pub fn check(&self) -> Result<(), CliError> {
        let wrong = |text: &str| Err(CliError::Input(text.into()));
        let mixed = |kind| self.mix.iter().any(|flood| flood.kind == kind);
        if self.trustees.is_some() && (mixed(Kind::Duplicate) || mixed(Kind::BadProof)) {
            return wrong(
                "--mix: duplicate and bad-proof need receipts that this command makes; leave --trustees out",
            );
        }
        if self.prepared.as_ref().is_some_and(|path| path.exists()) && self.network.is_none() {
            return wrong("--prepared: exists already, and its ballots are for a network that was before; name that with --network");
        }
        if u64::from(self.voters()) * u64::from(MAX_BALLOTS_PER_CREDENTIAL) < self.ballots() {
            return wrong("--voters: a voter may cast 32 times; give more voters or fewer --ballots");
        }
        if self.warmup() >= self.duration {
            return wrong("--warmup: must be shorter than --duration");
        }
        Ok(())
    }

    /// Ballots to prepare.
    #[must_use]
    pub fn ballots(&self) -> u64 {
        let needed = self.rate.unwrap_or(FLAT_OUT) * self.duration as f64;
        self.ballots.unwrap_or(needed.ceil() as u64).max(1)
    }

    /// Voters on the roll.
    ///
    /// A voter's next ballot is taken when the last one is in a block, so all who have one under way must have
    /// had their turn before.
    #[must_use]
    pub fn voters(&self) -> u32 {
        let ballots = self.ballots();
        let rounds = ballots.div_ceil(u64::from(MAX_BALLOTS_PER_CREDENTIAL));
        let least = rounds.max(2 * u64::from(self.window)).min(ballots);
        self.voters.unwrap_or(u32::try_from(least).unwrap_or(u32::MAX)).max(1)
    }

    /// Seconds that don't count.
    #[must_use]
    pub fn warmup(&self) -> u64 {
        self.warmup.unwrap_or((self.duration / 4).min(30))
    }

    /// Voters whose ballots are bad.
    #[must_use]
    pub fn attackers(&self) -> u32 {
        if self.mix.is_empty() {
            0
        } else {
            ATTACKERS
        }
    }
}

/// Measures, shows and writes the report.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &NetworkArgs, context: &Context) -> Result<(), CliError> {
    args.check()?;
    let report = tokio::select! {
        report = measure(args, context) => report?,
        _ = tokio::signal::ctrl_c() => return Err(CliError::Refused("interrupted".into())),
    };
    write_report(args.report.as_deref(), &report)?;
    context.out.result(&report, || report.show())?;
    if report.counted_by_chain != report.accepted + report.foreign {
        return Err(CliError::Integrity(format!(
            "the chain counted {} ballots, and finalized blocks hold {}",
            report.counted_by_chain,
            report.accepted + report.foreign
        )));
    }
    Ok(())
}

/// Measures a network, which is stopped before the floor is measured again if it is this command's own.
async fn measure(args: &NetworkArgs, context: &Context) -> Result<Report, CliError> {
    let mut net = match &args.network {
        Some(folder) => Net::running(folder)?,
        None => {
            let (trustees, dir) = (args.trustees.unwrap_or(0), args.dir.as_deref());
            Net::start(args.validators, trustees, dir, args.one_core_each, context).await?
        }
    };
    let (mut report, sample) = match measure_on(args, &net, context).await {
        Ok(measured) => measured,
        Err(error) => {
            net.spare_folder();
            context.out.note(&format!("Logs are in {}.", net.folder().join("logs").display()));
            return Err(error);
        }
    };
    if args.keep {
        let folder = net.folder().display();
        context.out.note(&format!("The network goes on; stop it with `psephos network down {folder}`."));
        net.keep();
    }
    drop(net);
    report.floor.after = least(&report.asked, &sample)?;
    report.efficiency = report.rate * report.floor.mean() / (1e6 * cores() as f64);
    Ok(report)
}

/// Measures all but the floor after the load; of such ballots as the sample's.
async fn measure_on(args: &NetworkArgs, net: &Net, context: &Context) -> Result<(Report, Sample), CliError> {
    let chain = Chain::connect(&net.nodes(0)).await?;
    let prepared = prepare(args, net, &chain, context).await?;
    let manifest = &prepared.election.manifest;
    let trustees = u8::try_from(manifest.trustees.len()).map_err(CliError::input)?;
    let sample = Sample::new(args.form, trustees, manifest.threshold)?;
    let mut report = load::empty(args, net, &prepared);
    report.floor.before = least(&report.asked, &sample)?;
    let report = load::load(args, net, &chain, &prepared, report, &context.out).await?;
    if args.keep {
        context.out.note(&format!("The ballots are in {}.", prepared.path.display()));
    } else if args.network.is_some() {
        stage::void(&chain, &prepared.election.eid, &prepared.keyring).await?;
    }
    Ok((report, sample))
}

/// The least time that all processes together need for such a ballot: what each validator and each real trustee needs.
fn least(asked: &Asked, sample: &Sample) -> Result<f64, CliError> {
    let mut micros = asked.validators as f64 * floor::of_validator(sample, TIMED)?;
    if asked.real_trustees {
        micros += asked.trustees as f64 * floor::of_trustee(sample, TIMED)?;
    }
    Ok(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: NetworkArgs,
    }

    fn args(line: &str) -> NetworkArgs {
        Line::parse_from(["bench"].into_iter().chain(line.split_whitespace())).args
    }

    #[test]
    fn enough_is_prepared_and_nobody_votes_twice_at_a_time() {
        let ten_minutes = args("--rate 100 --duration 600");
        assert_eq!((ten_minutes.ballots(), ten_minutes.voters(), ten_minutes.warmup()), (60_000, 16_384, 30));
        let few = args("--rate 1 --duration 10");
        assert_eq!((few.ballots(), few.voters(), few.warmup()), (10, 10, 2));
        let many = args("--ballots 1000000 --window 100");
        assert_eq!(many.voters(), 31_250);
        assert!(many.check().is_ok());
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_started() {
        for (line, expected) in [
            ("--ballots 1000 --voters 10", "--voters"),
            ("--duration 10 --warmup 10", "--warmup"),
            ("--trustees 4 --mix bad-proof=1", "--mix"),
            ("--prepared /", "--network"),
        ] {
            let error = args(line).check().unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
