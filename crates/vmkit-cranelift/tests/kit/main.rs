//! What languages do with the backend.

mod again;
mod bench;
mod collect;
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
