//! The LLVM backend of vmkit: modules in bitcode or IR text, each function compiled alone when it
//! is first called.
//!
//! A module's bitcode is loaded lazily once per compile thread; a function is read from it, moved
//! into a module of its own with declarations around it, and compiled by a pipeline that is built
//! once. So a function's cost does not depend on the size of its module.
//!
//! From [`Level::O1`] on, functions become part of those that call them, whatever modules they are in.
//! Which bodies did is noted in the graph ([`Dependency::Body`](vmkit::graph::Dependency::Body)).

mod adding;
mod closure;
mod crash;
mod definitions;
mod ffi;
mod generation;
mod graph;
mod idle;
mod listing;
mod llvm;
mod load;
mod loaded;
mod module;
mod modules;
mod pool;
mod processor;
mod replace;
mod signature;
mod split;
#[cfg(test)]
mod tests;
mod together;

pub use inkwell;
pub use vmkit::{Function, FunctionPointer, Value};

pub use crate::closure::Building;
pub use crate::crash::{contain_crashes, signal_functions};
pub use crate::llvm::{Level, Llvm, Options, Times};
pub use crate::load::{is_bitcode, runtime_functions};
pub use crate::loaded::{Loaded, Structor, StructorArray};
pub use crate::processor::processor_features;
pub use crate::split::split;

// The examples in these texts are compiled and run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-execution-engine.md")]
mod from_execution_engine {}
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide.md")]
mod guide {}
