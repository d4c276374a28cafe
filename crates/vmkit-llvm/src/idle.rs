//! Workers that nobody uses at the moment.
//!
//! What a worker has allocated lies in the caches of the processor that used it last, and belongs to that
//! thread's part of the allocator: threads that compile at the same time keep to their own.
#![forbid(unsafe_code)]

use std::sync::Arc;

use parking_lot::Mutex;

use crate::ffi::Worker;
use crate::generation::Generation;

thread_local! {
    /// Its address stands for the thread: the standard library's number of it may allocate.
    static HERE: u8 = const { 0 };
}

/// A worker, of a generation.
pub(crate) struct Member {
    // Dropped before the bitcode that it borrows.
    pub(crate) worker: Worker,
    pub(crate) generation: Arc<Generation>,
}

/// Idle workers, the one used last on top, and who used each.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<(usize, Member)>>);

impl Idle {
    /// One that has the module loaded, if any has; rather the one that this thread used last.
    pub(crate) fn take(&self, module: Option<usize>) -> Option<Member> {
        let here = here();
        let mut idle = self.0.lock();
        let rank = |&(thread, ref member): &(usize, Member)| {
            (module.is_some_and(|number| member.worker.has(number)), thread == here)
        };
        let (place, _) = idle.iter().enumerate().max_by_key(|(_, member)| rank(member))?;
        Some(idle.remove(place).1)
    }

    /// The one that this thread used last, if nobody uses it now.
    pub(crate) fn take_own(&self) -> Option<Member> {
        let here = here();
        let mut idle = self.0.lock();
        let place = idle.iter().rposition(|&(thread, _)| thread == here)?;
        Some(idle.remove(place).1)
    }

    /// Puts one on top that this thread has used.
    pub(crate) fn put(&self, member: Member) {
        self.0.lock().push((here(), member));
    }

    /// All of them.
    pub(crate) fn take_all(&self) -> Vec<(usize, Member)> {
        std::mem::take(&mut *self.0.lock())
    }
}

fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::{self, RawOptions};

    fn member() -> Member {
        ffi::initialize();
        let generation = Arc::new(Generation::new(Arc::default()));
        Member { worker: Worker::new(RawOptions::default()), generation }
    }

    #[test]
    fn who_has_used_a_worker_gets_it_again_and_who_has_none_gets_any() {
        let (idle, own) = (Idle::default(), member());
        let ours = own.generation.clone();
        idle.put(own);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                idle.put(member());
                assert!(Arc::ptr_eq(&idle.0.lock()[0].1.generation, &ours));
            });
        });
        let is_ours = |member: &Member| Arc::ptr_eq(&member.generation, &ours);
        let own = idle.take(None).unwrap();
        assert!(is_ours(&own), "the other is on top");
        assert!(idle.take_own().is_none(), "the other is another thread's");
        let other = idle.take(None).unwrap();
        assert!(!is_ours(&other));
        idle.put(own);
        idle.put(other);
        assert!(!is_ours(&idle.take_own().unwrap()), "the last one of both");
    }
}
