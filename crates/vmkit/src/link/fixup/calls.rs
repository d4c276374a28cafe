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
use crate::table::{Entry, Inner, State};
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
        // Only a plain call or jump to the function's start can be bound.
        let is_plain = edge.addend == native::CALL_ADDEND && row.field == native::CALL_FIELD;
        let place = (is_plain && self.is_code(part)).then(|| part.place(edge));
        let entry = self.linker.table.entry(callee);
        // Whoever publishes the callee or redefines it finds this call written as it is noted.
        let mut inner = entry.lock();
        let to = self.destination(place, callee, entry, &mut inner)?;
        self.call_to(part, edge, row, to.0)
    }

    /// Where a call goes now, which is noted if the place is one that can be bound.
    fn destination(
        &mut self,
        place: Option<Addr>,
        callee: SymbolId,
        entry: &Entry,
        inner: &mut Inner,
    ) -> Result<Addr> {
        let linker = self.linker;
        let code = (entry.state() == State::Ready).then(|| Addr(entry.address()));
        if let Some(place) = place {
            Counters::add(&linker.counters.sites, 1);
            let site = linker.site(place, self.own.id);
            // What could not be sent back to the stub stays there, and so does what calls a library's
            // function.
            let is_near = code.is_none_or(|code| linker.memory.contains(code));
            if is_near && patch::can_bind(&linker.memory, site, linker.memory.start(Zone::Stubs)) {
                inner.add_site(site);
                self.own.callees.push(callee);
                if let Some(code) = code.filter(|&code| linker.can_bind(inner, site, code)) {
                    linker.promise_stub(inner)?;
                    Counters::add(&linker.counters.sites_bound, 1);
                    return Ok(code);
                }
            }
        }
        Ok(linker.stubs.address(linker.stub(callee, entry, inner)?))
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
}
