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

use super::{Ballot, BallotError, Committed, Layout, Statement};
use crate::{
    combination::Combination,
    contest::{Contest, Rule},
    group::{commit, Point},
    ids::Digest,
    range_proof::{prove, Generators, RangeProof, Shape},
    testing::{contest, Fixture, Params},
    transcript,
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

/// What a cheat commits to for one contest.
#[derive(Clone)]
struct Forced {
    /// The values of the committed options.
    options: Vec<Scalar>,
    /// Those of the slack bits; the best there are for these options if not given.
    slack: Option<Vec<Scalar>>,
}

impl Forced {
    fn options(options: &[Scalar]) -> Self {
        Self { options: options.to_vec(), slack: None }
    }

    /// All committed values.
    fn values(&self, contest: &Contest, slack: usize) -> Vec<Scalar> {
        assert_eq!(self.options.len(), contest.committed());
        let best = || {
            let sum = low_bits(&self.options.iter().sum::<Scalar>()).min(u64::from(contest.rule.max_sum));
            contest.slack(&[sum as u32]).into_iter().map(Scalar::from).collect::<Vec<_>>()
        };
        let slack = if slack == 0 { Vec::new() } else { self.slack.clone().unwrap_or_else(best) };
        [self.options.clone(), slack].concat()
    }
}

/// The ballot of a prover that checks nothing.
fn force(fixture: &mut Fixture, forced: &[Forced], width: Option<u8>) -> Ballot {
    let paper = fixture.paper(0, 1);
    let contests: Vec<&Contest> = fixture.election.manifest.contests.iter().collect();
    let layout = Layout::of(&contests);
    let shape = Shape { width: width.unwrap_or(layout.shape.width), ..layout.shape };
    let (mut options, mut slack, mut openings) = (Vec::new(), Vec::new(), Vec::new());
    for (contest, forced) in contests.iter().zip(forced) {
        let v = forced.values(contest, layout.slack);
        let r: Vec<Scalar> = v.iter().map(|_| Scalar::random(&mut fixture.rng)).collect();
        let points: Vec<Point> = v.iter().zip(&r).map(|(v, r)| Point::of(&commit(*v, *r))).collect();
        let (of_options, of_slack) = points.split_at(contest.committed());
        options.extend_from_slice(of_options);
        slack.extend_from_slice(of_slack);
        for statement in contest.statements(layout.shape.width) {
            let terms = statement.terms.iter().map(|(place, c)| scalar((*c).into()) * v[*place]);
            let value = scalar(statement.constant.into()) + terms.sum::<Scalar>();
            openings.push((low_bits(&value), statement.blinding(&r).unwrap()));
        }
    }
    openings.resize(shape.statements, *openings.last().unwrap());
    let committed = |points: &[Point]| -> Vec<Committed> {
        points.iter().map(|p| Committed { encoding: *p, point: p.decompress().unwrap() }).collect()
    };
    let ranges = layout.commitments(&committed(&options), &committed(&slack)).unwrap();
    let statement = Statement {
        version: crate::VERSION,
        eid: fixture.election.eid,
        style: paper.style,
        credential: paper.credential,
        sequence: paper.sequence,
        anchor: paper.anchor,
        expiry: paper.expiry,
        commitments: BoundedVec::truncate_from(options),
        slack: BoundedVec::truncate_from(slack),
        dealing: Digest([1; 32]),
    };
    let mut transcript = transcript::range_proof(&statement.encode());
    let generators = Generators::new(shape);
    let proof = prove(&generators, shape, &mut transcript, &ranges, &openings, &mut fixture.rng).unwrap();
    Ballot { statement, width: shape.width, proof: BoundedVec::truncate_from(proof) }
}

/// The verdict on a forced ballot of one contest.
fn verdict(options: usize, rule: Rule, committed: &[Scalar]) -> Result<(), BallotError> {
    let mut fixture = Fixture::new(&Params { contests: vec![contest(options, rule)], ..Params::default() });
    let ballot = force(&mut fixture, &[Forced::options(committed)], None);
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
fn slack_is_bits() {
    // One to four of five: slack bits of weight 2, committed, and 1, computed.
    let rule = Rule::choose(1, 4);
    let with_slack = |options: [i128; 5], slack: i128| {
        let mut fixture = Fixture::new(&Params { contests: vec![contest(5, rule)], ..Params::default() });
        let options = options.map(scalar).to_vec();
        let ballot = force(&mut fixture, &[Forced { options, slack: Some(vec![scalar(slack)]) }], None);
        assert_eq!(ballot.statement.slack.len(), 1);
        ballot.verify(&fixture.election, &fixture.generators).map(|_| ())
    };
    assert_eq!(with_slack([1, 1, 1, 1, 0], 0), VALID);
    assert_eq!(with_slack([1, 0, 0, 0, 0], 1), VALID);
    assert_eq!(with_slack([1, 1, 0, 0, 0], 1), VALID);
    assert_eq!(with_slack([1, 1, 0, 0, 0], 0), INVALID); // the computed bit would be 2
    assert_eq!(with_slack([0, 0, 0, 0, 0], 2), INVALID); // none, made up for by slack above 1
    assert_eq!(with_slack([1, 1, 1, 1, 1], -1), INVALID); // five, made up for by slack below 0
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
        let committed = [first, second].map(|values: [i128; 2]| Forced::options(&values.map(scalar)));
        let ballot = force(&mut fixture, &committed, None);
        assert_eq!(ballot.verify(&fixture.election, &fixture.generators).is_ok(), valid);
    }
}

#[test]
fn a_wider_range_is_not_the_rules() {
    // 16 bits hold more than 1, so a prover that may choose could pass a larger value.
    let mut fixture =
        Fixture::new(&Params { contests: vec![contest(2, Rule::approval(2))], ..Params::default() });
    let ballot = force(&mut fixture, &[Forced::options(&[Scalar::ONE; 2])], Some(16));
    assert_eq!(ballot.verify(&fixture.election, &fixture.generators).unwrap_err(), BallotError::Shape);
    // Neither is a proof of 16 bits under the name of 1.
    let ballot = Ballot { width: 1, ..ballot };
    assert_eq!(ballot.verify(&fixture.election, &fixture.generators).unwrap_err(), BallotError::Shape);
}

#[test]
fn every_field_of_the_statement_is_in_the_proof() {
    // Below the checks that compare some of these fields: the transcript alone must tell.
    let contests = [contest(3, Rule::plurality())];
    let contests: Vec<&Contest> = contests.iter().collect();
    let mut fixture = Fixture::new(&Params::default());
    let ballot = force(&mut fixture, &[Forced::options(&[Scalar::ONE, Scalar::ZERO])], None);
    let layout = Layout::of(&contests);
    let points: Vec<Committed> = ballot
        .statement
        .commitments
        .iter()
        .map(|p| Committed { encoding: *p, point: p.decompress().unwrap() })
        .collect();
    let ranges = layout.commitments(&points, &[]).unwrap();
    let proof = RangeProof::from_bytes(&ballot.proof, layout.shape).unwrap();
    let holds = |statement: &Statement| {
        let mut transcript = transcript::range_proof(&statement.encode());
        let weights = [3u8, 5].map(Scalar::from);
        let mut sum = Combination::default();
        let (generators, shape) = (&fixture.generators, layout.shape);
        let of_ranges = proof.add_to(&mut sum, generators, shape, &mut transcript, &ranges, weights).unwrap();
        ranges.iter().zip(of_ranges).for_each(|(range, scalar)| sum.encoded(range, scalar).unwrap());
        sum.holds(generators)
    };
    assert!(holds(&ballot.statement));
    let changes: [fn(&mut Statement); 12] = [
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
        |s| s.slack.try_push(Point([1; 32])).unwrap(),
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
