//! Elections, manifests and board actions as people and scripts read them.

use psephos_protocol::{
    board::Action,
    bounds,
    contest::{Contest, Rule},
    ids::Eid,
    manifest::Manifest,
    state::{ElectionState, ElectionView, Phase},
};
use serde_json::{json, Value};

use crate::{output::fields, times};

/// What a valid vote is, in words.
#[must_use]
pub fn rule(contest: &Contest) -> String {
    let Rule { max_each, min_sum, max_sum } = contest.rule;
    let options = contest.options.len() as u64;
    let all = options.saturating_mul(u64::from(max_each));
    match (max_each, min_sum, max_sum) {
        (1, 1, 1) => "one option".into(),
        (1, 0, 1) => "one option or none".into(),
        (1, 0, most) if u64::from(most) == options => "any number of options".into(),
        (1, least, most) => format!("{least} to {most} options"),
        (each, 0, most) if u64::from(most) == all => format!("0 to {each} points for each option"),
        (each, 0, most) if each == most => format!("up to {most} points, spread at will"),
        (each, least, most) => format!("{least} to {most} points together, at most {each} for each option"),
    }
}

/// What stands above all else that is shown of a rehearsal; nothing for an election that counts.
#[must_use]
pub fn banner(manifest: &Manifest) -> String {
    let Some(held) = manifest.rehearsal else { return String::new() };
    let trustee = usize::from(held).checked_sub(1).and_then(|place| manifest.trustees.get(place));
    let held = match trustee {
        Some(trustee) => format!("trustee {held}, {:?}, is held back", bounds::show(&trustee.name)),
        None => "its quorum needs all trustees, so none is held back".into(),
    };
    let line = "#".repeat(60);
    format!("{line}\n#  R E H E A R S A L : this election counts for nothing.\n#  In it {held}.\n{line}\n\n")
}

/// The manifest, whole.
#[must_use]
pub fn manifest(manifest: &Manifest) -> String {
    let names =
        |texts: &[bounds::Text]| texts.iter().map(|text| bounds::show(text)).collect::<Vec<_>>().join(", ");
    let mut out = fields(&[
        ("Title", bounds::show(&manifest.title)),
        ("Opens", times::show(manifest.opens_at)),
        ("Closes", format!("{}{}", times::show(manifest.closes_at), early(manifest))),
        ("Roll", format!("at most {} voters, weights {:?}", manifest.max_voters, manifest.weights.to_vec())),
        ("Units", names(&manifest.units)),
        ("Totals", totals(manifest)),
        ("Ballots per voter", format!("{}, the last one counts", manifest.max_ballots)),
        ("Privacy minimum", format!("{} ballots{}", manifest.privacy_minimum, small(manifest))),
        ("Board", format!("{} of {} members", manifest.board.threshold, manifest.board.members.len())),
        (
            "Trustees",
            format!(
                "{}, of whom {} vouch and {} open the tally",
                manifest.trustees.len(),
                manifest.quorum,
                manifest.threshold
            ),
        ),
    ]);
    for (index, trustee) in (1..).zip(&manifest.trustees) {
        out.push_str(&format!("  {index}. {}  {}\n", bounds::show(&trustee.name), trustee.signing));
    }
    for contest in &manifest.contests {
        out.push_str(&format!("\n{} ({})\n", bounds::show(&contest.title), rule(contest)));
        for (index, option) in (1..).zip(&contest.options) {
            out.push_str(&format!("  {index}. {}\n", bounds::show(option)));
        }
    }
    if manifest.styles.len() > 1 {
        out.push_str("\nBallot styles\n");
        for style in &manifest.styles {
            let contests: Vec<bounds::Text> =
                manifest.style_contests(style).iter().map(|contest| contest.title.clone()).collect();
            out.push_str(&format!("  {}: {}\n", bounds::show(&style.name), names(&contests)));
        }
    }
    out
}

fn early(manifest: &Manifest) -> &'static str {
    if manifest.early_close {
        ", or when the board closes"
    } else {
        ""
    }
}

/// What is opened, and how many sums at most.
fn totals(manifest: &Manifest) -> String {
    let (sums, most) = (sums(manifest), bounds::MAX_SUMS);
    if manifest.by_unit {
        format!("per cell: a unit, or several in a row that keep the privacy minimum together; at most {sums} sums of {most}")
    } else {
        format!("of all units together, {sums} sums of {most}")
    }
}

/// How many sums are opened at most: a column for each unit.
fn sums(manifest: &Manifest) -> usize {
    manifest.columns().saturating_mul(manifest.counting_units())
}

fn small(manifest: &Manifest) -> &'static str {
    if manifest.small_groups_public {
        "; smaller groups are opened all the same, their votes PUBLIC"
    } else {
        ""
    }
}

/// The manifest for a script.
#[must_use]
pub fn manifest_json(manifest: &Manifest) -> Value {
    let contests: Vec<Value> = manifest
        .contests
        .iter()
        .map(|contest| {
            json!({
                "title": bounds::show(&contest.title),
                "options": contest.options.iter().map(|option| bounds::show(option)).collect::<Vec<_>>(),
                "rule": { "max_each": contest.rule.max_each, "min_sum": contest.rule.min_sum, "max_sum": contest.rule.max_sum },
            })
        })
        .collect();
    let styles: Vec<Value> = manifest
        .styles
        .iter()
        .map(|style| json!({ "name": bounds::show(&style.name), "contests": style.contests.to_vec() }))
        .collect();
    let trustees: Vec<Value> = manifest
        .trustees
        .iter()
        .map(|trustee| json!({ "name": bounds::show(&trustee.name), "signing": trustee.signing.to_string() }))
        .collect();
    json!({
        "title": bounds::show(&manifest.title),
        "opens_at": times::show(manifest.opens_at),
        "closes_at": times::show(manifest.closes_at),
        "early_close": manifest.early_close,
        "by_unit": manifest.by_unit,
        "sums": sums(manifest),
        "max_voters": manifest.max_voters,
        "max_ballots": manifest.max_ballots,
        "privacy_minimum": manifest.privacy_minimum,
        "small_groups_public": manifest.small_groups_public,
        "units": manifest.units.iter().map(|unit| bounds::show(unit)).collect::<Vec<_>>(),
        "weights": manifest.weights.to_vec(),
        "threshold": manifest.threshold,
        "quorum": manifest.quorum,
        "trustees": trustees,
        "board": {
            "members": manifest.board.members.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "threshold": manifest.board.threshold,
        },
        "registrars": manifest.registrars.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "contests": contests,
        "styles": styles,
        "rehearsal": manifest.rehearsal,
    })
}

/// How an election stands.
#[must_use]
pub fn state(view: &ElectionView) -> String {
    let state = &view.state;
    let mut rows = vec![
        ("Election", view.eid.to_string()),
        ("Title", bounds::show(&view.manifest.title)),
        ("Phase", format!("{}: {}", state.phase, next(view))),
        ("Opens", times::show(state.opens_at)),
        ("Closes", times::show(state.closes_at)),
        ("Trustees", format!("{} of {} accepted", state.accepted.len(), view.manifest.trustees.len())),
        (
            "Roll",
            format!(
                "{} entries in {} batches ({} confirmed), {} registered voters",
                state.entries, state.batches, state.confirmed, state.voters
            ),
        ),
        ("Ballots", format!("{} accepted, {} count", state.ballots, state.counted)),
    ];
    if state.withheld {
        rows.push(("WITHHELD", "a group below the privacy minimum voted; nothing can be opened".into()));
    }
    if state.conflict {
        rows.push(("CONFLICT", "trustees signed different sets; the evidence is on the chain".into()));
    }
    if state.excluded > 0 {
        rows.push(("Excluded", format!("{} ballots, which too few trustees can serve", state.excluded)));
    }
    if let Some(lowered) = &state.lowered {
        rows.push((
            "Quorum",
            format!("lowered by the board to {} from block {}", lowered.quorum, lowered.from),
        ));
    }
    if let Some(reason) = &state.void {
        rows.push(("Void because", bounds::show(reason)));
    }
    fields(&rows)
}

/// What comes next in an election.
fn next(view: &ElectionView) -> String {
    match view.state.phase {
        Phase::Setup => "waits for all trustees to accept".into(),
        Phase::Registration => "the roll grows and voters register, until the board freezes it".into(),
        Phase::Frozen => format!("opens at {}", times::show(view.state.opens_at)),
        Phase::Open => format!("voters vote, until {}", times::show(view.state.closes_at)),
        Phase::Closed if !view.state.summed => "the chain sums the ballots".into(),
        Phase::Closed => "the trustees say what they can serve, and agree on the set".into(),
        Phase::Agreed => "the trustees contribute; then anyone finalizes".into(),
        Phase::Tallied => "waits for the board to certify".into(),
        Phase::Certified => "over".into(),
        Phase::Void => "over, without a result".into(),
    }
}

/// How an election stands, for a script.
#[must_use]
pub fn state_json(eid: &Eid, state: &ElectionState) -> Value {
    json!({
        "election": eid.to_string(),
        "number": state.number,
        "phase": state.phase.to_string(),
        "created": state.created,
        "opens_at": times::show(state.opens_at),
        "closes_at": times::show(state.closes_at),
        "accepted": state.accepted.to_vec(),
        "batches": state.batches,
        "confirmed": state.confirmed,
        "entries": state.entries,
        "voters": state.voters,
        "roll": state.roll.to_string(),
        "ballots": state.ballots,
        "counted": state.counted,
        "summed": state.summed,
        "withheld": state.withheld,
        "conflict": state.conflict,
        "certified": state.certified.map(|digest| digest.to_string()),
        "void": state.void.as_ref().map(|reason| bounds::show(reason)),
    })
}

/// A board action in one line.
#[must_use]
pub fn action(action: &Action) -> String {
    match action {
        Action::CreateElection { number, manifest } => {
            let what = if manifest.rehearsal.is_some() { "REHEARSAL" } else { "election" };
            format!("create {what} {number}, \"{}\"", bounds::show(&manifest.title))
        }
        Action::ConfirmBatch { batch, digest, .. } => {
            format!("confirm roll batch {batch} with digest {digest}")
        }
        Action::Reinvite { entry, round, keys, .. } => {
            format!(
                "re-invite roll entry {entry} (time {}) with {} new keys",
                u32::from(*round) + 1,
                keys.len()
            )
        }
        Action::Freeze { roll, .. } => format!("freeze the roll at {roll}"),
        Action::Postpone { opens_at, closes_at, .. } => {
            format!("postpone to open {} and close {}", times::show(*opens_at), times::show(*closes_at))
        }
        Action::Extend { closes_at, reason, .. } => {
            format!("extend voting to {}, because: {}", times::show(*closes_at), bounds::show(reason))
        }
        Action::Close { .. } => "close voting now, for good".into(),
        Action::Certify { result, .. } => format!("certify the result {result}"),
        Action::LowerQuorum { quorum, reason, .. } => {
            format!("LOWER the quorum for the set to {quorum}, because: {}", bounds::show(reason))
        }
        Action::Void { reason, .. } => format!("VOID the election, because: {}", bounds::show(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_they_were_written() {
        let contest = |rule| Contest {
            title: bounds::text("x").unwrap(),
            options: ["a", "b", "c"].map(|name| bounds::text(name).unwrap()).to_vec().try_into().unwrap(),
            rule,
        };
        let cases = [
            (Rule::plurality(), "one option"),
            (Rule::plurality_or_none(), "one option or none"),
            (Rule::approval(3), "any number of options"),
            (Rule::choose(1, 2), "1 to 2 options"),
            (Rule::cumulative(5), "up to 5 points, spread at will"),
            (Rule::score(10, 3), "0 to 10 points for each option"),
        ];
        for (given, expected) in cases {
            assert_eq!(rule(&contest(given)), expected);
        }
    }
}
