//! Files that no path leads to.
#![expect(unsafe_code, reason = "memfd_create")]

use std::fs::File;
use std::os::fd::FromRawFd;

use crate::error::{Error, Result};

/// An empty file in memory.
pub(crate) fn memory_file() -> Result<File> {
    // SAFETY: a C string.
    let file = unsafe { libc::memfd_create(c"vmkit".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(Error::system("memfd_create"));
    }
    // SAFETY: ours, and open.
    Ok(unsafe { File::from_raw_fd(file) })
}
