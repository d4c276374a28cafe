//! Units that are linked as a whole: code whose own addresses matter.

use std::cell::RefCell;

use parking_lot::ReentrantMutex;

use super::Linker;
use super::bind::Bound;
use crate::allocation::AllocationId;
use crate::error::Result;
use crate::stats::Counters;
use crate::symbol::{ScopeId, SymbolId};

/// Units being linked as a whole, from the outermost inwards.
#[derive(Default)]
struct Links {
    depth: usize,
    finished: Vec<(SymbolId, u64)>,
}

/// Orders units that are linked as a whole, which may need one another's addresses.
#[derive(Default)]
pub(super) struct Whole(ReentrantMutex<RefCell<Links>>);

impl Linker {
    /// Links a unit that goes as a whole, and whatever units it needs the addresses of.
    pub(super) fn link_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<()> {
        let whole = self.whole.0.lock();
        if self.table.entry(id).address() != 0 {
            return Ok(());
        }
        whole.borrow_mut().depth += 1;
        let result = self.place_whole(id, scope, key);
        let mut state = whole.borrow_mut();
        state.depth -= 1;
        match result {
            Ok(finished) => state.finished.extend(finished),
            Err(error) => return Err(error),
        }
        // Only the outermost knows that everything its code can reach is there.
        if state.depth == 0 {
            let finished = std::mem::take(&mut state.finished);
            drop(state);
            self.publish_all(&finished);
        }
        Ok(())
    }

    fn place_whole(&self, id: SymbolId, scope: ScopeId, key: u64) -> Result<Vec<(SymbolId, u64)>> {
        let graph = self.produce(scope, key)?;
        // Addresses first, so that units in a circle find one another's.
        let symbols = self.bind(id, &graph)?;
        let placed = self.place(&graph, &symbols, true, None)?;
        let values = self.require(id, AllocationId::PERMANENT, &symbols)?;
        let bound = Bound { graph: &graph, symbols: &symbols, values };
        let finished = self.fix_up(id, AllocationId::PERMANENT, &bound, placed)?;
        Counters::add(&self.counters.functions_compiled, graph.functions());
        Ok(finished)
    }
}
