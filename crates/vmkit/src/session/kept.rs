//! Modules that stay in a session although nothing of them is wanted.

use std::sync::{Arc, Weak};

use super::Session;
use crate::compile::Compiler;
use crate::definition::Source;
use crate::symbol::ScopeId;

/// Keeps a module in its session, and so its scope its own, even while nothing of it is wanted.
pub struct KeptSource {
    compiler: Weak<Compiler>,
    scope: ScopeId,
    is_withdrawn: bool,
}

impl Session {
    /// Keeps the module `source`, whose private names are in `scope`, if it is still in the session.
    #[must_use]
    pub fn keep_source(&self, scope: ScopeId, source: &Arc<dyn Source>) -> Option<KeptSource> {
        let is_there = self.linker().table.hold_source(scope, source);
        is_there.then(|| {
            let compiler = Arc::downgrade(&self.compiler);
            KeptSource { compiler, scope, is_withdrawn: false }
        })
    }
}

impl KeptSource {
    /// Takes the module out of the session, unless something of it is wanted. (Without this, a module
    /// of which nothing was ever wanted stays there: its turn may come.)
    pub fn withdraw(mut self) {
        self.is_withdrawn = true;
    }
}

impl Drop for KeptSource {
    fn drop(&mut self) {
        if let Some(compiler) = self.compiler.upgrade() {
            match self.is_withdrawn {
                true => compiler.linker.table.release(self.scope),
                false => compiler.linker.table.release_wanted(self.scope),
            }
        }
    }
}
