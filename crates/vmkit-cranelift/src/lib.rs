//! The Cranelift backend of vmkit: functions in CLIF, each compiled when it is first called.
//!
//! [`Cranelift`] defines functions one by one, from closures that build them or as they are;
//! [`JitModule`] is `cranelift_module::Module` on a session, for those who come from `cranelift-jit`.
//! Compiled code becomes a [`LinkGraph`](vmkit::graph::LinkGraph) as it comes out of Cranelift's
//! buffer; nothing of the system's need be installed.

mod building;
mod compile;
mod cranelift;
mod data;
mod definition;
mod definitions;
mod dictionary;
mod dwarf;
mod graph;
mod handlers;
mod inline;
mod isa;
#[expect(clippy::result_large_err, reason = "the errors are cranelift_module's")]
mod jit;
mod lines;
mod machine;
mod names;
mod notes;
mod packed;
mod personality;
mod polls;
mod signature;
mod spare;
mod untimed;
mod unwind;

pub use cranelift_codegen;
pub use cranelift_frontend;
pub use cranelift_module;

pub use crate::building::Building;
pub use crate::cranelift::{Cranelift, Level, Options};
pub use crate::data::Access;
pub use crate::jit::{JitBuilder, JitModule};
// Under the names of `cranelift_jit`: what uses that crate can use this one in its place.
pub use crate::jit::{JitBuilder as JITBuilder, JitModule as JITModule};
pub use crate::lines::Position;
pub use crate::names::external_name;
pub use crate::personality::{FOREIGN, rethrow, throw, throw_in};

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

// The examples in this text are compiled and run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-cranelift-jit.md")]
mod from_cranelift_jit {}
