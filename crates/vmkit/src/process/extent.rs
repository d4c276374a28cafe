//! Where a library lies.
#![expect(unsafe_code, reason = "the dynamic linker's lists")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr;

/// The start of what the dynamic linker says of a library (`struct link_map`, link.h).
#[repr(C)]
struct LinkMap {
    base: u64,
}

/// The addresses of the library that `dlopen` gave `handle` for; none if it is not known where.
///
/// # Safety
///
/// `handle` is of a library that stays loaded, not one of the special ones.
pub(super) unsafe fn extent(handle: *mut c_void) -> Range<u64> {
    struct Search(u64, Range<u64>);
    unsafe extern "C" fn visit(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: dl_iterate_phdr passes a valid description and our own pointer.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        if info.dlpi_addr != search.0 {
            return 0;
        }
        let count = usize::from(info.dlpi_phnum);
        // SAFETY: the program headers are mapped as long as the library is loaded.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, count) };
        let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        let start = loaded().map(|header| header.p_vaddr).min().unwrap_or(0);
        let end = loaded().map(|header| header.p_vaddr + header.p_memsz).max().unwrap_or(0);
        search.1 = info.dlpi_addr + start..info.dlpi_addr + end;
        1
    }
    let mut map: *const LinkMap = ptr::null();
    // SAFETY: the caller's promise; the answer is a pointer that is valid as long as the library.
    let asked = unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) };
    if asked != 0 {
        return 0..0;
    }
    // SAFETY: what dlinfo gave.
    let mut search = Search(unsafe { (*map).base }, 0..0);
    // SAFETY: the callback only reads what it is given and writes to `search`.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.1
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
            extent(handle)
        });
        let qsort = libc::qsort as *const () as u64;
        assert!(c.contains(&qsort) && !m.is_empty() && !m.contains(&qsort), "{c:x?} {m:x?}");
    }
}
