//! `psephos trustee recommend`: what choices of trustees, threshold and quorum survive, in plain words.

use clap::Args;
use psephos_protocol::{
    bounds::MAX_TRUSTEES,
    manifest::{least_quorum, quorum_holds},
};
use serde::Serialize;

use crate::{context::Context, error::CliError, output::table};

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos trustee recommend                  # usual choices
  psephos trustee recommend --trustees 9     # every choice for nine trustees";

/// Choices that people ask for: trustees and threshold.
const USUAL: [(usize, u8); 5] = [(3, 2), (4, 2), (5, 3), (7, 3), (7, 4)];

const LEGEND: &str = "\
N trustees; any T of them open the totals (`threshold`); Q of them vouch for each ballot and sign the counted
set (`quorum`, here the least that is allowed).

  MAY LIE  trustees who may break every rule while the others do their duty: the totals come and are right
  AWAY     trustees who may be away while votes are cast, or lost before the counted set is signed. With fewer
           than Q there, no vote is taken and no set signed; if they never come back, the election can only
           be voided
  LOST     trustees who may be lost for ever after that, before they contribute to the tally
  READ     trustees who could together read every vote: choose people who would never do so

Who was away while votes were cast may lack shares, and then counts as lost. The best choices, marked *, bear
T - 1 trustees who lie or are away: as many as still learn nothing.";

/// How many trustees there are.
#[derive(Args)]
pub struct RecommendArgs {
    /// List every threshold that is allowed for so many trustees.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(3..=i64::from(MAX_TRUSTEES)))]
    trustees: Option<u8>,
}

/// One choice and what it survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Choice {
    trustees: usize,
    threshold: u8,
    quorum: u8,
    may_lie: usize,
    may_be_away: usize,
    may_be_lost_after_agreement: usize,
    read_votes_together: u8,
    recommended: bool,
}

impl Choice {
    /// With the least quorum; none if there is no such election.
    fn of(trustees: usize, threshold: u8) -> Option<Self> {
        let quorum = u8::try_from(least_quorum(trustees, threshold)).ok()?;
        if !quorum_holds(trustees, threshold, quorum) {
            return None;
        }
        let may_lie = usize::from(quorum.checked_sub(threshold)?);
        let may_be_away = trustees.checked_sub(usize::from(quorum))?;
        let liars = usize::from(threshold).checked_sub(1)?;
        Some(Self {
            trustees,
            threshold,
            quorum,
            may_lie,
            may_be_away,
            may_be_lost_after_agreement: trustees.checked_sub(usize::from(threshold))?,
            read_votes_together: threshold,
            recommended: may_lie >= liars && may_be_away >= liars,
        })
    }
}

fn choices(trustees: Option<u8>) -> Vec<Choice> {
    match trustees {
        Some(trustees) => {
            (0..=trustees).filter_map(|threshold| Choice::of(usize::from(trustees), threshold)).collect()
        }
        None => {
            USUAL.into_iter().filter_map(|(trustees, threshold)| Choice::of(trustees, threshold)).collect()
        }
    }
}

/// Prints the choices.
///
/// # Errors
/// When stdout can't be written.
pub fn run(args: &RecommendArgs, context: &Context) -> Result<(), CliError> {
    let choices = choices(args.trustees);
    context.out.result(&choices, || {
        let rows: Vec<[String; 8]> = choices
            .iter()
            .map(|choice| {
                [
                    choice.trustees.to_string(),
                    choice.threshold.to_string(),
                    choice.quorum.to_string(),
                    choice.may_lie.to_string(),
                    choice.may_be_away.to_string(),
                    choice.may_be_lost_after_agreement.to_string(),
                    choice.read_votes_together.to_string(),
                    if choice.recommended { "*".into() } else { String::new() },
                ]
            })
            .collect();
        format!("{}\n{LEGEND}", table(["N", "T", "Q", "MAY LIE", "AWAY", "LOST", "READ", ""], &rows))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_choices_are_those_of_the_specification() {
        let found: Vec<_> = choices(None)
            .iter()
            .map(|c| (c.trustees, c.threshold, c.quorum, c.may_lie, c.may_be_away, c.recommended))
            .collect();
        // Spec 3.5.
        let table = [
            (3, 2, 3, 1, 0, false),
            (4, 2, 3, 1, 1, true),
            (5, 3, 4, 1, 1, false),
            (7, 3, 5, 2, 2, true),
            (7, 4, 6, 2, 1, false),
        ];
        assert_eq!(found, table);
    }

    #[test]
    fn every_allowed_threshold_is_listed_with_its_least_quorum() {
        for trustees in 3..=MAX_TRUSTEES as u8 {
            let n = usize::from(trustees);
            let listed = choices(Some(trustees));
            assert_eq!(
                listed.iter().map(|choice| choice.threshold).collect::<Vec<_>>(),
                (2..trustees).collect::<Vec<_>>()
            );
            for choice in listed {
                assert!(quorum_holds(n, choice.threshold, choice.quorum));
                assert!(!quorum_holds(n, choice.threshold, choice.quorum - 1));
            }
        }
    }
}
