//! The backend of a session: adds modules to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use vmkit::graph::{Binding, Place};
use vmkit::{Descriptor, Error, Name, Result, ScopeId, Session, SymbolId, SymbolKind, Unit};

use crate::adding::{Adding, is_definition};
use crate::ffi::{self, Index, Kind, RawOptions, Symbol};
use crate::module::{ASSEMBLY, Clocks, Module};
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
    /// Have functions that name a garbage collector ask at their entry and in their loops whether to
    /// stop: they read `vmkit_safepoint_flag`, and call `vmkit_safepoint` while it is not zero (see
    /// [`vmkit::safepoint::Safepoints`]).
    pub polls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Level::default(),
            keep_debug: false,
            far_data: false,
            inlining: true,
            polls: false,
        }
    }
}

/// LLVM, compiling for one session.
pub struct Llvm {
    pub(crate) session: Session,
    pub(crate) pool: Arc<Pool>,
    clocks: Arc<Clocks>,
    pub(crate) modules: Mutex<Vec<Arc<Module>>>,
}

/// What a module brought along.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// How many functions it defines, private ones too.
    pub functions: u64,
    /// Functions to run before the program, in the module's order.
    pub constructors: Vec<Structor>,
    /// Functions to run after the program, in the module's order.
    pub destructors: Vec<Structor>,
    /// Data that holds addresses of functions to run before or after the program.
    pub arrays: Vec<StructorArray>,
    /// Names it needs from elsewhere.
    pub undefined: Vec<Name>,
}

/// A function to run before or after the program.
#[derive(Clone, Copy, Debug)]
pub struct Structor {
    /// Smaller numbers run first at the start, last at the end.
    pub priority: u16,
    /// The function.
    pub function: SymbolId,
}

/// Data that the program itself put among the addresses of constructors or destructors.
#[derive(Clone, Copy, Debug)]
pub struct StructorArray {
    /// As of [`Structor`].
    pub priority: u16,
    /// Whether its functions run before the program, rather than after.
    pub is_before: bool,
    /// The data: addresses of functions.
    pub data: SymbolId,
    /// Its size in bytes.
    pub size: u64,
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
            polls: options.polls.into(),
        };
        Self {
            session: session.clone(),
            pool: Arc::new(Pool::new(session.downgrade(), raw)),
            clocks: Arc::default(),
            modules: Mutex::default(),
        }
    }

    /// Adds a module given as bitcode or as IR text.
    ///
    /// # Errors
    ///
    /// Damaged input, a module for another target, or a second strong definition of a name.
    pub fn add(&self, name: &str, input: Vec<u8>) -> Result<Loaded> {
        let start = Instant::now();
        let loaded = self.add_uncounted(name, input);
        self.clocks.load.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        loaded
    }

    /// Adds a copy of an inkwell module, which stays the caller's.
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`].
    pub fn add_module(&self, module: &inkwell::module::Module<'_>) -> Result<Loaded> {
        let name = module.get_name().to_string_lossy().into_owned();
        self.add(&name, module.write_bitcode_to_memory().as_slice().to_vec())
    }

    fn add_uncounted(&self, name: &str, input: Vec<u8>) -> Result<Loaded> {
        let bitcode = match is_bitcode(&input) {
            true => input,
            false => self.pool.normalize(name, &input)?,
        };
        let name: Arc<str> = name.into();
        let number = self.pool.add(name.clone(), bitcode);
        let indexed = self.pool.with(number, |worker, module| {
            let index = worker.index(module)?;
            Ok(self.define(&name, number, &index))
        })?;
        let (module, loaded, has_asm) =
            indexed.map_err(|what| Error::input(name.clone(), what))??;
        if has_asm {
            module.assemble()?;
            self.define_assembly(&module)?;
        }
        self.modules.lock().push(module);
        Ok(loaded)
    }

    /// Tells the session what a module defines.
    fn define(
        &self,
        name: &Arc<str>,
        number: usize,
        index: &Index<'_>,
    ) -> Result<(Arc<Module>, Loaded, bool)> {
        let is_whole = |symbol: &&Symbol<'_>| symbol.is_whole;
        let whole = index.symbols.iter().enumerate().filter(|(_, symbol)| is_whole(symbol));
        let module = Arc::new(Module {
            name: name.clone(),
            pool: self.pool.clone(),
            clocks: self.clocks.clone(),
            number,
            scope: OnceLock::new(),
            kinds: index.symbols.iter().map(|symbol| symbol.kind).collect(),
            units: whole.map(|(key, symbol)| (key as u32, symbol.unit)).collect(),
            assembly: OnceLock::new(),
        });
        let scope = self.session.add_source(module.clone());
        module.scope.set(scope).expect("the scope is set here only");
        self.pool.set_scope(number, scope);
        let adding = Adding { session: &self.session, scope, index };
        let loaded = adding.run()?;
        Ok((module, loaded, index.has_asm))
    }

    /// Tells the session what a module's assembly defines.
    fn define_assembly(&self, module: &Arc<Module>) -> Result<()> {
        let Some(assembly) = module.assembly.get() else { return Ok(()) };
        let scope = module.scope();
        for symbol in &assembly.graph.symbols {
            let Binding::Global(linkage) = symbol.binding else { continue };
            let kind = symbol.kind.unwrap_or(SymbolKind::Data);
            let descriptor = Descriptor {
                linkage,
                visibility: symbol.visibility,
                ..Descriptor::strong(symbol.name.clone(), kind)
            };
            if symbol.place != Place::Undefined {
                self.session.define(&descriptor, scope, ASSEMBLY, Unit::Whole)?;
            }
        }
        Ok(())
    }

    /// Every function that the modules define, private ones too.
    ///
    /// # Errors
    ///
    /// A module that can no longer be read.
    pub fn functions(&self) -> Result<Vec<SymbolId>> {
        let mut functions = Vec::new();
        for module in self.modules.lock().iter() {
            let found = self.pool.with(module.number, |worker, raw| {
                let index = worker.index(raw)?;
                let scope = module.scope();
                let defined = index.symbols.iter().enumerate().filter(|(_, symbol)| {
                    symbol.kind == Kind::Function && is_definition(symbol.linkage)
                });
                Ok(defined.map(|(key, symbol)| self.symbol(scope, key, symbol)).collect::<Vec<_>>())
            })?;
            functions.extend(found.map_err(|what| Error::input(module.name.clone(), what))?);
        }
        Ok(functions)
    }

    fn symbol(&self, scope: ScopeId, key: usize, symbol: &Symbol<'_>) -> SymbolId {
        let name = Name::new(symbol.name);
        match symbol.linkage {
            ffi::Linkage::Private => self.session.private(scope, &name, key as u64),
            _ => self.session.symbol_of(&name),
        }
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

/// Bitcode starts with `BC` 0xC0DE, or with the wrapper's magic number.
fn is_bitcode(input: &[u8]) -> bool {
    input.starts_with(b"BC\xc0\xde") || input.starts_with(&0x0b17_c0de_u32.to_le_bytes())
}
