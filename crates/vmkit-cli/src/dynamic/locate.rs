//! `dladdr` and `dladdr1`, which know the program as what lies at its code and data, and its functions by
//! what is running of them.
#![expect(unsafe_code, reason = "the dynamic linker's C interface")]

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use libc::Elf64_Sym;
use vmkit::{Addr, Session, SymbolId};

use super::SESSION;

/// What `dladdr1` is to tell beside the place: the symbol's entry in its table, or the library's
/// `struct link_map` (dlfcn.h).
const SYMBOL_ENTRY: c_int = 1;
const LINK_MAP: c_int = 2;
/// A function that others see, as the entries of symbols have it (gABI, "Symbol Table").
const GLOBAL_FUNCTION: u8 = 1 << 4 | 2;

/// # Safety
///
/// The arguments are those of `dladdr`.
pub(super) unsafe extern "C" fn plain(address: *const c_void, info: *mut libc::Dl_info) -> c_int {
    // SAFETY: the caller's arguments.
    match unsafe { libc::dladdr(address, info) } {
        // SAFETY: the caller's struct.
        0 => c_int::from(unsafe { locate(address, info) }.is_some()),
        known => known,
    }
}

/// # Safety
///
/// The arguments are those of `dladdr1`.
pub(super) unsafe extern "C" fn with_more(
    address: *const c_void,
    info: *mut libc::Dl_info,
    more: *mut *mut c_void,
    which: c_int,
) -> c_int {
    // SAFETY: the caller's arguments.
    let known = unsafe { libc::dladdr1(address, info, more, which) };
    if known != 0 {
        return known;
    }
    // SAFETY: the caller's struct.
    let Some(place) = (unsafe { locate(address, info) }) else { return 0 };
    let told = match which {
        SYMBOL_ENTRY => place.function.map_or(ptr::null(), |function| function.entry).cast(),
        LINK_MAP => place.program as *const c_void,
        _ => return 1,
    };
    // SAFETY: the caller's variable, for one of these two answers.
    unsafe { *more = told.cast_mut() };
    1
}

/// A place in the program.
struct Place {
    function: Option<Function>,
    /// The handle that stands for the program, which is what the dynamic linker knows of it.
    program: usize,
}

/// What is told of a function, there for ever.
#[derive(Clone, Copy)]
struct Function {
    name: *const c_char,
    entry: *const Elf64_Sym,
}

/// Says what of the program is at an address, if anything is.
///
/// # Safety
///
/// The struct can be written.
unsafe fn locate(address: *const c_void, info: *mut libc::Dl_info) -> Option<Place> {
    let (session, program) = SESSION.get()?;
    let (layout, at) = (session.layout(), Addr(address as u64));
    if ![&layout.code, &layout.read_only, &layout.data].iter().any(|range| range.contains(&at)) {
        return None;
    }
    let base = layout.code.start;
    let function = session.function_at(at);
    let start = function.map_or(0, |(_, offset)| at.0 - offset);
    let function = function.map(|(id, _)| described(session, id, Addr(start), base));
    // SAFETY: the caller's struct. The program's name is a C string for ever.
    unsafe {
        *info = libc::Dl_info {
            dli_fname: program_invocation_name,
            dli_fbase: base.0 as *mut c_void,
            dli_sname: function.map_or(ptr::null(), |function| function.name),
            dli_saddr: start as *mut c_void,
        };
    }
    Some(Place { function, program: *program })
}

/// What is told of a function whose code begins at `start`, by where it begins.
fn described(session: &Session, id: SymbolId, start: Addr, base: Addr) -> Function {
    struct Described(CString, Elf64_Sym);
    static DESCRIBED: Mutex<BTreeMap<(SymbolId, Addr), &Described>> = Mutex::new(BTreeMap::new());
    let mut described = DESCRIBED.lock().unwrap_or_else(PoisonError::into_inner);
    let describe = || {
        let entry = Elf64_Sym {
            st_name: 0,
            st_info: GLOBAL_FUNCTION,
            st_other: 0,
            // Whichever: it is in one.
            st_shndx: 1,
            st_value: start.0 - base.0,
            st_size: session.explain(id).size,
        };
        let name = CString::new(session.name(id).bytes()).unwrap_or_default();
        &*Box::leak(Box::new(Described(name, entry)))
    };
    let Described(name, entry) = described.entry((id, start)).or_insert_with(describe);
    Function { name: name.as_ptr(), entry }
}

unsafe extern "C" {
    static program_invocation_name: *const c_char;
}
