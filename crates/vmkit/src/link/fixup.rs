//! Edges become bytes.

use std::ops::Range;

use super::bind::{Bound, Target, Value};
use super::place::{Placed, Spot};
use super::{Function, Linker};
use crate::allocation::AllocationId;
use crate::error::{Error, Kind, Result};
use crate::graph::{Edge, LinkGraph, SectionKind};
use crate::host;
use crate::memory::{Extent, Zone};
use crate::metadata::{Span, check_records};
use crate::patch;
use crate::stats::Counters;
use crate::symbol::{Addr, Name, SymbolId};
use crate::table::{Site, State};
use crate::target::{self, Formula, Row, native};
use crate::unwind;

/// A graph being fixed up.
struct Fixer<'a> {
    linker: &'a Linker,
    allocation: AllocationId,
    bound: &'a Bound<'a>,
    placed: Placed,
    /// Whose lists its sites are in.
    callees: Vec<SymbolId>,
    /// Words of its own.
    words: Vec<Extent>,
    /// Is it data, or code that is never taken back, of which nothing else is noted?
    has_data: bool,
    /// Slots of the graph's own symbols, by symbol.
    slots: Vec<(usize, Addr)>,
    thunks_used: u64,
}

impl Linker {
    /// Writes what every edge asks for, and gives the symbols that the graph defines, with their
    /// addresses, to be published.
    pub(super) fn fix_up(
        &self,
        unit: SymbolId,
        allocation: AllocationId,
        bound: &Bound<'_>,
        placed: Placed,
    ) -> Result<Vec<(SymbolId, u64)>> {
        let mut fixer = Fixer {
            linker: self,
            allocation,
            bound,
            placed,
            callees: Vec::new(),
            words: Vec::new(),
            has_data: allocation == AllocationId::PERMANENT || self.is_data(unit),
            slots: Vec::new(),
            thunks_used: 0,
        };
        let result = fixer.edges();
        let Fixer { placed, callees, words, .. } = fixer;
        self.allocations.update(allocation, |known| {
            known.callees.extend(callees);
            known.extents.extend(words);
        });
        result?;
        for block in &placed.blocks {
            self.memory.sync(block.addr, block.bytes().len() as u64)?;
        }
        // What other cores may have fetched of what was here before, they must forget.
        if placed.blocks.iter().any(|block| block.is_used) {
            host::sync_cores();
        }
        self.check_unwind(bound.graph, &placed)?;
        self.announce(allocation, bound.graph, &placed);
        self.tell(unit, bound, &placed);
        let defined = bound.symbols.defined.iter();
        let finished = defined
            .map(|defined| (defined.id, placed.address(defined.section, defined.offset)))
            .collect();
        self.note_functions(allocation, bound, &placed);
        Ok(finished)
    }

    /// The system's unwinder trusts what it is given, whatever is thrown: damage must not get there.
    fn check_unwind(&self, graph: &LinkGraph, placed: &Placed) -> Result<()> {
        let sections = || graph.sections.iter().zip(&placed.spots);
        let is_own = |code: Range<u64>| {
            sections().filter(|(section, _)| section.kind == SectionKind::Code).any(
                |(section, spot)| {
                    spot.is_some_and(|Spot { addr, .. }| {
                        addr.0 <= code.start && code.end <= addr.0 + section.size
                    })
                },
            )
        };
        for (section, spot) in sections().filter(|(section, _)| section.kind == SectionKind::Unwind)
        {
            let Some(spot) = spot else { continue };
            let bytes = &placed.blocks[spot.block].bytes()[spot.offset as usize..];
            let bytes = &bytes[..section.size as usize];
            check_records(&graph.name, Span { address: spot.addr.0, bytes }, is_own)?;
        }
        Ok(())
    }

    /// Lets the unwinder and the session know of what is linked now.
    fn announce(&self, allocation: AllocationId, graph: &LinkGraph, placed: &Placed) {
        for (section, spot) in graph.sections.iter().zip(&placed.spots) {
            let Some(spot) = spot else { continue };
            // The words of an array, as fixed up.
            let words = || {
                let bytes = &placed.blocks[spot.block].bytes()[spot.offset as usize..];
                let words = bytes[..section.size as usize].chunks_exact(8);
                words.map(|word| Addr(u64::from_le_bytes(word.try_into().expect("8 bytes"))))
            };
            let mut structors = self.structors.lock();
            match section.kind {
                SectionKind::Unwind => {
                    unwind::register(spot.addr);
                    self.allocations.update(allocation, |known| known.unwind.push(spot.addr));
                }
                SectionKind::Init(priority) => {
                    structors.constructors.extend(words().map(|function| (priority, function)));
                }
                SectionKind::Fini(priority) => {
                    structors.destructors.extend(words().map(|function| (priority, function)));
                }
                _ => {}
            }
        }
    }

    fn note_functions(&self, allocation: AllocationId, bound: &Bound<'_>, placed: &Placed) {
        let mut loaded = self.loaded.lock();
        for defined in &bound.symbols.defined {
            let is_code = bound.graph.sections[defined.section].kind == SectionKind::Code;
            if let Some(spot) = placed.spots[defined.section].filter(|_| is_code) {
                let start = spot.addr.offset(defined.offset.cast_signed());
                let function = Function { start, size: defined.size, symbol: defined.id };
                loaded.insert(start.0, function);
                self.allocations.update(allocation, |known| known.functions.push(start.0));
            }
        }
    }
}

impl Fixer<'_> {
    fn edges(&mut self) -> Result<()> {
        for (index, section) in self.bound.graph.sections.iter().enumerate() {
            if let Some(spot) = self.placed.spots[index] {
                for edge in &section.edges {
                    self.edge(section.kind, spot, *edge)?;
                }
            }
        }
        Ok(())
    }

    /// Words of the graph's own.
    fn words<const N: usize>(&mut self, values: [u64; N]) -> Result<Addr> {
        let addr = self.linker.words(values)?;
        self.words.push(Extent { zone: Zone::Slots, addr, size: 8 * N as u64 });
        Ok(addr)
    }

    fn edge(&mut self, kind: SectionKind, spot: Spot, edge: Edge) -> Result<()> {
        let row = native::edge(edge.kind.0).expect("every edge's kind was looked up when bound");
        let target = self.bound.symbols.targets[edge.target];
        // Records about code that was left out: zero, which readers take for nothing.
        let is_dead = target == Target::Dead && kind == SectionKind::Unwind;
        if row.formula == Formula::None || is_dead {
            return self.write(spot, edge, row, 0);
        }
        if row.formula == Formula::Call {
            return self.call(spot, edge, row);
        }
        if row.formula == Formula::SlotLoad && self.relax(spot, edge, row)? {
            return Ok(());
        }
        if let Some(data) = self.bound.values[edge.target].data
            && (row.formula, row.size) == (Formula::Absolute, 8)
            && self.has_data
            && self.linker.note_pointer(self.place(spot, edge), self.allocation, data)
        {
            self.callees.push(data);
        }
        let mut value = self.value(spot, edge, row.formula)?;
        if value < row.low || value > row.high {
            value += self.way_to_stub(edge.target)?;
        }
        self.write(spot, edge, row, value)
    }

    /// From a library's function to our stub of it: code that was compiled for a fixed address
    /// takes a near address for the function's, as an executable's linker gives it.
    fn way_to_stub(&self, target: usize) -> Result<i128> {
        let Target::Symbol { id, .. } = self.bound.symbols.targets[target] else { return Ok(0) };
        let address = self.address(target)?;
        if !self.linker.libraries.is_function(Addr(address)) {
            return Ok(0);
        }
        Ok(i128::from(self.linker.stub_address(id)?.0) - i128::from(address))
    }

    fn place(&self, spot: Spot, edge: Edge) -> Addr {
        spot.addr.offset(edge.offset.cast_signed())
    }

    fn value(&mut self, spot: Spot, edge: Edge, formula: Formula) -> Result<i128> {
        let linker = self.linker;
        let base = i128::from(linker.memory.start(Zone::Slots).0);
        let place = i128::from(self.place(spot, edge).0);
        let addend = i128::from(edge.addend);
        let address = i128::from(self.address(edge.target)?);
        Ok(match formula {
            Formula::Absolute => address + addend,
            Formula::Relative | Formula::Call => address + addend - place,
            Formula::Slot | Formula::SlotLoad => self.slot(edge.target)? + addend - place,
            Formula::SlotOffset => self.slot(edge.target)? + addend - base,
            Formula::FromSlots => address + addend - base,
            Formula::SlotsBase => base + addend - place,
            Formula::ThreadPair => self.pair(edge.target)? + addend - place,
            Formula::ThreadModule => {
                let pair = self.words([self.placed.thread_module, 0])?;
                i128::from(pair.0) + addend - place
            }
            Formula::ThreadOffset => self.thread_offset(edge.target)? + addend,
            Formula::Size => i128::from(self.bound.graph.symbols[edge.target].size) + addend,
            Formula::StaticThreadOffset => {
                let what = format!(
                    "{} is accessed in the {} model; only the dynamic models work here (compile with -fPIC)",
                    self.name(edge.target),
                    "static thread-local"
                );
                return Err(Error::input(self.bound.graph.name.clone(), what));
            }
            Formula::None => 0,
        })
    }

    /// The address of a graph's symbol as data sees it.
    fn address(&self, target: usize) -> Result<u64> {
        match self.bound.symbols.targets[target] {
            Target::Section { index, offset } => Ok(self.placed.address(index, offset)),
            Target::Fixed(value) => Ok(value),
            Target::Symbol { .. } => Ok(self.bound.values[target].address),
            Target::Dead => Ok(0),
        }
    }

    fn slot(&mut self, target: usize) -> Result<i128> {
        let address = self.address(target)?;
        if let Target::Symbol { id, .. } = self.bound.symbols.targets[target] {
            return Ok(i128::from(self.linker.slot(id, address)?.0));
        }
        if let Some((_, slot)) = self.slots.iter().find(|(symbol, _)| *symbol == target) {
            return Ok(i128::from(slot.0));
        }
        let slot = self.words([address])?;
        self.slots.push((target, slot));
        Ok(i128::from(slot.0))
    }

    fn pair(&mut self, target: usize) -> Result<i128> {
        match self.bound.symbols.targets[target] {
            Target::Symbol { .. } => Ok(i128::from(self.bound.values[target].pair.0)),
            _ => {
                let offset = self.thread_offset(target)? as u64;
                let pair = self.words([self.placed.thread_module, offset])?;
                Ok(i128::from(pair.0))
            }
        }
    }

    fn thread_offset(&self, target: usize) -> Result<i128> {
        let own = match self.bound.symbols.targets[target] {
            Target::Section { index, offset } => Some((index, offset)),
            Target::Symbol { id, .. } => {
                let mut defined = self.bound.symbols.defined.iter();
                defined.find(|d| d.id == id).map(|d| (d.section, d.offset))
            }
            _ => None,
        };
        own.and_then(|(index, offset)| {
            let spot = self.placed.spots[index]?;
            Some(i128::from(spot.thread_offset) + i128::from(offset))
        })
        .ok_or_else(|| {
            let what = format!("{} is taken for a local thread-local variable", self.name(target));
            Error::input(self.bound.graph.name.clone(), what)
        })
    }

    /// Makes a load from a slot a plain address, where that reaches.
    fn relax(&mut self, spot: Spot, edge: Edge, row: &Row) -> Result<bool> {
        let address = self.address(edge.target)?;
        let place = self.place(spot, edge);
        let linker = self.linker;
        if !linker.memory.contains(Addr(address)) || !linker.memory.reaches(place, Addr(address)) {
            return Ok(false);
        }
        let block = &mut self.placed.blocks[spot.block];
        let code = &mut block.bytes_mut()[spot.offset as usize..];
        let Some(relaxed) = native::relax(code, edge.offset) else {
            return Ok(false);
        };
        let offset = edge.offset.wrapping_add_signed(relaxed.shift);
        let edge = Edge { offset, ..edge };
        let value = self.value(spot, edge, relaxed.formula)?;
        self.write(spot, edge, row, value)?;
        Ok(true)
    }

    /// A call: straight to the code if that is there and in reach, else to the stub; noted so that
    /// it is bound when the code comes.
    fn call(&mut self, spot: Spot, edge: Edge, row: &Row) -> Result<()> {
        let Value { call, late, .. } = self.bound.values[edge.target];
        let Some(callee) = late else {
            let to = if matches!(self.bound.symbols.targets[edge.target], Target::Symbol { .. }) {
                call
            } else {
                self.address(edge.target)?
            };
            return self.call_to(spot, edge, row, to);
        };
        self.call_to(spot, edge, row, call)?;
        // Only a plain call or jump to the function's start can be bound.
        if edge.addend == -4 && spot_is_code(&self.placed, spot) {
            self.note_site(spot, edge, callee, Addr(call));
        }
        Ok(())
    }

    fn call_to(&mut self, spot: Spot, edge: Edge, row: &Row, to: u64) -> Result<()> {
        let place = self.place(spot, edge);
        let mut to = to;
        if !self.linker.memory.reaches(place, Addr(to)) && spot_is_code(&self.placed, spot) {
            to = self.thunk(to)?;
        }
        let value = i128::from(to) + i128::from(edge.addend) - i128::from(place.0);
        self.write(spot, edge, row, value)
    }

    /// A jump to an address out of reach, beside the code.
    fn thunk(&mut self, to: u64) -> Result<u64> {
        if self.linker.memory.is_all_near() {
            // Nothing in the range is out of reach, so `to` is outside: through a slotted stub.
            return Ok(to);
        }
        let spot = self.placed.thunks.expect("code has room for thunks");
        let offset = self.thunks_used * native::THUNK_SIZE;
        self.thunks_used += 1;
        let start = (spot.offset + offset) as usize;
        let bytes = self.placed.blocks[spot.block].bytes_mut();
        let end = start + native::THUNK_SIZE as usize;
        bytes[start..end].copy_from_slice(&native::thunk(to));
        Ok(spot.addr.0 + offset)
    }

    fn note_site(&mut self, spot: Spot, edge: Edge, callee: SymbolId, stub: Addr) {
        let memory = &self.linker.memory;
        let place = self.place(spot, edge);
        let offset = place.0 - memory.start(Zone::Code).0;
        let site = Site { place: offset as u32, owner: self.allocation };
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
        self.callees.push(callee);
        // Under the callee's lock: whoever publishes it binds this site, or we do, now.
        if is_ready && self.linker.bind_site(&inner, site, address) {
            Counters::add(&self.linker.counters.sites_bound, 1);
        }
    }

    fn write(&mut self, spot: Spot, edge: Edge, row: &Row, value: i128) -> Result<()> {
        let graph = self.bound.graph;
        // A 32-bit field also takes addresses that were computed modulo 2⁶⁴.
        let value = if row.size == 8 { i128::from(value as i64) } else { value };
        if value < row.low || value > row.high {
            return Err(Kind::OutOfRange {
                kind: row.name,
                graph: graph.name.clone(),
                place: self.place(spot, edge).0,
                name: self.name(edge.target),
                value,
                low: row.low,
                high: row.high,
            }
            .into());
        }
        let block = self.placed.blocks[spot.block].bytes_mut();
        let offset = spot.offset.checked_add(edge.offset);
        offset.and_then(|offset| target::write(block, offset, row.size, value)).ok_or_else(|| {
            let what = format!("relocation at {:#x}, outside its section", edge.offset);
            Error::input(graph.name.clone(), what)
        })
    }

    fn name(&self, target: usize) -> Name {
        self.bound.graph.symbols[target].name.clone()
    }
}

fn spot_is_code(placed: &Placed, spot: Spot) -> bool {
    placed.thunks.is_some_and(|thunks| thunks.block == spot.block)
}
