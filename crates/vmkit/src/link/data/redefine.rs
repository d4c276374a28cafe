//! Data gets another definition: elsewhere, since the old one may be read meanwhile.

use super::Linker;
use crate::allocation::AllocationId;
use crate::definition::Definition;
use crate::error::Result;
use crate::memory::Zone;
use crate::patch;
use crate::symbol::{Addr, SymbolId};
use crate::table::{Event, State};

/// A place where data was before it was redefined.
pub(in crate::link) struct Former {
    /// What holds it.
    pub(in crate::link) data: AllocationId,
    /// The code that names it.
    pub(in crate::link) users: Vec<AllocationId>,
}

/// Data that has another definition now, and what it was before.
pub(in crate::link) struct Moved {
    id: SymbolId,
    definition: Option<Definition>,
    is_linked: bool,
    address: u64,
    size: u64,
    /// The number of what held it.
    allocation: u32,
}

impl Linker {
    /// Gives data another definition, linked if the old one is; nobody is sent there yet. The old one
    /// stays, for whoever holds a pointer, until [`Linker::retire_replaced`]. If the new one cannot be
    /// linked, everything stays as it was.
    pub(in crate::link) fn move_data(&self, id: SymbolId, definition: Definition) -> Result<Moved> {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let moved = Moved {
            id,
            definition: inner.definition.clone(),
            is_linked: entry.state() == State::Ready,
            address: entry.address(),
            size: inner.size,
            allocation: std::mem::take(&mut inner.allocation),
        };
        let module = self.table.replace(id, &mut inner, Some(definition));
        inner.changed = self.table.tick();
        entry.place(0);
        entry.advance(Event::Redefine);
        drop(inner);
        // Where nobody has used it, it is linked when somebody does.
        let linked = if moved.is_linked { self.address(id, id).map(drop) } else { Ok(()) };
        let linked = linked.map_err(|error| (error, self.put_back(&moved)));
        drop(module);
        linked.map(|()| moved).map_err(|(error, _)| error)
    }

    /// Makes data what it was before it was moved; where it was meanwhile, and what holds that.
    fn put_back(&self, moved: &Moved) -> (u64, AllocationId) {
        let entry = self.table.entry(moved.id);
        let mut inner = entry.lock();
        let meanwhile = (entry.address(), inner.allocation());
        let module = self.table.replace(moved.id, &mut inner, moved.definition.clone());
        inner.changed = self.table.tick();
        entry.place(moved.address);
        inner.allocation = moved.allocation;
        entry.advance(Event::Redefine);
        if moved.is_linked {
            entry.advance(Event::Publish);
        }
        drop(inner);
        drop(module);
        meanwhile
    }

    /// Takes a move back, and has what was linked with the new data meanwhile use the old one.
    pub(in crate::link) fn move_back(&self, moved: &Moved) {
        let (new, allocation) = self.put_back(moved);
        if new != 0 && (moved.is_linked || self.address(moved.id, moved.id).is_ok()) {
            self.lead_from(moved.id, (new, moved.size), allocation);
        }
    }

    /// Leads whoever uses data to where it was moved. Code that names it is compiled anew at its next
    /// call, and pointers in other data that were initialized to point there, and still do, point to
    /// the new place.
    pub(in crate::link) fn follow(&self, moved: &Moved) {
        if moved.is_linked {
            let allocation = AllocationId::from_number(moved.allocation);
            self.lead_from(moved.id, (moved.address, moved.size), allocation);
        }
    }

    fn lead_from(&self, id: SymbolId, (old, size): (u64, u64), data: AllocationId) {
        let users = self.lead_to(id, old, size);
        if data != AllocationId::PERMANENT {
            self.former.lock().push(Former { data, users });
        }
    }

    /// Leads everybody who uses the data that was at `old` to where it is now; the code that named it.
    fn lead_to(&self, id: SymbolId, old: u64, size: u64) -> Vec<AllocationId> {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let new = entry.address();
        let owner = AllocationId::PERMANENT;
        if let Some(slot) = inner.slot.checked_sub(1) {
            let word = self.memory.start(Zone::Slots).offset(i64::from(slot));
            patch::bind(&self.memory, self.site(word, owner), Addr(new));
        }
        for site in inner.pointers(&self.allocations.alive()) {
            let into = patch::target(&self.memory, site).0.wrapping_sub(old);
            if into < size.max(1) {
                patch::bind(&self.memory, site, Addr(new.wrapping_add(into)));
            }
        }
        let dependents = inner.take_dependents(None);
        drop(inner);
        let users = dependents.iter().map(|dependent| dependent.owner).collect();
        self.finish(vec![(id, dependents)], Vec::new());
        users
    }

    /// Notes a word of data that was initialized to point to other data; tells whether it can be led
    /// elsewhere.
    pub(in crate::link) fn note_pointer(
        &self,
        place: Addr,
        owner: AllocationId,
        data: SymbolId,
    ) -> bool {
        let can_be_led = self.memory.contains(place) && place.0.is_multiple_of(8);
        if can_be_led {
            let site = self.site(place, owner);
            self.table.entry(data).lock().add_pointer(site);
        }
        can_be_led
    }
}
