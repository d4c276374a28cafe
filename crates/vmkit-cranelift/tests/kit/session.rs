//! What a session does for functions of the backend: bindings, scopes, reasons, counts, many threads.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cranelift_module::{Linkage, Module, default_libcall_names};
use vmkit::{Binding, ScopeId, Session, State};
use vmkit_cranelift::{Cranelift, JitBuilder, JitModule, Level, Options};

use crate::bench::{Unary, begin, call, plus, start, times, unary};
use crate::module::{add, define_caller, run};
use cranelift_codegen::ir::InstBuilder;

#[test]
fn calls_are_bound_as_the_session_or_somebody_says() {
    for (binding, others) in [(Binding::Direct, Binding::Slot), (Binding::Slot, Binding::Direct)] {
        let session = Session::builder().binding(binding).build().unwrap();
        let cranelift = Cranelift::new(&session, Options::default()).unwrap();
        cranelift.define_lazy("g", unary(), times(2)).unwrap();
        cranelift.define_lazy("f", unary(), plus("g", 1)).unwrap();
        assert_eq!(call(&cranelift, "f", 10), 21);
        let is_direct = |binding| u64::from(binding == Binding::Direct);
        assert_eq!(session.stats().sites_bound, is_direct(binding));
        for binding in [others, binding, others] {
            session.set_binding(session.symbol("g"), binding);
            assert_eq!(call(&cranelift, "f", 10), 21);
            assert_eq!(session.stats().sites_bound, is_direct(binding));
        }
        cranelift.redefine_lazy("g", unary(), times(3)).unwrap();
        assert_eq!(call(&cranelift, "f", 10), 31);
        assert_eq!(session.stats().sites_bound, is_direct(others), "it was said of the symbol");
    }
}

/// Calls the function that a scope calls so.
fn call_in(session: &Session, scope: ScopeId, name: &str, number: i64) -> i64 {
    let id = session.own_symbol_in(scope, &name.into());
    let function = session.function_of::<Unary>(id).unwrap();
    // SAFETY: the functions of these tests take a number and give one.
    unsafe { function.call(number) }
}

#[test]
fn scopes_have_names_of_their_own_and_an_order() {
    let cranelift = start(Level::Speed);
    let session = cranelift.session();
    let library = session.add_scope(&[]);
    let users = [session.add_scope(&[library]), session.add_scope(&[library])];
    cranelift.define_lazy("both", unary(), times(1)).unwrap();
    cranelift.define_lazy("base", unary(), times(2)).unwrap();
    cranelift.define_lazy_in(library, "both", unary(), times(10)).unwrap();
    for (user, factor) in users.into_iter().zip([100, 200]) {
        cranelift.define_lazy_in(user, "own", unary(), times(factor)).unwrap();
        for name in ["own", "both", "base", "late"] {
            let caller = format!("call {name}");
            cranelift.define_lazy_in(user, &caller, unary(), plus(name, 1)).unwrap();
        }
        let twice = cranelift.define_lazy_in(user, "own", unary(), times(1));
        assert!(twice.unwrap_err().is_duplicate());
    }
    let results = |user| {
        ["own", "both", "base"].map(|name| call_in(session, user, &format!("call {name}"), 5))
    };
    assert_eq!(results(users[0]), [501, 51, 11]);
    assert_eq!(results(users[1]), [1001, 51, 11]);
    // It is looked up when it is first called.
    assert_eq!(call_in(session, users[0], "call late", 5), 0, "what cannot run gives -1");
    cranelift.define_lazy_in(library, "late", unary(), times(3)).unwrap();
    assert_eq!(call_in(session, users[1], "call late", 5), 16);
    assert!(session.find("own").is_none(), "the scope that all share has none");
}

#[test]
fn a_scope_goes_whole() {
    let cranelift = start(Level::None);
    let session = cranelift.session();
    let library = session.add_scope(&[]);
    let user = session.add_scope(&[library]);
    cranelift.define_lazy_in(library, "g", unary(), times(10)).unwrap();
    cranelift.define_lazy_in(user, "f", unary(), plus("g", 1)).unwrap();
    assert_eq!(call_in(session, user, "f", 5), 51);
    let before = session.stats();
    // SAFETY: the scope has no data.
    unsafe { session.drop_scope(library) };
    assert_eq!(call_in(session, user, "f", 5), 0, "its callers find nobody");
    // SAFETY: no code of the session runs.
    assert_eq!(unsafe { session.reclaim() }, 1);
    assert!(session.stats().code_bytes < before.code_bytes);
    assert_eq!(call_in(session, user, "f", 5), 0);
}

#[test]
fn modules_export_into_their_scope() {
    let session = Session::builder().build().unwrap();
    let scopes = [session.add_scope(&[]), session.add_scope(&[])];
    let mut modules = scopes.map(|scope| {
        let mut builder = JitBuilder::new(default_libcall_names()).unwrap();
        builder.session_in(&session, scope);
        JitModule::new(builder)
    });
    for (number, module) in (1..).zip(&mut modules) {
        let id = module.declare_function("same", Linkage::Export, &unary()).unwrap();
        let mut context = add(module, number);
        module.define_function(id, &mut context).unwrap();
        let caller = define_caller(module, "caller", id);
        assert_eq!(run(module, caller, 10), 10 + number);
    }
    assert_eq!(call_in(&session, scopes[0], "caller", 20), 21);
    assert_eq!(call_in(&session, scopes[1], "caller", 20), 22);
    assert!(session.find("same").is_none());
}

#[test]
fn the_session_knows_why() {
    let cranelift = start(Level::Speed);
    let session = cranelift.session();
    let leaf = session.assumption("nobody overrides leaf");
    let g = cranelift
        .define_lazy("g", unary(), move |builder, building| {
            building.assume(leaf);
            times(2)(builder, building)
        })
        .unwrap();
    let f = cranelift.define_lazy("f", unary(), plus("g", 1)).unwrap();
    let h = cranelift
        .define_lazy("h", unary(), |builder, building| {
            building.keep_apart();
            plus("f", 100)(builder, building)
        })
        .unwrap();
    assert_eq!((call(&cranelift, "h", 5), cranelift.functions_inlined()), (111, 2));
    let mut relies_on = session.why(h).relies_on;
    relies_on.sort();
    let mut expected = vec![leaf, g, f];
    expected.sort();
    assert_eq!(relies_on, expected);
    assert!(session.why(h).outdated_by.is_empty());
    assert_eq!(session.state(f), State::Defined, "it was never called as such");
    session.invalidate(leaf);
    assert_eq!(session.state(h), State::Defined);
    assert_eq!(session.why(h).outdated_by, [leaf]);
    assert_eq!(call(&cranelift, "h", 5), 111);
    cranelift.redefine_lazy("g", unary(), times(3)).unwrap();
    assert_eq!(session.why(h).outdated_by, [leaf, g]);
    assert_eq!(call(&cranelift, "h", 5), 116);
    assert_eq!(session.why(h).relies_on.len(), 2, "no assumption any more");
    let stats = session.stats();
    assert_eq!((stats.functions_compiled, stats.functions_invalidated), (3, 2));
    assert_eq!(cranelift.functions_inlined(), 6);
    assert!(stats.materialize_seconds > 0.0 && stats.code_bytes > 0);
}

#[test]
fn modules_count_what_is_inlined() {
    for inlining in [false, true] {
        let mut builder = JitBuilder::new(default_libcall_names()).unwrap();
        builder.inlining(inlining);
        let mut module = JitModule::new(builder);
        let id = module.declare_function("f", Linkage::Local, &unary()).unwrap();
        let mut context = add(&mut module, 1);
        module.define_function(id, &mut context).unwrap();
        let caller = define_caller(&mut module, "caller", id);
        assert_eq!(run(&module, caller, 1), 2);
        assert_eq!(module.functions_inlined(), u64::from(inlining));
    }
}

#[test]
fn eight_threads_call_first_at_once() {
    const FUNCTIONS: i64 = 50;
    for level in [Level::None, Level::Speed] {
        let cranelift = start(level);
        let session = cranelift.session();
        static BUILT: AtomicU64 = AtomicU64::new(0);
        BUILT.store(0, Ordering::Relaxed);
        for number in 0..FUNCTIONS {
            cranelift
                .define_lazy(&format!("f{number}"), unary(), move |builder, building| {
                    BUILT.fetch_add(1, Ordering::Relaxed);
                    let params = begin(builder);
                    let mut sum = params[0];
                    // Each calls the next one; all threads meet in all of them.
                    if number + 1 < FUNCTIONS {
                        building.keep_apart();
                        let next = format!("f{}", number + 1);
                        let next = building.function(builder.func, &next, &unary());
                        let call = builder.ins().call(next, &params);
                        sum = builder.inst_results(call)[0];
                    }
                    let sum = builder.ins().iadd_imm_s(sum, number);
                    builder.ins().return_(&[sum]);
                    Ok(())
                })
                .unwrap();
        }
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for thread in 0..8 {
                let (cranelift, barrier) = (&cranelift, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for first in [thread * 5, 0] {
                        let sum: i64 = (first..FUNCTIONS).sum();
                        assert_eq!(call(cranelift, &format!("f{first}"), 1000), 1000 + sum);
                    }
                });
            }
        });
        let compiled = session.stats().functions_compiled;
        assert!(compiled <= FUNCTIONS as u64 && compiled >= FUNCTIONS as u64 - 1, "{compiled}");
        assert!(BUILT.load(Ordering::Relaxed) <= 2 * FUNCTIONS as u64);
    }
}
