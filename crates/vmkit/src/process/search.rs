//! Where the dynamic linker looks for libraries.
#![expect(unsafe_code, reason = "the dynamic linker's lists")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use super::loaded::at;
use crate::symbol::Addr;

/// What `dladdr1` tells beside the place: the library's `struct link_map`, which is its handle (dlfcn.h).
const LINK_MAP: c_int = 2;

/// The head of what `dlinfo` says of directories (`Dl_serinfo`), which the directories follow.
#[repr(C)]
struct Head {
    size: usize,
    count: c_uint,
}

/// One of the directories (`Dl_serpath`).
#[repr(C)]
struct Directory {
    name: *const c_char,
    flags: c_uint,
}

/// Has the process this library already?
pub(super) fn is_loaded(file: &str) -> bool {
    let Ok(file) = CString::new(file) else { return false };
    // SAFETY: a C string. Nothing is loaded; what is there is held once more, and let go of.
    unsafe {
        let handle = libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        !handle.is_null() && libc::dlclose(handle) == 0
    }
}

/// The file that `dlopen` finds by a path, or by a name, when code at `caller` asks for it. What only the
/// dynamic linker's own list of libraries (`ld.so.cache`) names is not found.
pub(super) fn path(file: &str, caller: Addr) -> Option<PathBuf> {
    if file.contains('/') {
        return Some(file.into());
    }
    let paths = directories(caller).into_iter().map(|directory| directory.join(file));
    paths.into_iter().find(|path| path.is_file())
}

/// The directories that are searched for what code at `caller` asks for.
fn directories(caller: Addr) -> Vec<PathBuf> {
    let Some(handle) = handle(caller) else { return Vec::new() };
    let mut head = Head { size: 0, count: 0 };
    // SAFETY: a live handle; the answer is written to our struct.
    if unsafe { libc::dlinfo(handle, libc::RTLD_DI_SERINFOSIZE, (&raw mut head).cast()) } != 0 {
        return Vec::new();
    }
    let mut buffer = vec![0u64; head.size.max(size_of::<Head>()).div_ceil(size_of::<u64>())];
    let start = buffer.as_mut_ptr().cast::<Head>();
    // SAFETY: the buffer is as large and as aligned as asked for, and begins as it is to. After the call,
    // so many directories follow its head, with names that are C strings in the buffer.
    unsafe {
        start.write(head);
        if libc::dlinfo(handle, libc::RTLD_DI_SERINFO, start.cast()) != 0 {
            return Vec::new();
        }
        let first = start.add(1).cast::<Directory>();
        let all = (0..(*start).count as usize).map(|index| &*first.add(index));
        all.map(|directory| path_of(CStr::from_ptr(directory.name))).collect()
    }
}

fn path_of(name: &CStr) -> PathBuf {
    Path::new(OsStr::from_bytes(name.to_bytes())).to_owned()
}

/// The handle of the library at an address, or else of the executable.
fn handle(address: Addr) -> Option<*mut c_void> {
    let handle = match at(address, LINK_MAP) {
        Some((_, map)) => map.cast_mut(),
        // SAFETY: opens nothing.
        None => unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) },
    };
    (!handle.is_null()).then_some(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(
        target_arch = "aarch64",
        ignore = "under qemu-user, where these tests run, the system's directories are the host's"
    )]
    fn libraries_are_found_by_name() {
        let qsort = Addr(libc::qsort as *const () as u64);
        for caller in [Addr(0), qsort] {
            let found = path("libc.so.6", caller).expect("the system's directories are searched");
            assert!(found.is_absolute(), "{found:?}");
            assert_eq!(path("no_such_library.so", caller), None);
        }
        assert_eq!(path("a/library.so", Addr(0)), Some("a/library.so".into()));
    }

    #[test]
    fn what_is_loaded_is_known() {
        assert!(is_loaded("libc.so.6"));
        assert!(!is_loaded("no_such_library.so"));
        assert!(!is_loaded("nul\0.so"));
    }
}
