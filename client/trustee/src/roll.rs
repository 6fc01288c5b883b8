//! Questions to the node about voters, those of all deposits that wait asked together.
//!
//! A node bounds the calls of a connection (some 200 a second), not what is in them. One task asks for all voters that
//! are waited for, and the next ones gather while it waits for the answer: nobody waits for a timer, and the more
//! deposits come, the more share a call. One question an election is under way at a time, because a second would only
//! make the first smaller: of 256 each, they are far more than one machine can check.

use futures::future::join_all;
use psephos_client::ChainError;
use psephos_protocol::{ids::Eid, keys::PublicKey, state::Voter};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};

use crate::{elections::View, inbox::DepositError};

/// Voters asked for together: as many as one call asks for. As many wait meanwhile, and who comes then waits outside
/// the queue, within the bound on connections.
const TOGETHER: usize = 256;

struct Question {
    eid: Eid,
    credential: PublicKey,
    answer: oneshot::Sender<Result<Option<Voter>, ChainError>>,
}

/// The roll, as the inbox asks for it.
pub struct Roll(mpsc::Sender<Question>);

impl Roll {
    /// Starts the task that asks; it ends with the roll.
    #[must_use]
    pub fn start(view: Arc<impl View>) -> Self {
        let (queue, mut questions) = mpsc::channel(TOGETHER);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(TOGETHER);
            while questions.recv_many(&mut waiting, TOGETHER).await > 0 {
                answer_all(&*view, waiting.drain(..)).await;
            }
        });
        Self(queue)
    }

    /// A voter on the roll.
    ///
    /// # Errors
    /// [`DepositError::Chain`], or [`DepositError::Stopping`].
    pub async fn voter(&self, eid: Eid, credential: PublicKey) -> Result<Option<Voter>, DepositError> {
        let (answer, answered) = oneshot::channel();
        let question = Question { eid, credential, answer };
        self.0.send(question).await.map_err(|_| DepositError::Stopping)?;
        Ok(answered.await.map_err(|_| DepositError::Stopping)??)
    }
}

/// Asks for all elections at the same time. The next questions wait until all are answered.
async fn answer_all(view: &impl View, questions: impl Iterator<Item = Question>) {
    let mut elections: BTreeMap<Eid, Vec<Question>> = BTreeMap::new();
    // Who hung up needs no answer.
    for question in questions.filter(|question| !question.answer.is_closed()) {
        elections.entry(question.eid).or_default().push(question);
    }
    join_all(elections.into_iter().map(|(eid, questions)| answer(view, eid, questions))).await;
}

async fn answer(view: &impl View, eid: Eid, questions: Vec<Question>) {
    let credentials: Vec<PublicKey> = questions.iter().map(|question| question.credential).collect();
    let mut voters = view.voters(&eid, &credentials).await.map(Vec::into_iter);
    for question in questions {
        let voter = voters.as_mut().map(|voters| voters.next().flatten()).map_err(|error| error.clone());
        // Who asked may have hung up since.
        let _ = question.answer.send(voter);
    }
}
