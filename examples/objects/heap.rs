//! Objects, and the collector that moves them.
//!
//! An object is a header, the address of its class's dispatch table, and a word for each field. The
//! heap is two halves. Threads take chunks of the current one and put objects there, one after the
//! other; when it is full, all threads stop, what they can reach is copied to the other half, and
//! every reference to it is replaced (Cheney, 1970).
#![expect(unsafe_code, reason = "reads, copies and moves objects")]

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use vmkit::code::CodeMap;
use vmkit::safepoint::{Safepoints, Stopped};
use vmkit::walk::{End, Slot};
use vmkit::{Addr, Session};

use super::natives::Current;
use super::vm::table;

/// Bytes that a thread takes at once.
const CHUNK: u64 = 8 << 10;

/// What compiled code knows of the thread that it runs on; it has the address as an argument.
#[repr(C)]
#[derive(Default, Debug)]
pub(crate) struct Local {
    /// Where the next object goes, and where the thread's chunk ends.
    pub(crate) next: AtomicU64,
    pub(crate) limit: AtomicU64,
    /// The exception that was thrown last.
    pub(crate) exception: AtomicU64,
    /// Whether that ended the thread.
    pub(crate) uncaught: AtomicU64,
    /// The object whose `run` the thread runs.
    pub(crate) receiver: AtomicU64,
    /// What the natives know of it.
    pub(crate) current: AtomicPtr<Current>,
}

/// The heap of one virtual machine.
#[derive(Debug)]
pub(crate) struct Heap {
    words: Vec<u64>,
    free: Mutex<Free>,
    locals: Mutex<Vec<Arc<Local>>>,
    collections: AtomicU64,
    moved: AtomicU64,
    /// Bytes that the last one left free.
    left: AtomicU64,
    /// Functions whose old code was freed.
    freed: AtomicU64,
}

/// What is free of the current half.
#[derive(Clone, Copy, Debug)]
struct Free {
    next: u64,
    end: u64,
}

/// A collection under way.
struct Copying {
    from: std::ops::Range<u64>,
    next: u64,
    moved: u64,
    /// Where the threads are in compiled code.
    places: Vec<u64>,
}

fn word(at: u64) -> *mut u64 {
    ptr::with_exposed_provenance_mut(at as usize)
}

fn load(at: u64) -> u64 {
    // SAFETY: the callers below only ask for words of objects, tables, and frames that wait.
    unsafe { word(at).read() }
}

fn store(at: u64, value: u64) {
    // SAFETY: as in `load`; nobody else looks meanwhile.
    unsafe { word(at).write(value) };
}

impl Heap {
    /// Two halves of so many bytes each.
    pub(crate) fn new(half: u64) -> Self {
        let mut words = vec![0; 2 * half as usize / 8];
        let start = words.as_mut_ptr().expose_provenance() as u64;
        Self {
            words,
            free: Mutex::new(Free { next: start, end: start + half }),
            locals: Mutex::default(),
            collections: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            left: AtomicU64::new(0),
            freed: AtomicU64::new(0),
        }
    }

    pub(crate) fn collections(&self) -> u64 {
        self.collections.load(Ordering::Relaxed)
    }

    /// How many objects were moved by all collections together.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// How many functions' old code was freed.
    pub(crate) fn freed(&self) -> u64 {
        self.freed.load(Ordering::Relaxed)
    }

    /// A thread, known to the collector from now on.
    pub(crate) fn add_thread(&self, receiver: u64) -> Arc<Local> {
        let local = Arc::new(Local { receiver: receiver.into(), ..Local::default() });
        self.locals.lock().unwrap().push(local.clone());
        local
    }

    pub(crate) fn remove_thread(&self, local: &Arc<Local>) {
        self.locals.lock().unwrap().retain(|other| !Arc::ptr_eq(other, local));
    }

    /// Room for an object, in a new chunk of the thread's; none if the heap is full.
    pub(crate) fn allocate(&self, local: &Local, size: u64) -> Option<u64> {
        let mut free = self.free.lock().unwrap();
        let (at, room) = (free.next, free.end - free.next);
        if size > room {
            return None;
        }
        free.next += CHUNK.max(size).min(room);
        let end = free.next;
        drop(free);
        // SAFETY: from here on, the chunk is this thread's alone.
        unsafe { word(at).write_bytes(0, (end - at) as usize / 8) };
        local.next.store(at + size, Ordering::Relaxed);
        local.limit.store(end, Ordering::Relaxed);
        Some(at)
    }

    /// Stops the world and collects objects and code, unless somebody has done so since there were
    /// `seen` collections; gives the bytes that were free right after the last collection. The
    /// calling thread is within `native`.
    pub(crate) fn collect(
        &self,
        safepoints: &Safepoints,
        map: &CodeMap,
        session: &Session,
        seen: u64,
    ) -> u64 {
        safepoints.stop_the_world(|stopped| {
            let mut free = self.free.lock().unwrap();
            if self.collections() == seen {
                let places;
                (*free, places) = self.copy_all(*free, stopped, map);
                self.collections.fetch_add(1, Ordering::Relaxed);
                self.free_code(session, &places);
                self.left.store(free.end - free.next, Ordering::Relaxed);
            }
            self.left.load(Ordering::Relaxed)
        })
    }

    /// Frees old code that no thread is in.
    fn free_code(&self, session: &Session, places: &[u64]) {
        let is_in =
            |place: u64, (start, len): (Addr, u64)| (start.0..start.0 + len).contains(&place);
        // SAFETY: all threads that run code of the session stand still, with frames in these places.
        let freed = unsafe {
            session.reclaim_where(|_, code| {
                !places.iter().any(|&place| code.iter().any(|&range| is_in(place, range)))
            })
        };
        self.freed.fetch_add(freed as u64, Ordering::Relaxed);
    }

    fn copy_all(&self, free: Free, stopped: &[Stopped<'_>], map: &CodeMap) -> (Free, Vec<u64>) {
        let half = self.words.len() as u64 * 4;
        let low = self.words.as_ptr() as u64;
        let (from, to) = if free.end == low + half { (low, low + half) } else { (low + half, low) };
        let mut copying =
            Copying { from: from..from + half, next: to, moved: 0, places: Vec::new() };
        for thread in stopped {
            copying.frames(thread, map);
        }
        for local in &*self.locals.lock().unwrap() {
            for root in [&local.exception, &local.receiver] {
                root.store(copying.forward(root.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
            local.next.store(0, Ordering::Relaxed);
            local.limit.store(0, Ordering::Relaxed);
        }
        copying.reach(to);
        self.moved.fetch_add(copying.moved, Ordering::Relaxed);
        (Free { next: copying.next, end: to + half }, copying.places)
    }
}

impl Copying {
    /// Replaces the references in a thread's frames.
    fn frames(&mut self, thread: &Stopped<'_>, map: &CodeMap) {
        // SAFETY: the map is told by the session whose code it is.
        let Some(mut frames) = (unsafe { thread.frames(map) }) else { return };
        let place = |slot| match slot {
            Slot::Memory(at) => at,
            Slot::Register(register) => panic!("register {register} was saved by the entry"),
        };
        for frame in frames.by_ref() {
            self.places.push(frame.address());
            let write = |slot, value| store(place(slot), value);
            frame.relocate(|slot| load(place(slot)), write, |object| self.forward(object));
        }
        assert_eq!(frames.end(), Some(End::Native), "a frame that cannot be walked");
    }

    /// Where an object is now: it is copied when it is first met, and its header then says where to.
    fn forward(&mut self, object: u64) -> u64 {
        if !self.from.contains(&object) {
            return object;
        }
        let header = load(object);
        if header & 1 == 1 {
            return header - 1;
        }
        let (copy, size) = (self.next, load(header + table::SIZE));
        // SAFETY: the other half has room for all that the first one held.
        unsafe { word(copy).copy_from_nonoverlapping(word(object), size as usize / 8) };
        store(object, copy | 1);
        self.next += size;
        self.moved += 1;
        copy
    }

    /// Copies what the copies refer to, from the first one on.
    fn reach(&mut self, mut object: u64) {
        while object < self.next {
            let header = load(object);
            let mut references = load(header + table::REFERENCES);
            while references != 0 {
                let field = object + 8 + 8 * u64::from(references.trailing_zeros());
                store(field, self.forward(load(field)));
                references &= references - 1;
            }
            object += load(header + table::SIZE);
        }
    }
}
