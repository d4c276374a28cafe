//! Who called: addresses in words.

use vmkit::{Addr, Session, SymbolId};

/// Functions that nobody in the program calls: vmkit does.
pub(crate) struct Roots {
    pub(crate) entry: Addr,
    pub(crate) constructors: &'static [Addr],
    pub(crate) destructors: Vec<Addr>,
}

/// Who called `callee`, when the call returns to `from`.
pub(crate) fn caller(session: &Session, roots: &Roots, callee: SymbolId, from: Addr) -> String {
    // The call itself: what follows it may belong to another function.
    let call = from.offset(-1);
    if let Some((function, offset)) = session.function_at(call) {
        return format!("{}+{:#x}", session.name(function), offset + 1);
    }
    let Some(place) = session.library_at(call) else { return format!("code at {from}") };
    let own = session.library_at(Addr(caller as *const () as u64));
    if own.is_some_and(|own| own.file == place.file) {
        return root(session, roots, callee).into();
    }
    let file = place.file.rsplit('/').next().unwrap_or_default();
    match place.symbol {
        Some(symbol) => format!("{symbol}+{:#x} in {file}", place.offset + 1),
        None => format!("{file}+{:#x}", place.offset + 1),
    }
}

/// What a function is that vmkit itself calls.
fn root(session: &Session, roots: &Roots, callee: SymbolId) -> &'static str {
    let Some(stub) = session.explain(callee).stub else { return "vmkit" };
    match () {
        () if stub == roots.entry => "vmkit, as the entry",
        () if roots.constructors.contains(&stub) => "vmkit, as a constructor",
        () if roots.destructors.contains(&stub) => "vmkit, as a destructor",
        () => "vmkit, or at the end of a function that it called",
    }
}
