//! What a program's start files and the static parts of its libraries would bring.
#![expect(unsafe_code, reason = "declares a function of the C library")]

use std::ffi::c_int;

use vmkit::{Addr, Layout, Name, Result, ScopeId, Session, SymbolKind};
use vmkit_llvm::{processor_features, signal_functions};

use crate::allocator;
use crate::guards;
use crate::processes;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
    /// The ELF header of the executable, which linkers name. It is this program's.
    static __ehdr_start: u8;
}

/// Defines what the program does not define itself.
pub(crate) fn define(session: &Session) -> Result<()> {
    static HANDLE: u8 = 0;
    let header = (&raw const __ehdr_start).cast();
    let data = [
        ("__dso_handle", (&raw const HANDLE).cast()),
        ("__ehdr_start", header),
        processor_features(),
    ];
    let functions: [(&str, *const ()); 3] = [
        ("atexit", libc::atexit as *const ()),
        ("at_quick_exit", at_quick_exit as *const ()),
        ("pthread_atfork", libc::pthread_atfork as *const ()),
    ];
    let replaced = allocator::functions().into_iter().chain(guards::functions());
    let replaced = replaced.chain(processes::functions());
    for (name, address) in functions.into_iter().chain(replaced).chain(signal_functions()) {
        define_at(session, name, SymbolKind::Function, address)?;
    }
    for (name, at) in edges(&session.layout()) {
        define_at(session, name, SymbolKind::Data, at.0 as *const ())?;
    }
    data.into_iter().try_for_each(|(name, at)| define_at(session, name, SymbolKind::Data, at))
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
    let name = Name::from(name);
    if !session.find_name(&name).is_some_and(|id| session.is_defined(id)) {
        session.define_absolute_in(ScopeId::GLOBAL, &name, kind, Addr(address as u64))?;
    }
    Ok(())
}
