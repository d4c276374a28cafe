//! Memory as a program finds it that is run by itself: zeros.
//!
//! Not all programs write what they read first. Those get along with zeros, which they find on the
//! stack of a new process, and in memory that nobody had before.
#![expect(unsafe_code, reason = "clears the stack below its own frame")]

use std::ffi::c_void;
use std::hint::black_box;

/// More than two pages, so that all is cleared that [`forget_pages`] leaves.
const ROOM: usize = 16 << 10;

/// Clears what earlier calls left on this thread's stack.
#[inline(never)]
pub(crate) fn clear_stack() {
    forget_pages();
    clear_room();
}

#[inline(never)]
fn clear_room() {
    black_box(&mut [0_u8; ROOM]);
}

/// Gives the stack's pages back to the system, from below the frame of what is called here: it gives
/// zeros for them when they are used again.
#[inline(never)]
fn forget_pages() {
    let page = page_size();
    let here = (&raw const page).addr();
    // Between the two are the frames of what is called here.
    let end = (here & !(page - 1)) - page;
    let mut start = end;
    while is_mapped(start - page, page) {
        start -= page;
    }
    // SAFETY: a part of this thread's stack that no frame is in. If it fails, it is as it was.
    unsafe { libc::madvise(pointer(start), end - start, libc::MADV_DONTNEED) };
}

fn is_mapped(at: usize, page: usize) -> bool {
    let mut is_resident = 0;
    // SAFETY: asks about one page, whatever is there.
    unsafe { libc::mincore(pointer(at), page, &raw mut is_resident) == 0 }
}

fn pointer(at: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(at)
}

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    // SAFETY: asks for a number.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
