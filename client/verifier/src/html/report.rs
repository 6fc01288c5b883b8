//! The page's parts.

use maud::{html, Markup};

use super::{chart, name, number, page, percent, time};
use crate::{
    report::{Check, ContestTotals, Outcome, Report, UnitCount, Verdict},
    text::{clean, verdict},
};

/// The report as a page. `file` is the name of the record's file.
#[must_use]
pub fn report(report: &Report, file: &str) -> String {
    let title = report.title.as_deref().unwrap_or("unknown election");
    let body = html! {
        header {
            p.kind { "Verification report" }
            h1 { (name(title)) }
        }
        main {
            (head(report))
            @if report.rehearsal.is_some() { (rehearsal(report)) }
            @if report.failure.is_some() { (failure(report)) }
            (identity(report, file))
            (results(report))
            (turnout(report))
            (checks(&report.checks))
            (notes(report))
        }
        footer {
            p {
                "Made by psephos-verify " (env!("CARGO_PKG_VERSION")) " from the record alone, offline. Whoever "
                "doubts this page runs it again: it shows what was found, and proves nothing by itself."
            }
        }
    };
    page(&format!("{}: {title}", if report.verified() { "Verified" } else { "NOT VERIFIED" }), &body)
}

/// The verdict, large and in plain words.
fn head(report: &Report) -> Markup {
    let (class, mark, word) = match report.verified() {
        true => ("verdict good", "✓", "Verified"),
        false => ("verdict bad", "✗", "NOT VERIFIED"),
    };
    let plain = match (&report.outcome, report.verified()) {
        (Some(Outcome::Certified { .. }), true) if report.rehearsal.is_some() => {
            "This is the record of a rehearsal. It holds, and counts for nothing."
        }
        (Some(Outcome::Certified { .. }), true) => {
            "The totals below are those of the recorded ballots: every ballot was valid and from the roll, \
             nobody is counted twice, and the election’s board certified this very result."
        }
        (Some(Outcome::Void { .. }), true) => "The board voided this election. There is no result.",
        _ => "This file does not prove a result. Do not rely on any number on this page.",
    };
    html! {
        section class=(class) aria-labelledby="verdict" {
            h2 id="verdict" { span.mark aria-hidden="true" { (mark) } (word) }
            p { (plain) }
            @if let Some(Outcome::Void { reason }) = &report.outcome { p { "The board’s reason: " (name(reason)) } }
        }
    }
}

fn rehearsal(report: &Report) -> Markup {
    html! {
        p.banner {
            strong { "REHEARSAL." } " It counts for nothing. It held back "
            @match report.rehearsal { None | Some(0) => "no trustee", Some(trustee) => { "trustee " (trustee) } } "."
        }
    }
}

fn failure(report: &Report) -> Markup {
    html! {
        @if let Some(failure) = &report.failure {
            section aria-labelledby="failure" {
                h2 id="failure" { "What failed" }
                dl {
                    dt { "Check" } dd { (failure.step.number()) ": " (failure.step.meaning()) }
                    dt { "Object" } dd { (name(&failure.object)) }
                    dt { "Reason" } dd { (name(&failure.reason)) }
                    dt { "Who answers for it" } dd { (name(&failure.party.to_string())) }
                }
                p { "The replay ended there; nothing after it was looked at." }
            }
        }
    }
}

/// Whether something was compared with what the reader knows.
fn compared(given: bool) -> &'static str {
    if given {
        "as the reader gave it"
    } else {
        "as the file says; not compared with anything"
    }
}

/// What was verified.
fn identity(report: &Report, file: &str) -> Markup {
    let hash = |value: Option<String>| html! { code { (value.unwrap_or_else(|| "unknown".into())) } };
    let remark = |text: &str| html! { span.remark { (text) } };
    html! {
        section aria-labelledby="identity" {
            h2 id="identity" { "What was verified" }
            dl {
                dt { "File" } dd { (name(file)) }
                dt { "SHA-256 of the file" }
                dd {
                    @match report.digest {
                        Some(digest) => (hash(Some(digest.to_string()))),
                        None => "not read to its end",
                    }
                }
                dt { "Election" }
                dd {
                    (hash(report.eid.map(|eid| eid.to_string())))
                    (remark(compared(report.given.election)))
                }
                dt { "Chain" }
                dd {
                    (hash(report.genesis.map(|genesis| genesis.to_string())))
                    (remark(compared(report.given.genesis)))
                }
                @if let Some(board) = &report.board {
                    dt { "Chain’s board" }
                    dd {
                        (board.threshold) " of these " (board.members.len()) " created the election"
                        (remark(compared(report.given.board)))
                        ol start="0" { @for key in &board.members { li { code { (key) } } } }
                    }
                }
                @if let Some(last) = &report.last {
                    dt { "Last block" }
                    dd { (number(last.number.into())) " " code { (psephos_protocol::ids::Digest(last.hash)) } }
                }
                @if report.result.is_some() {
                    dt { "Digest of the result" } dd { (hash(report.result.map(|result| result.to_string()))) }
                }
                @if let Some(certified) = &report.certificate {
                    dt { "Certificate’s key" }
                    dd { code { (certified.key) } (remark(compared(report.given.certificate_key))) }
                    dt { "Certificate’s signature" } dd { code { (certified.signature) } }
                }
                dt { "Log of ballots" } dd { code { (report.ballot_log) } }
                dt { "Log of the roll" } dd { code { (report.roll_log) } }
            }
        }
    }
}

fn results(report: &Report) -> Markup {
    html! {
        @if !report.contests.is_empty() {
            section aria-labelledby="result" {
                h2 id="result" { "Result" @if !report.verified() { ": NOT VERIFIED" } }
                @for totals in &report.contests { (contest(totals, 3)) }
            }
        }
        @if !report.cells.is_empty() {
            section aria-labelledby="cells" {
                h2 id="cells" { "Result by reporting units" }
                p {
                    "Units that stand together are reported together where one alone would show votes of "
                    "fewer people than the privacy "
                    "minimum."
                }
                @for (place, cell) in (1..).zip(&report.cells) {
                    h3 {
                        "Cell " (place) ": "
                        @for (place, unit) in cell.units.iter().enumerate() { @if place > 0 { ", " } (name(unit)) }
                    }
                    @for totals in &cell.contests { (contest(totals, 4)) }
                }
            }
        }
    }
}

/// One contest: a table with bars, which are parts of the ballots' weight; where totals may be more, of the largest.
fn contest(totals: &ContestTotals, level: u8) -> Markup {
    let largest = totals.options.iter().map(|(_, total)| *total).max().unwrap_or(0);
    // Scores may add up to more than the ballots weigh: a share of them would say nothing.
    let shares = largest <= totals.weight && totals.weight > 0;
    html! {
        div.contest {
            @if level == 3 { h3 { (name(&totals.title)) } } @else { h4 { (name(&totals.title)) } }
            p.remark { (number(totals.ballots.into())) " ballots, weight " (number(totals.weight)) }
            table {
                thead {
                    tr {
                        th scope="col" { "Option" }
                        th.number scope="col" { "Total" }
                        @if shares { th.number scope="col" { "Of the weight" } }
                        th.chart scope="col" aria-hidden="true" {}
                    }
                }
                tbody {
                    @for (option, total) in &totals.options {
                        tr {
                            th scope="row" { (name(option)) }
                            td.number { (number(*total)) }
                            @if shares { td.number { (percent(*total, totals.weight)) } }
                            td.chart aria-hidden="true" { (chart::bar(*total, if shares { totals.weight } else { largest })) }
                        }
                    }
                }
            }
        }
    }
}

/// A time that does not break.
fn moment(ms: u64) -> Markup {
    html! { span.moment { (time(ms)) } }
}

fn turnout(report: &Report) -> Markup {
    let sum = |of: fn(&UnitCount) -> u32| {
        report.units.iter().fold(0u64, |sum, unit| sum.saturating_add(of(unit).into()))
    };
    let row = |label: Markup, entries: u64, registered: u64, voted: u64| {
        html! {
            th scope="row" { (label) }
            td.number { (number(entries)) }
            td.number { (number(registered)) }
            td.number { (number(voted)) }
            td.number { (percent(voted, entries)) }
            td.chart aria-hidden="true" { (chart::bar(voted, entries)) }
        }
    };
    html! {
        @if !report.units.is_empty() {
            section aria-labelledby="turnout" {
                h2 id="turnout" { "Turnout" }
                p {
                    (number(report.ballots)) " ballots were accepted, and " (number(report.counted.into()))
                    " count: a voter’s last one each."
                    @if let (Some(opens), Some(closes)) = (report.opens_at, report.closes_at) {
                        " Voting was open from " (moment(opens)) " to " (moment(closes)) "."
                    }
                }
                @if let Some(times) = &report.times { (chart::columns(times)) }
                table.units {
                    caption { "Reporting units, to be compared with the official register" }
                    thead {
                        tr {
                            th scope="col" { "Unit" }
                            th.number scope="col" { "On the roll" }
                            th.number scope="col" { "Registered" }
                            th.number scope="col" { "Voted" }
                            th.number scope="col" { "Turnout" }
                            th.chart scope="col" aria-hidden="true" {}
                        }
                    }
                    tbody {
                        @for unit in &report.units {
                            @let (entries, registered) = (unit.entries.into(), unit.registered.into());
                            tr { (row(name(&unit.name), entries, registered, unit.voted.into())) }
                        }
                    }
                    @if report.units.len() > 1 {
                        @let (entries, registered) = (sum(|unit| unit.entries), sum(|unit| unit.registered));
                        tfoot { tr { (row(html! { "All" }, entries, registered, sum(|unit| unit.voted))) } }
                    }
                }
            }
        }
    }
}

fn checks(checks: &[Check]) -> Markup {
    let mark = |of: Verdict| match of {
        Verdict::Passed => ("good", "✓"),
        Verdict::Failed => ("bad", "✗"),
        Verdict::NotApplicable | Verdict::NotReached => ("remark", "–"),
    };
    html! {
        section aria-labelledby="checks" {
            h2 id="checks" { "Checks" }
            table.checks {
                thead {
                    tr {
                        th.number scope="col" { "No." }
                        th scope="col" { "What holds if it passes" }
                        th scope="col" { "Verdict" }
                    }
                }
                tbody {
                    @for check in checks {
                        @let (class, sign) = mark(check.verdict);
                        tr {
                            th.number scope="row" { (check.number) }
                            td {
                                (check.meaning)
                                @if !check.detail.is_empty() { span.remark { (clean(&check.detail)) } }
                            }
                            td.(class) { span aria-hidden="true" { (sign) " " } (verdict(check.verdict)) }
                        }
                    }
                }
            }
        }
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section aria-labelledby="notes" {
                h2 id="notes" { "Notes, and what the record alone can’t show" }
                ul { @for note in &report.notes { li { (name(note)) } } }
            }
        }
    }
}
