//! The scopes of a session: those of modules' private names, each module kept as long as something
//! can want a definition of it, and those that several modules share.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::allocation::AllocationId;
use crate::definition::Source;
use crate::symbol::{ScopeId, SessionTag, SymbolId};

/// Scopes by their number, less one: that of the scope all share is not here.
pub(super) struct Sources {
    tag: SessionTag,
    slots: RwLock<Vec<Slot>>,
    /// Scopes that can be given away again.
    free: Mutex<Vec<ScopeId>>,
    /// Scopes of modules of which nobody will name anything, not ended yet.
    given_up: Mutex<Vec<ScopeId>>,
}

struct Slot {
    /// The module whose private names these are.
    source: Option<Arc<dyn Source>>,
    /// The scope of its other names.
    home: ScopeId,
    /// Where else names are looked up, of a scope that modules share.
    order: Option<Arc<[ScopeId]>>,
    /// Definitions of the table, and allocations of others' code, that come from it.
    uses: AtomicU32,
    /// Allocations of its own private code.
    own: AtomicU32,
    /// The symbols of the scope. As long as there are any, it is not given away again.
    symbols: Mutex<Vec<SymbolId>>,
    /// The allocation that holds its private data, by number.
    data: AtomicU32,
    /// Did others ever use it?
    was_wanted: AtomicBool,
    /// Will nobody name anything of it but its own code?
    is_given_up: AtomicBool,
}

fn is_same(one: &Arc<dyn Source>, other: &Arc<dyn Source>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

/// A module that has ended: what is left of it.
pub(crate) struct Ended {
    pub(crate) scope: ScopeId,
    pub(crate) symbols: Vec<SymbolId>,
    pub(crate) data: AllocationId,
}

impl Slot {
    fn is_used(&self) -> bool {
        self.uses.load(Ordering::Acquire) + self.own.load(Ordering::Acquire) > 0
    }
}

impl Sources {
    pub(super) fn new(tag: SessionTag) -> Self {
        Self { tag, slots: RwLock::default(), free: Mutex::default(), given_up: Mutex::default() }
    }

    pub(super) fn add(&self, source: Arc<dyn Source>, home: ScopeId) -> ScopeId {
        self.push(Some(source), home, None)
    }

    /// A scope that modules share, and where names are looked up that it does not define.
    pub(super) fn add_shared(&self, order: &[ScopeId]) -> ScopeId {
        self.push(None, ScopeId::GLOBAL, Some(order.into()))
    }

    fn push(
        &self,
        source: Option<Arc<dyn Source>>,
        home: ScopeId,
        order: Option<Arc<[ScopeId]>>,
    ) -> ScopeId {
        let slot = Slot {
            source,
            home,
            order,
            uses: AtomicU32::new(0),
            own: AtomicU32::new(0),
            symbols: Mutex::default(),
            data: AtomicU32::new(AllocationId::PERMANENT.number()),
            was_wanted: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
        };
        let free = self.free.lock().pop();
        let mut slots = self.slots.write();
        if let Some(scope) = free {
            slots[self.at(scope).expect("a scope of this session")] = slot;
            return scope;
        }
        slots.push(slot);
        ScopeId(self.tag.number(slots.len()))
    }

    fn with<T>(&self, scope: ScopeId, look: impl FnOnce(&Slot) -> T) -> Option<T> {
        let at = self.at(scope)?;
        Some(look(self.slots.read().get(at)?))
    }

    /// The place of a scope's slot, if it is one of this session.
    fn at(&self, scope: ScopeId) -> Option<usize> {
        self.tag.index(scope.0)?.checked_sub(1)
    }

    /// Is there such a scope?
    pub(super) fn has(&self, scope: ScopeId) -> bool {
        scope == ScopeId::GLOBAL || self.with(scope, |_| ()).is_some()
    }

    pub(super) fn get(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        self.with(scope, |slot| slot.source.clone())?
    }

    /// The scope of names that modules with this scope share, if there is such a scope.
    pub(super) fn home(&self, scope: ScopeId) -> Option<ScopeId> {
        let home = |slot: &Slot| if slot.order.is_some() { scope } else { slot.home };
        match scope {
            ScopeId::GLOBAL => Some(scope),
            scope => self.with(scope, home),
        }
    }

    /// Where else names of a shared scope are looked up.
    pub(super) fn order(&self, scope: ScopeId) -> Option<Arc<[ScopeId]>> {
        self.with(scope, |slot| slot.order.clone())?
    }

    pub(super) fn note_symbol(&self, scope: ScopeId, symbol: SymbolId) {
        self.with(scope, |slot| slot.symbols.lock().push(symbol));
    }

    /// The allocation that holds the private data of a module.
    pub(super) fn data(&self, scope: ScopeId) -> AllocationId {
        let data = self.with(scope, |slot| slot.data.load(Ordering::Acquire));
        data.map_or(AllocationId::PERMANENT, AllocationId::from_number)
    }

    pub(super) fn set_data(&self, scope: ScopeId, data: AllocationId) {
        self.with(scope, |slot| slot.data.store(data.number(), Ordering::Release));
    }

    /// Begins a use of a module, for a while; the module, if it is there.
    pub(super) fn hold(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        self.with(scope, |slot| {
            slot.uses.fetch_add(1, Ordering::Relaxed);
            slot.source.clone()
        })?
    }

    /// As [`Sources::hold`], if `source` is the module; tells whether it is.
    pub(super) fn hold_source(&self, scope: ScopeId, source: &Arc<dyn Source>) -> bool {
        let is_it = |slot: &Slot| slot.source.as_ref().is_some_and(|own| is_same(own, source));
        let hold = |slot: &Slot| {
            let is_it = is_it(slot);
            slot.uses.fetch_add(is_it.into(), Ordering::Relaxed);
            is_it
        };
        self.with(scope, hold) == Some(true)
    }

    /// Did others ever use the module?
    pub(super) fn was_wanted(&self, scope: ScopeId) -> bool {
        self.with(scope, |slot| slot.was_wanted.load(Ordering::Relaxed)) == Some(true)
    }

    /// Begins a use by a definition or by code, perhaps of its own.
    pub(super) fn want(&self, scope: ScopeId, is_own: bool) {
        self.with(scope, |slot| {
            if is_own {
                slot.own.fetch_add(1, Ordering::Relaxed);
            } else {
                slot.uses.fetch_add(1, Ordering::Relaxed);
                slot.was_wanted.store(true, Ordering::Relaxed);
            }
        });
    }

    /// Ends one use, and keeps the module also after the last one.
    pub(super) fn leave(&self, scope: ScopeId) {
        self.with(scope, |slot| slot.uses.fetch_sub(1, Ordering::AcqRel));
    }

    /// Ends one use, perhaps by code of its own. After the last one the module goes: what is given is
    /// to be dropped with no lock held.
    pub(super) fn release(&self, scope: ScopeId, is_own: bool) -> Option<Arc<dyn Source>> {
        let is_last = |slot: &Slot| {
            let uses = if is_own { &slot.own } else { &slot.uses };
            uses.fetch_sub(1, Ordering::AcqRel) == 1
        };
        if self.with(scope, is_last) != Some(true) {
            return None;
        }
        let mut slots = self.slots.write();
        let slot = &mut slots[self.at(scope)?];
        if slot.is_used() {
            return None;
        }
        let source = slot.source.take()?;
        if slot.symbols.get_mut().is_empty() && !*slot.is_given_up.get_mut() {
            self.free.lock().push(scope);
        }
        Some(source)
    }

    /// Gives up the modules whose shared names are in the scope `home`, or all of which others have
    /// used something and do no more. Gives the scopes of all that are given up and not ended yet.
    pub(super) fn give_up(&self, home: Option<ScopeId>) -> Vec<ScopeId> {
        let slots = self.slots.read();
        let mut given_up = self.given_up.lock();
        for (index, slot) in (1..).zip(&*slots) {
            let is_wanted = match home {
                Some(home) => slot.home != home,
                None => {
                    slot.uses.load(Ordering::Acquire) > 0
                        || !slot.was_wanted.load(Ordering::Relaxed)
                }
            };
            // One that has ended and left no names may be another module's any time.
            let is_there = slot.source.is_some() || !slot.symbols.lock().is_empty();
            if slot.order.is_none()
                && is_there
                && !is_wanted
                && !slot.is_given_up.swap(true, Ordering::Relaxed)
            {
                given_up.push(ScopeId(self.tag.number(index)));
            }
        }
        given_up.clone()
    }

    /// The symbols of a scope.
    pub(super) fn symbols(&self, scope: ScopeId) -> Vec<SymbolId> {
        self.with(scope, |slot| slot.symbols.lock().clone()).unwrap_or_default()
    }

    /// Takes out the modules that were given up and that nobody uses any more, with what is left of
    /// each. The scope of each is given away again after [`Sources::end`].
    pub(super) fn take_ended(&self) -> Vec<Ended> {
        let slots = self.slots.read();
        let mut ended = Vec::new();
        self.given_up.lock().retain(|&scope| {
            let Some(slot) = self.at(scope).and_then(|at| slots.get(at)) else { return false };
            let is_used = slot.is_used();
            if !is_used {
                let symbols = std::mem::take(&mut *slot.symbols.lock());
                let data = slot.data.swap(AllocationId::PERMANENT.number(), Ordering::AcqRel);
                let data = AllocationId::from_number(data);
                ended.push(Ended { scope, symbols, data });
            }
            is_used
        });
        ended
    }

    /// Lets the scope of a module that has ended be given away again.
    pub(super) fn end(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        let at = self.at(scope)?;
        let source = self.slots.write()[at].source.take();
        self.free.lock().push(scope);
        source
    }

    /// How many modules there are.
    pub(super) fn len(&self) -> usize {
        self.slots.read().iter().filter(|slot| slot.source.is_some()).count()
    }
}
