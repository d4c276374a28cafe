//! What code is made of, and the two compilers that make it: LLVM takes its time and gives the better
//! code, Cranelift needs nothing installed.
//!
//! The emitter checks a function's types and says what it does, in the words of [`Code`]; it knows no
//! compiler. A language on one compiler alone would do without the trait, and call that one directly.

#[cfg(feature = "cranelift")]
mod cranelift;
#[cfg(feature = "llvm")]
mod llvm;

use vmkit::{Result, Session, SymbolId};

use super::emit::Body;

/// What a value is to the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A number.
    Int,
    /// A reference to an object, or null: the collector finds it in frames, and replaces it.
    Reference,
    /// An address of anything that does not move.
    Pointer,
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee<'a> {
    /// What has this name when the call is first made.
    Named(&'a str),
    /// The method at this index of the dispatch table that the first argument has.
    Method(u64),
}

/// A function under construction. Code goes to the end of the current block; a block ends by `jump`,
/// `branch` or `give`, and then another one is to be begun.
pub(crate) trait Code {
    type Value: Copy;
    type Block: Copy;
    /// A place for values that change.
    type Variable: Copy;

    fn parameter(&self, index: usize) -> Self::Value;
    fn int(&mut self, number: i64) -> Self::Value;
    fn null(&mut self) -> Self::Value;

    /// Arithmetic, or a comparison of two numbers or two references, which gives 1 or 0. The operator is
    /// the language's.
    fn binary(&mut self, operator: &str, left: Self::Value, right: Self::Value) -> Self::Value;

    fn variable(&mut self, kind: Kind, value: Self::Value) -> Self::Variable;
    fn get(&mut self, variable: Self::Variable) -> Self::Value;
    fn set(&mut self, variable: Self::Variable, value: Self::Value);

    /// The word so many bytes behind `base`: what one thread has written, the others come to see.
    fn load(&mut self, kind: Kind, base: Self::Value, offset: u64) -> Self::Value;
    fn store(&mut self, base: Self::Value, offset: u64, value: Self::Value);

    fn new_block(&mut self) -> Self::Block;
    fn begin(&mut self, block: Self::Block);
    fn jump(&mut self, block: Self::Block);
    /// Jumps to `yes` if a number is not 0.
    fn branch(&mut self, condition: Self::Value, yes: Self::Block, no: Self::Block);
    /// Returns.
    fn give(&mut self, value: Self::Value);

    /// What the call throws goes to the innermost `try` that wants it.
    fn call(&mut self, callee: Callee<'_>, arguments: &[Self::Value], result: Kind) -> Self::Value;

    /// Begins a `try`, for exceptions of the class with this number.
    fn begin_try(&mut self, class: usize);
    /// Ends the innermost one, whose block has ended: its `catch` comes next, with the exception.
    fn end_try(&mut self) -> Self::Value;

    /// Takes an assumption for granted.
    fn assume(&mut self, assumption: SymbolId);
    /// Keeps the function from being inlined.
    fn keep_apart(&mut self);
}

/// A compiler of a session's: defines a function, which is built and compiled when it is first called.
pub(crate) type Backend = Box<dyn Fn(Body) -> Result<()> + Send + Sync>;

/// Makes a backend for a session, one that optimizes or not, and has it define the runtime:
///
/// ```text
/// vm_allocate(thread, bytes, table): object       inlined wherever objects are made
/// vm_enter(function, thread): int                 how a thread comes into the language
/// ```
pub(crate) type Make = fn(&Session, bool) -> Result<Backend>;

/// The names of all, the preferred one first.
pub(crate) const BACKENDS: &[(&str, Make)] = &[
    #[cfg(feature = "llvm")]
    ("llvm", llvm::start),
    #[cfg(feature = "cranelift")]
    ("cranelift", cranelift::start),
];
