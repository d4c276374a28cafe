//! Data is linked with the code that needs it, and with all data that it points to.

mod redefine;

pub(in crate::link) use self::redefine::{Former, Moved};

use std::collections::HashSet;

use smallvec::SmallVec;

use super::Linker;
use super::bind::{Bound, Symbols, Target};
use crate::allocation::{Allocation, AllocationId};
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::{LinkGraph, Place, Section, SectionKind, Symbol};
use crate::memory::{Block, Extent};
use crate::symbol::{Name, SymbolId, SymbolKind};
use crate::table::State;

/// Data on its way into memory.
struct Unplaced {
    id: SymbolId,
    graph: LinkGraph,
    symbols: Symbols,
}

impl Linker {
    /// Links the data `root`, and all data it points to.
    pub(in crate::link) fn require_data(&self, root: SymbolId) -> Result<()> {
        // Whoever holds the lock has placed everything there is to place.
        while !self.is_linked(root) && !self.data.is_owned_by_current_thread() {
            let found = self.collect(root)?;
            let order = self.data.lock();
            let is_fresh = |data: &Unplaced| !self.is_linked(data.id);
            let fresh: Vec<_> = found.into_iter().filter(is_fresh).collect();
            let is_placed = |data: &Unplaced| self.table.entry(data.id).address() != 0;
            if fresh.iter().any(is_placed) {
                // By a thread that links a unit as a whole, and publishes it at the end.
                drop(order);
                self.whole.wait();
                continue;
            }
            self.whole.note_data(fresh.iter().map(|data| data.id));
            let result = self.link_data(&fresh);
            if result.is_err() {
                fresh.iter().for_each(|data| self.table.entry(data.id).place(0));
            }
            self.publish_all(&self.whole.postpone(result?));
        }
        Ok(())
    }

    /// Is the data where it stays, as far as this thread may know?
    fn is_linked(&self, id: SymbolId) -> bool {
        let entry = self.table.entry(id);
        entry.state() == State::Ready || (entry.address() != 0 && self.whole.is_mine())
    }

    /// Gathers what `root` leads to, and sees to it that everything else it points to exists.
    fn collect(&self, root: SymbolId) -> Result<Vec<Unplaced>> {
        let (mut queue, mut seen, mut found) = (vec![root], HashSet::new(), Vec::new());
        while let Some(id) = queue.pop() {
            if !seen.insert(id) || self.is_linked(id) {
                continue;
            }
            if let Some(set) = self.sets.of(id).and_then(|name| self.sets.members(&name)) {
                // What else is in it comes with the code that it belongs to.
                queue.extend(set.into_iter().rev().filter(|&id| self.is_data(id)));
            }
            let graph = self.data_graph(id)?;
            let symbols = self.bind(id, &graph)?;
            for (target, used) in symbols.targets.iter().zip(&symbols.uses) {
                let &Target::Symbol { id: needed, is_weak } = target else { continue };
                let (needed, _) = self.target(needed)?;
                if self.is_data(needed) {
                    queue.push(needed);
                } else if used.address && !(is_weak && self.is_absent(needed)?) {
                    self.address(needed, id)?;
                }
            }
            found.push(Unplaced { id, graph, symbols });
        }
        Ok(found)
    }

    pub(in crate::link) fn is_data(&self, id: SymbolId) -> bool {
        self.table.entry(id).lock().definition.as_ref().is_some_and(Definition::is_data)
    }

    fn data_graph(&self, id: SymbolId) -> Result<LinkGraph> {
        let entry = self.table.entry(id);
        let definition = entry.lock().definition.clone();
        match definition {
            Some(Definition::Module { scope, key, .. }) => Ok(self.produce(scope, key)?.0),
            Some(Definition::Common(extent)) => {
                Ok(common(&self.table.name(id), extent.size, extent.align))
            }
            _ => Err(Error::undefined(self.table.name(id), None)),
        }
    }

    /// Places all of them, then fixes all of them up: they may point to one another.
    fn link_data(&self, fresh: &[Unplaced]) -> Result<Vec<(SymbolId, u64)>> {
        let mut placed = Vec::with_capacity(fresh.len());
        for data in fresh {
            let found = self.place(&data.graph, &data.symbols, true)?;
            let extents = found.blocks.iter().map(Block::extent).collect();
            // Sets stay as they are.
            let owner = match self.sets.of(data.id) {
                None => self.note_data(data, extents),
                Some(_) => AllocationId::PERMANENT,
            };
            placed.push((owner, found));
        }
        let mut finished = Vec::with_capacity(fresh.len());
        for (Unplaced { id, graph, symbols }, (owner, placed)) in fresh.iter().zip(placed) {
            let mut permanent = Allocation::new(AllocationId::PERMANENT, *id);
            let values = self.require(*id, &mut permanent, symbols)?;
            let bound = Bound { graph, symbols, values };
            let mut made = Allocation::new(owner, *id);
            let result = self.fix_up(*id, &mut made, &bound, placed);
            self.allocations.add(made);
            finished.extend(result?);
            // What a module has for itself still grows.
            if self.table.entry(*id).lock().allocation() == owner {
                self.allocations.pack(owner);
            }
        }
        Ok(finished)
    }

    /// Notes the memory of data: with the module's, where it is private, for it can only go with the
    /// module. Blocks of thread-local variables stay.
    fn note_data(&self, data: &Unplaced, extents: SmallVec<[Extent; 2]>) -> AllocationId {
        let entry = self.table.entry(data.id);
        if entry.lock().kind == Some(SymbolKind::ThreadLocal) {
            return AllocationId::PERMANENT;
        }
        let is_private = self.table.scope(data.id) == data.graph.scope;
        let known = match is_private {
            true => self.table.data_of(data.graph.scope),
            false => AllocationId::PERMANENT,
        };
        let owner = match known {
            AllocationId::PERMANENT => self.allocations.begin_data(data.id),
            known => known,
        };
        self.allocations.update(owner, |known| known.extents.extend(extents));
        match is_private {
            true => self.table.set_data_of(data.graph.scope, owner),
            false => entry.lock().allocation = owner.number(),
        }
        owner
    }
}

/// The graph of a tentative definition: zeros.
fn common(name: &Name, size: u64, align: u64) -> LinkGraph {
    let section = Section {
        name: ".bss".into(),
        kind: SectionKind::Data,
        align,
        size: size.max(1),
        bytes: Vec::new(),
        edges: Vec::new(),
        group: None,
    };
    let symbol = Symbol {
        place: Place::Section { index: 0, offset: 0 },
        kind: Some(SymbolKind::Data),
        size,
        ..Symbol::undefined(name.clone())
    };
    LinkGraph::of_section(name.to_string().into(), section, vec![symbol])
}
