//! What languages do with the backend.

mod again;
mod bench;
mod collect;
#[expect(unsafe_code, reason = "reads and changes frames of compiled code")]
#[path = "../../../vmkit/tests/support/collector.rs"]
mod collector;
mod contexts;
mod define;
mod dispatch;
mod exceptions;
mod inline;
mod lines;
mod mistakes;
mod module;
mod polls;
mod public;
mod redefine;
mod session;
#[expect(unsafe_code, reason = "moves objects of threads that stand still")]
#[path = "../../../vmkit/tests/support/spinners.rs"]
mod spinners;
mod tags;
mod traps;
