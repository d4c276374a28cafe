//! A lazy, linking JIT: the core, which knows no compiler.
//!
//! A [`Session`] holds one symbol table, its code memory and its compile threads. Modules say what
//! they define ([`Source`]); a definition is compiled to a [`graph::LinkGraph`] and linked when it
//! is first called, and the calls that wait for it in code that already runs are bound to it.

mod error;
mod symbol;
mod stats;
pub mod graph;
pub mod target;
mod memory;
mod host;
mod process;
mod definition;
pub mod listener;
mod table;
mod stub;
mod patch;
mod unwind;
mod link;
mod object;
mod interposition;
mod compile;
mod explain;
pub mod debug;
mod fork;
mod session;

pub use crate::definition::{Private, Source, Unit};
pub use crate::error::{Error, Result};
pub use crate::symbol::{
    Addr, Descriptor, Linkage, Name, ScopeId, SymbolId, SymbolKind, Visibility,
};
pub use crate::table::{Outcome, State};
pub use crate::explain::{CallSite, Definer, Explanation, FirstCall};
pub use crate::link::Structors;
pub use crate::object::LoadedObject;
pub use crate::process::Located;
pub use crate::session::{Builder, Session, Stats};
