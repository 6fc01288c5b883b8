use super::*;
use clap::Parser;
use psephos_protocol::{
    bounds::text,
    testing::{contest, name},
};
use psephos_verifier::Options;
use serde_json::Value;
use std::collections::BTreeMap;

/// A record of docs/vectors, by what its name begins with.
fn record(begins: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/records.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let of_name = |case: &&Value| case["name"].as_str().unwrap().starts_with(begins);
    hex::decode(all.as_array().unwrap().iter().find(of_name).unwrap()["record"].as_str().unwrap()).unwrap()
}

fn found(begins: &str) -> Results {
    results(record(begins).as_slice(), &Options::default()).unwrap().unwrap()
}

/// The labels of a command line.
fn labels(arguments: &[&str]) -> nist::Labels {
    #[derive(Parser)]
    struct Line {
        #[arg(long)]
        #[allow(dead_code)] // The labels ask for it.
        nist: bool,
        #[command(flatten)]
        labels: nist::Labels,
    }
    Line::try_parse_from([&["x", "--nist"][..], arguments].concat()).unwrap().labels
}

fn nist(results: &Results, arguments: &[&str]) -> Value {
    let value: Value = serde_json::from_str(&nist::report(results, &labels(arguments)).unwrap()).unwrap();
    rules::check(&value);
    value
}

#[test]
fn the_table_has_the_totals_of_all_and_of_each_cell_and_the_turnouts() {
    let table = csv::table(&found("totals per unit: two cells")).unwrap();
    let expected = "\
kind,contest,contest_title,option,option_name,cell,units,value
votes,1,Question,1,Option 1,,,0
votes,1,Question,2,Option 2,,,3
votes,1,Question,3,Option 3,,,1
ballots,1,Question,,,,,4
weight,1,Question,,,,,4
votes,1,Question,1,Option 1,1,Unit 1,0
votes,1,Question,2,Option 2,1,Unit 1,1
votes,1,Question,3,Option 3,1,Unit 1,1
ballots,1,Question,,,1,Unit 1,2
weight,1,Question,,,1,Unit 1,2
votes,1,Question,1,Option 1,2,Unit 2; Unit 3,0
votes,1,Question,2,Option 2,2,Unit 2; Unit 3,2
votes,1,Question,3,Option 3,2,Unit 2; Unit 3,0
ballots,1,Question,,,2,Unit 2; Unit 3,2
weight,1,Question,,,2,Unit 2; Unit 3,2
";
    assert!(table.starts_with(expected), "{table}");
    let roll: Vec<&str> = table.lines().skip(expected.lines().count()).collect();
    assert_eq!(roll.len(), 9, "{roll:?}");
    assert_eq!(roll[..3], ["entries,,,,,,Unit 1,2", "registered,,,,,,Unit 1,2", "voted,,,,,,Unit 1,2"]);
}

#[test]
fn names_that_have_commas_and_quotes_stay_one_cell() {
    let mut results = found("plurality");
    results.report.contests[0].title = "Who, if \"any\"?".into();
    let table = csv::table(&results).unwrap();
    assert!(table.contains("votes,1,\"Who, if \"\"any\"\"?\",1,Option 1,,,0\n"), "{table}");
}

#[test]
fn a_record_that_does_not_hold_or_has_no_result_gives_none() {
    let mut bytes = record("plurality");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let report = results(bytes.as_slice(), &Options::default()).unwrap().unwrap_err();
    assert!(!report.verified());
    let failed = results(record("a trustee has not").as_slice(), &Options::default()).unwrap().unwrap_err();
    assert!(!failed.verified());
    let voided = results(record("voided").as_slice(), &Options::default()).unwrap().unwrap_err();
    assert!(voided.verified() && voided.contests.is_empty());
    let other = Options { eid: Some(Default::default()), ..Options::default() };
    assert!(results(record("plurality").as_slice(), &other).unwrap().is_err());
}

#[test]
fn every_record_gives_a_report_that_keeps_the_rules_of_the_format() {
    for begins in [
        "plurality",
        "weights",
        "addresses",
        "a ballot excluded",
        "postponed",
        "totals per unit: two",
        "totals per unit: what",
        "totals per unit: a ballot",
    ] {
        let results = found(begins);
        let all: Vec<String> =
            (1..=results.report.contests.len()).map(|contest| contest.to_string()).collect();
        nist(&results, &[]);
        nist(&results, &["--measures", &all.join(","), "--issuer", "City", "--language", "de"]);
        let text = |_| nist::report(&results, &labels(&[])).unwrap();
        assert_eq!(text(0), text(1), "the same bytes each time");
    }
}

/// The counts of what has a field with this value, by unit.
fn counts(report: &Value, contest: usize, option: usize) -> BTreeMap<String, u64> {
    let counts = &report["Election"][0]["Contest"][contest]["ContestSelection"][option]["VoteCounts"];
    let of = |count: &Value| (count["GpUnitId"].as_str().unwrap().into(), count["Count"].as_u64().unwrap());
    counts.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn votes_are_given_for_all_units_and_for_each_cell() {
    let results = found("totals per unit: two cells");
    let report = nist(&results, &[]);
    assert_eq!(report["Format"], "precinct-level");
    let expected =
        |counts: [(&str, u64); 3]| BTreeMap::from(counts.map(|(unit, count)| (unit.to_string(), count)));
    assert_eq!(counts(&report, 0, 1), expected([("electorate", 3), ("unit-1", 1), ("cell-2", 2)]));
    let units = report["GpUnit"].as_array().unwrap();
    let unit = |id: &str| units.iter().find(|unit| unit["@id"] == id).unwrap();
    assert_eq!(unit("electorate")["ComposingGpUnitIds"], json!(["unit-1", "cell-2"]));
    assert_eq!(unit("cell-2")["ComposingGpUnitIds"], json!(["unit-2", "unit-3"]));
    assert_eq!(unit("cell-2")["Type"], "combined-precinct");
    assert_eq!(
        (&unit("unit-1")["VotersRegistered"], &unit("unit-1")["VotersParticipated"]),
        (&json!(2), &json!(2))
    );
    assert!(units.iter().all(|unit| unit["@id"] != "cell-1"), "a cell of one unit is that unit");
    // One vote of each of four.
    let others = report["Election"][0]["Contest"][0]["OtherCounts"].as_array().unwrap();
    assert!(others.iter().all(|other| other["Undervotes"] == 0 && other["Overvotes"] == 0));
    assert_eq!(nist(&found("plurality"), &[])["Format"], "summary-contest");
}

#[test]
fn an_excluded_ballot_is_a_rejected_one() {
    let all = &nist(&found("a ballot excluded"), &[])["Election"][0]["BallotCounts"][0];
    assert_eq!((&all["BallotsCast"], &all["BallotsRejected"]), (&json!(4), &json!(1)));
}

#[test]
fn kinds_of_contests_have_their_names() {
    use psephos_protocol::contest::Rule;
    let cases = [
        (Rule::plurality(), "plurality"),
        (Rule::plurality_or_none(), "plurality"),
        (Rule::approval(4), "approval"),
        (Rule::choose(0, 3), "n-of-m"),
        (Rule::choose(2, 2), "n-of-m"),
        (Rule::choose(1, 4), "n-of-m"),
        (Rule::cumulative(5), "cumulative"),
        (Rule { max_each: 5, min_sum: 5, max_sum: 5 }, "cumulative"),
        (Rule::score(9, 4), "range"),
        (Rule { max_each: 3, min_sum: 0, max_sum: 5 }, "other"),
        (Rule { max_each: 3, min_sum: 1, max_sum: 12 }, "other"),
    ];
    let mut results = found("plurality");
    for (rule, expected) in cases {
        let contest = contest(4, rule);
        assert_eq!(variation(&contest), expected, "{rule:?}");
        // In a report, too, with as many totals as there are options.
        results.election.manifest.contests = vec![contest].try_into().unwrap();
        let options = (0..4).map(|option| (option.to_string(), 0)).collect();
        results.report.contests[0].options = options;
        let contest = nist(&results, &[])["Election"][0]["Contest"][0].clone();
        assert_eq!(
            (&contest["VoteVariation"], &contest["VotesAllowed"]),
            (&json!(expected), &json!(rule.max_sum))
        );
    }
}

#[test]
fn a_report_says_what_it_was_told_and_what_nobody_knows() {
    let results = found("plurality");
    let report = nist(&results, &[]);
    assert_eq!((&report["Issuer"], &report["Status"]), (&json!("not stated"), &json!("certified")));
    assert_eq!(report["Election"][0]["Contest"][0]["@type"], "ElectionResults.CandidateContest");
    let told = ["--issuer", "City of X", "--issuer-abbreviation", "X", "--language", "en", "--measures", "1"];
    let report = nist(&results, &told);
    assert_eq!((&report["Issuer"], &report["IssuerAbbreviation"]), (&json!("City of X"), &json!("X")));
    let election = &report["Election"][0];
    assert_eq!(election["Contest"][0]["@type"], "ElectionResults.BallotMeasureContest");
    assert_eq!(election["Name"]["Text"][0]["Language"], "en");
    assert_eq!(election["Candidate"], json!([]));
    assert!(nist::report(&results, &labels(&["--measures", "2"])).is_err());
    assert!(nist::report(&results, &labels(&["--measures", "0"])).is_err());
}

#[test]
fn a_rehearsal_is_a_test_and_weights_are_noted() {
    let mut results = found("weights");
    assert!(nist(&results, &[])["Notes"].as_str().unwrap().contains("weights"));
    results.election.manifest.rehearsal = Some(1);
    results.election.manifest.title = text("Try").unwrap();
    results.election.manifest.units = vec![name("Only")].try_into().unwrap();
    let report = nist(&results, &[]);
    assert_eq!((&report["IsTest"], &report["TestType"]), (&json!(true), &json!("rehearsal")));
    results.certified_at = u64::MAX;
    assert!(nist::report(&results, &labels(&[])).is_err(), "no date");
}

/// The rules of the JSON schema of NIST SP 1500-100 version 2 (draft-04, in its final form, where every object has an
/// `@type`) for the classes and fields that are used here. All else is refused.
mod rules {
    use super::*;

    enum Kind {
        Text,
        Integer,
        Flag,
        /// YYYY-MM-DD.
        Date,
        /// With seconds and zone.
        Moment,
        One(&'static [&'static str]),
        /// An object of one of these classes.
        Object(&'static [&'static str]),
        /// At least so many objects of these classes.
        Objects(usize, &'static [&'static str]),
        /// The identifier of an object of one of these classes.
        Reference(&'static [&'static str]),
        /// At least so many of them.
        References(usize, &'static [&'static str]),
    }
    use Kind::*;

    const TEXT: Kind = Object(&["InternationalizedText"]);
    const IDENTIFIERS: Kind = Objects(0, &["ExternalIdentifier"]);
    const UNITS: &[&str] = &["ReportingUnit"];
    const COUNT_ITEMS: Kind = One(&[
        "absentee",
        "absentee-fwab",
        "absentee-in-person",
        "absentee-mail",
        "early",
        "election-day",
        "other",
        "provisional",
        "seats",
        "total",
        "uocava",
        "write-in",
    ]);
    const VARIATIONS: Kind = One(&[
        "approval",
        "borda",
        "cumulative",
        "majority",
        "n-of-m",
        "other",
        "plurality",
        "proportional",
        "range",
        "rcv",
        "super-majority",
    ]);
    const CONTESTS: &[&str] = &["BallotMeasureContest", "CandidateContest"];
    const SELECTIONS: &[&str] = &["BallotMeasureSelection", "CandidateSelection"];

    /// A class: whether it has an `@id`, what else it must have, and what it may have.
    type Class = (bool, &'static [&'static str], Vec<(&'static str, Kind)>);

    fn class(name: &str) -> Class {
        let contest = || {
            vec![
                ("ContestSelection", Objects(0, SELECTIONS)),
                ("CountStatus", Objects(0, &["CountStatus"])),
                ("ElectionDistrictId", Reference(UNITS)),
                ("Name", Text),
                ("OtherCounts", Objects(0, &["OtherCounts"])),
                ("OtherVoteVariation", Text),
                ("SequenceOrder", Integer),
                ("VoteVariation", VARIATIONS),
            ]
        };
        let selection = || vec![("SequenceOrder", Integer), ("VoteCounts", Objects(0, &["VoteCounts"]))];
        let with = |mut fields: Vec<(&'static str, Kind)>, more: (&'static str, Kind)| {
            fields.push(more);
            fields
        };
        match name {
            "ElectionReport" => (
                false,
                &[
                    "Format",
                    "GeneratedDate",
                    "Issuer",
                    "IssuerAbbreviation",
                    "SequenceEnd",
                    "SequenceStart",
                    "Status",
                    "VendorApplicationId",
                ],
                vec![
                    ("Election", Objects(0, &["Election"])),
                    ("ExternalIdentifier", IDENTIFIERS),
                    ("Format", One(&["precinct-level", "summary-contest"])),
                    ("GeneratedDate", Moment),
                    ("GpUnit", Objects(0, UNITS)),
                    ("IsTest", Flag),
                    ("Issuer", Text),
                    ("IssuerAbbreviation", Text),
                    ("Notes", Text),
                    ("SequenceEnd", Integer),
                    ("SequenceStart", Integer),
                    (
                        "Status",
                        One(&[
                            "certified",
                            "correction",
                            "pre-election",
                            "recount",
                            "unofficial-complete",
                            "unofficial-partial",
                        ]),
                    ),
                    ("TestType", Text),
                    ("VendorApplicationId", Text),
                ],
            ),
            "Election" => (
                false,
                &["ElectionScopeId", "EndDate", "Name", "StartDate", "Type"],
                vec![
                    ("BallotCounts", Objects(0, &["BallotCounts"])),
                    ("BallotStyle", Objects(0, &["BallotStyle"])),
                    ("Candidate", Objects(0, &["Candidate"])),
                    ("Contest", Objects(0, CONTESTS)),
                    ("CountStatus", Objects(0, &["CountStatus"])),
                    ("ElectionScopeId", Reference(UNITS)),
                    ("EndDate", Date),
                    ("ExternalIdentifier", IDENTIFIERS),
                    ("Name", TEXT),
                    ("OtherType", Text),
                    ("StartDate", Date),
                    (
                        "Type",
                        One(&[
                            "general",
                            "other",
                            "partisan-primary-closed",
                            "partisan-primary-open",
                            "primary",
                            "runoff",
                            "special",
                        ]),
                    ),
                ],
            ),
            "BallotCounts" => (
                false,
                &["GpUnitId", "Type"],
                vec![
                    ("BallotsCast", Integer),
                    ("BallotsRejected", Integer),
                    ("GpUnitId", Reference(UNITS)),
                    ("Type", COUNT_ITEMS),
                ],
            ),
            "BallotStyle" => (
                false,
                &["GpUnitIds"],
                vec![
                    ("ExternalIdentifier", IDENTIFIERS),
                    ("GpUnitIds", References(1, UNITS)),
                    ("OrderedContent", Objects(0, &["OrderedContest"])),
                ],
            ),
            "OrderedContest" => (false, &["ContestId"], vec![("ContestId", Reference(CONTESTS))]),
            "Candidate" => (true, &["BallotName"], vec![("BallotName", TEXT)]),
            "BallotMeasureContest" => (true, &["ElectionDistrictId", "Name"], contest()),
            "CandidateContest" => (
                true,
                &["ElectionDistrictId", "Name", "VotesAllowed"],
                with(contest(), ("VotesAllowed", Integer)),
            ),
            "BallotMeasureSelection" => (true, &["Selection"], with(selection(), ("Selection", TEXT))),
            "CandidateSelection" => {
                (true, &[], with(selection(), ("CandidateIds", References(0, &["Candidate"]))))
            }
            "VoteCounts" => (
                false,
                &["Count", "GpUnitId", "Type"],
                vec![("Count", Integer), ("GpUnitId", Reference(UNITS)), ("Type", COUNT_ITEMS)],
            ),
            "OtherCounts" => (
                false,
                &["GpUnitId"],
                vec![("GpUnitId", Reference(UNITS)), ("Overvotes", Integer), ("Undervotes", Integer)],
            ),
            "CountStatus" => (
                false,
                &["Status", "Type"],
                vec![
                    ("Status", One(&["completed", "in-process", "not-processed", "unknown"])),
                    ("Type", COUNT_ITEMS),
                ],
            ),
            "ReportingUnit" => (
                true,
                &["Type"],
                vec![
                    ("ComposingGpUnitIds", References(0, UNITS)),
                    ("Name", TEXT),
                    ("OtherType", Text),
                    ("Type", One(&["combined-precinct", "other"])),
                    ("VotersParticipated", Integer),
                    ("VotersRegistered", Integer),
                ],
            ),
            "ExternalIdentifier" => (
                false,
                &["Type", "Value"],
                vec![
                    ("OtherType", Text),
                    (
                        "Type",
                        One(&["fips", "local-level", "national-level", "ocd-id", "other", "state-level"]),
                    ),
                    ("Value", Text),
                ],
            ),
            "InternationalizedText" => (false, &["Text"], vec![("Text", Objects(1, &["LanguageString"]))]),
            "LanguageString" => {
                (false, &["Content", "Language"], vec![("Content", Text), ("Language", Text)])
            }
            other => panic!("{other} is not used"),
        }
    }

    /// The classes of all objects that have an identifier, by that.
    type Known = BTreeMap<String, String>;

    pub fn check(report: &Value) {
        let mut known = Known::new();
        identified(report, &mut known);
        object(report, &["ElectionReport"], &known);
    }

    fn class_of(value: &Value) -> &str {
        value["@type"].as_str().and_then(|name| name.strip_prefix("ElectionResults.")).expect("an @type")
    }

    fn identified(value: &Value, known: &mut Known) {
        match value {
            Value::Object(fields) => {
                if let Some(id) = fields.get("@id") {
                    let id = id.as_str().unwrap();
                    // What is an identifier in XML as well.
                    assert!(id.starts_with(|c: char| c.is_ascii_alphabetic()), "{id}");
                    assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{id}");
                    let before = known.insert(id.into(), class_of(value).into());
                    assert_eq!(before, None, "{id} is there twice");
                }
                fields.values().for_each(|value| identified(value, known));
            }
            Value::Array(items) => items.iter().for_each(|value| identified(value, known)),
            _ => {}
        }
    }

    fn object(value: &Value, allowed: &[&str], known: &Known) {
        let name = class_of(value);
        assert!(allowed.contains(&name), "{name} where {allowed:?} may be");
        let (has_id, required, kinds) = class(name);
        let fields = value.as_object().unwrap();
        assert_eq!(fields.contains_key("@id"), has_id, "{name}");
        required.iter().for_each(|field| assert!(fields.contains_key(*field), "{name} has no {field}"));
        for (field, value) in fields.iter().filter(|(field, _)| !field.starts_with('@')) {
            let kind = kinds.iter().find(|(known, _)| known == field);
            let (_, kind) = kind.unwrap_or_else(|| panic!("{name} may not have {field}"));
            holds(value, kind, known).unwrap_or_else(|| panic!("{name}.{field}: {value}"));
        }
        // What is called other says what it is.
        for (kind, other) in [("Type", "OtherType"), ("VoteVariation", "OtherVoteVariation")] {
            assert_eq!(
                fields.get(kind) == Some(&json!("other")),
                fields.contains_key(other),
                "{name}: {value}"
            );
        }
    }

    fn holds(value: &Value, kind: &Kind, known: &Known) -> Option<()> {
        let refers = |value: &Value, classes: &[&str]| {
            known.get(value.as_str()?).filter(|class| classes.contains(&class.as_str())).map(|_| ())
        };
        match kind {
            Text => value.as_str().map(|_| ()),
            Integer => value.as_u64().map(|_| ()),
            Flag => value.as_bool().map(|_| ()),
            Date => value
                .as_str()?
                .parse::<jiff::civil::Date>()
                .ok()
                .filter(|_| value.as_str().unwrap().len() == 10)
                .map(|_| ()),
            Moment => {
                let text = value.as_str().filter(|text| text.len() == 20 && text.ends_with('Z'))?;
                text.parse::<jiff::Timestamp>().ok().map(|_| ())
            }
            One(names) => names.contains(&value.as_str()?).then_some(()),
            Object(classes) => {
                object(value, classes, known);
                Some(())
            }
            Objects(least, classes) => {
                let items = value.as_array().filter(|items| items.len() >= *least)?;
                items.iter().for_each(|item| object(item, classes, known));
                Some(())
            }
            Reference(classes) => refers(value, classes),
            References(least, classes) => {
                let items = value.as_array().filter(|items| items.len() >= *least)?;
                items.iter().try_for_each(|item| refers(item, classes))
            }
        }
    }
}
