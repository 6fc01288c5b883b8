//! When ballots came: counts per period of time, in bounded memory.

use crate::report::BallotTimes;

/// Periods at most.
const MOST: usize = 96;
/// The periods' lengths in ms, each a multiple of the one before: 10 s, 1, 5 and 15 min, 1 and 6 h, a day. After them, each is
/// twice as long.
const LENGTHS: [u64; 7] = [10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];

/// Counts in consecutive periods of one length, which grows when there are too many.
#[derive(Default)]
pub(crate) struct Times {
    grown: usize,
    /// The number of the first period since the Unix epoch.
    first: u64,
    ballots: Vec<u64>,
}

impl Times {
    fn length(grown: usize) -> u64 {
        let last = LENGTHS.len().saturating_sub(1);
        let doublings = u32::try_from(grown.saturating_sub(last)).unwrap_or(u32::MAX);
        let listed = LENGTHS.get(grown.min(last)).copied().unwrap_or(1);
        listed.saturating_mul(2u64.saturating_pow(doublings))
    }

    /// The number of the period of this length that a time lies in.
    fn period(time: u64, length: u64) -> u64 {
        time.checked_div(length).unwrap_or_default()
    }

    /// Counts a ballot at `time`, in ms. Times don't go back.
    pub(crate) fn add(&mut self, time: u64) {
        if self.ballots.is_empty() {
            self.first = Self::period(time, Self::length(self.grown));
        }
        loop {
            let period = Self::period(time, Self::length(self.grown));
            let place = usize::try_from(period.saturating_sub(self.first)).unwrap_or(usize::MAX);
            if place >= MOST {
                self.grow();
                continue;
            }
            if self.ballots.len() <= place {
                self.ballots.resize(place.saturating_add(1), 0);
            }
            if let Some(count) = self.ballots.get_mut(place) {
                *count = count.saturating_add(1);
            }
            return;
        }
    }

    /// Goes to the next length, and merges the periods that lie in one of it.
    fn grow(&mut self) {
        let old = Self::length(self.grown);
        self.grown = self.grown.saturating_add(1);
        let new = Self::length(self.grown);
        let merged = |period: u64| Self::period(period.saturating_mul(old), new);
        let first = merged(self.first);
        let mut ballots: Vec<u64> = Vec::new();
        for (period, count) in (self.first..).zip(&self.ballots) {
            let place = usize::try_from(merged(period).saturating_sub(first)).unwrap_or(usize::MAX).min(MOST);
            ballots.resize(ballots.len().max(place.saturating_add(1)), 0);
            if let Some(sum) = ballots.get_mut(place) {
                *sum = sum.saturating_add(*count);
            }
        }
        (self.first, self.ballots) = (first, ballots);
    }

    /// What was counted; none without ballots.
    pub(crate) fn counted(&self) -> Option<BallotTimes> {
        let length = Self::length(self.grown);
        (!self.ballots.is_empty()).then(|| BallotTimes {
            start: self.first.saturating_mul(length),
            length,
            ballots: self.ballots.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(times: impl IntoIterator<Item = u64>) -> BallotTimes {
        let mut counts = Times::default();
        times.into_iter().for_each(|time| {
            counts.add(time);
            assert!(counts.ballots.len() <= MOST);
        });
        counts.counted().expect("ballots")
    }

    #[test]
    fn ballots_are_counted_in_their_period() {
        assert!(Times::default().counted().is_none());
        let counts = counted([1_700_000_003_000, 1_700_000_009_999, 1_700_000_010_000, 1_700_000_040_000]);
        assert_eq!(
            counts,
            BallotTimes { start: 1_700_000_000_000, length: 10_000, ballots: vec![2, 1, 0, 0, 1] }
        );
    }

    #[test]
    fn periods_grow_as_the_election_lasts_and_no_ballot_is_lost() {
        // One ballot a minute, for a minute to a year.
        for (minutes, length) in [
            (10, 10_000),
            (90, 60_000),
            (400, 300_000),
            (1_440, 900_000),
            (4_000, 3_600_000),
            (525_600, 345_600_000),
        ] {
            let start = 1_699_999_200_000;
            let counts = counted((0..minutes).map(|minute| start + minute * 60_000));
            assert_eq!(counts.length, length, "{minutes} minutes");
            assert_eq!(counts.ballots.iter().sum::<u64>(), minutes);
            assert_eq!(counts.start, start / length * length);
            // All but the first and last are full.
            let inner = counts.ballots.get(1..counts.ballots.len() - 1).unwrap_or_default();
            assert!(inner.iter().all(|count| length < 60_000 || *count == length / 60_000), "{counts:?}");
        }
    }

    #[test]
    fn merging_gives_what_counting_at_once_gives() {
        let times: Vec<u64> = (0..5_000u64).map(|n| 1_700_000_000_000 + n * n * 7).collect();
        let counts = counted(times.iter().copied());
        for (period, count) in (0..).zip(&counts.ballots) {
            let start = counts.start + period * counts.length;
            let there = times.iter().filter(|time| (start..start + counts.length).contains(time)).count();
            assert_eq!(there as u64, *count);
        }
    }

    #[test]
    fn any_times_are_counted() {
        let counts = counted([0, u64::MAX, u64::MAX]);
        assert_eq!(counts.ballots.iter().sum::<u64>(), 3);
    }
}
