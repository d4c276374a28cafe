//! Threads in compiled loops are stopped, and what they refer to is moved meanwhile.
#![expect(unsafe_code, reason = "calls compiled code, and looks at its frames")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use vmkit::code::CodeMap;
use vmkit::safepoint::{Safepoints, Stopped};
use vmkit::{Addr, Session};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{Unary, begin, call, plus, unary};
use crate::spinners::{move_under_threads, object, release};

/// Defines `spin`, which waits for the number of its object and gives the header then; and `outer`, which
/// gives what `spin` does.
fn define(cranelift: &Cranelift) {
    cranelift
        .redefine_lazy("spin", unary(), |builder, _| {
            let params = begin(builder);
            builder.declare_value_needs_stack_map(params[0]);
            let [head, end] = [builder.create_block(), builder.create_block()];
            builder.ins().jump(head, &[]);
            builder.switch_to_block(head);
            let flags = MemFlagsData::trusted();
            let number = builder.ins().load(types::I64, flags, params[0], 16);
            builder.ins().brif(number, end, &[], head, &[]);
            builder.switch_to_block(end);
            let header = builder.ins().load(types::I64, flags, params[0], 0);
            builder.ins().return_(&[header]);
            Ok(())
        })
        .unwrap();
    cranelift.redefine_lazy("outer", unary(), plus("spin", 1000)).unwrap();
}

fn start(level: Level, inlining: bool) -> (Cranelift, Arc<CodeMap>, Safepoints) {
    let (map, safepoints) = (Arc::new(CodeMap::new()), Safepoints::new());
    let session = Session::builder().listener(map.clone()).build().unwrap();
    for (name, address) in safepoints.symbols() {
        session.define_absolute(name, address).unwrap();
    }
    let options = Options { level, inlining, polls: true, ..Options::default() };
    let cranelift = Cranelift::new(&session, options).unwrap();
    define(&cranelift);
    (cranelift, map, safepoints)
}

fn check(level: Level, inlining: bool) {
    let (cranelift, map, safepoints) = start(level, inlining);
    move_under_threads(&map, &safepoints, |header, object| {
        let found = call(&cranelift, "outer", object.cast_signed()).cast_unsigned();
        assert_eq!(found, 1000 + header, "{level:?}");
    });
}

#[test]
fn spinning_threads_are_stopped_stress() {
    for (level, inlining) in [(Level::None, false), (Level::Speed, false), (Level::Speed, true)] {
        check(level, inlining);
    }
}

#[test]
fn old_code_is_freed_when_no_stopped_thread_is_in_it() {
    let (cranelift, map, safepoints) = start(Level::Speed, false);
    let (session, object) = (cranelift.session(), object(5));
    let free = || {
        // SAFETY: all threads that run the session's code are stopped, and the map is the session's.
        safepoints.stop_the_world(|stopped| unsafe { session.reclaim_stopped(stopped, &map) })
    };
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            safepoints.register().managed(|| call(&cranelift, "outer", object.cast_signed()))
        });
        let is_in_both = |stopped: &[Stopped<'_>]| {
            // SAFETY: as above.
            let frames = stopped.first().and_then(|thread| unsafe { thread.frames(&map) });
            frames.is_some_and(|frames| frames.count() == 2)
        };
        while !safepoints.stop_the_world(is_in_both) {
            thread::yield_now();
        }
        define(&cranelift);
        assert_eq!(free(), Ok(0), "the thread is in both");
        release(object);
        assert_eq!(thread.join().unwrap(), 1005);
    });
    assert_eq!(free(), Ok(2));
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
