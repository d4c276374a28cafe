//! Listeners are told of what was linked.

use super::Linker;
use super::bind::{Bound, Target};
use super::place::Placed;
use crate::graph::Place;
use crate::listener::{Linked, Loaded, Resolved, Unlinked};
use crate::stub::StubId;
use crate::symbol::{Addr, SymbolId};
use crate::target::native;

impl Linker {
    /// Is there anybody to tell?
    pub(crate) fn has_listeners(&self) -> bool {
        !self.policy.listeners.is_empty()
    }

    /// Tells of a graph that is fixed up and not yet published.
    pub(super) fn tell(&self, unit: SymbolId, bound: &Bound<'_>, placed: &Placed) {
        if !self.has_listeners() {
            return;
        }
        let graph = bound.graph;
        let sections = graph.sections.iter().zip(&placed.spots).map(|(section, spot)| {
            spot.map(|spot| {
                let bytes = &placed.blocks[spot.block].bytes()[spot.offset as usize..];
                Loaded { address: spot.addr, bytes: &bytes[..section.size as usize] }
            })
        });
        let symbols = (0..graph.symbols.len()).map(|number| resolved(number, bound, placed));
        let event =
            Linked { unit, graph, sections: sections.collect(), symbols: symbols.collect() };
        for listener in &self.policy.listeners {
            listener.linked(&event);
        }
    }

    /// Tells of a new stub.
    pub(super) fn tell_stub(&self, symbol: SymbolId, stub: StubId) {
        for listener in &self.policy.listeners {
            let name = self.table.name(symbol);
            listener.stubbed(symbol, &name, self.stubs.address(stub), native::STUB_SIZE);
        }
    }

    /// Tells of code that is about to be freed.
    pub(super) fn tell_unlinked(&self, event: &Unlinked<'_>) {
        for listener in &self.policy.listeners {
            listener.unlinked(event);
        }
    }

    /// Tells, in the child, that the process was forked.
    pub(crate) fn tell_forked(&self) {
        for listener in &self.policy.listeners {
            listener.forked();
        }
    }
}

/// What the graph's symbol `number` is, by its own place rather than its stub if it has one.
fn resolved(number: usize, bound: &Bound<'_>, placed: &Placed) -> Resolved {
    let target = bound.symbols.targets[number];
    let known = match target {
        Target::Symbol { .. } => Some(bound.values[number].address).filter(|&value| value != 0),
        Target::Fixed(value) => Some(value),
        Target::Section { .. } | Target::Dead => None,
    };
    let own = match bound.graph.symbols[number].place {
        Place::Section { index, offset } => {
            placed.spots[index].map(|spot| spot.addr.0.wrapping_add(offset))
        }
        _ => None,
    };
    let symbol = match target {
        Target::Symbol { id, .. } => Some(id),
        _ => None,
    };
    Resolved { symbol, address: own.or(known).map(Addr) }
}
