//! What compilers say of their code for the virtual machine, whoever the compiler is.
#![forbid(unsafe_code)]

mod call_sites;
mod checked;
mod lines;
mod stack_maps;
mod statepoint;
mod tags;
mod unwind;

pub use self::call_sites::{Action, CallSite, CallSites, Handler, Span, TypeInfo};
pub(crate) use self::checked::Checked;
pub use self::lines::{Line, Lines};
pub use self::stack_maps::{Function, LiveOut, Location, Place, Record, StackMaps};
pub use self::statepoint::{Pair, Statepoint};
pub use self::tags::Tag;
pub use self::unwind::{Cfa, Personality, Row, Rule, Rules, evaluate};
