//! Thread-local variables that libraries share.
#![expect(
    unsafe_code,
    reason = "reads linked pairs of thread-local variables, and names their blocks"
)]

use super::Linker;
use crate::definition::Definition;
use crate::error::Result;
use crate::memory::Zone;
use crate::symbol::{Addr, ScopeId, SymbolId, SymbolKind, Visibility};

impl Linker {
    /// The module word and the offset in a pair that was linked.
    pub(super) fn read_pair(&self, pair: Addr) -> [u64; 2] {
        assert!(pair >= self.memory.start(Zone::Slots) && self.memory.contains(pair));
        // SAFETY: a pair in the slot area, which nobody changes.
        unsafe { *(pair.0 as *const [u64; 2]) }
    }

    /// Is this a thread-local variable, or an alias to one?
    pub(crate) fn is_thread_local(&self, id: SymbolId) -> bool {
        let target = self.target(id).map(|(target, _)| self.table.entry(target));
        target.is_ok_and(|entry| entry.lock().kind == Some(SymbolKind::ThreadLocal))
    }

    /// Do modules define a thread-local variable under this symbol, which libraries see?
    pub(crate) fn is_shareable(&self, id: SymbolId) -> bool {
        let inner = self.table.entry(id).lock();
        let is_ours =
            matches!(inner.definition, Some(Definition::Module { .. } | Definition::Alias(_)));
        let is_seen = self.is_seen(id, inner.visibility);
        drop(inner);
        is_ours && is_seen && self.is_thread_local(id)
    }

    /// Do libraries see a symbol that modules define with this visibility?
    pub(super) fn is_seen(&self, id: SymbolId, visibility: Visibility) -> bool {
        self.table.scope(id) == ScopeId::GLOBAL && visibility != Visibility::Hidden
    }

    /// Has libraries that are loaded from now on share these variables of modules, and says whether some
    /// thread has a copy of its own of any. Those that cannot be linked are left out.
    pub(crate) fn share_thread_locals(
        &self,
        variables: impl Iterator<Item = SymbolId>,
    ) -> Result<bool> {
        let mut modules = Vec::new();
        for id in variables {
            let Ok(pair) = self.pair(id, id) else { continue };
            let [module, offset] = self.read_pair(pair);
            let is_alias =
                matches!(self.table.entry(id).lock().definition, Some(Definition::Alias(_)));
            if is_alias {
                // SAFETY: the word of a pair that was linked.
                unsafe { self.threads.name(module, self.table.name(id), offset) };
            }
            modules.push(module);
        }
        // SAFETY: as above; who links data fixes it up before it can be asked for.
        unsafe { self.threads.share(modules.into_iter()) }
    }
}
