//! The number of the last error, which a program must not see changed by a call.
#![expect(unsafe_code, reason = "the C library's variable")]

/// Does something and leaves this thread's `errno` as it was.
pub(crate) fn keep_errno<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: this thread's own variable.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    let result = work();
    // SAFETY: as above.
    unsafe { *errno = saved };
    result
}
