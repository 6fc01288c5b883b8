//! What checking ballots together saves: `cargo bench -p psephos-protocol --bench batch`.
//!
//! One plurality of ten options, n = 5, t = 3, q = 4, 1,000 ballots; times are per ballot. The floor is what no
//! verifier can leave out: decompressing a ballot's 22 points, and their share of one multi-scalar multiplication.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use divan::{black_box, counter::ItemsCount, Bencher};
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified},
        CastBallot, Checks, SignedBallot, Terms,
    },
    contest::Rule,
    keys::verify_signature,
    testing::{contest, Fixture, Params},
};
use std::sync::LazyLock;

fn main() {
    divan::main();
}

const BALLOTS: usize = 1_000;

struct World {
    fixture: Fixture,
    checks: Checks,
    cast: Vec<CastBallot>,
}

/// Different ballots, each in a few copies: copies cost as much to verify.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut fixture = Fixture::new(&Params {
        contests: vec![contest(10, Rule::plurality())],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        voters: vec![1; 100],
        ..Params::default()
    });
    let mut vote = vec![0; 10];
    vote[6] = 1;
    let cast: Vec<_> = (0..100).map(|voter| fixture.cast(voter, 1, &[vote.clone()]).cast).collect();
    let checks = Checks::new(Terms::of(&fixture.election, 0).expect("the style"));
    World { fixture, checks, cast: cast.into_iter().cycle().take(BALLOTS).collect() }
});

fn of<'a, T>(make: impl Fn(&'a CastBallot) -> T) -> Vec<T> {
    WORLD.cast.iter().map(make).collect()
}

fn signed(cast: &CastBallot) -> &SignedBallot {
    &cast.signed
}

/// Decompression and one multi-scalar multiplication of 22 points a ballot.
#[divan::bench(sample_count = 5)]
fn floor(bencher: Bencher) {
    let mut rng = WORLD.fixture.rng.clone();
    let points: Vec<_> = (0..22 * BALLOTS).map(|_| RistrettoPoint::random(&mut rng).compress()).collect();
    let scalars: Vec<_> = points.iter().map(|_| Scalar::random(&mut rng)).collect();
    bencher.counter(ItemsCount::new(BALLOTS)).bench_local(|| {
        let points = black_box(&points).iter().map(CompressedRistretto::decompress);
        RistrettoPoint::optional_multiscalar_mul(&scalars, points).is_some_and(|sum| sum.is_identity())
    });
}

/// Proof by the `bulletproofs` crate at its least width, 8 bits, 16 statements, and signature, one ballot after the
/// other: what [`batch_signed`] checks.
#[divan::bench(sample_count = 3)]
fn crate_one_by_one(bencher: Bencher) {
    use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
    let (bases, generators) = (PedersenGens::default(), BulletproofGens::new(8, 16));
    let mut rng = WORLD.fixture.rng.clone();
    let blindings: Vec<_> = (0..16).map(|_| Scalar::random(&mut rng)).collect();
    let transcript = || merlin::Transcript::new(b"bench");
    let (proof, commitments) = RangeProof::prove_multiple_with_rng(
        &generators,
        &bases,
        &mut transcript(),
        &[1; 16],
        &blindings,
        8,
        &mut rng,
    )
    .expect("in range");
    const FEW: usize = 50;
    let World { fixture, cast, .. } = &*WORLD;
    bencher.counter(ItemsCount::new(FEW)).bench_local(|| {
        cast.iter().take(FEW).all(|cast| {
            black_box(&proof)
                .verify_multiple_with_rng(&generators, &bases, &mut transcript(), &commitments, 8, &mut rng)
                .is_ok()
                && cast
                    .signed
                    .verify_signature(&fixture.election, &cast.signed.ballot.hash(), verify_signature)
                    .is_ok()
        })
    });
}

/// Ours, one proof after the other.
#[divan::bench(sample_count = 3)]
fn proofs_one_by_one(bencher: Bencher) {
    let World { fixture, checks, cast } = &*WORLD;
    bencher.counter(ItemsCount::new(100usize)).bench_local(|| {
        cast.iter().take(100).all(|cast| checks.ballot(&cast.signed.ballot, &fixture.generators).is_ok())
    });
}

/// Signatures and receipts, one after the other.
#[divan::bench(sample_count = 3)]
fn signatures_one_by_one(bencher: Bencher) {
    let World { checks, cast, .. } = &*WORLD;
    bencher
        .counter(ItemsCount::new(100usize))
        .bench_local(|| cast.iter().take(100).all(|cast| checks.signatures(cast, verify_signature).is_ok()));
}

/// Proof and signature of all, as one batch: what a trustee checks before it opens envelopes.
#[divan::bench(sample_count = 5)]
fn batch_signed(bencher: Bencher) {
    let ballots = of(|cast| Unverified::Signed(signed(cast), &WORLD.checks));
    bencher
        .counter(ItemsCount::new(BALLOTS))
        .bench_local(|| batch::verify(black_box(&ballots), &WORLD.fixture.generators));
}

/// Proof, signature and receipts of all, as one batch: what the chain checks.
#[divan::bench(args = [10, 100, 1_000], sample_count = 5)]
fn batch_cast(bencher: Bencher, count: usize) {
    let ballots = of(|cast| Unverified::Cast(cast, &WORLD.checks));
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| batch::verify(black_box(&ballots[..count]), &WORLD.fixture.generators));
}

/// The same of more and more ballots, which cost the same each.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 1)]
fn flat(bencher: Bencher, count: usize) {
    let ballots: Vec<_> =
        WORLD.cast.iter().cycle().take(count).map(|cast| Unverified::Cast(cast, &WORLD.checks)).collect();
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| batch::verify(black_box(&ballots), &WORLD.fixture.generators));
}

/// The same on all cores.
#[divan::bench(sample_count = 5)]
fn batch_cast_all_cores(bencher: Bencher) {
    let ballots = of(|cast| Unverified::Cast(cast, &WORLD.checks));
    bencher
        .counter(ItemsCount::new(BALLOTS))
        .bench_local(|| batch::verify_parallel(black_box(&ballots), &WORLD.fixture.generators));
}
