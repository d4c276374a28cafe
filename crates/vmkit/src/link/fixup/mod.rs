//! Edges become bytes.
#![expect(unsafe_code, reason = "names linked blocks of thread-local variables")]

mod calls;
mod finish;

use super::bind::{Bound, Target};
use super::place::{Placed, Spot};
use super::{Finished, Linker};
use crate::allocation::{Allocation, AllocationId};
use crate::error::{Error, Result};
use crate::graph::{Edge, Section, SectionKind, fixup};
use crate::host;
use crate::memory::{Extent, Zone};
use crate::process;
use crate::symbol::{Addr, Name, SymbolId};
use crate::target::{Base, Isa, Row, Term};

/// A graph being fixed up.
struct Fixer<'a> {
    linker: &'a Linker,
    unit: SymbolId,
    /// What it makes comes to this.
    own: &'a mut Allocation,
    bound: &'a Bound<'a>,
    placed: Placed,
    /// Slots of the graph's own symbols, by symbol.
    slots: Vec<(usize, Addr)>,
    thunks_used: u64,
}

/// A section being fixed up.
#[derive(Clone, Copy)]
struct Part {
    kind: SectionKind,
    size: u64,
    spot: Spot,
}

impl Linker {
    /// Writes what every edge asks for, and gives the symbols that the graph defines, with their
    /// addresses, to be published. All that is made comes to the allocation, whatever comes of it.
    pub(super) fn fix_up(
        &self,
        unit: SymbolId,
        own: &mut Allocation,
        bound: &Bound<'_>,
        placed: Placed,
    ) -> Result<Finished> {
        let mut fixer =
            Fixer { linker: self, unit, own, bound, placed, slots: Vec::new(), thunks_used: 0 };
        fixer.edges()?;
        let Fixer { own, placed, .. } = fixer;
        self.make_known(unit, own, bound, &placed)?;
        let mut finished = Finished::new();
        for defined in &bound.symbols.defined {
            finished.push((defined.id, placed.address(defined.section, defined.offset)));
        }
        Ok(finished)
    }
}

impl Fixer<'_> {
    fn edges(&mut self) -> Result<()> {
        // Whoever takes these for fixed needs their initial bytes.
        let is_local = |section: &Section| section.kind == SectionKind::ThreadLocal;
        self.edges_of(is_local)?;
        self.edges_of(|section| !is_local(section))
    }

    fn edges_of(&mut self, is_wanted: impl Fn(&Section) -> bool) -> Result<()> {
        let graph = self.bound.graph;
        for (index, section) in graph.sections.iter().enumerate() {
            if !is_wanted(section) {
                continue;
            }
            let Some(spot) = self.placed.spots[index] else { continue };
            let part = Part { kind: section.kind, size: section.size, spot };
            let is_relaxable = fixup::is_relaxable(graph, section);
            let mut edges = section.edges.iter();
            while let Some(&edge) = edges.next() {
                let row = row(edge);
                if row.term != Term::SlotLoad || !is_relaxable {
                    self.edge(part, edge, row)?;
                    continue;
                }
                match self.relax(part, edge)? {
                    0 => self.edge(part, edge, row)?,
                    count => edges.by_ref().take(count - 1).for_each(drop),
                }
            }
        }
        Ok(())
    }

    /// Is it data, or code that is never taken back, of which nothing else is noted?
    fn has_data(&self) -> bool {
        self.own.id == AllocationId::PERMANENT || self.linker.is_data(self.unit)
    }

    /// Words of the graph's own.
    fn words<const N: usize>(&mut self, values: [u64; N]) -> Result<Addr> {
        let addr = self.linker.words(values)?;
        self.own.extents.push(Extent { zone: Zone::Slots, addr, size: 8 * N as u64 });
        Ok(addr)
    }

    fn edge(&mut self, part: Part, edge: Edge, row: &Row) -> Result<()> {
        let target = self.bound.symbols.targets[edge.target];
        // Records about code that was left out: zero, which readers take for nothing.
        let is_dead = target == Target::Dead && part.kind == SectionKind::Unwind;
        if row.term == Term::None || is_dead {
            return self.write(part, edge, row, 0);
        }
        if row.term == Term::Call {
            return self.call(part, edge, row);
        }
        if let Some(data) = self.bound.values[edge.target].data
            && (row.term, row.base, row.field.size) == (Term::Address, Base::Zero, 8)
            && self.has_data()
            && self.linker.note_pointer(part.place(edge), self.own.id, data)
        {
            self.own.callees.push(data);
        }
        let mut value = self.value(part, edge, row)?;
        if !row.fits(value) {
            value += self.way_to_stub(edge.target)?;
        }
        self.write(part, edge, row, value)
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

    fn value(&mut self, part: Part, edge: Edge, row: &Row) -> Result<i128> {
        let sum = self.term(row.term, edge.target)? + i128::from(edge.addend);
        Ok(row.base.value(sum, part.place(edge).0, self.linker.memory.start(Zone::Slots).0))
    }

    fn term(&mut self, term: Term, target: usize) -> Result<i128> {
        Ok(match term {
            Term::Address | Term::Call => self.address(target)?.into(),
            Term::Slot | Term::SlotLoad => self.slot(target)?.into(),
            Term::Slots => self.linker.memory.start(Zone::Slots).0.into(),
            Term::ThreadPair => self.pair(target)?.into(),
            Term::ThreadModule => self.words([self.placed.thread_module, 0])?.0.into(),
            Term::ThreadDescriptor => {
                let pair = self.pair(target)?;
                let find = process::tls_get_addr as *const () as u64;
                self.words([host::thread_descriptor_entry(), pair, find])?.0.into()
            }
            Term::ThreadOffset => self.thread_offset(target)?,
            Term::Size => self.bound.graph.symbols[target].size.into(),
            Term::StaticThreadOffset => self.distance(target)?.into(),
            Term::StaticThreadSlot => {
                self.words([self.distance(target)?.cast_unsigned()])?.0.into()
            }
            Term::None => 0,
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

    fn slot(&mut self, target: usize) -> Result<u64> {
        let address = self.address(target)?;
        if let Target::Symbol { id, .. } = self.bound.symbols.targets[target] {
            return Ok(self.linker.slot(id, address)?.0);
        }
        if let Some((_, slot)) = self.slots.iter().find(|(symbol, _)| *symbol == target) {
            return Ok(slot.0);
        }
        let slot = self.words([address])?;
        self.slots.push((target, slot));
        Ok(slot.0)
    }

    fn pair(&mut self, target: usize) -> Result<u64> {
        match self.bound.symbols.targets[target] {
            Target::Symbol { .. } => Ok(self.bound.values[target].pair.0),
            _ => {
                let offset = self.thread_offset(target)? as u64;
                Ok(self.words([self.placed.thread_module, offset])?.0)
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

    /// How far a thread-local variable is from the thread pointer.
    fn distance(&self, target: usize) -> Result<i64> {
        let (module, offset) = match self.bound.symbols.targets[target] {
            Target::Symbol { .. } => self.linker.read_pair(self.bound.values[target].pair).into(),
            _ => (self.placed.thread_module, self.thread_offset(target)? as u64),
        };
        // SAFETY: the module word of a pair, or of this graph's own block.
        let distance = unsafe { self.linker.threads.fix(module) };
        let distance = distance.map_err(|error| {
            let what = "is accessed in the static thread-local model";
            let what = format!("{} {what} (compile with -fPIC): {error}", self.name(target));
            Error::input(self.bound.graph.name.clone(), what)
        })?;
        Ok(distance.wrapping_add_unsigned(offset))
    }

    /// Makes a load from a slot a plain address, where that reaches. Tells how many edges that were,
    /// this one and those behind it.
    fn relax(&mut self, part: Part, edge: Edge) -> Result<usize> {
        let address = Addr(self.address(edge.target)?);
        let memory = &self.linker.memory;
        if !memory.contains(address) || !memory.reaches_data(part.place(edge), address) {
            return Ok(0);
        }
        let graph = self.bound.graph;
        let relaxed = fixup::relax(graph, self.placed.bytes_mut(part.spot, part.size), edge);
        let count = relaxed.len();
        for edge in relaxed {
            let row = row(edge);
            let value = self.value(part, edge, row)?;
            self.write(part, edge, row, value)?;
        }
        Ok(count)
    }

    fn write(&mut self, part: Part, edge: Edge, row: &Row, value: i128) -> Result<()> {
        let bytes = self.placed.bytes_mut(part.spot, part.size);
        fixup::write(self.bound.graph, bytes, (edge, part.place(edge).0), row, value)
    }

    fn name(&self, target: usize) -> Name {
        self.bound.graph.symbols[target].name.clone()
    }
}

impl Part {
    fn place(&self, edge: Edge) -> Addr {
        self.spot.addr.offset(edge.offset.cast_signed())
    }
}

fn row(edge: Edge) -> &'static Row {
    Isa::NATIVE.edge(edge.kind.0).expect("every edge's kind was looked up when bound")
}
