//! Functions that are built when they are first called.

use std::cell::{Cell, RefCell};

use cranelift_codegen::ir::{FuncRef, Function, GlobalValue, Signature, UserFuncName};
use cranelift_frontend::FunctionBuilder;
use vmkit::{Error, Name, Result, ScopeId, Session, SymbolId};

use crate::compile::{Compiler, failed};
use crate::names;
use crate::polls::{self, Poll};

/// What a function that is being built can refer to.
pub struct Building {
    session: Session,
    home: ScopeId,
    assumptions: RefCell<Vec<SymbolId>>,
    is_apart: Cell<bool>,
}

/// A function that was built.
pub(crate) struct Built {
    pub(crate) function: Function,
    /// What it was built under.
    pub(crate) assumptions: Vec<SymbolId>,
    /// Is it never to be inlined?
    pub(crate) is_apart: bool,
    /// The poll where it begins.
    pub(crate) poll: Option<Poll>,
}

/// What is said of a function without blocks.
pub(crate) const NO_BODY: &str = "it was not given a body";

/// What builds a function.
pub(crate) type Build =
    Box<dyn Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> + Send + Sync>;

impl Building {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// A function that the one being built (`builder.func`) can call: whatever is called so when it is
    /// first called. Nobody need define it yet.
    pub fn function(&self, user: &mut Function, name: &str, signature: &Signature) -> FuncRef {
        let id = self.session.symbol_in(self.home, &name.into());
        names::import_function(user, id, signature.clone())
    }

    /// Data that the one being built can refer to.
    pub fn data(&self, user: &mut Function, name: &str) -> GlobalValue {
        names::import_data(user, self.session.symbol_in(self.home, &name.into()), false)
    }

    /// A thread-local variable that the one being built can refer to.
    pub fn thread_local(&self, user: &mut Function, name: &str) -> GlobalValue {
        names::import_data(user, self.session.symbol_in(self.home, &name.into()), true)
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

/// Has a function built.
pub(crate) fn run(
    compiler: &Compiler,
    home: ScopeId,
    name: &Name,
    signature: &Signature,
    build: &Build,
) -> Result<Built> {
    let session = compiler.session()?;
    let mut function = Function::with_name_signature(UserFuncName::default(), signature.clone());
    let building =
        Building { session, home, assumptions: RefCell::default(), is_apart: Cell::default() };
    let mut context = compiler.builders.lock().pop().unwrap_or_default();
    let mut builder = FunctionBuilder::new(&mut function, &mut context);
    build(&mut builder, &building)?;
    builder.seal_all_blocks();
    let poll =
        compiler.polls.then(|| polls::insert(&building.session, &*compiler.isa, builder.func));
    builder.finalize(compiler.isa.frontend_config());
    compiler.builders.lock().push(context);
    if function.layout.entry_block().is_none() {
        return Err(Error::compile(name.clone(), NO_BODY));
    }
    compiler.verify(&function).map_err(|error| failed(name, &error))?;
    let Building { assumptions, is_apart, .. } = building;
    let (assumptions, is_apart) = (assumptions.into_inner(), is_apart.get());
    Ok(Built { function, assumptions, is_apart, poll: poll.flatten() })
}
