//! Redefinition, invalidation and reclamation.
#![expect(unsafe_code, reason = "runs what was linked")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use vmkit::listener::{Linked, Listener, Unlinked};
use vmkit::{Addr, Binding, Descriptor, ScopeId, State, SymbolId, SymbolKind, Unit};

use crate::bench::{Bench, Body, Module};
use crate::body::POINT_AT;

#[test]
fn callers_run_the_new_body_from_then_on() {
    for binding in [Binding::Direct, Binding::Slot] {
        let bench = Bench::with(binding, None);
        let (g, f) = bench.define_pair();
        let (run_f, run_g) = (bench.function(f), bench.function(g));
        assert_eq!((run_f(), run_g()), (101, 1));
        assert_eq!(bench.session.stats().sites_bound, u64::from(binding == Binding::Direct));
        bench.redefine(g, Body::Number(2));
        assert_eq!(bench.session.state(g), State::Defined);
        assert_eq!(bench.session.stats().sites_bound, 0);
        assert_eq!((run_f(), run_g()), (102, 2));
        bench.redefine_compiled(g, Body::Number(3)).unwrap();
        assert_eq!(bench.session.state(g), State::Ready);
        assert_eq!(bench.session.stats().sites_bound, u64::from(binding == Binding::Direct));
        assert_eq!((run_f(), run_g()), (103, 3));
        assert_eq!(bench.compiles(), 4);
        assert_eq!(bench.function(g) as usize, run_g as usize, "its address is for ever the same");
    }
}

#[test]
fn a_function_has_no_stub_until_somebody_goes_there() {
    let check = |change: &dyn Fn(&Bench, SymbolId), expected| {
        let bench = Bench::new();
        let (g, f) = bench.define_pair();
        for id in [g, f] {
            bench.session.compile(id).unwrap();
            assert_eq!(bench.session.explain(id).stub, None);
        }
        assert_eq!(bench.session.stats().sites_bound, 1);
        change(&bench, g);
        assert!(bench.session.explain(g).stub.is_some());
        assert_eq!(bench.function(f)(), expected);
        bench.redefine(g, Body::Number(9));
        assert_eq!(bench.function(f)(), 109);
    };
    check(&|bench, g| bench.redefine(g, Body::Number(2)), 102);
    check(&|bench, g| bench.redefine_compiled(g, Body::Number(3)).unwrap(), 103);
    check(&|bench, g| bench.session.remove(g).unwrap(), 504);
    check(&|bench, g| bench.session.set_binding(g, Binding::Slot), 101);
    check(&|bench, g| assert_eq!(bench.function(g)(), 1), 101);
}

#[test]
fn what_was_never_called_is_redefined_without_a_compile() {
    let bench = Bench::new();
    let g = bench.define("g", Body::Broken);
    bench.redefine(g, Body::Broken);
    bench.redefine(g, Body::Number(7));
    assert_eq!(bench.function(g)(), 7);
    assert_eq!(bench.compiles(), 1);
}

#[test]
fn a_definition_that_fails_to_compile_can_be_mended() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    assert_eq!(run(), 101);
    let error = bench.redefine_compiled(g, Body::Broken).unwrap_err();
    assert!(error.to_string().contains("it is broken"), "{error}");
    assert_eq!(run(), 101);
    bench.redefine(g, Body::Broken);
    assert_eq!(run(), 504);
    bench.redefine(g, Body::Number(5));
    assert_eq!(run(), 105);
}

#[test]
fn callers_of_what_was_removed_go_to_the_failure_hook() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    assert_eq!(run(), 101);
    bench.session.remove(g).unwrap();
    assert_eq!(run(), 504);
    assert!(!bench.session.is_defined(g));
    assert_eq!(bench.define("g", Body::Number(9)), g);
    assert_eq!(run(), 109);
}

#[test]
fn native_functions_come_and_go() {
    extern "C" fn native() -> u32 {
        77
    }
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    assert_eq!(run(), 101);
    // SAFETY: the function is as the others.
    unsafe { bench.session.redefine_native(g, Addr(native as *const () as u64)).unwrap() };
    assert_eq!(run(), 177);
    bench.redefine(g, Body::Number(2));
    assert_eq!(run(), 102);
}

#[test]
fn only_functions_can_be_redefined() {
    let bench = Bench::new();
    let data = Descriptor::strong("data".into(), SymbolKind::Data);
    let (data, _) = bench.session.define(&data, bench.scope, 0, Unit::Data).unwrap();
    let g = bench.define("g", Body::Number(1));
    let alias = Descriptor::strong("alias".into(), SymbolKind::Function);
    let (alias, _) = bench.session.define_alias(ScopeId::GLOBAL, &alias, g, 0, None).unwrap();
    for (id, why) in [(data, "data cannot be redefined: it is data"), (alias, "alias of g")] {
        let error = bench.session.redefine(id, bench.scope, 0).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn inlined_bodies_are_outdated_by_other_bodies_only() {
    let bench = Bench::new();
    let g = bench.define("g", Body::Number(1));
    let f = bench.define("f", Body::Inlined("g", 1));
    let h = bench.define("h", Body::Plus("f", 10));
    let run = bench.function(h);
    assert_eq!(run(), 11);
    assert_eq!(bench.session.why(f).relies_on, [g]);
    assert_eq!(bench.compiles(), 2, "the inlined function was never compiled alone");
    bench.redefine(g, Body::Number(1));
    assert_eq!((run(), bench.compiles()), (11, 2), "an equal body changes nothing");
    // What inlines it now has another body, too.
    bench.module.bodies.lock().unwrap().insert(1, Body::Inlined("g", 2));
    bench.redefine(g, Body::Number(2));
    assert_eq!(bench.session.state(f), State::Defined);
    assert_eq!(bench.session.state(h), State::Ready, "it only calls");
    assert_eq!((run(), bench.compiles()), (12, 3));
    assert_eq!(bench.session.why(f).outdated_by, [g]);
    assert_eq!(bench.session.stats().functions_invalidated, 1);
}

#[test]
fn an_assumption_takes_its_code_with_it() {
    let bench = Bench::new();
    let leaf = bench.session.assumption("C is a leaf");
    assert_eq!(leaf, bench.session.assumption("C is a leaf"));
    let f = bench.define("f", Body::Assuming(leaf, 1));
    let g = bench.define("g", Body::Number(2));
    let (run_f, run_g) = (bench.function(f), bench.function(g));
    assert_eq!((run_f(), run_g()), (1, 2));
    bench.module.bodies.lock().unwrap().insert(0, Body::Number(5));
    bench.session.invalidate(leaf);
    assert_eq!((bench.session.state(f), bench.session.state(g)), (State::Defined, State::Ready));
    assert_eq!((run_f(), run_g()), (5, 2));
    bench.session.invalidate(leaf);
    assert_eq!(bench.session.state(f), State::Ready, "the new code took nothing for granted");
}

#[test]
fn a_binding_can_be_changed_at_any_time() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    for binding in [Binding::Direct, Binding::Slot, Binding::Direct, Binding::Slot] {
        bench.session.set_binding(g, binding);
        assert_eq!(run(), 101);
        assert_eq!(bench.session.stats().sites_bound, u64::from(binding == Binding::Direct));
    }
    bench.redefine(g, Body::Number(2));
    assert_eq!(run(), 102);
    assert_eq!(bench.session.stats().sites_bound, 0, "it was said of the symbol");
}

/// Counts what is linked and not unlinked, by range.
#[derive(Default)]
struct Ranges(Mutex<HashMap<u64, u64>>);

impl Listener for Ranges {
    fn linked(&self, event: &Linked<'_>) {
        let section = event.sections[0].unwrap();
        let old = self.0.lock().unwrap().insert(section.address.0, section.bytes.len() as u64);
        assert_eq!(old, None, "what was there was not unlinked");
    }

    fn unlinked(&self, event: &Unlinked<'_>) {
        for (start, _) in event.ranges {
            assert!(self.0.lock().unwrap().remove(&start.0).is_some(), "it was never linked");
        }
    }
}

#[test]
fn retired_code_is_freed_when_its_readers_have_left() {
    let ranges = Arc::new(Ranges::default());
    let bench = Bench::with(Binding::Direct, Some(ranges.clone()));
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    let reader = bench.session.reader();
    let reading = reader.enter();
    assert_eq!(run(), 101);
    bench.redefine(g, Body::Number(2));
    assert_eq!(bench.session.stats().functions_retired, 1);
    assert_eq!(bench.reclaim(), 0, "this thread may be in it");
    drop(reading);
    assert_eq!(bench.reclaim(), 1);
    assert_eq!(ranges.0.lock().unwrap().len(), 1);
    assert_eq!(run(), 102);
    let used = bench.session.stats().code_bytes;
    for number in 3..1000 {
        bench.redefine(g, Body::Number(number));
        assert_eq!(run(), 100 + number);
        assert_eq!(bench.reclaim(), 1);
    }
    assert_eq!(bench.session.stats().code_bytes, used);
    assert_eq!(ranges.0.lock().unwrap().len(), 2);
}

#[test]
fn callers_that_are_freed_are_not_written_to() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    assert_eq!(run(), 101);
    for number in 2..200 {
        // Both the caller and, where it was, another caller, come and go.
        bench.redefine(f, Body::Plus("g", 100 * number));
        assert_eq!(bench.reclaim(), 1);
        bench.redefine(g, Body::Number(number));
        assert_eq!(run(), 101 * number);
        assert_eq!(bench.session.explain(g).sites.len(), 1);
        assert_eq!(bench.reclaim(), 1);
    }
}

#[test]
fn the_machine_can_say_itself_what_is_free() {
    let bench = Bench::new();
    let g = bench.define("g", Body::Number(1));
    let h = bench.define("h", Body::Number(2));
    for id in [g, h] {
        bench.function(id)();
        bench.redefine(id, Body::Number(3));
    }
    let mut seen = Vec::new();
    // SAFETY: nobody runs anything.
    let freed = unsafe {
        bench.session.reclaim_where(|id, ranges| {
            seen.push((id, ranges.len()));
            id == h
        })
    };
    assert_eq!((freed, seen), (1, vec![(g, 1), (h, 1)]));
    assert_eq!(bench.session.stats().functions_retired, 1);
}

#[test]
fn a_patch_point_calls_or_does_nothing() {
    let bench = Bench::new();
    let f = bench.define("f", Body::Point(1));
    let g = bench.define("g", Body::Number(2));
    let run = bench.function(f);
    assert_eq!(run(), 1);
    let code = bench.session.explain(f).address.unwrap();
    let patch = |at, function| {
        // SAFETY: the point is that far into the function.
        unsafe { bench.session.patch(at, function) }
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert!(matches!(run(), 1..=300));
            }
        });
        for number in 2..300 {
            bench.redefine(g, Body::Number(number));
            patch(code.offset(POINT_AT), Some(g)).unwrap();
            assert_eq!(run(), number);
            patch(code.offset(POINT_AT), None).unwrap();
            assert_eq!(run(), 1);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let error = patch(code, Some(g)).unwrap_err().to_string();
    assert!(error.starts_with("there is no patch point of "), "{error}");
    assert!(patch(Addr(64), None).is_err() && run() == 1);
}

/// How many redefinitions the long tests do: a million in the long run.
fn rounds(few: u32) -> u32 {
    std::env::var("VMKIT_ROUNDS").map_or(few, |text| text.parse().expect("a number"))
}

#[test]
fn back_and_forth_while_others_call() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let (one, two) = (bench.key(Body::Number(1)), bench.key(Body::Number(2)));
    let run = bench.function(f);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = bench.session.reader();
                let mut calls = 0u64;
                while !is_over.load(Ordering::Relaxed) {
                    let _reading = reader.enter();
                    let found = run();
                    assert!(found == 101 || found == 102, "{found}");
                    calls += 1;
                }
                assert!(calls > 0);
            });
        }
        let reader = bench.session.reader();
        for round in 0..rounds(3000) {
            let (key, number) = if round % 2 == 0 { (two, 2) } else { (one, 1) };
            if round % 3 == 0 {
                bench.session.redefine(g, bench.scope, key).unwrap();
            } else {
                bench.session.redefine_compiled(g, bench.scope, key).unwrap();
            }
            {
                let _reading = reader.enter();
                assert_eq!(run(), 100 + number, "a call that starts now runs the new body");
            }
            bench.reclaim();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    bench.reclaim();
    let stats = bench.session.stats();
    assert_eq!(stats.functions_retired, 0);
    assert!(stats.code_bytes < 4096, "{stats:?}");
}

#[test]
fn no_code_is_swapped_in_that_was_outdated_while_it_was_compiled() {
    let bench = Bench::new();
    let truth = bench.session.assumption("what it returns");
    let f = bench.define("f", Body::Assuming(truth, 0));
    let (key, run) = (0, bench.function(f));
    thread::scope(|scope| {
        let liar = scope.spawn(|| {
            for number in 1..rounds(30_000) {
                bench.module.bodies.lock().unwrap().insert(key, Body::Assuming(truth, number));
                bench.session.invalidate(truth);
                assert_eq!(run(), number, "what was true before is not any more");
            }
        });
        while !liar.is_finished() {
            bench.session.redefine_compiled(f, bench.scope, key).unwrap();
        }
    });
}

#[test]
fn two_that_redefine_each_other() {
    let bench = Bench::new();
    let f = bench.define("f", Body::Plus("g", 1));
    let g = bench.define("g", Body::Number(1));
    let run = [bench.function(f), bench.function(g)];
    for round in 0..100 {
        let (a, b, names) = if round % 2 == 0 { (f, g, "f") } else { (g, f, "g") };
        bench.redefine(a, Body::Number(round));
        bench.redefine(b, Body::Plus(names, 1));
        let found = run.map(|run| run());
        assert_eq!(found.iter().max(), Some(&(round + 1)));
        assert_eq!(found.iter().min(), Some(&round));
        bench.reclaim();
    }
}

#[test]
fn a_module_goes_when_nothing_of_it_is_wanted() {
    let bench = Bench::new();
    let (g, f) = bench.define_pair();
    let run = bench.function(f);
    assert_eq!(run(), 101);
    for number in 2..200 {
        let module = Arc::new(Module::default());
        module.bodies.lock().unwrap().insert(0, Body::Number(number));
        let is_there = Arc::downgrade(&module);
        let scope = bench.session.add_source(module);
        bench.session.redefine(g, scope, 0).unwrap();
        assert_eq!(run(), 100 + number);
        assert!(scope.index() < 8, "scopes are used again");
        // The new one, the one before, whose code is retired, and that of `f`.
        bench.reclaim();
        wait_until(|| bench.session.stats().modules == 2);
        assert!(is_there.upgrade().is_some());
    }
    bench.session.remove(g).unwrap();
    bench.reclaim();
    wait_until(|| bench.session.stats().modules == 1);
}

/// A compile thread may still be at the end of what it did.
fn wait_until(is_so: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed().as_secs() < 20, "it never is");
        thread::yield_now();
    }
}

#[test]
fn debuggers_forget_what_is_freed() {
    #[repr(C)]
    struct Descriptor {
        version: u32,
        action: u32,
        relevant: *const Image,
        first: *const Image,
    }
    #[repr(C)]
    struct Image {
        next: *const Image,
        previous: *const Image,
    }
    unsafe extern "C" {
        static __jit_debug_descriptor: Descriptor;
    }
    let shown = || {
        // SAFETY: this test's session is the only one that shows code, and links nothing meanwhile.
        unsafe {
            let mut image = (&raw const __jit_debug_descriptor.first).read_volatile();
            let mut count = 0;
            while !image.is_null() {
                assert!((*image).next.is_null() || (*(*image).next).previous == image);
                image = (*image).next;
                count += 1;
            }
            count
        }
    };
    let bench = Bench::with(Binding::Direct, Some(Arc::new(vmkit::debug::Gdb::new())));
    let g = bench.define("g", Body::Number(0));
    let f = bench.define("f", Body::Plus("g", 100));
    let run = bench.function(f);
    for number in 0..50 {
        bench.redefine(g, Body::Number(number));
        assert_eq!(run(), 100 + number);
        bench.reclaim();
        assert_eq!(shown(), 2);
    }
}

#[test]
fn idle_threads_end_and_sessions_go_with_their_last_handle() {
    let bench = Bench::new();
    let (_, f) = bench.define_pair();
    assert_eq!(bench.function(f)(), 101);
    let patience = std::time::Duration::from_millis(900);
    thread::sleep(patience);
    // There is no thread now: another one is started.
    let h = bench.define("h", Body::Number(7));
    assert_eq!(bench.function(h)(), 7);
    let session = bench.session.downgrade();
    assert!(session.upgrade().is_some());
    drop(bench);
    let start = std::time::Instant::now();
    while session.upgrade().is_some() {
        assert!(start.elapsed().as_secs() < 20, "a thread keeps the session");
        thread::sleep(patience / 10);
    }
}
