//! Sections whose names are C identifiers: of all modules they are one piece, in the order of the
//! modules, between `__start_NAME` and `__stop_NAME`.

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use super::Linker;
use super::bind::Symbols;
use crate::error::Result;
use crate::graph::{LinkGraph, Section, SectionKind};
use crate::memory::{Block, Zone};
use crate::symbol::{Name, SymbolId};

/// What is in such sections.
#[derive(Default)]
pub(super) struct Sets {
    known: RwLock<Inner>,
    /// Of code, which is linked with the objects that bring it.
    rooms: Mutex<FxHashMap<Name, Room>>,
    /// Memory of data that is not placed yet, beside that of the others in its set.
    kept: Mutex<FxHashMap<SymbolId, Block>>,
}

#[derive(Default)]
struct Inner {
    members: FxHashMap<Name, Vec<SymbolId>>,
    of: FxHashMap<SymbolId, Name>,
    /// Size and alignment of data.
    extents: FxHashMap<SymbolId, (u64, u64)>,
}

/// Where the code of a set goes.
#[derive(Default)]
struct Room {
    /// Bytes of members that have no place yet.
    missing: u64,
    align: u64,
    /// What is left of the piece for them.
    piece: Option<Block>,
}

/// Code in a block begins at such addresses.
const CODE_ALIGN: u64 = 16;

impl Sets {
    pub(super) fn of(&self, id: SymbolId) -> Option<Name> {
        self.known.read().of.get(&id).cloned()
    }

    pub(super) fn members(&self, name: &Name) -> Option<Vec<SymbolId>> {
        self.known.read().members.get(name).cloned()
    }

    /// The data in a set of which `is_unplaced` is true, with sizes and alignments.
    fn unplaced(
        &self,
        name: &Name,
        is_unplaced: impl Fn(SymbolId) -> bool,
    ) -> Vec<(SymbolId, (u64, u64))> {
        let known = self.known.read();
        let members = known.members.get(name).into_iter().flatten();
        members
            .filter(|&&id| is_unplaced(id))
            .filter_map(|&id| Some((id, *known.extents.get(&id)?)))
            .collect()
    }
}

impl Linker {
    /// Makes data of such a size and alignment a member of the set of what is in sections called
    /// `section`.
    pub(crate) fn add_to_set(&self, section: Name, id: SymbolId, (size, align): (u64, u64)) {
        self.sets.known.write().extents.insert(id, (size, align));
        self.join_set(section, id);
    }

    fn join_set(&self, section: Name, id: SymbolId) {
        let mut sets = self.sets.known.write();
        if sets.of.insert(id, section.clone()).is_none() {
            sets.members.entry(section).or_default().push(id);
        }
    }

    /// As [`Linker::add_to_set`], of so many bytes of an object's code: with that of other objects it will
    /// be in one piece.
    pub(crate) fn add_code_to_set(&self, section: Name, id: SymbolId, size: u64, align: u64) {
        self.join_set(section.clone(), id);
        let mut rooms = self.sets.rooms.lock();
        let room = rooms.entry(section).or_default();
        room.align = room.align.max(align).max(CODE_ALIGN);
        room.missing += size.next_multiple_of(align.max(CODE_ALIGN));
    }

    /// The graph's sections that belong to sets, each with its place.
    pub(super) fn set_places(
        &self,
        graph: &LinkGraph,
        symbols: &Symbols,
    ) -> Result<Vec<(usize, Block)>> {
        let mut places = Vec::new();
        // Mostly there are none.
        if self.sets.known.read().of.is_empty() {
            return Ok(places);
        }
        for defined in &symbols.defined {
            let section = &graph.sections[defined.section];
            let Some(set) = self.sets.of(defined.id) else { continue };
            let is_whole = (defined.offset, defined.size) == (0, section.size);
            let block = match section.kind {
                SectionKind::Code if is_whole => {
                    self.set_place(&set, section.size, section.align)?
                }
                SectionKind::Data | SectionKind::ReadOnly if defined.offset == 0 => {
                    self.data_place(&set, defined.id, section)?
                }
                _ => None,
            };
            places.extend(block.map(|block| (defined.section, block)));
        }
        Ok(places)
    }

    /// Memory for a section of a set's data. What has none of the set gets its own with it, in one
    /// piece, in the order of the members: each is linked when it is needed.
    fn data_place(&self, set: &Name, id: SymbolId, section: &Section) -> Result<Option<Block>> {
        let mut kept = self.sets.kept.lock();
        if !kept.contains_key(&id) {
            let members = self.sets.unplaced(set, |id| self.table.entry(id).address() == 0);
            let (mut size, mut largest) = (0u64, 1);
            for &(_, (bytes, align)) in &members {
                size = size.next_multiple_of(align) + bytes;
                largest = largest.max(align);
            }
            let mut piece = self.memory.allocate(Zone::Data, size, largest)?;
            for (id, (bytes, align)) in members {
                kept.insert(id, piece.split(bytes, align));
            }
        }
        let block = kept.remove(&id);
        Ok(block.filter(|block| {
            block.bytes().len() as u64 >= section.size && block.addr.0 % section.align == 0
        }))
    }

    /// Memory for a section of a set's code, if there is a place for that.
    fn set_place(&self, set: &Name, size: u64, align: u64) -> Result<Option<Block>> {
        let align = align.max(CODE_ALIGN);
        let taken = size.next_multiple_of(align);
        let mut rooms = self.sets.rooms.lock();
        let Some(room) = rooms.get_mut(set) else { return Ok(None) };
        let left = room.piece.as_ref().map_or(0, |piece| piece.bytes().len() as u64);
        if left < taken + align {
            let size = room.missing.max(taken) + room.align;
            room.piece = Some(self.memory.allocate(Zone::Code, size, room.align)?);
        }
        room.missing = room.missing.saturating_sub(taken);
        Ok(room.piece.as_mut().map(|piece| piece.split(size, align)))
    }

    /// The value of `__start_NAME` or `__stop_NAME`, if there is such a set.
    pub(super) fn bound_of_set(&self, name: &Name, user: SymbolId) -> Result<Option<u64>> {
        let Some((is_start, set)) = set_name(name) else { return Ok(None) };
        let Some(members) = self.sets.members(&set) else { return Ok(None) };
        let mut bounds = (u64::MAX, 0);
        for id in members {
            let start = self.address(id, user)?;
            let size = self.table.entry(id).lock().size;
            bounds = (bounds.0.min(start), bounds.1.max(start + size));
        }
        Ok(Some(if is_start { bounds.0 } else { bounds.1 }))
    }

    /// Is this a bound of a set that has members?
    pub(super) fn is_bound_of_set(&self, name: &Name) -> bool {
        set_name(name).is_some_and(|(_, set)| self.sets.members(&set).is_some())
    }
}

/// The set that `__start_NAME` or `__stop_NAME` bounds, and whether it is its start.
fn set_name(name: &Name) -> Option<(bool, Name)> {
    let bytes = name.bytes();
    let start = bytes.strip_prefix(b"__start_").map(|set| (true, Name::new(set)));
    start.or_else(|| bytes.strip_prefix(b"__stop_").map(|set| (false, Name::new(set))))
}
