//! The module: declarations as `cranelift_module` keeps them, definitions in a session.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use cranelift_codegen::ir::{LibCall, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_module::{
    DataId, FuncId, Linkage, ModuleDeclarations, ModuleError, ModuleRelocTarget, ModuleResult,
};
use vmkit::{
    Addr, Error, KeptSource, Linkage as Competition, Name, Result, ScopeId, Session, SymbolId,
};

use super::builder::{JitBuilder, When};
use super::pending::Pending;
use super::source::{Definitions, Key};
use crate::cranelift::{Cranelift, Options};
use crate::definition;
use crate::names::{self, Meaning};

/// What `cranelift_jit::JITModule` is, on a session: functions are compiled when they are called,
/// can be redefined and removed, and need not be near one another.
///
/// A function has an address as soon as it is declared, for ever the same, and can be called there as
/// soon as it is defined. So [`finalize_definitions`](JitModule::finalize_definitions) has little to
/// do. What a module defines stays when it is dropped, as pointers to it may be around;
/// [`free_memory`](JitModule::free_memory) takes it away.
pub struct JitModule {
    pub(super) cranelift: ManuallyDrop<Cranelift>,
    pub(super) definitions: Arc<Definitions>,
    pub(super) declarations: ModuleDeclarations,
    /// How many functions are declared, and how much data.
    pub(super) functions: u32,
    pub(super) data: u32,
    /// The scope of the names that only the module knows, and that of those it shares.
    pub(super) scope: ScopeId,
    /// The scope is the module's also while it defines nothing, and when only pointers to private
    /// functions are left.
    kept: ManuallyDrop<KeptSource>,
    pub(super) home: ScopeId,
    /// The session's symbols of what is declared, as far as anybody has asked.
    symbols: RefCell<Symbols>,
    /// Those of them, by key, that the module may define, and did not yet when somebody asked.
    undefined: RefCell<Vec<(u64, SymbolId)>>,
    /// Functions that were defined and are not finalized.
    pub(super) pending: Pending,
    pub(super) when: When,
    pub(super) is_timed: bool,
    owns_session: bool,
}

/// Symbols of functions and of data, by the module's numbers; [`SymbolId::NONE`] where nobody has asked.
#[derive(Default)]
struct Symbols {
    functions: Vec<SymbolId>,
    data: Vec<SymbolId>,
}

impl Symbols {
    fn at(&mut self, key: Key) -> &mut SymbolId {
        let (symbols, number) = match key {
            Key::Function(number) => (&mut self.functions, number as usize),
            Key::Data(number) | Key::ThreadLocal(number) => (&mut self.data, number as usize),
        };
        if number >= symbols.len() {
            symbols.resize(number + 1, SymbolId::NONE);
        }
        &mut symbols[number]
    }

    fn all(&self) -> impl Iterator<Item = SymbolId> {
        let all = self.functions.iter().chain(&self.data).copied();
        all.filter(|&id| id != SymbolId::NONE)
    }
}

impl JitModule {
    /// The module that a builder describes.
    ///
    /// # Panics
    ///
    /// Where [`JitModule::try_new`] fails; the name and the result are those of
    /// `cranelift_jit::JITModule`.
    #[must_use]
    pub fn new(builder: JitBuilder) -> Self {
        Self::try_new(builder).expect("a module, and a session for it")
    }

    /// The module that a builder describes.
    ///
    /// # Errors
    ///
    /// The system gives no memory for a session, or code for this machine cannot be linked.
    pub fn try_new(builder: JitBuilder) -> Result<Self> {
        let JitBuilder { isa, libcall_names, symbols, lookups, place, .. } = builder;
        let JitBuilder { when, is_timed, inlining, .. } = builder;
        let owns_session = place.is_none();
        let (session, home) = match place {
            Some(place) => place,
            None => (Session::builder().build()?, ScopeId::GLOBAL),
        };
        let options = Options { inlining, ..Options::default() };
        let cranelift = Cranelift::with_isa(&session, isa, libcall_names, options)?;
        let definitions =
            Arc::new(Definitions::new(cranelift.compiler.clone(), home, symbols, lookups));
        let (scope, kept) = definition::add(&session, home, definitions.clone())?;
        cranelift.compiler.inlining.add(scope, &definitions);
        Ok(Self {
            cranelift: ManuallyDrop::new(cranelift),
            definitions,
            declarations: ModuleDeclarations::default(),
            functions: 0,
            data: 0,
            scope,
            kept: ManuallyDrop::new(kept),
            home,
            symbols: RefCell::default(),
            undefined: RefCell::default(),
            pending: Pending::default(),
            when,
            is_timed,
            owns_session,
        })
    }

    /// The session that the module is in.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.cranelift.session
    }

    /// How many bodies of functions became part of the module's, each counted once in a function.
    #[must_use]
    pub fn functions_inlined(&self) -> u64 {
        self.cranelift.functions_inlined()
    }

    /// The session's symbol of a function.
    ///
    /// # Panics
    ///
    /// The module has not declared it.
    #[must_use]
    pub fn function_symbol(&self, id: FuncId) -> SymbolId {
        let declaration = self.declarations.get_function_decl(id);
        let name = || Name::from(&*declaration.linkage_name(id));
        self.symbol(Key::Function(id.as_u32()), declaration.linkage, name)
    }

    /// The session's symbol of data.
    ///
    /// # Panics
    ///
    /// The module has not declared it.
    #[must_use]
    pub fn data_symbol(&self, id: DataId) -> SymbolId {
        let declaration = self.declarations.get_data_decl(id);
        let name = || Name::from(&*declaration.linkage_name(id));
        self.symbol(self.data_key(id), declaration.linkage, name)
    }

    pub(super) fn data_key(&self, id: DataId) -> Key {
        match self.declarations.get_data_decl(id).tls {
            true => Key::ThreadLocal(id.as_u32()),
            false => Key::Data(id.as_u32()),
        }
    }

    pub(super) fn has_function(&self, id: FuncId) -> bool {
        id.as_u32() < self.functions
    }

    pub(super) fn has_data(&self, id: DataId) -> bool {
        id.as_u32() < self.data
    }

    fn symbol(&self, key: Key, linkage: Linkage, name: impl Fn() -> Name) -> SymbolId {
        let mut symbols = self.symbols.borrow_mut();
        let symbol = symbols.at(key);
        if *symbol == SymbolId::NONE {
            *symbol = self.find_symbol(key, linkage, name());
        }
        *symbol
    }

    /// The session's symbol of what is named for the first time.
    fn find_symbol(&self, key: Key, linkage: Linkage, name: Name) -> SymbolId {
        let id = match linkage {
            Linkage::Local => self.session().private(self.scope, &name, key.number()),
            // Whom it means is said when it is first needed.
            Linkage::Import => {
                self.definitions.import(name.clone());
                return self.session().own_symbol_in(self.scope, &name);
            }
            _ => self.session().own_symbol_in(self.home, &name),
        };
        self.undefined.borrow_mut().push((key.number(), id));
        id
    }

    /// Says which symbol a key is of from now on.
    pub(super) fn set_symbol(&self, key: Key, id: SymbolId) {
        *self.symbols.borrow_mut().at(key) = id;
    }

    /// The symbol that a name in the module's functions stands for.
    pub(super) fn meaning(&self, name: &UserExternalName) -> Result<Meaning> {
        let (id, linkage) = match name.namespace {
            0 if name.index < self.functions => {
                let id = FuncId::from_u32(name.index);
                (self.function_symbol(id), self.declarations.get_function_decl(id).linkage)
            }
            1 if name.index < self.data => {
                let id = DataId::from_u32(name.index);
                (self.data_symbol(id), self.declarations.get_data_decl(id).linkage)
            }
            0 | 1 => return Err(Error::other(format!("{name} was not declared"))),
            _ => return names::meaning(self.session(), name),
        };
        let linkage = match linkage {
            Linkage::Preemptible => Competition::Weak,
            _ => Competition::Strong,
        };
        Ok(Meaning { id, linkage })
    }

    /// Where a function is, for ever: calls there compile it if need be, and follow what becomes of
    /// it.
    ///
    /// # Errors
    ///
    /// The module has not declared it, or memory is short.
    pub fn function_address(&self, id: FuncId) -> Result<Addr> {
        if !self.has_function(id) {
            return Err(Error::other(format!("{id} was not declared")));
        }
        self.session().stub_address(self.function_symbol(id))
    }

    /// Where a function's code is now, which is compiled if it is not there: what `cranelift_jit` gives. A
    /// call there takes no jump, and runs this code whatever the function becomes, until the code is freed.
    ///
    /// # Errors
    ///
    /// The module has not declared it, or it cannot be compiled.
    pub fn code_address(&self, id: FuncId) -> Result<Addr> {
        if !self.has_function(id) {
            return Err(Error::other(format!("{id} was not declared")));
        }
        self.session().code_address(self.function_symbol(id))
    }

    /// Where data is, which is linked if it is not yet.
    ///
    /// # Errors
    ///
    /// The module has not declared it, nobody defines it or what it points to, or memory is short.
    pub fn data_address(&self, id: DataId) -> Result<Addr> {
        if !self.has_data(id) {
            return Err(Error::other(format!("{id} was not declared")));
        }
        self.session().address(self.data_symbol(id))
    }

    /// As [`JitModule::function_address`], as a pointer; null where that fails.
    #[must_use]
    pub fn get_finalized_function(&self, id: FuncId) -> *const u8 {
        pointer(self.function_address(id))
    }

    /// As [`JitModule::data_address`], as a pointer, with the bytes that it has; null where that
    /// fails.
    #[must_use]
    pub fn get_finalized_data(&self, id: DataId) -> (*const u8, usize) {
        let Ok(address) = self.data_address(id) else { return (std::ptr::null(), 0) };
        (pointer(Ok(address)), self.definitions.size(self.data_key(id).number()))
    }

    /// Where whatever a relocation names is; null if that is nowhere.
    #[must_use]
    pub fn get_address(&self, target: &ModuleRelocTarget) -> *const u8 {
        let address = match *target {
            ModuleRelocTarget::User { namespace, index } => self
                .meaning(&UserExternalName::new(namespace, index))
                .and_then(|meaning| self.session().address(meaning.id)),
            ModuleRelocTarget::LibCall(call) => self.libcall(call),
            ModuleRelocTarget::FunctionOffset(id, offset) => {
                self.function_address(id).map(|address| address.offset(offset.into()))
            }
            ModuleRelocTarget::KnownSymbol(_) => Err(Error::other("it has no address")),
        };
        pointer(address)
    }

    fn libcall(&self, call: LibCall) -> Result<Addr> {
        let name = (self.cranelift.compiler.libcall_names)(call);
        self.session().address(self.session().symbol(&name))
    }

    /// Has everything ready that was defined: code that was [compiled](JitBuilder::eager) already is
    /// linked, and what is compiled [ahead](JitBuilder::ahead) is there. What is compiled when it is called
    /// was ready before. What the module was to define and has not is where the builder or its lookup
    /// functions say, if they do. May be called any number of times.
    ///
    /// # Errors
    ///
    /// Code that cannot be linked, or compiled; of several, what was defined first.
    pub fn finalize_definitions(&mut self) -> ModuleResult<()> {
        self.look_up_undefined();
        let help = self.when == When::Finalized;
        let finalized = self.pending.finalize(&self.cranelift.session, help);
        self.definitions.rest();
        finalized.map_err(backend)
    }

    /// Asks the builder for what the module was to define and has not.
    fn look_up_undefined(&self) {
        let session = self.session();
        self.undefined.borrow_mut().retain(|&(key, id)| {
            if self.definitions.holds(key) {
                return false;
            }
            let address = || self.definitions.address_of(&session.name(id).to_string());
            // What is the module's alone is defined by it, if only to say that it is not.
            let is_own = session.body(id).is_some_and(|(scope, _)| scope == self.scope);
            let place = |at| match is_own {
                // SAFETY: whoever made the builder says that the function is there.
                #[expect(unsafe_code, reason = "the builder vouches for the function")]
                true => unsafe { session.redefine_native(id, at) },
                false => session.define_fallback(id, at),
            };
            (is_own || !session.is_defined(id)) && address().is_none_or(|at| place(at).is_err())
        });
    }

    /// Takes away all that the module has defined, and the session if it has one of its own.
    ///
    /// # Safety
    ///
    /// Nothing of the module runs, and no pointer to its functions or data is used any more.
    #[expect(unsafe_code, reason = "the caller knows who runs its code")]
    pub unsafe fn free_memory(mut self) {
        if !self.owns_session {
            for id in self.symbols.borrow().all() {
                // What others define, or is data, stays.
                if self.session().body(id).is_some_and(|(scope, _)| scope == self.scope) {
                    let _ = self.session().remove(id);
                }
            }
        }
        // SAFETY: neither is used after this.
        unsafe {
            ManuallyDrop::drop(&mut self.kept);
            ManuallyDrop::drop(&mut self.cranelift);
        }
    }

    pub(super) fn target(&self) -> &dyn TargetIsa {
        &*self.cranelift.compiler.isa
    }
}

fn pointer(address: Result<Addr>) -> *const u8 {
    std::ptr::with_exposed_provenance(address.map_or(0, |address| address.0) as usize)
}

/// What the session says, as `cranelift_module` has it.
pub(super) fn backend(error: Error) -> ModuleError {
    ModuleError::Backend(error.into())
}
