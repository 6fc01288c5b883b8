//! Groups and cells (spec 7.1): no cell shows fewer ballots than the minimum.

use codec::{DecodeAll, Encode};
use proptest::prelude::*;
use psephos_protocol::{
    cells::{together, Cells, Groups, SmallGroup},
    manifest::{Manifest, Style},
    testing::{name, Fixture, Params},
};

/// Weights 1 and 3, two styles with the same contest, that many units.
fn manifest(units: usize, minimum: u32) -> Manifest {
    let params = Params { voters: vec![1, 3], units: vec![0], by_unit: true, ..Params::default() };
    Fixture::with(&params, |manifest| {
        let style = Style { name: name("Other"), contests: vec![0].try_into().unwrap() };
        manifest.styles.try_push(style).unwrap();
        let units: Vec<_> = (0..units).map(|unit| name(&format!("Unit {unit}"))).collect();
        manifest.units = units.try_into().unwrap();
        manifest.privacy_minimum = minimum;
    })
    .election
    .manifest
}

/// Ballots per unit: of each weight with each style.
type Ballots = [[u32; 2]; 2];

fn groups(manifest: &Manifest, units: &[Ballots]) -> Vec<Groups> {
    let of_unit = |ballots: &Ballots| {
        let mut groups = Groups::new(manifest);
        for (weight, styles) in [1, 3].into_iter().zip(ballots) {
            for (style, count) in (0u16..).zip(styles) {
                (0..*count).for_each(|_| groups.add(manifest, weight, style));
            }
        }
        groups
    };
    units.iter().map(of_unit).collect()
}

fn ends(cells: &Cells) -> Vec<u16> {
    cells.units().map(|units| units.end).collect()
}

#[test]
fn cells_are_the_shortest_runs_that_keep_the_minimum() {
    // The minimum; per unit, ballots of one kind and of another; for each cell, one more than its last unit.
    type Case<'a> = (u32, &'a [[u32; 2]], &'a [u16]);
    let cases: [Case<'_>; 16] = [
        (3, &[[3, 0], [3, 0], [3, 0]], &[1, 2, 3]),
        (3, &[[2, 0], [1, 0], [3, 0]], &[2, 3]),
        // Units without ballots join the next, or at the end the run before them.
        (3, &[[0, 0], [3, 0], [0, 0]], &[3]),
        (3, &[[5, 0], [0, 0], [2, 0], [4, 0], [1, 0]], &[1, 5]),
        (3, &[[4, 0], [2, 0], [2, 0], [2, 0]], &[1, 4]),
        (3, &[[4, 0], [2, 0], [2, 0], [2, 0], [2, 0]], &[1, 3, 5]),
        // One kind alone may be few.
        (3, &[[5, 1], [5, 2], [5, 0]], &[2, 3]),
        (3, &[[5, 5], [5, 1], [5, 2]], &[1, 3]),
        // What is left over needs a run before the last: that has too few of its kind.
        (3, &[[5, 5], [5, 0], [0, 1]], &[3]),
        (3, &[[9, 0], [5, 5], [5, 0], [5, 0], [0, 2]], &[1, 5]),
        (3, &[[9, 0], [0, 9], [0, 2]], &[1, 3]),
        // Nothing keeps the minimum: one cell, which is withheld.
        (3, &[[2, 0], [0, 2]], &[2]),
        (3, &[[5, 0], [5, 0], [0, 2]], &[3]),
        // No ballots at all.
        (3, &[[0, 0], [0, 0]], &[2]),
        // A minimum of one asks for a ballot.
        (1, &[[1, 0], [0, 0], [0, 1]], &[1, 3]),
        (0, &[[0, 0], [1, 0], [0, 1]], &[2, 3]),
    ];
    for (minimum, units, expected) in cases {
        let mut manifest = manifest(units.len(), minimum);
        let by_style: Vec<Ballots> = units.iter().map(|[one, other]| [[*one, *other], [0, 0]]).collect();
        let by_weight: Vec<Ballots> = units.iter().map(|[one, other]| [[*one, 0], [*other, 0]]).collect();
        for ballots in [by_style, by_weight] {
            let groups = groups(&manifest, &ballots);
            assert_eq!(ends(&Cells::of(&manifest, &groups)), expected, "{minimum} {units:?}");
        }
        manifest.by_unit = false;
        let all = groups(&manifest, &[[[1, 0], [0, 0]]]);
        let one = Cells::of(&manifest, &all);
        assert_eq!((one.len(), ends(&one)), (1, vec![units.len() as u16]), "totals are not per unit");
    }
}

#[test]
fn small_groups_that_are_public_need_a_ballot_only() {
    let mut manifest = manifest(4, 10);
    let groups = groups(&manifest, &[[[0, 0]; 2], [[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0]; 2]]);
    assert_eq!(ends(&Cells::of(&manifest, &groups)), [4]);
    manifest.small_groups_public = true;
    assert_eq!(ends(&Cells::of(&manifest, &groups)), [2, 4]);
}

#[test]
fn a_group_below_the_minimum_is_named() {
    let manifest = manifest(1, 3);
    let small = |ballots: Ballots| groups(&manifest, &[ballots])[0].small(&manifest);
    assert_eq!(small([[0, 0], [0, 0]]), None);
    assert_eq!(small([[3, 3], [0, 0]]), None);
    assert_eq!(small([[3, 0], [2, 0]]), Some(SmallGroup::Weight(2, 3)));
    assert_eq!(small([[3, 2], [0, 0]]), Some(SmallGroup::Style(2, 1)));
    let mut groups = groups(&manifest, &[[[3, 2], [0, 0]]]).remove(0);
    (0..2).for_each(|_| groups.remove(&manifest, 1, 1));
    assert_eq!((groups.small(&manifest), groups.is_empty()), (None, false));
}

#[test]
fn only_a_partition_of_the_units_fits() {
    let manifest = manifest(4, 3);
    let fits = |ends: &[u16]| Cells::decode_all(&mut ends.encode().as_slice()).unwrap().fit(&manifest);
    for good in [&[4][..], &[1, 4], &[1, 2, 3, 4]] {
        assert!(fits(good), "{good:?}");
    }
    for wrong in [&[][..], &[3], &[0, 4], &[5], &[2, 2, 4], &[3, 2, 4], &[4, 4], &[2, 5]] {
        assert!(!fits(wrong), "{wrong:?}");
    }
}

proptest! {
    #![proptest_config(crate::cases(crate::rounds(512)))]

    #[test]
    fn every_cell_keeps_the_minimum(
        units in prop::collection::vec(any::<[[u8; 2]; 2]>(), 1..12),
        minimum in 0u32..8,
        sparse: bool,
    ) {
        let most = if sparse { 3 } else { 9 };
        let units: Vec<Ballots> =
            units.iter().map(|unit| unit.map(|styles| styles.map(|count| u32::from(count) % most))).collect();
        let manifest = manifest(units.len(), minimum);
        let groups = groups(&manifest, &units);
        let cells = Cells::of(&manifest, &groups);
        prop_assert!(cells.fit(&manifest));
        prop_assert_eq!(Cells::decode_all(&mut cells.encode().as_slice()), Ok(cells.clone()));
        // The cells are a partition, in order.
        let joined: Vec<u16> = cells.units().flatten().collect();
        prop_assert_eq!(joined, (0..units.len() as u16).collect::<Vec<_>>());
        for (cell, range) in cells.units().enumerate() {
            for unit in range.clone() {
                prop_assert_eq!(cells.cell_of(unit), Some(cell));
            }
            let own = together(&manifest, &groups[usize::from(range.start)..usize::from(range.end)]);
            // Each has ballots and no group below the minimum, or it is alone.
            let keeps = own.small(&manifest).is_none() && !own.is_empty();
            prop_assert!(keeps || cells.len() == 1);
            // One that does not keep it is alone because all ballots together do not.
            prop_assert_eq!(own.small(&manifest).is_some(), together(&manifest, &groups).small(&manifest).is_some());
            // No unit before its last would have ended it, but where what was left over joined.
            let last = cell + 1 == cells.len();
            for end in range.start + 1..range.end {
                let part = together(&manifest, &groups[usize::from(range.start)..usize::from(end)]);
                prop_assert!(last || part.small(&manifest).is_some() || part.is_empty());
            }
        }
        prop_assert_eq!(cells.cell_of(units.len() as u16), None);
        // What the units have is joined to what the cells have.
        let numbers: Vec<u64> = (0..2 * units.len() as u64).map(|place| 1 << place).collect();
        let sums = cells.join(2, &numbers, |sum, more| *sum += more);
        let mut expected = vec![0u64; 2 * cells.len()];
        for (place, number) in numbers.iter().enumerate() {
            expected[2 * cells.cell_of((place / 2) as u16).unwrap() + place % 2] += number;
        }
        prop_assert_eq!(sums, expected);
    }
}
