//! The program's own use of the dynamic linker, which does not know what modules define.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use vmkit::{Addr, Name, Session};

use crate::apart;

/// Whose names there are.
static SESSION: OnceLock<Session> = OnceLock::new();

/// The functions, by name: what the program means by them, unless it defines them itself.
pub(crate) fn functions(session: &Session) -> [(&'static str, *const ()); 3] {
    SESSION.get_or_init(|| session.clone());
    let (open, find, locate) = (open as *const (), find as *const (), locate as *const ());
    [("dlopen", open), ("dlsym", find), ("dladdr", locate)]
}

/// `dlopen` of a library that may need what the program exports.
unsafe extern "C" fn open(file: *const c_char, flags: c_int) -> *mut c_void {
    let mut is_apart = false;
    if !file.is_null()
        && let Some(session) = SESSION.get()
        // SAFETY: the caller's C string.
        && let Ok(path) = unsafe { CStr::from_ptr(file) }.to_str()
    {
        // If it misses something, the dynamic linker says what.
        drop(session.export_to(path));
        is_apart = apart::is_apart(path);
    }
    let flags = if is_apart { flags | libc::RTLD_DEEPBIND } else { flags };
    // SAFETY: the caller's arguments.
    let library = unsafe { libc::dlopen(file, flags) };
    if is_apart {
        // Without it, only exceptions of the library's are at risk.
        drop(apart::share_unwinder());
    }
    library
}

/// `dlsym`, for which the program's names come before all others, and after which come those of the
/// libraries that it asked for.
unsafe extern "C" fn find(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: the caller's C string.
    let text = unsafe { CStr::from_ptr(name) }.to_bytes();
    let session = SESSION.get();
    let found = if handle == libc::RTLD_NEXT {
        session.and_then(|session| session.in_libraries(&Name::new(text)))
    } else if handle == libc::RTLD_DEFAULT || handle == program() {
        session.and_then(|session| session.exported(text))
    } else {
        None
    };
    match found {
        Some(address) => address.0 as *mut c_void,
        // SAFETY: the caller's arguments. After this program come its libraries.
        None => unsafe { libc::dlsym(handle, name) },
    }
}

/// `dladdr`, which knows the program as what lies at its code and data, and its functions by what is
/// running of them.
unsafe extern "C" fn locate(address: *const c_void, info: *mut libc::Dl_info) -> c_int {
    // SAFETY: the caller's arguments.
    let known = unsafe { libc::dladdr(address, info) };
    let Some(session) = SESSION.get().filter(|_| known == 0) else { return known };
    let (layout, at) = (session.layout(), Addr(address as u64));
    if ![&layout.code, &layout.read_only, &layout.data].iter().any(|range| range.contains(&at)) {
        return 0;
    }
    let function = session.function_at(at);
    let name = function.map_or(ptr::null(), |(id, _)| text(&session.name(id)));
    let start = function.map_or(ptr::null_mut(), |(_, offset)| (at.0 - offset) as *mut c_void);
    // SAFETY: the caller's struct. The program's name is a C string for ever.
    unsafe {
        *info = libc::Dl_info {
            dli_fname: program_invocation_name,
            dli_fbase: layout.code.start.0 as *mut c_void,
            dli_sname: name,
            dli_saddr: start,
        };
    }
    1
}

/// A name as a C string that is there for ever.
fn text(name: &Name) -> *const c_char {
    static TEXTS: Mutex<BTreeMap<Vec<u8>, CString>> = Mutex::new(BTreeMap::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let owned = || CString::new(name.bytes()).unwrap_or_default();
    texts.entry(name.bytes().to_vec()).or_insert_with(owned).as_ptr()
}

unsafe extern "C" {
    static program_invocation_name: *const c_char;
}

/// The handle that stands for the program and all that it has loaded.
fn program() -> *mut c_void {
    // SAFETY: opens nothing.
    unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) }
}
