//! Workers come in generations, so that what they have loaded can go.
//!
//! A worker keeps the modules it has loaded, and code of one may be part of another there. So modules
//! are not unloaded one by one: once many are gone, all workers are replaced by new ones.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::ffi::Bitcode;

/// So many modules go before workers are replaced.
const MOST_BURIED: usize = 256;

/// Workers made between two replacements, and the modules that went meanwhile: each worker holds its
/// generation, and so all later ones, too, whose modules it may have loaded.
pub(crate) struct Generation {
    buried: Mutex<Vec<Bitcode>>,
    /// Where the numbers of those go that no worker can know any more.
    free: Arc<Mutex<Vec<usize>>>,
    next: OnceLock<Arc<Self>>,
}

impl Generation {
    pub(crate) fn new(free: Arc<Mutex<Vec<usize>>>) -> Self {
        Self { buried: Mutex::default(), free, next: OnceLock::new() }
    }

    /// Keeps a module that is gone until no worker of this generation is left; tells whether it is
    /// time for another generation.
    pub(crate) fn bury(&self, module: Bitcode) -> bool {
        let mut buried = self.buried.lock();
        buried.push(module);
        buried.len() >= MOST_BURIED
    }

    /// The generation after this one.
    pub(crate) fn succeed(&self) -> Arc<Self> {
        self.next.get_or_init(|| Arc::new(Self::new(self.free.clone()))).clone()
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        let buried = self.buried.get_mut().drain(..);
        self.free.lock().extend(buried.map(|module| module.number));
    }
}
