//! What a program's start files and the static parts of its libraries would bring.
#![expect(unsafe_code, reason = "declares a function of the C library")]

use std::ffi::c_int;

use vmkit::{Addr, Name, Result, ScopeId, Session, SymbolKind};
use vmkit_llvm::{processor_features, signal_functions};

use crate::allocator;
use crate::guards;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
}

/// Defines what the program does not define itself.
pub(crate) fn define(session: &Session) -> Result<()> {
    static HANDLE: u8 = 0;
    let data = [("__dso_handle", (&raw const HANDLE).cast()), processor_features()];
    let functions: [(&str, *const ()); 3] = [
        ("atexit", libc::atexit as *const ()),
        ("at_quick_exit", at_quick_exit as *const ()),
        ("pthread_atfork", libc::pthread_atfork as *const ()),
    ];
    let replaced = allocator::functions().into_iter().chain(guards::functions());
    for (name, address) in functions.into_iter().chain(replaced).chain(signal_functions()) {
        define_at(session, name, SymbolKind::Function, address)?;
    }
    data.into_iter().try_for_each(|(name, at)| define_at(session, name, SymbolKind::Data, at))
}

fn define_at(session: &Session, name: &str, kind: SymbolKind, address: *const ()) -> Result<()> {
    let name = Name::from(name);
    if !session.find_name(&name).is_some_and(|id| session.is_defined(id)) {
        session.define_absolute_in(ScopeId::GLOBAL, &name, kind, Addr(address as u64))?;
    }
    Ok(())
}
