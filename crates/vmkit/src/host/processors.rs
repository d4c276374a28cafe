//! The processors that this process runs on.
#![expect(unsafe_code, reason = "asks which processor runs this")]

use std::sync::OnceLock;

/// How many processors this process may use, as it was when somebody first asked.
#[must_use]
pub fn processors() -> u32 {
    static COUNT: OnceLock<u32> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        u32::try_from(count).unwrap_or(u32::MAX)
    })
}

/// The number of the processor that runs this; the thread may be on another one by the time it is
/// looked at. May be asked in a signal handler.
pub(crate) fn this_processor() -> usize {
    // SAFETY: no arguments; it takes no lock, and reads what the kernel keeps for the thread.
    let number = unsafe { libc::sched_getcpu() };
    // A kernel that cannot say.
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_runs_on_a_processor_that_it_may_use() {
        // SAFETY: the set is ours, and a set of no processors is one.
        let allowed = unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &raw mut set), 0);
            set
        };
        // SAFETY: within the set's bits.
        assert!(unsafe { libc::CPU_ISSET(this_processor(), &allowed) });
        assert!(processors() >= 1);
    }
}
