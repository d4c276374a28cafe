//! A moving collector finds and replaces every reference in the frames of compiled code.
#![expect(unsafe_code, reason = "calls compiled code, and reads the stack below it")]

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::walk::{Anchor, End, Slot, Walker};
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

/// Header, reference, number.
type Object = [u64; 3];
const HEADER: u64 = 0x0b1e;
const MOVED: u64 = 0xdead;

/// What the functions of this little machine know of.
#[derive(Default)]
struct Machine {
    map: Arc<CodeMap>,
    sum: Cell<u64>,
    /// All objects there ever were.
    #[expect(clippy::vec_box, reason = "objects stay where they are")]
    objects: RefCell<Vec<Box<Object>>>,
    last_anchor: Cell<u64>,
    frames: Cell<usize>,
}

thread_local! {
    static MACHINE: Machine = Machine::default();
}

fn word(at: u64) -> *mut u64 {
    at as *mut u64
}

impl Machine {
    fn allocate(&self, object: Object) -> u64 {
        let mut objects = self.objects.borrow_mut();
        objects.push(Box::new(object));
        std::ptr::from_ref::<Object>(objects.last().unwrap()) as u64
    }

    /// The copy of an object, made when it is first asked for; the original is spoilt.
    fn forward(&self, at: u64) -> u64 {
        // SAFETY: the collector is only given objects of `allocate`, which live as long as the thread.
        let object = unsafe { &mut *(at as *mut Object) };
        if object[0] == MOVED {
            return object[1];
        }
        assert_eq!(object[0], HEADER, "no object is at {at:#x}");
        let next = if object[1] == 0 { 0 } else { self.forward(object[1]) };
        let copy = self.allocate([HEADER, next, object[2]]);
        *object = [MOVED, copy, u64::MAX];
        copy
    }

    /// Moves every object that the stack refers to.
    fn collect(&self, anchor: &mut Anchor) {
        anchor.previous = self.last_anchor.get();
        let anchor = std::ptr::from_mut(anchor) as u64;
        // SAFETY: the walk reads the stack of this thread, which waits here.
        let read = |at| Some(unsafe { word(at).read() });
        let mut walker = Walker::from_anchor(&self.map, anchor, read);
        for frame in walker.by_ref() {
            self.frames.set(self.frames.get() + 1);
            let place = |slot| match slot {
                Slot::Memory(at) => word(at),
                Slot::Register(register) => panic!("register {register} is in the anchor"),
            };
            frame.relocate(
                // SAFETY: as above; the places are in frames that wait.
                |slot| unsafe { place(slot).read() },
                // SAFETY: as above.
                |slot, value| unsafe { place(slot).write(value) },
                |object| self.forward(object),
            );
        }
        assert_eq!(walker.end(), Some(End::Native));
    }
}

extern "C" fn collect(_: u64, _: u64, _: u64, _: u64, _: u64, anchor: &mut Anchor) {
    MACHINE.with(|machine| machine.collect(anchor));
}

extern "C" fn call_back(list: u64, _: u64, _: u64, _: u64, _: u64, anchor: &mut Anchor) -> u64 {
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
    fn collect_entry = collect;
    /// Calls `sum`.
    fn call_back_entry = call_back;
}

/// Calls a function of collect.ll with a list of the numbers 1 to 5, and gives what it returns and how
/// many frames all collections together met.
fn run(level: Level, function: &str) -> (u64, usize) {
    MACHINE.with(|machine| {
        machine.objects.borrow_mut().clear();
        machine.frames.set(0);
        let session = Session::builder().listener(machine.map.clone()).build().unwrap();
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
        let list = (1..=5).rev().fold(0, |next, number| machine.allocate([HEADER, next, number]));
        // SAFETY: every function of collect.ll that is run here takes a list and gives a number.
        let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(address(function)) };
        let result = function(list);
        assert!(machine.map.take_errors().is_empty());
        machine.map.remove(0..u64::MAX);
        (result, machine.frames.get())
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
