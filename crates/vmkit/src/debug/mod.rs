//! What profilers, debuggers and people are told of linked code: listeners to choose from.

mod gdb;
mod image;
mod journal;
mod perf;

pub use self::gdb::Gdb;
pub use self::journal::{Code, Journal, Record, Use};
pub use self::perf::PerfMap;
