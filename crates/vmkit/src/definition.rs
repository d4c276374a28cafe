//! What a compiler implements: giving a definition's code or data when it is wanted.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::LinkGraph;
use crate::resolver::{Resolution, Undefined};
use crate::signature::is_same_signature;
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

    /// Called when what [`materialize`](Source::materialize) gave of a function can be called, by the
    /// thread that it ran on: for work that nobody waits for. The graph comes back, for its memory can
    /// serve another. By default there is nothing to do.
    fn tidy(&self, graph: LinkGraph) {
        drop(graph);
    }

    /// Called when what [`materialize`](Source::materialize) gave of a function was not used: the function
    /// was redefined meanwhile, perhaps by what was given already, or it could not be linked. A source that
    /// gives something once only takes it back. By default there is nothing to do.
    fn put_back(&self, key: u64, graph: LinkGraph) {
        drop((key, graph));
    }

    /// A hash of the function's body as it would be inlined, of which nothing else depends on how or
    /// when it is compiled; none where the module cannot tell.
    fn body_hash(&self, key: u64) -> Option<u64> {
        let _ = key;
        None
    }

    /// The type of the function `key`, as [`FunctionPointer::signature`] writes types; none where it is
    /// not known.
    ///
    /// [`FunctionPointer::signature`]: crate::FunctionPointer::signature
    fn signature(&self, key: u64) -> Option<String> {
        let _ = key;
        None
    }

    /// Can the function `key` be called as one of the type `wanted`? Where the type is not known, yes.
    fn has_signature(&self, key: u64, wanted: &str) -> bool {
        self.signature(key).is_none_or(|known| is_same_signature(&known, wanted))
    }

    /// What is meant by a name that only the module can use and that it does not define; asked once,
    /// when it is first needed. By default nothing is.
    ///
    /// # Errors
    ///
    /// Whatever keeps the module from saying so.
    fn resolve(&self, undefined: &Undefined<'_>) -> Result<Resolution> {
        let _ = undefined;
        Ok(Resolution::Process)
    }

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

/// What can produce a symbol's code or data now. Small, since every known symbol has one: what is
/// rare lies elsewhere.
#[derive(Clone)]
pub(crate) enum Definition {
    /// What the module of this scope defines under this key.
    Module { scope: ScopeId, key: u64, unit: Unit },
    /// A tentative C definition.
    Common(Box<Tentative>),
    /// A fixed address.
    Absolute(Addr),
    /// A library's thread-local variable.
    LibraryThreadLocal(Box<LibraryThreadLocal>),
    /// Another symbol.
    Alias(Box<Alias>),
    /// Whatever the resolver function returns at the first call.
    Indirect { resolver: SymbolId },
}

/// The extent of a tentative definition, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tentative {
    pub(crate) size: u64,
    pub(crate) align: u64,
}

/// A library's thread-local variable: the library's number, and the offset in its block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LibraryThreadLocal {
    pub(crate) module: u64,
    pub(crate) offset: u64,
}

/// Another symbol's address and an offset. If `body` is given, what is meant is that definition of a
/// module, even where another module's comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Alias {
    pub(crate) target: SymbolId,
    pub(crate) offset: i64,
    pub(crate) body: Option<(ScopeId, u64)>,
}

const _: () = assert!(size_of::<Option<Definition>>() == 16);

impl Definition {
    /// A tentative definition.
    pub(crate) fn common(size: u64, align: u64) -> Self {
        Self::Common(Box::new(Tentative { size, align }))
    }

    /// The module it comes from.
    pub(crate) fn scope(&self) -> Option<ScopeId> {
        match self {
            Self::Module { scope, .. } => Some(*scope),
            Self::Alias(alias) => alias.body.map(|(scope, _)| scope),
            _ => None,
        }
    }

    /// The symbol that it leads to.
    pub(crate) fn other(&self) -> Option<SymbolId> {
        match self {
            Self::Alias(alias) => Some(alias.target),
            Self::Indirect { resolver } => Some(*resolver),
            _ => None,
        }
    }

    /// Is it data, which is linked where it is first needed and can be redefined elsewhere?
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Self::Module { unit: Unit::Data, .. } | Self::Common(_))
    }

    /// Are both the same definition of the same module?
    pub(crate) fn is_same_unit(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Module { scope: a, key: x, .. }, Self::Module { scope: b, key: y, .. }) => {
                a == b && x == y
            }
            _ => false,
        }
    }
}
