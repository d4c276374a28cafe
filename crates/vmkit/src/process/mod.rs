//! Symbols of this process: shared libraries and thread-local storage.

mod extent;
mod interpose;
mod libraries;
mod loaded;
mod locate;
mod needs;
mod script;
mod search;
mod shared_object;
mod tables;
mod thread_local;
mod variable;

pub(crate) use self::interpose::{Choice, Replacements, interpose, redirect, replace};
pub(crate) use self::libraries::{Found, Libraries, Rank};
pub use self::locate::Located;
pub(crate) use self::locate::locate;
pub use self::needs::SharedLibrary;
pub(crate) use self::shared_object::{Export, Exported, export};
pub(crate) use self::thread_local::{ThreadLocals, tls_get_addr};
pub(crate) use self::variable::{read_variable, variable_at};
