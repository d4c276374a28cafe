//! Threads in compiled loops are stopped, and what they refer to is moved meanwhile.
#![expect(unsafe_code, reason = "calls compiled code, and changes what its frames refer to")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use vmkit::code::CodeMap;
use vmkit::safepoint::{Safepoints, Stopped};
use vmkit::walk::Slot;
use vmkit::{Addr, Session};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{Unary, begin, call, plus, unary};

const THREADS: u64 = 8;

/// Header and number; code spins until the number is not zero.
type Object = [AtomicU64; 2];

fn object(header: u64) -> u64 {
    Box::into_raw(Box::new([AtomicU64::new(header), AtomicU64::new(0)])) as u64
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
                *moved.entry(old).or_insert_with(|| object(header))
            },
        );
    }
    references
}

/// Defines `spin`, which waits for the number of its object and gives the header then; and `outer`, which
/// gives what `spin` does.
fn define(cranelift: &Cranelift) {
    cranelift
        .define_lazy("spin", unary(), |builder, _| {
            let params = begin(builder);
            builder.declare_value_needs_stack_map(params[0]);
            let [head, end] = [builder.create_block(), builder.create_block()];
            builder.ins().jump(head, &[]);
            builder.switch_to_block(head);
            let flags = MemFlagsData::trusted();
            let number = builder.ins().load(types::I64, flags, params[0], 8);
            builder.ins().brif(number, end, &[], head, &[]);
            builder.switch_to_block(end);
            let header = builder.ins().load(types::I64, flags, params[0], 0);
            builder.ins().return_(&[header]);
            Ok(())
        })
        .unwrap();
    cranelift.define_lazy("outer", unary(), plus("spin", 1000)).unwrap();
}

fn check(level: Level, inlining: bool) {
    let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    for (name, address) in safepoints.symbols() {
        session.define_absolute(name, address).unwrap();
    }
    let options = Options { level, inlining, polls: true, ..Options::default() };
    let cranelift = Cranelift::new(&session, options).unwrap();
    define(&cranelift);
    let objects: Vec<_> = (0..THREADS).map(object).collect();
    thread::scope(|scope| {
        let threads = objects.iter().map(|&object| {
            let (safepoints, cranelift) = (safepoints.clone(), cranelift.clone());
            let spin = move || call(&cranelift, "outer", object.cast_signed());
            scope.spawn(move || safepoints.register().managed(spin))
        });
        let threads: Vec<_> = threads.collect();
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
            unsafe { (*(object as *const Object))[1].store(1, Ordering::Relaxed) };
        }
        // What was not moved since ends only if the threads look at the new objects.
        for (header, thread) in (0..).zip(threads) {
            assert_eq!(thread.join().unwrap(), 1000 + header, "{level:?}");
        }
    });
    assert!(map.take_errors().is_empty());
}

#[test]
fn spinning_threads_are_stopped_stress() {
    for (level, inlining) in [(Level::None, false), (Level::Speed, false), (Level::Speed, true)] {
        check(level, inlining);
    }
}

/// What leads to the function below, and how often it came.
static FLAG: AtomicU32 = AtomicU32::new(1);
static STOPS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: u64) {
    STOPS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_function_polls_once_where_it_begins_and_once_in_each_round() {
    let cases = [(Level::None, false, 4), (Level::Speed, false, 4), (Level::Speed, true, 3)];
    for (level, inlining, fewest) in cases {
        let session = Session::builder().build().unwrap();
        let flag = Addr((&raw const FLAG) as u64);
        session.define_absolute("vmkit_safepoint_flag", flag).unwrap();
        session.define_absolute("vmkit_safepoint", Addr(count as *const () as u64)).unwrap();
        let options = Options { level, inlining, polls: true, ..Options::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        // So many rounds as the parameter says, and one.
        cranelift
            .define_lazy("rounds", unary(), |builder, _| {
                let params = begin(builder);
                let [head, end] = [builder.create_block(), builder.create_block()];
                let left = builder.append_block_param(head, types::I64);
                builder.ins().jump(head, &[params[0].into()]);
                builder.switch_to_block(head);
                let less = builder.ins().iadd_imm_s(left, -1);
                builder.ins().brif(left, head, &[less.into()], end, &[]);
                builder.switch_to_block(end);
                builder.ins().return_(&params);
                Ok(())
            })
            .unwrap();
        cranelift.define_lazy("f", unary(), plus("rounds", 1)).unwrap();
        let function = cranelift.function::<Unary>("f").unwrap();
        let run = |rounds| {
            STOPS.store(0, Ordering::Relaxed);
            // SAFETY: it takes a number and gives one.
            assert_eq!(unsafe { function.call(rounds) }, rounds + 1);
            STOPS.load(Ordering::Relaxed)
        };
        assert_eq!((run(1), run(10)), (fewest, fewest + 9), "{level:?} {inlining}");
        assert_eq!(cranelift.functions_inlined(), u64::from(inlining));
        // It is there where the function is called as such.
        STOPS.store(0, Ordering::Relaxed);
        assert_eq!(call(&cranelift, "rounds", 0), 0);
        assert_eq!(STOPS.load(Ordering::Relaxed), 2);
    }
}
