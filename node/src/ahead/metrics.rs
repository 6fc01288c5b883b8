// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What checking ahead costs, for Prometheus.

use prometheus_endpoint::{register, Counter, Histogram, HistogramOpts, PrometheusError, Registry, U64};
use std::time::Duration;

pub(super) struct Metrics {
    ballots: Counter<U64>,
    new: Counter<U64>,
    seconds: Histogram,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        Ok(Self {
            ballots: register(
                Counter::new(
                    "psephos_ballots_ahead",
                    "Ballots that were to be checked ahead of the runtime",
                )?,
                registry,
            )?,
            new: register(
                Counter::new("psephos_ballots_ahead_new", "Those of them whose verdict was not known")?,
                registry,
            )?,
            seconds: register(
                Histogram::with_opts(HistogramOpts::new(
                    "psephos_ballots_ahead_batch_seconds",
                    "How long a batch of them took",
                ))?,
                registry,
            )?,
        })
    }

    pub(super) fn report(&self, ballots: usize, new: usize, took: Duration) {
        self.ballots.inc_by(ballots as u64);
        self.new.inc_by(new as u64);
        self.seconds.observe(took.as_secs_f64());
    }
}
