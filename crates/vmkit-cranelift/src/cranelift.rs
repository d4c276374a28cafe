//! The backend of a session.

use std::sync::Arc;

use cranelift_codegen::ir::SourceLoc;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::default_libcall_names;
use vmkit::{Addr, Error, Result, Session};

use crate::compile::{Compiler, LibCallNames};
use crate::graph::PERSONALITY;
use crate::isa;
use crate::lines::Position;
use crate::personality::personality;

/// How much Cranelift optimizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// Hardly: the quickest compile.
    #[default]
    None,
    /// For speed.
    Speed,
    /// For speed, and size as well.
    SpeedAndSize,
}

/// How functions are compiled.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much Cranelift optimizes.
    pub level: Level,
    /// Have Cranelift verify each function that it is given; not what its own passes, the inliner among them,
    /// make of it.
    pub verify: bool,
    /// Inline functions into those that call them. None is at [`Level::None`].
    pub inlining: bool,
    /// Have functions that closures build ask where they begin and in their loops whether to stop: they
    /// read `vmkit_safepoint_flag`, and call `vmkit_safepoint` while it is not zero (see
    /// [`vmkit::safepoint::Safepoints`]). What becomes part of another function does so in its loops
    /// only. Functions that are given as they are ask where they say so themselves.
    pub polls: bool,
}

impl Default for Options {
    fn default() -> Self {
        let (level, verify) = (Level::default(), cfg!(debug_assertions));
        Self { level, verify, inlining: true, polls: false }
    }
}

/// Cranelift, compiling for one session. Cloning gives another handle of the same.
#[derive(Clone)]
pub struct Cranelift {
    pub(crate) session: Session,
    pub(crate) compiler: Arc<Compiler>,
}

impl Cranelift {
    /// A backend that adds to `session`, for this processor.
    ///
    /// # Errors
    ///
    /// Cranelift does not know the processor.
    pub fn new(session: &Session, options: Options) -> Result<Self> {
        let level = match options.level {
            Level::None => "none",
            Level::Speed => "speed",
            Level::SpeedAndSize => "speed_and_size",
        };
        let verify = if options.verify { "true" } else { "false" };
        let isa = isa::native(&[("opt_level", level), ("enable_verifier", verify)]);
        let inlining = options.inlining && options.level != Level::None;
        let isa = isa.map_err(Error::other)?;
        let options = Options { inlining, ..options };
        Self::with_isa(session, isa, default_libcall_names(), options)
    }

    /// A backend with an instruction set and settings of the caller's. `libcall_names` says what
    /// libraries' functions are called that Cranelift needs. Of the options, those count that are none of
    /// Cranelift's own settings: `inlining` and `polls`.
    /// If functions are to be verified, that is done by this one; then Cranelift's own of the same name
    /// compiles them, which differs in that setting only.
    ///
    /// # Errors
    ///
    /// The instruction set is none that can be linked.
    pub fn with_isa(
        session: &Session,
        isa: OwnedTargetIsa,
        libcall_names: LibCallNames,
        options: Options,
    ) -> Result<Self> {
        if session.find(PERSONALITY).is_none_or(|id| !session.is_defined(id)) {
            let address = Addr(personality as *const () as u64);
            session.define_absolute(PERSONALITY, address)?;
        }
        let compiler = Arc::new(Compiler::new(session, isa, libcall_names, options)?);
        Ok(Self { session: session.clone(), compiler })
    }

    /// Says where source locations of functions are, given a function's name: from now on code comes with
    /// debug information.
    ///
    /// # Errors
    ///
    /// Somebody has said so already.
    pub fn set_lines(
        &self,
        positions: impl Fn(&str, SourceLoc) -> Option<Position> + Send + Sync + 'static,
    ) -> Result<()> {
        let set = self.compiler.positions.set(Box::new(positions));
        set.map_err(|_| Error::other("where source locations are was said already"))
    }

    /// How many bodies of functions became part of others, each counted once in a function.
    #[must_use]
    pub fn functions_inlined(&self) -> u64 {
        self.compiler.inlining.count()
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What code is generated for.
    #[must_use]
    pub fn isa(&self) -> &OwnedTargetIsa {
        &self.compiler.isa
    }
}
