//! Objects, and the collector that moves them.
//!
//! Threads take chunks of a space and put objects there, one after the other; when it is full, all
//! threads stop, what they can reach is copied to another space, which takes its place, and every
//! reference to it is replaced (Cheney, 1970).
#![expect(unsafe_code, reason = "reads, copies and moves objects")]

use std::ops::Range;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU64};
use std::sync::{Arc, Mutex, Weak};

use vmkit::safepoint::Stopped;

use super::natives::Current;
use super::program::Program;
use super::vm::Vm;

/// Bytes that a thread takes at once.
const CHUNK: u64 = 8 << 10;

/// What compiled code knows of the thread that it runs on; it has the address as an argument.
#[repr(C)]
#[derive(Default, Debug)]
pub(crate) struct Local {
    /// Where the next object goes, and where the thread's chunk ends.
    pub(crate) next: AtomicU64,
    pub(crate) limit: AtomicU64,
    /// The exception that was thrown last; null if the thread came to its end.
    pub(crate) exception: AtomicU64,
    /// The object whose `run` the thread runs.
    pub(crate) receiver: AtomicU64,
    /// What the natives know of it.
    pub(crate) current: AtomicPtr<Current>,
}

/// The heap of one virtual machine.
pub(crate) struct Heap(Mutex<State>);

#[derive(Default)]
struct State {
    /// The objects, and what is free behind them: all zeros.
    space: Vec<u64>,
    free: Range<u64>,
    /// The threads that there are.
    locals: Vec<Weak<Local>>,
    /// Bytes that the last collection left free.
    left: u64,
    counts: Counts,
}

/// What all collections together have done.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) collections: u64,
    /// Functions whose old code was freed.
    pub(crate) functions_freed: u64,
}

/// A word of an object, or where one goes.
fn word(at: u64) -> &'static AtomicU64 {
    // SAFETY: the callers below only ask for words of the heap, which is there as long as threads are.
    unsafe { AtomicU64::from_ptr(ptr::with_exposed_provenance_mut(at as usize)) }
}

fn range(space: &mut [u64]) -> Range<u64> {
    let start = space.as_mut_ptr().expose_provenance() as u64;
    start..start + 8 * space.len() as u64
}

impl Heap {
    /// A heap with spaces of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let mut space = vec![0; bytes as usize / 8];
        let free = range(&mut space);
        Self(Mutex::new(State { space, free, ..State::default() }))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().unwrap().counts
    }

    /// A thread, known to the collector from now on.
    pub(crate) fn add_thread(&self, receiver: u64) -> Arc<Local> {
        let local = Arc::new(Local { receiver: receiver.into(), ..Local::default() });
        self.0.lock().unwrap().locals.push(Arc::downgrade(&local));
        local
    }

    /// Room for an object, in a new chunk of the thread's; none if the heap is full.
    pub(crate) fn allocate(&self, local: &Local, size: u64) -> Option<u64> {
        let mut state = self.0.lock().unwrap();
        let Range { start, end } = state.free;
        if size > end - start {
            return None;
        }
        state.free.start += CHUNK.max(size).min(end - start);
        local.next.store(start + size, Relaxed);
        local.limit.store(state.free.start, Relaxed);
        Some(start)
    }

    /// Stops the world and collects objects and code, unless somebody has done so since there were
    /// `seen` collections; gives the bytes that were free right after the last collection. The
    /// calling thread is within `native`.
    pub(crate) fn collect(&self, vm: &Vm, seen: u64) -> u64 {
        vm.safepoints.stop_the_world(|stopped| {
            let state = &mut *self.0.lock().unwrap();
            if state.counts.collections == seen {
                state.counts.collections += 1;
                state.copy_all(vm, stopped);
                // SAFETY: all threads that run code of the session are stopped, and the map is its.
                let freed = unsafe { vm.session.reclaim_stopped(stopped, &vm.map) };
                state.counts.functions_freed += freed.expect("frames can be walked") as u64;
                state.left = state.free.end - state.free.start;
            }
            state.left
        })
    }
}

impl State {
    fn copy_all(&mut self, vm: &Vm, stopped: &[Stopped<'_>]) {
        let mut space = vec![0; self.space.len()];
        let (from, to) = (range(&mut self.space), range(&mut space));
        let mut copying = Copying { program: &vm.program, from, next: to.start };
        for thread in stopped {
            // SAFETY: the map is told by the session whose code it is.
            let done = unsafe { thread.relocate(&vm.map, |object| copying.forward(object)) };
            done.expect("frames can be walked");
        }
        self.locals.retain(|local| {
            let Some(local) = local.upgrade() else { return false };
            copying.update(&local.exception);
            copying.update(&local.receiver);
            local.next.store(0, Relaxed);
            local.limit.store(0, Relaxed);
            true
        });
        // What the copies refer to, from the first one on.
        let mut object = to.start;
        while object < copying.next {
            let class = vm.program.class_of(object);
            class.references.iter().for_each(|field| copying.update(word(object + field)));
            object += class.size();
        }
        self.free = copying.next..to.end;
        self.space = space;
    }
}

/// A collection under way.
struct Copying<'a> {
    program: &'a Program,
    from: Range<u64>,
    next: u64,
}

impl Copying<'_> {
    fn update(&mut self, reference: &AtomicU64) {
        reference.store(self.forward(reference.load(Relaxed)), Relaxed);
    }

    /// Where an object is now: it is copied when it is first met, and its header then says where to.
    fn forward(&mut self, object: u64) -> u64 {
        if !self.from.contains(&object) {
            return object;
        }
        let header = word(object).load(Relaxed);
        if header & 1 == 1 {
            return header - 1;
        }
        let (copy, size) = (self.next, self.program.class_of(object).size());
        // The other space has room for all that the first one held.
        for offset in (0..size).step_by(8) {
            word(copy + offset).store(word(object + offset).load(Relaxed), Relaxed);
        }
        word(object).store(copy | 1, Relaxed);
        self.next += size;
        copy
    }
}
