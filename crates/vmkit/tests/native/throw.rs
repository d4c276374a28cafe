//! Exceptions that are thrown by the virtual machine's own walk and tables.

use std::mem::transmute;
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::walk::Anchor;
use vmkit::{Addr, Session};

use crate::thrower::{MAP, throw_number};
use crate::{address, compile};

extern "C" fn throw_or_end(exception: u64, anchor: &mut Anchor) -> ! {
    let unhandled = throw_number(exception, anchor);
    eprintln!("nobody handles {exception}: {unhandled:?}");
    std::process::abort();
}

extern "C" fn nothing() {}

vmkit::native_entry! {
    /// Throws a number.
    fn throw_entry(exception) = throw_or_end;
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
