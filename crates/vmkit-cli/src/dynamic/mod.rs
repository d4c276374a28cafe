//! The use that the program and its libraries make of the dynamic linker, which does not know what
//! modules define.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

mod find;
mod images;
mod locate;
mod open;

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use vmkit::{Addr, Result, Session};
use vmkit_llvm::signal_functions;

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
pub(crate) fn functions(session: &Session) -> [(&'static str, *const ()); 7] {
    SESSION.get_or_init(|| (session.clone(), program()));
    [
        ("dlopen", open::plain as *const ()),
        ("dlmopen", open::in_namespace as *const ()),
        ("dlsym", find::plain as *const ()),
        ("dlvsym", find::versioned as *const ()),
        ("dladdr", locate::plain as *const ()),
        ("dladdr1", locate::with_more as *const ()),
        ("dl_iterate_phdr", images::iterate as *const ()),
    ]
}

/// Is the library at a path this program's, or needed to go on?
pub(crate) fn is_own(path: &str) -> bool {
    OWN.iter().any(|own| path.contains(own))
}

/// Is it the C library?
pub(crate) fn is_c_library(path: &str) -> bool {
    path.contains(C_LIBRARY)
}

/// Has the libraries that are loaded mean the same by these functions as the program, and by those to handle
/// signals with: libraries look as well whether somebody handles one already. Tells whether any of them
/// uses the dynamic linker.
pub(crate) fn take_over() -> Result<bool> {
    let Some((session, _)) = SESSION.get() else { return Ok(false) };
    let is_wanted = |path: &str| !is_own(path) && !is_c_library(path);
    // SAFETY: they do what those of the dynamic linker and the C library do, for its callers.
    let named = unsafe { Session::replace_in_libraries(is_wanted, meant(session)) }?;
    if apart::is_any() {
        apart::share_unwinder()?;
    }
    let is_linkers = |name: &&str| signal_functions().iter().all(|(other, _)| other != name);
    Ok(named.iter().any(is_linkers))
}

/// The functions that the program means by their names, and where they are. To be asked for when all of
/// the program is there.
fn meant(session: &Session) -> &'static [(&'static str, Addr)] {
    static MEANT: OnceLock<Vec<(&str, Addr)>> = OnceLock::new();
    MEANT.get_or_init(|| {
        let is_meant = |&(name, at): &(&str, Addr)| {
            let id = session.find(name);
            id.is_some_and(|id| session.address(id).is_ok_and(|address| address == at))
        };
        let all = functions(session).into_iter().chain(signal_functions());
        all.map(|(name, at)| (name, Addr(at as u64))).filter(is_meant).collect()
    })
}

/// As [`take_over`], when a library was loaded. Without it, only what that library finds, and exceptions
/// of its own, are at risk.
fn take_over_new() {
    if IS_ANY_NEW.swap(false, Ordering::AcqRel) {
        drop(take_over());
        // It looks for libraries that may be gone, which is nothing to be told.
        // SAFETY: forgets this thread's last error.
        unsafe { libc::dlerror() };
    }
}

/// Defines a function of up to three arguments, which hands them, as an array, and the return address to
/// `$first`, and returns its result. If that is null, it goes on in `$then` as if nobody had been called
/// before: what the dynamic linker answers depends on who asks.
macro_rules! entry {
    ($(#[$attribute:meta])* $name:ident, $first:ident, $then:path) => {
        $(#[$attribute])*
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name() {
            const _: unsafe extern "C" fn(&mut [usize; 3], u64) -> *mut c_void = $first;
            std::arch::naked_asm!(
                ".cfi_startproc",
                "push rdx",
                ".cfi_adjust_cfa_offset 8",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                // With these three, the stack is aligned to 16 bytes, as calls are made.
                "mov rdi, rsp",
                "mov rsi, [rsp + 24]",
                "call {first}",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "pop rdx",
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
use entry;

/// The handle that stands for the program and all that it has loaded, which is one for ever.
fn program() -> usize {
    // SAFETY: opens nothing.
    unsafe { libc::dlopen(ptr::null(), libc::RTLD_LAZY) as usize }
}
