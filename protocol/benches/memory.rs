//! What memory a batch needs: `cargo bench -p psephos-protocol --bench memory`; see `max alloc`.
//!
//! Ballots are verified piece by piece, as they are read: a hundred times as many need no more.

use divan::{black_box, counter::ItemsCount, AllocProfiler, Bencher};
use psephos_protocol::{
    ballot::{
        batch::{self, Unverified, BATCH},
        Checks, Terms,
    },
    contest::Rule,
    testing::{contest, Fixture, Params},
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 1)]
fn stream(bencher: Bencher, count: usize) {
    let contests = vec![contest(10, Rule::plurality())];
    let mut fixture =
        Fixture::new(&Params { contests, trustees: 5, threshold: 3, quorum: 4, ..Params::default() });
    let mut vote = vec![0; 10];
    vote[6] = 1;
    let cast = fixture.cast(0, 1, &[vote]).cast;
    let checks = Checks::new(Terms::of(&fixture.election, 0).expect("the style"));
    let ballots = vec![Unverified::Cast(&cast, &checks); count];
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        black_box(&ballots)
            .chunks(BATCH)
            .all(|piece| batch::verify(piece, &fixture.generators).iter().all(Result::is_ok))
    });
}
