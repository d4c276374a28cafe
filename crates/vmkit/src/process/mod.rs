//! Symbols of this process: shared libraries and thread-local storage.

mod extent;
mod interpose;
mod libraries;
mod loaded;
mod locate;
mod thread_local;

pub(crate) use self::interpose::{Choice, Replacements, interpose};
pub(crate) use self::libraries::{Found, Libraries};
pub use self::locate::Located;
pub(crate) use self::locate::locate;
pub(crate) use self::thread_local::{ThreadLocals, tls_get_addr};
