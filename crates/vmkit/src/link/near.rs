//! Variables of libraries that code takes to be near.
//!
//! Code compiled for an executable may reach a library's variable by a 32-bit displacement or address.
//! Ahead of time, the linker gives the variable a place in the executable, and the dynamic linker copies
//! it there and sends the library to the copy (`R_X86_64_COPY`). Here the session does both.

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Linker;
use crate::error::Result;
use crate::graph::{Binding, LinkGraph, Place};
use crate::memory::Zone;
use crate::process;
use crate::symbol::{Addr, ScopeId, SymbolId};
use crate::target::{Isa, Row, Term};

/// Alignment of copies: that of the largest scalars and vectors without extensions.
const ALIGN: u64 = 32;

/// What is taken to be near.
#[derive(Default)]
pub(super) struct Near(Mutex<Variables>);

#[derive(Default)]
struct Variables {
    symbols: FxHashSet<SymbolId>,
    /// From where the library has it to where it is now: one variable may have several names.
    copies: FxHashMap<Addr, Addr>,
}

impl Linker {
    /// Notes what an object takes to be near without defining it.
    pub(crate) fn note_near(&self, graph: &LinkGraph) {
        let loaded = graph.sections.iter().filter(|section| section.kind.is_loaded());
        for edge in loaded.flat_map(|section| &section.edges) {
            let symbol = &graph.symbols[edge.target];
            let is_global = matches!(symbol.binding, Binding::Global(_));
            let is_elsewhere = is_global && symbol.place == Place::Undefined;
            if is_elsewhere && Isa::NATIVE.edge(edge.kind.0).is_some_and(is_near) {
                let id = self.table.lookup(ScopeId::GLOBAL, &symbol.name);
                self.near.0.lock().symbols.insert(id);
            }
        }
    }

    /// Copies what libraries have of all that was noted.
    pub(crate) fn copy_near_variables(&self) {
        let symbols: Vec<_> = self.near.0.lock().symbols.iter().copied().collect();
        for id in symbols {
            let is_defined = self.table.entry(id).lock().definition.is_some();
            if !is_defined && self.policy.resolver.is_none() {
                self.find_elsewhere(id);
            }
        }
    }

    /// Where a symbol is that a library has at `found`: near, if it must be and is a variable.
    pub(super) fn nearer(&self, id: SymbolId, found: Addr) -> Addr {
        let mut near = self.near.0.lock();
        if let Some(&copy) = near.copies.get(&found) {
            return copy;
        }
        if !near.symbols.contains(&id) || self.memory.contains(found) {
            return found;
        }
        match process::variable_at(found).map(|size| self.copy(found, size)) {
            Some(Ok(copy)) => {
                near.copies.insert(found, copy);
                copy
            }
            // Who needs it near says so.
            None | Some(Err(_)) => found,
        }
    }

    fn copy(&self, found: Addr, size: u64) -> Result<Addr> {
        let mut block = self.memory.allocate(Zone::Data, size, ALIGN)?;
        process::read_variable(found, block.bytes_mut());
        process::redirect(found, block.addr)?;
        Ok(block.addr)
    }
}

/// Does such an edge reach no further than 32 bits do?
fn is_near(row: &Row) -> bool {
    row.term == Term::Address && row.field.size == 4
}
