//! Definitions one by one: functions that are there or are built when they are called, data, native
//! functions, and handles.

use std::sync::Arc;

use cranelift_codegen::ir::{FuncRef, Function as Clif, GlobalValue, Signature, UserExternalName};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::{DataDescription, ModuleRelocTarget};
use vmkit::graph::Symbol;
use vmkit::{
    Addr, Descriptor, Error, Function, FunctionPointer, KeptSource, Name, Outcome, Result, ScopeId,
    SymbolId, SymbolKind, Unit,
};

use crate::building::{self, Build, Building};
use crate::compile::failed;
use crate::cranelift::Cranelift;
use crate::data::{Access, Data, DataSource};
use crate::definition::{self, Definition, ONLY};
use crate::{graph, names, signature};

impl Cranelift {
    /// Defines a function whose body `build` makes when the function is first called. It is given
    /// a builder of the function, and whatever it can refer to; blocks are sealed and the builder
    /// finalized after it. It runs on a compile thread, and again whenever the function has to be
    /// compiled anew.
    ///
    /// # Errors
    ///
    /// The name is defined already.
    pub fn define_lazy(
        &self,
        name: &str,
        signature: Signature,
        build: impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.define_lazy_in(ScopeId::GLOBAL, name, signature, build)
    }

    /// As [`Cranelift::define_lazy`], in a scope of the session's
    /// ([`Session::add_scope`](vmkit::Session::add_scope)).
    ///
    /// # Errors
    ///
    /// As for [`Cranelift::define_lazy`].
    pub fn define_lazy_in(
        &self,
        scope: ScopeId,
        name: &str,
        signature: Signature,
        build: impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.add(scope, name, signature, Some(Box::new(build)), None)
    }

    /// As [`Cranelift::define_lazy`], and takes the place of what the function is now (see
    /// [`Session::redefine`](vmkit::Session::redefine)). A function that nobody defines yet is
    /// defined.
    ///
    /// # Errors
    ///
    /// It has another signature, or cannot be redefined.
    pub fn redefine_lazy(
        &self,
        name: &str,
        signature: Signature,
        build: impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.redefine_lazy_in(ScopeId::GLOBAL, name, signature, build)
    }

    /// As [`Cranelift::redefine_lazy`], in a scope of the session's.
    ///
    /// # Errors
    ///
    /// As for [`Cranelift::redefine_lazy`].
    pub fn redefine_lazy_in(
        &self,
        scope: ScopeId,
        name: &str,
        signature: Signature,
        build: impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.replace(scope, name, signature, Some(Box::new(build)), None)
    }

    /// Defines a function, which is compiled when it is first called. What it refers to was declared
    /// in it by [`Cranelift::import_function`] and the like.
    ///
    /// # Errors
    ///
    /// The name is defined already, the function has no body, or it is not valid
    /// ([`Options::verify`](crate::Options::verify)).
    pub fn define(&self, name: &str, function: Clif) -> Result<SymbolId> {
        self.define_in(ScopeId::GLOBAL, name, function)
    }

    /// As [`Cranelift::define`], in a scope of the session's.
    ///
    /// # Errors
    ///
    /// As for [`Cranelift::define`].
    pub fn define_in(&self, scope: ScopeId, name: &str, function: Clif) -> Result<SymbolId> {
        self.verify(name, &function)?;
        self.add(scope, name, function.signature.clone(), None, Some(function))
    }

    /// As [`Cranelift::define`], and takes the place of what the function is now.
    ///
    /// # Errors
    ///
    /// As for [`Cranelift::redefine_lazy`], and for a function that is not valid.
    pub fn redefine(&self, name: &str, function: Clif) -> Result<SymbolId> {
        self.redefine_in(ScopeId::GLOBAL, name, function)
    }

    /// As [`Cranelift::redefine`], in a scope of the session's.
    ///
    /// # Errors
    ///
    /// As for [`Cranelift::redefine`].
    pub fn redefine_in(&self, scope: ScopeId, name: &str, function: Clif) -> Result<SymbolId> {
        self.verify(name, &function)?;
        self.replace(scope, name, function.signature.clone(), None, Some(function))
    }

    /// Takes a function away: calls of it are undefined from now on, until somebody defines it again.
    ///
    /// # Errors
    ///
    /// Nobody defines it, or it cannot be redefined.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.session.remove(self.find(name)?)
    }

    /// Defines a function that is there already, at `address`.
    ///
    /// # Safety
    ///
    /// There is a function, which can be called as others declare it, as long as the session lives.
    ///
    /// # Errors
    ///
    /// The name is defined already.
    #[expect(unsafe_code, reason = "the caller vouches for the function")]
    pub unsafe fn define_native(&self, name: &str, address: Addr) -> Result<SymbolId> {
        self.session.define_absolute(name, address)
    }

    /// Defines data, which is linked when code that needs it is. What it points to was declared in it
    /// by names that [`external_name`](crate::external_name) gave.
    ///
    /// # Errors
    ///
    /// The name is defined already, or the description is not whole.
    pub fn define_data(
        &self,
        name: &str,
        access: Access,
        description: &DataDescription,
    ) -> Result<SymbolId> {
        let (source, kept) = self.data_source(ScopeId::GLOBAL, name, access, description)?;
        let descriptor = Descriptor::strong(Name::from(name), access.kind());
        let defined = self.session.define(&descriptor, source, ONLY, Unit::Data);
        // Unless it is what the name stands for now.
        kept.withdraw();
        Ok(defined?.0)
    }

    /// Gives data another definition, at another place (see
    /// [`Session::redefine_data`](vmkit::Session::redefine_data)).
    ///
    /// # Errors
    ///
    /// It is none, or the description is not whole.
    pub fn redefine_data(
        &self,
        name: &str,
        access: Access,
        description: &DataDescription,
    ) -> Result<()> {
        let id = self.find(name)?;
        let (source, kept) = self.data_source(ScopeId::GLOBAL, name, access, description)?;
        let redefined = self.session.redefine_data(id, source, ONLY);
        kept.withdraw();
        redefined
    }

    fn data_source(
        &self,
        home: ScopeId,
        name: &str,
        access: Access,
        description: &DataDescription,
    ) -> Result<(ScopeId, KeptSource)> {
        let module: Arc<str> = name.into();
        let data = Data { module: &module, name: name.into(), access, description };
        let graph = data.graph(self.compiler.machine, |target| self.pointed_to(target))?;
        let source = DataSource { name: module, access, graph };
        definition::add(&self.session, home, Arc::new(source))
    }

    /// The symbol that a pointer in data is to.
    fn pointed_to(&self, target: &ModuleRelocTarget) -> Result<Symbol> {
        match target {
            ModuleRelocTarget::User { namespace, index } => {
                let name = UserExternalName::new(*namespace, *index);
                Ok(graph::known(&self.session, names::meaning(&self.session, &name)?))
            }
            ModuleRelocTarget::LibCall(call) => {
                Ok(graph::function((self.compiler.libcall_names)(*call).as_str().into()))
            }
            other => Err(Error::other(format!("{other} is nothing that data can point to"))),
        }
    }

    /// Has a function refer to another one, whatever is called `name` when it is first called.
    pub fn import_function(&self, user: &mut Clif, name: &str, signature: Signature) -> FuncRef {
        names::import_function(user, self.session.symbol(name), signature)
    }

    /// Has a function refer to data.
    pub fn import_data(&self, user: &mut Clif, name: &str) -> GlobalValue {
        names::import_data(user, self.session.symbol(name), false)
    }

    /// Has a function refer to a thread-local variable.
    pub fn import_thread_local(&self, user: &mut Clif, name: &str) -> GlobalValue {
        names::import_data(user, self.session.symbol(name), true)
    }

    /// A handle of the function `name`, which need not be compiled, to be called from Rust.
    ///
    /// # Errors
    ///
    /// Nobody defines it, or it is known to be of another type than `F`.
    pub fn function<F: FunctionPointer>(&self, name: &str) -> Result<Function<F>> {
        self.session.function(name)
    }

    fn find(&self, name: &str) -> Result<SymbolId> {
        let id = self.session.find(name);
        id.ok_or_else(|| Error::undefined(Name::from(name), None))
    }

    fn verify(&self, name: &str, function: &Clif) -> Result<()> {
        if function.layout.entry_block().is_none() {
            return Err(Error::compile(name.into(), building::NO_BODY));
        }
        self.compiler.verify(function).map_err(|error| failed(&name.into(), &error))
    }

    fn add(
        &self,
        scope: ScopeId,
        name: &str,
        signature: Signature,
        build: Option<Build>,
        function: Option<Clif>,
    ) -> Result<SymbolId> {
        let (source, kept) =
            Definition::add(&self.compiler, scope, name, signature, build, function)?;
        let descriptor = Descriptor::strong(Name::from(name), SymbolKind::Function);
        let defined = self.session.define(&descriptor, source, ONLY, Unit::Lazy);
        // Unless it is what the name stands for now.
        kept.withdraw();
        let (id, outcome) = defined?;
        match outcome {
            Outcome::Taken => Ok(id),
            Outcome::Ignored => Err(Error::other(format!("{name} is in use already"))),
        }
    }

    /// Refuses another type than the function has. Another compiler may say more of that: which numbers
    /// are pointers.
    fn check_signature(&self, id: SymbolId, signature: &Signature) -> Result<()> {
        let Some(known) = self.session.signature(id) else { return Ok(()) };
        if signature::is_callable(signature, &known) {
            return Ok(());
        }
        let (name, new) = (self.session.name(id), signature::text(signature));
        Err(Error::other(format!("{name} is of the type {known}, not {new}")))
    }

    fn replace(
        &self,
        scope: ScopeId,
        name: &str,
        signature: Signature,
        build: Option<Build>,
        function: Option<Clif>,
    ) -> Result<SymbolId> {
        let id = self.session.own_symbol_in(scope, &Name::from(name));
        if !self.session.is_defined(id) {
            return self.add(scope, name, signature, build, function);
        }
        self.check_signature(id, &signature)?;
        let (source, kept) =
            Definition::add(&self.compiler, scope, name, signature, build, function)?;
        let redefined = self.session.redefine(id, source, ONLY);
        kept.withdraw();
        redefined.map(|()| id)
    }
}
