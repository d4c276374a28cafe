//! What a module brought into a session.

use vmkit::{Name, SymbolId};

/// What a module brought along.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// How many functions it defines, private ones too.
    pub functions: u64,
    /// Functions to run before the program, in the module's order.
    pub constructors: Vec<Structor>,
    /// Functions to run after the program, in the module's order.
    pub destructors: Vec<Structor>,
    /// Data that holds addresses of functions to run before or after the program.
    pub arrays: Vec<StructorArray>,
    /// Names it needs from elsewhere.
    pub undefined: Vec<Name>,
}

/// A function to run before or after the program.
#[derive(Clone, Copy, Debug)]
pub struct Structor {
    /// Smaller numbers run first at the start, last at the end.
    pub priority: u16,
    /// The function.
    pub function: SymbolId,
}

/// Data that the program itself put among the addresses of constructors or destructors.
#[derive(Clone, Copy, Debug)]
pub struct StructorArray {
    /// As of [`Structor`].
    pub priority: u16,
    /// Whether its functions run before the program, rather than after.
    pub is_before: bool,
    /// The data: addresses of functions.
    pub data: SymbolId,
    /// Its size in bytes.
    pub size: u64,
}
