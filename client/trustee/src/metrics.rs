//! What the operator's monitoring sees, in Prometheus' text format: how calls ended, how long a deposit's steps took,
//! and how far the chain was followed. Nothing in it tells of a voter, a ballot or a share.

use jsonrpsee::types::ErrorObjectOwned;
use prometheus_endpoint::{
    exponential_buckets, register, CounterVec, Gauge, HistogramOpts, HistogramVec, Opts, PrometheusError,
    Registry, U64,
};
use psephos_client::trustee_api::error_to_refusal;
use std::{future::Future, time::Instant};

/// The daemon's counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    calls: CounterVec<U64>,
    steps: HistogramVec,
    finalized: Gauge<U64>,
    served: Gauge<U64>,
}

impl Metrics {
    /// Counts that this registry shows.
    ///
    /// # Errors
    /// When it has others of these names.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let calls = Opts::new("psephos_trustee_calls", "Calls that were answered, by method and outcome");
        let steps =
            HistogramOpts::new("psephos_trustee_deposit_seconds", "What a deposit waited for, by step")
                .buckets(exponential_buckets(0.004, 2.0, 13)?);
        Ok(Self {
            steps: register(HistogramVec::new(steps, &["step"])?, registry)?,
            calls: register(CounterVec::new(calls, &["method", "outcome"])?, registry)?,
            finalized: register(
                Gauge::new("psephos_trustee_finalized", "The last finalized block that was followed")?,
                registry,
            )?,
            served: register(Gauge::new("psephos_trustee_served", "Elections that are served")?, registry)?,
        })
    }

    /// Counts how a call ended: `ok`, the name of a refusal, or `unavailable`.
    pub fn answered<T>(&self, method: &str, answer: &Result<T, ErrorObjectOwned>) {
        let outcome = match answer.as_ref().map_err(error_to_refusal) {
            Ok(_) => String::from("ok"),
            Err(Some(refusal)) => format!("{refusal:?}"),
            Err(None) => String::from("unavailable"),
        };
        self.calls.with_label_values(&[method, &outcome]).inc();
    }

    /// Does a step of a deposit, and notes how long it took.
    pub async fn timed<T>(&self, step: &str, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let done = work.await;
        self.steps.with_label_values(&[step]).observe(start.elapsed().as_secs_f64());
        done
    }

    /// Shows how far the chain was followed, and how many elections are served.
    pub fn followed(&self, finalized: u32, served: usize) {
        self.finalized.set(finalized.into());
        self.served.set(served as u64);
    }
}
