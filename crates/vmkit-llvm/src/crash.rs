//! Crashes inside LLVM.
#![expect(unsafe_code, reason = "calls the shim")]

unsafe extern "C" {
    fn vk_contain_crashes();
    fn vk_sigaction();
    fn vk_signal();
}

/// Has a crash inside LLVM (a wild access, a division by zero, `abort`) fail the module or function
/// that LLVM was at with an error, rather than end the process. What LLVM held at that moment is
/// lost.
///
/// Installs handlers of the process for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, which outside
/// of LLVM do what was done before. So it is for the program to ask for, not for a library. Code that
/// uses [`signal_functions`] does not see them.
pub fn contain_crashes() {
    // SAFETY: takes nothing; the handlers keep to what a handler may do.
    unsafe { vk_contain_crashes() }
}

/// `sigaction` and `signal` for code that is to see signals as if [`contain_crashes`] had not been
/// called: by name, their addresses.
#[must_use]
pub fn signal_functions() -> [(&'static str, *const ()); 2] {
    [("sigaction", vk_sigaction as *const ()), ("signal", vk_signal as *const ())]
}
