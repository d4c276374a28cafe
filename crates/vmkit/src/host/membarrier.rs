//! Core synchronization.
#![expect(unsafe_code, reason = "a system call")]

use crate::error::{Error, Result};

/// Asks the kernel for [`sync_cores`].
///
/// # Errors
///
/// It has no `membarrier` with core synchronization (Linux before 4.16).
pub(crate) fn register_cores() -> Result<()> {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
}

/// Has every core that runs this process forget what it has fetched of code changed before.
pub(crate) fn sync_cores() {
    // It was registered, so it does not fail.
    let _ = membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
}

fn membarrier(command: libc::c_int) -> Result<()> {
    // SAFETY: the call has no memory arguments.
    if unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } < 0 {
        return Err(Error::system("membarrier"));
    }
    Ok(())
}
