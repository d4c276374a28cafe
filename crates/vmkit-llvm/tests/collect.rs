//! A moving collector finds and replaces every reference in the frames of compiled code.
#![expect(unsafe_code, reason = "calls compiled code, and reads the stack below it")]

#[path = "../../vmkit/tests/support/collector.rs"]
mod collector;

use std::cell::Cell;

use collector::Collector;
use vmkit::walk::Anchor;
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

/// What the functions of this little machine know of.
#[derive(Default)]
struct Machine {
    collector: Collector,
    sum: Cell<u64>,
    last_anchor: Cell<u64>,
}

thread_local! {
    static MACHINE: Machine = Machine::default();
}

extern "C" fn collect(anchor: &mut Anchor) {
    MACHINE.with(|machine| {
        anchor.previous = machine.last_anchor.get();
        machine.collector.collect(anchor);
    });
}

extern "C" fn call_back(list: u64, anchor: &mut Anchor) -> u64 {
    let (sum, previous) = MACHINE.with(|machine| {
        let this = std::ptr::from_mut(anchor) as u64;
        anchor.previous = machine.last_anchor.replace(this);
        (machine.sum.get(), anchor.previous)
    });
    // SAFETY: the address is that of `sum` of collect.ll, which takes a list.
    let sum: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(sum) };
    let total = sum(list);
    MACHINE.with(|machine| machine.last_anchor.set(previous));
    total
}

vmkit::native_entry! {
    /// Collects.
    fn collect_entry() = collect;
    /// Calls `sum`.
    fn call_back_entry(list) = call_back;
}

/// Calls a function of collect.ll with a list of the numbers 1 to 5, and gives what it returns and how
/// many frames all collections together met.
fn run(level: Level, function: &str) -> (u64, usize) {
    MACHINE.with(|machine| {
        let collector = &machine.collector;
        collector.restart();
        let session = Session::builder().listener(collector.map.clone()).build().unwrap();
        let llvm = Llvm::new(&session, Options { level, ..Options::default() });
        llvm.add("collect.ll", include_bytes!("collect.ll").to_vec()).unwrap();
        for (name, entry) in [
            ("vm_collect", collect_entry as *const ()),
            ("vm_call_back", call_back_entry as *const ()),
        ] {
            session.define_absolute(name, Addr(entry as u64)).unwrap();
        }
        let address = |name| session.address(session.symbol(name)).unwrap().0;
        machine.sum.set(address("sum"));
        let list = collector.list(5);
        // SAFETY: every function of collect.ll that is run here takes a list and gives a number.
        let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(address(function)) };
        let result = function(list);
        assert!(collector.map.take_errors().is_empty());
        collector.map.remove(0..u64::MAX);
        (result, collector.frames.get())
    })
}

#[test]
fn references_on_the_stack_are_moved() {
    for level in [Level::O0, Level::O1, Level::O2] {
        // A collection in each of the five calls, of one to five frames.
        assert_eq!(run(level, "sum"), (15, 15), "{level:?}");
    }
}

#[test]
fn references_into_objects_are_moved() {
    for level in [Level::O0, Level::O2] {
        assert_eq!(run(level, "inside"), (1, 1), "{level:?}");
    }
}

#[test]
fn frames_behind_native_code_are_found() {
    for level in [Level::O0, Level::O2] {
        assert_eq!(run(level, "out_and_in"), (16, 20), "{level:?}");
    }
}
