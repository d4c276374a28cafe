//! What is called is looked up, or produced and linked, and published.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::{Linker, is_after};
use crate::definition::{Definition, Source, Unit};
use crate::error::{Error, Result};
use crate::graph::LinkGraph;
use crate::symbol::{Name, ScopeId, SymbolId};
use crate::table::Event;

impl Linker {
    /// Finds or produces the address of `id` and publishes it; counts the time if it `is_timed`. If that
    /// fails, `note` is told before anybody sees it.
    pub(crate) fn materialize(&self, id: SymbolId, is_timed: bool, note: impl FnOnce(Error)) {
        loop {
            let began = self.table.now();
            // Whoever waits must not wait for ever.
            let panicked = |_| Err(Error::compile(self.name(id), "what defines it panicked"));
            let work = AssertUnwindSafe(|| self.materialize_since(id, began, is_timed));
            match catch_unwind(work).unwrap_or_else(panicked) {
                Ok(true) => return,
                // Another definition came meanwhile.
                Ok(false) => continue,
                Err(error) => {
                    let entry = self.table.entry(id);
                    let inner = entry.lock();
                    if !is_after(inner.changed, began) {
                        note(error);
                        entry.advance(Event::Fail);
                        drop(inner);
                        return self.waiters.wake(entry.word());
                    }
                }
            }
        }
    }

    pub(super) fn name(&self, id: SymbolId) -> Name {
        self.table.name(id)
    }

    /// As it is defined at the time `began`; tells whether it still is.
    fn materialize_since(&self, id: SymbolId, began: u32, is_timed: bool) -> Result<bool> {
        let entry = self.table.entry(id);
        let inner = entry.lock();
        let definition = inner.definition.clone();
        // As long as it is the symbol's, the module is there.
        let scope = definition.as_ref().and_then(Definition::scope);
        let held = scope.map(|scope| self.table.held(scope));
        drop(inner);
        match definition {
            None if self.resolve(id)? => self.materialize_since(id, self.table.now(), is_timed),
            None => Err(Error::undefined(self.table.name(id), None)),
            Some(Definition::Module { scope, key, unit: Unit::Lazy }) => {
                self.check_expected(id, scope, key)?;
                let source = held.as_ref().and_then(|held| held.source.as_deref());
                let (graph, start) = self.produce_from(source, scope, key, is_timed)?;
                let finished = self.link(id, scope, &graph, began);
                self.counters.linked(start);
                let finished = match finished {
                    Ok(Some(finished)) => finished,
                    unused => {
                        if let Some(source) = source {
                            source.put_back(key, graph);
                        }
                        return unused.map(|_| false);
                    }
                };
                // Whoever is woken may run at once, in this thread's place.
                finished.iter().for_each(|&(id, _)| self.waiters.wake(self.table.entry(id).word()));
                if let Some(source) = source {
                    source.tidy(graph);
                }
                Ok(true)
            }
            Some(Definition::Indirect { resolver }) => {
                let resolver = self.stub_address(resolver)?;
                let inner = entry.lock();
                if is_after(inner.changed, began) {
                    return Ok(false);
                }
                entry.place(resolver.0);
                entry.advance(Event::Defer);
                drop(inner);
                self.waiters.wake(entry.word());
                Ok(true)
            }
            Some(_) => {
                let address = self.address(id, id)?;
                Ok(self.publish(id, address, began))
            }
        }
    }

    /// What the module of a scope defines under a key, and when it was there, if that is counted.
    pub(super) fn produce(&self, scope: ScopeId, key: u64) -> Result<(LinkGraph, Option<Instant>)> {
        self.produce_from(self.table.source(scope).as_deref(), scope, key, true)
    }

    fn produce_from(
        &self,
        source: Option<&dyn Source>,
        scope: ScopeId,
        key: u64,
        is_timed: bool,
    ) -> Result<(LinkGraph, Option<Instant>)> {
        let source = source.ok_or_else(|| Error::other("a definition without a module"))?;
        let start = is_timed.then(Instant::now);
        let graph = source.materialize(key);
        let end = self.counters.materialized(start);
        let mut graph = graph?;
        // A source may know of a module of its own that it took the definition from.
        if graph.scope == ScopeId::GLOBAL {
            graph.scope = scope;
        }
        Ok((graph, end))
    }
}
