//! Symbols that their scope does not define are looked for elsewhere, and scopes go.

use super::Linker;
use crate::definition::{Alias, Definition, LibraryThreadLocal};
use crate::error::Result;
use crate::process::Found;
use crate::resolver::{Resolution, Undefined};
use crate::symbol::{ScopeId, SymbolId, SymbolKind};
use crate::table::Event;

impl Linker {
    /// Gives an undefined symbol a definition, of whoever has one: the module whose name it is alone, or
    /// the machine first, then other scopes and the process. Tells whether it has one now.
    pub(super) fn resolve(&self, id: SymbolId) -> Result<bool> {
        let entry = self.table.entry(id);
        let is_called = entry.lock().kind == Some(SymbolKind::Function);
        let name = self.table.name(id);
        let scope = self.table.scope(id);
        let expected = self.expected.lock().get(&id).cloned();
        let signature = expected.as_ref().map(|(signature, _)| &**signature);
        let asked = Undefined { symbol: id, name: &name, scope, is_called, signature };
        let resolution = match (self.table.source(scope), &self.policy.resolver) {
            // The module's own names.
            (Some(source), _) => source.resolve(&asked)?,
            (None, Some(resolver)) => resolver(&asked)?,
            (None, None) => Resolution::Process,
        };
        match resolution {
            Resolution::Process => return Ok(self.find_elsewhere(id)),
            Resolution::Address(address) => self.note(id, Definition::Absolute(address)),
            Resolution::Symbol(target) => self.note(id, alias(target)),
            Resolution::Defined => {}
        }
        Ok(entry.lock().definition.is_some())
    }

    /// As [`Linker::resolve`], and asks only scopes and the process.
    pub(super) fn find_elsewhere(&self, id: SymbolId) -> bool {
        let entry = self.table.entry(id);
        let scope = self.table.scope(id);
        if !self.table.is_shared(scope) {
            return false;
        }
        let name = self.table.name(id);
        // A library's are those of its own sections, which it need not have made public.
        if self.is_bound_of_set(&name) {
            return false;
        }
        if let Some(target) = self.table.provider(scope, &name) {
            self.note(id, alias(target));
        } else if let Some(found) = self.libraries.find(&name) {
            self.note(
                id,
                match found {
                    Found::At(address) => Definition::Absolute(self.nearer(id, address)),
                    Found::ThreadLocal { module, offset } => {
                        entry.lock().kind = Some(SymbolKind::ThreadLocal);
                        Definition::LibraryThreadLocal(Box::new(LibraryThreadLocal {
                            module,
                            offset,
                        }))
                    }
                },
            );
        }
        entry.lock().definition.is_some()
    }

    /// Takes a definition that was found, unless there is one meanwhile.
    pub(crate) fn note(&self, id: SymbolId, definition: Definition) {
        let entry = self.table.entry(id);
        let mut inner = entry.lock();
        if inner.definition.is_none() {
            inner.definition = Some(definition);
            entry.advance(Event::Define);
        }
    }

    /// Takes away everything that modules of a scope define.
    pub(crate) fn drop_scope(&self, scope: ScopeId) {
        let is_in = |id: &SymbolId| {
            let own = self.table.scope(*id);
            own == scope || (own != ScopeId::ASSUMPTIONS && self.table.home(own) == scope)
        };
        let members: Vec<_> = self.table.symbols().filter(is_in).collect();
        self.table.give_up(Some(scope));
        self.remove_all(&members);
        self.end_modules();
    }
}

fn alias(target: SymbolId) -> Definition {
    Definition::Alias(Box::new(Alias { target, offset: 0, body: None }))
}
