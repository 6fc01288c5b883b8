//! Batch verification (spec 6.4.10): every verdict is that of the ballot alone, whatever else is in the batch.

use codec::Encode;
use curve25519_dalek::scalar::Scalar;
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified, BATCH},
        BallotError, CastBallot, Checks, Terms, VerifiedBallot,
    },
    contest::Rule,
    ids::Digest,
    keys::{verify_signature, PublicKey, Signature},
    testing::{contest, Fixture, Params},
    transcript,
};
use rand_chacha::rand_core::RngCore;

type Verdicts = Vec<Result<VerifiedBallot, BallotError>>;

struct World {
    fixture: Fixture,
    checks: Checks,
    valid: Vec<CastBallot>,
}

/// An election with some valid ballots.
fn world(rule: Rule, ballots: u32) -> World {
    let params = Params { contests: vec![contest(3, rule)], voters: vec![1; 4], ..Params::default() };
    let mut fixture = Fixture::new(&params);
    let valid = (0..ballots)
        .map(|ballot| {
            let mut vote = vec![0; 3];
            vote[ballot as usize % 3] = 1;
            fixture.cast(ballot as usize % 4, 1 + ballot / 4, &[vote]).cast
        })
        .collect();
    let checks = Checks::new(Terms::of(&fixture.election, 0).unwrap());
    World { fixture, checks, valid }
}

impl World {
    fn alone(&self, ballots: &[CastBallot]) -> Verdicts {
        ballots.iter().map(|b| Unverified::Cast(b, &self.checks).verify(&self.fixture.generators)).collect()
    }

    fn together(&self, ballots: &[CastBallot]) -> Verdicts {
        let generators = &self.fixture.generators;
        let both: Vec<_> = ballots.iter().map(|ballot| (ballot, &self.checks)).collect();
        let alone = ballots.iter().map(|ballot| self.checks.signatures(ballot, verify_signature));
        assert_eq!(batch::verify_signatures(&both, generators), alone.collect::<Vec<_>>());
        let ballots: Vec<_> = ballots.iter().map(|ballot| Unverified::Cast(ballot, &self.checks)).collect();
        let verdicts = batch::verify(&ballots, generators);
        assert_eq!(verdicts, batch::verify_parallel(&ballots, generators));
        verdicts
    }
}

/// One change of a ballot, of every kind there is.
fn spoil(ballot: &mut CastBallot, kind: u32, rng: &mut impl RngCore) {
    let signed = &mut ballot.signed;
    let statement = &mut signed.ballot.statement;
    let byte = |bytes: &mut [u8], rng: &mut dyn RngCore| {
        let place = rng.next_u32() as usize % bytes.len();
        bytes[place] ^= 1 << (rng.next_u32() % 8);
    };
    match kind {
        0 => statement.version += 1,
        1 => byte(&mut statement.eid.0, rng),
        2 => statement.style += 1,
        3 => byte(&mut statement.credential.0, rng),
        4 => statement.credential = PublicKey([0; 32]),
        5 => statement.sequence += 1,
        6 => byte(&mut statement.commitments[0].0, rng),
        7 => statement.commitments.truncate(1),
        8 => statement.dealing = Digest([9; 32]),
        9 => signed.ballot.width = 8,
        10 => byte(&mut signed.ballot.proof[..], rng),
        11 => signed.ballot.proof[7 * 32..8 * 32].fill(0),
        12 => byte(&mut signed.signature.0, rng),
        13 => signed.signature = Signature([0; 64]),
        14 => byte(&mut ballot.receipts[1].signature.0, rng),
        15 => ballot.receipts[0].height += 1,
        16 => ballot.receipts[2].trustee = 4,
        17 => ballot.receipts[2].trustee = 99,
        18 => ballot.receipts.truncate(2),
        19 => ballot.receipts.as_mut().swap(0, 1),
        20 => ballot.receipts[1] = ballot.receipts[0],
        _ => unreachable!(),
    }
}
const KINDS: u32 = 21;

#[test]
fn each_way_to_spoil_a_ballot_is_found_among_good_ones() {
    let world = world(Rule::plurality(), 5);
    let mut rng = world.fixture.rng.clone();
    for kind in 0..KINDS {
        for place in [0, 2, 4] {
            let mut ballots = world.valid.clone();
            spoil(&mut ballots[place], kind, &mut rng);
            let verdicts = world.together(&ballots);
            assert_eq!(verdicts, world.alone(&ballots), "kind {kind}");
            assert!(verdicts.iter().enumerate().all(|(i, v)| v.is_ok() == (i != place)), "kind {kind}");
        }
    }
}

#[test]
fn a_batch_gives_the_verdicts_of_its_ballots_alone() {
    for rule in [Rule::plurality(), Rule::choose(1, 2), Rule::score(5, 3)] {
        let world = world(rule, 8);
        let mut rng = world.fixture.rng.clone();
        for _ in 0..crate::rounds(24) {
            let count = rng.next_u32() % 9;
            let mut ballots = world.valid[..count as usize].to_vec();
            for ballot in &mut ballots {
                for _ in 0..(rng.next_u32() % 3).saturating_sub(1) {
                    let kind = rng.next_u32() % KINDS;
                    // Some need receipts or commitments that an earlier change took away.
                    if ballot.receipts.len() == 3 && ballot.signed.ballot.statement.commitments.len() > 1 {
                        spoil(ballot, kind, &mut rng);
                    }
                }
            }
            assert_eq!(world.together(&ballots), world.alone(&ballots));
        }
    }
}

#[test]
fn more_than_one_batch() {
    let world = world(Rule::plurality(), 4);
    let mut ballots: Vec<_> = world.valid.iter().cycle().take(BATCH + 70).cloned().collect();
    ballots[7].receipts[0].height += 1;
    ballots[BATCH + 3].signed.ballot.statement.sequence += 1;
    let verdicts = world.together(&ballots);
    let bad: Vec<_> = (0..verdicts.len()).filter(|i| verdicts[*i].is_err()).collect();
    assert_eq!(bad, [7, BATCH + 3]);
    assert_eq!(verdicts[7], Err(BallotError::Receipts));
    assert_eq!(verdicts[BATCH + 3], Err(BallotError::Signature));
}

/// A signature's last scalar plus `delta`.
fn shift(signature: &mut Signature, delta: Scalar) {
    let mut s: [u8; 32] = signature.0[32..].try_into().unwrap();
    s[31] &= 0x7f;
    let shifted = Scalar::from_canonical_bytes(s).unwrap() + delta;
    signature.0[32..].copy_from_slice(shifted.as_bytes());
    signature.0[63] |= 0x80;
}

#[test]
fn errors_that_cancel_under_equal_weights_do_not() {
    let world = world(Rule::plurality(), 4);
    let delta = Scalar::from(12_345u32);
    let mut ballots = world.valid.clone();
    shift(&mut ballots[1].signed.signature, delta);
    shift(&mut ballots[2].signed.signature, -delta);
    assert_eq!(world.together(&ballots), world.alone(&ballots));
    assert_eq!(world.together(&ballots)[1], Err(BallotError::Signature));
    // Within one ballot, between its signature and a receipt, and between two receipts.
    let mut ballots = world.valid.clone();
    shift(&mut ballots[0].signed.signature, delta);
    shift(&mut ballots[0].receipts[0].signature, -delta);
    shift(&mut ballots[3].receipts[1].signature, delta);
    shift(&mut ballots[3].receipts[2].signature, -delta);
    let verdicts = world.together(&ballots);
    assert_eq!(verdicts, world.alone(&ballots));
    assert_eq!(verdicts[0], Err(BallotError::Signature));
    assert_eq!(verdicts[3], Err(BallotError::Receipts));
}

/// What fixes the weights of a batch: of each ballot its hash, signature and receipts.
fn fixed(cast: &CastBallot) -> Vec<u8> {
    (cast.signed.ballot.hash(), cast.signed.signature, cast.receipts.to_vec()).encode()
}

/// The weights of a batch, as anybody can compute them: per ballot two for the proof, then one for the signature
/// and one per receipt.
fn weights(ballots: &[CastBallot], fixed: impl Fn(&CastBallot) -> Vec<u8>) -> Vec<Vec<Scalar>> {
    let bytes: Vec<Vec<u8>> = ballots.iter().map(fixed).collect();
    let mut coins = transcript::verifier_randomness(bytes.iter().map(Vec::as_slice));
    let mut stream = std::iter::repeat_with(move || {
        let mut request = [0; 160];
        coins.fill_bytes(&mut request);
        request
    })
    .flatten();
    let mut weight = || {
        let bytes: Vec<u8> = stream.by_ref().take(16).collect();
        Scalar::from(u128::from_le_bytes(bytes.try_into().unwrap()) | 1)
    };
    ballots.iter().map(|ballot| (0..3 + ballot.receipts.len()).map(|_| weight()).collect()).collect()
}

/// Forges signatures, then receipts, so that the errors cancel under these weights; gives both times how many are found.
fn forge(world: &World, weights: impl Fn(&[CastBallot]) -> Vec<Vec<Scalar>>) -> [usize; 2] {
    let delta = Scalar::from(77u32);
    let found = |ballots: &[CastBallot]| world.together(ballots).iter().filter(|one| one.is_err()).count();
    let mut signatures = world.valid.clone();
    shift(&mut signatures[0].signed.signature, delta);
    let by = weights(&signatures);
    shift(&mut signatures[2].signed.signature, -delta * by[0][2] * by[2][2].invert());
    let mut receipts = world.valid.clone();
    shift(&mut receipts[1].receipts[0].signature, delta);
    let by = weights(&receipts);
    shift(&mut receipts[3].receipts[2].signature, -delta * by[1][3] * by[3][5].invert());
    [found(&signatures), found(&receipts)]
}

#[test]
fn errors_that_cancel_under_the_weights_of_other_bytes_do_not() {
    // A forger who could know the weights before the last bytes are fixed would pass. It takes those of the batch before
    // its last change, and those that left out what it changes.
    let world = world(Rule::plurality(), 4);
    assert_eq!(forge(&world, |ballots| weights(ballots, fixed)), [2, 2]);
    let no_signature =
        |cast: &CastBallot| (cast.signed.ballot.hash(), [0; 0], cast.receipts.to_vec()).encode();
    assert_eq!(forge(&world, |ballots| weights(ballots, no_signature)), [2, 2]);
    let no_receipts =
        |cast: &CastBallot| (cast.signed.ballot.hash(), cast.signed.signature, Vec::<u8>::new()).encode();
    assert_eq!(forge(&world, |ballots| weights(ballots, no_receipts)), [2, 2]);
}

#[test]
fn ballots_of_several_styles_and_elections_are_verified_together() {
    let (first, second) = (world(Rule::plurality(), 3), world(Rule::score(9, 3), 3));
    let ballots: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|world| world.valid.iter().map(|ballot| Unverified::Cast(ballot, &world.checks)))
        .collect();
    let shapes = [&first, &second].map(|world| world.checks.layout().shape);
    let generators = psephos_protocol::range_proof::Generators::covering(shapes.into_iter());
    assert!(batch::verify(&ballots, &generators).iter().all(Result::is_ok));
    let crossed: Vec<_> = first.valid.iter().map(|b| Unverified::Cast(b, &second.checks)).collect();
    assert!(batch::verify(&crossed, &generators).iter().all(Result::is_err));
}
