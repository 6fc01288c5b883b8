// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Whoever comes within a short while of one batch makes up the next one: alone, nobody waits; in a crowd, all
//! pay the price of a batch.

use futures::{
    channel::{mpsc, oneshot},
    StreamExt,
};
use futures_timer::Delay;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Time between the starts of two batches, unless the first was full: a fifth of a block. With a hundred ballots a
/// second a batch then holds forty, and costs each less than half of what it would alone.
const GATHER: Duration = Duration::from_millis(400);

/// Hands jobs to a worker that does them in batches.
pub struct Batches<J, A = ()> {
    queue: Mutex<mpsc::Sender<Waiting<J, A>>>,
}

/// As many jobs wait as may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// A job, and whom to give its answer.
pub type Waiting<J, A> = (J, oneshot::Sender<A>);

impl<J, A> Batches<J, A> {
    /// A queue in which `length` jobs may wait, and the worker that hands them to `work` in the order in which they
    /// came: as many at a time as reach the size `most` together.
    pub fn new(
        length: usize,
        most: usize,
        size: impl Fn(&J) -> usize,
        mut work: impl FnMut(Vec<Waiting<J, A>>),
    ) -> (Self, impl std::future::Future<Output = ()>) {
        // The channel grants each sender a place of its own, and there is one sender.
        let (sender, mut receiver) = mpsc::channel::<Waiting<J, A>>(length.saturating_sub(1));
        let worker = async move {
            let mut next = Instant::now();
            while let Some(first) = receiver.next().await {
                let wait = next.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    Delay::new(wait).await;
                }
                next = Instant::now();
                let mut reached = size(&first.0);
                let mut batch = vec![first];
                while let Some(other) = (reached < most).then(|| receiver.try_recv().ok()).flatten() {
                    reached = reached.saturating_add(size(&other.0));
                    batch.push(other);
                }
                if reached < most {
                    next += GATHER;
                }
                // Those who gave up meanwhile need no answer.
                batch.retain(|(_, answer)| !answer.is_canceled());
                if !batch.is_empty() {
                    work(batch);
                }
            }
        };
        (Self { queue: Mutex::new(sender) }, worker)
    }

    /// Waits for the answer to a job; there is none if the worker is gone.
    ///
    /// # Errors
    /// [`Full`] at once, if too many wait.
    pub async fn done(&self, job: J) -> Result<Option<A>, Full> {
        let (answer, wait) = oneshot::channel();
        // A thread that panicked has left the sender as it was.
        let sent = self.queue.lock().unwrap_or_else(PoisonError::into_inner).try_send((job, answer));
        if sent.is_err_and(|error| error.is_full()) {
            return Err(Full);
        }
        Ok(wait.await.ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, future::join_all, join, poll};
    use std::{pin::pin, sync::Arc};

    /// Batches as they were worked on.
    type Seen = Arc<Mutex<Vec<Vec<u32>>>>;

    fn recorder(seen: &Seen) -> impl FnMut(Vec<Waiting<u32, ()>>) {
        let seen = seen.clone();
        move |batch| {
            let (jobs, answers): (Vec<u32>, Vec<_>) = batch.into_iter().unzip();
            seen.lock().unwrap().push(jobs);
            answers.into_iter().for_each(|answer| answer.send(()).unwrap());
        }
    }

    fn one(_: &u32) -> usize {
        1
    }

    #[test]
    fn jobs_that_wait_are_done_together_in_their_order_and_within_the_bound() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(100, 4, one, recorder(&seen));
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
        let (batches, worker) = Batches::new(100, 4, one, recorder(&seen));
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
        let (batches, worker) = Batches::new(100, 4, one, recorder(&seen));
        block_on(async {
            let mut worker = pin!(worker);
            let mut first = pin!(batches.done(1));
            assert!(poll!(first.as_mut()).is_pending() && poll!(worker.as_mut()).is_pending());
            let mut second = pin!(batches.done(2));
            assert!(poll!(second.as_mut()).is_pending() && poll!(worker.as_mut()).is_pending());
            let third = batches.done(3);
            let ask = async {
                assert_eq!(join!(second, third), (Ok(Some(())), Ok(Some(()))));
                batches.queue.lock().unwrap().close_channel();
            };
            join!(ask, worker);
        });
        assert_eq!(*seen.lock().unwrap(), [vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_it_was_worked_off() {
        let seen = Seen::default();
        let (batches, worker) = Batches::new(2, 4, one, recorder(&seen));
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
        let (batches, worker) = Batches::new(100, 4, one, recorder(&seen));
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
        let (batches, worker) = Batches::<u32>::new(100, 4, one, |_| {});
        drop(worker);
        assert_eq!(block_on(batches.done(1)), Ok(None));
    }
}
