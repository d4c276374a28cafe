//! What languages do with the backend.

mod again;
mod bench;
mod collect;
mod contexts;
mod define;
mod exceptions;
mod inline;
mod lines;
mod module;
mod public;
mod redefine;
mod tags;
mod traps;
