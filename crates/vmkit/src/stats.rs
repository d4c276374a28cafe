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

    /// Runs the producer of a graph and counts its time.
    pub(crate) fn materialize<T>(&self, run: impl FnOnce() -> T) -> T {
        timed(&self.materialize_nanos, run)
    }

    /// Runs the linking of a graph and counts its time.
    pub(crate) fn link<T>(&self, run: impl FnOnce() -> T) -> T {
        timed(&self.link_nanos, run)
    }
}

fn timed<T>(counter: &AtomicU64, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    Counters::add(counter, start.elapsed().as_nanos() as u64);
    result
}
