//! Objects, and the collector that moves them.
//!
//! The heap is two halves. Threads take chunks of the current one and put objects there, one after the
//! other; when it is full, all threads stop, what they can reach is copied to the other half, and
//! every reference to it is replaced (Cheney, 1970).
#![expect(unsafe_code, reason = "reads, copies and moves objects")]

use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
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
pub(crate) struct Heap {
    words: Vec<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is free of the current half.
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
    pub(crate) objects_moved: u64,
    /// Functions whose old code was freed.
    pub(crate) functions_freed: u64,
}

/// A word of an object, or where one goes.
fn word(at: u64) -> &'static AtomicU64 {
    // SAFETY: the callers below only ask for words of the heap, which is there as long as threads are.
    unsafe { AtomicU64::from_ptr(ptr::with_exposed_provenance_mut(at as usize)) }
}

fn load(at: u64) -> u64 {
    word(at).load(Ordering::Relaxed)
}

fn store(at: u64, value: u64) {
    word(at).store(value, Ordering::Relaxed);
}

impl Heap {
    /// Two halves of so many bytes each.
    pub(crate) fn new(half: u64) -> Self {
        let mut words = vec![0; 2 * half as usize / 8];
        let start = words.as_mut_ptr().expose_provenance() as u64;
        let state = State { free: start..start + half, ..State::default() };
        Self { words, state: Mutex::new(state) }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state.lock().unwrap().counts
    }

    /// A thread, known to the collector from now on.
    pub(crate) fn add_thread(&self, receiver: u64) -> Arc<Local> {
        let local = Arc::new(Local { receiver: receiver.into(), ..Local::default() });
        self.state.lock().unwrap().locals.push(Arc::downgrade(&local));
        local
    }

    /// Room for an object, in a new chunk of the thread's; none if the heap is full.
    pub(crate) fn allocate(&self, local: &Local, size: u64) -> Option<u64> {
        let mut state = self.state.lock().unwrap();
        let Range { start, end } = state.free;
        if size > end - start {
            return None;
        }
        state.free.start += CHUNK.max(size).min(end - start);
        let limit = state.free.start;
        drop(state);
        (start..limit).step_by(8).for_each(|at| store(at, 0));
        local.next.store(start + size, Ordering::Relaxed);
        local.limit.store(limit, Ordering::Relaxed);
        Some(start)
    }

    /// Stops the world and collects objects and code, unless somebody has done so since there were
    /// `seen` collections; gives the bytes that were free right after the last collection. The
    /// calling thread is within `native`.
    pub(crate) fn collect(&self, vm: &Vm, seen: u64) -> u64 {
        vm.safepoints.stop_the_world(|stopped| {
            let state = &mut *self.state.lock().unwrap();
            if state.counts.collections == seen {
                state.counts.collections += 1;
                self.copy_all(state, vm, stopped);
                // SAFETY: all threads that run code of the session are stopped, and the map is its.
                let freed = unsafe { vm.session.reclaim_stopped(stopped, &vm.map) };
                state.counts.functions_freed += freed.expect("frames can be walked") as u64;
                state.left = state.free.end - state.free.start;
            }
            state.left
        })
    }

    fn copy_all(&self, state: &mut State, vm: &Vm, stopped: &[Stopped<'_>]) {
        let (low, half) = (self.words.as_ptr() as u64, self.words.len() as u64 * 4);
        let (from, to) =
            if state.free.end == low + half { (low, low + half) } else { (low + half, low) };
        let mut copying =
            Copying { program: &vm.program, from: from..from + half, next: to, moved: 0 };
        for thread in stopped {
            // SAFETY: the map is told by the session whose code it is.
            let done = unsafe { thread.relocate(&vm.map, |object| copying.forward(object)) };
            done.expect("frames can be walked");
        }
        state.locals.retain(|local| {
            let Some(local) = local.upgrade() else { return false };
            for root in [&local.exception, &local.receiver] {
                root.store(copying.forward(root.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
            local.next.store(0, Ordering::Relaxed);
            local.limit.store(0, Ordering::Relaxed);
            true
        });
        copying.reach(to);
        state.free = copying.next..to + half;
        state.counts.objects_moved += copying.moved;
    }
}

/// A collection under way.
struct Copying<'a> {
    program: &'a Program,
    from: Range<u64>,
    next: u64,
    moved: u64,
}

impl Copying<'_> {
    /// Where an object is now: it is copied when it is first met, and its header then says where to.
    fn forward(&mut self, object: u64) -> u64 {
        if !self.from.contains(&object) {
            return object;
        }
        let header = load(object);
        if header & 1 == 1 {
            return header - 1;
        }
        let (copy, size) = (self.next, self.program.class_of(object).size());
        // The other half has room for all that the first one held.
        (0..size).step_by(8).for_each(|offset| store(copy + offset, load(object + offset)));
        store(object, copy | 1);
        self.next += size;
        self.moved += 1;
        copy
    }

    /// Copies what the copies refer to, from the first one on.
    fn reach(&mut self, mut object: u64) {
        while object < self.next {
            let class = self.program.class_of(object);
            for field in &class.references {
                store(object + field, self.forward(load(object + field)));
            }
            object += class.size();
        }
    }
}
