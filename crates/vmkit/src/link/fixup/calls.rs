//! Calls in code that is being linked: straight to where they go, to a stub, or over a thunk.

use super::super::bind::{Target, Value};
use super::super::place::Spot;
use super::{Fixer, Part};
use crate::error::Result;
use crate::graph::Edge;
use crate::memory::Zone;
use crate::patch;
use crate::stats::Counters;
use crate::symbol::{Addr, SymbolId};
use crate::table::{Site, State};
use crate::target::{Row, native};

impl Fixer<'_> {
    /// A call: straight to the code if that is there and in reach, else to the stub; noted so that
    /// it is bound when the code comes.
    pub(super) fn call(&mut self, part: Part, edge: Edge, row: &Row) -> Result<()> {
        let Value { call, late, .. } = self.bound.values[edge.target];
        let Some(callee) = late else {
            let to = if matches!(self.bound.symbols.targets[edge.target], Target::Symbol { .. }) {
                call
            } else {
                self.address(edge.target)?
            };
            return self.call_to(part, edge, row, to);
        };
        self.call_to(part, edge, row, call)?;
        // Only a plain call or jump to the function's start can be bound.
        let is_plain = edge.addend == native::CALL_ADDEND && row.field == native::CALL_FIELD;
        if is_plain && self.is_code(part) {
            self.note_site(part.place(edge), callee, Addr(call));
        }
        Ok(())
    }

    fn call_to(&mut self, part: Part, edge: Edge, row: &Row, to: u64) -> Result<()> {
        let place = part.place(edge);
        let mut to = to;
        if !self.linker.memory.reaches(place, Addr(to)) && self.is_code(part) {
            // From the symbol to where in it the call goes.
            let within = edge.addend.wrapping_sub(native::CALL_ADDEND);
            to = self.thunk(to.wrapping_add_signed(within)).wrapping_sub_signed(within);
        }
        let sum = i128::from(to) + i128::from(edge.addend);
        self.write(part, edge, row, row.base.value(sum, place.0, 0))
    }

    fn is_code(&self, part: Part) -> bool {
        self.placed.code == Some(part.spot.block)
    }

    /// A jump to an address out of reach, beside the code.
    fn thunk(&mut self, to: u64) -> u64 {
        // Without room for it, nothing that the session placed is out of reach.
        let Some(spot) = self.placed.thunks else { return to };
        let offset = self.thunks_used * native::THUNK_SIZE;
        self.thunks_used += 1;
        let at = Spot { offset: spot.offset + offset, ..spot };
        self.placed.bytes_mut(at, native::THUNK_SIZE).copy_from_slice(&native::thunk(to));
        spot.addr.0 + offset
    }

    fn note_site(&mut self, place: Addr, callee: SymbolId, stub: Addr) {
        let memory = &self.linker.memory;
        let offset = place.0 - memory.start(Zone::Code).0;
        let site = Site { place: offset as u32, owner: self.own.id };
        Counters::add(&self.linker.counters.sites, 1);
        // What could not be sent back to the stub stays there.
        if !patch::can_bind(memory, site, stub) {
            return;
        }
        let entry = self.linker.table.entry(callee);
        let mut inner = entry.lock();
        let (is_ready, address) = (entry.state() == State::Ready, Addr(entry.address()));
        if is_ready && !memory.contains(address) {
            return; // a library's function: for ever through its stub
        }
        inner.add_site(site);
        self.own.callees.push(callee);
        // Under the callee's lock: whoever publishes it binds this site, or we do, now.
        if is_ready && self.linker.bind_site(&inner, site, address) {
            Counters::add(&self.linker.counters.sites_bound, 1);
        }
    }
}
