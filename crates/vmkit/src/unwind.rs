//! Unwind records for the system's unwinder.
#![expect(unsafe_code, reason = "libgcc's registration functions")]

use parking_lot::Mutex;

use crate::symbol::Addr;

unsafe extern "C" {
    fn __register_frame(begin: *const u8);
    fn __deregister_frame(begin: *const u8);
}

/// The `.eh_frame` records of a session that the unwinder knows.
///
/// It would look for them wherever anybody throws: whoever drops a session takes back what it
/// registered. Those that are never freed are here, and taken back when this is dropped.
#[derive(Default)]
pub(crate) struct Records(Mutex<Vec<Addr>>);

impl Records {
    /// Makes the unwinder know the records at `records`, which a zero word ends. They must stay there
    /// until they are taken back, by [`Records::deregister`] or, if they are `kept`, with this.
    pub(crate) fn register(&self, records: Addr, kept: bool) {
        if kept {
            self.0.lock().push(records);
        }
        // SAFETY: the linker places whole records and the ending word, and frees them only after
        // `deregister`, or with all memory after this.
        unsafe { __register_frame(records.0 as *const u8) }
    }

    /// Makes the unwinder forget them.
    ///
    /// # Safety
    ///
    /// They were registered, not to be kept, and were not taken back; no thread unwinds through code
    /// that they describe.
    pub(crate) unsafe fn deregister(&self, records: Addr) {
        // SAFETY: the caller's promise.
        unsafe { __deregister_frame(records.0 as *const u8) }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        for records in self.0.get_mut().drain(..) {
            // SAFETY: they were registered; whoever drops a session has promised that no code of it
            // runs any more.
            unsafe { __deregister_frame(records.0 as *const u8) }
        }
    }
}
