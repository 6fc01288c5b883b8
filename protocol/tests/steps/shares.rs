//! Shares (spec 5.2, 5.6): each trustee's own, of this ballot, checked before it is kept.

use curve25519_dalek::{
    constants::RISTRETTO_BASEPOINT_POINT as B, ristretto::RistrettoPoint, scalar::Scalar,
};
use proptest::prelude::*;
use psephos_protocol::{
    ballot::Signed,
    cells::Cells,
    contest::Rule,
    group::{EncodingError, Point},
    ids::Digest,
    shares::{Dealing, Share, ShareError},
    tally::{reconstruct, Columns, ShareSums},
    testing::{contest, Fixture, Params},
};

/// n = 5, t = 3, two contests: 2 + 3 commitments with two D's each.
fn signed(votes: [Vec<u32>; 2]) -> (Fixture, Signed) {
    let contests = vec![contest(3, Rule::plurality()), contest(3, Rule::score(9, 3))];
    let params = Params { contests, trustees: 5, threshold: 3, quorum: 4, ..Params::default() };
    let mut fixture = Fixture::new(&params);
    let signed = fixture.sign(0, 1, &votes);
    (fixture, signed)
}

fn commitments(signed: &Signed) -> Vec<RistrettoPoint> {
    signed.ballot.ballot.statement.commitments.iter().map(|point| point.decompress().unwrap()).collect()
}

/// The verdict on `share` as trustee `index`'s, under this dealing and the digest in the ballot.
fn check(
    fixture: &mut Fixture,
    signed: &Signed,
    index: u8,
    share: &Share,
    (digest, dealing): (&Digest, &Dealing),
) -> Result<(), ShareError> {
    share.verify(index, 3, &commitments(signed), digest, dealing, &mut fixture.rng)
}

fn own(signed: &Signed) -> (&Digest, &Dealing) {
    (&signed.ballot.ballot.statement.dealing, &signed.dealing)
}

/// A share with some of its scalars changed: index 2j is f_j, 2j + 1 is g_j.
fn changed(share: &Share, changes: &[(usize, Scalar)]) -> Share {
    let mut scalars: Vec<Scalar> = share.pairs().iter().flat_map(|(f, g)| [*f, *g]).collect();
    for (place, difference) in changes {
        scalars[*place] += difference;
    }
    let bytes: Vec<u8> = scalars.iter().flat_map(Scalar::to_bytes).collect();
    Share::from_bytes(&bytes, share.pairs().len()).unwrap()
}

#[test]
fn a_share_is_of_one_trustee() {
    let (mut fixture, signed) = signed([vec![0, 1, 0], vec![9, 0, 4]]);
    assert_eq!(signed.shares.len(), 5);
    for (place, share) in signed.shares.iter().enumerate() {
        for index in 0..8 {
            let verdict = check(&mut fixture, &signed, index, share, own(&signed));
            let expected = if usize::from(index) == place + 1 { Ok(()) } else { Err(ShareError::Equation) };
            assert_eq!(verdict, expected, "share {place} as trustee {index}");
        }
    }
}

#[test]
fn a_share_is_of_one_ballot() {
    let (mut fixture, first) = signed([vec![0, 1, 0], vec![9, 0, 4]]);
    let second = fixture.sign(0, 1, &[vec![0, 1, 0], vec![9, 0, 4]]);
    let verdict = check(&mut fixture, &first, 1, &second.shares[0], own(&first));
    assert_eq!(verdict, Err(ShareError::Equation));
    // The other ballot's dealing is not the one whose digest this ballot carries.
    let mixed = (own(&first).0, own(&second).1);
    let verdict = check(&mut fixture, &first, 1, &second.shares[0], mixed);
    assert_eq!(verdict, Err(ShareError::Dealing));
}

#[test]
fn any_changed_scalar_fails() {
    let (mut fixture, signed) = signed([vec![0, 1, 0], vec![9, 0, 4]]);
    let share = &signed.shares[1];
    let one = Scalar::ONE;
    for place in 0..10 {
        let wrong = changed(share, &[(place, one)]);
        assert_eq!(check(&mut fixture, &signed, 2, &wrong, own(&signed)), Err(ShareError::Equation));
    }
    // Errors that cancel in a sum without weights: across options, and between f and g.
    for changes in
        [[(0, one), (2, -one)], [(1, one), (3, -one)], [(0, one), (1, -one)], [(4, one), (9, -one)]]
    {
        let wrong = changed(share, &changes);
        assert_eq!(check(&mut fixture, &signed, 2, &wrong, own(&signed)), Err(ShareError::Equation));
    }
    // Two options' pairs exchanged.
    let [a, b] = [0, 1].map(|j| signed.shares[1].pairs()[j]);
    let swap = [(0, b.0 - a.0), (1, b.1 - a.1), (2, a.0 - b.0), (3, a.1 - b.1)];
    let wrong = changed(share, &swap);
    assert_eq!(check(&mut fixture, &signed, 2, &wrong, own(&signed)), Err(ShareError::Equation));
}

#[test]
fn the_dealing_is_the_one_that_the_ballot_names() {
    let (mut fixture, signed) = signed([vec![0, 1, 0], vec![9, 0, 4]]);
    let share = signed.shares[0].clone();
    let digest = own(&signed).0;
    let altered = |place: usize, point: Point| {
        let mut dealing = signed.dealing.clone();
        dealing.0[place] = point;
        dealing
    };
    let other = Point::of(&(signed.dealing.0[4].decompress().unwrap() + B));
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    for (point, error) in [
        (other, ShareError::Equation),
        (Point([0; 32]), ShareError::Point(EncodingError::Identity)),
        (Point(prime), ShareError::Point(EncodingError::Point)),
    ] {
        for place in 0..10 {
            let dealing = altered(place, point);
            let verdict = check(&mut fixture, &signed, 1, &share, (digest, &dealing));
            assert_eq!(verdict, Err(ShareError::Dealing));
            // Even when the voter names it, the trustee doesn't take it.
            let verdict = check(&mut fixture, &signed, 1, &share, (&dealing.digest(), &dealing));
            assert_eq!(verdict, Err(error));
        }
    }
    // Too short, too long, empty, under their own digests.
    for length in [0, 5, 9, 11] {
        let mut points = signed.dealing.0.to_vec();
        points.resize(length, points[0]);
        let dealing = Dealing(points.try_into().unwrap());
        let verdict = check(&mut fixture, &signed, 1, &share, (&dealing.digest(), &dealing));
        assert_eq!(verdict, Err(ShareError::Dealing), "{length}");
    }
}

#[test]
fn a_share_is_canonical_scalars_one_pair_per_commitment() {
    let (mut fixture, signed) = signed([vec![0, 1, 0], vec![9, 0, 4]]);
    let bytes = signed.shares[0].to_bytes();
    assert_eq!(bytes.len(), 64 * 5);
    assert!(Share::from_bytes(&bytes, 5).unwrap() == signed.shares[0]);
    for length in 0..bytes.len() {
        assert_eq!(Share::from_bytes(&bytes[..length], 5).err(), Some(ShareError::Encoding));
    }
    for options in [0, 4, 6, usize::MAX] {
        assert_eq!(Share::from_bytes(&bytes, options).err(), Some(ShareError::Encoding));
    }
    let mut long = bytes.to_vec();
    long.push(0);
    assert_eq!(Share::from_bytes(&long, 5).err(), Some(ShareError::Encoding));
    // ℓ itself, ℓ plus the right scalar, and all ones.
    let order = (-Scalar::ONE).to_bytes();
    let order = [&[order[0] + 1], &order[1..]].concat();
    for bad in [order.as_slice(), &[0xff; 32]] {
        for place in 0..10 {
            let mut wrong = bytes.to_vec();
            wrong[place * 32..place * 32 + 32].copy_from_slice(bad);
            assert_eq!(Share::from_bytes(&wrong, 5).err(), Some(ShareError::Encoding));
        }
    }
    // A share of fewer options than the ballot has.
    let short = Share::from_bytes(&bytes[..256], 4).unwrap();
    assert_eq!(check(&mut fixture, &signed, 1, &short, own(&signed)), Err(ShareError::Encoding));
}

fn columns(fixture: &Fixture, share: &Share) -> Columns {
    let manifest = &fixture.election.manifest;
    let mut sums = ShareSums::new(manifest, &Cells::all(manifest));
    sums.add(manifest, 0, 0, 1, share).unwrap();
    sums.columns()
}

proptest! {
    #![proptest_config(crate::cases(12))]

    #[test]
    fn any_t_shares_rebuild_the_votes(choice in 0usize..3, scores in prop::collection::vec(0u32..10, 3)) {
        let mut plurality = vec![0; 3];
        plurality[choice] = 1;
        let (fixture, signed) = signed([plurality.clone(), scores.clone()]);
        let all: Vec<Columns> = signed.shares.iter().map(|share| columns(&fixture, share)).collect();
        let expected: Vec<u64> = plurality[..2].iter().chain(&scores).map(|v| u64::from(*v)).collect();
        let rebuild = |trustees: &[u8]| {
            let given: Vec<_> = trustees.iter().map(|i| (i + 1, &all[usize::from(*i)])).collect();
            reconstruct(&fixture.election.manifest, &given)
        };
        for trustees in crate::subsets(5, 3) {
            let openings = rebuild(&trustees).unwrap();
            let values: Vec<u64> = openings.iter().map(|(value, _)| value.as_u64().unwrap()).collect();
            prop_assert_eq!(&values, &expected);
        }
        // Fewer don't, not even when they pose as others.
        for trustees in crate::subsets(5, 2) {
            prop_assert!(rebuild(&trustees).is_err());
            let [a, b] = [trustees[0], trustees[1]];
            let posed = (0..5).find(|i| *i != a && *i != b).unwrap();
            let mut given = vec![(a + 1, &all[usize::from(a)]), (b + 1, &all[usize::from(b)])];
            given.push((posed + 1, &all[usize::from(a)]));
            given.sort_by_key(|(index, _)| *index);
            let openings = reconstruct(&fixture.election.manifest, &given).unwrap();
            prop_assert!(openings.iter().all(|(value, _)| value.as_u64().is_none()));
        }
    }
}
