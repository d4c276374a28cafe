//! What a session knows of one symbol, for people to read.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::compile::Compiler;
use crate::definition::Definition;
use crate::error::Error;
use crate::link::stub_of;
use crate::patch;
use crate::symbol::{Addr, Name, ScopeId, SymbolId, SymbolKind};
use crate::table::{Site, State, Table};

/// What a session knows of one symbol.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Its name.
    pub name: Name,
    /// The module that alone can name it; none if every module can.
    pub module: Option<Arc<str>>,
    /// What it stands for, where anybody has said so.
    pub kind: Option<SymbolKind>,
    /// Where it stands.
    pub state: State,
    /// Who defines it.
    pub definer: Option<Definer>,
    /// Where its code or data is.
    pub address: Option<Addr>,
    /// Bytes of its code or data, 0 where unknown.
    pub size: u64,
    /// Its stub.
    pub stub: Option<Addr>,
    /// The first call that went through its stub.
    pub first_call: Option<FirstCall>,
    /// Why it failed, if it did.
    pub error: Option<Error>,
    /// The call sites that are bound to its code, or can be.
    pub sites: Vec<CallSite>,
}

/// Who defines a symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Definer {
    /// A module.
    Module(Arc<str>),
    /// Tentative definitions of one or more modules, merged.
    Common,
    /// The process, or one of its libraries, at this address.
    Process(Addr),
    /// A library, for each thread anew.
    ThreadLocal,
    /// Nobody else: it is another symbol and an offset.
    Alias {
        /// The other symbol.
        target: SymbolId,
        /// Bytes from there.
        offset: i64,
    },
    /// A function that is asked where it is (`ifunc`).
    Resolver(SymbolId),
}

/// A function's first call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FirstCall {
    /// Where it came from: the return address.
    pub from: Addr,
    /// When it was, since the session began; none unless the session has a listener.
    pub after: Option<Duration>,
}

/// A call in linked code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Whose code it is in.
    pub owner: SymbolId,
    /// Where its displacement is.
    pub place: Addr,
    /// Whether it goes straight to the code rather than through the stub.
    pub is_bound: bool,
}

/// Everything known of `id`.
pub(crate) fn explain(compiler: &Compiler, id: SymbolId) -> Explanation {
    let linker = &compiler.linker;
    let entry = linker.table.entry(id);
    let state = entry.state();
    let error = (state == State::Failed).then(|| compiler.error(id));
    let inner = entry.lock();
    let placed = Some(Addr(entry.address())).filter(|address| address.0 != 0);
    let known: Vec<_> = inner.sites(&linker.allocations.alive()).collect();
    let site = |site: Site| {
        Some(CallSite {
            owner: linker.allocations.get(site.owner, |known| known.symbol)?,
            place: patch::place(&linker.memory, site),
            is_bound: state == State::Ready && Some(patch::target(&linker.memory, site)) == placed,
        })
    };
    let sites = known.into_iter().filter_map(site);
    Explanation {
        name: linker.table.name(id),
        module: linker.table.module_name(linker.table.scope(id)),
        kind: inner.kind,
        state,
        definer: inner.definition.as_ref().and_then(|known| definer(&linker.table, known)),
        address: match inner.definition {
            Some(Definition::Absolute(address)) => Some(address),
            // What was noted of a failure, or is the resolver's, is not its own.
            _ => placed.filter(|_| state == State::Ready),
        },
        size: inner.size,
        stub: stub_of(&inner).map(|stub| linker.stubs.address(stub)),
        first_call: first_call(
            entry.caller.load(Ordering::Relaxed),
            linker.table.called(id).map_or(0, |called| called.load(Ordering::Relaxed)),
        ),
        error,
        sites: sites.collect(),
    }
}

fn first_call(from: u64, nanos: u64) -> Option<FirstCall> {
    let after = (nanos != 0).then(|| Duration::from_nanos(nanos));
    (from != 0).then_some(FirstCall { from: Addr(from), after })
}

fn definer(table: &Table, definition: &Definition) -> Option<Definer> {
    Some(match *definition {
        Definition::Module { scope, .. } => Definer::Module(table.module_name(scope)?),
        Definition::Common(_) => Definer::Common,
        Definition::Absolute(address) => Definer::Process(address),
        Definition::LibraryThreadLocal(_) => Definer::ThreadLocal,
        Definition::Alias(ref alias) => {
            Definer::Alias { target: alias.target, offset: alias.offset }
        }
        Definition::Indirect { resolver } => Definer::Resolver(resolver),
    })
}

/// The symbols of this name: the one that every module means, and those that modules keep to
/// themselves.
pub(crate) fn symbols_named(compiler: &Compiler, name: &Name) -> Vec<SymbolId> {
    let table = &compiler.linker.table;
    let is_wanted = |id: &SymbolId| table.name(*id) == *name;
    let (shared, private): (Vec<_>, Vec<_>) =
        table.symbols().filter(is_wanted).partition(|&id| table.scope(id) == ScopeId::GLOBAL);
    [shared, private].concat()
}
