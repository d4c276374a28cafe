//! The backend of a session: adds modules to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vmkit::{Error, Result, ScopeId, Session, SymbolId};

use crate::adding::{Others, is_definition, symbol_of};
use crate::closure::said;
use crate::ffi::{Kind, RawOptions, Symbol};
use crate::loaded::Loaded;
use crate::module::{Clocks, Module};
use crate::modules::Modules;
use crate::pool::Pool;

/// How much LLVM optimizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// Not at all: the quickest compile.
    #[default]
    O0,
    /// Within a function, quickly.
    O1,
    /// As `clang -O2` does a module of one function.
    O2,
    /// As `clang -O3` does.
    O3,
}

/// How modules are compiled.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much LLVM optimizes.
    pub level: Level,
    /// Keep debug information (it makes loading slower).
    pub keep_debug: bool,
    /// Reach all data through slots: for sessions whose reach was shrunk.
    pub far_data: bool,
    /// Inline functions into those that call them, whatever modules they are in. Nothing is at
    /// [`Level::O0`].
    pub inlining: bool,
    /// Use all instructions that this processor has, in functions that name no processor of their
    /// own; else those that every x86-64 processor has.
    pub native_cpu: bool,
    /// Compile such that functions and data can be redefined: of what is inlined the session knows,
    /// but what else a definition tells its module's own code, such as that it does not throw, or
    /// the value of a constant, is left unused.
    pub redefinition: bool,
    /// Say what code takes functions to be, for sessions that compare that with what they are
    /// ([`vmkit::Builder::signatures`]).
    pub signatures: bool,
    /// Have functions that name a garbage collector ask at their entry and in their loops whether to
    /// stop: they read `vmkit_safepoint_flag`, and call `vmkit_safepoint` while it is not zero (see
    /// [`vmkit::safepoint::Safepoints`]). That is put into them when they have been optimized: what
    /// is changed while a thread stands still, other than references in its frames and in objects,
    /// must be read and written as `volatile`. A thread's free memory for new objects is an example.
    pub polls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Level::default(),
            keep_debug: false,
            far_data: false,
            inlining: true,
            native_cpu: false,
            redefinition: true,
            signatures: false,
            polls: false,
        }
    }
}

/// LLVM, compiling for one session. Cloning gives another handle of the same.
#[derive(Clone)]
pub struct Llvm {
    pub(crate) session: Session,
    pub(crate) pool: Arc<Pool>,
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) modules: Arc<Modules>,
}

/// Seconds that LLVM spent, on all compile threads together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Loading modules.
    pub load: f64,
    /// Reading function bodies and cloning them into modules of their own.
    pub materialize: f64,
    /// Optimizing.
    pub optimize: f64,
    /// Generating code.
    pub codegen: f64,
}

impl Llvm {
    /// A backend that adds to `session`.
    #[must_use]
    pub fn new(session: &Session, options: Options) -> Self {
        let raw = RawOptions {
            level: options.level as u8,
            keep_debug: options.keep_debug.into(),
            far_data: options.far_data.into(),
            inlining: options.inlining.into(),
            native_cpu: options.native_cpu.into(),
            redefinition: options.redefinition.into(),
            polls: options.polls.into(),
        };
        Self {
            session: session.clone(),
            pool: Arc::new(Pool::new(session.downgrade(), raw, options.signatures)),
            clocks: Arc::default(),
            modules: Arc::default(),
        }
    }

    /// Adds a module given as bitcode or as IR text. Text is verified; of bitcode, LLVM is taken to have
    /// written it from a module that is valid.
    ///
    /// # Errors
    ///
    /// Damaged input, a module for another target, or a second strong definition of a name.
    pub fn add(&self, name: &str, input: Vec<u8>) -> Result<Loaded> {
        self.add_in(ScopeId::GLOBAL, name, input)
    }

    /// As [`Llvm::add`], to a scope of the session's ([`Session::add_scope`]).
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`].
    pub fn add_in(&self, scope: ScopeId, name: &str, input: Vec<u8>) -> Result<Loaded> {
        let start = Instant::now();
        let loaded = self.load(scope, name, input);
        self.clocks.load.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        loaded
    }

    /// Adds another version of a module, known by the same name. The functions that both define are
    /// redefined, those that the new one leaves out are removed, and those that only it has are added;
    /// data that both define stays as it is. Gives what is new.
    ///
    /// All or nothing: after an error, the version that was there is wholly in place. Calls that start
    /// after this has returned run the new version; calls meanwhile may run new functions that call old
    /// ones, or the other way round (see [`Session::redefine_together`]).
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`]; no module has this name; a function is of another type than the one it is to
    /// take the place of; one cannot be redefined (see [`Session::redefine`]); or an alias, an ifunc or
    /// module assembly would take a place.
    pub fn replace(&self, name: &str, input: Vec<u8>) -> Result<Loaded> {
        self.replace_as(name, input, Others::KeepData)
    }

    /// As [`Llvm::replace`], and data that both versions define starts anew as well (see
    /// [`Session::redefine_data`]).
    ///
    /// # Errors
    ///
    /// As for [`Llvm::replace`], and data that cannot be redefined.
    pub fn replace_all(&self, name: &str, input: Vec<u8>) -> Result<Loaded> {
        self.replace_as(name, input, Others::GiveWay)
    }

    /// Adds a copy of an inkwell module, which stays the caller's.
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`], and IR that LLVM's verifier finds invalid.
    pub fn add_module(&self, module: &inkwell::module::Module<'_>) -> Result<Loaded> {
        let name = module.get_name().to_string_lossy().into_owned();
        if let Err(error) = module.verify() {
            return Err(Error::input(name, format!("invalid IR: {}", said(&error))));
        }
        self.add(&name, module.write_bitcode_to_memory().as_slice().to_vec())
    }

    pub(crate) fn check_scope(&self, scope: ScopeId) -> Result<()> {
        match self.session.has_scope(scope) {
            true => Ok(()),
            false => Err(Error::other("a scope of another session: make one here")),
        }
    }

    /// Every function that the modules define, private ones too.
    ///
    /// # Errors
    ///
    /// A module that can no longer be read.
    pub fn functions(&self) -> Result<Vec<SymbolId>> {
        let mut functions = Vec::new();
        for kept in self.modules.kept(&self.session) {
            let module = &*kept.module;
            functions.extend(self.read_functions(module, |key, symbol| {
                let places = (module.scope(), module.home);
                let is_defined = is_definition(symbol.linkage);
                is_defined.then(|| symbol_of(&self.session, places, key, symbol))
            })?);
        }
        Ok(functions)
    }

    /// What `look` makes of a module's functions, given their keys.
    pub(crate) fn read_functions<T>(
        &self,
        module: &Module,
        look: impl Fn(u32, &Symbol<'_>) -> Option<T>,
    ) -> Result<Vec<T>> {
        let found = self.pool.with(module.number, |worker, raw| {
            let index = worker.index(raw)?;
            let functions = index.symbols().filter(|(_, symbol)| symbol.kind == Kind::Function);
            Ok(functions.filter_map(|(key, symbol)| look(key, &symbol)).collect())
        })?;
        found.map_err(|what| Error::input(module.name.clone(), what))
    }

    /// How many bodies of functions became part of others, each counted once in a function.
    #[must_use]
    pub fn functions_inlined(&self) -> u64 {
        self.clocks.inlined.load(Ordering::Relaxed)
    }

    /// Time spent so far.
    #[must_use]
    pub fn times(&self) -> Times {
        let seconds = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / 1e9;
        Times {
            load: seconds(&self.clocks.load),
            materialize: seconds(&self.clocks.materialize),
            optimize: seconds(&self.clocks.optimize),
            codegen: seconds(&self.clocks.codegen),
        }
    }
}
