//! What else has to know of code that is linked: the system's unwinder, constructors, who looks functions
//! up by address.

use std::ops::Range;

use super::super::Linker;
use super::super::bind::Bound;
use super::super::place::{Placed, Spot};
use crate::allocation::AllocationId;
use crate::error::Result;
use crate::graph::{LinkGraph, SectionKind};
use crate::metadata::Span;
use crate::symbol::Addr;

impl Linker {
    /// The system's unwinder trusts what it is given, whatever is thrown: damage must not get there.
    pub(super) fn check_unwind(&self, graph: &LinkGraph, placed: &Placed) -> Result<()> {
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
    pub(super) fn announce(&self, allocation: AllocationId, graph: &LinkGraph, placed: &Placed) {
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
                    self.unwind.register(spot.addr, allocation == AllocationId::PERMANENT);
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

    pub(super) fn note_functions(
        &self,
        allocation: AllocationId,
        bound: &Bound<'_>,
        placed: &Placed,
    ) {
        let mut loaded = self.loaded.lock();
        for defined in &bound.symbols.defined {
            let is_code = bound.graph.sections[defined.section].kind == SectionKind::Code;
            if let Some(spot) = placed.spots[defined.section].filter(|_| is_code) {
                let start = spot.addr.offset(defined.offset.cast_signed());
                let Some(offset) = self.offset_in_code(start) else { continue };
                // Zones are smaller than 4 GiB; who says that a function is larger says nothing.
                let size = u32::try_from(defined.size).unwrap_or(u32::MAX);
                loaded.insert(offset as u32, (size, defined.id));
                self.allocations.update(allocation, |known| known.functions.push(start.0));
            }
        }
    }
}
