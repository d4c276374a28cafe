//! `cranelift_module::Module` on a session.

mod builder;
mod definitions;
mod module;
mod source;

pub use self::builder::JitBuilder;
pub use self::module::JitModule;
