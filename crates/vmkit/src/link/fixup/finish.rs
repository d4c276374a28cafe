//! What else has to know of code that is linked: the system's unwinder, constructors, who looks functions
//! up by address.

use std::ops::Range;

use super::super::Linker;
use super::super::bind::Bound;
use super::super::loaded::Code;
use super::super::place::{Placed, Spot};
use crate::allocation::{Allocation, AllocationId};
use crate::error::Result;
use crate::graph::{LinkGraph, SectionKind};
use crate::host;
use crate::metadata::Span;
use crate::symbol::{Addr, SymbolId};

impl Linker {
    /// Has code that was written run, and everybody know of it.
    pub(super) fn make_known(
        &self,
        unit: SymbolId,
        own: &mut Allocation,
        bound: &Bound<'_>,
        placed: &Placed,
    ) -> Result<()> {
        for block in &placed.blocks {
            self.memory.sync(block.addr, block.bytes().len() as u64)?;
        }
        // What other cores may have fetched of what was here before, they must forget.
        if placed.blocks.iter().any(|block| block.is_used) {
            host::sync_cores();
        }
        self.check_unwind(bound.graph, placed)?;
        self.announce(own, bound.graph, placed);
        self.tell(unit, bound, placed);
        self.note_functions(own, bound, placed);
        Ok(())
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
            self.checked.check(&graph.name, Span { address: spot.addr.0, bytes }, is_own)?;
        }
        Ok(())
    }

    /// Lets the unwinder and the session know of what is linked now.
    fn announce(&self, own: &mut Allocation, graph: &LinkGraph, placed: &Placed) {
        for (section, spot) in graph.sections.iter().zip(&placed.spots) {
            let Some(spot) = spot else { continue };
            // The words of an array, as fixed up.
            let words = || {
                let bytes = &placed.blocks[spot.block].bytes()[spot.offset as usize..];
                let words = bytes[..section.size as usize].chunks_exact(8);
                words.map(|word| Addr(u64::from_le_bytes(word.try_into().expect("8 bytes"))))
            };
            match section.kind {
                SectionKind::Unwind => {
                    self.unwind.register(spot.addr, own.id == AllocationId::PERMANENT);
                    own.unwind.push(spot.addr);
                }
                SectionKind::Init(priority) => {
                    let words = words().map(|function| (priority, function));
                    self.structors.lock().constructors.extend(words);
                }
                SectionKind::Fini(priority) => {
                    let words = words().map(|function| (priority, function));
                    self.structors.lock().destructors.extend(words);
                }
                _ => {}
            }
        }
    }

    /// Notes where functions are.
    fn note_functions(&self, own: &mut Allocation, bound: &Bound<'_>, placed: &Placed) {
        let mut loaded = self.loaded.lock();
        for defined in &bound.symbols.defined {
            let is_code = bound.graph.sections[defined.section].kind == SectionKind::Code;
            if let Some(spot) = placed.spots[defined.section].filter(|_| is_code) {
                let start = spot.addr.offset(defined.offset.cast_signed());
                let Some(offset) = self.offset_in_code(start) else { continue };
                // Zones are smaller than 4 GiB; who says that a function is larger says nothing.
                let size = u32::try_from(defined.size).unwrap_or(u32::MAX);
                let symbol = defined.id.index();
                loaded.insert(Code { start: offset as u32, size, symbol });
                own.functions.push(start.0);
            }
        }
    }
}
