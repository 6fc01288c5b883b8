//! The result of an election as a table with bars.

use psephos_client::{
    tally::{self, Tallied},
    Chain,
};
use psephos_protocol::{
    bounds,
    contest::Contest,
    election::Election,
    state::{ElectionView, Phase},
    tally::Turnout,
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
    let value = json!({
        "election": election.eid.to_string(),
        "title": bounds::show(&election.manifest.title),
        "rehearsal": election.manifest.rehearsal,
        "phase": view.state.phase.to_string(),
        "voters": view.state.voters,
        "counted": view.state.counted,
        "contests": contests_json(election, tallied),
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

fn each<'a>(
    election: &'a Election,
    tallied: &'a Tallied,
) -> impl Iterator<Item = (&'a Contest, &'a [u64], &'a Turnout)> {
    let totals = tallied.totals.iter().map(Vec::as_slice);
    election
        .manifest
        .contests
        .iter()
        .zip(totals)
        .zip(&tallied.result.turnout)
        .map(|((contest, totals), turnout)| (contest, totals, turnout))
}

fn contests_json(election: &Election, tallied: &Tallied) -> Vec<Value> {
    each(election, tallied)
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
    for (contest, totals, turnout) in each(election, tallied) {
        out.push_str(&contest_text(contest, totals, turnout));
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
    use psephos_protocol::contest::Rule;

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
