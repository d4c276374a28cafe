//! What code is made of, and the two compilers that make it: LLVM takes its time and gives the better
//! code, Cranelift needs nothing installed.
//!
//! The emitter checks a function's types and says what it does, in the words of [`Code`]; it knows no
//! compiler. A language on one compiler alone would do without the trait, and call that one directly.

#[cfg(feature = "cranelift")]
mod cranelift;
#[cfg(feature = "llvm")]
mod llvm;

use std::error::Error as StdError;

use vmkit::{Result, Session, SymbolId};

use super::emit::Body;

/// What building code gives; the error says what is wrong with the program.
pub(crate) type Emitted<T> = std::result::Result<T, Box<dyn StdError>>;

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

#[derive(Clone, Copy, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// By what is not 0, as the next one; the least number by -1 is itself.
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// A function under construction. Code goes to the end of the current block; a block ends by `jump`,
/// `repeat`, `branch`, `give` or `never`, and then another one is to be begun.
pub(crate) trait Code {
    type Value: Copy;
    type Block: Copy;
    /// A place for values that change.
    type Variable: Copy;

    fn parameter(&self, index: usize) -> Self::Value;
    fn int(&mut self, number: i64) -> Self::Value;
    fn null(&mut self) -> Self::Value;

    fn arithmetic(&mut self, operator: Arithmetic, sides: [Self::Value; 2])
    -> Emitted<Self::Value>;
    /// Compares two numbers or two references: 1 or 0.
    fn compare(&mut self, comparison: Comparison, sides: [Self::Value; 2]) -> Emitted<Self::Value>;

    fn variable(&mut self, kind: Kind, value: Self::Value) -> Emitted<Self::Variable>;
    fn get(&mut self, variable: Self::Variable) -> Emitted<Self::Value>;
    fn set(&mut self, variable: Self::Variable, value: Self::Value) -> Emitted<()>;

    /// The word so many bytes behind `base`.
    fn load(&mut self, kind: Kind, base: Self::Value, offset: u64) -> Emitted<Self::Value>;
    /// As `load`, of a word that other threads write: what one has written, the others come to see.
    fn load_shared(&mut self, kind: Kind, base: Self::Value, offset: u64) -> Emitted<Self::Value>;
    fn store_shared(&mut self, base: Self::Value, offset: u64, value: Self::Value) -> Emitted<()>;

    fn new_block(&mut self) -> Self::Block;
    fn begin(&mut self, block: Self::Block);
    fn jump(&mut self, block: Self::Block) -> Emitted<()>;
    /// Jumps back to the start of a loop. Other threads can stop this one there.
    fn repeat(&mut self, head: Self::Block) -> Emitted<()>;
    /// Jumps to `yes` if a number is not 0.
    fn branch(&mut self, condition: Self::Value, yes: Self::Block, no: Self::Block) -> Emitted<()>;
    /// Returns.
    fn give(&mut self, value: Self::Value) -> Emitted<()>;
    /// Says that nothing gets here.
    fn never(&mut self) -> Emitted<()>;

    /// Calls what has this name when the call is first made. What it throws goes to the innermost
    /// `try` that wants it.
    fn call(&mut self, name: &str, arguments: &[Self::Value], result: Kind)
    -> Emitted<Self::Value>;
    /// As `call`, by an address.
    fn call_at(
        &mut self,
        code: Self::Value,
        arguments: &[Self::Value],
        result: Kind,
    ) -> Emitted<Self::Value>;

    /// Begins a `try`, for exceptions of the class with this number.
    fn begin_try(&mut self, class: u64);
    /// Ends the innermost one, whose block has ended: its `catch` comes next, with the exception.
    fn end_try(&mut self) -> Emitted<Self::Value>;

    /// Takes an assumption for granted.
    fn assume(&mut self, assumption: SymbolId);
    /// Keeps the function from being inlined.
    fn keep_apart(&mut self);
}

/// A compiler that compiles for a session.
pub(crate) trait Backend: Send + Sync {
    /// Defines a function, which is built and compiled when it is first called.
    fn define(&self, name: &str, parameters: &[Kind], result: Kind, body: Body) -> Result<()>;

    /// How many bodies of functions became part of others.
    fn functions_inlined(&self) -> u64;
}

/// Makes a backend for a session, one that optimizes or not, and has it define the runtime:
///
/// ```text
/// vm_allocate(thread, bytes, table): object       inlined wherever objects are made
/// vm_enter(function, thread): int                 how a thread comes into the language
/// ```
pub(crate) type Make = fn(&Session, bool) -> Result<Box<dyn Backend>>;

/// The names of all, the preferred one first.
pub(crate) const BACKENDS: &[(&str, Make)] = &[
    #[cfg(feature = "llvm")]
    ("llvm", |session, optimizes| Ok(Box::new(llvm::Compiler::new(session, optimizes)?))),
    #[cfg(feature = "cranelift")]
    ("cranelift", |session, optimizes| Ok(Box::new(cranelift::Compiler::new(session, optimizes)?))),
];
