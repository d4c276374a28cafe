//! Throws numbers by the virtual machine's own walk: an exception is of a type if the type's value, in
//! linked data, is that number.

use std::cell::RefCell;
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::throw::{Unhandled, throw};
use vmkit::walk::Anchor;

thread_local! {
    /// The code that the thread throws through.
    pub(crate) static MAP: RefCell<Arc<CodeMap>> = RefCell::default();
}

/// Throws a number from the caller of the entry that made `anchor`; comes back if nobody handles it.
pub(crate) fn throw_number(exception: u64, anchor: &Anchor) -> Unhandled {
    let map = MAP.with_borrow(Arc::as_ptr);
    // SAFETY: the map is kept by this thread; the anchor is that of the entry which called, and nothing
    // here is left to drop.
    unsafe { throw(&*map, anchor, exception, |type_info, _| type_info.number() == Some(exception)) }
}
