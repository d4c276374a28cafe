//! What a session counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Counters that compile threads add to.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) functions_compiled: AtomicU64,
    pub(crate) functions_failed: AtomicU64,
    pub(crate) functions_invalidated: AtomicU64,
    pub(crate) sites_bound: AtomicU64,
    pub(crate) sites: AtomicU64,
    pub(crate) materialize_nanos: AtomicU64,
    pub(crate) link_nanos: AtomicU64,
    pub(crate) wait_nanos: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn subtract(counter: &AtomicU64, amount: u64) {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Counts the time since a source was asked for a graph, if it is counted; now.
    pub(crate) fn materialized(&self, start: Option<Instant>) -> Option<Instant> {
        start.map(|start| count(&self.materialize_nanos, start))
    }

    /// Counts the time since a graph began to be linked, if it is counted.
    pub(crate) fn linked(&self, start: Option<Instant>) {
        start.map(|start| count(&self.link_nanos, start));
    }
}

fn count(counter: &AtomicU64, start: Instant) -> Instant {
    let now = Instant::now();
    Counters::add(counter, (now - start).as_nanos() as u64);
    now
}
