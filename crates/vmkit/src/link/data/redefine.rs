//! Data gets another definition: elsewhere, since the old one may be read meanwhile.

use super::Linker;
use crate::allocation::AllocationId;
use crate::definition::Definition;
use crate::error::{Error, Result};
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

impl Linker {
    /// Gives data another definition, linked before anybody is sent there. Code that names the data
    /// is compiled anew at its next call, and pointers in other data that were initialized to point
    /// there, and still do, point to the new one. The old one stays, for whoever holds a pointer, until
    /// [`Linker::retire_replaced`].
    pub(crate) fn redefine_data(&self, id: SymbolId, definition: Definition) -> Result<()> {
        self.table.check(id)?;
        let entry = self.table.entry(id);
        if !self.is_data(id) {
            let name = entry.name();
            return Err(Error::other(format!("{name} cannot be redefined as data: it is none")));
        }
        let _turn = self.redefining.lock();
        let mut inner = entry.lock();
        let old = inner.definition.clone();
        let was_ready = entry.state() == State::Ready;
        let (address, size) = (entry.address(), inner.size);
        let allocation = std::mem::take(&mut inner.allocation);
        let module = self.table.replace(entry, &mut inner, Some(definition));
        inner.changed = self.table.tick();
        entry.place(0);
        entry.advance(Event::Redefine);
        drop(inner);
        // Where nobody has used it, it is linked when somebody does.
        if was_ready {
            if let Err(error) = self.address(id, id) {
                let mut inner = entry.lock();
                let module = self.table.replace(entry, &mut inner, old);
                inner.changed = self.table.tick();
                entry.place(address);
                inner.allocation = allocation;
                entry.advance(Event::Redefine);
                entry.advance(Event::Publish);
                drop(inner);
                drop(module);
                return Err(error);
            }
            let users = self.lead_to(id, address, size);
            let data = AllocationId::from_number(allocation);
            if data != AllocationId::PERMANENT {
                self.former.lock().push(Former { data, users });
            }
        }
        drop(module);
        Ok(())
    }

    /// Leads everybody who uses the data that was at `old` to where it is now; the code that named it.
    fn lead_to(&self, id: SymbolId, old: u64, size: u64) -> Vec<AllocationId> {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let new = entry.address();
        let owner = AllocationId::PERMANENT;
        if let Some(slot) = inner.slot.checked_sub(1) {
            let word = self.memory.start(Zone::Slots).offset(i64::from(slot));
            patch::bind(&self.memory, self.word_site(word, owner), Addr(new));
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
            let site = self.word_site(place, owner);
            self.table.entry(data).lock().add_pointer(site);
        }
        can_be_led
    }
}
