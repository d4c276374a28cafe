//! Workers, taken by whoever compiles and given back.
#![expect(unsafe_code, reason = "modules borrow bitcode that the pool keeps")]

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use vmkit::{Error, Result};

use crate::ffi::{self, ModuleRef, RawOptions, Worker};

/// Idle workers, the one used last on top, and the bitcode of every module.
pub(crate) struct Pool {
    options: RawOptions,
    // Dropped before the bitcode that its modules borrow.
    idle: Mutex<Vec<Member>>,
    modules: RwLock<Vec<Bitcode>>,
}

/// A module that every worker can load.
#[derive(Clone)]
struct Bitcode {
    name: Arc<str>,
    bytes: Arc<Vec<u8>>,
}

/// A worker and the modules it has loaded.
pub(crate) struct Member {
    worker: Worker,
    loaded: Vec<Option<ModuleRef>>,
}

impl Pool {
    pub(crate) fn new(options: RawOptions) -> Self {
        ffi::initialize();
        Self { options, idle: Mutex::default(), modules: RwLock::default() }
    }

    /// Bitcode of a module given as bitcode or text.
    pub(crate) fn normalize(&self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        let mut member = self.take();
        let result = member.worker.normalize(input, name);
        self.give_back(member);
        result.map_err(|what| Error::input(name, what))
    }

    /// Adds a module's bitcode; the number workers know it by.
    pub(crate) fn add(&self, name: Arc<str>, bytes: Vec<u8>) -> usize {
        let mut modules = self.modules.write();
        modules.push(Bitcode { name, bytes: Arc::new(bytes) });
        modules.len() - 1
    }

    fn take(&self) -> Member {
        let idle = self.idle.lock().pop();
        idle.unwrap_or_else(|| Member { worker: Worker::new(self.options), loaded: Vec::new() })
    }

    fn give_back(&self, member: Member) {
        self.idle.lock().push(member);
    }

    /// Lets a worker do something with a module. After a failure of LLVM's own (`Err` inside) the
    /// worker is not used again, since nobody knows what state it is in.
    pub(crate) fn with<T>(
        &self,
        module: usize,
        work: impl FnOnce(&mut Worker, ModuleRef) -> std::result::Result<T, String>,
    ) -> Result<std::result::Result<T, String>> {
        let mut member = self.take();
        let loaded = self.load(&mut member, module);
        let result = loaded.map(|loaded| work(&mut member.worker, loaded));
        if let Ok(Ok(_)) = result {
            self.give_back(member);
        } else {
            // Its destructors could meet what the failure left half done.
            std::mem::forget(member);
        }
        result
    }

    fn load(&self, member: &mut Member, module: usize) -> Result<ModuleRef> {
        if member.loaded.len() <= module {
            member.loaded.resize(module + 1, None);
        }
        if let Some(loaded) = member.loaded[module] {
            return Ok(loaded);
        }
        let Bitcode { name, bytes } = self.modules.read()[module].clone();
        // SAFETY: `modules` only grows, and is dropped after the workers; one that is forgotten
        // is never used again.
        let loaded = unsafe { member.worker.load(&bytes, &name) };
        let loaded = loaded.map_err(|what| Error::input(name, what))?;
        member.loaded[module] = Some(loaded);
        Ok(loaded)
    }
}
