//! Waiting for a word to change, in a way that a signal handler may use too.
#![expect(unsafe_code, reason = "the futex system call")]

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::keep_errno;

/// Sleeps while `word` holds `value`; may return early.
pub(crate) fn wait(word: &AtomicU32, value: u32) {
    // SAFETY: the word outlives the call; the kernel only reads it.
    unsafe { futex(word, libc::FUTEX_WAIT, value, None) }
}

/// As [`wait`], and no longer than `limit`.
pub(crate) fn wait_for(word: &AtomicU32, value: u32, limit: Duration) {
    // SAFETY: as above.
    unsafe { futex(word, libc::FUTEX_WAIT, value, Some(limit)) }
}

/// Wakes one sleeper.
pub(crate) fn wake_one(word: &AtomicU32) {
    // SAFETY: as above; waking touches nothing.
    unsafe { futex(word, libc::FUTEX_WAKE, 1, None) }
}

/// Wakes every sleeper.
pub(crate) fn wake_all(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe { futex(word, libc::FUTEX_WAKE, i32::MAX as u32, None) }
}

/// # Safety
///
/// `operation` must be one that only reads `word`. `errno` is left as it was, since the caller may
/// be in the midst of a program that looks at it.
unsafe fn futex(word: &AtomicU32, operation: libc::c_int, value: u32, limit: Option<Duration>) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().cast_signed(),
        tv_nsec: limit.subsec_nanos().into(),
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    keep_errno(|| {
        // SAFETY: the caller's promise.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, limit, 0, 0) }
    });
}
