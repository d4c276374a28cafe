//! Code that debuggers can set breakpoints in.
//!
//! A debugger writes to pages that the program itself cannot write to, but Linux lets it do so in
//! private mappings only. So where breakpoints are wanted, code runs from private pages, and what is
//! written through the writable view is copied there, in the way that debuggers write.
#![expect(unsafe_code, reason = "reads what was written through the writable view")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use crate::error::{Error, Result};

/// Copies `size` bytes from `written` to the pages at `at`, which need not be writable.
///
/// # Safety
///
/// The bytes at `written` can be read, and those at `at` are private pages of the caller's.
pub(super) unsafe fn copy(written: *const u8, at: u64, size: usize) -> Result<()> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(written, size) };
    // Opened each time: the file would be the parent's in a forked child.
    let memory = OpenOptions::new().write(true).open("/proc/self/mem");
    memory
        .and_then(|memory| memory.write_all_at(bytes, at))
        .map_err(|error| Error::other(format!("cannot write code for a debugger: {error}")))
}
