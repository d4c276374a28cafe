//! What definitions that were replaced have left behind, and modules of which nothing is wanted.
#![expect(unsafe_code, reason = "frees words and stubs that nobody names")]

use super::data::Former;
use super::{Linker, stub_of};
use crate::allocation::AllocationId;
use crate::memory::{Extent, Zone};
use crate::symbol::SymbolId;
use crate::table::{Event, Inner, State};

/// Bytes of a slot, and of the pair of a thread-local variable.
const SLOT: u64 = 8;
const PAIR: u64 = 16;

impl Linker {
    /// Retires what was left behind: former places of data, and the private code of modules of which
    /// nobody names anything any more. Such a module ends when none of its code is left.
    pub(crate) fn retire_replaced(&self) {
        let mut former = self.former.lock();
        let alive = self.allocations.alive();
        // Frames that are in code which names it may still read it.
        let is_idle = |former: &mut Former| former.users.iter().all(|&user| !alive.has(user));
        let idle: Vec<_> = former.extract_if(.., is_idle).map(|former| former.data).collect();
        drop((alive, former));
        idle.into_iter().for_each(|data| self.retire(data));
        self.retire_private(&self.table.give_up(None));
        self.end_modules();
    }

    /// Retires the code of private functions. They stay defined: frames that are in old code of their
    /// module can still call them.
    fn retire_private(&self, ids: &[SymbolId]) {
        let mut old = Vec::new();
        for &id in ids {
            let entry = self.table.entry(id);
            let mut inner = entry.lock();
            if entry.state() == State::Ready && inner.allocation() != AllocationId::PERMANENT {
                old.push(self.make_lazy(id, &mut inner, Event::Redefine));
            }
        }
        if !old.is_empty() {
            self.finish(Vec::new(), old);
        }
    }

    /// Takes back all that is left of modules that were given up and of whose code nothing is left.
    pub(super) fn end_modules(&self) {
        for ended in self.table.take_ended() {
            // Readers may have found its data in code that was there when they entered.
            self.retire(ended.data);
            let is_kept = |id: &SymbolId| self.sets.of(*id).is_some();
            let kept: Vec<_> = ended.symbols.iter().copied().filter(is_kept).collect();
            for &id in ended.symbols.iter().filter(|id| !kept.contains(id)) {
                self.forget_symbol(id);
            }
            self.table.end(&ended, &kept);
        }
    }

    /// Forgets what is known of a symbol that nobody names, and takes its stub and its words back.
    fn forget_symbol(&self, id: SymbolId) {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let old = inner.clear(self.table.tick());
        entry.place(0);
        entry.advance(Event::Remove);
        drop(inner);
        self.reasons.lock().remove(&id);
        let start = self.memory.start(Zone::Slots);
        let word = |offset: u32, size| {
            let addr = start.offset(i64::from(offset));
            // SAFETY: a word that only code of its module names, of which nothing is left. If it
            // fails, the memory stays taken.
            let _ = unsafe { self.memory.free(Extent { zone: Zone::Slots, addr, size }) };
        };
        if let Some(offset) = old.slot.checked_sub(1) {
            word(offset, SLOT);
        }
        if let Some(offset) = old.pair() {
            word(offset, PAIR);
        }
        if let Some(stub) = stub_of(&old) {
            // SAFETY: as above; whoever gave the module up knows of no pointer to it.
            let _ = unsafe { self.stubs.free(&self.memory, stub) };
        } else if old.stub == Inner::PROMISED {
            self.stubs.release();
        }
    }
}
