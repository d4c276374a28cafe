//! What compilers say of their code for the virtual machine, whoever the compiler is.
#![forbid(unsafe_code)]

mod stack_maps;

pub use self::stack_maps::{Function, LiveOut, Location, Place, Record, StackMaps};
