//! Threads that run nothing but what they are given: the standard library's own run code of its
//! before, which calls what the program may have replaced.
#![expect(unsafe_code, reason = "pthread_create")]

use std::ffi::{CStr, c_void};
use std::io;
use std::sync::Arc;

/// What a thread runs, and on what.
struct Start<T> {
    name: &'static CStr,
    run: fn(&T),
    on: Arc<T>,
}

/// Starts a thread with a stack of so many bytes that runs `run` on `on`. It takes no signals.
///
/// # Errors
///
/// The system gives no thread.
pub(crate) fn spawn<T: Send + Sync + 'static>(
    name: &'static CStr,
    stack: usize,
    on: Arc<T>,
    run: fn(&T),
) -> io::Result<()> {
    let start = Box::into_raw(Box::new(Start { name, run, on }));
    // It inherits this thread's mask: blocked before it is born, no signal ever reaches it.
    let mask = super::block_signals();
    // SAFETY: `begin` for this `T` takes what `start` points to, and nobody else does.
    let result = unsafe { create(stack, begin::<T>, start.cast()) };
    super::restore_signals(&mask);
    if result.is_err() {
        // SAFETY: there is no thread that could have taken it.
        drop(unsafe { Box::from_raw(start) });
    }
    result
}

/// # Safety
///
/// `run` can be called with `argument` on another thread.
unsafe fn create(
    stack: usize,
    run: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> io::Result<()> {
    // SAFETY: the attributes are initialized before they are used and destroyed afterwards; `run`
    // and `argument` are the caller's promise.
    let error = unsafe {
        let mut attributes = std::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        libc::pthread_attr_setstacksize(&raw mut attributes, stack);
        libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
        let mut thread = 0;
        let error = libc::pthread_create(&raw mut thread, &raw const attributes, run, argument);
        libc::pthread_attr_destroy(&raw mut attributes);
        error
    };
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

extern "C" fn begin<T>(start: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn` gave the box away to this thread.
    let start = unsafe { Box::from_raw(start.cast::<Start<T>>()) };
    // SAFETY: the name is a C string.
    unsafe { libc::prctl(libc::PR_SET_NAME, start.name.as_ptr()) };
    (start.run)(&start.on);
    std::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    #[test]
    fn a_thread_has_its_name_and_blocks_signals() {
        let (sender, receiver) = channel();
        let tell = |sender: &Sender<String>| {
            drop(sender.send(std::fs::read_to_string("/proc/thread-self/status").unwrap()));
        };
        spawn(c"named", 1 << 20, Arc::new(sender), tell).unwrap();
        let status = receiver.recv().unwrap();
        assert!(status.contains("Name:\tnamed\n"), "{status}");
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
        let user_signal = 1 << (libc::SIGUSR1 - 1);
        assert_ne!(u64::from_str_radix(blocked, 16).unwrap() & user_signal, 0, "{status}");
    }

    #[test]
    fn no_thread_is_an_error() {
        let huge = 1 << 60;
        assert!(spawn(c"none", huge, Arc::new(()), |()| ()).is_err());
    }
}
