//! Units that are linked as a whole: code whose own addresses matter.

use std::cell::RefCell;

use super::bind::Bound;
use super::{Finished, Linker};
use crate::allocation::{Allocation, AllocationId};
use crate::error::Result;
use crate::stats::Counters;
use crate::symbol::{ScopeId, SymbolId};
use parking_lot::ReentrantMutex;

/// Units being linked as a whole, from the outermost inwards, and the data they need.
#[derive(Default)]
struct Links {
    depth: usize,
    /// What has an address, and may not be used by others yet.
    placed: Vec<SymbolId>,
    /// What of it is fixed up.
    finished: Vec<(SymbolId, u64)>,
}

/// Orders units that are linked as a whole, which may need one another's addresses.
#[derive(Default)]
pub(super) struct Whole(ReentrantMutex<RefCell<Links>>);

impl Whole {
    /// Is this thread linking such a unit?
    pub(super) fn is_mine(&self) -> bool {
        self.0.is_owned_by_current_thread()
    }

    /// Waits for the thread that links one.
    pub(super) fn wait(&self) {
        drop(self.0.lock());
    }

    /// Notes what is about to get an address, in the thread that links a unit.
    fn note(&self, placed: impl IntoIterator<Item = SymbolId>) {
        self.0.lock().borrow_mut().placed.extend(placed);
    }

    /// As [`Whole::note`], if this is such a thread.
    pub(super) fn note_data(&self, placed: impl IntoIterator<Item = SymbolId>) {
        if self.is_mine() {
            self.note(placed);
        }
    }

    /// Leaves it to the unit to publish what it needs, if this thread is linking one; gives back
    /// what is to be published at once.
    pub(super) fn postpone(&self, finished: Vec<(SymbolId, u64)>) -> Vec<(SymbolId, u64)> {
        if !self.is_mine() {
            return finished;
        }
        self.0.lock().borrow_mut().finished.extend(finished);
        Vec::new()
    }
}

impl Linker {
    /// Links a unit that goes as a whole, and whatever units it needs the addresses of.
    pub(super) fn link_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        let whole = self.whole.0.lock();
        if self.table.entry(id).address() != 0 {
            return Ok(());
        }
        let (placed, finished) = {
            let mut links = whole.borrow_mut();
            links.depth += 1;
            (links.placed.len(), links.finished.len())
        };
        let result = self.place_whole(id, scope, key);
        let mut links = whole.borrow_mut();
        links.depth -= 1;
        match result {
            Ok(found) => links.finished.extend(found),
            Err(error) => {
                // Nobody may take it for linked: what comes next tries again, and fails again.
                links.finished.truncate(finished);
                let placed = links.placed.split_off(placed);
                placed.iter().for_each(|&id| self.table.entry(id).place(0));
                return Err(error);
            }
        }
        // Only the outermost knows that everything its code can reach is there.
        if links.depth == 0 {
            links.placed.clear();
            let finished = std::mem::take(&mut links.finished);
            drop(links);
            self.publish_all(&finished);
        }
        Ok(())
    }

    fn place_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<Finished> {
        let (graph, _) = self.produce(scope, key)?;
        // Addresses first, so that units in a circle find one another's.
        let symbols = self.bind(id, &graph)?;
        self.whole.note(symbols.defined.iter().map(|defined| defined.id));
        let placed = self.place(&graph, &symbols, true)?;
        let mut own = Allocation::new(AllocationId::PERMANENT, id);
        let values = self.require(id, &mut own, &symbols)?;
        let bound = Bound { graph: &graph, symbols: &symbols, values };
        let finished = self.fix_up(id, &mut own, &bound, placed)?;
        Counters::add(&self.counters.functions_compiled, graph.functions());
        Ok(finished)
    }
}
