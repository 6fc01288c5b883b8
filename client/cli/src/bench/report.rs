//! What a load came to, as figures.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{flood, floor::Floors, ledger::Entries, machine::Machine, usage::Usage};
use crate::output::{fields, table};

/// Seconds of each step of the series.
const STEP: u64 = 10;

/// The time that counts: after the start's transients, before the end's.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    /// When sending started.
    pub start: Instant,
    /// When the steady time begins.
    pub from: Instant,
    /// When it ends.
    pub to: Instant,
}

impl Steady {
    fn holds(&self, time: Instant) -> bool {
        (self.from..self.to).contains(&time)
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.to.saturating_duration_since(self.from).as_secs_f64()
    }
}

/// Milliseconds from sending a ballot until its block was known to be final.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half of the ballots took no longer.
    pub p50: u64,
    /// Of twenty, nineteen.
    pub p95: u64,
    /// Of a hundred, ninety-nine.
    pub p99: u64,
    /// The longest.
    pub most: u64,
}

impl Latency {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0, |time| time.as_millis() as u64)
        };
        Self { p50: at(50), p95: at(95), p99: at(99), most: at(100) }
    }
}

/// What one process used in the steady time.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Its name.
    pub name: String,
    /// Seconds on any core.
    pub cpu_seconds: f64,
    /// Milliseconds on any core for each ballot that was accepted meanwhile.
    pub cpu_ms_per_ballot: f64,
    /// Bytes of memory at the end.
    pub rss: u64,
    /// Bytes of memory when it was most.
    pub peak_rss: u64,
}

/// What was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Asked {
    /// What is on the ballot.
    pub form: String,
    /// Validators.
    pub validators: usize,
    /// Trustees in the manifest.
    pub trustees: usize,
    /// Whether they are real daemons, or played by this command.
    pub real_trustees: bool,
    /// Whether each process of the network had one core.
    pub one_core_each: bool,
    /// Receipts with each ballot.
    pub quorum: u8,
    /// Ballots per second; none is flat out.
    pub rate: Option<f64>,
    /// Ballots under way at most.
    pub window: usize,
    /// Connections to the nodes.
    pub connections: usize,
    /// Voters on the roll.
    pub voters: u32,
}

/// Figures of a load.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The machine: all processes ran on it.
    pub machine: Machine,
    /// What was asked for.
    pub asked: Asked,
    /// Ballots prepared ahead, and in how many seconds; none if an earlier file was used.
    pub prepared: Option<(u64, f64)>,
    /// Seconds of the steady time.
    pub steady_seconds: f64,
    /// Ballots per second that became final in it.
    pub rate: f64,
    /// The same for each ten seconds since sending started.
    pub series: Vec<f64>,
    /// Of the ballots sent in it.
    pub latency_ms: Latency,
    /// Ballots that were sent, in all.
    pub sent: u64,
    /// Ballots of this command in finalized blocks.
    pub accepted: u64,
    /// Ballots that this command did not send.
    pub foreign: u64,
    /// What the chain counted meanwhile.
    pub counted_by_chain: u64,
    /// Ballots refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Times that a ballot had to be offered again.
    pub again: u64,
    /// Ballots that expired before they could be sent.
    pub expired: u64,
    /// Ballots that were taken and are in no finalized block.
    pub missing: u64,
    /// Finalized blocks in the steady time.
    pub blocks: usize,
    /// Ballots per block in it: mean and most.
    pub ballots_per_block: (f64, u32),
    /// What each process used.
    pub processes: Vec<Process>,
    /// What came of the floods.
    pub floods: Vec<flood::Outcome>,
    /// The time that all processes together need per ballot at least, in batches.
    pub floor: Floors,
    /// The part of all cores' time that this least is, by [`Floors::mean`], at the rate above.
    pub efficiency: f64,
}

impl Report {
    /// Fills in what follows from the ledger.
    pub fn count(&mut self, entries: &Entries, steady: &Steady) {
        let final_in = entries.accepted.iter().filter(|ballot| steady.holds(ballot.known)).count();
        self.steady_seconds = steady.seconds();
        self.rate = final_in as f64 / self.steady_seconds.max(1e-9);
        self.series = series(entries, steady);
        let sent_in = entries.accepted.iter().filter(|ballot| steady.holds(ballot.sent));
        self.latency_ms =
            Latency::of(sent_in.map(|ballot| ballot.known.saturating_duration_since(ballot.sent)).collect());
        self.sent = entries.sent;
        self.accepted = entries.accepted.len() as u64;
        self.foreign = entries.foreign;
        self.refused = entries.refused.clone();
        self.again = entries.again;
        self.expired = entries.expired;
        self.missing = entries.under_way.len() as u64;
        let blocks: Vec<u32> = entries
            .blocks
            .iter()
            .filter(|block| steady.holds(block.known))
            .map(|block| block.ballots)
            .collect();
        self.blocks = blocks.len();
        let ballots: u64 = blocks.iter().copied().map(u64::from).sum();
        self.ballots_per_block =
            (ballots as f64 / blocks.len().max(1) as f64, blocks.iter().copied().max().unwrap_or(0));
    }

    /// Fills in what the processes used between two looks, in the steady time.
    pub fn used(&mut self, before: &[(String, Usage)], after: &[(String, Usage)]) {
        let ballots = (self.rate * self.steady_seconds).max(1.0);
        self.processes = after
            .iter()
            .filter_map(|(name, after)| {
                let (_, before) = before.iter().find(|(other, _)| other == name)?;
                let cpu_seconds = after.cpu_seconds - before.cpu_seconds;
                Some(Process {
                    name: name.clone(),
                    cpu_seconds,
                    cpu_ms_per_ballot: 1_000.0 * cpu_seconds / ballots,
                    rss: after.rss,
                    peak_rss: after.peak_rss,
                })
            })
            .collect();
    }

    /// The report for people.
    #[must_use]
    pub fn show(&self) -> String {
        let asked = &self.asked;
        let (latency, floor) = (&self.latency_ms, &self.floor);
        let mut rows = vec![
            (
                "Accepted and final",
                format!("{:.1} ballots per second, over {:.0} s", self.rate, self.steady_seconds),
            ),
            (
                "From sent to final",
                format!(
                    "{} ms (p50), {} (p95), {} (p99), {} (most)",
                    latency.p50, latency.p95, latency.p99, latency.most
                ),
            ),
            (
                "Blocks",
                format!(
                    "{} with {:.1} ballots each, {} the most",
                    self.blocks, self.ballots_per_block.0, self.ballots_per_block.1
                ),
            ),
            (
                "Ballots",
                format!(
                    "{} sent, {} accepted, {} missing, {} expired before sending",
                    self.sent, self.accepted, self.missing, self.expired
                ),
            ),
            ("Offered again", self.again.to_string()),
            (
                "The least",
                format!(
                    "{:.0} µs per ballot in all processes together, in batches \
                     ({:.0} before, {:.0} after)",
                    floor.mean(),
                    floor.before,
                    floor.after
                ),
            ),
            (
                "Efficiency",
                format!(
                    "{:.1} % of {} cores would do for this rate; {:.1} % of the time that was used",
                    100.0 * self.efficiency,
                    self.machine.cores,
                    100.0 * self.least_of_used()
                ),
            ),
        ];
        rows.extend(self.refused.iter().map(|(reason, count)| ("Refused", format!("{count}: {reason}"))));
        if let Some((ballots, seconds)) = self.prepared {
            let rate = ballots as f64 / seconds.max(1e-9);
            rows.push(("Prepared", format!("{ballots} ballots in {seconds:.0} s, {rate:.0} per second")));
        }
        if self.foreign > 0 {
            rows.push(("Of others", format!("{} ballots", self.foreign)));
        }
        let rate = asked.rate.map_or("flat out".into(), |rate| format!("{rate} per second"));
        let trustees = if asked.real_trustees { "real" } else { "played" };
        let cores = if asked.one_core_each { ", one core each" } else { "" };
        format!(
            "{}\n{} validators, {} trustees ({trustees}){cores}, q = {}, {} options; {rate}, {} under way at most, \
             {} connections, {} voters\n\n{}\n{}\nper {STEP} s: {}\n{}",
            self.machine,
            asked.validators,
            asked.trustees,
            asked.quorum,
            asked.form,
            asked.window,
            asked.connections,
            asked.voters,
            fields(&rows),
            self.show_processes(),
            self.series.iter().map(|rate| format!("{rate:.0}")).collect::<Vec<_>>().join(" "),
            self.show_floods(),
        )
    }

    /// The least, of what all processes used.
    fn least_of_used(&self) -> f64 {
        let used: f64 = self.processes.iter().map(|process| process.cpu_ms_per_ballot).sum();
        self.floor.mean() / (1e3 * used).max(f64::MIN_POSITIVE)
    }

    fn show_processes(&self) -> String {
        let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1u32 << 20));
        let rows: Vec<[String; 5]> = self
            .processes
            .iter()
            .map(|process| {
                [
                    process.name.clone(),
                    format!("{:.1}", process.cpu_seconds),
                    format!("{:.2}", process.cpu_ms_per_ballot),
                    mib(process.rss),
                    mib(process.peak_rss),
                ]
            })
            .collect();
        table(["PROCESS", "CPU s", "CPU ms/BALLOT", "MiB", "MOST MiB"], &rows)
    }

    fn show_floods(&self) -> String {
        if self.floods.is_empty() {
            return String::new();
        }
        let rows: Vec<[String; 4]> = self
            .floods
            .iter()
            .map(|flood| {
                let answers = flood.answers.iter().map(|(answer, count)| format!("{count} {answer}"));
                [
                    flood.kind.clone(),
                    format!("{}", flood.rate),
                    flood.sent.to_string(),
                    answers.collect::<Vec<_>>().join("; "),
                ]
            })
            .collect();
        format!("\n{}", table(["FLOOD", "PER SECOND", "SENT", "ANSWERS"], &rows))
    }
}

/// Ballots per second that became final, for each ten seconds of sending.
fn series(entries: &Entries, steady: &Steady) -> Vec<f64> {
    let seconds = steady.to.saturating_duration_since(steady.start).as_secs_f64();
    let mut counts = vec![0u32; (seconds / STEP as f64).round() as usize];
    for ballot in &entries.accepted {
        let step = ballot.known.saturating_duration_since(steady.start).as_secs() / STEP;
        if let Some(count) = counts.get_mut(step as usize) {
            *count += 1;
        }
    }
    counts.into_iter().map(|count| f64::from(count) / STEP as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::ledger::{Accepted, Block};

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(times), Latency { p50: 100, p95: 190, p99: 198, most: 200 });
        assert_eq!(Latency::of(vec![]), Latency::default());
    }

    #[test]
    fn only_the_steady_time_counts_for_the_rate() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let steady = Steady { start, from: at(10), to: at(30) };
        let accepted = |sent, known| Accepted { sent: at(sent), known: at(known) };
        let entries = Entries {
            accepted: vec![accepted(1, 5), accepted(8, 12), accepted(11, 29), accepted(28, 31)],
            blocks: vec![
                Block { number: 1, known: at(12), ballots: 1 },
                Block { number: 2, known: at(29), ballots: 3 },
            ],
            ..Entries::default()
        };
        assert_eq!(series(&entries, &steady), [0.1, 0.1, 0.1]);
        let final_in = entries.accepted.iter().filter(|ballot| steady.holds(ballot.known)).count();
        assert_eq!((final_in, steady.seconds()), (2, 20.0));
    }
}
