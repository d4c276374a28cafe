//! How a module is made.

use std::collections::HashMap;

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::ModuleResult;
use vmkit::{Addr, ScopeId, Session};

use super::source::Lookup;
use crate::compile::LibCallNames;
use crate::isa;

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// At their first call.
    Called,
    /// By who defines them.
    Defined,
    /// By compile threads, until definitions are finalized.
    Finalized,
}

/// How a [`JitModule`](super::JitModule) is made: what `cranelift_jit::JITBuilder` has, and what a session adds.
pub struct JitBuilder {
    pub(super) isa: OwnedTargetIsa,
    pub(super) libcall_names: LibCallNames,
    pub(super) symbols: HashMap<String, Addr>,
    pub(super) lookups: Vec<Lookup>,
    pub(super) place: Option<(Session, ScopeId)>,
    pub(super) when: When,
    pub(super) is_timed: bool,
    pub(super) inlining: bool,
}

impl JitBuilder {
    /// For this processor. `libcall_names` says what libraries' functions are called that Cranelift
    /// needs, such as `cranelift_module::default_libcall_names()`.
    ///
    /// # Errors
    ///
    /// Cranelift does not know the processor.
    pub fn new(libcall_names: LibCallNames) -> ModuleResult<Self> {
        Self::with_flags(&[], libcall_names)
    }

    /// As [`JitBuilder::new`], with some of Cranelift's settings.
    ///
    /// # Errors
    ///
    /// As for [`JitBuilder::new`], and settings that there are not.
    pub fn with_flags(flags: &[(&str, &str)], libcall_names: LibCallNames) -> ModuleResult<Self> {
        Ok(Self::with_isa(isa::native(flags)?, libcall_names))
    }

    /// With an instruction set and settings of the caller's.
    /// If functions are to be verified, that is done by this one; then Cranelift's own of the same name
    /// compiles them, which differs in that setting only.
    #[must_use]
    pub fn with_isa(isa: OwnedTargetIsa, libcall_names: LibCallNames) -> Self {
        Self {
            isa,
            libcall_names,
            symbols: HashMap::new(),
            lookups: Vec::new(),
            place: None,
            when: When::Called,
            is_timed: false,
            inlining: false,
        }
    }

    /// Says where a function or data is that the module declares and does not define. Of several
    /// addresses for a name the last one counts.
    pub fn symbol<K: Into<String>>(&mut self, name: K, pointer: *const u8) -> &mut Self {
        self.symbols.insert(name.into(), Addr(pointer.expose_provenance() as u64));
        self
    }

    /// As [`JitBuilder::symbol`], for several.
    pub fn symbols<I, K>(&mut self, symbols: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, *const u8)>,
        K: Into<String>,
    {
        for (name, pointer) in symbols {
            self.symbol(name, pointer);
        }
        self
    }

    /// Adds somebody to ask for what the module declares and nobody defines: of a function when it is
    /// first called, of data when code that needs it is compiled. Who was added last is asked first; the
    /// process's libraries come after them.
    pub fn symbol_lookup_fn(&mut self, lookup: Lookup) -> &mut Self {
        self.lookups.push(lookup);
        self
    }

    /// Puts the module into a session, where others can use what it exports, and it what they do;
    /// otherwise it gets one of its own.
    pub fn session(&mut self, session: &Session) -> &mut Self {
        self.session_in(session, ScopeId::GLOBAL)
    }

    /// As [`JitBuilder::session`], where what it exports are names of a scope.
    pub fn session_in(&mut self, session: &Session, scope: ScopeId) -> &mut Self {
        self.place = Some((session.clone(), scope));
        self
    }

    /// Compiles functions when they are defined, in the context that is given, rather than when they
    /// are called: what the compiler says is wrong with them is said at once, and the context has their
    /// code. Code is linked some functions at a time, and all of it once definitions are
    /// [finalized](super::JitModule::finalize_definitions); what is called before is linked then.
    pub fn eager(&mut self, yes: bool) -> &mut Self {
        self.when = if yes { When::Defined } else { When::Called };
        self
    }

    /// Has the session's compile threads compile functions once they are defined, while others are being
    /// defined. Of few functions none is worth a thread, and where compile threads have enough to do,
    /// `define_function` compiles its function itself, so that little waits.
    /// [`finalize_definitions`](super::JitModule::finalize_definitions) compiles along, waits for
    /// all of them, and says what is wrong with them. Code that needs data is left until then, as the data
    /// may not be defined before. The last one of this and [`eager`](Self::eager) counts.
    pub fn ahead(&mut self, yes: bool) -> &mut Self {
        self.when = if yes { When::Finalized } else { When::Called };
        self
    }

    /// Has the profiler of the thread that compiles a function [when it is defined](Self::eager) called
    /// (`cranelift_codegen::timing`), Cranelift's own or another, as `cranelift-jit` always does. Otherwise
    /// it is not, for looking at the clock before and after each pass takes as long as some of them.
    pub fn timed(&mut self, yes: bool) -> &mut Self {
        self.is_timed = yes;
        self
    }

    /// Inlines small functions into those that call them, whoever defines them by Cranelift. Then the
    /// CLIF of all functions is kept, which takes memory.
    pub fn inlining(&mut self, yes: bool) -> &mut Self {
        self.inlining = yes;
        self
    }
}
