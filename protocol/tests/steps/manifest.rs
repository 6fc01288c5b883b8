//! The manifest's rules (spec 3.1), each broken alone.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    board::BoardError,
    bounds::Text,
    contest::Rule,
    election::Election,
    ids::{Digest, Genesis},
    keys::PublicKey,
    manifest::{least_quorum, Manifest, ManifestError, Style, Trustee},
    testing::{contest, name, Fixture, Params},
};

fn valid() -> Manifest {
    Fixture::new(&Params::default()).election.manifest
}

fn verdict(change: impl FnOnce(&mut Manifest)) -> Result<(), ManifestError> {
    let mut manifest = valid();
    change(&mut manifest);
    manifest.validate()
}

fn broken(change: impl FnOnce(&mut Manifest), error: ManifestError) {
    assert_eq!(verdict(change), Err(error));
}

fn not_utf8() -> Text {
    vec![0xff].try_into().unwrap()
}

#[test]
fn the_fixture_is_valid() {
    assert_eq!(verdict(|_| ()), Ok(()));
}

#[test]
fn version_and_generators_are_those_of_this_software() {
    broken(|m| m.version = 0, ManifestError::Version(0));
    broken(|m| m.version = 2, ManifestError::Version(2));
    broken(|m| m.generators = Digest::default(), ManifestError::Generators);
}

#[test]
fn lists_have_at_least_one() {
    broken(|m| m.contests.clear(), ManifestError::Empty("contests"));
    broken(|m| m.contests[0].options.clear(), ManifestError::Empty("contests[].options"));
    broken(|m| m.styles.clear(), ManifestError::Empty("styles"));
    broken(|m| m.units.clear(), ManifestError::Empty("units"));
    broken(|m| m.weights.clear(), ManifestError::Empty("weights"));
    broken(|m| m.registrars.clear(), ManifestError::Empty("registrars"));
}

#[test]
fn names_are_utf8() {
    broken(|m| m.title = not_utf8(), ManifestError::Text("title"));
    broken(|m| m.contests[0].title = not_utf8(), ManifestError::Text("contests[].title"));
    broken(|m| m.contests[0].options[2] = not_utf8(), ManifestError::Text("contests[].options"));
    broken(|m| m.styles[0].name = not_utf8(), ManifestError::Text("styles[].name"));
    broken(|m| m.units[0] = not_utf8(), ManifestError::Text("units"));
    broken(|m| m.trustees[3].name = not_utf8(), ManifestError::Text("trustees[].name"));
}

#[test]
fn rules_can_be_fulfilled() {
    let rule = |options: usize, max_each, min_sum, max_sum| {
        verdict(|m| m.contests[0] = contest(options, Rule { max_each, min_sum, max_sum }))
    };
    let broken =
        |max_each, min_sum, max_sum| Err(ManifestError::Rule { contest: 0, max_each, min_sum, max_sum });
    assert_eq!(rule(3, 0, 0, 0), broken(0, 0, 0));
    assert_eq!(rule(3, 1, 0, 0), broken(1, 0, 0));
    assert_eq!(rule(3, 1, 2, 1), broken(1, 2, 1));
    assert_eq!(rule(3, 1, 0, 4), broken(1, 0, 4));
    assert_eq!(rule(3, u32::MAX, 0, u32::MAX), Ok(()));
    assert_eq!(rule(1, 1, 1, 1), broken(1, 1, 1));
    assert_eq!(rule(1, 1, 0, 1), Ok(()));
    assert_eq!(rule(2, 1, 1, 1), Ok(()));
    assert_eq!(rule(3, 1, 3, 3), Ok(()));
    // Two wrong contests: the first is named. A right one before it: its number is.
    let second = verdict(|m| m.contests.try_push(contest(1, Rule::plurality())).unwrap());
    assert!(matches!(second, Err(ManifestError::Rule { contest: 1, .. })));
}

#[test]
fn styles_name_contests_in_order() {
    let style = |contests: &[u16]| {
        verdict(|m| {
            m.contests.try_push(contest(2, Rule::approval(2))).unwrap();
            let contests = contests.to_vec().try_into().unwrap();
            m.styles.try_push(Style { name: name("Second"), contests }).unwrap();
        })
    };
    for good in [&[0][..], &[1], &[0, 1]] {
        assert_eq!(style(good), Ok(()));
    }
    for bad in [&[][..], &[1, 0], &[0, 0], &[2], &[0, 2], &[u16::MAX]] {
        assert_eq!(style(bad), Err(ManifestError::Style(1)), "{bad:?}");
    }
}

#[test]
fn ballots_stay_small() {
    // 64 options of 32 bits with upper bounds: 128 statements of 32 bits are just allowed.
    let score = |options| verdict(|m| m.contests[0] = contest(options, Rule::score(70_000, options as u32)));
    assert_eq!(score(64), Ok(()));
    assert_eq!(score(65), Err(ManifestError::TooLarge { style: 0, bits: 8_192 }));
    // Contests of 128 options in 8 bits, each with a bound on its sum: four have 512 commitments, but
    // no ballot may have all four.
    let contests = |count: u16, style: &[u16]| {
        verdict(|m| {
            m.contests = vec![contest(128, Rule::cumulative(200)); usize::from(count)].try_into().unwrap();
            m.styles[0].contests = style.to_vec().try_into().unwrap();
        })
    };
    assert_eq!(contests(4, &[0]), Ok(()));
    assert_eq!(contests(4, &[1, 2, 3]), Ok(()));
    assert_eq!(contests(4, &[0, 1, 2, 3]), Err(ManifestError::TooLarge { style: 0, bits: 8_192 }));
    assert_eq!(contests(5, &[0]), Err(ManifestError::Columns(640)));
}

#[test]
fn weights_ascend_from_more_than_zero() {
    let weights = |weights: &[u64]| verdict(|m| m.weights = weights.to_vec().try_into().unwrap());
    assert_eq!(weights(&[1, 2, 10]), Ok(()));
    for bad in [&[0][..], &[0, 1], &[1, 1], &[2, 1], &[1, 3, 2]] {
        assert_eq!(weights(bad), Err(ManifestError::Weights), "{bad:?}");
    }
}

#[test]
fn totals_stay_below_two_to_the_64() {
    let total = |weight: u64, voters: u32, max: u32| {
        verdict(|m| {
            m.weights = vec![1, weight].try_into().unwrap();
            m.max_voters = voters;
            m.contests = vec![contest(2, Rule::cumulative(max))].try_into().unwrap();
        })
    };
    assert_eq!(total(u64::MAX, 1, 1), Ok(()));
    assert_eq!(total(u64::MAX, 2, 1), Err(ManifestError::Overflow));
    assert_eq!(total(u64::MAX, 1, 2), Err(ManifestError::Overflow));
    assert_eq!(total(u64::MAX / 10_000_000, 10_000_000, 1), Ok(()));
    assert_eq!(total(u64::MAX / 10_000_000 + 1, 10_000_000, 1), Err(ManifestError::Overflow));
    assert_eq!(total(1 << 31, 1 << 16, 1 << 17), Err(ManifestError::Overflow));
}

#[test]
fn caps_and_times_are_in_range() {
    broken(|m| m.max_voters = 0, ManifestError::MaxVoters);
    broken(|m| m.max_voters = 10_000_001, ManifestError::MaxVoters);
    assert_eq!(verdict(|m| m.max_voters = 10_000_000), Ok(()));
    broken(|m| m.max_ballots = 0, ManifestError::MaxBallots);
    broken(|m| m.max_ballots = 33, ManifestError::MaxBallots);
    assert_eq!(verdict(|m| m.max_ballots = 32), Ok(()));
    broken(|m| m.closes_at = m.opens_at, ManifestError::Times);
    broken(|m| m.closes_at = m.opens_at - 1, ManifestError::Times);
    assert_eq!(verdict(|m| m.closes_at = m.opens_at + 1), Ok(()));
}

#[test]
fn keys_have_one_role_each() {
    let board = |m: &Manifest| m.board.members[0];
    broken(|m| m.registrars[0] = board(m), ManifestError::SharedKey);
    broken(|m| m.trustees[1].signing = board(m), ManifestError::SharedKey);
    broken(|m| m.trustees[1].signing = m.trustees[0].signing, ManifestError::SharedKey);
    broken(|m| m.trustees[1].signing = m.registrars[0], ManifestError::SharedKey);
    broken(|m| m.registrars.try_push(m.registrars[0]).unwrap(), ManifestError::SharedKey);
    broken(|m| m.trustees[2].kem = m.trustees[1].kem.clone(), ManifestError::Trustee(2));
    broken(|m| m.trustees[2].kem.truncate(1_215), ManifestError::Trustee(2));
    broken(|m| m.trustees[0].kem.clear(), ManifestError::Trustee(0));
}

#[test]
fn a_board_can_act_and_counts_nobody_twice() {
    let threshold = |threshold| ManifestError::Board(BoardError::Threshold { threshold, members: 3 });
    broken(|m| m.board.threshold = 0, threshold(0));
    broken(|m| m.board.threshold = 4, threshold(4));
    assert_eq!(verdict(|m| m.board.threshold = 3), Ok(()));
    broken(|m| m.board.members[2] = m.board.members[0], ManifestError::Board(BoardError::Duplicate));
    let empty = ManifestError::Board(BoardError::Threshold { threshold: 2, members: 0 });
    broken(|m| m.board.members.clear(), empty);
}

/// A manifest with n trustees whose keys differ; nobody holds them.
fn trustees(n: u8) -> Vec<Trustee> {
    let key = |index: u8| PublicKey([200 + index; 32]);
    let kem = |index: u8| vec![index; 1_216].try_into().unwrap();
    (0..n).map(|index| Trustee { name: name("T"), signing: key(index), kem: kem(index) }).collect()
}

fn quorum(base: &Manifest, n: u8, t: u8, q: u8) -> Result<(), ManifestError> {
    let trustees = trustees(n).try_into().unwrap();
    Manifest { trustees, threshold: t, quorum: q, ..base.clone() }.validate()
}

#[test]
fn the_quorums_of_the_specification_hold() {
    let base = valid();
    for (n, t, q) in [(3, 2, 3), (4, 2, 3), (5, 3, 4), (7, 3, 5), (7, 4, 6)] {
        assert_eq!(least_quorum(usize::from(n), t), usize::from(q));
        assert_eq!(quorum(&base, n, t, q), Ok(()));
        assert!(quorum(&base, n, t, q - 1).is_err());
    }
}

#[test]
fn a_rehearsal_holds_back_a_trustee_where_it_can() {
    for held in 1..=4 {
        assert_eq!(verdict(|m| m.rehearsal = Some(held)), Ok(()));
    }
    broken(|m| m.rehearsal = Some(5), ManifestError::Rehearsal);
    broken(|m| m.rehearsal = Some(0), ManifestError::Rehearsal);
    let all = |held| {
        verdict(|m| {
            m.quorum = 4;
            m.rehearsal = Some(held);
        })
    };
    assert_eq!(all(0), Ok(()));
    assert_eq!(all(1), Err(ManifestError::Rehearsal));
    let held = Manifest { rehearsal: Some(2), ..valid() };
    assert_eq!([1, 2, 3].map(|trustee| held.takes_part(trustee)), [true, false, true]);
}

#[test]
fn sums_per_unit_stay_few() {
    let units = |units: usize, by_unit| {
        verdict(|m| {
            m.contests[0] = contest(17, Rule::plurality());
            m.units = vec![name("A"); units].try_into().unwrap();
            m.by_unit = by_unit;
        })
    };
    assert_eq!(units(256, true), Ok(()));
    assert_eq!(units(256, false), Ok(()));
    let wide = verdict(|m| {
        m.contests[0] = contest(18, Rule::plurality());
        m.units = vec![name("A"); 256].try_into().unwrap();
        m.by_unit = true;
    });
    assert_eq!(wide, Err(ManifestError::Sums(4_352)));
}

#[test]
fn two_quorums_share_t_trustees() {
    let base = valid();
    for n in 0..=16u8 {
        for t in 0..=n + 1 {
            for q in 0..=n + 1 {
                // Any two sets of q of n have at least 2q − n in common.
                let shared = 2 * i32::from(q) - i32::from(n);
                let allowed = t >= 2 && t < n && q <= n && shared >= i32::from(t);
                let error = ManifestError::Quorum { n: usize::from(n), t, q };
                let expected = if allowed { Ok(()) } else { Err(error) };
                assert_eq!(quorum(&base, n, t, q), expected, "n = {n}, t = {t}, q = {q}");
            }
        }
    }
}

#[test]
fn an_identifier_is_of_one_chain_number_and_manifest() {
    let manifest = valid();
    let eid = |genesis: u8, number, manifest: Manifest| {
        Election::new(Genesis([genesis; 32]), number, manifest).unwrap().eid
    };
    let base = eid(1, 1, manifest.clone());
    assert_eq!(eid(1, 1, manifest.clone()), base);
    assert_ne!(eid(2, 1, manifest.clone()), base);
    assert_ne!(eid(1, 2, manifest.clone()), base);
    let changes: [fn(&mut Manifest); 22] = [
        |m| m.title = name("Other"),
        |m| m.contests[0].title = name("Other"),
        |m| m.contests[0].options[0] = name("Other"),
        |m| m.contests[0].rule = Rule::approval(3),
        |m| m.styles[0].name = name("Other"),
        |m| m.units[0] = name("Other"),
        |m| m.weights[0] += 1,
        |m| m.max_voters += 1,
        |m| m.privacy_minimum += 1,
        |m| m.small_groups_public = true,
        |m| m.max_ballots += 1,
        |m| m.trustees[0].name = name("Other"),
        |m| m.trustees[0].signing = PublicKey([99; 32]),
        |m| m.trustees[0].kem[0] ^= 1,
        |m| m.quorum += 1,
        |m| m.board.threshold = 1,
        |m| m.registrars[0] = PublicKey([99; 32]),
        |m| m.opens_at += 1,
        |m| m.closes_at += 1,
        |m| m.early_close = false,
        |m| m.by_unit = true,
        |m| m.rehearsal = Some(4),
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = manifest.clone();
        change(&mut changed);
        assert_ne!(eid(1, 1, changed), base, "change {index}");
    }
    let order = |m: &Manifest| BoundedVec::truncate_from(m.trustees.iter().rev().cloned().collect());
    let reversed = Manifest { trustees: order(&manifest), ..manifest.clone() };
    assert_ne!(eid(1, 1, reversed), base);
}
