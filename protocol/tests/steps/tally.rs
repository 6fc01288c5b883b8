//! The tally (spec 7): right totals from any t trustees, and no others from anybody.

use bounded_collections::BoundedVec;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use proptest::prelude::*;
use psephos_protocol::{
    ballot::{CastBallot, Signed},
    cells::Cells,
    contest::Rule,
    group::{Point, ScalarBytes},
    ids::{Digest, Eid, Genesis},
    keys::verify_signature,
    manifest::Style,
    tally::{
        reconstruct, Addition, CommitmentSums, Contribution, Counts, DealtSums, ElectionResult, ShareSums,
        TallyError, Turnout, Turnouts,
    },
    testing::{accepted_set, contest, name, Counted, Fixture, Params, TestVoter},
};

/// n = 5, t = 3; plurality of 3 and a score of 2; weights 1, 3 and 10; style 1 has the score alone.
fn election() -> (Fixture, Vec<Counted>) {
    let contests = vec![contest(3, Rule::plurality()), contest(2, Rule::score(4, 2))];
    let params = Params {
        contests,
        trustees: 5,
        threshold: 3,
        quorum: 4,
        voters: vec![1, 3, 10, 1, 3],
        ..Params::default()
    };
    let mut fixture = Fixture::with(&params, |manifest| {
        let style = Style { name: name("Score"), contests: vec![1].try_into().unwrap() };
        manifest.styles.try_push(style).unwrap();
    });
    fixture.voters[4].style = 1;
    let votes: [&[Vec<u32>]; 5] = [
        &[vec![1, 0, 0], vec![4, 4]],
        &[vec![0, 1, 0], vec![0, 2]],
        &[vec![0, 1, 0], vec![1, 0]],
        &[vec![0, 0, 1], vec![0, 0]],
        &[vec![3, 3]],
    ];
    let counted = votes.iter().enumerate().map(|(voter, votes)| fixture.cast(voter, 1, votes)).collect();
    (fixture, counted)
}

/// What a result of one cell gives.
fn verify(fixture: &Fixture, result: &ElectionResult, sums: &CommitmentSums) -> Result<Counts, TallyError> {
    let manifest = &fixture.election.manifest;
    result.verify(manifest, &Cells::all(manifest), sums).map(|totals| totals.election)
}

/// Σ w·v of the votes above.
const TOTALS: [&[u64]; 2] = [&[1, 13, 1], &[4 + 10 + 9, 4 + 6 + 9]];

fn contributions(fixture: &mut Fixture, ballots: &[Counted]) -> Vec<Contribution> {
    (1..=5).map(|trustee| fixture.contribute(trustee, ballots)).collect()
}

fn pick(all: &[Contribution], trustees: &[u8]) -> Vec<Contribution> {
    trustees.iter().map(|i| all[usize::from(*i)].clone()).collect()
}

fn add(scalar: &mut ScalarBytes, difference: Scalar) {
    *scalar = ScalarBytes::of(&(scalar.scalar().unwrap() + difference));
}

#[test]
fn any_t_contributions_give_the_totals() {
    let (mut fixture, ballots) = election();
    let sums = fixture.sums(&ballots);
    let all = contributions(&mut fixture, &ballots);
    let mut digests = Vec::new();
    for trustees in crate::subsets(5, 3) {
        let mut result = fixture.result(&ballots, &pick(&all, &trustees));
        assert_eq!(result.turnout.0.to_vec(), [turnout(4, 15), turnout(5, 18)]);
        assert_eq!(verify(&fixture, &result, &sums).unwrap(), TOTALS);
        result.contributors.clear();
        digests.push(result.digest(&fixture.election.eid, &all[0].root));
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "the openings don't depend on who opens");
}

fn turnout(ballots: u32, weight: u64) -> Turnout {
    Turnout { ballots, weight }
}

#[test]
fn a_wrong_contribution_never_verifies() {
    let (mut fixture, ballots) = election();
    let sums = fixture.sums(&ballots);
    let all = contributions(&mut fixture, &ballots);
    for trustees in [[0, 1, 2], [1, 3, 4]] {
        for liar in 0..3 {
            for column in 0..4 {
                for (f, g) in [(1u8, 0u8), (0, 1), (1, 1)] {
                    let mut given = pick(&all, &trustees);
                    let pair = &mut given[liar].sums[column];
                    add(&mut pair.0, Scalar::from(f));
                    add(&mut pair.1, -Scalar::from(g));
                    let verdict = verify(&fixture, &fixture.result(&ballots, &given), &sums);
                    assert_eq!(verdict, Err(TallyError::Opening { cell: 0, column }));
                }
            }
        }
    }
}

#[test]
fn an_opening_of_another_total_never_verifies() {
    let (mut fixture, ballots) = election();
    let sums = fixture.sums(&ballots);
    let all = contributions(&mut fixture, &ballots);
    let good = fixture.result(&ballots, &all[..3]);
    let one = Scalar::ONE;
    // T wrong, R wrong, both wrong, and one vote moved from one option to another.
    for (t, r) in [(one, Scalar::ZERO), (Scalar::ZERO, one), (one, -one), (-one, one)] {
        let mut result = good.clone();
        add(&mut result.openings[0].0, t);
        add(&mut result.openings[0].1, r);
        assert_eq!(verify(&fixture, &result, &sums), Err(TallyError::Opening { cell: 0, column: 0 }));
    }
    let mut moved = good.clone();
    add(&mut moved.openings[0].0, one);
    add(&mut moved.openings[1].0, -one);
    assert_eq!(verify(&fixture, &moved, &sums), Err(TallyError::Opening { cell: 0, column: 0 }));
    // Columns exchanged; a scalar plus ℓ.
    let mut swapped = good.clone();
    (swapped.openings[2], swapped.openings[3]) = (swapped.openings[3], swapped.openings[2]);
    assert_eq!(verify(&fixture, &swapped, &sums), Err(TallyError::Opening { cell: 0, column: 2 }));
    let mut long = good.clone();
    long.openings[1].1 = ScalarBytes([0xff; 32]);
    assert_eq!(verify(&fixture, &long, &sums), Err(TallyError::Opening { cell: 0, column: 1 }));
    let mut short = good.clone();
    short.openings.truncate(3);
    assert_eq!(verify(&fixture, &short, &sums), Err(TallyError::Shape));
    let mut one_contest = good;
    one_contest.turnout.0.truncate(1);
    assert_eq!(verify(&fixture, &one_contest, &sums), Err(TallyError::Shape));
}

#[test]
fn another_set_or_weight_has_other_sums() {
    let (mut fixture, ballots) = election();
    let all = contributions(&mut fixture, &ballots);
    let result = fixture.result(&ballots, &all[..3]);
    let manifest = &fixture.election.manifest;
    let refused = |sums: &CommitmentSums| {
        assert!(matches!(verify(&fixture, &result, sums), Err(TallyError::Opening { .. })));
    };
    refused(&fixture.sums(&ballots[1..]));
    refused(&fixture.sums(&ballots[..4]));
    let mut heavier = election().1;
    heavier[0].weight = 2;
    refused(&fixture.sums(&heavier));
    heavier[0].weight = 0;
    refused(&fixture.sums(&heavier));
    refused(&CommitmentSums::new(manifest, 1));
}

#[test]
fn sums_take_ballots_of_their_style_and_weight() {
    let (fixture, ballots) = election();
    let manifest = &fixture.election.manifest;
    let points = |ballot: &Counted| -> Vec<_> {
        let statement = &ballot.cast.signed.ballot.statement;
        statement.commitments.iter().map(|point| point.decompress().unwrap()).collect()
    };
    let (both, score) = (points(&ballots[0]), points(&ballots[4]));
    for weight in [0, 1, 2, 3, 10, 255, 1 << 63, u64::MAX] {
        let mut sums = CommitmentSums::new(manifest, 1);
        sums.add_vartime(manifest, 0, 0, weight, &both).unwrap();
        sums.add_vartime(manifest, 0, 1, 1, &score).unwrap();
        let weight = Scalar::from(weight);
        let expected =
            [weight * both[0], weight * both[1], weight * both[2] + score[0], weight * both[3] + score[1]];
        assert_eq!(sums.points(), expected);
    }
    let mut sums = CommitmentSums::new(manifest, 1);
    for (style, points) in [(0, &score), (1, &both), (2, &both)] {
        assert_eq!(sums.add_vartime(manifest, 0, style, 1, points), Err(TallyError::Shape));
    }
    assert_eq!(sums.points(), CommitmentSums::new(manifest, 1).points(), "a refused ballot adds nothing");
    // The same in one go, from encodings.
    let encoded = |points: &[RistrettoPoint]| points.iter().map(Point::of).collect::<Vec<_>>();
    let additions = [
        Addition { weight: 255, places: vec![0, 1, 2, 3], commitments: encoded(&both) },
        Addition { weight: 1, places: vec![2, 3], commitments: encoded(&score) },
    ];
    let empty = CommitmentSums::from_encodings(&CommitmentSums::new(manifest, 1).encodings()).unwrap();
    let together = empty.clone().add_all(&additions).unwrap();
    sums.add_vartime(manifest, 0, 0, 255, &both).unwrap();
    sums.add_vartime(manifest, 0, 1, 1, &score).unwrap();
    assert_eq!(together.points(), sums.points());
    let [mut outside, mut short, mut identity] = [(); 3].map(|()| additions.to_vec());
    outside[1].places[1] = 4;
    short[0].places.truncate(3);
    identity[0].commitments[0] = Point([0; 32]);
    for wrong in [outside, short, identity] {
        assert!(empty.clone().add_all(&wrong).is_none());
    }
    assert!(CommitmentSums::from_encodings(&[Point([0xff; 32])]).is_err());
    let mut shares = ShareSums::new(manifest, &Cells::all(manifest));
    assert_eq!(shares.add(manifest, 0, 1, 1, &ballots[0].shares[0]), Err(TallyError::Shape));
    assert_eq!(shares.add(manifest, 0, 2, 1, &ballots[0].shares[0]), Err(TallyError::Shape));
    assert!(shares.columns() == ShareSums::new(manifest, &Cells::all(manifest)).columns());
}

#[test]
fn exactly_t_trustees_contribute_in_order() {
    let (mut fixture, ballots) = election();
    let all = contributions(&mut fixture, &ballots);
    let manifest = &fixture.election.manifest;
    let given = |indices: &[u8]| {
        let sums = &all[0].sums;
        reconstruct(manifest, &indices.iter().map(|i| (*i, sums)).collect::<Vec<_>>()).map(|_| ())
    };
    assert_eq!(given(&[1, 3, 5]), Ok(()));
    for indices in
        [&[][..], &[1, 2], &[1, 2, 3, 4], &[1, 1, 2], &[3, 2, 1], &[0, 1, 2], &[1, 2, 6], &[1, 2, 255]]
    {
        assert_eq!(given(indices), Err(TallyError::Contributors), "{indices:?}");
    }
    let mut long = all[1].sums.clone();
    long[2].0 = ScalarBytes([0xff; 32]);
    let verdict = reconstruct(manifest, &[(1, &all[0].sums), (2, &long), (3, &all[2].sums)]);
    assert_eq!(verdict.err(), Some(TallyError::Scalar(2)));
    let mut short = all[1].sums.clone();
    short.truncate(3);
    let verdict = reconstruct(manifest, &[(1, &all[0].sums), (2, &short), (3, &all[2].sums)]);
    assert_eq!(verdict.err(), Some(TallyError::Shape));
}

#[test]
fn a_contribution_is_of_one_trustee_set_and_election() {
    let (mut fixture, ballots) = election();
    let good = fixture.contribute(2, &ballots);
    assert_eq!(good.root, accepted_set(&ballots).root());
    let holds = |c: &Contribution| c.verify(&fixture.election, verify_signature);
    assert!(holds(&good));
    for trustee in [0, 1, 3, 6] {
        assert!(!holds(&Contribution { trustee, ..good.clone() }));
    }
    assert!(!holds(&Contribution { root: Digest([1; 32]), ..good.clone() }));
    assert!(!holds(&Contribution { eid: Eid([1; 32]), ..good.clone() }));
    for column in 0..4 {
        let mut changed = good.clone();
        add(&mut changed.sums[column].0, Scalar::ONE);
        assert!(!holds(&changed));
        let mut changed = good.clone();
        add(&mut changed.sums[column].1, Scalar::ONE);
        assert!(!holds(&changed));
    }
    let mut short = good.clone();
    short.sums.truncate(3);
    assert!(!holds(&short));
    let elsewhere =
        psephos_protocol::election::Election { genesis: Genesis([8; 32]), ..fixture.election.clone() };
    assert!(!good.verify(&elsewhere, verify_signature));
}

#[test]
fn totals_stay_within_the_turnout() {
    let (fixture, _) = election();
    let manifest = &fixture.election.manifest;
    let totals = |openings: [u64; 4], weights: [u64; 2]| {
        let openings = openings.map(|t| (ScalarBytes::of(&Scalar::from(t)), ScalarBytes::default()));
        let turnouts = weights.map(|weight| turnout(1, weight));
        ElectionResult {
            openings: openings.to_vec().try_into().unwrap(),
            turnout: Turnouts(turnouts.to_vec().try_into().unwrap()),
            contributors: BoundedVec::default(),
        }
        .totals(manifest, &Cells::all(manifest))
        .map(|totals| totals.election)
    };
    let refused = |contest| Err(TallyError::Total { cell: 0, contest });
    // The last option of the plurality is what is left of the weight.
    assert_eq!(totals([3, 4, 0, 0], [10, 1]), Ok(vec![vec![3, 4, 3], vec![0, 0]]));
    assert_eq!(totals([3, 4, 0, 0], [7, 1]), Ok(vec![vec![3, 4, 0], vec![0, 0]]));
    assert_eq!(totals([3, 4, 0, 0], [6, 1]), refused(0));
    assert_eq!(totals([11, 0, 0, 0], [10, 1]), refused(0));
    assert_eq!(totals([u64::MAX, 1, 0, 0], [10, 1]), refused(0));
    // The score takes 0 to 4 for each weight.
    assert_eq!(totals([0, 0, 8, 8], [1, 2]), Ok(vec![vec![0, 0, 1], vec![8, 8]]));
    assert_eq!(totals([0, 0, 9, 0], [1, 2]), refused(1));
    assert_eq!(totals([0, 0, 0, 0], [1, u64::MAX]), refused(1));
    assert_eq!(totals([0, 0, 0, 0], [0, 0]), Ok(vec![vec![0; 3], vec![0; 2]]));
    // A total is a number below 2^64, not anything mod ℓ.
    let minus_one = ScalarBytes::of(&-Scalar::ONE);
    assert_eq!((minus_one.as_u64(), ScalarBytes([0; 32]).as_u64()), (None, Some(0)));
    let mut openings = vec![(ScalarBytes::default(), ScalarBytes::default()); 4];
    openings[3].0 = minus_one;
    let result = ElectionResult {
        openings: openings.try_into().unwrap(),
        turnout: Turnouts(vec![turnout(1, 1); 2].try_into().unwrap()),
        contributors: BoundedVec::default(),
    };
    assert_eq!(result.totals(manifest, &Cells::all(manifest)).map(|totals| totals.election), refused(1));
}

#[test]
fn totals_stay_within_the_rules_sums() {
    let contests = vec![contest(3, Rule::choose(1, 2))];
    let fixture = Fixture::new(&Params { contests, ..Params::default() });
    let totals = |openings: [u64; 3]| {
        let openings = openings.map(|t| (ScalarBytes::of(&Scalar::from(t)), ScalarBytes::default()));
        ElectionResult {
            openings: openings.to_vec().try_into().unwrap(),
            turnout: Turnouts(vec![turnout(10, 10)].try_into().unwrap()),
            contributors: BoundedVec::default(),
        }
        .totals(&fixture.election.manifest, &Cells::all(&fixture.election.manifest))
        .map(|totals| totals.election)
    };
    assert!(totals([10, 10, 0]).is_ok() && totals([3, 3, 4]).is_ok());
    for openings in [[3, 3, 3], [10, 10, 1], [11, 0, 0]] {
        assert_eq!(totals(openings), Err(TallyError::Total { cell: 0, contest: 0 }), "{openings:?}");
    }
}

#[test]
fn the_digest_covers_the_whole_result() {
    let (mut fixture, ballots) = election();
    let all = contributions(&mut fixture, &ballots);
    let (eid, root) = (fixture.election.eid, all[0].root);
    let good = fixture.result(&ballots, &all[..3]);
    let base = good.digest(&eid, &root);
    assert_ne!(good.digest(&Eid([1; 32]), &root), base);
    assert_ne!(good.digest(&eid, &Digest([1; 32])), base);
    let changes: [fn(&mut ElectionResult); 5] = [
        |r| add(&mut r.openings[0].0, Scalar::ONE),
        |r| add(&mut r.openings[3].1, Scalar::ONE),
        |r| r.turnout.0[1].ballots += 1,
        |r| r.turnout.0[0].weight += 1,
        |r| r.contributors[2] += 1,
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        assert_ne!(changed.digest(&eid, &root), base);
    }
}

/// Four units in two cells, {0, 1} and {2, 3}, for a minimum of 2.
fn per_unit() -> (Fixture, Vec<Counted>) {
    let contests = vec![contest(3, Rule::plurality()), contest(2, Rule::score(4, 2))];
    let (voters, units) = (vec![1, 1, 3, 1, 3, 1, 3, 3, 1], vec![0, 1, 0, 1, 1, 2, 2, 2, 3]);
    let params =
        Params { contests, trustees: 5, quorum: 4, voters, units, by_unit: true, ..Params::default() };
    let mut fixture = Fixture::with(&params, |manifest| manifest.privacy_minimum = 2);
    let counted = (0..9usize)
        .map(|voter| {
            let mut vote = vec![0; 3];
            vote[voter % 3] = 1;
            fixture.cast(voter, 1, &[vote, vec![voter as u32 % 5, 1]])
        })
        .collect();
    (fixture, counted)
}

#[test]
fn totals_are_per_cell_and_add_up() {
    let (mut fixture, ballots) = per_unit();
    let manifest = fixture.election.manifest.clone();
    let (cells, sums) = (fixture.cells(&ballots), fixture.sums(&ballots));
    assert_eq!(cells.units().collect::<Vec<_>>(), [0..2, 2..4]);
    let all = contributions(&mut fixture, &ballots)[..2].to_vec();
    let result = fixture.result(&ballots, &all);
    let totals = result.verify(&manifest, &cells, &sums).unwrap();
    // By hand, w·v of voters 0 to 4 and of 5 to 8.
    let expected = [[vec![2, 4, 3], vec![1 + 2 * 3 + 3 + 4 * 3, 9]], [vec![3, 3, 2], vec![3 + 2 * 3 + 3, 8]]];
    assert_eq!(totals.cells, expected);
    assert_eq!(totals.election, [vec![5, 7, 5], vec![34, 17]]);
    let weights = result.turnout.0.iter().map(|turnout| (turnout.ballots, turnout.weight));
    assert_eq!(weights.collect::<Vec<_>>(), [(5, 9), (5, 9), (4, 8), (4, 8)]);
    // Sums and turnouts per unit, joined, are those of the cells.
    let (mut by_unit, mut turnout) = (CommitmentSums::new(&manifest, 4), Turnouts::new(&manifest, 4));
    for ballot in &ballots {
        let (statement, unit) = (&ballot.cast.signed.ballot.statement, usize::from(ballot.unit));
        let points: Vec<_> = statement.commitments.iter().map(|point| point.decompress().unwrap()).collect();
        by_unit.add_vartime(&manifest, unit, 0, ballot.weight, &points).unwrap();
        turnout.add(&manifest, unit, 0, ballot.weight).unwrap();
        assert_eq!(by_unit.add_vartime(&manifest, 4, 0, 1, &points), Err(TallyError::Shape), "no such unit");
    }
    assert_eq!(by_unit.join(&manifest, &cells).points(), sums.points());
    assert_eq!(turnout.join(&manifest, &cells), result.turnout);
    // Not over other cells.
    let shape = Err(TallyError::Shape);
    assert_eq!(result.verify(&manifest, &Cells::all(&manifest), &sums), shape);
    assert_eq!(result.verify(&manifest, &cells, &by_unit), shape);
}

#[test]
fn openings_of_one_cell_open_no_other() {
    let (mut fixture, ballots) = per_unit();
    let manifest = fixture.election.manifest.clone();
    let (cells, sums, columns) = (fixture.cells(&ballots), fixture.sums(&ballots), manifest.columns());
    let all = contributions(&mut fixture, &ballots)[..2].to_vec();
    let mut swapped = all.clone();
    swapped[1].sums.iter_mut().into_slice().rotate_left(columns);
    let wrong = fixture.result(&ballots, &swapped).verify(&manifest, &cells, &sums);
    assert_eq!(wrong, Err(TallyError::Opening { cell: 0, column: 0 }));
    let mut result = fixture.result(&ballots, &all);
    (result.openings[1], result.openings[columns + 1]) = (result.openings[columns + 1], result.openings[1]);
    assert_eq!(result.verify(&manifest, &cells, &sums), Err(TallyError::Opening { cell: 0, column: 1 }));
    // A vote moved from one cell to another leaves the election's total as it was.
    let mut moved = fixture.result(&ballots, &all);
    add(&mut moved.openings[columns].0, Scalar::from(8u8));
    add(&mut moved.openings[0].0, -Scalar::ONE);
    assert_eq!(moved.totals(&manifest, &cells), Err(TallyError::Total { cell: 1, contest: 0 }));
}

#[test]
fn a_contribution_fits_the_dealings_of_its_cells() {
    let (mut fixture, _) = per_unit();
    let manifest = fixture.election.manifest.clone();
    let signed: Vec<_> = (0..9).map(|voter| fixture.sign(voter, 1, &[vec![1, 0, 0], vec![2, 0]])).collect();
    let counted = |(signed, voter): (&Signed, &TestVoter)| Counted {
        cast: CastBallot { signed: signed.ballot.clone(), receipts: BoundedVec::default() },
        hash: signed.hash,
        shares: signed.shares.clone(),
        weight: voter.weight,
        unit: voter.unit,
    };
    let ballots: Vec<Counted> = signed.iter().zip(&fixture.voters).map(counted).collect();
    let cells = fixture.cells(&ballots);
    let mut dealt = DealtSums::new(&manifest, &cells);
    for (ballot, signed) in ballots.iter().zip(&signed) {
        let commitments = &signed.ballot.ballot.statement.commitments;
        let mut add =
            |cell| dealt.add_vartime(&manifest, cell, 0, ballot.weight, commitments, &signed.dealing);
        assert_eq!(add(2), Err(TallyError::Shape), "there are two cells");
        add(ballot.cell(&cells)).unwrap();
    }
    let good = fixture.contribute(2, &ballots);
    assert!(dealt.fit(&good));
    let mut swapped = good.clone();
    swapped.sums.iter_mut().into_slice().rotate_left(manifest.columns());
    assert!(!dealt.fit(&swapped), "the right values, each in the other cell");
    let mut short = good;
    short.sums.truncate(manifest.columns());
    assert!(!dealt.fit(&short));
}

proptest! {
    #![proptest_config(crate::cases(64))]

    /// Up to t liars together, errors that cancel included: the result is right or there is none.
    #[test]
    fn liars_may_stop_a_tally_and_not_bend_it(
        errors in prop::collection::vec((0usize..3, 0usize..4, any::<bool>(), -3i64..4), 1..5),
        cancel: bool,
    ) {
        let (mut fixture, ballots) = election();
        let sums = fixture.sums(&ballots);
        let mut given = contributions(&mut fixture, &ballots);
        given.truncate(3);
        // The coefficients of trustees 1, 2, 3 at 0 are 3, −3 and 1: these two errors cancel.
        let plan: Vec<_> = match (cancel, errors.first()) {
            (true, Some((_, column, f, error))) => vec![(0, *column, *f, *error), (1, *column, *f, *error)],
            _ => errors,
        };
        for (liar, column, f, error) in plan {
            let size = Scalar::from(error.unsigned_abs());
            let pair = &mut given[liar].sums[column];
            add(if f { &mut pair.0 } else { &mut pair.1 }, if error < 0 { -size } else { size });
        }
        let totals = verify(&fixture, &fixture.result(&ballots, &given), &sums);
        if let Ok(totals) = &totals {
            prop_assert_eq!(totals, &TOTALS);
        }
        if cancel {
            prop_assert!(totals.is_ok());
        }
    }
}
