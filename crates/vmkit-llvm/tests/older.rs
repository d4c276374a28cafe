//! Bitcode that older compilers have written.
#![expect(unsafe_code, reason = "calls compiled code")]

use vmkit::Session;
use vmkit_llvm::{Level, Llvm, Options};

/// Up to clang 18, what debug information says of variables were calls among the instructions.
const DEBUG_14: &[u8] = include_bytes!("older/debug_14.bc");

#[test]
fn debug_information_that_was_calls_is_dropped_or_kept() {
    for level in [Level::O0, Level::O2] {
        for keep_debug in [false, true] {
            let session = Session::builder().build().unwrap();
            let llvm = Llvm::new(&session, Options { level, keep_debug, ..Options::default() });
            llvm.add("debug_14.bc", DEBUG_14.to_vec()).unwrap();
            let cube = llvm.function::<unsafe extern "C" fn(i32) -> i32>("cube").unwrap();
            // SAFETY: the source says so.
            assert_eq!(unsafe { cube.call(3) }, 27);
        }
    }
}
