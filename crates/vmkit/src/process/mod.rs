//! Symbols of this process: shared libraries and thread-local storage.

mod interpose;
mod libraries;
mod thread_local;

pub(crate) use self::interpose::{Replacements, interpose};
pub(crate) use self::libraries::{Found, Libraries};
pub(crate) use self::thread_local::{ThreadLocals, tls_get_addr};
