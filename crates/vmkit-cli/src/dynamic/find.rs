//! `dlsym` and `dlvsym`, for which the program's names come before all others, and after which come those
//! of the libraries that it asked for.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use vmkit::{Addr, Name, Session};

use super::{SESSION, entry, take_over_new};

entry!(plain, find, libc::dlsym);
entry!(versioned, find_version, libc::dlvsym);

/// # Safety
///
/// The first two arguments are those of `dlsym`.
unsafe extern "C" fn find(&mut [handle, name, _]: &mut [usize; 3], caller: u64) -> *mut c_void {
    // SAFETY: the caller's C string.
    let name = unsafe { text(name) };
    search(handle, caller, &[Name::new(name)])
}

/// # Safety
///
/// The arguments are those of `dlvsym`.
unsafe extern "C" fn find_version(
    &mut [handle, name, version]: &mut [usize; 3],
    caller: u64,
) -> *mut c_void {
    // SAFETY: the caller's C strings.
    let (name, version) = unsafe { (text(name), text(version)) };
    // As assembly writes the versions of a name: that of those who ask for none, and others.
    let names = ["@@", "@"].map(|at| Name::new([name, at.as_bytes(), version].concat()));
    search(handle, caller, &names)
}

/// What code at `caller` means by the first of these names that there is, if the dynamic linker does not
/// know.
fn search(handle: usize, caller: u64, names: &[Name]) -> *mut c_void {
    take_over_new();
    let Some((session, program)) = SESSION.get() else { return ptr::null_mut() };
    let found: fn(&Session, Addr, &Name) -> Option<Addr> = match handle {
        handle if handle == libc::RTLD_NEXT as usize => Session::in_libraries_after,
        handle if handle == libc::RTLD_DEFAULT as usize || handle == *program => {
            |session, _, name| session.exported(name.bytes())
        }
        _ => return ptr::null_mut(),
    };
    let found = names.iter().find_map(|name| found(session, Addr(caller), name));
    let Some(address) = found else { return ptr::null_mut() };
    // Nothing went wrong, whatever did before.
    // SAFETY: forgets this thread's last error.
    unsafe { libc::dlerror() };
    address.0 as *mut c_void
}

/// # Safety
///
/// There is a C string at this address, which stays as long as it is used.
unsafe fn text<'a>(address: usize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(address as *const c_char) }.to_bytes()
}
