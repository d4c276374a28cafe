//! Unwind records for the system's unwinder.
#![expect(unsafe_code, reason = "libgcc's registration functions")]

use crate::symbol::Addr;

unsafe extern "C" {
    fn __register_frame(begin: *const u8);
    fn __deregister_frame(begin: *const u8);
}

/// Makes the unwinder know the `.eh_frame` records at `records`, which a zero word ends. They must
/// stay there until they are taken back.
pub(crate) fn register(records: Addr) {
    // SAFETY: the linker places whole records and the ending word, and frees them only after
    // `deregister`.
    unsafe { __register_frame(records.0 as *const u8) }
}

/// Makes the unwinder forget them.
///
/// # Safety
///
/// They were registered, and no thread unwinds through code that they describe.
pub(crate) unsafe fn deregister(records: Addr) {
    // SAFETY: the caller's promise.
    unsafe { __deregister_frame(records.0 as *const u8) }
}
