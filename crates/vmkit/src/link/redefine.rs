//! Symbols get other definitions, and everybody who uses them is sent there.

use super::{Apart, Linker, is_after};
use crate::allocation::AllocationId;
use crate::definition::{Definition, Unit};
use crate::error::{Error, Result};
use crate::host;
use crate::stats::Counters;
use crate::symbol::{Addr, Binding, ScopeId, SymbolId, SymbolKind};
use crate::table::{Dependent, Event, Inner, State};

/// What a function's code has to do with other symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// What its code takes for granted now: functions whose bodies are inlined in it, assumptions,
    /// and data whose address is in it.
    pub relies_on: Vec<SymbolId>,
    /// Because of whom its code was outdated, ever.
    pub outdated_by: Vec<SymbolId>,
}

/// Code of which something that it took for granted does not hold any more, and the symbol because of
/// which.
pub(super) type Outdated = (SymbolId, Vec<Dependent>);

impl Linker {
    /// Gives a function another definition, or none, compiled at its next call. Calls that start
    /// after this has returned run it.
    pub(crate) fn redefine(&self, id: SymbolId, definition: Option<Definition>) -> Result<()> {
        self.check_redefinable(id, definition.as_ref())?;
        self.redefine_checked(id, definition);
        Ok(())
    }

    /// As [`Linker::redefine`], of what was found to be redefinable.
    pub(super) fn redefine_checked(&self, id: SymbolId, definition: Option<Definition>) {
        let hash = self.hash(id, definition.as_ref());
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        let event = if definition.is_some() { Event::Redefine } else { Event::Remove };
        let module = self.table.replace(id, &mut inner, definition);
        inner.kind.get_or_insert(SymbolKind::Function);
        let old = self.make_lazy(id, &mut inner, event);
        let outdated = vec![(id, inner.take_dependents(hash))];
        drop(inner);
        self.finish(outdated, vec![old]);
        drop(module);
    }

    /// Gives a function another definition, which is compiled before anybody is sent there. If that
    /// fails, everything stays as it was.
    pub(crate) fn redefine_compiled(&self, id: SymbolId, definition: Definition) -> Result<()> {
        self.check_redefinable(id, Some(&definition))?;
        let Definition::Module { scope, key, unit: Unit::Lazy } = definition else {
            return self.redefine(id, Some(definition));
        };
        let hash = self.hash(id, Some(&definition));
        self.table.hold(scope);
        let result = self.compile_and_swap(id, (scope, key), hash);
        // If it failed, the module is still the caller's.
        self.table.leave(scope);
        result
    }

    fn compile_and_swap(
        &self,
        id: SymbolId,
        (scope, key): (ScopeId, u64),
        hash: Option<u64>,
    ) -> Result<()> {
        loop {
            let began = self.table.now();
            let (graph, start) = self.produce(scope, key)?;
            let linked = self.link_apart(id, scope, &graph, began);
            self.counters.linked(start);
            let Apart { allocation, finished, is_current } = linked?;
            let Some(&(_, address)) = finished.iter().find(|finished| finished.0 == id) else {
                self.abandon(allocation);
                let name = self.table.name(id);
                return Err(Error::compile(name, "no code came of it"));
            };
            if is_current && self.swap(id, (scope, key), allocation, address, hash) {
                Counters::add(&self.counters.functions_compiled, 1);
                return Ok(());
            }
            self.abandon(allocation);
        }
    }

    /// Sends everybody to code that is there, unless something that it takes for granted does not hold
    /// any more.
    fn swap(
        &self,
        id: SymbolId,
        (scope, key): (ScopeId, u64),
        allocation: AllocationId,
        address: u64,
        hash: Option<u64>,
    ) -> bool {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        // Whoever says so later finds it here, for which it takes this lock.
        if self.allocations.is_stale(allocation) {
            return false;
        }
        inner.changed = self.table.tick();
        let old = inner.allocation();
        let definition = Definition::Module { scope, key, unit: Unit::Lazy };
        let module = self.table.replace(id, &mut inner, Some(definition));
        inner.allocation = allocation.number();
        let was_ready = entry.state() == State::Ready;
        // One that is queued or compiled right now is not wanted any more, but ready.
        if !was_ready {
            entry.advance(Event::Redefine);
        }
        let before = was_ready.then(|| Addr(entry.address()));
        self.send(id, &mut inner, before, Addr(address));
        entry.advance(Event::Publish);
        let outdated = vec![(id, inner.take_dependents(hash))];
        drop(inner);
        self.waiters.wake(entry.word());
        self.finish(outdated, vec![old]);
        drop(module);
        true
    }

    /// Takes the definitions of symbols away, whatever they are.
    pub(super) fn remove_all(&self, ids: &[SymbolId]) {
        let (mut outdated, mut old, mut modules) = (Vec::new(), Vec::new(), Vec::new());
        for &id in ids {
            let entry = self.table.entry(id);
            let mut inner = entry.lock();
            modules.push(self.table.replace(id, &mut inner, None));
            old.push(self.make_lazy(id, &mut inner, Event::Remove));
            outdated.push((id, inner.take_dependents(None)));
        }
        self.finish(outdated, old);
    }

    /// Was a symbol redefined, or an assumption invalidated, after the time `since`?
    pub(crate) fn has_changed(&self, id: SymbolId, since: u32) -> bool {
        is_after(self.table.entry(id).lock().changed, since)
    }

    /// Says that what code took for granted of `id` does not hold any more.
    pub(crate) fn invalidate(&self, id: SymbolId) {
        let mut inner = self.table.entry(id).lock();
        inner.changed = self.table.tick();
        let outdated = vec![(id, inner.take_dependents(None))];
        drop(inner);
        self.finish(outdated, Vec::new());
    }

    /// Sends outdated code's callers back to where it is compiled anew, and retires old code.
    pub(super) fn finish(&self, outdated: Vec<Outdated>, mut old: Vec<AllocationId>) {
        for (cause, dependents) in outdated {
            for dependent in dependents {
                old.extend(self.outdate(dependent.owner, cause));
            }
        }
        // From here on no core starts a call into old code.
        host::sync_cores();
        for id in old.into_iter().filter(|&id| id != AllocationId::PERMANENT) {
            self.retire(id);
        }
    }

    /// Has the code in an allocation compiled anew at its next call; what is to be retired.
    fn outdate(&self, allocation: AllocationId, cause: SymbolId) -> Option<AllocationId> {
        self.allocations.set_stale(allocation);
        // One that is not kept yet is not published.
        let symbol = self.allocations.get(allocation, |known| known.symbol)?;
        let mut inner = self.table.entry(symbol).lock();
        // Otherwise it is not published yet, and whoever publishes it will see, or it is not any more.
        if inner.allocation() != allocation {
            return None;
        }
        let old = self.make_lazy(symbol, &mut inner, Event::Redefine);
        drop(inner);
        let mut reasons = self.reasons.lock();
        let reasons = reasons.entry(symbol).or_default();
        if !reasons.contains(&cause) {
            reasons.push(cause);
        }
        Counters::add(&self.counters.functions_invalidated, 1);
        Some(old)
    }

    /// Sends everybody who uses a function to its stub's lazy part; what held its code.
    pub(super) fn make_lazy(&self, id: SymbolId, inner: &mut Inner, event: Event) -> AllocationId {
        let entry = self.table.entry(id);
        inner.changed = self.table.tick();
        let was_ready = entry.state() == State::Ready;
        entry.advance(event);
        let address = Addr(entry.address());
        entry.place(0);
        if let Some(stub) = self.stub_for_sites(id, inner) {
            self.stubs.make_lazy(stub);
            if was_ready {
                let stub = self.stubs.address(stub);
                self.lead(inner, Some(address), |_| stub);
            }
        }
        let old = inner.allocation();
        inner.allocation = AllocationId::PERMANENT.number();
        old
    }

    /// What the code of `id` relies on, and because of what it was outdated.
    pub(crate) fn why(&self, id: SymbolId) -> Why {
        let allocation = self.table.entry(id).lock().allocation();
        let relies_on = self.allocations.get(allocation, |known| known.relies_on.to_vec());
        let mut relies_on = relies_on.unwrap_or_default();
        relies_on.sort_unstable();
        relies_on.dedup();
        let outdated_by = self.reasons.lock().get(&id).cloned().unwrap_or_default();
        Why { relies_on, outdated_by }
    }

    /// Sends the calls of a function the way that is asked for.
    pub(crate) fn set_binding(&self, id: SymbolId, binding: Binding) {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        inner.binding = Some(binding);
        if entry.state() == State::Ready {
            let address = Addr(entry.address());
            self.send(id, &mut inner, Some(address), address);
        }
    }

    pub(super) fn check_redefinable(&self, id: SymbolId, new: Option<&Definition>) -> Result<()> {
        self.table.check(id)?;
        if let Some(&Definition::Module { scope, .. }) = new {
            self.check_module(scope)?;
        }
        let entry = self.table.entry(id);
        let inner = entry.lock();
        let refuse = |why: &str| {
            Err(Error::other(format!("{} cannot be redefined: {why}", self.table.name(id))))
        };
        match &inner.definition {
            Some(Definition::Alias(alias)) => {
                let target = self.table.name(alias.target);
                return refuse(&format!("it is an alias of {target}: redefine that"));
            }
            Some(Definition::Module { unit: Unit::Whole, .. }) => {
                return refuse("the addresses of its code are in use");
            }
            Some(data) if data.is_data() => return refuse("it is data, not a function"),
            Some(Definition::LibraryThreadLocal(_)) => return refuse("it is thread-local"),
            _ => {}
        }
        match new {
            None
            | Some(
                Definition::Module { unit: Unit::Lazy, .. }
                | Definition::Absolute(_)
                | Definition::Indirect { .. },
            ) => Ok(()),
            _ => refuse("its new definition is not a function that can be compiled alone"),
        }
    }

    pub(super) fn check_module(&self, scope: ScopeId) -> Result<()> {
        let what = "a module of another session, or one that is gone: add it to this one";
        self.table.source(scope).map(drop).ok_or_else(|| Error::other(what))
    }

    /// The hash of a new definition's body, if anybody has inlined the old one.
    fn hash(&self, id: SymbolId, new: Option<&Definition>) -> Option<u64> {
        let is_wanted = self.table.entry(id).lock().has_dependents();
        match new {
            Some(&Definition::Module { scope, key, .. }) if is_wanted => {
                self.table.source(scope)?.body_hash(key)
            }
            _ => None,
        }
    }
}
