//! Times of a moving collection whose roots are in the frames of compiled code, one a line: what, of
//! how many, and nanoseconds. `cargo xtask bench --only throws` has them in its table.
#![expect(unsafe_code, reason = "calls compiled code, and moves what it refers to")]

use std::cell::RefCell;
use std::hint::black_box;
use std::mem::swap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use vmkit::code::CodeMap;
use vmkit::walk::{Anchor, End, Frame, Slot, Walker};
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

/// Frames that keep a tree each, and a list of the trees.
const TREES: usize = 100;
/// In all trees, and in the list.
const OBJECTS: usize = 1_000_000;
const IN_TREE: usize = OBJECTS / TREES - 1;
const COLLECTIONS: usize = 15;
const WALKS: u32 = 20;
const ROUNDS: usize = 200;

/// Header, two references, number.
const WORDS: usize = 4;
const REFERENCES: Range<usize> = 1..3;
const HEADER: u64 = 0x0b1e;
const MOVED: u64 = 0xdead;

/// Where objects are made, one behind the other.
struct Space {
    words: Box<[u64]>,
    used: usize,
}

impl Space {
    fn new() -> Self {
        let mut words = vec![0; OBJECTS * WORDS].into_boxed_slice();
        // The kernel gives memory when it is first written.
        words.fill(1);
        Self { words, used: 0 }
    }

    fn allocate(&mut self, object: [u64; WORDS]) -> u64 {
        let room = &mut self.words[self.used..self.used + WORDS];
        room.copy_from_slice(&object);
        self.used += WORDS;
        room.as_ptr() as u64
    }

    fn objects(&self) -> usize {
        self.used / WORDS
    }
}

/// A semi-space collector (Cheney 1970).
struct Heap {
    from: Space,
    to: Space,
    /// The least time of a collection, in nanoseconds.
    collection: u64,
    /// Frames of the stack.
    frames: usize,
    /// Nanoseconds of one walk that only looks every reference up.
    walk: f64,
}

impl Heap {
    /// The copy of an object, made when it is first asked for.
    fn forward(&mut self, at: u64) -> u64 {
        if at == 0 {
            return 0;
        }
        // SAFETY: what frames and objects refer to was allocated in `from`, or is forwarded already.
        let object = unsafe { &mut *(at as *mut [u64; WORDS]) };
        if object[0] != MOVED {
            assert_eq!(object[0], HEADER, "no object is at {at:#x}");
            let copy = self.to.allocate(*object);
            (object[0], object[1]) = (MOVED, copy);
        }
        object[1]
    }

    /// Moves whatever the frames refer to, and what that refers to.
    fn collect(&mut self, map: &CodeMap, anchor: u64) {
        self.to.used = 0;
        walk(map, anchor, |frame| {
            // SAFETY: the places are in frames that wait.
            let read = |slot| unsafe { place(slot).read() };
            // SAFETY: as above.
            let write = |slot, value| unsafe { place(slot).write(value) };
            frame.relocate(read, write, |object| self.forward(object));
        });
        let mut scanned = 0;
        while scanned < self.to.used {
            for index in REFERENCES {
                let object = self.to.words[scanned + index];
                self.to.words[scanned + index] = self.forward(object);
            }
            scanned += WORDS;
        }
        swap(&mut self.from, &mut self.to);
    }
}

fn place(slot: Slot) -> *mut u64 {
    match slot {
        Slot::Memory(at) => at as *mut u64,
        Slot::Register(register) => panic!("register {register} is in the anchor"),
    }
}

/// Gives every frame, from the anchor to where compiled code was entered; tells how many there were.
fn walk(map: &CodeMap, anchor: u64, mut visit: impl FnMut(&Frame)) -> usize {
    // SAFETY: the walk reads the stack of this thread, which waits here.
    let read = |at: u64| Some(unsafe { (at as *const u64).read() });
    let mut walker = Walker::from_anchor(map, anchor, read);
    let frames = walker.by_ref().inspect(|frame| visit(frame)).count();
    assert_eq!(walker.end(), Some(End::Native));
    frames
}

thread_local! {
    static MAP: Arc<CodeMap> = Arc::default();
    static HEAP: RefCell<Heap> = RefCell::new(Heap {
        from: Space::new(),
        to: Space::new(),
        collection: u64::MAX,
        frames: 0,
        walk: f64::INFINITY,
    });
}

extern "C" fn measure(anchor: &mut Anchor) {
    let anchor = std::ptr::from_mut(anchor) as u64;
    let map = MAP.with(Arc::clone);
    HEAP.with_borrow_mut(|heap| {
        for _ in 0..COLLECTIONS {
            let start = Instant::now();
            heap.collect(&map, anchor);
            heap.collection = heap.collection.min(start.elapsed().as_nanos() as u64);
            assert_eq!(heap.from.objects(), OBJECTS, "all are kept");
        }
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..WALKS {
                let mut roots = 0;
                let look = |frame: &Frame| roots += frame.roots().count();
                heap.frames = walk(&map, anchor, look);
                assert_eq!(
                    black_box(roots),
                    2 * TREES + 1,
                    "the list, then a tree and the rest of it"
                );
            }
            heap.walk = heap.walk.min(start.elapsed().as_nanos() as f64 / f64::from(WALKS));
        }
    });
}

vmkit::native_entry! {
    /// Collects, and measures it.
    fn collect_entry() = measure;
}

/// A tree of so many objects, of which each has a number.
fn tree(space: &mut Space, count: usize, number: &mut u64) -> u64 {
    if count == 0 {
        return 0;
    }
    let left = tree(space, (count - 1) / 2, number);
    let right = tree(space, count - 1 - (count - 1) / 2, number);
    *number += 1;
    space.allocate([HEADER, left, right, *number])
}

fn forest(space: &mut Space) -> u64 {
    let mut number = 0;
    (0..TREES).fold(0, |next, _| {
        let tree = tree(space, IN_TREE, &mut number);
        space.allocate([HEADER, tree, next, 0])
    })
}

fn main() {
    let session = Session::builder().listener(MAP.with(Arc::clone)).build().expect("a session");
    let entry = Addr(collect_entry as *const () as u64);
    session.define_absolute("vm_collect", entry).expect("its name is free");
    let llvm = Llvm::new(&session, Options { level: Level::O2, ..Options::default() });
    llvm.add("collect.ll", include_bytes!("collect.ll").to_vec()).expect("a sound module");
    let hold = session.address(session.symbol("hold_all")).expect("it is defined");
    // SAFETY: `hold_all` takes a list and gives a number.
    let hold: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(hold.0) };
    let list = HEAP.with_borrow_mut(|heap| forest(&mut heap.from));
    let count = (TREES * IN_TREE) as u64;
    assert_eq!(hold(list), count * (count + 1) / 2, "every frame has its tree still");
    HEAP.with_borrow(|heap| {
        assert_eq!(heap.frames, TREES + 2);
        let object = heap.collection as f64 / OBJECTS as f64;
        println!("moving collection, an object\t{OBJECTS} objects\t{object:.2}");
        println!("moving collection, whole\t{OBJECTS} objects\t{}", heap.collection);
        let (walk, frames) = (heap.walk, heap.frames);
        println!("its walk alone, whole\t{frames} frames\t{walk:.0}");
        println!("its walk alone, a frame\t{frames} frames\t{:.1}", walk / frames as f64);
    });
}
