//! Code that nobody calls any more: it is freed once nobody can be in it.
#![forbid(unsafe_code)]

mod epoch;

use std::cell::Cell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use parking_lot::Mutex;

use self::epoch::{Epochs, Thread};
use crate::allocation::AllocationId;

/// What nobody calls any more, oldest first, each with the epoch of its retirement.
pub(crate) struct Retired {
    epochs: Arc<Epochs>,
    queue: Mutex<VecDeque<(u64, AllocationId)>>,
}

impl Default for Retired {
    fn default() -> Self {
        Self { epochs: Arc::new(Epochs::new()), queue: Mutex::default() }
    }
}

impl Retired {
    /// Notes what nobody can call from now on.
    pub(crate) fn push(&self, id: AllocationId) {
        let mut queue = self.queue.lock();
        queue.push_back((self.epochs.current(), id));
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.lock().len()
    }

    /// Takes out those that no reader can be in.
    pub(crate) fn take_quiet(&self) -> Vec<AllocationId> {
        let oldest = self.epochs.advance();
        let mut queue = self.queue.lock();
        let count = queue.partition_point(|&(epoch, _)| epoch < oldest);
        queue.drain(..count).map(|(_, id)| id).collect()
    }

    /// Takes out those for which `is_wanted`.
    pub(crate) fn take_where(
        &self,
        mut is_wanted: impl FnMut(AllocationId) -> bool,
    ) -> Vec<AllocationId> {
        let mut queue = self.queue.lock();
        let (taken, kept): (VecDeque<_>, _) = queue.drain(..).partition(|&(_, id)| is_wanted(id));
        *queue = kept;
        taken.into_iter().map(|(_, id)| id).collect()
    }

    /// A reader for this thread.
    pub(crate) fn reader(&self) -> Reader {
        let epochs = self.epochs.clone();
        Reader {
            thread: epochs.add_thread(),
            epochs,
            depth: Cell::new(0),
            on_this_thread: PhantomData,
        }
    }
}

/// A thread that runs code of a session of which old code is freed: it says when it is inside.
///
/// The words are those of read-copy-update. Made by [`Session::reader`](crate::Session::reader).
pub struct Reader {
    epochs: Arc<Epochs>,
    thread: Thread,
    depth: Cell<usize>,
    on_this_thread: PhantomData<*const ()>,
}

/// While it lives, code that this thread can find is not freed.
#[must_use = "the thread is inside as long as this lives"]
pub struct Reading<'a>(&'a Reader);

impl Reader {
    /// The thread is about to run the session's code.
    pub fn enter(&self) -> Reading<'_> {
        if self.depth.replace(self.depth.get() + 1) == 0 {
            self.thread.enter(&self.epochs);
        }
        Reading(self)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let depth = self.0.depth.get() - 1;
        self.0.depth.set(depth);
        if depth == 0 {
            self.0.thread.leave();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.epochs.remove_thread(&self.thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> AllocationId {
        AllocationId::from_number(number)
    }

    #[test]
    fn a_reader_holds_back_what_was_retired_while_it_was_inside() {
        let retired = Retired::default();
        let reader = retired.reader();
        retired.push(id(1));
        let outer = reader.enter();
        retired.push(id(2));
        let inner = reader.enter();
        assert_eq!(retired.take_quiet(), []);
        drop(outer);
        assert_eq!(retired.take_quiet(), []);
        drop(inner);
        assert_eq!(retired.take_quiet(), [id(1), id(2)]);
        assert_eq!(retired.len(), 0);
    }

    #[test]
    fn a_machine_chooses_for_itself() {
        let retired = Retired::default();
        (1..=4).for_each(|number| retired.push(id(number)));
        assert_eq!(retired.take_where(|id| id.number() % 2 == 0), [id(2), id(4)]);
        assert_eq!(retired.take_quiet(), [id(1), id(3)]);
    }
}
