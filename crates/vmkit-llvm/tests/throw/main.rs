//! Exceptions that are thrown by the virtual machine's own walk and tables.
#![expect(unsafe_code, reason = "calls compiled code, and drops its frames")]

mod native;
mod stress;
#[path = "../../../vmkit/tests/support/thrower.rs"]
mod thrower;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use vmkit::code::CodeMap;
use vmkit::safepoint::Mutator;
use vmkit::throw::Unhandled;
use vmkit::walk::{Anchor, End};
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

use self::thrower::{MAP, throw_number};

thread_local! {
    /// Set in threads that can be stopped: they stop where they throw.
    static MUTATOR: RefCell<Option<Mutator>> = const { RefCell::new(None) };
}

/// What nobody handled.
static UNHANDLED: Mutex<Vec<String>> = Mutex::new(Vec::new());

extern "C" fn throw_or_wait(exception: u64, anchor: &mut Anchor) -> ! {
    MUTATOR.with_borrow(|mutator| mutator.iter().for_each(|mutator| mutator.poll(anchor)));
    let what = match throw_number(exception, anchor) {
        Unhandled::End(end) => format!("{exception}: {end:?}"),
        Unhandled::Forbidden(function) => format!("{exception}: not through {}", function.name),
    };
    UNHANDLED.lock().unwrap().push(what);
    loop {
        std::thread::park();
    }
}

extern "C" fn nothing() {}

vmkit::native_entry! {
    /// Throws a number.
    fn throw_entry(exception) = throw_or_wait;
}

fn start(level: Level) -> (Session, Llvm) {
    // Of functions that may be redefined, nothing is known; here, one must not let anything pass.
    start_with(Options { level, redefinition: false, ..Options::default() })
}

fn start_with(options: Options) -> (Session, Llvm) {
    let map = Arc::new(CodeMap::new());
    MAP.set(map.clone());
    let session = Session::builder().listener(map).build().unwrap();
    let llvm = Llvm::new(&session, options);
    add(&session, &llvm);
    (session, llvm)
}

fn add(session: &Session, llvm: &Llvm) {
    llvm.add("throw.ll", include_bytes!("../throw.ll").to_vec()).unwrap();
    for (name, entry) in [
        ("vm_throw", throw_entry as *const ()),
        ("vm_personality", nothing as *const ()),
        ("nothing", nothing as *const ()),
    ] {
        session.define_absolute(name, Addr(entry as u64)).unwrap();
    }
}

fn call(session: &Session, function: &str, depth: u64, exception: u64) -> u64 {
    let address = session.address(session.symbol(function)).unwrap();
    // SAFETY: what is called here takes four numbers and gives one.
    let function: extern "C" fn(u64, u64, u64, u64) -> u64 =
        unsafe { std::mem::transmute(address.0) };
    let result = function(depth, exception, 0x1234_5678, 0x9abc);
    assert!(MAP.with_borrow(|map| map.take_errors()).is_empty());
    result
}

#[test]
fn exceptions_go_to_the_landing_pad_of_their_type() {
    for level in [Level::O0, Level::O2] {
        let (session, _llvm) = start(level);
        for depth in [0, 1, 10, 100] {
            assert_eq!(call(&session, "catch", depth, 1), 100, "{level:?} {depth}");
            assert_eq!(call(&session, "catch", depth, 2), 200, "{level:?} {depth}");
            assert_eq!(call(&session, "catch", depth, 30), 330, "{level:?} {depth}");
        }
    }
}

#[test]
fn cleanups_run_on_the_way() {
    for level in [Level::O0, Level::O2] {
        let (session, _llvm) = start(level);
        for round in 1..=3 {
            assert_eq!(call(&session, "catch_two", 5, 2), round, "{level:?}");
        }
    }
}

#[test]
fn filters_catch_what_is_not_in_their_list() {
    let (session, _llvm) = start(Level::O1);
    assert_eq!(call(&session, "filter", 5, 2), 7);
}

fn unhandled(function: &'static str, exception: u64) -> String {
    unhandled_in(function, exception, || start(Level::O1))
}

/// What becomes of an exception that nobody handles, as the thrower is told.
fn unhandled_in(
    function: &'static str,
    exception: u64,
    start: impl FnOnce() -> (Session, Llvm) + Send + 'static,
) -> String {
    // The thread does not come back: its exception is unhandled for ever.
    let thread = std::thread::spawn(move || {
        let (session, _llvm) = start();
        call(&session, function, 2, exception)
    });
    let prefix = format!("{exception}: ");
    loop {
        let found =
            UNHANDLED.lock().unwrap().iter().find(|what| what.starts_with(&prefix)).cloned();
        match found {
            Some(what) => return what,
            None if thread.is_finished() => panic!("{function}: {:?}", thread.join()),
            None => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
}

#[test]
fn what_nobody_handles_is_the_throwers_again() {
    assert_eq!(unhandled("pass", 71), format!("71: {:?}", End::Native));
    assert_eq!(unhandled("catch_two", 72), format!("72: {:?}", End::Native));
    // Type one passes the filter.
    assert_eq!(unhandled("filter", 1), format!("1: {:?}", End::Native));
    assert_eq!(unhandled("forbid", 73), "73: not through forbid");
}

#[test]
fn exceptions_pass_through_functions_that_are_redefined_meanwhile() {
    let rounds = std::env::var("VMKIT_ROUNDS").map_or(100, |text| text.parse().expect("a number"));
    for level in [Level::O0, Level::O1] {
        let (session, llvm) = start_with(Options { level, ..Options::default() });
        let map = MAP.with_borrow(Arc::clone);
        let (is_over, order) = (AtomicBool::new(false), Ordering::Relaxed);
        let is_over = &is_over;
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (session, map) = (&session, map.clone());
                scope.spawn(move || {
                    MAP.set(map);
                    let reader = session.reader();
                    let mut calls = 0;
                    while !is_over.load(order) || calls == 0 {
                        let _reading = reader.enter();
                        let depth = (calls + thread) % 30;
                        assert_eq!(call(session, "catch", depth, 1), 100, "{level:?}");
                        assert_eq!(call(session, "catch", depth, 30), 330, "{level:?}");
                        calls += 1;
                    }
                });
            }
            for _ in 0..rounds {
                llvm.replace("throw.ll", include_bytes!("../throw.ll").to_vec()).unwrap();
                // SAFETY: whoever runs code is a reader.
                unsafe { session.reclaim() };
            }
            is_over.store(true, order);
        });
        // SAFETY: nobody runs code any more.
        unsafe { session.reclaim() };
        let stats = session.stats();
        assert_eq!(stats.functions_retired, 0);
        assert!(stats.code_bytes < 1 << 16 && stats.modules < 10, "{stats:?}");
    }
}
