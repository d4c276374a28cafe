//! What languages do with the backend.

mod bench;
mod define;
mod inline;
mod module;
mod redefine;
