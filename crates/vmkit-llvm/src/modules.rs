//! The modules of a backend, in the order they were added, as long as something of each is wanted.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use vmkit::{KeptSource, ScopeId, Session, Source};

use crate::module::Module;

/// What is known of the modules that were added; their session keeps them.
#[derive(Default)]
pub(crate) struct Modules(Mutex<Vec<Added>>);

/// A module that was added, and may be gone.
#[derive(Clone)]
pub(crate) struct Added {
    name: Arc<str>,
    pub(crate) home: ScopeId,
    module: Weak<Module>,
}

/// A module that stays in its session meanwhile.
pub(crate) struct Kept {
    pub(crate) module: Arc<Module>,
    _kept: KeptSource,
}

impl Added {
    /// The module, if the session still has it.
    pub(crate) fn keep(&self, session: &Session) -> Option<Kept> {
        let module = self.module.upgrade()?;
        let source: Arc<dyn Source> = module.clone();
        let kept = session.keep_source(module.scope(), &source)?;
        Some(Kept { module, _kept: kept })
    }
}

impl Modules {
    pub(crate) fn push(&self, module: &Arc<Module>) {
        let (name, home) = (module.name.clone(), module.home);
        let module = Arc::downgrade(module);
        self.put(Added { name, home, module });
    }

    /// Adds one; of those of its name that are gone, it takes the place.
    pub(crate) fn put(&self, added: Added) {
        let mut modules = self.0.lock();
        // Looking at all each time would cost more than adding them.
        if modules.len() == modules.capacity() {
            modules.retain(|other| other.name != added.name || other.module.strong_count() > 0);
        }
        modules.push(added);
    }

    /// Takes out the one of this name that was added last.
    pub(crate) fn take(&self, name: &str) -> Option<Added> {
        let mut modules = self.0.lock();
        let place = modules.iter().rposition(|module| &*module.name == name)?;
        Some(modules.remove(place))
    }

    /// Those that are there.
    pub(crate) fn kept(&self, session: &Session) -> Vec<Kept> {
        let modules = self.0.lock().clone();
        modules.iter().filter_map(|module| module.keep(session)).collect()
    }
}
