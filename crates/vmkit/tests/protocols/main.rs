//! The protocols of symbols that change while they run.

mod bench;
mod dispatch;
mod forever;
mod misuse;
mod redefine;
mod scopes;
