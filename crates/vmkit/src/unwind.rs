//! Unwind records for the system's unwinder.
#![expect(unsafe_code, reason = "libgcc's registration functions")]

use crate::symbol::Addr;

unsafe extern "C" {
    fn __register_frame(begin: *const u8);
}

/// Makes the unwinder know the `.eh_frame` records at `records`, which a zero word ends. They must
/// stay there, linked, until the process ends.
pub(crate) fn register(records: Addr) {
    // SAFETY: the linker places whole records and the ending word, and never frees them.
    unsafe { __register_frame(records.0 as *const u8) }
}
