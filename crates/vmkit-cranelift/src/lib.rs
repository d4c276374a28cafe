//! The Cranelift backend of vmkit: functions in CLIF, each compiled when it is first called.

mod building;
mod compile;
mod cranelift;
mod definition;
mod definitions;
mod graph;
mod inline;
mod machine;
mod names;
mod notes;
mod personality;
mod signature;
mod unwind;

pub use cranelift_codegen;
pub use cranelift_frontend;
pub use cranelift_module;

pub use crate::building::Building;
pub use crate::cranelift::{Cranelift, Level, Options};
pub use crate::names::external_name;
pub use crate::personality::{FOREIGN, rethrow, throw};
