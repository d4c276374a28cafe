//! Exceptions that are thrown by the virtual machine's own walk and tables.

use std::cell::RefCell;
use std::mem::transmute;
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::metadata::TypeInfo;
use vmkit::throw::throw;
use vmkit::walk::Anchor;
use vmkit::{Addr, Session};

use crate::{address, compile};

thread_local! {
    static MAP: RefCell<Arc<CodeMap>> = RefCell::default();
}

fn is_of(exception: u64, type_info: TypeInfo) -> bool {
    match type_info {
        TypeInfo::Any => true,
        // SAFETY: the types of throw.ll are numbers in linked data.
        TypeInfo::At(at) => unsafe { (at as *const u64).read() == exception },
        TypeInfo::InSlot(slot) => {
            // SAFETY: the slot is linked data that holds the type's address.
            let at = unsafe { (slot as *const u64).read() };
            is_of(exception, TypeInfo::At(at))
        }
        TypeInfo::Number(_) | TypeInfo::NumberIn(..) => false,
    }
}

extern "C" fn throw_number(
    exception: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    anchor: &mut Anchor,
) -> ! {
    let map = MAP.with_borrow(Arc::as_ptr);
    // SAFETY: the map is kept by this thread; the anchor is that of the entry which called, and
    // nothing here is left to drop.
    let unhandled = unsafe { throw(&*map, anchor, exception, |info, _| is_of(exception, info)) };
    eprintln!("nobody handles {exception}: {unhandled:?}");
    std::process::abort();
}

extern "C" fn nothing() {}

vmkit::native_entry! {
    /// Throws a number.
    fn throw_entry = throw_number;
}

#[test]
fn exceptions_go_to_the_landing_pad_of_their_type() {
    let map = Arc::new(CodeMap::new());
    MAP.set(map.clone());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    for (name, entry) in [
        ("vm_throw", throw_entry as *const ()),
        ("vm_personality", nothing as *const ()),
        ("nothing", nothing as *const ()),
    ] {
        session.define_absolute(name, Addr(entry as u64)).unwrap();
    }
    session.add_object("throw.ll", &compile("throw.ll")).unwrap();
    // SAFETY: it takes four numbers and gives one.
    let catch: extern "C" fn(u64, u64, u64, u64) -> u64 =
        unsafe { transmute(address(&session, "catch")) };
    for depth in [0, 1, 10, 100] {
        for (exception, expected) in [(1, 100), (2, 200), (30, 330)] {
            assert_eq!(catch(depth, exception, 0x1234_5678, 0x9abc), expected, "{depth}");
        }
    }
    assert!(map.take_errors().is_empty());
}
