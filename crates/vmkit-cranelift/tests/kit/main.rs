//! What languages do with the backend.

mod bench;
mod collect;
mod define;
mod exceptions;
mod inline;
mod lines;
mod module;
mod redefine;
mod traps;
