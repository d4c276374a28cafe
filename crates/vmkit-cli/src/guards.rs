//! Guards of function-local statics (Itanium C++ ABI, "One-time Construction API").
//!
//! A static whose initialization comes back to itself is an error, which the C++ library only sees in
//! processes of one thread; in others the thread waits for itself. Here there are always compile
//! threads, so what a thread is initializing is noted here.
#![expect(unsafe_code, reason = "the interface of the C++ ABI")]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};

thread_local! {
    /// The guards of what this thread is initializing, the innermost last.
    static BEGUN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" {
    fn __cxa_guard_acquire(guard: *mut c_void) -> c_int;
    fn __cxa_guard_release(guard: *mut c_void);
    fn __cxa_guard_abort(guard: *mut c_void);
    #[link_name = "_ZSt9terminatev"]
    fn terminate() -> !;
}

/// The functions, by name: what the program means by them, unless it defines them itself.
pub(crate) fn functions() -> [(&'static str, *const ()); 3] {
    [
        ("__cxa_guard_acquire", acquire as *const ()),
        ("__cxa_guard_release", release as *const ()),
        ("__cxa_guard_abort", abort as *const ()),
    ]
}

/// What `work` makes of the guards. Nothing where they cannot be looked at: a signal came in between,
/// or the thread is at its very end.
fn begun<T>(work: impl FnOnce(&mut Vec<usize>) -> T) -> Option<T> {
    let look = |begun: &RefCell<Vec<usize>>| begun.try_borrow_mut().ok().map(|mut b| work(&mut b));
    BEGUN.try_with(look).ok().flatten()
}

unsafe extern "C" fn acquire(guard: *mut c_void) -> c_int {
    if begun(|begun| begun.contains(&guard.addr())) == Some(true) {
        // The library throws here, through a call that compilers mark as one that never does.
        // SAFETY: may be called anywhere.
        unsafe { terminate() }
    }
    // SAFETY: the caller's guard.
    let is_ours = unsafe { __cxa_guard_acquire(guard) };
    if is_ours == 1 {
        begun(|begun| begun.push(guard.addr()));
    }
    is_ours
}

unsafe extern "C" fn release(guard: *mut c_void) {
    forget(guard);
    // SAFETY: the caller's guard, which it has acquired.
    unsafe { __cxa_guard_release(guard) }
}

unsafe extern "C" fn abort(guard: *mut c_void) {
    forget(guard);
    // SAFETY: as for `release`.
    unsafe { __cxa_guard_abort(guard) }
}

fn forget(guard: *mut c_void) {
    begun(|begun| begun.retain(|&known| known != guard.addr()));
}
