//! Repair (spec 5.9): t peers rebuild a share that none of them sees, and nobody can make one of them show its own.

use curve25519_dalek::ristretto::RistrettoPoint;
use psephos_protocol::{
    ballot::Signed,
    contest::Rule,
    ids::BallotHash,
    repair::{join, split, sum, Ask, Part, PeerRequest, RepairError, Sealed, MAX_PAIRS},
    shares::Share,
    testing::{contest, Fixture, Params},
};

/// n = 5, t = 3; trustee 2 asks.
const ASKS: u8 = 2;

fn case() -> (Fixture, Vec<Signed>) {
    let contests = vec![contest(3, Rule::plurality()), contest(3, Rule::score(9, 3))];
    let params = Params { contests, trustees: 5, threshold: 3, quorum: 4, ..Params::default() };
    let mut fixture = Fixture::new(&params);
    let ballots = (0..2).map(|voter| fixture.sign(voter, 1, &[vec![0, 1, 0], vec![9, 0, 4]])).collect();
    (fixture, ballots)
}

fn request(fixture: &mut Fixture, trustee: u8, ballots: &[Signed], helpers: &[u8]) -> PeerRequest {
    let ballots: Vec<BallotHash> = ballots.iter().map(|ballot| ballot.hash).collect();
    let ask =
        Ask::Split { ballots: ballots.try_into().unwrap(), helpers: helpers.to_vec().try_into().unwrap() };
    let key = fixture.trustees[usize::from(trustee) - 1].signing.clone();
    PeerRequest::sign(&fixture.election, trustee, &key, ask, &mut fixture.rng)
}

fn shares_of(ballots: &[Signed], trustee: u8) -> Vec<Share> {
    ballots.iter().map(|ballot| ballot.shares[usize::from(trustee) - 1].clone()).collect()
}

fn parts(
    fixture: &mut Fixture,
    request: &PeerRequest,
    ballots: &[Signed],
    helper: u8,
) -> Result<Vec<Part>, RepairError> {
    let key = fixture.trustees[usize::from(helper) - 1].signing.clone();
    split(&fixture.election, request, helper, &key, &shares_of(ballots, helper), &mut fixture.rng)
}

fn add(
    fixture: &mut Fixture,
    request: &PeerRequest,
    helper: u8,
    parts: &[Part],
) -> Result<Sealed, RepairError> {
    let kem = fixture.trustees[usize::from(helper) - 1].kem.clone();
    sum(&fixture.election, request, helper, &kem, parts, &mut fixture.rng)
}

/// All parts, by receiver.
fn exchange(
    fixture: &mut Fixture,
    request: &PeerRequest,
    ballots: &[Signed],
    helpers: &[u8],
) -> Vec<Vec<Part>> {
    let sent: Vec<Vec<Part>> =
        helpers.iter().map(|helper| parts(fixture, request, ballots, *helper).unwrap()).collect();
    (0..helpers.len()).map(|to| sent.iter().map(|parts| parts[to].clone()).collect()).collect()
}

#[test]
fn any_t_peers_rebuild_the_very_share() {
    let (mut fixture, ballots) = case();
    for helpers in [[1, 3, 4], [1, 3, 5], [3, 4, 5]] {
        let request = request(&mut fixture, ASKS, &ballots, &helpers);
        assert!(request.verify(&fixture.election));
        let received = exchange(&mut fixture, &request, &ballots, &helpers);
        let sums: Vec<Sealed> = helpers
            .iter()
            .zip(&received)
            .map(|(helper, parts)| add(&mut fixture, &request, *helper, parts).unwrap())
            .collect();
        let kem = fixture.trustees[usize::from(ASKS) - 1].kem.clone();
        let repaired = join(&fixture.election, &request, &kem, &sums, &[5, 5]).unwrap();
        assert!(repaired == shares_of(&ballots, ASKS));
        for (ballot, share) in ballots.iter().zip(&repaired) {
            let statement = &ballot.ballot.ballot.statement;
            let points: Vec<RistrettoPoint> =
                statement.commitments.iter().map(|point| point.decompress().unwrap()).collect();
            let (digest, dealing) = (&statement.dealing, &ballot.dealing);
            assert_eq!(share.verify(ASKS, 3, &points, digest, dealing, &mut fixture.rng), Ok(()));
        }
        // Sums of another order or shape give nothing.
        let swapped = [sums[1].clone(), sums[0].clone(), sums[2].clone()];
        assert!(matches!(
            join(&fixture.election, &request, &kem, &swapped, &[5, 5]),
            Err(RepairError::Envelope(_))
        ));
        assert!(join(&fixture.election, &request, &kem, &sums[..2], &[5, 5]).is_err());
        for options in [&[5, 4][..], &[5, 6], &[5], &[5, 5, 1]] {
            assert!(join(&fixture.election, &request, &kem, &sums, options).is_err(), "{options:?}");
        }
    }
}

#[test]
fn a_wrong_share_of_a_helper_gives_a_share_that_does_not_verify() {
    let (mut fixture, mut ballots) = case();
    let request = request(&mut fixture, ASKS, &ballots, &[1, 3, 4]);
    let right = shares_of(&ballots, ASKS);
    // Helper 3 takes its share of the other ballot.
    let foreign = ballots[1].shares[2].clone();
    ballots[0].shares[2] = foreign;
    let received = exchange(&mut fixture, &request, &ballots, &[1, 3, 4]);
    let sums: Vec<Sealed> = [1, 3, 4]
        .iter()
        .zip(&received)
        .map(|(helper, parts)| add(&mut fixture, &request, *helper, parts).unwrap())
        .collect();
    let kem = fixture.trustees[usize::from(ASKS) - 1].kem.clone();
    let repaired = join(&fixture.election, &request, &kem, &sums, &[5, 5]).unwrap();
    assert!(repaired[0] != right[0] && repaired[1] == right[1]);
}

#[test]
fn helpers_are_exactly_t_others() {
    let (mut fixture, ballots) = case();
    let sets: [&[u8]; 8] =
        [&[1, 3], &[1, 3, 4, 5], &[1, 2, 3], &[3, 1, 4], &[1, 1, 3], &[0, 1, 3], &[1, 3, 6], &[]];
    for helpers in sets {
        let request = request(&mut fixture, ASKS, &ballots, helpers);
        assert_eq!(parts(&mut fixture, &request, &ballots, 1), Err(RepairError::Helpers), "{helpers:?}");
    }
    let request = request(&mut fixture, ASKS, &ballots, &[1, 3, 4]);
    assert_eq!(parts(&mut fixture, &request, &ballots, 5), Err(RepairError::Helpers), "not asked");
}

/// The attack that signatures stop: parts of zeros in place of the other helpers' would show one helper's share.
#[test]
fn a_helper_adds_up_only_what_the_helpers_signed_for_it() {
    let (mut fixture, ballots) = case();
    let helpers = [1, 3, 4];
    let good = request(&mut fixture, ASKS, &ballots, &helpers);
    let received = exchange(&mut fixture, &good, &ballots, &helpers);
    let again = exchange(&mut fixture, &good, &ballots, &helpers);
    assert!(add(&mut fixture, &good, 3, &received[1]).is_ok());
    assert_ne!(received[1][0].sealed, again[1][0].sealed, "fresh randomness");

    let mut forged = received[1].clone();
    // Trustee 2 seals something of its own to helper 3 and signs it itself.
    let own = request(&mut fixture, 5, &ballots, &helpers);
    let of_another_request = exchange(&mut fixture, &own, &ballots, &helpers);
    forged[0] = of_another_request[1][0].clone();
    assert_eq!(add(&mut fixture, &good, 3, &forged), Err(RepairError::Parts), "another request");
    let mut renamed = received[1].clone();
    renamed[2] = Part { from: 4, ..received[1][1].clone() };
    assert_eq!(add(&mut fixture, &good, 3, &renamed), Err(RepairError::Parts), "one helper twice");
    let mut unsigned = received[1].clone();
    unsigned[0].signature.0[0] ^= 1;
    assert_eq!(add(&mut fixture, &good, 3, &unsigned), Err(RepairError::Parts));
    let mut readdressed = received[0].clone();
    readdressed.iter_mut().for_each(|part| part.to = 3);
    assert_eq!(add(&mut fixture, &good, 3, &readdressed), Err(RepairError::Parts));
    assert_eq!(add(&mut fixture, &good, 3, &received[0]), Err(RepairError::Parts), "another helper's");
    assert_eq!(add(&mut fixture, &good, 3, &received[1][..2]), Err(RepairError::Parts), "one missing");
    assert_eq!(add(&mut fixture, &good, 5, &received[1]), Err(RepairError::Parts), "no helper");
    let mut swapped = received[1].clone();
    swapped.swap(0, 1);
    assert_eq!(add(&mut fixture, &good, 3, &swapped), Err(RepairError::Parts));
}

#[test]
fn a_request_is_its_trustees_own() {
    let (mut fixture, ballots) = case();
    let good = request(&mut fixture, ASKS, &ballots, &[1, 3, 4]);
    let election = &fixture.election;
    assert!(good.verify(election));
    assert!(!PeerRequest { trustee: 5, ..good.clone() }.verify(election));
    assert!(!PeerRequest { trustee: 0, ..good.clone() }.verify(election));
    assert!(!PeerRequest { trustee: 6, ..good.clone() }.verify(election));
    let arrived = vec![ballots[0].hash].try_into().unwrap();
    assert!(!PeerRequest { ask: Ask::Kept { arrived }, ..good.clone() }.verify(election));
    let other =
        Fixture::new(&Params { number: 2, trustees: 5, threshold: 3, quorum: 4, ..Params::default() });
    assert!(!good.verify(&other.election));
}

#[test]
fn a_repair_is_bounded() {
    let params = Params { contests: vec![contest(128, Rule::approval(128)); 4], ..Params::default() };
    let mut fixture = Fixture::new(&params);
    let votes = vec![vec![0; 128]; 4];
    let ballots: Vec<Signed> = (0..2).map(|voter| fixture.sign(voter, 1, &votes)).collect();
    assert_eq!(MAX_PAIRS, 512);
    let request = request(&mut fixture, ASKS, &ballots, &[1, 3]);
    assert!(parts(&mut fixture, &request, &ballots[..1], 1).is_ok());
    assert_eq!(parts(&mut fixture, &request, &ballots[..2], 1), Err(RepairError::Long));
}
