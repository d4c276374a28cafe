//! Functions whose IR is built when they are first called.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, OnceLock};

use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::module::{Linkage, Module as Ir};
use inkwell::support::LLVMString;
use inkwell::values::FunctionValue;
use parking_lot::Mutex;
use vmkit::graph::{Dependency, LinkGraph};
use vmkit::{
    Error, KeptSource, Name, Private, Result, ScopeId, Session, Source, SymbolId, SymbolKind, Unit,
};

use crate::llvm::Llvm;
use crate::module::{Clocks, Module};
use crate::pool::Pool;
use crate::signature;

/// The key of what a closure builds.
pub(crate) const BUILT: u64 = 0;

/// A function being built.
pub struct Building<'ctx> {
    context: &'ctx Context,
    module: Ir<'ctx>,
    function: FunctionValue<'ctx>,
    session: Session,
    assumptions: RefCell<Vec<SymbolId>>,
    is_apart: Cell<bool>,
}

/// What builds a function.
type Build = Box<dyn Fn(&Building<'_>) -> Result<()> + Send + Sync>;

/// A module of one function, made when it is wanted.
pub(crate) struct Closure {
    // Not the backend, which keeps the session, which keeps this.
    pool: Arc<Pool>,
    clocks: Arc<Clocks>,
    name: Arc<str>,
    signature: String,
    home: ScopeId,
    scope: OnceLock<ScopeId>,
    build: Build,
    built: Mutex<Option<Built>>,
}

/// What a closure has built.
#[derive(Clone)]
struct Built {
    module: Arc<Module>,
    /// Keeps it in the session: what is inlined of it names what is private to it.
    _kept: Arc<KeptSource>,
    key: u32,
    assumptions: Arc<[SymbolId]>,
    /// The session's time when it was begun.
    began: u32,
    /// Was it compiled? Then, the next time, things may be different.
    is_used: bool,
}

impl<'ctx> Building<'ctx> {
    /// The context to build in.
    #[must_use]
    pub fn context(&self) -> &'ctx Context {
        self.context
    }

    /// The function's module. Other functions and variables that it defines are its own: nobody else
    /// sees their names.
    ///
    /// Only what is of [its context](Building::context) can be put into it; the compiler refuses all
    /// else:
    ///
    /// ```compile_fail
    /// # fn define(llvm: &vmkit_llvm::Llvm) -> vmkit::Result<()> {
    /// llvm.define_lazy("f", "void ()", |building| {
    ///     let context = inkwell::context::Context::create();
    ///     let other = context.create_module("other");
    ///     building.module().link_in_module(other).map_err(vmkit::Error::other)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn module(&self) -> &Ir<'ctx> {
        &self.module
    }

    /// The function, declared and still without a body. It can also be defined by a module that is
    /// linked into [its own](Building::module); then this is nothing any more.
    #[must_use]
    pub fn function(&self) -> FunctionValue<'ctx> {
        self.function
    }

    /// Adds IR text to the module: the function's definition, or what it uses.
    ///
    /// # Errors
    ///
    /// The text is no IR, or defines what the module defines already.
    pub fn add_text(&self, text: &str) -> Result<()> {
        let text = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "text");
        let fail = |error| Error::other(said(&error));
        let module = self.context.create_module_from_ir(text).map_err(fail)?;
        self.module.link_in_module(module).map_err(fail)
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Takes an assumption for granted: when it is [invalidated](Session::invalidate), the function
    /// is built anew at its next call, and so is whatever has it inlined.
    pub fn assume(&self, assumption: SymbolId) {
        self.assumptions.borrow_mut().push(assumption);
    }

    /// Keeps the function, as it is built now, from being inlined.
    pub fn keep_apart(&self) {
        self.is_apart.set(true);
    }
}

impl Closure {
    /// A closure in a session, which stays there while it is kept or what it defines is wanted.
    pub(crate) fn new(
        llvm: &Llvm,
        home: ScopeId,
        name: &str,
        signature: String,
        build: Build,
    ) -> Result<(Arc<Self>, KeptSource)> {
        let closure = Arc::new(Self {
            pool: llvm.pool.clone(),
            clocks: llvm.clocks.clone(),
            name: name.into(),
            signature,
            home,
            scope: OnceLock::new(),
            build,
            built: Mutex::default(),
        });
        let (scope, kept) = add(&llvm.session, home, closure.clone())?;
        closure.scope.set(scope).expect("set here only");
        llvm.pool.add_closure(scope, &closure);
        Ok((closure, kept))
    }

    pub(crate) fn scope(&self) -> ScopeId {
        *self.scope.get().expect("a closure is added before it is used")
    }

    /// What is to be inlined of it: the pool's number of the module, and the key.
    pub(crate) fn body(&self) -> Option<(usize, u32)> {
        // A closure that builds calls of itself has no body to inline yet.
        let mut built = self.built.try_lock()?;
        if !built.as_ref().is_some_and(|built| self.holds(built)) {
            *built = self.make().ok();
        }
        built.as_ref().map(|built| (built.module.number, built.key))
    }

    fn take(&self) -> Result<Built> {
        let mut built = self.built.lock();
        let mut fresh = match built.take() {
            Some(built) if !built.is_used && self.holds(&built) => built,
            _ => self.make()?,
        };
        fresh.is_used = true;
        *built = Some(fresh.clone());
        Ok(fresh)
    }

    /// Does everything still hold that was assumed?
    fn holds(&self, built: &Built) -> bool {
        let Ok(session) = self.pool.session() else { return false };
        !built.assumptions.iter().any(|&id| session.has_changed(id, built.began))
    }

    fn make(&self) -> Result<Built> {
        let (pool, clocks) = (&self.pool, &self.clocks);
        let began = pool.session()?.time();
        let (bitcode, assumptions) = self.run()?;
        let (module, key) =
            pool.read(&self.name, pool.add(self.name.clone(), bitcode), |number, index| {
                let name = self.name.as_bytes();
                let own = index.symbols().find(|(_, symbol)| symbol.name == name);
                let (key, _) = own.ok_or_else(|| self.fail("it was built away"))?;
                Ok((Module::new((pool, clocks), self.name.clone(), self.home, number, index), key))
            })?;
        let (scope, kept) = add(&pool.session()?, self.home, module.clone())?;
        module.set_scope(scope);
        let assumptions: Arc<[_]> = assumptions.into();
        if !assumptions.is_empty() {
            pool.assume(module.number, assumptions.clone());
        }
        Ok(Built { module, _kept: Arc::new(kept), key, assumptions, began, is_used: false })
    }

    /// Builds the function; its module as bitcode.
    fn run(&self) -> Result<(Vec<u8>, Vec<SymbolId>)> {
        let context = Context::create();
        let declaration = signature::declaration(&self.name, &self.signature);
        let declaration = declaration.ok_or_else(|| self.fail("its type is none"))?;
        let text = MemoryBuffer::create_from_memory_range_copy(declaration.as_bytes(), &self.name);
        let module = context.create_module_from_ir(text);
        let module = module.map_err(|error| self.fail(&said(&error)))?;
        let function = module.get_function(&self.name);
        let function = function.ok_or_else(|| self.fail("it cannot be declared"))?;
        let session = self.pool.session()?;
        let mut building = Building {
            context: &context,
            module,
            function,
            session,
            assumptions: RefCell::default(),
            is_apart: Cell::new(false),
        };
        (self.build)(&building)?;
        // A definition that was linked in is another value than the declaration.
        let function = building.module.get_function(&self.name);
        let function = function.ok_or_else(|| self.fail("it was built away"))?;
        building.function = function;
        if function.count_basic_blocks() == 0 {
            return Err(self.fail("it was not given a body"));
        }
        if let Err(error) = building.module.verify() {
            return Err(self.fail(&format!("invalid IR: {}", said(&error))));
        }
        if building.is_apart.get() {
            let kind = Attribute::get_named_enum_kind_id("noinline");
            let attribute = context.create_enum_attribute(kind, 0);
            function.add_attribute(AttributeLoc::Function, attribute);
        }
        building.keep_to_itself();
        let bitcode = building.module.write_bitcode_to_memory().as_slice().to_vec();
        Ok((bitcode, building.assumptions.into_inner()))
    }

    fn fail(&self, what: &str) -> Error {
        Error::compile(Name::from(&*self.name), what)
    }
}

/// What LLVM says, as it says it.
pub(crate) fn said(message: &LLVMString) -> String {
    message.to_string_lossy().trim_end().to_owned()
}

/// Adds a module to a session, and keeps it there.
fn add(session: &Session, home: ScopeId, source: Arc<dyn Source>) -> Result<(ScopeId, KeptSource)> {
    let scope = session.add_source_in(home, source.clone());
    let kept = session.keep_source(scope, &source);
    Ok((scope, kept.ok_or_else(|| Error::other("its scope was dropped meanwhile"))?))
}

impl Building<'_> {
    /// Hides everything but the function.
    fn keep_to_itself(&self) {
        for other in self.module.get_functions().filter(|other| *other != self.function) {
            if other.count_basic_blocks() > 0 {
                other.set_linkage(Linkage::Internal);
            }
        }
        for variable in self.module.get_globals() {
            if !variable.is_declaration() {
                variable.set_linkage(Linkage::Internal);
            }
        }
    }
}

impl Source for Closure {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn materialize(&self, _: u64) -> Result<LinkGraph> {
        let built = self.take()?;
        let mut graph = built.module.materialize(u64::from(built.key))?;
        graph.dependencies.extend(built.assumptions.iter().copied().map(Dependency::Assumption));
        Ok(graph)
    }

    fn tidy(&self, graph: LinkGraph) {
        self.pool.tidy();
        drop(graph);
    }

    fn body_hash(&self, _: u64) -> Option<u64> {
        let (_, key) = self.body()?;
        let module = self.built.lock().as_ref()?.module.clone();
        module.body_hash(u64::from(key))
    }

    fn signature(&self, _: u64) -> Option<String> {
        Some(self.signature.clone())
    }

    fn private(&self, key: u64) -> Private {
        Private { key, kind: SymbolKind::Function, unit: Unit::Lazy }
    }
}

impl Drop for Closure {
    fn drop(&mut self) {
        if let Some(&scope) = self.scope.get() {
            self.pool.remove_closure(scope);
        }
    }
}
