//! The scopes of a session: those of modules' private names, each module kept as long as something
//! can want a definition of it, and those that several modules share.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::definition::Source;
use crate::symbol::ScopeId;

/// Scopes by their number, less one: that of the scope all share is not here.
#[derive(Default)]
pub(super) struct Sources {
    slots: RwLock<Vec<Slot>>,
    /// Scopes that can be given away again.
    free: Mutex<Vec<ScopeId>>,
}

struct Slot {
    /// The module whose private names these are.
    source: Option<Arc<dyn Source>>,
    /// The scope of its other names.
    home: ScopeId,
    /// Where else names are looked up, of a scope that modules share.
    order: Option<Arc<[ScopeId]>>,
    /// Definitions of the table, and allocations of code, that come from it.
    uses: AtomicU32,
    /// Does the table know names of the scope? Then it is not given away again.
    has_names: AtomicBool,
}

impl Sources {
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
            has_names: AtomicBool::new(false),
        };
        let free = self.free.lock().pop();
        let mut slots = self.slots.write();
        if let Some(scope) = free {
            slots[scope.0 as usize - 1] = slot;
            return scope;
        }
        slots.push(slot);
        ScopeId(u32::try_from(slots.len()).expect("fewer than 4 billion modules"))
    }

    fn with<T>(&self, scope: ScopeId, look: impl FnOnce(&Slot) -> T) -> Option<T> {
        let slots = self.slots.read();
        Some(look(slots.get((scope.0 as usize).checked_sub(1)?)?))
    }

    pub(super) fn get(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        self.with(scope, |slot| slot.source.clone())?
    }

    /// The scope of names that modules with this scope share.
    pub(super) fn home(&self, scope: ScopeId) -> ScopeId {
        let home = |slot: &Slot| if slot.order.is_some() { scope } else { slot.home };
        self.with(scope, home).unwrap_or(ScopeId::GLOBAL)
    }

    /// Where else names of a shared scope are looked up.
    pub(super) fn order(&self, scope: ScopeId) -> Option<Arc<[ScopeId]>> {
        self.with(scope, |slot| slot.order.clone())?
    }

    pub(super) fn note_name(&self, scope: ScopeId) {
        self.with(scope, |slot| slot.has_names.store(true, Ordering::Relaxed));
    }

    pub(super) fn hold(&self, scope: ScopeId) {
        self.with(scope, |slot| slot.uses.fetch_add(1, Ordering::Relaxed));
    }

    /// Ends one use, and keeps the module also after the last one.
    pub(super) fn leave(&self, scope: ScopeId) {
        self.with(scope, |slot| slot.uses.fetch_sub(1, Ordering::AcqRel));
    }

    /// Ends one use. After the last one the module goes: what is given is to be dropped with no lock
    /// held.
    pub(super) fn release(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        let is_last = |slot: &Slot| slot.uses.fetch_sub(1, Ordering::AcqRel) == 1;
        if self.with(scope, is_last) != Some(true) {
            return None;
        }
        let mut slots = self.slots.write();
        let slot = &mut slots[scope.0 as usize - 1];
        if *slot.uses.get_mut() > 0 {
            return None;
        }
        let source = slot.source.take()?;
        if !*slot.has_names.get_mut() {
            self.free.lock().push(scope);
        }
        Some(source)
    }

    /// How many modules there are.
    pub(super) fn len(&self) -> usize {
        self.slots.read().iter().filter(|slot| slot.source.is_some()).count()
    }
}
