// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! A batch with a bad ballot in it costs several times as much, and a bad signature costs its sender nothing. So
//! when a batch held a bad ballot, signatures and receipts are checked one by one for a while before a ballot may
//! join a batch. What can still be wrong is then a proof that q trustees have checked.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the alarm lasts. An attacker can spoil a batch so often.
const LASTS: Duration = Duration::from_secs(600);

/// Whether somebody sends bad ballots these minutes.
#[derive(Default)]
pub struct Alarm(Mutex<Option<Instant>>);

impl Alarm {
    /// Raises the alarm, or prolongs it.
    pub fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(LASTS);
    }

    /// Whether it was raised lately.
    pub fn is_raised(&self) -> bool {
        self.is_raised_at(Instant::now())
    }

    fn is_raised_at(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_lasts_a_while_and_no_longer() {
        let alarm = Alarm::default();
        assert!(!alarm.is_raised());
        alarm.raise();
        assert!(alarm.is_raised());
        assert!(!alarm.is_raised_at(Instant::now() + LASTS));
    }
}
