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
mod tags;
mod traps;
