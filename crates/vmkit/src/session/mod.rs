//! The session: the one face of everything else.

mod builder;
mod definitions;
mod dispatch;
mod kept;
mod libraries;
mod machine;
mod redefinition;

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Instant;

pub use self::builder::Builder;
pub use self::kept::KeptSource;
pub use self::machine::Machine;
use crate::compile::Compiler;
use crate::definition::{Definition, Source, Unit};
use crate::dispatch::Dispatcher;
use crate::error::{Error, Result};
use crate::explain::{self, Explanation};
use crate::link::{Linker, Structors};
use crate::memory::{Layout, Zone};
use crate::object::{self, LoadedObject};
use crate::process::{self, Located};
use crate::symbol::{Addr, Name, ScopeId, SymbolId};
use crate::table::State;

/// One linking JIT: a symbol table, its code memory and its compile threads.
///
/// Cloning gives another handle of the same session. Two sessions do not know of each other.
#[derive(Clone)]
pub struct Session {
    compiler: Arc<Compiler>,
    dispatcher: Arc<Dispatcher>,
}

/// A handle that does not keep its session alive.
#[derive(Clone)]
pub struct WeakSession {
    compiler: Weak<Compiler>,
    dispatcher: Weak<Dispatcher>,
}

impl WeakSession {
    /// The session, if it is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Session> {
        Some(Session { compiler: self.compiler.upgrade()?, dispatcher: self.dispatcher.upgrade()? })
    }
}

/// What a session has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Functions whose code was linked.
    pub functions_compiled: u64,
    /// Functions whose code something invalidated that it had taken for granted.
    pub functions_invalidated: u64,
    /// Symbols whose compile or resolution failed.
    pub functions_failed: u64,
    /// Functions' code that nobody calls any more and that is not freed yet.
    pub functions_retired: u64,
    /// Modules of which something is still wanted.
    pub modules: u64,
    /// Symbols named by anyone.
    pub symbols: u64,
    /// Stubs made.
    pub stubs: u64,
    /// Call sites that go straight to the code they call.
    pub sites_bound: u64,
    /// Call sites that go through a stub.
    pub sites_on_stubs: u64,
    /// Bytes of code, without stubs.
    pub code_bytes: u64,
    /// Bytes of data, read-only or not.
    pub data_bytes: u64,
    /// Seconds compile threads spent in sources.
    pub materialize_seconds: f64,
    /// Seconds compile threads spent linking.
    pub link_seconds: f64,
    /// Seconds callers spent waiting.
    pub wait_seconds: f64,
}

impl Session {
    /// A handle for what the session itself holds, such as sources.
    #[must_use]
    pub fn downgrade(&self) -> WeakSession {
        WeakSession {
            compiler: Arc::downgrade(&self.compiler),
            dispatcher: Arc::downgrade(&self.dispatcher),
        }
    }

    fn linker(&self) -> &Linker {
        &self.compiler.linker
    }

    /// Does anybody [hear](crate::listener::Listener) of what is linked?
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        self.linker().has_listeners()
    }

    /// Adds a module and gives the scope of its private names.
    pub fn add_source(&self, source: Arc<dyn Source>) -> ScopeId {
        self.add_source_in(ScopeId::GLOBAL, source)
    }

    /// As [`Session::add_source`], where the names that the module shares are those of the scope
    /// `home`.
    pub fn add_source_in(&self, home: ScopeId, source: Arc<dyn Source>) -> ScopeId {
        self.linker().table.add_source(source, home)
    }

    /// A scope of names of its own, that modules can be added to: as a class loader wants it. What
    /// it does not define is looked up in `order`, and then in the scope that all share. Scopes of other
    /// sessions define nothing here.
    #[must_use]
    pub fn add_scope(&self, order: &[ScopeId]) -> ScopeId {
        self.linker().table.add_scope(order)
    }

    /// The symbol that modules of a shared scope mean by a name; of another session's scope, one that is
    /// refused as another session's.
    #[must_use]
    pub fn symbol_in(&self, scope: ScopeId, name: &Name) -> SymbolId {
        match self.has_scope(scope) {
            true => self.linker().table.lookup(scope, name),
            false => SymbolId::NONE,
        }
    }

    /// The symbol of a name that a shared scope defines itself, or will; otherwise as
    /// [`Session::symbol_in`].
    #[must_use]
    pub fn own_symbol_in(&self, scope: ScopeId, name: &Name) -> SymbolId {
        match self.has_scope(scope) {
            true => self.linker().table.symbol(scope, name),
            false => SymbolId::NONE,
        }
    }

    /// Takes away everything that the modules of a scope define: functions are undefined from now on,
    /// code is freed when code is next reclaimed, and data once none of its modules' code is left.
    ///
    /// # Safety
    ///
    /// Nothing points to the scope's data or to private functions of its modules any more, but what
    /// readers (or whoever reclaims) know of; symbols of what is private to them are not used any more.
    #[expect(unsafe_code, reason = "the caller knows who points to data")]
    pub unsafe fn drop_scope(&self, scope: ScopeId) {
        self.compiler.turnstile.undisturbed(|| self.linker().drop_scope(scope));
    }

    /// Adds a relocatable ELF object as a module; `name` is for messages.
    ///
    /// # Errors
    ///
    /// Damaged input, an object for another machine, or a second strong definition of a name.
    pub fn add_object(&self, name: &str, bytes: &[u8]) -> Result<LoadedObject> {
        object::add(self.linker(), name, bytes)
    }

    /// The symbol that every module means by this name, if any module or library defines it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SymbolId> {
        self.linker().table.find(ScopeId::GLOBAL, name.as_bytes())
    }

    /// As [`Session::find`], for a name that need not be text.
    #[must_use]
    pub fn find_name(&self, name: &Name) -> Option<SymbolId> {
        self.linker().table.find(ScopeId::GLOBAL, name.bytes())
    }

    /// The symbol of this name, made if nobody has named it before.
    #[must_use]
    pub fn symbol(&self, name: &str) -> SymbolId {
        self.linker().table.symbol(ScopeId::GLOBAL, &Name::from(name))
    }

    /// As [`Session::symbol`], for a name that need not be text.
    #[must_use]
    pub fn symbol_of(&self, name: &Name) -> SymbolId {
        self.linker().table.symbol(ScopeId::GLOBAL, name)
    }

    /// Is it a symbol of this session? (It is told apart from those of the 126 sessions that were made
    /// before and after.)
    #[must_use]
    pub fn has(&self, id: SymbolId) -> bool {
        self.linker().table.has(id)
    }

    /// Is there such a scope in this session?
    #[must_use]
    pub fn has_scope(&self, scope: ScopeId) -> bool {
        self.linker().table.has_scope(scope)
    }

    /// The symbol of this session with this [number](SymbolId::number), if there is one.
    #[must_use]
    pub fn symbol_numbered(&self, number: u32) -> Option<SymbolId> {
        self.linker().table.numbered(number)
    }

    /// Whether anything in the session defines the symbol.
    #[must_use]
    pub fn is_defined(&self, id: SymbolId) -> bool {
        self.linker().table.entry(id).lock().definition.is_some()
    }

    /// The function that calls of the symbol run, if a module defines it and its body alone matters:
    /// the module's scope and key.
    #[must_use]
    pub fn body(&self, id: SymbolId) -> Option<(ScopeId, u64)> {
        match self.linker().table.entry(id).lock().definition {
            Some(Definition::Module { scope, key, unit: Unit::Lazy }) => Some((scope, key)),
            _ => None,
        }
    }

    /// The data that the symbol stands for, if a module defines it: the module's scope and key.
    #[must_use]
    pub fn data(&self, id: SymbolId) -> Option<(ScopeId, u64)> {
        match self.linker().table.entry(id).lock().definition {
            Some(Definition::Module { scope, key, unit: Unit::Data }) => Some((scope, key)),
            _ => None,
        }
    }

    /// The type of a function, in the words of the compiler that defines it, if it says.
    #[must_use]
    pub fn signature(&self, id: SymbolId) -> Option<String> {
        let (scope, key) = self.body(id)?;
        self.linker().table.source(scope)?.signature(key)
    }

    /// Refuses a type that a function is known not to be of, as
    /// [`FunctionPointer::signature`](crate::FunctionPointer::signature) writes types.
    ///
    /// # Errors
    ///
    /// It is of another type.
    pub fn check_signature(&self, id: SymbolId, wanted: &str) -> Result<()> {
        let Some((scope, key)) = self.body(id) else { return Ok(()) };
        let Some(source) = self.linker().table.source(scope) else { return Ok(()) };
        if source.has_signature(key, wanted) {
            return Ok(());
        }
        let (name, known) = (self.name(id), source.signature(key).unwrap_or_default());
        Err(Error::other(format!("{name} is of the type {known}, not {wanted}")))
    }

    /// Where calls of a function go that follow all its redefinitions: its stub.
    ///
    /// # Errors
    ///
    /// Memory is short.
    pub fn stub_address(&self, id: SymbolId) -> Result<Addr> {
        self.linker().stub_address(id)
    }

    /// Whether the symbol is another name of something else.
    #[must_use]
    pub fn is_alias(&self, id: SymbolId) -> bool {
        matches!(self.linker().table.entry(id).lock().definition, Some(Definition::Alias(_)))
    }

    /// The symbol's name.
    #[must_use]
    pub fn name(&self, id: SymbolId) -> Name {
        self.linker().table.name(id)
    }

    /// Where the symbol stands.
    #[must_use]
    pub fn state(&self, id: SymbolId) -> State {
        self.linker().table.entry(id).state()
    }

    /// The symbol's address, for ever the same. Of a function it is its stub: running it compiles
    /// the function at the first call.
    ///
    /// # Errors
    ///
    /// Nobody defines it, or data it needs.
    pub fn address(&self, id: SymbolId) -> Result<Addr> {
        self.linker().address(id, id).map(Addr)
    }

    /// Compiles a function now rather than at its first call.
    ///
    /// # Errors
    ///
    /// It cannot be resolved or compiled.
    pub fn compile(&self, id: SymbolId) -> Result<()> {
        self.compiler.compile(id)
    }

    /// As [`Session::compile`], on this thread instead of a compile thread: for code that is there
    /// already and only has to be linked, say. The thread's stack must do for the source.
    ///
    /// # Errors
    ///
    /// As for [`Session::compile`].
    pub fn compile_here(&self, id: SymbolId) -> Result<()> {
        self.compiler.compile_here(id)
    }

    /// Where a function's code is now, which is compiled if it is not there: for who knows himself when the
    /// function is redefined. A call there takes no jump over the [stub](Session::stub_address), and runs this
    /// code whatever becomes of the function, until the code is freed. (Where another thread redefines it just
    /// now, this is the stub.)
    ///
    /// # Errors
    ///
    /// As for [`Session::compile`].
    pub fn code_address(&self, id: SymbolId) -> Result<Addr> {
        self.compiler.code(id)
    }

    /// Has a function compiled soon, without waiting for it.
    pub fn request(&self, id: SymbolId) {
        self.compiler.request(id);
    }

    /// Starts a compile thread ahead of the first call.
    pub fn warm_up(&self) {
        self.compiler.start_thread();
    }

    /// Constructors and destructors in the arrays of objects linked so far, in the order of linking:
    /// each with its priority, and the address of the function.
    #[must_use]
    pub fn structors(&self) -> Structors {
        self.linker().structors()
    }

    /// When the session was made.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.compiler.began
    }

    /// Everything that is known of a symbol, for people to read.
    #[must_use]
    pub fn explain(&self, id: SymbolId) -> Explanation {
        explain::explain(&self.compiler, id)
    }

    /// The symbols of this name: the one that every module means first, then those that modules
    /// keep to themselves. Looks at every symbol there is.
    #[must_use]
    pub fn symbols_named(&self, name: &Name) -> Vec<SymbolId> {
        explain::symbols_named(&self.compiler, name)
    }

    /// The function whose linked code is at `address`, and the offset in it.
    #[must_use]
    pub fn function_at(&self, address: Addr) -> Option<(SymbolId, u64)> {
        let function = self.linker().function_at(address)?;
        Some((function.symbol, address.0 - function.start.0))
    }

    /// The place in a shared library, or in the executable, at `address`.
    #[must_use]
    pub fn library_at(&self, address: Addr) -> Option<Located> {
        process::locate(address)
    }

    /// Where the session's code and data lie.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.linker().memory.layout()
    }

    /// Where variables lie that modules define, as far as they were needed by now: what a collector of the
    /// program's looks through for references, but for thread-local ones.
    #[must_use]
    pub fn variables(&self) -> Vec<Range<Addr>> {
        self.linker().memory.variables()
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let linker = self.linker();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let seconds = |counter| count(counter) as f64 / 1e9;
        let counters = &linker.counters;
        let (sites, bound) = (count(&counters.sites), count(&counters.sites_bound));
        Stats {
            functions_compiled: count(&counters.functions_compiled),
            functions_failed: count(&counters.functions_failed),
            functions_invalidated: count(&counters.functions_invalidated),
            functions_retired: linker.retired.len() as u64,
            modules: linker.table.modules() as u64,
            symbols: linker.table.symbols().count() as u64,
            stubs: u64::from(linker.stubs.len()),
            sites_bound: bound,
            sites_on_stubs: sites.saturating_sub(bound),
            code_bytes: linker.memory.used(Zone::Code),
            data_bytes: linker.memory.used(Zone::Data) + linker.memory.used(Zone::ReadOnly),
            materialize_seconds: seconds(&counters.materialize_nanos),
            link_seconds: seconds(&counters.link_nanos),
            wait_seconds: seconds(&counters.wait_nanos),
        }
    }
}
