//! A lazy, linking JIT: the core, which knows no compiler.
//!
//! A [`Session`] holds one symbol table, its code memory and its compile threads. Modules say what
//! they define ([`Source`]); a definition is compiled to a [`graph::LinkGraph`] and linked when it
//! is first called, and the calls that wait for it in code that already runs are bound to it.

mod allocation;
mod archive;
pub mod code;
mod compile;
pub mod debug;
mod definition;
mod dispatch;
mod entry;
mod error;
mod explain;
mod fork;
mod function;
pub mod graph;
mod host;
mod interposition;
mod link;
pub mod listener;
mod memory;
pub mod metadata;
mod nesting;
mod object;
mod patch;
mod process;
mod queue;
mod reclaim;
mod resolver;
pub mod safepoint;
mod session;
mod signature;
mod stats;
mod stub;
mod symbol;
mod table;
pub mod target;
pub mod throw;
mod turnstile;
mod unwind;
pub mod walk;

pub use crate::archive::{Archive, Member};
pub use crate::compile::COMPILE_THREAD;
pub use crate::definition::{Private, Source, Unit};
pub use crate::dispatch::{Asked, Chosen, DispatchTable, InlineCache};
pub use crate::error::{Error, Result};
pub use crate::explain::{CallSite, Definer, Explanation, FirstCall};
pub use crate::fork::{after_fork_in_child, after_fork_in_parent, before_fork};
pub use crate::function::Function;
pub use crate::host::processors;
pub use crate::link::{Change, Structors, Why};
pub use crate::memory::Layout;
pub use crate::object::LoadedObject;
pub use crate::process::{Located, SharedLibrary};
pub use crate::reclaim::{Reader, Reading};
pub use crate::resolver::{Resolution, Undefined};
pub use crate::session::{Builder, KeptSource, Machine, Session, Stats, WeakSession};
pub use crate::signature::{FunctionPointer, Value, is_same_signature};
pub use crate::symbol::{
    Addr, Binding, Descriptor, Linkage, Name, ScopeId, Signatures, SymbolId, SymbolKind, Visibility,
};
pub use crate::table::{Outcome, State};
