//! What a voter wants to vote, as given on the command line, in a file, or at the terminal.

use psephos_protocol::{ballot::Choices, bounds::show, contest::Contest};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
};
use zeroize::Zeroizing;

use crate::show::rule;

/// How votes are given, for `--help`.
pub const FORMS: &str = "Votes, by name or by number from 1; leave all out to be asked at the terminal:
  --vote 'President=Ada'          one option; repeat it for several options or contests
  --vote 'Budget=Trees:3'         three points for an option
  --choices votes.json            {\"President\": \"Ada\", \"Projects\": [\"Trees\"], \"Budget\": {\"Trees\": 3}}
  --choices -                     the same from stdin, so that no vote is seen in the list of processes";

/// A contest's votes in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vote {
    One(String),
    Several(Vec<String>),
    Points(BTreeMap<String, u32>),
}

fn none(contests: &[&Contest]) -> Choices {
    Choices(contests.iter().map(|contest| vec![0; contest.len()]).collect())
}

fn names(texts: impl Iterator<Item = String>) -> String {
    (1..).zip(texts).map(|(number, name)| format!("{number} {name:?}")).collect::<Vec<_>>().join(", ")
}

/// The place of a name, or of a number from 1.
fn place<'a>(texts: impl Iterator<Item = &'a [u8]> + Clone, given: &str) -> Option<usize> {
    let by_name = texts.clone().position(|text| text == given.as_bytes());
    let by_number = || given.parse::<usize>().ok()?.checked_sub(1).filter(|place| *place < texts.count());
    by_name.or_else(by_number)
}

fn contest_of(contests: &[&Contest], given: &str) -> Result<usize, String> {
    place(contests.iter().map(|contest| contest.title.as_slice()), given).ok_or_else(|| {
        let all = names(contests.iter().map(|contest| show(&contest.title)));
        format!("there is no contest {given:?} on your ballot; it has {all}")
    })
}

fn option_of(contest: &Contest, given: &str) -> Result<usize, String> {
    place(contest.options.iter().map(|option| option.as_slice()), given).ok_or_else(|| {
        let all = names(contest.options.iter().map(|option| show(option)));
        format!("contest \"{}\" has no option {given:?}; it has {all}", show(&contest.title))
    })
}

/// Adds points to an option; what is given twice is a mistake.
fn give(
    choices: &mut Choices,
    contests: &[&Contest],
    contest: usize,
    option: &str,
    points: u32,
) -> Result<(), String> {
    let (Some(on), Some(vote)) = (contests.get(contest), choices.0.get_mut(contest)) else {
        return Err("there is no such contest".into());
    };
    match vote.get_mut(option_of(on, option)?) {
        Some(value) if *value == 0 => *value = points,
        _ => return Err(format!("contest \"{}\": option {option:?} is given twice", show(&on.title))),
    }
    Ok(())
}

/// Checks every contest against its rule.
fn checked(choices: Choices, contests: &[&Contest]) -> Result<Choices, String> {
    for (contest, vote) in contests.iter().zip(&choices.0) {
        contest
            .check(vote)
            .map_err(|error| format!("contest \"{}\" ({}): {error}", show(&contest.title), rule(contest)))?;
    }
    Ok(choices)
}

/// Votes of the form `Contest=Option` or `Contest=Option:points`.
///
/// # Errors
/// Names contest, option or limit.
pub fn from_arguments(contests: &[&Contest], votes: &[String]) -> Result<Choices, String> {
    let mut choices = none(contests);
    for vote in votes {
        let wrong = || format!("--vote {vote:?}: write Contest=Option or Contest=Option:points");
        // A title may hold `=`: the first split that names a contest counts.
        let splits = vote.match_indices('=').map(|(at, _)| vote.split_at(at));
        let mut found =
            splits.filter_map(|(title, rest)| Some((contest_of(contests, title).ok()?, rest.get(1..)?)));
        let (contest, option) = match found.next() {
            Some(found) => found,
            None => {
                let (title, option) = vote.split_once('=').ok_or_else(wrong)?;
                (contest_of(contests, title)?, option)
            }
        };
        let on = contests.get(contest).ok_or_else(wrong)?;
        // An option's name may hold `:`: the whole name counts first.
        match (option_of(on, option), option.rsplit_once(':')) {
            (Ok(_), _) => give(&mut choices, contests, contest, option, 1)?,
            (Err(_), Some((name, points))) => {
                let points = points.parse().map_err(|_| wrong())?;
                give(&mut choices, contests, contest, name, points)?;
            }
            (Err(error), None) => return Err(error),
        }
    }
    checked(choices, contests)
}

/// Votes as JSON.
///
/// # Errors
/// Names contest, option or limit.
pub fn from_json(contests: &[&Contest], text: &str) -> Result<Choices, String> {
    let votes: BTreeMap<String, Vote> = serde_json::from_str(text).map_err(|error| {
        format!("not an object of contests with an option, a list of options, or points: {error}")
    })?;
    let mut choices = none(contests);
    for (title, vote) in votes {
        let contest = contest_of(contests, &title)?;
        match vote {
            Vote::One(option) => give(&mut choices, contests, contest, &option, 1)?,
            Vote::Several(options) => {
                options.iter().try_for_each(|option| give(&mut choices, contests, contest, option, 1))?;
            }
            Vote::Points(options) => options
                .iter()
                .try_for_each(|(option, points)| give(&mut choices, contests, contest, option, *points))?,
        }
    }
    checked(choices, contests)
}

/// Asks at the terminal, contest by contest, until each vote is valid.
///
/// # Errors
/// When the terminal is closed.
pub fn ask(contests: &[&Contest]) -> Result<Choices, String> {
    let (mut input, mut out) = (io::stdin().lock(), io::stderr());
    let mut choices = none(contests);
    for (index, contest) in contests.iter().enumerate() {
        let options: String = (1..)
            .zip(&contest.options)
            .map(|(number, option)| format!("  {number}. {}\n", show(option)))
            .collect();
        loop {
            let question = format!(
                "\n{} ({})\n{options}Numbers, with :points where wanted, such as 2 or 1:3 2:1: ",
                show(&contest.title),
                rule(contest)
            );
            out.write_all(question.as_bytes())
                .and_then(|()| out.flush())
                .map_err(|error| error.to_string())?;
            let mut line = Zeroizing::new(String::new());
            if input.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err("no vote was given; nothing was done".into());
            }
            match answer(contest, &line) {
                Ok(vote) => {
                    if let Some(place) = choices.0.get_mut(index) {
                        *place = vote;
                    }
                    break;
                }
                Err(error) => eprintln!("{error}"),
            }
        }
    }
    Ok(choices)
}

/// The vote of one answer: numbers of options, each with its points.
fn answer(contest: &Contest, line: &str) -> Result<Vec<u32>, String> {
    let mut choices = none(&[contest]);
    for word in line.split([' ', ',']).map(str::trim).filter(|word| !word.is_empty()) {
        let (option, points) = word.split_once(':').unwrap_or((word, "1"));
        let points = points.parse().map_err(|_| format!("{word:?}: points are a whole number"))?;
        give(&mut choices, &[contest], 0, option, points)?;
    }
    let mut checked = checked(choices, &[contest])?;
    Ok(checked.0.pop().unwrap_or_default())
}

/// The votes as text, for the voter's eyes.
#[must_use]
pub fn text(contests: &[&Contest], choices: &Choices) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    for (contest, vote) in contests.iter().zip(&choices.0) {
        out.push_str(&format!("{}\n", show(&contest.title)));
        for (option, value) in contest.options.iter().zip(vote).filter(|(_, value)| **value > 0) {
            let points = if contest.rule.max_each > 1 { format!(": {value}") } else { String::new() };
            out.push_str(&format!("  ✓ {}{points}\n", show(option)));
        }
        if vote.iter().all(|value| *value == 0) {
            out.push_str("  (nothing)\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::{bounds, contest::Rule};

    fn contest(title: &str, options: &[&str], rule: Rule) -> Contest {
        let options: Vec<_> = options.iter().map(|option| bounds::text(option).unwrap()).collect();
        Contest { title: bounds::text(title).unwrap(), options: options.try_into().unwrap(), rule }
    }

    fn ballot() -> Vec<Contest> {
        vec![
            contest("President", &["Ada", "Grace"], Rule::plurality()),
            contest("a=b?", &["yes", "no: never", "3"], Rule::approval(3)),
            contest("Budget", &["Bikes", "Trees"], Rule::cumulative(5)),
        ]
    }

    fn arguments(votes: &[&str]) -> Result<Vec<Vec<u32>>, String> {
        let ballot = ballot();
        let contests: Vec<&Contest> = ballot.iter().collect();
        let votes: Vec<String> = votes.iter().map(ToString::to_string).collect();
        from_arguments(&contests, &votes).map(|choices| choices.0.clone())
    }

    #[test]
    fn votes_are_given_by_name_or_number_in_any_order() {
        let expected = vec![vec![0, 1], vec![1, 1, 0], vec![2, 3]];
        let given = ["Budget=Trees:3", "President=Grace", "a=b?=no: never", "a=b?=yes", "Budget=1:2"];
        assert_eq!(arguments(&given), Ok(expected.clone()));
        let json = r#"{"President": "Grace", "2": ["yes", "no: never"], "Budget": {"Trees": 3, "Bikes": 2}}"#;
        let ballot = ballot();
        let contests: Vec<&Contest> = ballot.iter().collect();
        assert_eq!(from_json(&contests, json).unwrap().0.clone(), expected);
        assert_eq!(answer(&ballot[2], "1:2, 2:3\n"), Ok(vec![2, 3]));
        // A name goes before a number.
        assert_eq!(arguments(&["1=1", "2=3"]).unwrap()[1], vec![0, 0, 1]);
    }

    #[test]
    fn mistakes_name_contest_option_and_limit() {
        let cases: [(&[&str], &str); 7] = [
            (&[], "contest \"President\" (one option)"),
            (&["Mayor=Ada"], "no contest \"Mayor\" on your ballot; it has 1 \"President\""),
            (&["President=Bo"], "has no option \"Bo\"; it has 1 \"Ada\", 2 \"Grace\""),
            (&["President=Ada", "President=Grace"], "contest \"President\" (one option)"),
            (&["President=Ada", "President=1"], "is given twice"),
            (&["President"], "write Contest=Option"),
            (&["President=Ada", "Budget=Trees:6"], "up to 5 points"),
        ];
        for (votes, expected) in cases {
            let error = arguments(votes).unwrap_err();
            assert!(error.contains(expected), "{votes:?}: {error}");
        }
        assert!(arguments(&["President=Ada", "Budget=Trees:99999999999"]).is_err());
    }
}
