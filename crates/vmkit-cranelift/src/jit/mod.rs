//! `cranelift_module::Module` on a session.

mod adding;
mod builder;
mod definitions;
mod graphs;
mod items;
mod module;
mod pending;
mod redefinition;
mod source;

pub use self::builder::JitBuilder;
pub use self::module::JitModule;
