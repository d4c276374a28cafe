//! Where a library lies.
#![expect(unsafe_code, reason = "the dynamic linker's lists")]

use std::ffi::{c_char, c_void};
use std::ops::Range;
use std::ptr;

use super::loaded::is_any_library;

/// The start of what the dynamic linker says of a library (`struct link_map`, link.h).
#[repr(C)]
pub(super) struct LinkMap {
    /// What is to be added to the library's own addresses.
    pub(super) base: u64,
    name: *const c_char,
    /// The dynamic section.
    pub(super) dynamic: *const c_void,
}

/// What the dynamic linker says of a library.
///
/// # Safety
///
/// `handle` is of a library that stays loaded, not one of the special ones.
pub(super) unsafe fn link_map<'a>(handle: *mut c_void) -> Option<&'a LinkMap> {
    let mut map: *const LinkMap = ptr::null();
    // SAFETY: the caller's promise; the answer is a pointer that is valid as long as the library.
    let asked = unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) };
    // SAFETY: what dlinfo gave.
    (asked == 0).then(|| unsafe { &*map })
}

/// The addresses of a library; none if it is not known where.
pub(super) fn extent(&LinkMap { base, .. }: &LinkMap) -> Range<u64> {
    let mut extent = 0..0;
    is_any_library(|info, headers| {
        if info.dlpi_addr != base {
            return false;
        }
        let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        let start = loaded().map(|header| header.p_vaddr).min().unwrap_or(0);
        let end = loaded().map(|header| header.p_vaddr + header.p_memsz).max().unwrap_or(0);
        extent = base + start..base + end;
        true
    });
    extent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_functions_lie_in_it() {
        // SAFETY: the C library and that of mathematics are loaded, for ever.
        let [c, m] = [c"libc.so.6", c"libm.so.6"].map(|name| unsafe {
            let handle = libc::dlopen(name.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null());
            extent(link_map(handle).unwrap())
        });
        let qsort = libc::qsort as *const () as u64;
        assert!(c.contains(&qsort) && !m.is_empty() && !m.contains(&qsort), "{c:x?} {m:x?}");
    }
}
