//! Copies of this process that nobody was told of.
//!
//! Who forks by a bare system call gets a process without compile threads, and with code memory that it
//! shares with its parent. That shows in a page that the system clears in such a process
//! (`MADV_WIPEONFORK`, Linux 4.14), and in no thread or process that shares the memory.
#![expect(unsafe_code, reason = "maps a page")]

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The page's first word; none where the system does not do that.
static MARK: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();

/// Makes this process one that is known.
pub(crate) fn note_process() {
    if let Some(mark) = MARK.get_or_init(mark) {
        mark.store(1, Ordering::Relaxed);
    }
}

/// Is this process a copy of a known one that was not noted?
pub(crate) fn is_copied() -> bool {
    matches!(MARK.get(), Some(Some(mark)) if mark.load(Ordering::Relaxed) == 0)
}

fn mark() -> Option<&'static AtomicU32> {
    let size = size_of::<AtomicU32>();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new page.
    let page = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: that page, which nobody uses yet.
    let is_wiped = unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } == 0;
    // SAFETY: it holds zeros, is aligned, and stays for ever.
    is_wiped.then(|| unsafe { &*page.cast() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_until_it_is_copied() {
        note_process();
        assert!(!is_copied());
        // SAFETY: the child does nothing but this, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let was_copied = is_copied();
            note_process();
            // SAFETY: as above.
            unsafe { libc::_exit(i32::from(was_copied) + 2 * i32::from(is_copied())) };
        }
        let mut status = 0;
        // SAFETY: our child.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!((libc::WEXITSTATUS(status), is_copied()), (1, false));
    }
}
