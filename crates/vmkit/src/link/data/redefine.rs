//! Data gets another definition: elsewhere, since the old one may be read meanwhile.

use super::Linker;
use crate::allocation::AllocationId;
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::memory::Zone;
use crate::patch;
use crate::symbol::{Addr, SymbolId};
use crate::table::{Event, Site, State};

impl Linker {
    /// Gives data another definition, linked before anybody is sent there. Code that names the data
    /// is compiled anew at its next call, and pointers in other data that were initialized to point
    /// there, and still do, point to the new one. The old one stays, for whoever holds a pointer.
    pub(crate) fn redefine_data(&self, id: SymbolId, definition: Definition) -> Result<()> {
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
                entry.advance(Event::Redefine);
                entry.advance(Event::Publish);
                drop(inner);
                drop(module);
                return Err(error);
            }
            self.lead_to(id, address, size);
        }
        drop(module);
        Ok(())
    }

    /// Leads everybody who uses the data that was at `old` to where it is now.
    fn lead_to(&self, id: SymbolId, old: u64, size: u64) {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let new = entry.address();
        let owner = AllocationId::PERMANENT;
        if let Some(slot) = inner.slot.checked_sub(1) {
            let word = self.memory.start(Zone::Slots).offset(i64::from(slot));
            patch::bind(&self.memory, self.word_site(word, owner), Addr(new));
        }
        for &place in inner.pointers() {
            let site = Site { place, owner };
            let into = patch::target(&self.memory, site).0.wrapping_sub(old);
            if into < size.max(1) {
                patch::bind(&self.memory, site, Addr(new.wrapping_add(into)));
            }
        }
        let outdated = vec![(id, inner.take_dependents(None))];
        drop(inner);
        self.finish(outdated, Vec::new());
    }

    /// Notes a word of data that was initialized to point to other data.
    pub(in crate::link) fn note_pointer(&self, place: Addr, data: SymbolId) {
        if self.memory.contains(place) && place.0.is_multiple_of(8) {
            let site = self.word_site(place, AllocationId::PERMANENT);
            self.table.entry(data).lock().add_pointer(site.place);
        }
    }
}
