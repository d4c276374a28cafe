//! Waiting for a word to change, in a way that a signal handler may use too.
#![expect(unsafe_code, reason = "the futex system call")]

use std::sync::atomic::AtomicU32;

use super::keep_errno;

/// Sleeps while `word` holds `value`; may return early.
pub(crate) fn wait(word: &AtomicU32, value: u32) {
    // SAFETY: the word outlives the call; the kernel only reads it.
    unsafe { futex(word, libc::FUTEX_WAIT, value) }
}

/// Wakes one sleeper.
pub(crate) fn wake_one(word: &AtomicU32) {
    // SAFETY: as above; waking touches nothing.
    unsafe { futex(word, libc::FUTEX_WAKE, 1) }
}

/// Wakes every sleeper.
pub(crate) fn wake_all(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe { futex(word, libc::FUTEX_WAKE, i32::MAX as u32) }
}

/// # Safety
///
/// `operation` must be one that only reads `word`. `errno` is left as it was, since the caller may
/// be in the midst of a program that looks at it.
unsafe fn futex(word: &AtomicU32, operation: libc::c_int, value: u32) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    keep_errno(|| {
        // SAFETY: the caller's promise.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, 0, 0, 0) }
    });
}
