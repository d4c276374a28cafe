//! How a session is made.

use std::sync::Arc;

use super::Session;
use crate::compile::{Compiler, FailureHook, first_call};
use crate::dispatch::{Asked, Chosen, DispatchHook, Dispatcher};
use crate::error::{Error, Result};
use crate::fork;
use crate::host::{self, Gate};
use crate::link::{Linker, Policy};
use crate::listener::Listener;
use crate::memory::Memory;
use crate::process::{Libraries, tls_get_addr};
use crate::resolver::{Resolution, Resolver, Undefined};
use crate::stub::Stubs;
use crate::symbol::{Addr, Binding, Signatures, SymbolId};

/// How a session is made.
pub struct Builder {
    reach: Option<u64>,
    memory_limit: Option<u64>,
    breakpoints: bool,
    threads: u32,
    whole_process: bool,
    binding: Binding,
    signatures: Signatures,
    on_failure: FailureHook,
    on_dispatch: DispatchHook,
    resolver: Option<Resolver>,
    listeners: Vec<Arc<dyn Listener>>,
}

impl Session {
    /// Starts the making of a session.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            reach: None,
            memory_limit: None,
            breakpoints: false,
            threads: host::processors(),
            whole_process: true,
            binding: Binding::Direct,
            signatures: Signatures::Allow,
            on_failure: Box::new(print_and_exit),
            resolver: None,
            on_dispatch: Box::new(|_| Err(Error::other("nobody says what the call means"))),
            listeners: Vec::new(),
        }
    }
}

impl Builder {
    /// Pretends that near branches and displacements reach only so many bytes. For tests of the
    /// far paths.
    #[must_use]
    pub fn reach(mut self, bytes: u64) -> Self {
        self.reach = Some(bytes);
        self
    }

    /// How many bytes of code and data the session may have linked at once; what would take more fails
    /// to compile, with an error that says so, and is compiled again only if it is redefined.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Whether debuggers can set breakpoints in code. Costs memory, and a system call a function.
    #[must_use]
    pub fn breakpoints(mut self, yes: bool) -> Self {
        self.breakpoints = yes;
        self
    }

    /// How many threads may compile at once; as many as there are processors unless set.
    #[must_use]
    pub fn compile_threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Whether undefined symbols are looked up in everything that the process has loaded (the
    /// default), or only in libraries given to [`Session::load_library`].
    #[must_use]
    pub fn whole_process(mut self, yes: bool) -> Self {
        self.whole_process = yes;
        self
    }

    /// What to do when a call cannot be resolved or compiled: the hook runs on the calling thread,
    /// is given the symbol, the reason and the call's return address, and returns the address to
    /// run instead. By default the reason is printed and the process exits with 127. The hook must not
    /// panic, for there is nothing to go on with then: the process aborts. What it returns may throw.
    #[must_use]
    pub fn on_failure(
        mut self,
        hook: impl Fn(SymbolId, &Error, Addr) -> Addr + Send + Sync + 'static,
    ) -> Self {
        self.on_failure = Box::new(hook);
        self
    }

    /// How calls reach functions unless [`Session::set_binding`] says otherwise; directly by default.
    #[must_use]
    pub fn binding(mut self, binding: Binding) -> Self {
        self.binding = binding;
        self
    }

    /// Asks `resolver` for what nobody defines, once for each symbol ([`Session::remove`] has it asked
    /// again), before the process's libraries: of a function when it
    /// is first called, of data when code that needs it is compiled. It runs on a compile thread, mostly,
    /// and may use the session; if it panics, the call fails.
    #[must_use]
    pub fn resolver(
        mut self,
        resolver: impl Fn(&Undefined<'_>) -> Result<Resolution> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Some(Box::new(resolver));
        self
    }

    /// What a virtual or interface call means whose target the session does not know yet: the hook
    /// runs on the calling thread, and must not move or free the arguments. If it fails, or panics, the
    /// call goes to the failure hook.
    #[must_use]
    pub fn on_dispatch(
        mut self,
        hook: impl Fn(Asked) -> Result<Chosen> + Send + Sync + 'static,
    ) -> Self {
        self.on_dispatch = Box::new(hook);
        self
    }

    /// Whether the types of functions are compared with those that other code takes them to be of. The
    /// compiler has to say them (vmkit-llvm: `Options::signatures`).
    #[must_use]
    pub fn signatures(mut self, signatures: Signatures) -> Self {
        self.signatures = signatures;
        self
    }

    /// Has `listener` told of what is linked.
    #[must_use]
    pub fn listener(mut self, listener: Arc<dyn Listener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Makes the session.
    ///
    /// # Errors
    ///
    /// The system gives no memory, or lacks what patching needs.
    pub fn build(self) -> Result<Session> {
        host::prepare();
        host::register_cores()?;
        let mut memory = Memory::reserve(self.reach, self.breakpoints)?;
        if let Some(limit) = self.memory_limit {
            memory.set_limit(limit);
        }
        let gate = Gate::new(first_call);
        let session = std::ptr::from_ref(&*gate) as u64;
        let stubs = Stubs::new(&memory, session, host::first_call_entry())?;
        let libraries = Libraries::new(self.whole_process);
        let linker = Linker::new(
            memory,
            stubs,
            libraries,
            Policy {
                listeners: self.listeners,
                binding: self.binding,
                signatures: self.signatures,
                resolver: self.resolver,
            },
        )?;
        let compiler = Compiler::new(linker, gate, self.threads, self.on_failure);
        fork::register(&compiler);
        let dispatcher = Dispatcher::new(compiler.clone(), self.on_dispatch);
        let session = Session { compiler, dispatcher };
        // Thread-local variables of linked code are found by us.
        session.define_absolute("__tls_get_addr", Addr(tls_get_addr as *const () as u64))?;
        Ok(session)
    }
}

fn print_and_exit(_: SymbolId, error: &Error, _: Addr) -> Addr {
    eprintln!("vmkit: {error}");
    std::process::exit(127)
}
