//! The result of an election as a table with bars.

use psephos_client::{
    tally::{self, Tallied},
    Chain,
};
use psephos_protocol::{
    bounds,
    cells::Cells,
    contest::Contest,
    election::Election,
    manifest::Manifest,
    state::{ElectionView, Phase},
    tally::{Counts, Turnout, Turnouts},
};
use serde_json::{json, Value};

use crate::{
    context::Context,
    error::CliError,
    output::{bar, percent, table},
};

/// Finalized blocks that a result that is on the chain already may take to be read.
const BLOCKS: u32 = 8;

/// Shows the result of an election that has one.
pub async fn run(election: Option<&str>, context: &Context) -> Result<(), CliError> {
    let (chain, election) = context.election(election).await?;
    let state = chain.election(&election.eid).await?.state;
    if !matches!(state.phase, Phase::Tallied | Phase::Certified) {
        return Err(CliError::Refused(match &state.void {
            Some(reason) => format!("the election was voided: {}", bounds::show(reason)),
            None => format!(
                "there is no result yet: the election is in phase {}; wait for it with `psephos audit tally {}`",
                state.phase, election.eid
            ),
        }));
    }
    let tallied = tally::tally(&chain, &election.eid, BLOCKS).await?;
    show(&chain, &election, &tallied, context).await
}

/// Shows a verified result.
pub async fn show(
    chain: &Chain,
    election: &Election,
    tallied: &Tallied,
    context: &Context,
) -> Result<(), CliError> {
    let view = chain.election(&election.eid).await?;
    let digest = tallied.result.digest(&election.eid, &tallied.root);
    let manifest = &election.manifest;
    let value = json!({
        "election": election.eid.to_string(),
        "title": bounds::show(&election.manifest.title),
        "rehearsal": election.manifest.rehearsal,
        "phase": view.state.phase.to_string(),
        "voters": view.state.voters,
        "counted": view.state.counted,
        "contests": contests_json(manifest, &tallied.totals.election, &turnout(manifest, tallied).0),
        "cells": cells_json(manifest, tallied),
        "contributors": tallied.result.contributors.to_vec(),
        "wrong_contributions": tallied.verdict.wrong,
        "undecided_contributions": tallied.verdict.undecided,
        "result": digest.to_string(),
        "certified": view.state.certified.map(|digest| digest.to_string()),
    });
    context.out.result(&value, || text(election, &view, tallied, &digest.to_string()))?;
    match view.state.certified {
        Some(certified) if certified != digest => Err(CliError::Integrity(format!(
            "the board certified {certified}, and the result on the chain is {digest}: verify the election record"
        ))),
        _ => Ok(()),
    }
}

/// The contests with what was given to each option, and the turnouts that belong to it.
fn each<'a>(
    manifest: &'a Manifest,
    counts: &'a Counts,
    turnouts: &'a [Turnout],
) -> impl Iterator<Item = (&'a Contest, &'a [u64], &'a Turnout)> {
    let counted = manifest.contests.iter().zip(counts).zip(turnouts);
    counted.map(|((contest, totals), turnout)| (contest, totals.as_slice(), turnout))
}

/// The turnouts of the whole election.
fn turnout(manifest: &Manifest, tallied: &Tallied) -> Turnouts {
    tallied.result.turnout.join(manifest, &Cells::all(manifest))
}

/// The names of each cell's units, its totals and its turnouts; none where there is one cell.
fn cells<'a>(
    manifest: &'a Manifest,
    tallied: &'a Tallied,
) -> impl Iterator<Item = (Vec<String>, &'a Counts, &'a [Turnout])> {
    let turnouts = tallied.result.turnout.0.chunks(manifest.contests.len().max(1));
    let cells = tallied.cells.units().zip(&tallied.totals.cells).zip(turnouts);
    let several = tallied.cells.len() > 1;
    cells.filter(move |_| several).map(|((units, counts), turnouts)| {
        let names = manifest.units.get(usize::from(units.start)..usize::from(units.end)).unwrap_or_default();
        (names.iter().map(|name| bounds::show(name)).collect(), counts, turnouts)
    })
}

fn cells_json(manifest: &Manifest, tallied: &Tallied) -> Vec<Value> {
    cells(manifest, tallied)
        .map(|(units, counts, turnouts)| {
            json!({ "units": units, "contests": contests_json(manifest, counts, turnouts) })
        })
        .collect()
}

fn contests_json(manifest: &Manifest, counts: &Counts, turnouts: &[Turnout]) -> Vec<Value> {
    each(manifest, counts, turnouts)
        .map(|(contest, totals, turnout)| {
            let options: Vec<Value> = contest
                .options
                .iter()
                .zip(totals)
                .map(|(option, total)| json!({ "name": bounds::show(option), "total": total }))
                .collect();
            json!({
                "title": bounds::show(&contest.title), "ballots": turnout.ballots, "weight": turnout.weight,
                "options": options,
            })
        })
        .collect()
}

fn text(election: &Election, view: &ElectionView, tallied: &Tallied, digest: &str) -> String {
    let state = &view.state;
    let mut out = format!(
        "{}{}  ({})\n{} of {} registered voters voted ({})\n",
        crate::show::banner(&election.manifest),
        bounds::show(&election.manifest.title),
        state.phase,
        state.counted,
        state.voters,
        percent(u64::from(state.counted), u64::from(state.voters))
    );
    let manifest = &election.manifest;
    for (contest, totals, turnout) in each(manifest, &tallied.totals.election, &turnout(manifest, tallied).0)
    {
        out.push_str(&contest_text(contest, totals, turnout));
    }
    for (units, counts, turnouts) in cells(manifest, tallied) {
        out.push_str(&format!("\n{}\n", units.join(", ")));
        for (contest, totals, turnout) in each(manifest, counts, turnouts) {
            out.push_str(&contest_text(contest, totals, turnout));
        }
    }
    let names = |list: &[u8]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    out.push_str(&format!(
        "\nOpened by trustees {}; every opening fits the ballots.\n",
        names(&tallied.result.contributors)
    ));
    if !tallied.verdict.wrong.is_empty() {
        out.push_str(&format!("WRONG contributions came from trustees {}.\n", names(&tallied.verdict.wrong)));
    }
    out.push_str(&format!("Result {digest}\n"));
    out
}

/// One contest. Where an option can get one vote of each ballot, the share is that of the ballots' weight;
/// otherwise that of all points given.
fn contest_text(contest: &Contest, totals: &[u64], turnout: &Turnout) -> String {
    let most = totals.iter().copied().max().unwrap_or(0);
    let is_vote = contest.rule.max_each == 1;
    let whole = if is_vote {
        turnout.weight
    } else {
        totals.iter().fold(0u64, |sum, total| sum.saturating_add(*total))
    };
    let rows: Vec<[String; 4]> = contest
        .options
        .iter()
        .zip(totals)
        .map(|(option, total)| {
            [
                bounds::show(option),
                format!("{total:>8}"),
                format!("{:>7}", percent(*total, whole)),
                bar(*total, most),
            ]
        })
        .collect();
    let weight = match u64::from(turnout.ballots) == turnout.weight {
        true => String::new(),
        false => format!(", weight {}", turnout.weight),
    };
    let unit = if is_vote { "   VOTES" } else { "  POINTS" };
    format!(
        "\n{} ({}): {} ballots{weight}\n{}",
        bounds::show(&contest.title),
        crate::show::rule(contest),
        turnout.ballots,
        table(["", unit, "  SHARE", ""], &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_client::tally::Verdict;
    use psephos_protocol::{
        contest::Rule,
        testing::{Fixture, Params},
    };

    /// Three units in the cells {0} and {1, 2}, for a minimum of 2.
    fn tallied() -> (Manifest, Tallied) {
        let params =
            Params { voters: vec![1; 4], units: vec![0, 0, 1, 2], by_unit: true, ..Params::default() };
        let mut fixture = Fixture::with(&params, |manifest| manifest.privacy_minimum = 2);
        let votes = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]];
        let ballots: Vec<_> = (0..4).map(|voter| fixture.cast(voter, 1, &[votes[voter].to_vec()])).collect();
        let given: Vec<_> = (1..=2).map(|trustee| fixture.contribute(trustee, &ballots)).collect();
        let (result, cells) = (fixture.result(&ballots, &given), fixture.cells(&ballots));
        let manifest = fixture.election.manifest.clone();
        let totals = result.verify(&manifest, &cells, &fixture.sums(&ballots)).unwrap();
        let (root, verdict) = (given[0].root, Verdict::default());
        (manifest, Tallied { result, cells, totals, root, verdict })
    }

    #[test]
    fn cells_are_shown_with_the_names_of_their_units() {
        let (manifest, mut tallied) = tallied();
        let json = cells_json(&manifest, &tallied);
        let totals = |value: &Value| {
            let options = value["contests"][0]["options"].as_array().unwrap().clone();
            options.iter().map(|option| option["total"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(json.iter().map(totals).collect::<Vec<_>>(), [[1, 1, 0], [0, 2, 0]]);
        assert_eq!(json[1]["units"], json!(["Unit 2", "Unit 3"]));
        let all = turnout(&manifest, &tallied);
        assert_eq!(all.0.to_vec(), [Turnout { ballots: 4, weight: 4 }]);
        // One cell is the election.
        tallied.cells = Cells::all(&manifest);
        assert!(cells_json(&manifest, &tallied).is_empty());
    }

    fn contest(rule: Rule) -> Contest {
        let options = ["Ada", "Grace", "Zoë"].map(|name| bounds::text(name).unwrap()).to_vec();
        Contest { title: bounds::text("President").unwrap(), options: options.try_into().unwrap(), rule }
    }

    #[test]
    fn a_result_is_a_table_with_bars() {
        let turnout = Turnout { ballots: 8, weight: 8 };
        let text = contest_text(&contest(Rule::plurality()), &[4, 3, 1], &turnout);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "President (one option): 8 ballots");
        assert_eq!(lines[3], format!("Ada           4   50.0 %  {}", "█".repeat(32)));
        assert_eq!(lines[5], format!("Zoë           1   12.5 %  {}", "█".repeat(8)));
    }

    #[test]
    fn points_are_shares_of_all_points_and_weights_are_named() {
        let turnout = Turnout { ballots: 2, weight: 4 };
        let text = contest_text(&contest(Rule::score(10, 3)), &[30, 10, 0], &turnout);
        assert!(
            text.contains("2 ballots, weight 4") && text.contains("75.0 %") && text.contains("POINTS"),
            "{text}"
        );
        assert!(!contest_text(&contest(Rule::plurality()), &[0, 0, 0], &Turnout::default()).contains('█'));
    }
}
