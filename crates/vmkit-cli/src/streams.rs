//! The C library's output streams, at the end of the program.
//!
//! While a process ends, C++'s library flushes them, and waits for whoever has locked one: for ever, if
//! that thread sleeps. A C program has no such library, and the C library itself does not wait; here
//! LLVM brings C++ along.
#![expect(unsafe_code, reason = "the C library's streams")]

use std::ffi::c_int;
use std::thread::sleep;
use std::time::Duration;

use libc::FILE;

/// So many milliseconds a thread gets to finish what it is printing.
const PATIENCE: u32 = 10;

/// The C library's functions do not lock the stream any more (`FSETLOCKING_BYCALLER` of
/// `stdio_ext.h`).
const BY_CALLER: c_int = 2;

unsafe extern "C" {
    // What `stdout` and `stderr` are, unless the program sets them.
    #[link_name = "_IO_2_1_stdout_"]
    static mut OUT: FILE;
    #[link_name = "_IO_2_1_stderr_"]
    static mut ERR: FILE;
    fn ftrylockfile(stream: *mut FILE) -> c_int;
    fn funlockfile(stream: *mut FILE);
    fn __fsetlocking(stream: *mut FILE, locking: c_int) -> c_int;
    fn fcloseall() -> c_int;
}

/// Writes out what the program has printed to any stream, whoever has locked it, and waits for
/// nobody.
pub(crate) fn write_out() {
    // What the C library does at the end of a process.
    // SAFETY: nobody opens streams any more.
    unsafe { fcloseall() };
}

/// Sees to it that the streams can be flushed, whoever has locked them.
pub(crate) fn unlock() {
    unlock_stream(&raw mut OUT);
    unlock_stream(&raw mut ERR);
}

fn unlock_stream(stream: *mut FILE) {
    for _ in 0..PATIENCE {
        // SAFETY: the C library's own stream, which is never freed.
        if unsafe { ftrylockfile(stream) } == 0 {
            // SAFETY: this thread has just locked it.
            return unsafe { funlockfile(stream) };
        }
        sleep(Duration::from_millis(1));
    }
    // As the C library does at the end of a C program, which may print meanwhile.
    // SAFETY: as above.
    unsafe { __fsetlocking(stream, BY_CALLER) };
}
