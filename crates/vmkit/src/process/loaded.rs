//! What the dynamic linker says of the libraries that are loaded.
#![expect(unsafe_code, reason = "the dynamic linker's lists")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use crate::symbol::Addr;

unsafe extern "C" {
    fn dladdr1(
        address: *const c_void,
        info: *mut libc::Dl_info,
        more: *mut *const c_void,
        which: c_int,
    ) -> c_int;
}

/// Loads a library, as `dlopen` finds it; or what the dynamic linker says against it.
///
/// # Safety
///
/// The library's constructors run.
pub(super) unsafe fn open(path: &CStr, flags: c_int) -> Result<*mut c_void, String> {
    // SAFETY: a C string; the caller's promise.
    let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: after a failed dlopen, dlerror gives a C string of this thread.
    let text = unsafe { CStr::from_ptr(libc::dlerror()) };
    Err(text.to_string_lossy().into_owned())
}

/// The number of the library's block of thread-local variables; null if it has none.
///
/// # Safety
///
/// `handle` is of a library that stays loaded.
pub(super) unsafe fn module(handle: *mut c_void) -> u64 {
    let mut module = 0u64;
    // SAFETY: the caller's promise; the number is written to our variable.
    unsafe { libc::dlinfo(handle, libc::RTLD_DI_TLS_MODID, (&raw mut module).cast()) };
    module
}

/// What the dynamic linker says of an address in a library, and what else it is asked for (dlfcn.h,
/// `RTLD_DL_SYMENT` and `RTLD_DL_LINKMAP`).
pub(super) fn at(address: Addr, which: c_int) -> Option<(libc::Dl_info, *const c_void)> {
    // SAFETY: a struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    let mut more = ptr::null();
    let place = address.0 as *const c_void;
    // SAFETY: any address may be asked for; the answers are written to our variables.
    let known = unsafe { dladdr1(place, &raw mut info, &raw mut more, which) };
    (known != 0).then_some((info, more))
}

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
