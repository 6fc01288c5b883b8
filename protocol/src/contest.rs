//! Contests and their rules (spec 3.3): the single place that knows what a valid vote is.
//!
//! A contest has k options; a vote gives each a value. A rule bounds each value and their sum.
//! Every rule becomes a list of [`Statement`]s, each saying that a linear combination of the
//! values is not negative; the ballot's range proof proves all of them at once.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::Identity};
use scale_info::TypeInfo;

use crate::{
    bounds::{Text, MAX_OPTIONS},
    group::commit,
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

/// One range statement: the named combination lies in `0..2^n` (spec 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `v_j ≥ 0`
    Value(usize),
    /// `max_each − v_j ≥ 0`
    Upper(usize),
    /// `max_sum − Σ v_j ≥ 0`
    SumUpper,
    /// `Σ v_j − min_sum ≥ 0`
    SumLower,
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

    /// The range statements of this contest, in the order in which they are proved.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        let Rule { max_each, min_sum, max_sum } = self.rule;
        let mut out: Vec<Statement> = (0..self.len()).map(Statement::Value).collect();
        let sum_is_bounded = min_sum == max_sum || u64::from(max_sum) < self.capacity();
        if !sum_is_bounded || max_sum > max_each {
            // Otherwise the bound on the sum implies the bound on each. A lone option with
            // max_sum = max_each has no bound on its sum, and needs its own.
            out.extend((0..self.len()).map(Statement::Upper));
        }
        if min_sum != max_sum {
            if u64::from(max_sum) < self.capacity() {
                out.push(Statement::SumUpper);
            }
            if min_sum > 0 {
                out.push(Statement::SumLower);
            }
        }
        out
    }

    /// The largest value that any statement of this contest has on a valid vote.
    #[must_use]
    pub fn largest(&self) -> u32 {
        let each = self.rule.max_each.min(self.rule.max_sum);
        if self.statements().iter().any(|s| matches!(s, Statement::SumUpper | Statement::SumLower)) {
            each.max(self.rule.max_sum)
        } else {
            each
        }
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

    /// All k commitments of this contest, from the committed ones: the last is computed when the
    /// sum is fixed, as `min_sum·B − Σ C_j`.
    #[must_use]
    pub fn all_commitments(&self, committed: &[RistrettoPoint]) -> Vec<RistrettoPoint> {
        let mut all = committed.to_vec();
        if self.last_is_computed() {
            let rest = committed.iter().sum::<RistrettoPoint>();
            all.push(constant(self.rule.min_sum) - rest);
        }
        all
    }

    /// All k blinding factors, from the committed ones (see [`Self::all_commitments`]).
    #[must_use]
    pub fn all_blindings(&self, committed: &[Scalar]) -> Vec<Scalar> {
        let mut all = committed.to_vec();
        if self.last_is_computed() {
            all.push(-committed.iter().sum::<Scalar>());
        }
        all
    }

    /// The commitment to a statement's value, from all k commitments of the contest.
    #[must_use]
    pub fn statement_commitment(&self, statement: Statement, all: &[RistrettoPoint]) -> RistrettoPoint {
        let at = |j: usize| all.get(j).copied().unwrap_or_else(RistrettoPoint::identity);
        match statement {
            Statement::Value(j) => at(j),
            Statement::Upper(j) => constant(self.rule.max_each) - at(j),
            Statement::SumUpper => constant(self.rule.max_sum) - all.iter().sum::<RistrettoPoint>(),
            Statement::SumLower => all.iter().sum::<RistrettoPoint>() - constant(self.rule.min_sum),
        }
    }

    /// The opening of a statement's commitment: its value, if not negative, and its blinding.
    #[must_use]
    pub fn statement_opening(
        &self,
        statement: Statement,
        vote: &[u32],
        blindings: &[Scalar],
    ) -> Option<(u64, Scalar)> {
        let value = |j: usize| vote.get(j).map(|v| u64::from(*v));
        let sum = || vote.iter().try_fold(0u64, |sum, v| sum.checked_add(u64::from(*v)));
        let blinding = |j: usize| blindings.get(j).copied();
        let total = || blindings.iter().sum::<Scalar>();
        match statement {
            Statement::Value(j) => Some((value(j)?, blinding(j)?)),
            Statement::Upper(j) => {
                Some((u64::from(self.rule.max_each).checked_sub(value(j)?)?, -blinding(j)?))
            }
            Statement::SumUpper => Some((u64::from(self.rule.max_sum).checked_sub(sum()?)?, -total())),
            Statement::SumLower => Some((sum()?.checked_sub(u64::from(self.rule.min_sum))?, total())),
        }
    }
}

/// The commitment to a public constant, without blinding.
fn constant(value: u32) -> RistrettoPoint {
    commit(Scalar::from(value), Scalar::ZERO)
}
