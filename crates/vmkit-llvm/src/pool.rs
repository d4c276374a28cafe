//! Workers, taken by whoever compiles and given back.
#![expect(unsafe_code, reason = "modules borrow bitcode that the pool keeps")]

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use vmkit::{Error, Name, Result, ScopeId, WeakSession};

use crate::ffi::{self, Bitcode, ModuleRef, Names, Object, RawOptions, Worker};

/// Idle workers, the one used last on top, and the bitcode of every module.
pub(crate) struct Pool {
    options: RawOptions,
    session: WeakSession,
    // Dropped before the bitcode that its modules borrow.
    idle: Mutex<Vec<Worker>>,
    modules: RwLock<Vec<Bitcode>>,
    /// The scope of each module's private names, by the module's number, and back.
    scopes: RwLock<Vec<Option<ScopeId>>>,
    numbers: RwLock<FxHashMap<ScopeId, usize>>,
}

impl Pool {
    pub(crate) fn new(session: WeakSession, options: RawOptions) -> Self {
        ffi::initialize();
        Self {
            options,
            session,
            idle: Mutex::default(),
            modules: RwLock::default(),
            scopes: RwLock::default(),
            numbers: RwLock::default(),
        }
    }

    /// Bitcode of a module given as bitcode or text.
    pub(crate) fn normalize(&self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        let mut worker = self.take();
        let result = worker.normalize(input, name);
        self.give_back(worker);
        result.map_err(|what| Error::input(name, what))
    }

    /// Adds a module's bitcode; the number workers know it by.
    pub(crate) fn add(&self, name: Arc<str>, bytes: Vec<u8>) -> usize {
        let mut modules = self.modules.write();
        let number = modules.len();
        modules.push(Bitcode { number, name, bytes: Arc::new(bytes) });
        number
    }

    /// Notes the scope that the session gave to a module.
    pub(crate) fn set_scope(&self, number: usize, scope: ScopeId) {
        let mut scopes = self.scopes.write();
        if scopes.len() <= number {
            scopes.resize(number + 1, None);
        }
        scopes[number] = Some(scope);
        self.numbers.write().insert(scope, number);
    }

    /// The scope of a module that was added to the session.
    pub(crate) fn scope(&self, number: usize) -> ScopeId {
        self.scopes.read()[number].expect("code comes from modules of the session")
    }

    fn take(&self) -> Worker {
        let idle = self.idle.lock().pop();
        idle.unwrap_or_else(|| Worker::new(self.options))
    }

    fn give_back(&self, worker: Worker) {
        self.idle.lock().push(worker);
    }

    /// Lets a worker do something with a module. After a failure of LLVM's own (`Err` inside) the
    /// worker is not used again, since nobody knows what state it is in.
    pub(crate) fn with<T>(
        &self,
        module: usize,
        work: impl FnOnce(&mut Worker, ModuleRef) -> std::result::Result<T, String>,
    ) -> Result<std::result::Result<T, String>> {
        let mut worker = self.take();
        let loaded = self.load(&mut worker, module);
        let result = loaded.map(|loaded| work(&mut worker, loaded));
        if let Ok(Ok(_)) = result {
            self.give_back(worker);
        } else {
            // Its destructors could meet what the failure left half done.
            std::mem::forget(worker);
        }
        result
    }

    fn load(&self, worker: &mut Worker, module: usize) -> Result<ModuleRef> {
        let bitcode = self.modules.read()[module].clone();
        // SAFETY: `modules` only grows, and is dropped after the workers; one that is forgotten
        // is never used again.
        let loaded = unsafe { worker.load(&bitcode) };
        loaded.map_err(|what| Error::input(bitcode.name, what))
    }

    /// Has `worker`, one of the pool's, compile the unit `key`.
    pub(crate) fn compile<'a>(
        &self,
        worker: &'a mut Worker,
        module: ModuleRef,
        key: u32,
    ) -> std::result::Result<Object<'a>, String> {
        let is_inlining = self.options.inlining != 0 && self.options.level > 0;
        // SAFETY: as in `load`.
        unsafe { worker.compile(module, key, is_inlining.then_some(self)) }
    }
}

impl Names for Pool {
    fn body(&self, name: &[u8]) -> Option<(Bitcode, u32)> {
        let session = self.session.upgrade()?;
        let (scope, key) = session.body(session.find_name(&Name::new(name))?)?;
        let number = *self.numbers.read().get(&scope)?;
        Some((self.modules.read()[number].clone(), u32::try_from(key).ok()?))
    }

    fn is_alias(&self, name: &[u8]) -> bool {
        let Some(session) = self.session.upgrade() else { return false };
        session.find_name(&Name::new(name)).is_some_and(|id| session.is_alias(id))
    }
}
