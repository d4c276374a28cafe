//! Unwind records for the system's unwinder.
#![expect(unsafe_code, reason = "libgcc's registration functions")]

use std::cell::UnsafeCell;

use parking_lot::Mutex;

use crate::symbol::Addr;

unsafe extern "C" {
    fn __register_frame_info(begin: *const u8, object: *mut Object);
    fn __deregister_frame_info(begin: *const u8) -> *mut Object;
}

/// What libgcc keeps of registered records. Every program has one in its start-up code, so that its size is
/// for ever the same (GCC, `libgcc/unwind-dw2-fde.h`, `libgcc/crtstuff.c`).
#[repr(C)]
struct Object([usize; 6]);

/// So many objects lie in one piece of memory at first: one for each function would leave the heap in
/// splinters.
const PIECE: usize = 8;
/// So many do once there are more.
const LARGEST: usize = 128;

/// The `.eh_frame` records of a session that the unwinder knows.
///
/// It would look for them wherever anybody throws: whoever drops a session takes back what it
/// registered. Those that are never freed are here, and taken back when this is dropped.
#[derive(Default)]
pub(crate) struct Records(Mutex<Known>);

#[derive(Default)]
struct Known {
    kept: Vec<Addr>,
    pieces: Vec<Box<[UnsafeCell<Object>]>>,
    /// Objects of the last piece that were never used.
    unused: usize,
    /// Objects that were given back.
    free: Vec<*mut Object>,
}

// SAFETY: pointers into its own pieces.
unsafe impl Send for Known {}

impl Records {
    /// Makes the unwinder know the records at `records`, which a zero word ends. They must stay there
    /// until they are taken back, by [`Records::deregister`] or, if they are `kept`, with this.
    pub(crate) fn register(&self, records: Addr, kept: bool) {
        // SAFETY: there is a word at least, the ending one. If that is all, libgcc takes no note either.
        if unsafe { (records.0 as *const u32).read_unaligned() } == 0 {
            return;
        }
        let mut known = self.0.lock();
        if kept {
            known.kept.push(records);
        }
        // SAFETY: the linker places whole records and the ending word, and frees them only after
        // `deregister`, or with all memory after this. The object is nobody else's until then.
        unsafe { __register_frame_info(records.0 as *const u8, known.take()) }
    }

    /// Makes the unwinder forget them.
    ///
    /// # Safety
    ///
    /// They were registered, not to be kept, and were not taken back; no thread unwinds through code
    /// that they describe.
    pub(crate) unsafe fn deregister(&self, records: Addr) {
        // SAFETY: the caller's promise.
        unsafe { self.0.lock().deregister(records) };
    }
}

impl Known {
    fn take(&mut self) -> *mut Object {
        if let Some(object) = self.free.pop() {
            return object;
        }
        if self.unused == 0 {
            let last = self.pieces.last();
            self.unused = last.map_or(PIECE, |last| (2 * last.len()).min(LARGEST));
            self.pieces.push((0..self.unused).map(|_| UnsafeCell::new(Object([0; 6]))).collect());
        }
        self.unused -= 1;
        self.pieces.last().expect("one was just added")[self.unused].get()
    }

    /// # Safety
    ///
    /// As for [`Records::deregister`], and of those that are kept.
    unsafe fn deregister(&mut self, records: Addr) {
        // SAFETY: the caller's promise.
        let object = unsafe { __deregister_frame_info(records.0 as *const u8) };
        // Sections without any record are not registered.
        if !object.is_null() {
            self.free.push(object);
        }
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        for records in std::mem::take(&mut self.kept) {
            // SAFETY: they were registered; whoever drops a session has promised that no code of it
            // runs any more.
            unsafe { self.deregister(records) };
        }
    }
}
