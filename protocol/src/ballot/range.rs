//! What a ballot's range proof is about (spec 6.2.1): the statements of all its contests, in ballot order,
//! padded to a power of two by repeating the last.
//!
//! **Why no value wraps.** A value and a sum of at most 2^16 values, each below 2^64, are far below
//! the group order; so is each limit. A negative number mod ℓ is above 2^64 and has no proof.

use alloc::vec::Vec;
use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};

use crate::{
    contest::{scalar, Contest, Statement},
    group::Point,
    range_proof::{Shape, WIDTHS},
};

/// What a ballot of some contests consists of.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The shape of its range proof.
    pub shape: Shape,
    /// Commitments to options.
    pub options: usize,
    /// Commitments to slack bits.
    pub slack: usize,
    parts: Vec<Part>,
}

/// One contest's part.
#[derive(Clone, Debug)]
struct Part {
    statements: Vec<Statement>,
    options: usize,
    slack: usize,
}

impl Layout {
    /// The layout for these contests, in ballot order. The width is the least that serves them all.
    #[must_use]
    pub fn of(contests: &[&Contest]) -> Self {
        let width = if contests.iter().all(|contest| contest.is_binary()) {
            1
        } else {
            let largest = contests.iter().map(|contest| contest.largest()).max().unwrap_or(0);
            let needed = 64u32.saturating_sub(u64::from(largest).leading_zeros());
            WIDTHS.into_iter().find(|width| u32::from(*width) >= needed).unwrap_or(64)
        };
        let slack = |contest: &Contest| if width == 1 { contest.slack_weights().len() } else { 0 };
        let parts: Vec<Part> = contests
            .iter()
            .map(|contest| Part {
                statements: contest.statements(width),
                options: contest.committed(),
                slack: slack(contest),
            })
            .collect();
        let total = |count: fn(&Part) -> usize| parts.iter().map(count).fold(0, usize::saturating_add);
        let statements = total(|part| part.statements.len()).checked_next_power_of_two();
        Self {
            shape: Shape { width, statements: statements.unwrap_or(usize::MAX) },
            options: total(|part| part.options),
            slack: total(|part| part.slack),
            parts,
        }
    }

    /// Each contest's statements with its part of `options` and `slack`, put together.
    fn each<'a, T: Clone>(
        &'a self,
        mut options: &'a [T],
        mut slack: &'a [T],
    ) -> impl Iterator<Item = Option<(&'a [Statement], Vec<T>)>> {
        self.parts.iter().map(move |part| {
            let (own, others) = options.split_at_checked(part.options)?;
            let (own_slack, other_slack) = slack.split_at_checked(part.slack)?;
            (options, slack) = (others, other_slack);
            Some((part.statements.as_slice(), [own, own_slack].concat()))
        })
    }

    /// The commitments of all statements, in order and padded; `None` if there are too few.
    #[must_use]
    pub fn commitments(
        &self,
        options: &[Committed],
        slack: &[Committed],
    ) -> Option<Vec<CompressedRistretto>> {
        let mut out = Vec::with_capacity(self.shape.statements);
        for part in self.each(options, slack) {
            let (statements, committed) = part?;
            let points: Vec<RistrettoPoint> = committed.iter().map(|committed| committed.point).collect();
            for statement in statements {
                out.push(match statement.lone() {
                    Some(place) => CompressedRistretto(committed.get(place)?.encoding.0),
                    None => statement.commitment(&points)?.compress(),
                });
            }
        }
        pad(out, self.shape.statements)
    }

    /// The openings of all statements, in order and padded; `None` if one is negative or there are too few.
    pub(super) fn openings(
        &self,
        options: &[(u32, Scalar)],
        slack: &[(u32, Scalar)],
    ) -> Option<Vec<(u64, Scalar)>> {
        let mut out = Vec::with_capacity(self.shape.statements);
        for part in self.each(options, slack) {
            let (statements, committed) = part?;
            let (values, blindings): (Vec<u32>, Vec<Scalar>) = committed.into_iter().unzip();
            for statement in statements {
                out.push((statement.value(&values)?, statement.blinding(&blindings)?));
            }
        }
        pad(out, self.shape.statements)
    }

    /// From the scalars of all statements' commitments in a sum, those of the ballot's own commitments to
    /// options and to slack bits, and that of B.
    pub(super) fn own_scalars(&self, of_statements: &[Scalar]) -> (Vec<Scalar>, Vec<Scalar>, Scalar) {
        let mut options = Vec::with_capacity(self.options);
        let mut slack = Vec::with_capacity(self.slack);
        let mut constant = Scalar::ZERO;
        let mut of_statements = of_statements.iter();
        let last = self.parts.len().saturating_sub(1);
        for (index, part) in self.parts.iter().enumerate() {
            let mut own = alloc::vec![Scalar::ZERO; part.options.saturating_add(part.slack)];
            let end = part.statements.len().saturating_sub(1);
            for (place, statement) in part.statements.iter().enumerate() {
                let mut of_this = of_statements.next().copied().unwrap_or_default();
                if index == last && place == end {
                    // The padding repeats the last statement.
                    of_this += of_statements.by_ref().sum::<Scalar>();
                }
                if statement.constant != 0 {
                    constant += of_this * scalar(statement.constant);
                }
                for (place, coefficient) in &statement.terms {
                    if let Some(sum) = own.get_mut(*place) {
                        match coefficient {
                            1 => *sum += of_this,
                            -1 => *sum -= of_this,
                            _ => *sum += of_this * scalar(*coefficient),
                        }
                    }
                }
            }
            slack.extend(own.split_off(part.options));
            options.extend(own);
        }
        (options, slack, constant)
    }
}

/// A commitment of a ballot, as it came and as a group element.
#[derive(Clone, Copy)]
pub struct Committed {
    /// As it came.
    pub encoding: Point,
    /// The group element.
    pub point: RistrettoPoint,
}

/// Repeats the last item until there are `length`.
fn pad<T: Clone>(mut items: Vec<T>, length: usize) -> Option<Vec<T>> {
    let last = items.last()?.clone();
    items.resize(length, last);
    Some(items)
}
