//! Costs of each step on one core: `cargo bench -p psephos-protocol`. One plurality of ten options,
//! n = 5, t = 3, q = 4, as in the specification's cost model (10.1).

use codec::Encode;
use divan::{black_box, counter::ItemsCount, Bencher};
use psephos_protocol::{
    ballot::{Checks, Signed, Terms},
    cells::Cells,
    contest::Rule,
    envelope::Deposit,
    keys::verify_signature,
    range_proof::{generators_digest, Generators, Shape},
    tally::{reconstruct, CommitmentSums, ShareSums},
    testing::{contest, Counted, Fixture, Params},
    wire::Message,
};

fn main() {
    let (mut fixture, vote) = election();
    let counted = fixture.cast(0, 1, &vote);
    let mut signed = fixture.sign(0, 1, &vote);
    let deposit = fixture.deposits(&mut signed).remove(0);
    println!("ballot as an extrinsic: {} bytes", Message::Cast(counted.cast).to_extrinsic().len());
    println!("deposit with a trustee: {} bytes", deposit.encoded_size());
    divan::main();
}

fn election() -> (Fixture, Vec<Vec<u32>>) {
    let params = Params {
        contests: vec![contest(10, Rule::plurality())],
        trustees: 5,
        threshold: 3,
        quorum: 4,
        ..Params::default()
    };
    let mut vote = vec![0; 10];
    vote[6] = 1;
    (Fixture::new(&params), vec![vote])
}

fn counted() -> (Fixture, Counted) {
    let (mut fixture, vote) = election();
    let counted = fixture.cast(0, 1, &vote);
    (fixture, counted)
}

fn deposit() -> (Fixture, Signed, Deposit) {
    let (mut fixture, vote) = election();
    let mut signed = fixture.sign(0, 1, &vote);
    let deposit = fixture.deposits(&mut signed).remove(0);
    (fixture, signed, deposit)
}

/// What the voter's device does.
mod voter {
    use super::*;

    #[divan::bench(sample_count = 50)]
    fn prepare(bencher: Bencher) {
        let (mut fixture, vote) = election();
        bencher.bench_local(|| fixture.prepare(0, 1, &vote));
    }

    #[divan::bench(sample_count = 50)]
    fn prepare_sign_and_seal(bencher: Bencher) {
        let (mut fixture, vote) = election();
        bencher.bench_local(|| {
            let mut signed = fixture.sign(0, 1, &vote);
            fixture.deposits(&mut signed)
        });
    }
}

/// What everybody does who checks a ballot.
mod ballot {
    use super::*;

    #[divan::bench(sample_count = 100)]
    fn verify_proof(bencher: Bencher) {
        let (fixture, counted) = counted();
        let ballot = &counted.cast.signed.ballot;
        bencher.bench_local(|| black_box(ballot).verify(&fixture.election, &fixture.generators).is_ok());
    }

    #[divan::bench(sample_count = 100)]
    fn verify_signature_and_receipts(bencher: Bencher) {
        let (fixture, counted) = counted();
        let checks = Checks::new(Terms::of(&fixture.election, 0).expect("the style"));
        bencher.bench_local(|| checks.signatures(black_box(&counted.cast), verify_signature).is_ok());
    }

    #[divan::bench]
    fn hash(bencher: Bencher) {
        let (_, counted) = counted();
        bencher.bench_local(|| black_box(&counted.cast.signed.ballot).hash());
    }

    #[divan::bench]
    fn decode(bencher: Bencher) {
        let (_, counted) = counted();
        let bytes = Message::Cast(counted.cast).to_extrinsic();
        bencher.bench_local(|| Message::from_extrinsic(black_box(&bytes)));
    }
}

/// What a trustee does beyond that.
mod trustee {
    use super::*;

    #[divan::bench(sample_count = 100)]
    fn open_envelope(bencher: Bencher) {
        let (fixture, signed, deposit) = deposit();
        let (kem, eid) = (&fixture.trustees[0].kem, &fixture.election.eid);
        bencher.bench_local(|| kem.open(black_box(&deposit.envelope), eid, &signed.hash, 1, 9).is_ok());
    }

    #[divan::bench(sample_count = 100)]
    fn check_share(bencher: Bencher) {
        let (mut fixture, signed, deposit) = deposit();
        let statement = &deposit.ballot.ballot.statement;
        let commitments: Vec<_> = statement.commitments.iter().map(|p| p.decompress().unwrap()).collect();
        let (share, digest) = (&signed.shares[0], &statement.dealing);
        bencher.bench_local(|| {
            share.verify(1, 3, black_box(&commitments), digest, &deposit.dealing, &mut fixture.rng)
        });
    }

    #[divan::bench]
    fn sign_receipt(bencher: Bencher) {
        let (mut fixture, counted) = counted();
        bencher.bench_local(|| fixture.receipt(1, black_box(&counted.hash)));
    }
}

/// What is done once, at the end.
mod tally {
    use super::*;

    const BALLOTS: usize = 1_000;

    #[divan::bench(args = [1, 1_000_000], sample_count = 20)]
    fn sum_shares(bencher: Bencher, weight: u64) {
        let (fixture, counted) = counted();
        let manifest = &fixture.election.manifest;
        bencher.counter(ItemsCount::new(BALLOTS)).bench_local(|| {
            let mut sums = ShareSums::new(manifest, &Cells::all(manifest));
            (0..BALLOTS)
                .for_each(|_| sums.add(manifest, 0, 0, weight, black_box(&counted.shares[0])).unwrap());
            sums.columns()
        });
    }

    #[divan::bench(args = [1, 1_000_000], sample_count = 20)]
    fn sum_commitments(bencher: Bencher, weight: u64) {
        let (fixture, counted) = counted();
        let manifest = &fixture.election.manifest;
        let commitments = &counted.cast.signed.ballot.statement.commitments;
        bencher.counter(ItemsCount::new(BALLOTS)).bench_local(|| {
            let mut sums = CommitmentSums::new(manifest, 1);
            for _ in 0..BALLOTS {
                let points: Vec<_> = black_box(commitments).iter().map(|p| p.decompress().unwrap()).collect();
                sums.add_vartime(manifest, 0, 0, weight, &points).unwrap();
            }
            sums
        });
    }

    #[divan::bench]
    fn reconstruct_and_verify(bencher: Bencher) {
        let (mut fixture, counted) = counted();
        let ballots = [counted];
        let contributions: Vec<_> = (1..=3).map(|trustee| fixture.contribute(trustee, &ballots)).collect();
        let (manifest, sums) = (&fixture.election.manifest, fixture.sums(&ballots));
        let mut result = fixture.result(&ballots, &contributions);
        let given: Vec<_> = contributions.iter().map(|c| (c.trustee, &c.sums)).collect();
        bencher.bench_local(|| {
            result.openings = reconstruct(manifest, black_box(&given)).unwrap();
            result.verify(manifest, &Cells::all(manifest), &sums).is_ok()
        });
    }
}

/// What is done once at the start.
mod generators {
    use super::*;

    /// Ten options of 8 bits, and the largest ballot.
    #[divan::bench(args = [16, 512], sample_count = 10)]
    fn derive(statements: usize) -> Generators {
        Generators::new(Shape { width: 8, statements })
    }

    #[divan::bench(sample_count = 3)]
    fn digest() -> psephos_protocol::ids::Digest {
        generators_digest()
    }
}
