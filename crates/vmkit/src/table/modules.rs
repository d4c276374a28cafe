//! The modules that definitions come from, each kept as long as something of it is wanted.

use std::sync::Arc;

use super::sources::Ended;
use super::{Inner, Table};
use crate::allocation::AllocationId;
use crate::definition::{Definition, Source};
use crate::symbol::{ScopeId, SymbolId};

/// Keeps a module.
pub(crate) struct Held<'a> {
    table: &'a Table,
    scope: ScopeId,
    /// None if the module has gone before.
    pub(crate) source: Option<Arc<dyn Source>>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.table.release(self.scope);
    }
}
impl Table {
    /// How many modules there are.
    pub(crate) fn modules(&self) -> usize {
        self.sources.len()
    }

    /// As [`Table::hold`], if `source` is the module of the scope; tells whether it is.
    pub(crate) fn hold_source(&self, scope: ScopeId, source: &Arc<dyn Source>) -> bool {
        self.sources.hold_source(scope, source)
    }

    /// Keeps the module of a scope until [`Table::release`].
    pub(crate) fn hold(&self, scope: ScopeId) {
        self.sources.hold(scope);
    }

    /// Keeps it until what is given is dropped, with no lock held.
    pub(crate) fn held(&self, scope: ScopeId) -> Held<'_> {
        Held { table: self, scope, source: self.sources.hold(scope) }
    }

    /// Lets go of it, and leaves it there even if nobody else holds it.
    pub(crate) fn leave(&self, scope: ScopeId) {
        self.sources.leave(scope);
    }

    /// Lets go of it. No lock may be held: the module may end here.
    pub(crate) fn release(&self, scope: ScopeId) {
        drop(self.sources.release(scope, false));
    }

    /// As [`Table::release`], and leaves a module there of which nothing was ever wanted.
    pub(crate) fn release_wanted(&self, scope: ScopeId) {
        if self.sources.was_wanted(scope) {
            self.release(scope);
        } else {
            self.leave(scope);
        }
    }

    /// Keeps the module of a scope for the code of `user`, which may be its own.
    pub(crate) fn hold_for(&self, scope: ScopeId, user: SymbolId) {
        self.sources.want(scope, self.scope(user) == scope);
    }

    /// Ends what [`Table::hold_for`] began. No lock may be held: the module may end here.
    pub(crate) fn release_for(&self, scope: ScopeId, user: SymbolId) {
        drop(self.sources.release(scope, self.scope(user) == scope));
    }

    /// The allocation that holds the private data of a module, if there is one.
    pub(crate) fn data_of(&self, scope: ScopeId) -> AllocationId {
        self.sources.data(scope)
    }

    /// Notes the allocation that holds the private data of a module.
    pub(crate) fn set_data_of(&self, scope: ScopeId, data: AllocationId) {
        self.sources.set_data(scope, data);
    }

    /// Gives up modules: those in the scope `home`, or all of which others have used something and do
    /// no more. Gives the private symbols of all that are given up and not ended yet.
    pub(crate) fn give_up(&self, home: Option<ScopeId>) -> Vec<SymbolId> {
        let scopes = self.sources.give_up(home);
        scopes.into_iter().flat_map(|scope| self.sources.symbols(scope)).collect()
    }

    /// Takes out the modules that were given up and that nobody uses any more.
    pub(crate) fn take_ended(&self) -> Vec<Ended> {
        self.sources.take_ended()
    }

    /// Forgets the names of a module that has ended, but for `kept`; the entries, which know nothing
    /// any more, and its scope are others' from now on.
    pub(crate) fn end(&self, ended: &Ended, kept: &[SymbolId]) {
        self.groups.lock().retain(|_, owner| *owner != ended.scope);
        for &id in kept {
            self.sources.note_symbol(ended.scope, id);
        }
        let mut names = self.names.write();
        for &id in ended.symbols.iter().filter(|id| !kept.contains(id)) {
            names.remove(id);
            names.vacant.push(id);
        }
        drop(names);
        if kept.is_empty() {
            drop(self.sources.end(ended.scope));
        }
    }

    /// Gives a symbol, of which this is known, another definition; the module to let go of, with no lock held.
    #[must_use]
    pub(crate) fn replace(
        &self,
        id: SymbolId,
        inner: &mut Inner,
        definition: Option<Definition>,
    ) -> Option<Arc<dyn Source>> {
        self.replace_in(self.scope(id), inner, definition)
    }

    /// As [`Table::replace`], of a symbol whose name is in the scope `own`.
    #[must_use]
    pub(super) fn replace_in(
        &self,
        own: ScopeId,
        inner: &mut Inner,
        definition: Option<Definition>,
    ) -> Option<Arc<dyn Source>> {
        // What is private to a module is only wanted as long as something else of it is.
        let holds = |definition: &Definition| {
            let scope = definition.scope().or_else(|| Some(self.scope(definition.other()?)));
            scope.filter(|&scope| scope != own)
        };
        if let Some(scope) = definition.as_ref().and_then(holds) {
            self.sources.want(scope, false);
        }
        let old = std::mem::replace(&mut inner.definition, definition);
        self.sources.release(holds(&old?)?, false)
    }

    /// The module that a scope belongs to; none of the scope that all share.
    pub(crate) fn source(&self, scope: ScopeId) -> Option<Arc<dyn Source>> {
        self.sources.get(scope)
    }

    /// The name of the module that a scope belongs to.
    pub(crate) fn module_name(&self, scope: ScopeId) -> Option<Arc<str>> {
        Some(self.source(scope)?.name().clone())
    }
}
