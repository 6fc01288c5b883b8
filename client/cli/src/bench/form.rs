//! What is on the ballots that are measured.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    ballot::Choices,
    bounds::{text, MAX_CONTESTS, MAX_OPTIONS},
    contest::{Contest, Rule},
};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// Contests of as many options each, of which exactly one is chosen; of a lone option, one or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Contests on the ballot.
    pub contests: u32,
    /// Options of each.
    pub options: u32,
}

impl Form {
    /// One of these contests.
    ///
    /// # Errors
    /// When there are more options than a contest has.
    pub fn contest(&self) -> Result<Contest, String> {
        let name = |value: &str| text(value).map_err(|bytes| format!("a name of {bytes} bytes"));
        let options = (1..=self.options)
            .map(|option| name(&format!("Option {option}")))
            .collect::<Result<Vec<_>, _>>()?;
        let rule = if self.options == 1 { Rule::plurality_or_none() } else { Rule::plurality() };
        let options = BoundedVec::try_from(options).map_err(|_| "too many options")?;
        Ok(Contest { title: name("Question")?, options, rule })
    }

    /// Range statements of all contests, where each takes several bits: one per option, or two for a lone one.
    #[must_use]
    pub fn statements(&self) -> usize {
        let each = if self.options == 1 { 2 } else { self.options };
        self.contests.saturating_mul(each) as usize
    }

    /// A vote for the option in that place, counted round.
    #[must_use]
    pub fn choices(&self, place: u64) -> Choices {
        let chosen = place % u64::from(self.options.max(1));
        let vote: Vec<u32> = (0..u64::from(self.options)).map(|option| u32::from(option == chosen)).collect();
        Choices((0..self.contests).map(|_| vote.clone()).collect())
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.contests {
            1 => f.pad(&self.options.to_string()),
            contests => f.pad(&format!("{contests}x{}", self.options)),
        }
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (contests, options) = text.split_once('x').unwrap_or(("1", text));
        let number = |text: &str, most: u32| {
            text.parse::<u32>().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
                format!("write the number of options (1 to {MAX_OPTIONS}), or CONTESTSxOPTIONS such as 4x10 (at most {MAX_CONTESTS} contests)")
            })
        };
        Ok(Self { contests: number(contests, MAX_CONTESTS)?, options: number(options, MAX_OPTIONS)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_their_votes_are_valid() {
        for (text, contests, options) in [("10", 1, 10), ("1", 1, 1), ("4x10", 4, 10)] {
            let form: Form = text.parse().unwrap();
            assert_eq!(form, Form { contests, options });
            assert_eq!(form.to_string(), text);
            let contest = form.contest().unwrap();
            for place in 0..3 {
                let votes = form.choices(place).0.clone();
                assert_eq!(votes.len(), contests as usize);
                assert!(votes.iter().all(|vote| contest.check(vote).is_ok()));
            }
        }
        for bad in ["0", "129", "17x1", "x", "2x", "ten"] {
            assert!(bad.parse::<Form>().is_err(), "{bad}");
        }
    }
}
