//! Which signals a thread takes.
#![expect(unsafe_code, reason = "the C interface of signal masks")]

/// The signals a thread does not take.
#[derive(Clone, Copy)]
pub(crate) struct SignalMask(libc::sigset_t);

/// Blocks every signal on this thread; what was blocked before.
pub(crate) fn block_signals() -> SignalMask {
    // SAFETY: both sets are ours; sigfillset initializes the first, pthread_sigmask the second.
    unsafe {
        let mut all = std::mem::zeroed();
        let mut old = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        SignalMask(old)
    }
}

/// Takes signals again as before [`block_signals`].
pub(crate) fn restore_signals(mask: &SignalMask) {
    // SAFETY: a mask that pthread_sigmask gave.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask.0, std::ptr::null_mut()) };
}
