// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Whoever comes within a short while of one batch makes up the next one: alone, nobody waits; in a crowd, all
//! pay the price of a batch.

use futures::{
    channel::{mpsc, oneshot},
    StreamExt,
};
use futures_timer::Delay;
use std::{
    iter,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Time between the starts of two batches, unless the first was full: a tenth of a block. With a hundred ballots a
/// second a batch then holds twenty, and costs each half of what it would alone.
const GATHER: Duration = Duration::from_millis(200);

/// Hands jobs to a worker that does them in batches.
pub struct Batches<J> {
    queue: Mutex<mpsc::Sender<Waiting<J>>>,
}

/// As many jobs wait as may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// A job, and whom to tell that it is done.
type Waiting<J> = (J, oneshot::Sender<()>);

impl<J> Batches<J> {
    /// A queue in which `length` jobs may wait, and the worker that calls `work` with at most `most` of them,
    /// in the order in which they came.
    pub fn new(
        length: usize,
        most: usize,
        mut work: impl FnMut(&[J]),
    ) -> (Self, impl std::future::Future<Output = ()>) {
        // The channel grants each sender a place of its own, and there is one sender.
        let (sender, mut receiver) = mpsc::channel::<Waiting<J>>(length.saturating_sub(1));
        let worker = async move {
            let mut next = Instant::now();
            while let Some(first) = receiver.next().await {
                let wait = next.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    Delay::new(wait).await;
                }
                next = Instant::now();
                let others = iter::from_fn(|| receiver.try_recv().ok());
                let batch: Vec<Waiting<J>> = iter::once(first).chain(others).take(most).collect();
                if batch.len() < most {
                    next += GATHER;
                }
                // Those who gave up meanwhile need no answer.
                let asked = batch.into_iter().filter(|(_, done)| !done.is_canceled());
                let (jobs, done): (Vec<J>, Vec<_>) = asked.unzip();
                if !jobs.is_empty() {
                    work(&jobs);
                }
                for done in done {
                    // Whoever gave up while the work was done does not listen.
                    let _ = done.send(());
                }
            }
        };
        (Self { queue: Mutex::new(sender) }, worker)
    }

    /// Waits until a job is done, or the worker is gone.
    ///
    /// # Errors
    /// [`Full`] at once, if too many wait.
    pub async fn done(&self, job: J) -> Result<(), Full> {
        let (done, wait) = oneshot::channel();
        // A thread that panicked has left the sender as it was.
        let sent = self.queue.lock().unwrap_or_else(PoisonError::into_inner).try_send((job, done));
        if sent.is_err_and(|error| error.is_full()) {
            return Err(Full);
        }
        let _ = wait.await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, future::join_all, join, poll};
    use std::{pin::pin, sync::Arc};

    /// Batches as they were worked on.
    type Seen = Arc<Mutex<Vec<Vec<u32>>>>;

    fn recorder(seen: &Seen) -> impl FnMut(&[u32]) {
        let seen = seen.clone();
        move |jobs| seen.lock().unwrap().push(jobs.to_vec())
    }

    #[test]
    fn jobs_that_wait_are_done_together_in_their_order_and_within_the_bound() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(100, 4, recorder(&seen));
        block_on(async {
            let all = join_all((0..10).map(|job| batches.done(job)));
            let ask = async {
                assert!(all.await.iter().all(Result::is_ok));
                batches.queue.lock().unwrap().close_channel();
            };
            join!(ask, worker);
        });
        assert_eq!(*seen.lock().unwrap(), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    }

    #[test]
    fn one_job_alone_does_not_wait_for_others() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(100, 4, recorder(&seen));
        block_on(async {
            let (mut worker, mut ask) = (pin!(worker), pin!(batches.done(7)));
            assert!(poll!(ask.as_mut()).is_pending());
            assert!(poll!(worker.as_mut()).is_pending());
            assert!(poll!(ask.as_mut()).is_ready());
        });
        assert_eq!(*seen.lock().unwrap(), [[7]]);
    }

    #[test]
    fn jobs_gather_after_a_batch_that_was_not_full() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(100, 4, recorder(&seen));
        block_on(async {
            let mut worker = pin!(worker);
            let mut first = pin!(batches.done(1));
            assert!(poll!(first.as_mut()).is_pending() && poll!(worker.as_mut()).is_pending());
            let mut second = pin!(batches.done(2));
            assert!(poll!(second.as_mut()).is_pending() && poll!(worker.as_mut()).is_pending());
            let third = batches.done(3);
            let ask = async {
                assert_eq!(join!(second, third), (Ok(()), Ok(())));
                batches.queue.lock().unwrap().close_channel();
            };
            join!(ask, worker);
        });
        assert_eq!(*seen.lock().unwrap(), [vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_it_was_worked_off() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(2, 4, recorder(&seen));
        block_on(async {
            let mut worker = pin!(worker);
            let (mut first, mut second) = (pin!(batches.done(1)), pin!(batches.done(2)));
            assert!(poll!(first.as_mut()).is_pending());
            assert!(poll!(second.as_mut()).is_pending());
            assert_eq!(batches.done(3).await, Err(Full));
            assert!(poll!(worker.as_mut()).is_pending());
            assert!(poll!(first.as_mut()).is_ready() && poll!(second.as_mut()).is_ready());
            let mut fourth = pin!(batches.done(4));
            assert!(poll!(fourth.as_mut()).is_pending(), "waits, and is not refused");
        });
        assert_eq!(*seen.lock().unwrap(), [[1, 2]]);
    }

    #[test]
    fn nothing_is_done_for_those_who_gave_up() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(100, 4, recorder(&seen));
        block_on(async {
            let mut worker = pin!(worker);
            {
                let mut gone = pin!(batches.done(1));
                assert!(poll!(gone.as_mut()).is_pending());
            }
            let mut stays = pin!(batches.done(2));
            assert!(poll!(stays.as_mut()).is_pending());
            assert!(poll!(worker.as_mut()).is_pending());
            assert!(poll!(stays.as_mut()).is_ready());
        });
        assert_eq!(*seen.lock().unwrap(), [[2]]);
    }

    #[test]
    fn a_worker_that_is_gone_holds_nobody_up() {
        let (batches, worker) = Batches::new(100, 4, |_: &[u32]| {});
        drop(worker);
        assert_eq!(block_on(batches.done(1)), Ok(()));
    }
}
