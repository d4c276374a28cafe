//! What a fork must not see half done.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::host;

thread_local! {
    /// Is this thread counted?
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// In the count: nobody may go in.
const CLOSED: u32 = 1 << 31;

/// Counts the threads that do something a fork has to wait for, and lets none in while one is under
/// way.
#[derive(Default)]
pub(crate) struct Turnstile(AtomicU32);

impl Turnstile {
    /// Does something that a fork must not see half done.
    pub(crate) fn undisturbed<T>(&self, work: impl FnOnce() -> T) -> T {
        if IS_INSIDE.get() {
            return work();
        }
        self.enter();
        IS_INSIDE.set(true);
        let result = catch_unwind(AssertUnwindSafe(work));
        IS_INSIDE.set(false);
        self.leave();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn enter(&self) {
        let open = |inside| (inside & CLOSED == 0).then_some(inside + 1);
        while let Err(inside) = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, open) {
            host::wait(&self.0, inside);
        }
    }

    fn leave(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) & CLOSED != 0 {
            host::wake_all(&self.0);
        }
    }

    /// Before a fork: waits until nobody is inside, and lets nobody in.
    pub(crate) fn close(&self) {
        let mut inside = self.0.fetch_or(CLOSED, Ordering::SeqCst) | CLOSED;
        while inside != CLOSED {
            host::wait(&self.0, inside);
            inside = self.0.load(Ordering::SeqCst);
        }
    }

    /// After a fork, in the parent.
    pub(crate) fn open(&self) {
        self.0.fetch_and(!CLOSED, Ordering::SeqCst);
        host::wake_all(&self.0);
    }

    /// After a fork, in the child, where nobody is inside.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }
}
