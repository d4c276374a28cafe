//! The protocols of symbols that change while they run.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod body;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod body;

mod bench;
mod dispatch;
mod forever;
mod misuse;
mod redefine;
mod requests;
mod scopes;
mod whole;
