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
mod crash;
mod ffi;
mod graph;
mod listing;
mod llvm;
mod module;
mod pool;
#[cfg(test)]
mod tests;

pub use crate::crash::{contain_crashes, signal_functions};
pub use crate::llvm::{Level, Llvm, Loaded, Options, Structor, StructorArray, Times};

// The example in the README is compiled and run as a test of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
