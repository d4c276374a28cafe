//! Threads in compiled loops are stopped, and what they refer to is moved meanwhile.
#![expect(unsafe_code, reason = "calls compiled code, and changes what its frames refer to")]

#[path = "../../vmkit/tests/support/spinners.rs"]
mod spinners;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use vmkit::code::CodeMap;
use vmkit::safepoint::Safepoints;
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

use self::spinners::move_under_threads;

fn start(level: Level) -> (Session, Llvm, Arc<CodeMap>, Safepoints) {
    let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    for (name, address) in safepoints.symbols() {
        session.define_absolute(name, address).unwrap();
    }
    for name in ["vm_collect", "vm_call_back"] {
        session.define_absolute(name, Addr(0)).unwrap();
    }
    let llvm = Llvm::new(&session, Options { level, polls: true, ..Options::default() });
    llvm.add("collect.ll", include_bytes!("collect.ll").to_vec()).unwrap();
    (session, llvm, map, safepoints)
}

fn check(level: Level) {
    let (session, _llvm, map, safepoints) = start(level);
    let spin = session.symbol("spin");
    session.compile(spin).unwrap();
    let address = session.address(spin).unwrap().0;
    // SAFETY: `spin` of collect.ll takes an object and gives nothing.
    let spin: extern "C" fn(u64) = unsafe { std::mem::transmute(address) };
    move_under_threads(&map, &safepoints, |_, object| spin(object));
}

#[test]
fn spinning_threads_are_stopped_stress() {
    for level in [Level::O0, Level::O2] {
        check(level);
    }
}

/// What [`stop_once`] changes, and the flag that leads to it.
static CHANGED: AtomicU64 = AtomicU64::new(0);
static FLAG: AtomicU32 = AtomicU32::new(0);

extern "C" fn stop_once() {
    FLAG.store(0, Ordering::Relaxed);
    CHANGED.store(2, Ordering::Relaxed);
}

/// What a function reads first, it reads behind its first poll: there may be nothing left of it
/// otherwise. The memory that a thread has for new objects is like that.
#[test]
fn functions_are_polled_where_they_begin() {
    let text = "
        define i64 @first(ptr %p) gc \"statepoint-example\" {
          %n = load volatile i64, ptr %p
          %is.none = icmp eq i64 %n, 0
          br i1 %is.none, label %none, label %some
        some:
          ret i64 %n
        none:
          ret i64 -1 }
        define i64 @outer(ptr %p) gc \"statepoint-example\" {
          %n = call i64 @first(ptr %p)
          ret i64 %n }";
    for level in [Level::O0, Level::O2] {
        let session = Session::builder().build().unwrap();
        let flag = Addr((&raw const FLAG) as u64);
        session.define_absolute("vmkit_safepoint_flag", flag).unwrap();
        session.define_absolute("vmkit_safepoint", Addr(stop_once as *const () as u64)).unwrap();
        let llvm = Llvm::new(&session, Options { level, polls: true, ..Options::default() });
        llvm.add("first.ll", text.into()).unwrap();
        for name in ["first", "outer"] {
            let function = llvm.function::<unsafe extern "C" fn(*const u64) -> u64>(name).unwrap();
            CHANGED.store(1, Ordering::Relaxed);
            FLAG.store(1, Ordering::Relaxed);
            // SAFETY: the functions above read the word.
            let read = unsafe { function.call(CHANGED.as_ptr()) };
            assert_eq!((read, FLAG.load(Ordering::Relaxed)), (2, 0), "{level:?} {name}");
        }
    }
}
