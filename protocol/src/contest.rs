//! Contests and their rules (spec 3.3): the single place that knows what a valid vote is.
//!
//! A contest has k options; a vote gives each a value. A rule bounds each value and their sum.
//! Every rule becomes a list of [`Statement`]s, each saying that a linear combination of committed
//! values lies in the proof's range; the ballot's range proof proves all of them at once.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{constants::RISTRETTO_BASEPOINT_POINT, ristretto::RistrettoPoint, scalar::Scalar};
use scale_info::TypeInfo;

use crate::{
    bounds::{Text, MAX_OPTIONS},
    group::multiply_vartime,
};

/// A contest: one question on the ballot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Contest {
    /// The question, in UTF-8.
    pub title: Text,
    /// The names of the options, in ballot order; an explicit blank vote is an option like any other.
    pub options: BoundedVec<Text, ConstU32<MAX_OPTIONS>>,
    /// What a valid vote is.
    pub rule: Rule,
}

/// The bounds of a valid vote: each value in `0..=max_each`, their sum in `min_sum..=max_sum`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Rule {
    /// The most that one option may be given.
    pub max_each: u32,
    /// The least that all options together may be given.
    pub min_sum: u32,
    /// The most that all options together may be given.
    pub max_sum: u32,
}

impl Rule {
    /// One option, no more and no less.
    #[must_use]
    pub const fn plurality() -> Self {
        Self { max_each: 1, min_sum: 1, max_sum: 1 }
    }

    /// One option or none (an undervote).
    #[must_use]
    pub const fn plurality_or_none() -> Self {
        Self { max_each: 1, min_sum: 0, max_sum: 1 }
    }

    /// Any number of `options` options.
    #[must_use]
    pub const fn approval(options: u32) -> Self {
        Self { max_each: 1, min_sum: 0, max_sum: options }
    }

    /// Between `least` and `most` options.
    #[must_use]
    pub const fn choose(least: u32, most: u32) -> Self {
        Self { max_each: 1, min_sum: least, max_sum: most }
    }

    /// Up to `points` points, spread at will.
    #[must_use]
    pub const fn cumulative(points: u32) -> Self {
        Self { max_each: points, min_sum: 0, max_sum: points }
    }

    /// A score of `0..=max` for each of `options` options.
    #[must_use]
    pub const fn score(max: u32, options: u32) -> Self {
        Self { max_each: max, min_sum: 0, max_sum: max.saturating_mul(options) }
    }
}

/// One range statement: `constant + Σ coefficient·value`, over what the ballot commits to for this contest
/// (its committed options, then its slack bits), lies in `0..2^width` (spec 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is added.
    pub constant: i64,
    /// Places of committed values with their coefficients.
    pub terms: Vec<(usize, i64)>,
}

impl Statement {
    /// `limit − self`.
    fn below(&self, limit: u32) -> Self {
        let negated = |n: i64| n.saturating_neg();
        Self {
            constant: i64::from(limit).saturating_sub(self.constant),
            terms: self.terms.iter().map(|(place, coefficient)| (*place, negated(*coefficient))).collect(),
        }
    }

    /// The place of the value that this statement is about, if it is about one alone.
    #[must_use]
    pub fn lone(&self) -> Option<usize> {
        match (self.constant, self.terms.as_slice()) {
            (0, [(place, 1)]) => Some(*place),
            _ => None,
        }
    }

    /// The statement's value, if it is not negative; `None` too when a place is not there.
    #[must_use]
    pub fn value(&self, values: &[u32]) -> Option<u64> {
        let sum = self.terms.iter().try_fold(self.constant, |sum, (place, coefficient)| {
            sum.checked_add(coefficient.checked_mul(i64::from(*values.get(*place)?))?)
        })?;
        u64::try_from(sum).ok()
    }

    /// The statement's blinding factor.
    #[must_use]
    pub fn blinding(&self, blindings: &[Scalar]) -> Option<Scalar> {
        self.terms
            .iter()
            .map(|(place, coefficient)| Some(scalar(*coefficient) * blindings.get(*place)?))
            .sum()
    }

    /// The commitment to the statement's value.
    #[must_use]
    pub fn commitment(&self, commitments: &[RistrettoPoint]) -> Option<RistrettoPoint> {
        let times = |coefficient: i64, point: &RistrettoPoint| {
            let multiple = multiply_vartime(coefficient.unsigned_abs(), point);
            if coefficient < 0 {
                -multiple
            } else {
                multiple
            }
        };
        let constant = times(self.constant, &RISTRETTO_BASEPOINT_POINT);
        self.terms.iter().try_fold(constant, |sum, (place, coefficient)| {
            Some(sum + times(*coefficient, commitments.get(*place)?))
        })
    }
}

/// A public number mod ℓ.
pub(crate) fn scalar(value: i64) -> Scalar {
    let size = Scalar::from(value.unsigned_abs());
    if value < 0 {
        -size
    } else {
        size
    }
}

/// Why a vote does not fit its contest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// Another number of values than options.
    #[error("the contest has {options} options and the vote gives {values} values")]
    Length {
        /// Options of the contest.
        options: usize,
        /// Values given.
        values: usize,
    },
    /// A value above the rule's limit.
    #[error("option {option} was given {value}; the most that one option may be given is {limit}")]
    Value {
        /// The option, counted from 0.
        option: usize,
        /// What it was given.
        value: u32,
        /// The rule's `max_each`.
        limit: u32,
    },
    /// A sum outside the rule's limits.
    #[error("all options together were given {sum}; the contest takes {least} to {most}")]
    Sum {
        /// What was given.
        sum: u64,
        /// The rule's `min_sum`.
        least: u32,
        /// The rule's `max_sum`.
        most: u32,
    },
}

impl Contest {
    /// How many options there are (k).
    #[must_use]
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// Whether there are no options; a validated contest has at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Whether the last option's commitment is computed from the others, because the sum is fixed.
    #[must_use]
    pub fn last_is_computed(&self) -> bool {
        self.rule.min_sum == self.rule.max_sum
    }

    /// How many commitments a ballot carries for this contest: k, or k − 1 when the last is computed.
    #[must_use]
    pub fn committed(&self) -> usize {
        self.len().saturating_sub(usize::from(self.last_is_computed()))
    }

    /// The most that all options can get together: k · max_each.
    fn capacity(&self) -> u64 {
        (self.len() as u64).saturating_mul(u64::from(self.rule.max_each))
    }

    /// Whether the rule takes several sums, but not all that the options can have.
    fn sum_has_range(&self) -> bool {
        let Rule { min_sum, max_sum, .. } = self.rule;
        min_sum != max_sum && (min_sum > 0 || u64::from(max_sum) < self.capacity())
    }

    /// Whether each option is a bit, so that one-bit ranges serve.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.rule.max_each == 1
    }

    /// The largest value that any statement of this contest has on a valid vote, unless its options are bits.
    #[must_use]
    pub fn largest(&self) -> u32 {
        let each = self.rule.max_each.min(self.rule.max_sum);
        if self.sum_has_range() {
            each.max(self.rule.max_sum)
        } else {
            each
        }
    }

    /// The weights of the slack bits that a one-bit ballot commits to for this contest (spec 3.3.3).
    ///
    /// For a range R = max_sum − min_sum and m = ⌊log2 R⌋, bits of the weights 2^(m−1), …, 2, 1 hold every
    /// number below 2^m, and with one more of weight R − 2^m + 1 every number up to R and none above.
    /// That one comes first. The bit of weight 1 makes `Σ v + Σ w·s = max_sum`: it is computed and not listed.
    #[must_use]
    pub fn slack_weights(&self) -> Vec<u32> {
        let range = self.rule.max_sum.saturating_sub(self.rule.min_sum);
        let Some(power) = range.checked_ilog2().and_then(|m| 1u32.checked_shl(m)) else { return Vec::new() };
        if power == 1 || !self.sum_has_range() {
            return Vec::new();
        }
        let first = range.saturating_sub(power).saturating_add(1);
        let halves = core::iter::successors(Some(power / 2), |power| Some(*power / 2));
        core::iter::once(first).chain(halves.take_while(|power| *power > 1)).collect()
    }

    /// The values of these slack bits for a valid vote.
    #[must_use]
    pub fn slack(&self, vote: &[u32]) -> Vec<u32> {
        let weights = self.slack_weights();
        let sum = vote.iter().fold(0u32, |sum, value| sum.saturating_add(*value));
        let mut rest = self.rule.max_sum.saturating_sub(sum);
        // What the bits after the first can hold together, that of weight 1 included.
        let others = weights.iter().skip(1).fold(1u32, |sum, weight| sum.saturating_add(*weight));
        weights
            .iter()
            .enumerate()
            .map(|(place, weight)| {
                let least = if place == 0 { others.saturating_add(1) } else { *weight };
                let bit = u32::from(rest >= least);
                rest = rest.saturating_sub(weight.saturating_mul(bit));
                bit
            })
            .collect()
    }

    /// The value of each option, as a statement.
    fn values(&self) -> Vec<Statement> {
        let mut out: Vec<Statement> = (0..self.committed())
            .map(|place| Statement { constant: 0, terms: [(place, 1)].into() })
            .collect();
        if self.last_is_computed() {
            let others =
                Statement { constant: 0, terms: (0..self.committed()).map(|place| (place, 1)).collect() };
            out.push(others.below(self.rule.min_sum));
        }
        out
    }

    /// The range statements of this contest in a proof of `width` bits, in the order in which they are
    /// proved (spec 3.3). The single place that turns rules into statements.
    #[must_use]
    pub fn statements(&self, width: u8) -> Vec<Statement> {
        let Rule { max_each, min_sum, max_sum } = self.rule;
        let mut out = self.values();
        let mut sum =
            Statement { constant: 0, terms: (0..self.committed()).map(|place| (place, 1)).collect() };
        if width == 1 {
            if self.sum_has_range() {
                let slack = (self.committed()..).zip(self.slack_weights());
                for (place, weight) in slack {
                    out.push(Statement { constant: 0, terms: [(place, 1)].into() });
                    sum.terms.push((place, i64::from(weight)));
                }
                out.push(sum.below(max_sum));
            }
            return out;
        }
        // The bound on each, unless the width or the bound on the sum implies it.
        let fills_the_range = u64::from(max_each).checked_add(1) == 1u64.checked_shl(u32::from(width));
        let sum_has_upper = min_sum == max_sum || u64::from(max_sum) < self.capacity();
        let implied = fills_the_range || (sum_has_upper && max_sum <= max_each);
        if !implied {
            let uppers: Vec<Statement> = out.iter().map(|value| value.below(max_each)).collect();
            out.extend(uppers);
        }
        if self.sum_has_range() {
            if u64::from(max_sum) < self.capacity() {
                out.push(sum.below(max_sum));
            }
            if min_sum > 0 {
                sum.constant = i64::from(min_sum).saturating_neg();
                out.push(sum);
            }
        }
        out
    }

    /// Checks a vote against the rule.
    ///
    /// # Errors
    /// The first way in which it does not fit.
    pub fn check(&self, vote: &[u32]) -> Result<(), VoteError> {
        if vote.len() != self.len() {
            return Err(VoteError::Length { options: self.len(), values: vote.len() });
        }
        let limit = self.rule.max_each;
        if let Some((option, value)) = vote.iter().enumerate().find(|(_, value)| **value > limit) {
            return Err(VoteError::Value { option, value: *value, limit });
        }
        let sum = vote.iter().map(|value| u64::from(*value)).fold(0u64, u64::saturating_add);
        if sum < u64::from(self.rule.min_sum) || sum > u64::from(self.rule.max_sum) {
            return Err(VoteError::Sum { sum, least: self.rule.min_sum, most: self.rule.max_sum });
        }
        Ok(())
    }
}
