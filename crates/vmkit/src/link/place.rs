//! Sections get their addresses.
#![expect(unsafe_code, reason = "names blocks of thread-local variables")]

use smallvec::{SmallVec, smallvec};

use super::Linker;
use super::bind::Symbols;
use crate::error::{Error, Result};
use crate::graph::{LinkGraph, Section, SectionKind};
use crate::memory::{Block, Zone};
use crate::symbol::{Addr, SymbolKind};
use crate::target::{Term, native};

/// Where the sections of a graph are.
pub(super) struct Placed {
    pub(super) blocks: SmallVec<[Block; 2]>,
    /// By section: block and offset in it.
    pub(super) spots: SmallVec<[Option<Spot>; 2]>,
    /// The block of code.
    pub(super) code: Option<usize>,
    /// Where thunks go, if there is anything that calls do not reach.
    pub(super) thunks: Option<Spot>,
    /// The module word of the graph's thread-local block, and its sections' offsets in it.
    pub(super) thread_module: u64,
    /// Where symbols of sections without bytes are: some address of the session's.
    pub(super) nowhere: Addr,
}

impl Placed {
    /// Where a place in a section is.
    pub(super) fn address(&self, section: usize, offset: u64) -> u64 {
        match self.spots[section] {
            Some(spot) => spot.addr.0.wrapping_add(offset),
            None => self.nowhere.0,
        }
    }

    /// So many bytes from a place on.
    pub(super) fn bytes_mut(&mut self, spot: Spot, size: u64) -> &mut [u8] {
        &mut self.blocks[spot.block].bytes_mut()[spot.offset as usize..][..size as usize]
    }
}

/// A place in one of a graph's blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) block: usize,
    pub(super) offset: u64,
    pub(super) addr: Addr,
    /// Offset in the thread-local block, for a thread-local section.
    pub(super) thread_offset: u64,
}

/// Where the room for a part comes from.
enum Room<'a> {
    Piece(&'a mut Block),
    /// Within reach: whoever compiled what is linked as a whole took that for granted.
    Near,
    Any,
}

/// Where what is placed together goes, in this order.
const PARTS: [Zone; 5] = [Zone::Code, Zone::ReadOnly, Zone::ReadOnly, Zone::ReadOnly, Zone::Data];

/// The number in [`PARTS`] of what a section is placed with, if it takes room.
fn part(section: &Section) -> Option<usize> {
    let part = match section.kind {
        SectionKind::Code => 0,
        SectionKind::ReadOnly => 1,
        SectionKind::Unwind => 2,
        SectionKind::ThreadLocal => 3,
        SectionKind::Data | SectionKind::Init(_) | SectionKind::Fini(_) => 4,
        SectionKind::StackMaps | SectionKind::Unloaded => return None,
    };
    (section.size > 0).then_some(part)
}
/// Bytes of zero after unwind records: the end for whoever reads them.
const UNWIND_END: u64 = 4;
/// No section has so many bytes, or is aligned so: that is the address space of a process.
const MOST: u64 = 1 << 47;

impl Linker {
    /// Gives every loaded section an address, copies the bytes there, and notes where the symbols
    /// that the graph defines are.
    /// Unless it `is_final`, the addresses are noted by whoever publishes them: there may be another
    /// definition then.
    pub(super) fn place(
        &self,
        graph: &LinkGraph,
        symbols: &Symbols,
        is_final: bool,
    ) -> Result<Placed> {
        if let Some(section) = graph.sections.iter().find(|it| it.size.max(it.align) >= MOST) {
            let Section { name, size, align, .. } = section;
            let what =
                format!("{name} has {size} bytes, aligned to {align}: there is no such memory");
            return Err(Error::other(what));
        }
        let mut placed = Placed {
            blocks: SmallVec::new(),
            spots: smallvec![None; graph.sections.len()],
            code: None,
            thunks: None,
            thread_module: 0,
            nowhere: self.memory.start(Zone::Data),
        };
        for (index, mut block) in self.set_places(graph, symbols)? {
            let zone = match graph.sections[index].kind {
                SectionKind::Code => Zone::Code,
                _ => Zone::Data,
            };
            let room = Room::Piece(&mut block);
            self.place_part(graph, zone, |at, _| at == index, room, &mut placed)?;
        }
        let sections = graph.sections.iter().zip(&placed.spots);
        let others = sections.filter(|(_, spot)| spot.is_none());
        let present =
            others.filter_map(|(section, _)| part(section)).fold(0, |all, part| all | 1 << part);
        for (number, zone) in PARTS.into_iter().enumerate() {
            if present & 1 << number != 0 {
                let room = match zone {
                    Zone::Code => Room::Any,
                    _ if is_final => Room::Near,
                    _ => Room::Any,
                };
                let is_in = |_, section: &Section| part(section) == Some(number);
                self.place_part(graph, zone, is_in, room, &mut placed)?;
            }
        }
        self.note_places(symbols, &placed, is_final)?;
        Ok(placed)
    }

    /// Places those of the sections that have no place yet and `is_in` is true of.
    fn place_part(
        &self,
        graph: &LinkGraph,
        zone: Zone,
        is_in: impl Fn(usize, &Section) -> bool,
        room: Room<'_>,
        placed: &mut Placed,
    ) -> Result<()> {
        let (mut size, mut align) = (0u64, 1);
        // The part's sections, and where each is in it.
        let mut sections = SmallVec::<[(usize, u64); 4]>::new();
        let mut sites = SmallVec::<[u64; 8]>::new();
        for (index, section) in graph.sections.iter().enumerate() {
            if placed.spots[index].is_some() || !is_in(index, section) {
                continue;
            }
            let least = if section.kind == SectionKind::Code { 16 } else { 1 };
            let section_align = section.align.max(least);
            size = size.next_multiple_of(section_align);
            sections.push((index, size));
            if zone == Zone::Code {
                calls(section, |offset| sites.push(size + offset));
            }
            size += section.size;
            if section.kind == SectionKind::Unwind {
                size += UNWIND_END;
            }
            align = align.max(section_align);
        }
        let unbindable =
            |base: u64| sites.iter().filter(|&&at| !native::is_patchable(base + at)).count();
        let thunks = size.next_multiple_of(8);
        let with_thunks = thunks + native::THUNK_SIZE * sites.len() as u64;
        let is_far = |end: Addr| !sites.is_empty() && !self.memory.reaches_calls(end);
        // Mostly nothing is.
        let is_piece = matches!(room, Room::Piece(_));
        let is_any_far = !is_piece && is_far(self.memory.start(Zone::ReadOnly));
        let mut has_thunks = is_any_far && is_far(self.memory.top(zone).offset(size.cast_signed()));
        let mut block = match room {
            Room::Piece(piece) => piece.split(size, align),
            Room::Near => self.memory.allocate_near(zone, size, align)?,
            Room::Any if has_thunks => {
                self.memory.allocate_where(zone, with_thunks, align, unbindable)?
            }
            Room::Any => self.memory.allocate_where(zone, size, align, unbindable)?,
        };
        // Others may have taken what was left within reach.
        if is_any_far && !has_thunks && is_far(block.addr.offset(size.cast_signed())) {
            has_thunks = true;
            self.memory.take_back(block)?;
            block = self.memory.allocate_where(zone, with_thunks, align, unbindable)?;
        }
        let number = placed.blocks.len();
        for &(index, offset) in &sections {
            let section = &graph.sections[index];
            let start = offset as usize;
            let bytes = &mut block.bytes_mut()[start..start + section.bytes.len()];
            bytes.copy_from_slice(&section.bytes);
            let addr = block.addr.offset(offset.cast_signed());
            placed.spots[index] = Some(Spot { block: number, offset, addr, thread_offset: offset });
        }
        if zone == Zone::Code {
            let addr = block.addr.offset(thunks.cast_signed());
            let spot = Spot { block: number, offset: thunks, addr, thread_offset: 0 };
            (placed.code, placed.thunks) = (Some(number), has_thunks.then_some(spot));
        }
        if graph.sections[sections[0].0].kind == SectionKind::ThreadLocal {
            placed.thread_module = self.threads.declare(block.addr, size, align)?;
        }
        placed.blocks.push(block);
        Ok(())
    }

    /// Tells the table what is known of defined symbols, so that units in a circle find one another's.
    fn note_places(&self, symbols: &Symbols, placed: &Placed, is_final: bool) -> Result<()> {
        for defined in &symbols.defined {
            let entry = self.table.entry(defined.id);
            if is_final {
                entry.place(placed.address(defined.section, defined.offset));
            }
            let mut inner = entry.lock();
            inner.size = defined.size;
            let Some(spot) = placed.spots[defined.section] else { continue };
            if inner.kind == Some(SymbolKind::ThreadLocal) && inner.pair().is_none() {
                let offset = spot.thread_offset.wrapping_add(defined.offset);
                let pair = self.words([placed.thread_module, offset])?;
                inner.set_pair((pair.0 - self.memory.start(Zone::Slots).0) as u32);
                if self.is_seen(defined.id, inner.visibility) {
                    let name = self.table.name(defined.id);
                    // SAFETY: the block was declared when its sections were placed.
                    unsafe { self.threads.name(placed.thread_module, name, offset) };
                }
            }
        }
        Ok(())
    }
}

/// Gives the offsets of displacements of calls in a section.
fn calls(section: &Section, mut give: impl FnMut(u64)) {
    for edge in &section.edges {
        if native::ISA.edge(edge.kind.0).is_some_and(|row| row.term == Term::Call) {
            give(edge.offset);
        }
    }
}
