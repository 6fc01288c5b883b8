//! Every valid vote is proved and verifies, every invalid one is refused (spec 3.3, 6.2). That an
//! invalid witness never verifies is tested inside the crate, where the check can be gone around.

use proptest::prelude::*;
use psephos_protocol::{
    ballot::PrepareError,
    contest::{Contest, Rule, VoteError},
    manifest::{Manifest, Style},
    testing::{contest, name, Fixture, Params},
};

/// A rule of each kind with a number of options that it fits.
fn arb_contest() -> impl Strategy<Value = Contest> {
    (2usize..7, 1u32..6, 0usize..6).prop_map(|(options, limit, kind)| {
        let k = options as u32;
        let rule = match kind {
            0 => Rule::plurality(),
            1 => Rule::plurality_or_none(),
            2 => Rule::approval(k),
            3 => Rule::choose(limit.min(k) / 2, limit.min(k)),
            4 => Rule::cumulative(limit),
            _ => Rule::score(limit, k),
        };
        contest(options, rule)
    })
}

/// A valid vote: points are given one by one, where there is room, until the target sum.
fn arb_vote(contest: &Contest) -> impl Strategy<Value = Vec<u32>> {
    let (k, rule) = (contest.len(), contest.rule);
    (rule.min_sum..=rule.max_sum, any::<prop::sample::Index>()).prop_map(move |(sum, start)| {
        let mut vote = vec![0; k];
        let mut place = start.index(k);
        for _ in 0..sum {
            while vote[place] == rule.max_each {
                place = (place + 1) % k;
            }
            vote[place] += 1;
            place = (place + start.index(k) + 1) % k;
        }
        vote
    })
}

fn arb_ballot() -> impl Strategy<Value = (Vec<Contest>, Vec<Vec<u32>>)> {
    prop::collection::vec(arb_contest(), 1..4).prop_flat_map(|contests| {
        let votes: Vec<_> = contests.iter().map(|contest| arb_vote(contest).boxed()).collect();
        (Just(contests), votes)
    })
}

proptest! {
    #![proptest_config(crate::cases(48))]

    #[test]
    fn every_valid_vote_verifies((contests, votes) in arb_ballot()) {
        let mut fixture = Fixture::new(&Params { contests, ..Params::default() });
        let prepared = fixture.prepare(0, 1, &votes).expect("a valid vote");
        prop_assert!(prepared.ballot().verify(&fixture.election, &fixture.generators).is_ok());
    }

    #[test]
    fn every_invalid_vote_is_refused(contest in arb_contest(), vote in prop::collection::vec(0u32..8, 0..8)) {
        let rule = contest.rule;
        let sum: u32 = vote.iter().sum();
        let valid = vote.len() == contest.len()
            && vote.iter().all(|value| *value <= rule.max_each)
            && (rule.min_sum..=rule.max_sum).contains(&sum);
        prop_assert_eq!(contest.check(&vote).is_ok(), valid);
        let mut fixture = Fixture::new(&Params { contests: vec![contest], ..Params::default() });
        match fixture.prepare(0, 1, &[vote]) {
            Ok(_) => prop_assert!(valid),
            Err(PrepareError::Vote { contest: 0, .. }) => prop_assert!(!valid),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn refusals_name_option_and_limit() {
    let plurality = contest(3, Rule::plurality());
    assert_eq!(plurality.check(&[1, 0]), Err(VoteError::Length { options: 3, values: 2 }));
    assert_eq!(plurality.check(&[0, 2, 0]), Err(VoteError::Value { option: 1, value: 2, limit: 1 }));
    assert_eq!(plurality.check(&[1, 0, 1]), Err(VoteError::Sum { sum: 2, least: 1, most: 1 }));
    assert_eq!(plurality.check(&[0, 0, 0]), Err(VoteError::Sum { sum: 0, least: 1, most: 1 }));
    let score = contest(2, Rule::score(u32::MAX, 1));
    assert_eq!(
        score.check(&[u32::MAX; 2]),
        Err(VoteError::Sum { sum: 2 * u64::from(u32::MAX), least: 0, most: u32::MAX })
    );
}

/// Three contests; style 1 has the last two, style 2 the first alone.
fn styles(manifest: &mut Manifest) {
    for contests in [vec![1, 2], vec![0]] {
        let style = Style { name: name("Some"), contests: contests.try_into().unwrap() };
        manifest.styles.try_push(style).unwrap();
    }
}

#[test]
fn a_ballot_has_the_contests_of_its_style() {
    let contests = vec![
        contest(3, Rule::plurality()),
        contest(4, Rule::choose(1, 2)),
        contest(2, Rule::score(1_000_000, 2)),
    ];
    let mut fixture = Fixture::with(&Params { contests, ..Params::default() }, styles);
    let votes = [vec![0, 1, 0], vec![1, 0, 0, 1], vec![1_000_000, 0]];
    for (style, own, committed, width) in
        [(0, &votes[..], 2 + 4 + 2, 32), (1, &votes[1..], 4 + 2, 32), (2, &votes[..1], 2, 1)]
    {
        fixture.voters[0].style = style;
        let prepared = fixture.prepare(0, 1, own).unwrap();
        let ballot = prepared.ballot();
        assert_eq!((ballot.statement.commitments.len(), ballot.width), (committed, width));
        assert!(ballot.verify(&fixture.election, &fixture.generators).is_ok());
        // As another style it has another shape or another statement.
        for other in 0..4 {
            let mut ballot = ballot.clone();
            ballot.statement.style = other;
            assert_eq!(ballot.verify(&fixture.election, &fixture.generators).is_ok(), other == style);
        }
    }
    fixture.voters[0].style = 1;
    let error = fixture.prepare(0, 1, &votes).err();
    assert_eq!(error, Some(PrepareError::Contests { contests: 2, votes: 3 }));
    let error = fixture.prepare(0, 1, &[vec![2, 0, 0, 0], vec![0, 0]]).err();
    let value = VoteError::Value { option: 0, value: 2, limit: 1 };
    assert_eq!(error, Some(PrepareError::Vote { contest: 0, error: value }));
    fixture.voters[0].style = 3;
    assert_eq!(fixture.prepare(0, 1, &votes).err(), Some(PrepareError::Style(3)));
}

#[test]
fn every_width_proves() {
    let widths =
        [(1, 1), (2, 2), (3, 2), (4, 4), (15, 4), (16, 8), (255, 8), (256, 16), (65_535, 16), (65_536, 32)];
    for (max, width) in widths.into_iter().chain([(u32::MAX, 32)]) {
        let contests = vec![contest(1, Rule::score(max, 1))];
        let mut fixture = Fixture::new(&Params { contests, ..Params::default() });
        for value in [0, 1, max - 1, max] {
            let prepared = fixture.prepare(0, 1, &[vec![value]]).unwrap();
            assert_eq!(prepared.ballot().width, width);
        }
    }
}

#[test]
fn slack_bits_hold_every_sum_in_range_and_no_other() {
    for k in 1..=40u32 {
        for (least, most) in (0..=k).flat_map(|most| (0..=most).map(move |least| (least, most))) {
            let contest = contest(k as usize, Rule::choose(least, most));
            let weights = contest.slack_weights();
            let ranged = least != most && (least > 0 || most < k);
            let held: u32 = weights.iter().sum::<u32>() + 1;
            if ranged {
                assert_eq!(held, most - least, "{least} to {most} of {k}");
                assert!(weights.len() <= 6);
            } else {
                assert!(weights.is_empty());
            }
            for sum in least..=most {
                let slack = contest.slack(&[sum]);
                let held: u32 = slack.iter().zip(&weights).map(|(bit, weight)| bit * weight).sum();
                assert!(slack.len() == weights.len() && slack.iter().all(|bit| *bit <= 1));
                // What is left is the computed bit.
                assert!(!ranged || most - sum - held <= 1, "{sum} in {least} to {most} of {k}");
            }
        }
    }
}
