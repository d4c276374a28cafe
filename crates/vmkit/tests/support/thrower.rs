//! Throws numbers by the virtual machine's own walk: an exception is of a type if the type's value, in
//! linked data, is that number.

use std::cell::RefCell;
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::metadata::TypeInfo;
use vmkit::throw::{Unhandled, throw};
use vmkit::walk::Anchor;

thread_local! {
    /// The code that the thread throws through.
    pub(crate) static MAP: RefCell<Arc<CodeMap>> = RefCell::default();
}

fn is_of(exception: u64, type_info: TypeInfo) -> bool {
    match type_info {
        TypeInfo::Any => true,
        // SAFETY: the types are numbers in linked data.
        TypeInfo::At(at) => unsafe { (at as *const u64).read() == exception },
        TypeInfo::InSlot(slot) => {
            // SAFETY: the slot is linked data that holds the type's address.
            let at = unsafe { (slot as *const u64).read() };
            is_of(exception, TypeInfo::At(at))
        }
        TypeInfo::Number(_) | TypeInfo::NumberIn(..) => false,
    }
}

/// Throws a number from the caller of the entry that made `anchor`; comes back if nobody handles it.
pub(crate) fn throw_number(exception: u64, anchor: &Anchor) -> Unhandled {
    let map = MAP.with_borrow(Arc::as_ptr);
    // SAFETY: the map is kept by this thread; the anchor is that of the entry which called, and nothing
    // here is left to drop.
    unsafe { throw(&*map, anchor, exception, |type_info, _| is_of(exception, type_info)) }
}
