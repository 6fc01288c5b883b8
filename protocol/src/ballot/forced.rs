//! Tests: an invalid witness never verifies (spec 6.2).
//!
//! [`super::prepare`] refuses an invalid vote before it proves anything. A cheat doesn't, so these
//! tests go around it: they commit to any values mod ℓ and run the prover on what is left of each
//! statement's value in 64 bits. The result must verify exactly when the values are a valid vote.
//! Every statement of every rule is violated alone by some case, so that leaving it out of
//! [`Contest::statements`] makes a test fail.

use alloc::{vec, vec::Vec};
use bounded_collections::BoundedVec;
use codec::Encode;
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;

use super::{
    range::{self, Generators, Shape},
    Ballot, BallotError, Statement,
};
use crate::{
    contest::{Contest, Rule, Statement as Range},
    group::{commit, Point},
    ids::Digest,
    testing::{contest, Fixture, Params},
};

/// A value that may be anything mod ℓ.
fn scalar(value: i128) -> Scalar {
    let size = Scalar::from(value.unsigned_abs());
    if value < 0 {
        -size
    } else {
        size
    }
}

fn low_bits(scalar: &Scalar) -> u64 {
    u64::from_le_bytes(scalar.to_bytes()[..8].try_into().unwrap())
}

/// The ballot of a prover that checks nothing. `committed` are the values of the committed options.
fn force(fixture: &mut Fixture, committed: &[Vec<Scalar>], width: Option<u8>) -> Ballot {
    let paper = fixture.paper(0, 1);
    let contests: Vec<&Contest> = fixture.election.manifest.contests.iter().collect();
    let shape = Shape { width: width.unwrap_or(Shape::of(&contests).width), ..Shape::of(&contests) };
    let (mut commitments, mut values, mut blindings) = (Vec::new(), Vec::new(), Vec::new());
    for (contest, committed) in contests.iter().zip(committed) {
        assert_eq!(committed.len(), contest.committed());
        let mut v = committed.clone();
        let mut r: Vec<Scalar> = v.iter().map(|_| Scalar::random(&mut fixture.rng)).collect();
        commitments.extend(v.iter().zip(&r).map(|(v, r)| Point::of(&commit(*v, *r))));
        let constant = |n: u32| Scalar::from(n);
        let (min, max) = (constant(contest.rule.min_sum), constant(contest.rule.max_sum));
        if contest.last_is_computed() {
            v.push(min - v.iter().sum::<Scalar>());
            r.push(-r.iter().sum::<Scalar>());
        }
        let (sum, sum_r) = (v.iter().sum::<Scalar>(), r.iter().sum::<Scalar>());
        for statement in contest.statements() {
            let (value, blinding) = match statement {
                Range::Value(j) => (v[j], r[j]),
                Range::Upper(j) => (constant(contest.rule.max_each) - v[j], -r[j]),
                Range::SumUpper => (max - sum, -sum_r),
                Range::SumLower => (sum - min, sum_r),
            };
            values.push(low_bits(&value));
            blindings.push(blinding);
        }
    }
    values.resize(shape.statements, *values.last().unwrap());
    blindings.resize(shape.statements, *blindings.last().unwrap());
    let statement = Statement {
        version: crate::VERSION,
        eid: fixture.election.eid,
        style: paper.style,
        credential: paper.credential,
        sequence: paper.sequence,
        anchor: paper.anchor,
        expiry: paper.expiry,
        commitments: BoundedVec::truncate_from(commitments),
        dealing: Digest([1; 32]),
    };
    let generators = Generators::new(shape);
    let proof =
        range::prove(&generators, shape, &statement.encode(), &values, &blindings, &mut fixture.rng).unwrap();
    Ballot { statement, width: shape.width, proof: BoundedVec::truncate_from(proof) }
}

/// The verdict on a forced ballot of one contest.
fn verdict(options: usize, rule: Rule, committed: &[Scalar]) -> Result<(), BallotError> {
    let mut fixture = Fixture::new(&Params { contests: vec![contest(options, rule)], ..Params::default() });
    let ballot = force(&mut fixture, &[committed.to_vec()], None);
    ballot.verify(&fixture.election, &fixture.generators).map(|_| ())
}

fn small(options: usize, rule: Rule, committed: &[i128]) -> Result<(), BallotError> {
    verdict(options, rule, &committed.iter().copied().map(scalar).collect::<Vec<_>>())
}

const VALID: Result<(), BallotError> = Ok(());
const INVALID: Result<(), BallotError> = Err(BallotError::Proof);

#[test]
fn plurality_takes_exactly_one() {
    let rule = Rule::plurality();
    // The last option is computed: 1 − Σ of these.
    for (committed, verdict) in [
        ([0, 0], VALID),
        ([1, 0], VALID),
        ([0, 1], VALID),
        ([1, 1], INVALID), // the computed option is −1
        ([2, 0], INVALID),
        ([2, -1], INVALID),
        ([-1, 1], INVALID),
        ([0, -1], INVALID),
        ([256, -255], INVALID),
    ] {
        assert_eq!(small(3, rule, &committed), verdict, "{committed:?}");
    }
}

#[test]
fn an_undervote_is_none_and_not_less() {
    let rule = Rule::plurality_or_none();
    for (committed, verdict) in
        [([0, 0], VALID), ([0, 1], VALID), ([1, 1], INVALID), ([2, 0], INVALID), ([1, -1], INVALID)]
    {
        assert_eq!(small(2, rule, &committed), verdict, "{committed:?}");
    }
}

#[test]
fn a_lone_option_is_bounded() {
    for rule in [Rule::approval(1), Rule::plurality_or_none(), Rule::choose(0, 1)] {
        assert_eq!(small(1, rule, &[0]), VALID);
        assert_eq!(small(1, rule, &[1]), VALID);
        for value in [2, 200, 255, 256, -1] {
            assert_eq!(small(1, rule, &[value]), INVALID, "{value}");
        }
    }
    assert_eq!(small(1, Rule::score(5, 1), &[5]), VALID);
    assert_eq!(small(1, Rule::score(5, 1), &[6]), INVALID);
    assert_eq!(small(1, Rule::cumulative(5), &[6]), INVALID);
}

#[test]
fn approval_takes_each_once() {
    let rule = Rule::approval(3);
    assert_eq!(small(3, rule, &[1, 1, 1]), VALID);
    assert_eq!(small(3, rule, &[0, 0, 0]), VALID);
    for committed in [[2, 0, 0], [0, 3, 0], [1, 1, -1], [255, 0, 0], [0, 0, 256]] {
        assert_eq!(small(3, rule, &committed), INVALID, "{committed:?}");
    }
}

#[test]
fn choosing_is_bounded_on_both_sides() {
    let rule = Rule::choose(1, 2);
    assert_eq!(small(4, rule, &[1, 0, 0, 0]), VALID);
    assert_eq!(small(4, rule, &[1, 0, 0, 1]), VALID);
    assert_eq!(small(4, rule, &[0, 0, 0, 0]), INVALID); // the lower sum alone
    assert_eq!(small(4, rule, &[1, 1, 1, 0]), INVALID); // the upper sum alone
    assert_eq!(small(4, rule, &[2, 0, 0, 0]), INVALID); // one value alone
    assert_eq!(small(4, rule, &[2, -1, 0, 0]), INVALID);
}

#[test]
fn points_are_bounded_each_and_together() {
    let rule = Rule { max_each: 3, min_sum: 2, max_sum: 5 };
    assert_eq!(small(3, rule, &[3, 2, 0]), VALID);
    assert_eq!(small(3, rule, &[0, 2, 0]), VALID);
    for committed in [[4, 0, 0], [3, 3, 0], [1, 0, 0], [3, 3, -1], [4, 2, -1]] {
        assert_eq!(small(3, rule, &committed), INVALID, "{committed:?}");
    }
    // A fixed sum above max_each: the computed last option needs its upper bound too.
    let fixed = Rule { max_each: 3, min_sum: 5, max_sum: 5 };
    assert_eq!(small(3, fixed, &[2, 0]), VALID);
    assert_eq!(small(3, fixed, &[1, 0]), INVALID); // the last is 4
    assert_eq!(small(3, fixed, &[4, 0]), INVALID);
}

#[test]
fn values_do_not_wrap_around() {
    // In 8 bits, in 64 bits, and mod ℓ, where halves and inverses look small after a multiplication.
    let half = Scalar::from(2u8).invert();
    let two = Scalar::from(2u8);
    let power = |bits: u32| (0..bits).fold(Scalar::ONE, |power, _| power * two);
    for value in [power(8), power(16), power(32), power(63), power(64), power(128), power(252), half, -half] {
        for rule in [Rule::plurality(), Rule::approval(2), Rule::cumulative(7), Rule::score(9, 2)] {
            let options = 2;
            let committed =
                if rule.min_sum == rule.max_sum { vec![value] } else { vec![value, Scalar::ONE - value] };
            assert_eq!(verdict(options, rule, &committed), INVALID, "{rule:?}");
            let committed = vec![value; committed.len()];
            assert_eq!(verdict(options, rule, &committed), INVALID, "{rule:?}");
        }
    }
}

#[test]
fn one_bad_contest_spoils_the_ballot() {
    let contests = vec![contest(3, Rule::plurality()), contest(2, Rule::approval(2))];
    let mut fixture = Fixture::new(&Params { contests, ..Params::default() });
    for (first, second, valid) in [([1, 0], [1, 1], true), ([1, 1], [1, 1], false), ([1, 0], [2, 1], false)] {
        let committed = [first.map(scalar).to_vec(), second.map(scalar).to_vec()];
        let ballot = force(&mut fixture, &committed, None);
        assert_eq!(ballot.verify(&fixture.election, &fixture.generators).is_ok(), valid);
    }
}

#[test]
fn a_wider_range_is_not_the_rules() {
    // 16 bits hold more than 8, so a prover that may choose could pass a larger value.
    let mut fixture =
        Fixture::new(&Params { contests: vec![contest(2, Rule::approval(2))], ..Params::default() });
    let ballot = force(&mut fixture, &[vec![Scalar::ONE, Scalar::ONE]], Some(16));
    assert_eq!(ballot.verify(&fixture.election, &fixture.generators).unwrap_err(), BallotError::Shape);
    // Neither is a proof of 16 bits under the name of 8.
    let ballot = Ballot { width: 8, ..ballot };
    assert_eq!(ballot.verify(&fixture.election, &fixture.generators).unwrap_err(), BallotError::Shape);
}

#[test]
fn every_field_of_the_statement_is_in_the_proof() {
    // Below the checks that compare some of these fields: the transcript alone must tell.
    let contests = [contest(3, Rule::plurality())];
    let contests: Vec<&Contest> = contests.iter().collect();
    let mut fixture = Fixture::new(&Params::default());
    let ballot = force(&mut fixture, &[vec![Scalar::ONE, Scalar::ZERO]], None);
    let shape = Shape::of(&contests);
    let holds = |statement: &Statement| {
        let points: Vec<_> = ballot.statement.commitments.iter().map(|p| p.decompress().unwrap()).collect();
        let ranges = range::statement_commitments(&contests, &points);
        let statement = statement.encode();
        range::verify(&fixture.generators, shape, &statement, &ballot.hash(), &ballot.proof, &ranges)
    };
    assert!(holds(&ballot.statement));
    let changes: [fn(&mut Statement); 11] = [
        |s| s.version += 1,
        |s| s.eid.0[31] ^= 1,
        |s| s.style += 1,
        |s| s.credential.0[0] ^= 1,
        |s| s.sequence += 1,
        |s| s.anchor.number += 1,
        |s| s.anchor.hash[0] ^= 1,
        |s| s.expiry += 1,
        |s| s.commitments[0].0[0] ^= 2,
        |s| (s.commitments[0], s.commitments[1]) = (s.commitments[1], s.commitments[0]),
        |s| s.dealing.0[0] ^= 1,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut statement = ballot.statement.clone();
        change(&mut statement);
        assert!(!holds(&statement), "change {index} goes unnoticed");
    }
}

/// Rules that a manifest may hold, with their number of options.
fn arb_rule() -> impl Strategy<Value = (usize, Rule)> {
    (1usize..5, 1u32..5).prop_flat_map(|(options, max_each)| {
        let capacity = options as u32 * max_each;
        (1..=capacity).prop_flat_map(move |max_sum| {
            let least = if options == 1 { 0..max_sum } else { 0..max_sum + 1 };
            least.prop_map(move |min_sum| (options, Rule { max_each, min_sum, max_sum }))
        })
    })
}

fn arb_case() -> impl Strategy<Value = (usize, Rule, Vec<i128>)> {
    arb_rule().prop_flat_map(|(options, rule)| {
        let committed = contest(options, rule).committed();
        let most = i128::from(rule.max_each);
        let value = prop_oneof![10 => 0..=most, 1 => Just(-1i128), 1 => Just(most + 1)];
        (Just(options), Just(rule), proptest::collection::vec(value, committed))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ballot_verifies_exactly_when_its_values_are_a_valid_vote((options, rule, committed) in arb_case()) {
        let mut all = committed.clone();
        if rule.min_sum == rule.max_sum {
            all.push(i128::from(rule.min_sum) - all.iter().sum::<i128>());
        }
        let vote: Option<Vec<u32>> = all.iter().map(|value| u32::try_from(*value).ok()).collect();
        let valid = vote.is_some_and(|vote| contest(options, rule).check(&vote).is_ok());
        let expected = if valid { VALID } else { INVALID };
        prop_assert_eq!(small(options, rule, &committed), expected);
    }
}
