//! Inline caches for calls of interface methods (Deutsch and Schiffman 1984; polymorphic: Hölzle,
//! Chambers and Ungar 1991).
//!
//! A cache is a function of the session. Its code compares the receiver's class with those it has
//! met, and jumps to their methods; each new class redefines it. Beyond a few classes, it looks them
//! up in a table.
#![forbid(unsafe_code)]

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::table::DispatchTable;
use crate::compile::Compiler;
use crate::definition::{Definition, Private, Source, Unit};
use crate::error::{Error, Result};
use crate::graph::{Binding, Edge, EdgeKind, LinkGraph, Place, Section, SectionKind, Symbol};
use crate::host;
use crate::symbol::{Addr, Descriptor, Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility};
use crate::target::native::CALL_ADDEND;
use crate::target::native::dispatch::{ADDRESS, Chooser, JUMP, compare, look_up};

/// So many classes are compared one after the other.
const MOST_COMPARED: usize = 4;
/// By how many bits keys are shifted for their place in a table; the first that suits is taken.
const SHIFTS: std::ops::Range<u8> = 3..16;
/// So many times more places than keys a table has at most.
const MOST_ROOM: usize = 16;

/// A call of an interface method: a function that finds the method by the class of its first argument.
pub struct InlineCache {
    compiler: Arc<Compiler>,
    symbol: SymbolId,
    name: Name,
    method: u64,
    /// Bytes from the start of an object to the word that says its class.
    offset: i32,
    /// The number that its code pushes on a miss, and where it goes then.
    point: (u32, Addr),
    scope: ScopeId,
    code: Arc<Code>,
    known: Mutex<Known>,
}

/// What a cache has met.
#[derive(Default)]
struct Known {
    /// Classes and their methods, in the order in which they came.
    targets: Vec<(u64, SymbolId)>,
    version: u64,
    table: Option<Table>,
}

/// A table that is looked up, and how.
struct Table {
    words: DispatchTable,
    shift: u8,
    mask: u64,
}

/// The current code of a cache, by version.
struct Code {
    name: Arc<str>,
    graphs: Mutex<FxHashMap<u64, LinkGraph>>,
}

impl Source for Code {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, version: u64) -> Result<LinkGraph> {
        let graph = self.graphs.lock().get(&version).cloned();
        graph.ok_or_else(|| Error::other("an inline cache that was redefined"))
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

impl InlineCache {
    pub(super) fn new(
        compiler: Arc<Compiler>,
        name: Name,
        method: u64,
        offset: i32,
        point: (u32, Addr),
    ) -> Result<Self> {
        let code = Arc::new(Code { name: "inline caches".into(), graphs: Mutex::default() });
        let table = &compiler.linker.table;
        let scope = table.add_source(code.clone(), ScopeId::GLOBAL);
        let descriptor = Descriptor::strong(name.clone(), SymbolKind::Function);
        let definition = Definition::Module { scope, key: 0, unit: Unit::Lazy };
        let (symbol, _) = table.define(ScopeId::GLOBAL, &descriptor, definition)?;
        let known = Mutex::default();
        let cache = Self { compiler, symbol, name, method, offset, point, scope, code, known };
        let graph = cache.graph(compare(offset, &[], point.0), &[], None);
        cache.code.graphs.lock().insert(0, graph);
        Ok(cache)
    }

    /// The function that the code calls.
    #[must_use]
    pub fn symbol(&self) -> SymbolId {
        self.symbol
    }

    /// The classes it knows, and their methods.
    #[must_use]
    pub fn targets(&self) -> Vec<(u64, SymbolId)> {
        self.known.lock().targets.clone()
    }

    /// Where a call goes whose class the code did not know; `ask` finds the method.
    pub(super) fn missed(
        &self,
        receiver: u64,
        ask: impl FnOnce(u64) -> Result<SymbolId>,
    ) -> Result<Addr> {
        let class = host::load(Addr(receiver).offset(i64::from(self.offset)));
        if let Some(target) = self.find(class) {
            return self.compiler.code(target);
        }
        // No lock is held while the machine is asked: it may load classes.
        let target = ask(self.method)?;
        let address = self.compiler.code(target)?;
        let mut known = self.known.lock();
        if known.targets.iter().all(|&(other, _)| other != class) {
            known.targets.push((class, target));
            self.compiler.turnstile.undisturbed(|| self.learn(&mut known, class, target))?;
        }
        Ok(address)
    }

    fn find(&self, class: u64) -> Option<SymbolId> {
        let known = self.known.lock();
        let found = known.targets.iter().find(|&&(other, _)| other == class);
        found.map(|&(_, target)| target)
    }

    /// Forgets a class, or all if none is given: the next call of one asks again. Calls that start
    /// after this has returned do not go to what was forgotten.
    ///
    /// # Errors
    ///
    /// Memory is short.
    pub fn forget(&self, class: Option<u64>) -> Result<()> {
        let mut known = self.known.lock();
        known.targets.retain(|&(other, _)| class.is_some_and(|class| other != class));
        self.compiler.turnstile.undisturbed(|| self.rebuild(&mut known))
    }

    /// Has the code know one more class.
    fn learn(&self, known: &mut Known, class: u64, target: SymbolId) -> Result<()> {
        if let Some(table) = &known.table {
            let place = table.place(class);
            if table.words.get(2 * place)? == 0 {
                // The target before the key: who finds the key finds the target.
                table.words.set(2 * place + 1, target)?;
                return table.words.set_number(2 * place, class);
            }
        }
        self.rebuild(known)
    }

    /// Makes code for all classes that are known, and has it called from now on.
    fn rebuild(&self, known: &mut Known) -> Result<()> {
        let old = known.table.take();
        let graph = if known.targets.len() <= MOST_COMPARED {
            let keys: Vec<_> = known.targets.iter().map(|&(class, _)| class).collect();
            self.graph(compare(self.offset, &keys, self.point.0), &known.targets, None)
        } else {
            let table = self.table(&known.targets)?;
            let code = look_up(self.offset, table.shift, table.mask as u32, self.point.0);
            let graph = self.graph(code, &[], Some(table.words.address()));
            known.table = Some(table);
            graph
        };
        known.version += 1;
        self.code.graphs.lock().insert(known.version, graph);
        let definition =
            Definition::Module { scope: self.scope, key: known.version, unit: Unit::Lazy };
        self.compiler.linker.redefine_compiled(self.symbol, definition)?;
        self.code.graphs.lock().retain(|&version, _| version == known.version);
        if let Some(old) = old {
            self.compiler.linker.retire(old.words.allocation());
        }
        Ok(())
    }

    /// A table in which each class has a place of its own, as far as that can be had.
    fn table(&self, targets: &[(u64, SymbolId)]) -> Result<Table> {
        let (shift, len) = layout(targets);
        let words = DispatchTable::new(self.compiler.clone(), 2 * len)?;
        let table = Table { words, shift, mask: len as u64 - 1 };
        for &(class, target) in targets {
            let place = table.place(class);
            if table.words.get(2 * place)? == 0 {
                table.words.set(2 * place + 1, target)?;
                table.words.set_number(2 * place, class)?;
            }
        }
        Ok(table)
    }

    fn graph(&self, code: Chooser, targets: &[(u64, SymbolId)], table: Option<Addr>) -> LinkGraph {
        let mut symbols = vec![Symbol {
            place: Place::Section { index: 0, offset: 0 },
            size: code.bytes.len() as u64,
            kind: Some(SymbolKind::Function),
            ..Symbol::undefined(self.name.clone())
        }];
        let mut edges = Vec::new();
        let mut edge = |symbol: Symbol, offset, kind, addend| {
            edges.push(Edge { offset, kind: EdgeKind(kind), target: symbols.len(), addend });
            symbols.push(symbol);
        };
        for (&(_, target), &place) in targets.iter().zip(&code.targets) {
            edge(self.function(target), place, JUMP, CALL_ADDEND);
        }
        edge(absolute(self.point.1), code.miss, JUMP, CALL_ADDEND);
        if let (Some(address), Some(place)) = (table, code.table) {
            edge(absolute(address), place, ADDRESS, 0);
        }
        let section = Section {
            name: ".text".into(),
            kind: SectionKind::Code,
            align: 16,
            size: code.bytes.len() as u64,
            bytes: code.bytes,
            edges,
            group: None,
        };
        LinkGraph::of_section(self.code.name.clone(), section, symbols)
    }

    /// A graph's symbol for one of the session.
    fn function(&self, id: SymbolId) -> Symbol {
        let table = &self.compiler.linker.table;
        let binding = match table.scope(id) {
            ScopeId::GLOBAL => Binding::Global(Linkage::Strong),
            // It is known by its name already; no key is asked for.
            scope => Binding::Imported(scope, 0),
        };
        Symbol { binding, kind: Some(SymbolKind::Function), ..Symbol::undefined(table.name(id)) }
    }
}

fn absolute(address: Addr) -> Symbol {
    Symbol {
        place: Place::Absolute(address.0),
        binding: Binding::Graph,
        visibility: Visibility::Default,
        ..Symbol::undefined(Name::from(""))
    }
}

impl Table {
    fn place(&self, class: u64) -> usize {
        place(class, self.shift, self.mask)
    }
}

fn place(class: u64, shift: u8, mask: u64) -> usize {
    (class >> shift & mask) as usize
}

/// How to shift keys and how many places to have, so that as few as possible share one.
fn layout(targets: &[(u64, SymbolId)]) -> (u8, usize) {
    let least = (2 * targets.len()).next_power_of_two();
    let lens = std::iter::successors(Some(least), |len| Some(2 * len));
    let lens = lens.take_while(|&len| len <= MOST_ROOM * targets.len());
    let layouts = lens.flat_map(|len| SHIFTS.map(move |shift| (shift, len)));
    let collisions = |&(shift, len): &(u8, usize)| {
        let mut taken = vec![false; len];
        let places = targets.iter().map(|&(class, _)| place(class, shift, len as u64 - 1));
        places.filter(|&place| std::mem::replace(&mut taken[place], true)).count()
    };
    let mut best = (usize::MAX, (SHIFTS.start, least));
    for layout in layouts {
        let count = collisions(&layout);
        if count < best.0 {
            best = (count, layout);
        }
        if count == 0 {
            break;
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_finds_a_place_of_its_own() {
        for step in [8, 16, 24, 48, 64, 4096] {
            for count in [5, 8, 33, 100] {
                let targets: Vec<_> =
                    (1..=count).map(|n| (0x7000_1000 + n * step, SymbolId(0))).collect();
                let (shift, len) = layout(&targets);
                let mut places: Vec<_> =
                    targets.iter().map(|t| place(t.0, shift, len as u64 - 1)).collect();
                places.sort_unstable();
                places.dedup();
                assert_eq!(places.len(), targets.len(), "{count} classes, {step} bytes apart");
            }
        }
    }
}
