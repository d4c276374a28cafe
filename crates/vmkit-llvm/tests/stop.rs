//! Threads in compiled loops are stopped, and what they refer to is moved meanwhile.
#![expect(unsafe_code, reason = "calls compiled code, and changes what its frames refer to")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;

use vmkit::code::CodeMap;
use vmkit::safepoint::{Safepoints, Stopped};
use vmkit::walk::Slot;
use vmkit::{Addr, Session};
use vmkit_llvm::{Level, Llvm, Options};

const THREADS: u64 = 8;

/// Header, reference, number: as in collect.ll. Shared with code that spins until the number is not
/// zero.
type Object = [AtomicU64; 3];

fn object(header: u64) -> *mut Object {
    Box::into_raw(Box::new([header.into(), 0.into(), 0.into()]))
}

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

/// Moves the objects that a thread refers to; how many references that were.
fn move_all(stopped: &Stopped<'_>, map: &CodeMap, moved: &mut HashMap<u64, u64>) -> usize {
    let word = |slot| match slot {
        Slot::Memory(at) => at as *mut u64,
        Slot::Register(register) => panic!("register {register} is in the anchor"),
    };
    let mut references = 0;
    // SAFETY: the map is what the session told of its code.
    let frames = unsafe { stopped.frames(map) };
    for frame in frames.into_iter().flatten() {
        assert_eq!(frame.function.name.to_string(), "spin");
        frame.relocate(
            // SAFETY: the places are in the frames of a thread that stands still.
            |slot| unsafe { word(slot).read() },
            |slot, value| {
                references += 1;
                // SAFETY: as above.
                unsafe { word(slot).write(value) };
            },
            |old| {
                // SAFETY: objects are never freed.
                let header = unsafe { (*(old as *const Object))[0].load(Ordering::Relaxed) };
                *moved.entry(old).or_insert_with(|| object(header) as u64)
            },
        );
    }
    references
}

fn check(level: Level) {
    let (session, _llvm, map, safepoints) = start(level);
    let spin = session.symbol("spin");
    session.compile(spin).unwrap();
    let address = session.address(spin).unwrap().0;
    let objects: Vec<_> = (0..THREADS).map(|header| object(header) as u64).collect();
    thread::scope(|scope| {
        for &object in &objects {
            let safepoints = safepoints.clone();
            // SAFETY: `spin` of collect.ll takes an object and gives nothing.
            let spin: extern "C" fn(u64) = unsafe { std::mem::transmute(address) };
            scope.spawn(move || safepoints.register().managed(|| spin(object)));
        }
        // By header: where each object is now.
        let mut now = objects.clone();
        let mut found = [0; THREADS as usize];
        while found.contains(&0) || found.iter().sum::<usize>() < 200 {
            safepoints.stop_the_world(|stopped| {
                for thread in stopped {
                    let mut moved = HashMap::new();
                    let references = move_all(thread, &map, &mut moved);
                    assert_eq!(references > 0, !moved.is_empty());
                    for (old, new) in moved {
                        let number = now.iter().position(|&at| at == old).expect("not moved yet");
                        now[number] = new;
                        found[number] += 1;
                    }
                }
            });
            thread::yield_now();
        }
        for &object in &now {
            // SAFETY: objects are never freed.
            unsafe { (*(object as *const Object))[2].store(1, Ordering::Relaxed) };
        }
        // What was not moved since ends only if the threads look at the new objects.
    });
    assert!(map.take_errors().is_empty());
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
