//! The result in the common data format of NIST SP 1500-100 version 2 (Election Results Reporting), as JSON.
//!
//! What the format asks for and no manifest says is given on the command line, or said to be unknown.

use clap::Args;
use jiff::Timestamp;
use psephos_protocol::{
    bounds::{show, Text},
    contest::Contest,
};
use psephos_verifier::{report::UnitCount, results::Results};
use serde_json::{json, Value};

use super::{places, variation, Place};
use crate::{error::CliError, show::rule};

/// The identifier of all reporting units together.
const ALL: &str = "electorate";

/// What a report in this format says and no record does.
#[derive(Args)]
pub struct Labels {
    /// For --nist: who issues the report [default: not stated].
    #[arg(long, value_name = "NAME", requires = "nist")]
    issuer: Option<String>,
    /// For --nist: the same, abbreviated [default: n/a].
    #[arg(long, value_name = "NAME", requires = "nist")]
    issuer_abbreviation: Option<String>,
    /// For --nist: the language of the manifest's names, as BCP 47 has it [default: und, undetermined].
    #[arg(long, value_name = "TAG", requires = "nist")]
    language: Option<String>,
    /// For --nist: the contests that are ballot measures, counted from 1; the options of all others are candidates.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', requires = "nist")]
    measures: Vec<usize>,
}

/// The report.
///
/// # Errors
/// [`CliError::Input`] for a measure that is no contest.
pub fn report(results: &Results, labels: &Labels) -> Result<String, CliError> {
    let report = Report { results, labels, places: places(results) };
    report.check()?;
    let value = report.whole()?;
    serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(CliError::input)
}

struct Report<'a> {
    results: &'a Results,
    labels: &'a Labels,
    places: Vec<Place<'a>>,
}

impl Report<'_> {
    fn check(&self) -> Result<(), CliError> {
        let contests = self.results.election.manifest.contests.len();
        match self.labels.measures.iter().find(|contest| !(1..=contests).contains(contest)) {
            Some(none) => Err(CliError::Input(format!("--measures: {none} is not between 1 and {contests}"))),
            None => Ok(()),
        }
    }

    fn whole(&self) -> Result<Value, CliError> {
        let (results, manifest) = (self.results, &self.results.election.manifest);
        let or = |label: &Option<String>, default: &str| label.clone().unwrap_or_else(|| default.into());
        let format = if self.places.len() > 1 { "precinct-level" } else { "summary-contest" };
        let mut notes = String::from("From an election record that was verified.");
        if manifest.weights.as_slice() != [1] {
            notes.push_str(" Votes are sums of the voters' weights.");
        }
        let mut report = json!({
            "@type": "ElectionResults.ElectionReport",
            "Election": [self.election()?],
            "ExternalIdentifier": [identifier("psephos-chain", &results.election.genesis.to_string())],
            "Format": format,
            "GeneratedDate": moment(results.certified_at)?.to_string(),
            "GpUnit": self.units(),
            "Issuer": or(&self.labels.issuer, "not stated"),
            "IssuerAbbreviation": or(&self.labels.issuer_abbreviation, "n/a"),
            "Notes": notes,
            "SequenceEnd": 1,
            "SequenceStart": 1,
            "Status": "certified",
            "VendorApplicationId": concat!("psephos ", env!("CARGO_PKG_VERSION")),
        });
        if manifest.rehearsal.is_some() {
            report["IsTest"] = json!(true);
            report["TestType"] = json!("rehearsal");
        }
        Ok(report)
    }

    fn election(&self) -> Result<Value, CliError> {
        let (results, manifest) = (self.results, &self.results.election.manifest);
        let mut identifiers = vec![identifier("psephos-election", &results.election.eid.to_string())];
        identifiers
            .extend(results.report.result.map(|result| identifier("psephos-result", &result.to_string())));
        let candidates = manifest.contests.iter().enumerate().filter(|(place, _)| !self.is_measure(*place));
        let candidates = candidates.flat_map(|(place, contest)| {
            contest.options.iter().enumerate().map(move |(option, name)| (candidate_id(place, option), name))
        });
        let candidates: Vec<Value> = candidates
            .map(|(id, name)| {
                json!({ "@id": id, "@type": "ElectionResults.Candidate", "BallotName": self.text(name) })
            })
            .collect();
        let contests: Vec<Value> = manifest
            .contests
            .iter()
            .enumerate()
            .map(|(place, contest)| self.contest(place, contest))
            .collect();
        // The board may have closed it before its time.
        let end = results.closes_at.min(results.certified_at);
        Ok(json!({
            "@type": "ElectionResults.Election",
            "BallotCounts": self.ballot_counts(),
            "BallotStyle": self.styles(),
            "Candidate": candidates,
            "Contest": contests,
            "CountStatus": [completed()],
            "ElectionScopeId": ALL,
            "EndDate": moment(end)?.strftime("%Y-%m-%d").to_string(),
            "ExternalIdentifier": identifiers,
            "Name": self.text(&manifest.title),
            "OtherType": if manifest.rehearsal.is_some() { "rehearsal" } else { "not stated" },
            "StartDate": moment(results.opens_at)?.strftime("%Y-%m-%d").to_string(),
            "Type": "other",
        }))
    }

    /// All units together, the units, and the cells of several units.
    fn units(&self) -> Vec<Value> {
        let units = &self.results.report.units;
        let unit = |id: String, kind: &str, name: Option<Value>, counts: &[UnitCount], parts: Vec<String>| {
            let sum = |of: fn(&UnitCount) -> u32| counts.iter().map(|unit| u64::from(of(unit))).sum::<u64>();
            let mut unit = json!({
                "@id": id, "@type": "ElectionResults.ReportingUnit", "Type": "other",
                "VotersParticipated": sum(|unit| unit.voted), "VotersRegistered": sum(|unit| unit.entries),
            });
            match kind {
                "combined-precinct" => unit["Type"] = json!(kind),
                _ => unit["OtherType"] = json!(kind),
            }
            if let Some(name) = name {
                unit["Name"] = name;
            }
            if !parts.is_empty() {
                unit["ComposingGpUnitIds"] = json!(parts);
            }
            unit
        };
        let cells = || self.places.iter().filter(|place| place.cell.is_some());
        let parts: Vec<String> = match self.places.len() {
            1 => (0..units.len()).map(unit_id).collect(),
            _ => cells().map(Place::id).collect(),
        };
        let title = self.text(&self.results.election.manifest.title);
        let mut out = vec![unit(ALL.into(), "electorate", Some(title), units, parts)];
        for (place, count) in units.iter().enumerate() {
            let name = self.international(&count.name);
            out.push(unit(unit_id(place), "reporting-unit", Some(name), std::slice::from_ref(count), vec![]));
        }
        for cell in cells().filter(|cell| cell.units.len() > 1) {
            let counts = units.get(cell.units.clone()).unwrap_or_default();
            let parts = cell.units.clone().map(unit_id).collect();
            out.push(unit(cell.id(), "combined-precinct", None, counts, parts));
        }
        out
    }

    /// Ballots by unit: the last one of each voter. Those that were excluded are rejected ones, of all units together.
    fn ballot_counts(&self) -> Vec<Value> {
        let report = &self.results.report;
        let count = |id: String, cast: u64| {
            json!({
                "@type": "ElectionResults.BallotCounts", "BallotsCast": cast, "GpUnitId": id, "Type": "total",
            })
        };
        let cast: u64 = report.units.iter().map(|unit| u64::from(unit.voted)).sum();
        let mut all = count(ALL.into(), cast);
        all["BallotsRejected"] = json!(cast.saturating_sub(u64::from(report.counted)));
        let units = report.units.iter().enumerate();
        std::iter::once(all)
            .chain(units.map(|(place, unit)| count(unit_id(place), unit.voted.into())))
            .collect()
    }

    fn styles(&self) -> Vec<Value> {
        let styles = self.results.election.manifest.styles.iter();
        let ordered = |contest: &u16| {
            let id = contest_id(usize::from(*contest));
            json!({ "@type": "ElectionResults.OrderedContest", "ContestId": id })
        };
        styles
            .map(|style| {
                json!({
                    "@type": "ElectionResults.BallotStyle",
                    "ExternalIdentifier": [identifier("psephos-style", &show(&style.name))],
                    "GpUnitIds": [ALL],
                    "OrderedContent": style.contests.iter().map(ordered).collect::<Vec<_>>(),
                })
            })
            .collect()
    }

    fn is_measure(&self, contest: usize) -> bool {
        self.labels.measures.contains(&(contest + 1))
    }

    fn contest(&self, place: usize, contest: &Contest) -> Value {
        let is_measure = self.is_measure(place);
        let kind = if is_measure { "BallotMeasureContest" } else { "CandidateContest" };
        let selections: Vec<Value> = contest
            .options
            .iter()
            .enumerate()
            .map(|(option, name)| {
                let mut selection = json!({
                    "@id": format!("{}-option-{}", contest_id(place), option + 1),
                    "SequenceOrder": option + 1,
                    "VoteCounts": self.votes(place, option),
                });
                if is_measure {
                    selection["@type"] = json!("ElectionResults.BallotMeasureSelection");
                    selection["Selection"] = self.text(name);
                } else {
                    selection["@type"] = json!("ElectionResults.CandidateSelection");
                    selection["CandidateIds"] = json!([candidate_id(place, option)]);
                }
                selection
            })
            .collect();
        let variation = variation(contest);
        let mut out = json!({
            "@id": contest_id(place),
            "@type": format!("ElectionResults.{kind}"),
            "ContestSelection": selections,
            "CountStatus": [completed()],
            "ElectionDistrictId": ALL,
            "Name": show(&contest.title),
            "OtherCounts": self.other_counts(place, contest, variation),
            "SequenceOrder": place + 1,
            "VoteVariation": variation,
        });
        if variation == "other" {
            out["OtherVoteVariation"] = json!(rule(contest));
        }
        if !is_measure {
            out["VotesAllowed"] = json!(contest.rule.max_sum);
        }
        out
    }

    /// What an option got in each place.
    fn votes(&self, contest: usize, option: usize) -> Vec<Value> {
        let count = |place: &Place| {
            let (_, votes) = place.contests.get(contest)?.options.get(option)?;
            Some(json!({
                "@type": "ElectionResults.VoteCounts", "Count": votes, "GpUnitId": place.id(), "Type": "total",
            }))
        };
        self.places.iter().filter_map(count).collect()
    }

    /// What was not given in each place. The proof of each ballot shows that nobody gave too much.
    fn other_counts(&self, place: usize, contest: &Contest, variation: &str) -> Vec<Value> {
        let count = |at: &Place| {
            let totals = at.contests.get(place)?;
            let mut out = json!({
                "@type": "ElectionResults.OtherCounts", "GpUnitId": at.id(), "Overvotes": 0,
            });
            // Who approves of some, or scores low, leaves nothing out.
            if matches!(variation, "plurality" | "n-of-m" | "cumulative") {
                // Below 2^64 for every valid manifest.
                let most = totals.weight.saturating_mul(u64::from(contest.rule.max_sum));
                let given = totals.options.iter().fold(0, |sum: u64, (_, votes)| sum.saturating_add(*votes));
                out["Undervotes"] = json!(most.saturating_sub(given));
            }
            Some(out)
        };
        self.places.iter().filter_map(count).collect()
    }

    fn text(&self, name: &Text) -> Value {
        self.international(&show(name))
    }

    fn international(&self, text: &str) -> Value {
        let language = self.labels.language.as_deref().unwrap_or("und");
        json!({
            "@type": "ElectionResults.InternationalizedText",
            "Text": [{ "@type": "ElectionResults.LanguageString", "Content": text, "Language": language }],
        })
    }
}

impl Place<'_> {
    /// The identifier of its reporting unit: a cell of one unit is that unit.
    fn id(&self) -> String {
        match self.cell {
            None => ALL.into(),
            Some(_) if self.units.len() == 1 => unit_id(self.units.start),
            Some(cell) => format!("cell-{cell}"),
        }
    }
}

fn unit_id(place: usize) -> String {
    format!("unit-{}", place + 1)
}

fn contest_id(place: usize) -> String {
    format!("contest-{}", place + 1)
}

fn candidate_id(contest: usize, option: usize) -> String {
    format!("candidate-{}-{}", contest + 1, option + 1)
}

fn identifier(kind: &str, value: &str) -> Value {
    json!({ "@type": "ElectionResults.ExternalIdentifier", "OtherType": kind, "Type": "other", "Value": value })
}

fn completed() -> Value {
    json!({ "@type": "ElectionResults.CountStatus", "Status": "completed", "Type": "total" })
}

/// A point in time, to the second.
fn moment(ms: u64) -> Result<Timestamp, CliError> {
    let seconds = i64::try_from(ms / 1_000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.ok_or_else(|| CliError::Input(format!("{ms} ms after 1970 is no date that can be written")))
}
