//! What a compiler implements: giving a definition's code or data when it is wanted.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::LinkGraph;
use crate::symbol::{Addr, ScopeId, SymbolId, SymbolKind};

/// A module, as the linker sees it: something that can produce its definitions one by one.
///
/// Called from compile threads, several at once, with no lock of the session held.
pub trait Source: Send + Sync {
    /// The module's name, for messages.
    fn name(&self) -> &Arc<str>;

    /// Produces the definition that the module knows under `key`, with whatever must come with it.
    ///
    /// # Errors
    ///
    /// The definition cannot be compiled.
    fn materialize(&self, key: u64) -> Result<LinkGraph>;

    /// What the module's private definition `key` is.
    fn private(&self, key: u64) -> Private;
}

/// A definition that only its own module can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Private {
    /// The key under which it is produced.
    pub key: u64,
    /// Function, data, …
    pub kind: SymbolKind,
    /// How it is linked.
    pub unit: Unit,
}

/// How a definition that a [`Source`] produces is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A function that is compiled at its first call; its address is its stub.
    Lazy,
    /// Data without code, linked when code that needs it is.
    Data,
    /// Code, and data that points into it, of which the addresses themselves matter: linked as a
    /// whole as soon as any address in it is taken.
    Whole,
}

/// What can produce a symbol's code or data now.
#[derive(Clone)]
pub(crate) enum Definition {
    /// A module's definition.
    Module { source: Arc<dyn Source>, key: u64, unit: Unit },
    /// A tentative C definition.
    Common { size: u64, align: u64 },
    /// A fixed address.
    Absolute(Addr),
    /// A library's thread-local variable.
    LibraryThreadLocal { module: u64, offset: u64 },
    /// Another symbol's address and an offset. If `body` is given, what is meant is that definition
    /// of a module, even where another module's comes first.
    Alias { target: SymbolId, offset: i64, body: Option<(ScopeId, u64)> },
    /// Whatever the resolver function returns at the first call.
    Indirect { resolver: SymbolId },
}

impl Definition {
    /// Who defines it, for messages.
    pub(crate) fn definer(&self) -> Arc<str> {
        match self {
            Self::Module { source, .. } => source.name().clone(),
            Self::Common { .. } => "a common definition".into(),
            Self::Absolute(_) | Self::LibraryThreadLocal { .. } => "the process".into(),
            Self::Alias { .. } => "an alias".into(),
            Self::Indirect { .. } => "an ifunc".into(),
        }
    }

    /// Are both the same definition of the same module?
    pub(crate) fn is_same_unit(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Module { source: a, key: x, .. }, Self::Module { source: b, key: y, .. }) => {
                x == y && Arc::ptr_eq(a, b)
            }
            _ => false,
        }
    }
}
