//! Workers, taken by whoever compiles and given back.
#![expect(unsafe_code, reason = "modules borrow bitcode that the pool keeps")]

use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use vmkit::{Error, Name, Result, ScopeId, Session, SymbolId, WeakSession};

use crate::closure::Closure;
use crate::ffi::{self, Bitcode, Index, ModuleRef, Names, Object, RawOptions, Worker};
use crate::generation::Generation;
use crate::idle::{Idle, Member};

/// Idle workers, and the bitcode of every module.
pub(crate) struct Pool {
    options: RawOptions,
    /// Do graphs say what code takes functions to be?
    pub(crate) says_signatures: bool,
    session: WeakSession,
    // Dropped before the bitcode that its modules borrow.
    idle: Idle,
    modules: RwLock<Vec<Option<Bitcode>>>,
    /// The generation of new workers.
    current: Mutex<Arc<Generation>>,
    /// Numbers of modules that are gone.
    free: Arc<Mutex<Vec<usize>>>,
    /// The scope of each module's private names, by the module's number, and back.
    scopes: RwLock<Vec<Option<ScopeId>>>,
    numbers: RwLock<FxHashMap<ScopeId, usize>>,
    /// What builds a module when it is wanted, by the scope that the session knows it by.
    closures: RwLock<FxHashMap<ScopeId, Weak<Closure>>>,
    /// What was assumed when a module was built, by its number; those of which nothing was are left
    /// out.
    assumptions: RwLock<FxHashMap<usize, Arc<[SymbolId]>>>,
}

impl Pool {
    pub(crate) fn new(session: WeakSession, options: RawOptions, says_signatures: bool) -> Self {
        ffi::initialize();
        let free = Arc::<Mutex<Vec<usize>>>::default();
        Self {
            options,
            says_signatures,
            session,
            idle: Idle::default(),
            modules: RwLock::default(),
            current: Mutex::new(Arc::new(Generation::new(free.clone()))),
            free,
            scopes: RwLock::default(),
            numbers: RwLock::default(),
            closures: RwLock::default(),
            assumptions: RwLock::default(),
        }
    }

    /// The session, unless it is going.
    pub(crate) fn session(&self) -> Result<Session> {
        self.session.upgrade().ok_or_else(|| Error::other("the session is gone"))
    }

    /// Bitcode of a module given as bitcode or text.
    pub(crate) fn normalize(&self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        let mut member = self.take(None);
        let result = member.worker.normalize(input, name);
        self.give_back(member);
        result.map_err(|what| Error::input(name, what))
    }

    /// The names that bitcode defines for other modules.
    pub(crate) fn defined_names(&self, name: &str, bitcode: &[u8]) -> Result<Vec<Name>> {
        let mut member = self.take(None);
        let result = member.worker.defined_names(bitcode, name);
        self.give_back(member);
        result.map_err(|what| Error::input(name, what))
    }

    /// Has what a module defines looked at that was added under a number. If that fails, it is gone
    /// again.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        number: usize,
        look: impl FnOnce(usize, &Index<'_>) -> Result<T>,
    ) -> Result<T> {
        let found = self.with(number, |worker, module| {
            let index = worker.index(module)?;
            Ok(look(number, &index))
        });
        let found = found.and_then(|found| found.map_err(|what| Error::input(name, what))?);
        if found.is_err() && self.scopes.read().get(number).is_none_or(Option::is_none) {
            self.remove(number);
        }
        found
    }

    /// Adds a module's bitcode; the number that workers know it by.
    pub(crate) fn add(&self, name: Arc<str>, bytes: Vec<u8>) -> usize {
        let free = self.free.lock().pop();
        let mut modules = self.modules.write();
        let number = free.unwrap_or(modules.len());
        let bitcode = Some(Bitcode { number, name, bytes: Arc::new(bytes) });
        match modules.get_mut(number) {
            Some(module) => *module = bitcode,
            None => modules.push(bitcode),
        }
        number
    }

    /// Drops a module, as soon as no worker can have it loaded.
    pub(crate) fn remove(&self, number: usize) {
        self.assumptions.write().remove(&number);
        let bitcode = self.modules.write()[number].take();
        if let Some(scope) = self.scopes.write().get_mut(number).and_then(Option::take) {
            // The session may have given the scope to another module already.
            let mut numbers = self.numbers.write();
            if numbers.get(&scope) == Some(&number) {
                numbers.remove(&scope);
            }
        }
        let Some(bitcode) = bitcode else { return };
        let mut current = self.current.lock();
        if current.bury(bitcode) {
            *current = current.succeed();
            let old = self.idle.take_all();
            drop(current);
            drop(old);
        }
    }

    /// Notes what builds a module.
    pub(crate) fn add_closure(&self, scope: ScopeId, closure: &Arc<Closure>) {
        self.closures.write().insert(scope, Arc::downgrade(closure));
    }

    pub(crate) fn remove_closure(&self, scope: ScopeId) {
        self.closures.write().remove(&scope);
    }

    /// Notes what was assumed when a module was built.
    pub(crate) fn assume(&self, number: usize, assumptions: Arc<[SymbolId]>) {
        self.assumptions.write().insert(number, assumptions);
    }

    /// What is assumed by code that has bodies of a module inlined.
    pub(crate) fn assumptions(&self, number: usize) -> Option<Arc<[SymbolId]>> {
        self.assumptions.read().get(&number).cloned()
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

    /// An idle worker, if there is one.
    fn take(&self, module: Option<usize>) -> Member {
        self.idle.take(module).unwrap_or_else(|| {
            let generation = self.current.lock().clone();
            Member { worker: Worker::new(self.options), generation }
        })
    }

    fn give_back(&self, member: Member) {
        let current = self.current.lock();
        if Arc::ptr_eq(&current, &member.generation) {
            self.idle.put(member);
        }
    }

    /// Lets a worker do something with a module. After a failure of LLVM's own (`Err` inside) the
    /// worker is not used again, since nobody knows what state it is in.
    pub(crate) fn with<T>(
        &self,
        module: usize,
        work: impl FnOnce(&mut Worker, ModuleRef) -> std::result::Result<T, String>,
    ) -> Result<std::result::Result<T, String>> {
        let mut member = self.take(Some(module));
        let loaded = self.load(&mut member.worker, module);
        let result = loaded.map(|loaded| work(&mut member.worker, loaded));
        if let Ok(Ok(_)) = result {
            self.give_back(member);
        } else {
            // Its destructors could meet what the failure left half done.
            std::mem::forget(member);
        }
        result
    }

    /// Has a worker of its own load the modules of these numbers, as far as they can be.
    pub(crate) fn load_all(&self, mut modules: impl Iterator<Item = usize>) {
        let generation = self.current.lock().clone();
        let mut member = Member { worker: Worker::new(self.options), generation };
        match modules.all(|module| self.load(&mut member.worker, module).is_ok()) {
            true => self.give_back(member),
            // As in `with`.
            false => std::mem::forget(member),
        }
    }

    /// Has the worker that this thread used last drop what its last compile left behind.
    pub(crate) fn tidy(&self) {
        if let Some(mut member) = self.idle.take_own() {
            match member.worker.tidy() {
                Ok(()) => self.give_back(member),
                // As in `with`.
                Err(_) => std::mem::forget(member),
            }
        }
    }

    /// Is it so that what one worker has loaded, no other will need?
    pub(crate) fn keeps_apart(&self) -> bool {
        self.options.level == 0
    }

    fn load(&self, worker: &mut Worker, module: usize) -> Result<ModuleRef> {
        let bitcode = self.modules.read()[module].clone();
        let bitcode = bitcode.ok_or_else(|| Error::other("a module that was dropped"))?;
        // SAFETY: the worker's generation keeps what is removed; a worker that is forgotten keeps it
        // for ever.
        let loaded = unsafe { worker.load(&bitcode) };
        loaded.map_err(|what| Error::input(bitcode.name, what))
    }

    /// Has `worker`, one of the pool's, compile the unit `key` of a module whose shared names are in
    /// the scope `home`.
    pub(crate) fn compile<'a>(
        &self,
        worker: &'a mut Worker,
        module: ModuleRef,
        key: u32,
        home: ScopeId,
    ) -> std::result::Result<Object<'a>, String> {
        let is_inlining = self.options.inlining != 0 && self.options.level > 0;
        let view = View { pool: self, home };
        // SAFETY: as in `load`.
        unsafe { worker.compile(module, key, is_inlining.then_some(&view as &dyn Names)) }
    }
}

/// The names as modules of a scope mean them.
struct View<'a> {
    pool: &'a Pool,
    home: ScopeId,
}

impl View<'_> {
    fn find(&self, name: &[u8]) -> Option<(Session, SymbolId)> {
        let session = self.pool.session.upgrade()?;
        let id = match self.home {
            ScopeId::GLOBAL => session.find_name(&Name::new(name))?,
            home => session.symbol_in(home, &Name::new(name)),
        };
        Some((session, id))
    }
}

impl Names for View<'_> {
    fn definition(&self, name: &[u8]) -> Option<(Bitcode, u32)> {
        let (session, id) = self.find(name)?;
        let (scope, key) = session.body(id).or_else(|| session.data(id))?;
        let closure = self.pool.closures.read().get(&scope).and_then(Weak::upgrade);
        let (number, key) = match closure {
            Some(closure) => closure.body()?,
            None => {
                let number = *self.pool.numbers.read().get(&scope)?;
                (number, u32::try_from(key).ok()?)
            }
        };
        Some((self.pool.modules.read()[number].clone()?, key))
    }

    fn is_alias(&self, name: &[u8]) -> bool {
        self.find(name).is_some_and(|(session, id)| session.is_alias(id))
    }
}
