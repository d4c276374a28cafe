//! Libraries that bring a C++ runtime of their own (libc++), which is not the one of this program.
//!
//! The dynamic linker would send their references to libstdc++, which is in the process before them, so
//! they are loaded with what they bring along before their eyes. Only the unwinder must be one for all:
//! it knows linked code.
#![expect(unsafe_code, reason = "loads libraries, and sends calls to the unwinder")]

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};

use vmkit::{Addr, Result, Session, SharedLibrary};

use crate::options::Run;

/// What the names of such libraries' files begin with.
const RUNTIME: &str = "libc++";
/// The library of an unwinder that does not know linked code.
const OTHER_UNWINDER: &str = "libunwind";
/// The interface of the unwinder (Itanium C++ ABI, "Base ABI", and what libgcc has beside it).
const UNWINDER: [&str; 21] = [
    "_Unwind_Backtrace",
    "_Unwind_DeleteException",
    "_Unwind_FindEnclosingFunction",
    "_Unwind_Find_FDE",
    "_Unwind_ForcedUnwind",
    "_Unwind_GetCFA",
    "_Unwind_GetDataRelBase",
    "_Unwind_GetGR",
    "_Unwind_GetIP",
    "_Unwind_GetIPInfo",
    "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart",
    "_Unwind_GetTextRelBase",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_Resume_or_Rethrow",
    "_Unwind_SetGR",
    "_Unwind_SetIP",
    "__register_frame",
    "__register_frame_info",
    "__deregister_frame",
];

/// Has the program such a runtime?
static IS_PROGRAM_APART: AtomicBool = AtomicBool::new(false);
/// Has any library?
static IS_ANY_APART: AtomicBool = AtomicBool::new(false);

/// Finds out whether the program is to have such a runtime, and says it.
pub(crate) fn choose(options: &Run) -> bool {
    let mut files = options.dlopen.iter().map(|file| file_name(file));
    let mut names = options.libraries.iter().map(|name| format!("lib{name}"));
    let is_apart =
        names.any(|name| name.starts_with(RUNTIME)) || files.any(|file| file.starts_with(RUNTIME));
    IS_PROGRAM_APART.store(is_apart, Ordering::Relaxed);
    is_apart
}

/// Has the program a C++ runtime that is not this program's?
pub(crate) fn is_program_apart() -> bool {
    IS_PROGRAM_APART.load(Ordering::Relaxed)
}

/// Is this library to be loaded apart from what the process has?
pub(crate) fn is_apart(library: &SharedLibrary) -> bool {
    let mut needed = library.libraries().iter();
    let is_apart = is_program_apart() || needed.any(|needed| needed.starts_with(RUNTIME));
    IS_ANY_APART.fetch_or(is_apart, Ordering::Relaxed);
    is_apart
}

/// Was any library loaded apart?
pub(crate) fn is_any() -> bool {
    IS_ANY_APART.load(Ordering::Relaxed)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Loads a library as it has to be.
///
/// # Safety
///
/// Whoever runs the program asks for the library.
pub(crate) unsafe fn load(session: &Session, file: &str) -> Result<()> {
    let library = SharedLibrary::read(file);
    if !is_apart(&library) {
        // SAFETY: the caller's promise.
        return unsafe { session.load_library(library) };
    }
    // SAFETY: as above.
    unsafe { session.load_library_apart(library) }?;
    share_unwinder()
}

/// Sends what is loaded to the unwinder that knows linked code.
pub(crate) fn share_unwinder() -> Result<()> {
    let known: Vec<_> = unwinder().map(|(name, at)| (name, Addr(at as u64))).collect();
    // SAFETY: the same functions, of the library that comes first in this process.
    unsafe { Session::replace_in_libraries(|path| !path.contains(OTHER_UNWINDER), &known) }
        .map(drop)
}

/// The unwinder's functions, for a program with such a runtime: whatever libraries it names.
pub(crate) fn functions() -> impl Iterator<Item = (&'static str, *const ())> {
    is_program_apart().then(unwinder).into_iter().flatten()
}

fn unwinder() -> impl Iterator<Item = (&'static str, *const ())> {
    UNWINDER.into_iter().filter_map(|name| {
        let text = CString::new(name).ok()?;
        // SAFETY: a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, text.as_ptr()) };
        (!found.is_null()).then_some((name, found.cast_const().cast()))
    })
}
