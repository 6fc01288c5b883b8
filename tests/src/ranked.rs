//! Ranked ballots of a real election, in the form `count,ranking`.
//!
//! Comment lines start with `#`; one of them names the options, `# 1 NAME; 2 NAME; …`. A ranking is
//! `4>1=2`: option 4 first, then 1 and 2 at one rank.

use anyhow::{bail, ensure, Context, Result};
use psephos_protocol::ballot::Choices;
use rand_core::RngCore;
use std::{collections::BTreeSet, fs, path::Path};

/// Bytes of the largest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What one voter ranked: groups of options, counted from 0, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking(Vec<Vec<usize>>);

/// All ballots of an election.
pub struct Ballots {
    /// The options' names.
    pub options: Vec<String>,
    /// Distinct rankings, each with how many voters gave it.
    lines: Vec<(u64, Ranking)>,
}

impl Ranking {
    /// The one option ranked first; none when the first rank marks several.
    pub fn first_choice(&self) -> Option<usize> {
        match self.0.first().map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        }
    }

    /// Whether the option is ranked at all.
    pub fn ranks(&self, option: usize) -> bool {
        self.0.iter().any(|group| group.contains(&option))
    }

    /// The ballot of this voter: the first choice in a plurality contest (or an undervote), and every
    /// ranked name in an approval contest.
    pub fn choices(&self, options: usize) -> Choices {
        let first = self.first_choice();
        let plurality = (0..options).map(|option| u32::from(first == Some(option))).collect();
        let approval = (0..options).map(|option| u32::from(self.ranks(option))).collect();
        Choices(vec![plurality, approval])
    }

    /// The same as `--vote` takes it.
    pub fn votes(&self, options: &[String]) -> Vec<String> {
        let named = |contest: &str, option: usize| format!("{contest}={}", options[option]);
        let approved = (0..options.len()).filter(|option| self.ranks(*option));
        let first = self.first_choice().into_iter().map(|option| named("First choice", option));
        first.chain(approved.map(|option| named("Approved", option))).collect()
    }
}

/// The plain count: per contest, per option.
pub fn plain_count<'a>(options: usize, rankings: impl Iterator<Item = &'a Ranking>) -> [Vec<u64>; 2] {
    let (mut first, mut approved) = (vec![0; options], vec![0; options]);
    for ranking in rankings {
        for (option, (first, approved)) in first.iter_mut().zip(&mut approved).enumerate() {
            *first += u64::from(ranking.first_choice() == Some(option));
            *approved += u64::from(ranking.ranks(option));
        }
    }
    [first, approved]
}

impl Ballots {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let size = fs::metadata(path).with_context(|| format!("{name}"))?.len();
        ensure!(size <= MAX_BYTES, "{name}: {size} bytes; the most is {MAX_BYTES}");
        let text = fs::read_to_string(path).with_context(|| format!("{name}"))?;
        Self::parse(&text).with_context(|| format!("{name}"))
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self> {
        let options = text
            .lines()
            .filter_map(|line| options(line.strip_prefix('#')?.trim()))
            .next()
            .context("no line names the options, such as `# 1 Ada; 2 Grace`")?;
        let mut lines = Vec::new();
        let rows =
            text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        for (index, line) in rows {
            if line.trim() == "count,ranking" {
                continue;
            }
            lines.push(row(line, options.len()).with_context(|| format!("line {}", index + 1))?);
        }
        ensure!(!lines.is_empty(), "there are no ballots");
        Ok(Self { options, lines })
    }

    /// How many ballots there are.
    pub fn len(&self) -> u64 {
        self.lines.iter().map(|(count, _)| count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws different ballots at random, without putting one back.
    pub fn draw(&self, count: usize, rng: &mut impl RngCore) -> Result<Vec<Ranking>> {
        let all = self.len();
        ensure!(count as u64 <= all, "--voters: {count} voters can't be drawn from {all} ballots");
        let mut drawn = BTreeSet::new();
        let mut order = Vec::with_capacity(count);
        while order.len() < count {
            let place = rng.next_u64() % all;
            if drawn.insert(place) {
                order.push(self.at(place).clone());
            }
        }
        Ok(order)
    }

    fn at(&self, mut place: u64) -> &Ranking {
        for (count, ranking) in &self.lines {
            if place < *count {
                return ranking;
            }
            place -= count;
        }
        unreachable!("the place is below the number of ballots")
    }
}

/// The names of `1 NAME; 2 NAME; …`.
fn options(line: &str) -> Option<Vec<String>> {
    let names: Vec<String> = line
        .split(';')
        .zip(1..)
        .map(|(part, number)| part.trim().strip_prefix(&format!("{number} ")).map(str::to_owned))
        .collect::<Option<_>>()?;
    (names.len() > 1).then_some(names)
}

fn row(line: &str, options: usize) -> Result<(u64, Ranking)> {
    let (count, ranking) = line.split_once(',').context("needs `count,ranking`")?;
    let count: u64 = count.trim().parse().with_context(|| format!("count: {count:?} is not a number"))?;
    ensure!(count > 0, "count: must be at least 1");
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    for group in ranking.trim().split('>') {
        let mut members = Vec::new();
        for option in group.split('=') {
            let number: usize =
                option.trim().parse().with_context(|| format!("ranking: {option:?} is no option"))?;
            if number == 0 || number > options {
                bail!("ranking: option {number} is not between 1 and {options}");
            }
            ensure!(seen.insert(number), "ranking: option {number} is ranked twice");
            members.push(number - 1);
        }
        groups.push(members);
    }
    Ok((count, Ranking(groups)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

    const FILE: &str = "# A title; with words\n# 1 Ada; 2 Grace; 3 Write-In\ncount,ranking\n3,2>1\n2,1=3\n";

    #[test]
    fn a_file_is_read_and_drawn_from() {
        let ballots = Ballots::parse(FILE).unwrap();
        assert_eq!((ballots.options.len(), ballots.len()), (3, 5));
        let drawn = ballots.draw(5, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert_eq!(drawn.iter().filter(|ranking| ranking.first_choice().is_none()).count(), 2);
        assert!(ballots.draw(6, &mut ChaCha20Rng::seed_from_u64(1)).is_err());
    }

    #[test]
    fn an_overvote_is_an_undervote_and_ranked_names_are_approved() {
        let ballots = Ballots::parse(FILE).unwrap();
        assert_eq!(ballots.at(0).choices(3).0, vec![vec![0, 1, 0], vec![1, 1, 0]]);
        assert_eq!(ballots.at(4).choices(3).0, vec![vec![0, 0, 0], vec![1, 0, 1]]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let bad = [
            ("3,2>1\n", "no line names the options"),
            ("# 1 A; 2 B\n", "there are no ballots"),
            ("# 1 A; 2 B\nx,1\n", "line 2"),
            ("# 1 A; 2 B\n0,1\n", "at least 1"),
            ("# 1 A; 2 B\n1,3\n", "not between 1 and 2"),
            ("# 1 A; 2 B\n1,1>1\n", "ranked twice"),
            ("# 1 A; 2 B\n1\n", "count,ranking"),
        ];
        for (text, expected) in bad {
            let error = format!("{:#}", Ballots::parse(text).err().unwrap());
            assert!(error.contains(expected), "{error}");
        }
    }
}
