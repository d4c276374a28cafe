//! A moving collector finds and replaces every reference in the frames of compiled code.
#![expect(unsafe_code, reason = "calls compiled code, and reads the stack below it")]

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use vmkit::code::CodeMap;
use vmkit::walk::{Anchor, End, Slot, Walker};
use vmkit::{Addr, Session};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{begin, call, signature, unary};

/// Header, reference, number.
type Object = [u64; 3];
const HEADER: u64 = 0x0b1e;
const MOVED: u64 = 0xdead;

#[derive(Default)]
struct Machine {
    map: Arc<CodeMap>,
    /// All objects there ever were.
    #[expect(clippy::vec_box, reason = "objects stay where they are")]
    objects: RefCell<Vec<Box<Object>>>,
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
    fn collect(&self, anchor: &Anchor) {
        let anchor = std::ptr::from_ref(anchor) as u64;
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

vmkit::native_entry! {
    /// Collects.
    fn collect_entry = collect;
}

#[test]
fn references_on_the_stack_are_moved() {
    // A collection in each of the five calls, of one to five frames; or all in one.
    for (level, inlining, frames) in
        [(Level::None, false, 15), (Level::Speed, false, 15), (Level::Speed, true, 5)]
    {
        MACHINE.with(|machine| {
            machine.objects.borrow_mut().clear();
            machine.frames.set(0);
        });
        let map = MACHINE.with(|machine| machine.map.clone());
        let session = Session::builder().listener(map.clone()).build().unwrap();
        let options = Options { level, inlining, ..Options::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        session.define_absolute("collect", Addr(collect_entry as *const () as u64)).unwrap();
        // The sum of a list's numbers, collecting at each.
        cranelift
            .define_lazy("sum", unary(), |builder, building| {
                let params = begin(builder);
                let list = params[0];
                builder.declare_value_needs_stack_map(list);
                let [some, none] = [builder.create_block(), builder.create_block()];
                builder.ins().brif(list, some, &[], none, &[]);
                builder.switch_to_block(none);
                builder.ins().return_(&params);
                builder.switch_to_block(some);
                let flags = MemFlagsData::trusted();
                let next = builder.ins().load(types::I64, flags, list, 8);
                builder.declare_value_needs_stack_map(next);
                let collect = building.function(builder.func, "collect", &signature(&[], &[]));
                builder.ins().call(collect, &[]);
                let sum = building.function(builder.func, "sum", &unary());
                let rest = builder.ins().call(sum, &[next]);
                let rest = builder.inst_results(rest)[0];
                let number = builder.ins().load(types::I64, flags, list, 16);
                let total = builder.ins().iadd(rest, number);
                builder.ins().return_(&[total]);
                Ok(())
            })
            .unwrap();
        let list = MACHINE.with(|machine| {
            (1..=5).rev().fold(0, |next, number| machine.allocate([HEADER, next, number]))
        });
        assert_eq!(call(&cranelift, "sum", list.cast_signed()), 15, "{level:?}");
        assert_eq!(MACHINE.with(|machine| machine.frames.get()), frames, "{level:?}");
        assert!(map.take_errors().is_empty());
    }
}
