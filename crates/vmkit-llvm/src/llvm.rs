//! The backend of a session: adds modules to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustc_hash::FxHashSet;
use vmkit::graph::{Binding, Place};
use vmkit::{
    Descriptor, Error, KeptSource, Name, Result, ScopeId, Session, Source, SymbolId, SymbolKind,
    Unit, is_same_signature,
};

use crate::adding::{Adding, Others, is_definition, symbol_of};
use crate::ffi::{self, Index, Kind, RawOptions, Symbol};
use crate::loaded::Loaded;
use crate::module::{ASSEMBLY, Clocks, Module};
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

    /// Adds a module given as bitcode or as IR text.
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
        let loaded = self.add_uncounted(scope, name, input);
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

    fn replace_as(&self, name: &str, input: Vec<u8>, others: Others) -> Result<Loaded> {
        let added = self.modules.take(name);
        let added = added.ok_or_else(|| Error::other(format!("no module {name} to replace")))?;
        let old = added.keep(&self.session);
        let old = old.as_ref().map(|kept| &*kept.module);
        match self.load(added.home, name, input, others, old) {
            Ok((new, loaded)) => {
                self.modules.push(&new);
                Ok(loaded)
            }
            Err(error) => {
                self.modules.put(added);
                Err(error)
            }
        }
    }

    /// The functions that a module has defined and another version of it does not any more.
    fn left_out(&self, old: &Module, new: &Index<'_>) -> Result<Vec<SymbolId>> {
        let strong = |symbol: &Symbol<'_>| symbol.linkage == ffi::Linkage::Strong;
        let functions = new.symbols().filter(|(_, symbol)| symbol.kind == Kind::Function);
        let kept = functions.filter(|(_, symbol)| strong(symbol));
        let kept: FxHashSet<_> = kept.map(|(_, symbol)| Name::new(symbol.name)).collect();
        let is_its =
            |&id: &SymbolId| self.session.body(id).is_some_and(|(scope, _)| scope == old.scope());
        let names = self.strong_functions(old)?.into_iter().filter(|name| !kept.contains(name));
        let symbols = names.map(|name| self.session.own_symbol_in(old.home, &name));
        Ok(symbols.filter(is_its).collect())
    }

    fn strong_functions(&self, module: &Module) -> Result<Vec<Name>> {
        self.read_functions(module, |_, symbol| {
            (symbol.linkage == ffi::Linkage::Strong).then(|| Name::new(symbol.name))
        })
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

    fn add_uncounted(&self, home: ScopeId, name: &str, input: Vec<u8>) -> Result<Loaded> {
        let (module, loaded) = self.load(home, name, input, Others::Compete, None)?;
        self.modules.push(&module);
        Ok(loaded)
    }

    /// Adds a module to the session, in the place of `old` if that is still there.
    fn load(
        &self,
        home: ScopeId,
        name: &str,
        input: Vec<u8>,
        others: Others,
        old: Option<&Module>,
    ) -> Result<(Arc<Module>, Loaded)> {
        self.check_scope(home)?;
        let bitcode = match is_bitcode(&input) && !names_coroutines(&input) {
            true => input,
            false => self.pool.normalize(name, &input)?,
        };
        // Of one that cannot be added, nothing is to stay.
        let mut added = None;
        let read = self.pool.read(name, bitcode, |number, index| {
            let module = Module::new((&self.pool, &self.clocks), name.into(), home, number, index);
            if others != Others::Compete {
                self.check_types(&module, index)?;
            }
            let source: Arc<dyn Source> = module.clone();
            let scope = self.session.add_source_in(home, source.clone());
            module.set_scope(scope);
            added = Some((module, self.session.keep_source(scope, &source)));
            let adding = Adding { session: &self.session, scope, home, index, others };
            if others == Others::Compete {
                return Ok((adding.run()?, index.has_asm));
            }
            let (module, _) = added.as_ref().expect("set above");
            if index.has_asm {
                module.assemble()?;
                self.check_assembly(module)?;
            }
            let left_out = old.map_or(Ok(Vec::new()), |old| self.left_out(old, index))?;
            Ok((adding.replace(&left_out)?, index.has_asm))
        });
        let (module, kept) = match added {
            Some((module, kept)) => (module, kept),
            None => return Err(read.err().unwrap_or_else(|| Error::other("nothing was read"))),
        };
        let assembled = read.and_then(|(loaded, has_asm)| {
            if has_asm {
                if others == Others::Compete {
                    module.assemble()?;
                }
                self.define_assembly(&module)?;
            }
            Ok(loaded)
        });
        if assembled.is_err() {
            kept.into_iter().for_each(KeptSource::withdraw);
        }
        Ok((module, assembled?))
    }

    pub(crate) fn check_scope(&self, scope: ScopeId) -> Result<()> {
        match self.session.has_scope(scope) {
            true => Ok(()),
            false => Err(Error::other("a scope of another session: make one here")),
        }
    }

    /// Refuses a version of a module in which functions are of other types than those that they are to
    /// take the place of: callers would not know.
    fn check_types(&self, module: &Module, index: &Index<'_>) -> Result<()> {
        for (key, symbol) in index.symbols() {
            if symbol.linkage != ffi::Linkage::Strong {
                continue;
            }
            let name = Name::new(symbol.name);
            let id = self.session.own_symbol_in(module.home, &name);
            let Some(known) = self.session.signature(id) else { continue };
            let new = module.signature(u64::from(key)).filter(|_| symbol.kind == Kind::Function);
            if !new.as_deref().is_some_and(|new| is_same_signature(new, &known)) {
                let new = new.unwrap_or_else(|| "data".into());
                let what = format!("{name} is of the type {known}, and {new} in its place");
                return Err(Error::input(module.name.clone(), what));
            }
        }
        Ok(())
    }

    /// Refuses assembly that defines what is defined already.
    fn check_assembly(&self, module: &Module) -> Result<()> {
        let Some(assembly) = module.assembly.get() else { return Ok(()) };
        let defined = assembly.graph.symbols.iter().filter(|symbol| {
            symbol.place != Place::Undefined && matches!(symbol.binding, Binding::Global(_))
        });
        let mut taken = defined.filter(|symbol| {
            let id = self.session.own_symbol_in(module.home, &symbol.name);
            self.session.is_defined(id)
        });
        let refuse = |name: &Name| {
            let what = format!("{name} cannot be replaced: it is module assembly");
            Err(Error::input(module.name.clone(), what))
        };
        taken.next().map_or(Ok(()), |symbol| refuse(&symbol.name))
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
    fn read_functions<T>(
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

/// Are there coroutines that may not be split yet? Names stand in bitcode as they are.
fn names_coroutines(bitcode: &[u8]) -> bool {
    memchr::memmem::find(bitcode, b"llvm.coro.").is_some()
}

/// Bitcode starts with `BC` 0xC0DE, or with the wrapper's magic number.
fn is_bitcode(input: &[u8]) -> bool {
    input.starts_with(b"BC\xc0\xde") || input.starts_with(&0x0b17_c0de_u32.to_le_bytes())
}
