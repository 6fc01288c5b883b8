//! The report as text.

use std::fmt;

use crate::report::{ContestTotals, Outcome, Report, Verdict};

/// The width of the longest bar, in characters.
const BAR: u64 = 30;

/// A name from the record, without what could steer a terminal or turn the text around.
pub(crate) fn clean(name: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    name.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "FAILED",
        Verdict::NotApplicable => "not applicable",
        Verdict::NotReached => "not reached",
    }
}

fn contest(f: &mut fmt::Formatter<'_>, contest: &ContestTotals) -> fmt::Result {
    writeln!(f, "\n{} ({} ballots, weight {})", clean(&contest.title), contest.ballots, contest.weight)?;
    let names: Vec<String> = contest.options.iter().map(|(name, _)| clean(name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let largest = contest.options.iter().map(|(_, total)| *total).max().unwrap_or(0);
    let digits = largest.to_string().len();
    for (name, (_, total)) in names.iter().zip(&contest.options) {
        // A product of u64s fits u128; the quotient is at most the bar's width.
        let length =
            u128::from(*total).saturating_mul(u128::from(BAR)).checked_div(u128::from(largest)).unwrap_or(0);
        let bar = "█".repeat(length as usize);
        writeln!(f, "  {name:width$}  {total:>digits$}  {bar}")?;
    }
    Ok(())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_unknown = |value: Option<String>| value.unwrap_or_else(|| String::from("unknown"));
        writeln!(f, "Election  {}", clean(&or_unknown(self.title.clone())))?;
        if let Some(held) = self.rehearsal {
            let held = if held == 0 { "no trustee".into() } else { format!("trustee {held}") };
            writeln!(f, "\n*** REHEARSAL *** It counts for nothing. It held back {held}.\n")?;
        }
        writeln!(f, "id        {}", or_unknown(self.eid.map(|eid| eid.to_string())))?;
        writeln!(f, "chain     {}\n", or_unknown(self.genesis.map(|genesis| genesis.to_string())))?;
        for check in &self.checks {
            writeln!(f, "{:>2}  {:14}  {}", check.number, verdict(check.verdict), check.meaning)?;
            if !check.detail.is_empty() {
                writeln!(f, "{:20}{}", "", clean(&check.detail))?;
            }
        }
        for totals in &self.contests {
            contest(f, totals)?;
        }
        for (number, cell) in (1..).zip(&self.cells) {
            let units: Vec<String> = cell.units.iter().map(|unit| clean(unit)).collect();
            writeln!(f, "\nCell {number} of {}: {}", self.cells.len(), units.join(", "))?;
            for totals in &cell.contests {
                contest(f, totals)?;
            }
        }
        if let Some(Outcome::Void { reason }) = &self.outcome {
            writeln!(f, "\nVoided: {}", clean(reason))?;
        }
        if !self.units.is_empty() {
            writeln!(f, "\nReporting units: roll entries, with a credential, voted")?;
        }
        for unit in &self.units {
            writeln!(f, "  {}: {}, {}, {}", clean(&unit.name), unit.entries, unit.registered, unit.voted)?;
        }
        writeln!(f, "\nballots     {} accepted, {} count", self.ballots, self.counted)?;
        writeln!(f, "ballot log  {}", self.ballot_log)?;
        writeln!(f, "roll log    {}", self.roll_log)?;
        if let Some(result) = &self.result {
            writeln!(f, "result      {result}")?;
        }
        if let Some(digest) = &self.digest {
            writeln!(f, "SHA-256     {digest}  (of the file)")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {}", clean(note))?;
        }
        write!(f, "\n{}", clean(&self.summary()))
    }
}
