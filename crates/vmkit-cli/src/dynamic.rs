//! The use that the program and its libraries make of the dynamic linker, which does not know what
//! modules define.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use vmkit::{Addr, Name, Result, Session, SharedLibrary};

use crate::apart;

/// Libraries that go on calling their own functions: this program's, and those it could not go on
/// without. (libgcc's unwinder holds a lock while it allocates, which publishing code needs too.)
const OWN: [&str; 3] = ["libLLVM", "libgcc_s", "ld-linux"];
/// The C library.
const C_LIBRARY: &str = "libc.so";

/// Whose names there are, and the handle that stands for the program and all that it has loaded.
static SESSION: OnceLock<(Session, usize)> = OnceLock::new();
/// Was a library loaded whose calls are not taken over yet?
static IS_ANY_NEW: AtomicBool = AtomicBool::new(false);

/// The functions, by name: what the program means by them, unless it defines them itself.
pub(crate) fn functions(session: &Session) -> [(&'static str, *const ()); 3] {
    SESSION.get_or_init(|| (session.clone(), program()));
    let (open, find) = (open_entry as *const (), find_entry as *const ());
    [("dlopen", open), ("dlsym", find), ("dladdr", locate as *const ())]
}

/// Is the library at a path this program's, or needed to go on?
pub(crate) fn is_own(path: &str) -> bool {
    OWN.iter().any(|own| path.contains(own))
}

/// Is it the C library?
pub(crate) fn is_c_library(path: &str) -> bool {
    path.contains(C_LIBRARY)
}

/// Has the libraries that are loaded mean the same by these functions as the program; tells whether any
/// of them uses one.
pub(crate) fn take_over() -> Result<bool> {
    // Two threads would write to a page that one of them makes read-only again.
    static TURN: Mutex<()> = Mutex::new(());
    let Some((session, _)) = SESSION.get() else { return Ok(false) };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_wanted = |path: &str| !is_own(path) && !is_c_library(path);
    // SAFETY: they do what those of the dynamic linker do, for its callers.
    let is_any = unsafe { Session::replace_in_libraries(is_wanted, meant(session)) }?;
    if apart::is_any() {
        apart::share_unwinder()?;
    }
    Ok(is_any)
}

/// The functions that the program means by their names, and where they are. To be asked for when all of
/// the program is there.
fn meant(session: &Session) -> &'static [(&'static str, Addr)] {
    static MEANT: OnceLock<Vec<(&str, Addr)>> = OnceLock::new();
    let is_meant = |&(name, at): &(&str, Addr)| {
        session.find(name).is_some_and(|id| session.address(id).is_ok_and(|address| address == at))
    };
    MEANT.get_or_init(|| {
        let addresses = functions(session).map(|(name, at)| (name, Addr(at as u64)));
        addresses.into_iter().filter(is_meant).collect()
    })
}

/// As [`take_over`], when a library was loaded. Without it, only what that library finds, and exceptions
/// of its own, are at risk.
fn take_over_new() {
    if IS_ANY_NEW.swap(false, Ordering::AcqRel) {
        drop(take_over());
    }
}

/// Defines a function of two arguments, which hands them, as an array, and the return address to `$first`,
/// and returns its result. If that is null, it goes on in `$then` as if nobody had been called before:
/// what the dynamic linker answers depends on who asks.
macro_rules! entry {
    ($(#[$attribute:meta])* $name:ident, $first:ident, $then:path) => {
        $(#[$attribute])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            const _: unsafe extern "C" fn(&mut [usize; 2], u64) -> *mut c_void = $first;
            std::arch::naked_asm!(
                ".cfi_startproc",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                // Calls are made with the stack aligned to 16 bytes.
                "sub rsp, 8",
                ".cfi_adjust_cfa_offset 8",
                "lea rdi, [rsp + 8]",
                "mov rsi, [rsp + 24]",
                "call {first}",
                "add rsp, 8",
                ".cfi_adjust_cfa_offset -8",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "test rax, rax",
                "jz 2f",
                "ret",
                "2: jmp {then}",
                ".cfi_endproc",
                first = sym $first,
                then = sym $then,
            )
        }
    };
}

entry!(
    /// `dlopen` of a library that may need what the program exports.
    open_entry,
    open,
    libc::dlopen
);
entry!(
    /// `dlsym`, for which the program's names come before all others, and after which come those of the
    /// libraries that it asked for.
    find_entry,
    find,
    libc::dlsym
);

/// # Safety
///
/// The arguments are those of `dlopen`.
unsafe extern "C" fn open(arguments: &mut [usize; 2], caller: u64) -> *mut c_void {
    take_over_new();
    let file = arguments[0] as *const c_char;
    let Some((session, _)) = SESSION.get().filter(|_| !file.is_null()) else {
        return ptr::null_mut();
    };
    // SAFETY: the caller's C string.
    let Ok(path) = unsafe { CStr::from_ptr(file) }.to_str() else { return ptr::null_mut() };
    let library = SharedLibrary::read_for(Addr(caller), path);
    // If it misses something, the dynamic linker says what.
    drop(session.export_to(&library));
    if apart::is_apart(&library) {
        arguments[1] |= libc::RTLD_DEEPBIND as usize;
    }
    IS_ANY_NEW.store(true, Ordering::Release);
    if is_for_caller(path) && session.library_at(Addr(caller)).is_some() {
        return ptr::null_mut();
    }
    // SAFETY: the caller's arguments.
    let library = unsafe { libc::dlopen(file, arguments[1] as c_int) };
    take_over_new();
    library
}

/// Does it depend on who asks which file is meant?
fn is_for_caller(path: &str) -> bool {
    // What begins with a dollar stands for a folder (ld.so(8), "Dynamic string tokens").
    !path.contains('/') || path.contains('$')
}

/// # Safety
///
/// The arguments are those of `dlsym`.
unsafe extern "C" fn find(&mut [handle, name]: &mut [usize; 2], caller: u64) -> *mut c_void {
    take_over_new();
    let Some((session, program)) = SESSION.get() else { return ptr::null_mut() };
    // SAFETY: the caller's C string.
    let text = unsafe { CStr::from_ptr(name as *const c_char) }.to_bytes();
    let found = if handle == libc::RTLD_NEXT as usize {
        session.in_libraries_after(Addr(caller), &Name::new(text))
    } else if handle == libc::RTLD_DEFAULT as usize || handle == *program {
        session.exported(text)
    } else {
        None
    };
    found.map_or(ptr::null_mut(), |address| address.0 as *mut c_void)
}

/// `dladdr`, which knows the program as what lies at its code and data, and its functions by what is
/// running of them.
unsafe extern "C" fn locate(address: *const c_void, info: *mut libc::Dl_info) -> c_int {
    // SAFETY: the caller's arguments.
    let known = unsafe { libc::dladdr(address, info) };
    let Some((session, _)) = SESSION.get().filter(|_| known == 0) else { return known };
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

/// The handle that stands for the program and all that it has loaded, which is one for ever.
fn program() -> usize {
    // SAFETY: opens nothing.
    unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) as usize }
}
