//! `dlopen` and `dlmopen` of libraries that may need what the program exports.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

use vmkit::{Addr, SharedLibrary};

use super::{IS_ANY_NEW, SESSION, entry, take_over_new};
use crate::apart;

entry!(plain, open, libc::dlopen);
entry!(
    /// In the namespace that the program is in, as `dlopen`; in another one nobody sees the program.
    in_namespace,
    open_in,
    libc::dlmopen
);

/// # Safety
///
/// The first two arguments are those of `dlopen`.
unsafe extern "C" fn open(arguments: &mut [usize; 3], caller: u64) -> *mut c_void {
    let [file, flags, _] = arguments;
    // SAFETY: the caller's promise.
    unsafe { open_file(*file as *const c_char, flags, caller) }
}

/// # Safety
///
/// The arguments are those of `dlmopen`.
unsafe extern "C" fn open_in(arguments: &mut [usize; 3], caller: u64) -> *mut c_void {
    let [namespace, file, flags] = arguments;
    if *namespace as libc::Lmid_t != libc::LM_ID_BASE {
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    unsafe { open_file(*file as *const c_char, flags, caller) }
}

/// Opens a library of the program; null if the dynamic linker is to do it, with what `flags` are then.
///
/// # Safety
///
/// The file is null or a C string.
unsafe fn open_file(file: *const c_char, flags: &mut usize, caller: u64) -> *mut c_void {
    take_over_new();
    let Some((session, _)) = SESSION.get().filter(|_| !file.is_null()) else {
        return ptr::null_mut();
    };
    // SAFETY: the caller's C string.
    let Ok(path) = unsafe { CStr::from_ptr(file) }.to_str() else { return ptr::null_mut() };
    let library = SharedLibrary::read_for(Addr(caller), path);
    // If it misses something, the dynamic linker says what.
    drop(session.export_to(&library));
    if apart::is_apart(&library) {
        *flags |= libc::RTLD_DEEPBIND as usize;
    }
    IS_ANY_NEW.store(true, Ordering::Release);
    if is_for_caller(path) && session.library_at(Addr(caller)).is_some() {
        return ptr::null_mut();
    }
    // SAFETY: the caller's arguments.
    let library = unsafe { libc::dlopen(file, *flags as c_int) };
    if !library.is_null() {
        take_over_new();
    }
    library
}

/// Does it depend on who asks which file is meant?
fn is_for_caller(path: &str) -> bool {
    // What begins with a dollar stands for a folder (ld.so(8), "Dynamic string tokens").
    !path.contains('/') || path.contains('$')
}
