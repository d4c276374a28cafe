//! The program's own definitions in place of those of shared libraries.
//!
//! Ahead of time, a function that the executable defines is the one that shared libraries call
//! too: `operator new`, say. Here the libraries are loaded before the function exists, so their
//! references are sent to its stub. Compile threads use the same libraries, and must not run the
//! program's code: for them the references go where they went.

use std::cell::Cell;
use std::thread;

use crate::definition::Definition;
use crate::error::{Error, Kind, Result};
use crate::host;
use crate::link::Linker;
use crate::memory::Zone;
use crate::process::{self, Choice, Export, Exported, Replacements, SharedLibrary};
use crate::symbol::{Addr, Linkage, ScopeId, SymbolId, SymbolKind, Visibility};
use crate::target::native;

thread_local! {
    /// Does this thread want the libraries' own functions?
    static ORIGINALS: Cell<bool> = const { Cell::new(false) };
}

/// From now on, this thread's calls inside libraries go to the libraries' own functions.
pub(crate) fn use_originals() {
    ORIGINALS.set(true);
}

/// Sends the chosen references of libraries to functions that modules define.
pub(crate) fn interpose(linker: &Linker, choice: &Choice<'_>) -> Result<()> {
    // Half-way through, what one library allocates must not be freed by another's allocator.
    let before = ORIGINALS.replace(true);
    let result = interpose_all(linker, choice);
    ORIGINALS.set(before);
    result
}

fn interpose_all(linker: &Linker, choice: &Choice<'_>) -> Result<()> {
    let flag = flag_offset()?;
    let candidates: Vec<_> =
        linker.table.symbols().filter(|&id| is_candidate(linker, id)).collect();
    let replace: Vec<_> = candidates
        .iter()
        .map(|&id| move |original| replacement(linker, id, flag, original))
        .collect();
    let mut replacements = Replacements::new();
    let names: Vec<_> = candidates.iter().map(|&id| linker.table.name(id)).collect();
    for (name, replace) in names.iter().zip(&replace) {
        replacements.insert(name.bytes(), replace);
    }
    process::interpose(choice, &replacements)
}

/// Would the dynamic linker see this definition, and is it more than one copy of many?
fn is_candidate(linker: &Linker, id: SymbolId) -> bool {
    let entry = linker.table.entry(id);
    let inner = entry.lock();
    linker.table.scope(id) == ScopeId::GLOBAL
        && matches!(inner.kind, Some(SymbolKind::Function | SymbolKind::Data))
        && inner.linkage == Linkage::Strong
        && inner.visibility != Visibility::Hidden
        && matches!(inner.definition, Some(Definition::Module { .. }))
}

/// Makes what a library needs, and modules define, resolve its references when it is loaded.
pub(crate) fn export_to(linker: &Linker, library: &SharedLibrary) -> Result<()> {
    let names = library.names();
    let ids = names.iter().filter_map(|name| linker.table.find(ScopeId::GLOBAL, name));
    let variables: Vec<_> = ids.filter(|&id| linker.is_shareable(id)).collect();
    if !variables.is_empty() && linker.share_thread_locals(variables.into_iter())? {
        let what = "needs a thread-local variable of which a thread has a copy already";
        return Err(Kind::Library { file: library.file().into(), what: what.into() }.into());
    }
    let export = |name| {
        let (is_function, address) = exported(linker, name)?;
        let kind = if is_function { Exported::Function } else { Exported::Data };
        Some(Export { name, place: kind(address) })
    };
    process::export(names.iter().filter_map(|name| export(name.as_slice())).collect())
}

/// Has libraries that are loaded from now on share the thread-local variables that modules define where
/// others see them, but for those of which a thread has a copy already.
pub(crate) fn share_thread_locals(linker: &Linker) -> Result<()> {
    let symbols: Vec<_> = linker.table.symbols().filter(|&id| linker.is_shareable(id)).collect();
    linker.share_thread_locals(symbols.into_iter()).map(drop)
}

/// What modules define under a name that libraries see: is it a function, and its address. Data that
/// cannot be linked has none.
pub(crate) fn exported(linker: &Linker, name: &[u8]) -> Option<(bool, Addr)> {
    let id = linker.table.find(ScopeId::GLOBAL, name)?;
    let inner = linker.table.entry(id).lock();
    let is_visible = inner.visibility != Visibility::Hidden;
    let is_ours = matches!(
        inner.definition,
        Some(
            Definition::Module { .. }
                | Definition::Common(_)
                | Definition::Alias(_)
                | Definition::Indirect { .. }
        )
    );
    let kind = inner.kind?;
    drop(inner);
    if linker.is_thread_local(id) {
        return None;
    }
    let address = linker.address(id, id).ok().filter(|_| is_visible && is_ours)?;
    Some((kind == SymbolKind::Function, Addr(address)))
}

/// The address that the libraries get for `id` in place of `original`.
fn replacement(linker: &Linker, id: SymbolId, flag: i32, original: Addr) -> Result<Addr> {
    let kind = linker.table.entry(id).lock().kind;
    match kind {
        Some(SymbolKind::Data) => linker.address(id, id).map(Addr),
        _ => interposer(linker, id, flag, original),
    }
}

fn interposer(linker: &Linker, id: SymbolId, flag: i32, original: Addr) -> Result<Addr> {
    let stub = linker.stub_address(id)?;
    let mut block = linker.memory.allocate(Zone::Code, native::INTERPOSER_SIZE, 16)?;
    let bytes = native::interposer(block.addr.0, flag, original.0, stub.0)
        .ok_or_else(|| Error::other("an interposed function's stub is out of reach"))?;
    block.bytes_mut().copy_from_slice(&bytes);
    linker.memory.sync(block.addr, native::INTERPOSER_SIZE)?;
    Ok(block.addr)
}

/// Where each thread's flag is, from its thread pointer. The same for every thread, as long as
/// this code is part of the executable.
fn flag_offset() -> Result<i32> {
    let offset = || {
        let flag = ORIGINALS.with(|flag| std::ptr::from_ref(flag) as u64);
        flag.wrapping_sub(host::thread_pointer()).cast_signed()
    };
    let here = offset();
    // The C library keeps the stack for threads of the program, which should not get more than they
    // ask for.
    let there = thread::Builder::new().stack_size(0).spawn(offset);
    let there = there.map_err(|error| Error::other(format!("cannot start a thread: {error}")))?;
    match (i32::try_from(here), there.join()) {
        (Ok(offset), Ok(there)) if there == here => Ok(offset),
        _ => Err(Error::other("interposition works in an executable, not in a shared library")),
    }
}
