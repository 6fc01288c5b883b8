//! The roll: who waits is asked for together, and each gets the own answer.

use futures::{future::join_all, poll};
use std::pin::pin;
use tokio::{sync::Semaphore, task::yield_now};

use super::*;
use crate::{inbox::DepositError, roll::Roll};

/// A chain that knows who is on which roll, and answers when it may.
struct Slow {
    may: Semaphore,
    asked: Mutex<Vec<(Eid, Vec<PublicKey>)>>,
    /// About this election it can't be asked.
    broken: Eid,
}

impl View for Slow {
    async fn voters(&self, eid: &Eid, credentials: &[PublicKey]) -> Result<Vec<Option<Voter>>, ChainError> {
        self.asked.lock().unwrap().push((*eid, credentials.to_vec()));
        self.may.acquire().await.unwrap().forget();
        if *eid == self.broken {
            return Err(unreachable());
        }
        Ok(credentials.iter().map(|credential| on_roll(eid, credential)).collect())
    }

    async fn recorded(&self, _: &Eid, _: &PublicKey) -> Result<Option<BallotHash>, ChainError> {
        Ok(None)
    }
}

fn unreachable() -> ChainError {
    ChainError::Unreachable { tried: Vec::new() }
}

/// Each voter of each election is another; those of odd number are none.
fn on_roll(eid: &Eid, credential: &PublicKey) -> Option<Voter> {
    let number = u32::from_le_bytes(credential.0[..4].try_into().unwrap());
    let entry = u32::from(eid.0[0]) * 1_000 + number;
    (number % 2 == 0).then_some(Voter { entry, weight: 1, style: 0, unit: 0, ballots: 0, sequence: 0 })
}

fn eid(number: u8) -> Eid {
    Eid([number; 32])
}

fn credential(number: u32) -> PublicKey {
    let mut key = [5; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    PublicKey(key)
}

fn slow() -> Arc<Slow> {
    Arc::new(Slow { may: Semaphore::new(0), asked: Mutex::default(), broken: eid(9) })
}

impl Slow {
    /// Waits until so many questions were asked in all.
    async fn until_asked(&self, questions: usize) {
        while self.asked.lock().unwrap().len() < questions {
            yield_now().await;
        }
    }

    /// How many were asked for in each question so far.
    fn sizes(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|(_, credentials)| credentials.len()).collect()
    }
}

#[tokio::test]
async fn one_who_comes_alone_is_answered() {
    let view = slow();
    let roll = Roll::start(view.clone());
    view.may.add_permits(2);
    let (eid, credential) = (eid(1), credential(4));
    assert_eq!(roll.voter(eid, credential).await, Ok(on_roll(&eid, &credential)));
    assert_eq!(roll.voter(eid, credential).await, Ok(on_roll(&eid, &credential)));
    assert_eq!(view.sizes(), [1, 1]);
}

#[tokio::test]
async fn those_who_wait_are_asked_for_together_and_each_gets_the_own_answer() {
    let view = slow();
    let roll = Roll::start(view.clone());
    let mut first = pin!(roll.voter(eid(1), credential(0)));
    assert!(poll!(first.as_mut()).is_pending());
    view.until_asked(1).await;
    // Of two elections in turn, some of them on no roll, and the same voter more than once.
    let all: Vec<(Eid, PublicKey)> =
        (0..60u32).map(|number| (eid(1 + (number % 2) as u8), credential(number / 3))).collect();
    let mut others = pin!(join_all(all.iter().map(|(eid, credential)| roll.voter(*eid, *credential))));
    assert!(poll!(others.as_mut()).is_pending());
    // All other tasks go on as far as they can.
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!(view.sizes(), [1], "one question at a time");
    view.may.add_permits(100);
    assert_eq!(first.await, Ok(on_roll(&eid(1), &credential(0))));
    for ((eid, credential), voter) in all.iter().zip(others.await) {
        assert_eq!(voter, Ok(on_roll(eid, credential)), "{eid} {credential}");
    }
    assert_eq!(view.sizes(), [1, 30, 30]);
}

/// More than one question asks for, and more than wait in the queue.
#[tokio::test]
async fn who_comes_when_the_queue_is_full_is_answered() {
    let view = slow();
    let roll = Arc::new(Roll::start(view.clone()));
    let asks = (0..600).map(|number| {
        let roll = roll.clone();
        tokio::spawn(async move { (number, roll.voter(eid(1), credential(number)).await) })
    });
    let asks: Vec<_> = asks.collect();
    view.until_asked(1).await;
    view.may.add_permits(600);
    for ask in asks {
        let (number, voter) = ask.await.unwrap();
        assert_eq!(voter, Ok(on_roll(&eid(1), &credential(number))));
    }
    let sizes = view.sizes();
    assert!(sizes.len() < 10 && sizes.iter().all(|size| *size <= 256), "{sizes:?}");
}

#[tokio::test]
async fn an_error_reaches_all_who_wait_and_no_others() {
    let view = slow();
    let roll = Roll::start(view.clone());
    let all: Vec<Eid> = (0..12).map(|number| eid([9, 1][number % 2])).collect();
    view.may.add_permits(100);
    let answers = join_all(all.iter().map(|eid| roll.voter(*eid, credential(2)))).await;
    for (eid, answer) in all.iter().zip(answers) {
        match *eid == view.broken {
            true => assert_eq!(answer, Err(DepositError::Chain(unreachable()))),
            false => assert_eq!(answer, Ok(on_roll(eid, &credential(2)))),
        }
    }
    assert_eq!(view.sizes(), [6, 6]);
    // The next ones are asked for anew.
    assert!(roll.voter(view.broken, credential(2)).await.is_err());
    assert_eq!(view.sizes(), [6, 6, 1]);
}

#[tokio::test]
async fn who_hung_up_is_not_asked_for() {
    let view = slow();
    let roll = Roll::start(view.clone());
    let mut first = pin!(roll.voter(eid(1), credential(0)));
    assert!(poll!(first.as_mut()).is_pending());
    view.until_asked(1).await;
    {
        let mut gone = pin!(roll.voter(eid(1), credential(1)));
        assert!(poll!(gone.as_mut()).is_pending());
    }
    let mut stays = pin!(roll.voter(eid(1), credential(2)));
    assert!(poll!(stays.as_mut()).is_pending());
    view.may.add_permits(2);
    assert!(first.await.is_ok() && stays.await.is_ok());
    let asked = view.asked.lock().unwrap();
    let second = asked.last().map(|(_, credentials)| credentials.as_slice());
    assert_eq!((asked.len(), second), (2, Some(&[credential(2)][..])));
}

/// The task keeps nothing alive that the daemon has given up.
#[tokio::test]
async fn it_ends_with_the_inbox() {
    let view = slow();
    let roll = Roll::start(view.clone());
    yield_now().await;
    assert_eq!(Arc::strong_count(&view), 2);
    drop(roll);
    while Arc::strong_count(&view) > 1 {
        yield_now().await;
    }
}
