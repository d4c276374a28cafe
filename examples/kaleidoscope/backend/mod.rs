//! The compilers that a program can be run with: LLVM takes its time and gives the better code,
//! Cranelift needs nothing installed.

#[cfg(feature = "cranelift")]
mod cranelift;
#[cfg(feature = "llvm")]
mod llvm;

use std::sync::{Arc, RwLock};

use vmkit::{Result, Session};

use crate::names::Names;
use crate::syntax::Function;

/// What evaluates an expression that is entered; no program can name it.
pub(crate) const LINE: &str = "(line)";

/// The word below which the stack must not grow, and the function that is called if it would.
pub(crate) const STACK_LIMIT: &str = "(stack limit)";
pub(crate) const TOO_DEEP: &str = "(too deep)";

/// A compiler of functions. Parameters and results are `double`, by the rules of C. Each function looks
/// first whether there is stack left.
pub(crate) trait Backend {
    /// Has a function compiled when it is first called, in the place of what it was before.
    fn define(&self, function: Function, names: &Arc<RwLock<Names>>) -> Result<()>;

    /// How many bodies of functions became part of others.
    fn functions_inlined(&self) -> u64;
}

/// Makes a backend for a session.
type Make = fn(&Session) -> Result<Box<dyn Backend>>;

/// The names of all, the preferred one first.
pub(crate) const BACKENDS: &[(&str, Make)] = &[
    #[cfg(feature = "llvm")]
    ("llvm", |session| Ok(Box::new(llvm::Compiler::new(session)))),
    #[cfg(feature = "cranelift")]
    ("cranelift", |session| Ok(Box::new(cranelift::Compiler::new(session)?))),
];
