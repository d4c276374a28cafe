//! What the dynamic linker says of the libraries that are loaded.
#![expect(unsafe_code, reason = "the dynamic linker's lists")]

use std::ffi::{c_int, c_void};

/// A description of a loaded library, and its program headers.
type Visit<'a> = dyn FnMut(&libc::dl_phdr_info, &[libc::Elf64_Phdr]) -> bool + 'a;

/// Is there a library, the executable among them, of which `visit` says so? After that, no other is
/// visited.
pub(super) fn is_any_library(
    mut visit: impl FnMut(&libc::dl_phdr_info, &[libc::Elf64_Phdr]) -> bool,
) -> bool {
    unsafe extern "C" fn call(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        visit: *mut c_void,
    ) -> c_int {
        // SAFETY: dl_iterate_phdr passes a valid description and our own pointer.
        let (info, visit) = unsafe { (&*info, &mut *visit.cast::<&mut Visit<'_>>()) };
        let count = usize::from(info.dlpi_phnum);
        // SAFETY: the program headers are mapped as long as the library is loaded.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, count) };
        c_int::from(visit(info, headers))
    }
    let mut visit: &mut Visit<'_> = &mut visit;
    // SAFETY: the callback gets `visit`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(call), (&raw mut visit).cast()) != 0 }
}
