//! A moving collector of a few lines, for tests of what compilers say of references: it finds and
//! replaces every reference in the frames of linked code.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use vmkit::code::CodeMap;
use vmkit::walk::{Anchor, End, Slot, Walker};

/// Header, reference, number.
type Object = [u64; 3];
const HEADER: u64 = 0x0b1e;
const MOVED: u64 = 0xdead;

/// The objects of one thread.
#[derive(Default)]
pub(crate) struct Collector {
    /// The code whose frames are walked.
    pub(crate) map: Arc<CodeMap>,
    /// How many frames all collections together met.
    pub(crate) frames: Cell<usize>,
    /// All objects there ever were.
    #[expect(clippy::vec_box, reason = "objects stay where they are")]
    objects: RefCell<Vec<Box<Object>>>,
}

fn word(at: u64) -> *mut u64 {
    at as *mut u64
}

impl Collector {
    /// Forgets all objects, and counts anew.
    pub(crate) fn restart(&self) {
        self.objects.borrow_mut().clear();
        self.frames.set(0);
    }

    /// A list of the numbers from 1 on.
    pub(crate) fn list(&self, length: u64) -> u64 {
        (1..=length).rev().fold(0, |next, number| self.allocate([HEADER, next, number]))
    }

    fn allocate(&self, object: Object) -> u64 {
        let mut objects = self.objects.borrow_mut();
        objects.push(Box::new(object));
        std::ptr::from_ref::<Object>(objects.last().unwrap()) as u64
    }

    /// The copy of an object, made when it is first asked for; the original is spoilt.
    fn forward(&self, at: u64) -> u64 {
        // SAFETY: the collector is only given objects of `allocate`, which live as long as it does.
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

    /// Moves every object that the stack of this thread refers to.
    pub(crate) fn collect(&self, anchor: &Anchor) {
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
