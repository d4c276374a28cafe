//! Definitions one by one: functions that are built when they are called, native ones, and handles.

use vmkit::{
    Addr, Descriptor, Error, Function, FunctionPointer, Name, Outcome, Result, ScopeId, SymbolId,
    SymbolKind, Unit,
};

use crate::closure::{BUILT, Building, Closure};
use crate::llvm::Llvm;
use crate::loaded::Loaded;
use crate::signature;

impl Llvm {
    /// Defines a function whose body `build` makes when the function is first called: of the type
    /// that LLVM writes as `signature`, such as `i64 (i64, ptr)`. It runs on a compile thread, and
    /// again whenever the function has to be compiled anew.
    ///
    /// # Errors
    ///
    /// The name is defined already.
    pub fn define_lazy(
        &self,
        name: &str,
        signature: &str,
        build: impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.define_lazy_in(ScopeId::GLOBAL, name, signature, build)
    }

    /// As [`Llvm::define_lazy`], in a scope of the session's
    /// ([`Session::add_scope`](vmkit::Session::add_scope)).
    ///
    /// # Errors
    ///
    /// As for [`Llvm::define_lazy`].
    pub fn define_lazy_in(
        &self,
        scope: ScopeId,
        name: &str,
        signature: &str,
        build: impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.check_scope(scope)?;
        let (closure, kept) = Closure::new(self, scope, name, signature.into(), Box::new(build))?;
        let descriptor = Descriptor {
            signature: Some(signature::hash(signature)),
            ..Descriptor::strong(Name::from(name), SymbolKind::Function)
        };
        let defined = self.session.define(&descriptor, closure.scope(), BUILT, Unit::Lazy);
        kept.withdraw();
        let (id, outcome) = defined?;
        match outcome {
            Outcome::Taken => Ok(id),
            Outcome::Ignored => Err(Error::other(format!("{name} is in use already"))),
        }
    }

    /// As [`Llvm::define_lazy`], and takes the place of what the function is now (see
    /// [`Session::redefine`](vmkit::Session::redefine)). A function that nobody defines yet is
    /// defined.
    ///
    /// # Errors
    ///
    /// It has another signature, or cannot be redefined.
    pub fn redefine_lazy(
        &self,
        name: &str,
        signature: &str,
        build: impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.redefine_lazy_in(ScopeId::GLOBAL, name, signature, build)
    }

    /// As [`Llvm::redefine_lazy`], in a scope of the session's.
    ///
    /// # Errors
    ///
    /// As for [`Llvm::redefine_lazy`].
    pub fn redefine_lazy_in(
        &self,
        scope: ScopeId,
        name: &str,
        signature: &str,
        build: impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<SymbolId> {
        self.check_scope(scope)?;
        let id = self.session.own_symbol_in(scope, &Name::from(name));
        if !self.session.is_defined(id) {
            return self.define_lazy_in(scope, name, signature, build);
        }
        self.session.check_signature(id, signature)?;
        let (closure, kept) = Closure::new(self, scope, name, signature.into(), Box::new(build))?;
        let redefined = self.session.redefine(id, closure.scope(), BUILT);
        // Unless it is what the function is now.
        kept.withdraw();
        redefined.map(|()| id)
    }

    /// Defines a function that is there already, at `address`.
    ///
    /// # Safety
    ///
    /// There is a function, which can be called as modules declare it, as long as the session lives.
    ///
    /// # Errors
    ///
    /// The name is defined already.
    #[expect(unsafe_code, reason = "the caller vouches for the function")]
    pub unsafe fn define_native(&self, name: &str, address: Addr) -> Result<SymbolId> {
        self.session.define_absolute(name, address)
    }

    /// Adds the module whose functions every other module may call, and which are inlined there:
    /// allocation, barriers, throwing. There is nothing special to it: any module will do.
    ///
    /// # Errors
    ///
    /// As for [`Llvm::add`].
    pub fn runtime_module(&self, bitcode: Vec<u8>) -> Result<Loaded> {
        self.add("runtime", bitcode)
    }

    /// A handle of the function `name`, which need not be compiled, to be called from Rust.
    ///
    /// # Errors
    ///
    /// Nobody defines it, or it is known to be of another type than `F`.
    pub fn function<F: FunctionPointer>(&self, name: &str) -> Result<Function<F>> {
        self.session.function(name)
    }

    /// As [`Llvm::function`], of a symbol: one of a scope's, say
    /// ([`Session::symbol_in`](vmkit::Session::symbol_in)).
    ///
    /// # Errors
    ///
    /// As for [`Llvm::function`].
    pub fn function_of<F: FunctionPointer>(&self, id: SymbolId) -> Result<Function<F>> {
        self.session.function_of(id)
    }
}
