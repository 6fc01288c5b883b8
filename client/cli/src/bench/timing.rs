//! How long something takes in one thread of this machine.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Runs at least, and at most.
const LEAST: usize = 3;
const MOST: usize = 10_000;

/// The median time of one run of `work`, over runs that take `budget` together.
pub fn median<T>(budget: Duration, mut work: impl FnMut() -> T) -> Duration {
    // The first run fills caches and tables.
    black_box(work());
    let start = Instant::now();
    let mut runs = Vec::new();
    while runs.len() < LEAST || (start.elapsed() < budget && runs.len() < MOST) {
        let begun = Instant::now();
        black_box(work());
        runs.push(begun.elapsed());
    }
    runs.sort_unstable();
    runs.get(runs.len() / 2).copied().unwrap_or_default()
}

/// The median in microseconds.
pub fn micros<T>(budget: Duration, work: impl FnMut() -> T) -> f64 {
    median(budget, work).as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_many_runs_and_close() {
        let mut runs = 0;
        let time = median(Duration::from_millis(50), || {
            runs += 1;
            std::thread::sleep(Duration::from_millis(5));
        });
        assert!(time >= Duration::from_millis(5), "{time:?}");
        assert!(runs > LEAST, "{runs}");
    }
}
