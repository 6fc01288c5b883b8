//! The report as a page.

#[path = "common/cases.rs"]
mod cases;
#[path = "common/chain.rs"]
mod chain;
mod common;

use std::{fs, process::Command};

use common::*;
use psephos_protocol::{
    board::Action,
    manifest::Manifest,
    testing::{name, Params},
};
use psephos_verifier::{html, report::BallotTimes, Report};
use scraper::{Html, Selector};

/// The page of a report, which a parser of HTML finds nothing wrong with.
fn page(report: &Report) -> (Html, String) {
    let text = html::report(report, "record.psephos");
    let page = Html::parse_document(&text);
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    (page, text)
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).expect("a selector");
    page.select(&selector).map(|element| element.text().collect()).collect()
}

#[test]
fn every_record_has_a_page_with_all_that_the_report_says() {
    for (name, bytes) in cases::records() {
        let report = verify_bytes(&bytes);
        let (page, text) = page(&report);
        assert_eq!(texts(&page, "table.checks tbody tr").len(), 18, "{name}");
        let verdict = texts(&page, "section.verdict h2").concat();
        assert_eq!(verdict, if report.verified() { "✓Verified" } else { "✗NOT VERIFIED" }, "{name}");
        assert_eq!(texts(&page, "section.good").len(), usize::from(report.verified()), "{name}");
        assert_eq!(texts(&page, "#failure").len(), usize::from(report.failure.is_some()), "{name}");
        let contests =
            report.contests.len() + report.cells.iter().map(|cell| cell.contests.len()).sum::<usize>();
        assert_eq!(texts(&page, "div.contest").len(), contests, "{name}");
        for check in &report.checks {
            assert!(text.contains(check.meaning), "{name}: check {}", check.number);
        }
        for hash in [report.eid.map(|id| id.to_string()), report.result.map(|id| id.to_string())]
            .into_iter()
            .flatten()
        {
            assert!(texts(&page, "dd code").contains(&hash), "{name}: {hash}");
        }
        // Self-contained, without scripts.
        for element in ["script", "link", "img", "iframe", "object", "form", "a"] {
            assert!(texts(&page, element).is_empty(), "{name}: <{element}>");
        }
        assert!(!text.contains("url(") && !text.contains("http://") && !text.contains("https://"), "{name}");
    }
}

#[test]
fn the_page_reads_without_eyes() {
    let params = Params { units: vec![0, 1, 0, 2], by_unit: true, ..params() };
    let report = World::of(&params, |manifest| manifest.privacy_minimum = 2).verify();
    let (page, _) = page(&report);
    let all =
        |selector: &str| page.select(&Selector::parse(selector).expect("a selector")).collect::<Vec<_>>();
    assert_eq!(page.root_element().attr("lang"), Some("en"));
    assert_eq!((all("h1").len(), all("main").len()), (1, 1));
    for table in all("table") {
        let count = |selector: &str| table.select(&Selector::parse(selector).expect("a selector")).count();
        assert!(count("thead th[scope=col]") > 1, "a table has headers");
        assert_eq!(count("tbody tr"), count("tbody th[scope=row]"), "every row has its header");
    }
    // A drawing has its text, or says in text beside it what it shows.
    for drawing in all("svg") {
        assert!(drawing.attr("aria-hidden") == Some("true") || drawing.attr("aria-label").is_some());
    }
    for labelled in all("section") {
        let id = labelled.attr("aria-labelledby").expect("a label");
        assert_eq!(all(&format!("h2#{id}")).len(), 1);
    }
    // Levels follow each other.
    let levels: Vec<u8> =
        all("h1, h2, h3, h4").iter().map(|heading| heading.value().name().as_bytes()[1]).collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
}

/// What a board could write where names stand.
const HOSTILE: &str = "\"'><script>alert(1)</script></style><!--&amp;\u{202e}\u{0}\u{1b}[31m";

fn hostile(manifest: &mut Manifest) {
    let text = || name(HOSTILE);
    manifest.title = text();
    manifest.contests[0].title = text();
    manifest.contests[0].options[0] = text();
    for unit in manifest.units.iter_mut() {
        *unit = text();
    }
}

fn harmless(report: &Report) {
    let (page, text) = page(report);
    assert!(report.title.as_deref().is_some_and(|title| title.contains("<script>")), "{:?}", report.title);
    assert!(texts(&page, "script").is_empty() && !text.contains("<script"));
    for c in ['\u{202e}', '\u{0}', '\u{1b}'] {
        assert!(!text.contains(c), "{c:?}");
    }
    // It is shown as what it is.
    let shown = "\"'><script>alert(1)</script></style><!--&amp;\u{fffd}\u{fffd}\u{fffd}[31m";
    assert_eq!(texts(&page, "h1"), [shown]);
    assert!(texts(&page, "title")[0].ends_with(shown));
    assert_eq!(texts(&page, "style").len(), 1);
}

#[test]
fn hostile_names_and_reasons_stay_text() {
    harmless(&World::of(&params(), hostile).verify());
    let params = Params { units: vec![0, 1, 0, 2], by_unit: true, ..params() };
    let report = World::of(&params, |manifest| {
        manifest.privacy_minimum = 2;
        hostile(manifest);
    });
    let report = report.verify();
    assert_eq!(report.cells.len(), 2);
    harmless(&report);
    let mut world = World::voted(&common::params(), hostile);
    let eid = world.fixture.election.eid;
    world.blocks.truncate(CLOSES);
    let reason = HOSTILE.replace('\u{0}', "").into_bytes().try_into().expect("short");
    world.act(RECAST + 1, Action::Void { eid, reason });
    harmless(&world.verify());
    // In a file's name, too.
    let text = html::report(&World::honest().verify(), "<script>alert(1)</script>");
    assert!(!text.contains("<script"));
}

#[test]
fn a_failure_names_object_check_and_party() {
    let mut world = World::honest();
    world.blocks[CONTRIBUTE].remove(0);
    let report = world.verify();
    let failure = report.failure.clone().expect("it fails");
    let (page, _) = page(&report);
    let said = texts(&page, "section[aria-labelledby=failure] dd");
    let check = format!("{}: {}", failure.step.number(), failure.step.meaning());
    assert_eq!(said, [check, failure.object, failure.reason, failure.party.to_string()]);
    assert!(texts(&page, "title")[0].starts_with("NOT VERIFIED: "));
    assert!(texts(&page, "#result").is_empty(), "no totals that were not proved");
    assert_eq!(texts(&page, "td.bad").len(), 1);
}

#[test]
fn ballots_are_counted_over_time() {
    let report = World::honest().verify();
    // Two in the block at 14 s past the epoch of the tests, three in the next.
    let times = BallotTimes { start: 1_700_000_010_000, length: 10_000, ballots: vec![5] };
    assert_eq!(report.times, Some(times));
    let (page, text) = page(&report);
    assert_eq!(texts(&page, "svg.columns").len(), 1);
    assert!(
        text.contains("5 accepted ballots from 2023-11-14 22:13:30 UTC to 2023-11-14 22:13:40 UTC"),
        "{text}"
    );
}

#[test]
fn a_rehearsal_says_so_on_its_page() {
    let report = World::of(&params(), |manifest| manifest.rehearsal = Some(4)).verify();
    let (page, _) = page(&report);
    assert_eq!(texts(&page, "p.banner"), ["REHEARSAL. It counts for nothing. It held back trustee 4."]);
}

#[test]
fn the_program_writes_the_page_to_a_new_file() {
    let folder = std::env::temp_dir().join(format!("psephos-verify-html-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (record, file) = (folder.join("record"), folder.join("report.html"));
    fs::write(&record, World::honest().bytes()).expect("written");
    let run = |out: &std::path::Path| {
        let command =
            Command::new(env!("CARGO_BIN_EXE_psephos-verify")).arg(&record).arg("--html").arg(out).output();
        command.expect("the program runs").status.code()
    };
    assert_eq!(run(&file), Some(0));
    let text = fs::read_to_string(&file).expect("the page");
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>"));
    // What is there stays, above all the record.
    assert_eq!(run(&file), Some(2));
    let before = fs::read(&record).expect("the record");
    assert_eq!(run(&record), Some(2));
    assert_eq!(fs::read(&record).expect("the record"), before);
    fs::remove_dir_all(&folder).expect("removed");
}
