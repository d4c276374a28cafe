//! What a program's start files and the static parts of its libraries would bring.
#![expect(unsafe_code, reason = "declares a function of the C library")]

use std::ffi::{CString, c_int};

use vmkit::{Addr, Layout, Name, Result, ScopeId, Session, SymbolKind};
use vmkit_llvm::{processor_features, signal_functions};

use crate::allocator;
use crate::apart;
use crate::dynamic;
use crate::guards;
use crate::processes;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
    /// The ELF header of the executable, which linkers name. It is this program's.
    static __ehdr_start: u8;
}

/// Defines what the program does not define itself.
pub(crate) fn define(session: &Session) -> Result<()> {
    let data: [(&str, &[u8]); 3] = [
        // Only its address matters.
        ("__dso_handle", &[0]),
        ("__ehdr_start", &header()),
        ("__cpu_features2", &processor_features()),
    ];
    let functions: [(&str, *const ()); 3] = [
        ("atexit", libc::atexit as *const ()),
        ("at_quick_exit", at_quick_exit as *const ()),
        ("pthread_atfork", libc::pthread_atfork as *const ()),
    ];
    let guards = guards::functions().into_iter().filter(|_| !apart::is_program_apart());
    let replaced = allocator::functions().into_iter().chain(guards);
    let replaced = replaced.chain(processes::functions()).chain(dynamic::functions(session));
    let replaced = replaced.chain(apart::functions());
    for (name, address) in functions.into_iter().chain(replaced).chain(signal_functions()) {
        define_at(session, name, SymbolKind::Function, address)?;
    }
    for (name, at) in edges(&session.layout()) {
        define_at(session, name, SymbolKind::Data, at.0 as *const ())?;
    }
    for (name, bytes) in data {
        if !is_defined(session, name) {
            session.define_bytes(&Name::from(name), bytes)?;
        }
    }
    Ok(())
}

/// The ELF header of a program that has no segments of its own: this program's, but for those.
fn header() -> [u8; size_of::<libc::Elf64_Ehdr>()] {
    // SAFETY: the header is mapped, and as large.
    let mut header = unsafe { (&raw const __ehdr_start).cast::<libc::Elf64_Ehdr>().read() };
    (header.e_phoff, header.e_phnum, header.e_shoff, header.e_shnum) = (0, 0, 0, 0);
    // SAFETY: a struct of numbers without padding.
    unsafe { std::mem::transmute(header) }
}

fn is_defined(session: &Session, name: &str) -> bool {
    session.find(name).is_some_and(|id| session.is_defined(id))
}

/// What linkers call the edges of a program. There is no edge between data with initial values and
/// data without, so all of it counts as the former.
fn edges(layout: &Layout) -> [(&'static str, Addr); 11] {
    let (start, text) = (layout.code.start, layout.code.end);
    let (data, end) = (layout.data.start, layout.data.end);
    [
        ("__executable_start", start),
        ("etext", text),
        ("_etext", text),
        ("__etext", text),
        ("__data_start", data),
        ("data_start", data),
        ("edata", end),
        ("_edata", end),
        ("__bss_start", end),
        ("end", end),
        ("_end", end),
    ]
}

fn define_at(session: &Session, name: &str, kind: SymbolKind, address: *const ()) -> Result<()> {
    if !is_defined(session, name) {
        let name = Name::from(name);
        session.define_absolute_in(ScopeId::GLOBAL, &name, kind, Addr(address as u64))?;
    }
    Ok(())
}

/// Has a library that every program finds a function of this name?
pub(crate) fn is_in_library(name: &Name) -> bool {
    let Ok(name) = CString::new(name.bytes()) else { return false };
    // SAFETY: a C string.
    unsafe { !libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).is_null() }
}
