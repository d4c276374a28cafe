//! Whom a session asks for what nobody defines.
#![forbid(unsafe_code)]

use crate::error::Result;
use crate::symbol::{Addr, Name, ScopeId, SymbolId};

/// A symbol that is wanted and that nobody defines.
#[derive(Clone, Copy, Debug)]
pub struct Undefined<'a> {
    /// The symbol.
    pub symbol: SymbolId,
    /// Its name.
    pub name: &'a Name,
    /// The scope of the modules that want it.
    pub scope: ScopeId,
    /// Whether it is called, rather than data that code needs.
    pub is_called: bool,
    /// What the first code that calls it takes it to be, as
    /// [`FunctionPointer::signature`](crate::FunctionPointer::signature) writes types; none where the
    /// compiler does not say (vmkit-llvm: `Options::signatures`).
    pub signature: Option<&'a str>,
}

/// What is to be taken for an undefined symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Whatever the process's libraries have of this name, if anything.
    Process,
    /// What is at this address: it can be called, or used as the data, for as long as the session
    /// lives.
    Address(Addr),
    /// Another symbol of the session.
    Symbol(SymbolId),
    /// The definition that was added to the session while it was asked.
    Defined,
}

/// Answers for undefined symbols; runs on whatever thread needs the answer, with no lock held that a
/// first call could want.
pub(crate) type Resolver = Box<dyn Fn(&Undefined<'_>) -> Result<Resolution> + Send + Sync>;
