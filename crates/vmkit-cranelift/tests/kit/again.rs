//! Modules whose code is wanted again, or asked about, after it was compiled.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use cranelift_codegen::Context;
use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use vmkit_cranelift::{JitBuilder, JitModule};

use crate::bench::{Unary, begin, unary};
use crate::module::When;

/// What a function that is redefined often adds in the end.
const LAST: i64 = 4_000;

/// Modules that compile what is called, and what is defined.
fn all(inlining: bool) -> [JitModule; 3] {
    When::ALL.map(|when| {
        let mut builder = JitBuilder::new(default_libcall_names()).unwrap();
        when.choose(&mut builder).inlining(inlining);
        JitModule::new(builder)
    })
}

/// A function that adds a number to what another one gives for its parameter, or to that itself.
fn add(module: &mut JitModule, callee: Option<FuncId>, number: i64) -> Context {
    let mut context = module.make_context();
    context.func.signature = unary();
    let mut reused = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let params = begin(&mut builder);
    let given = match callee {
        Some(callee) => {
            let callee = module.declare_func_in_func(callee, builder.func);
            let call = builder.ins().call(callee, &params);
            builder.inst_results(call)[0]
        }
        None => params[0],
    };
    let sum = builder.ins().iadd_imm_s(given, number);
    builder.ins().return_(&[sum]);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    context
}

fn define(module: &mut JitModule, name: &str, callee: Option<FuncId>, number: i64) -> FuncId {
    let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
    let mut context = add(module, callee, number);
    module.define_function(id, &mut context).unwrap();
    id
}

fn run(module: &JitModule, name: &str, number: i64) -> i64 {
    let function = module.session().function::<Unary>(name).unwrap();
    // SAFETY: the functions of these tests take a number and give one.
    unsafe { function.call(number) }
}

#[test]
fn a_redefinition_reaches_what_a_module_has_inlined() {
    for mut module in all(true) {
        let callee = define(&mut module, "callee", None, 1);
        let middle = define(&mut module, "middle", Some(callee), 10);
        define(&mut module, "caller", Some(middle), 100);
        module.finalize_definitions().unwrap();
        assert_eq!(run(&module, "caller", 0), 111);
        for number in [2, 3] {
            let mut context = add(&mut module, None, number);
            module.redefine_function(callee, &mut context).unwrap();
            assert_eq!(run(&module, "caller", 0), 110 + number);
            assert_eq!(run(&module, "middle", 0), 10 + number);
        }
    }
}

#[test]
fn types_are_known_after_code_is_compiled() {
    for mut module in all(false) {
        define(&mut module, "f", None, 1);
        module.finalize_definitions().unwrap();
        assert_eq!(run(&module, "f", 1), 2);
        let other = module.session().function::<unsafe extern "C-unwind" fn(f64) -> f64>("f");
        assert!(other.is_err());
    }
}

#[test]
fn a_function_comes_and_goes() {
    for mut module in all(false) {
        let id = define(&mut module, "f", None, 1);
        assert_eq!(run(&module, "f", 1), 2);
        for number in 2..5 {
            let mut context = add(&mut module, None, number);
            module.redefine_function(id, &mut context).unwrap();
            assert_eq!(run(&module, "f", 1), 1 + number);
            module.remove_function(id).unwrap();
            let mut context = add(&mut module, None, -number);
            module.define_function(id, &mut context).unwrap();
            assert_eq!(run(&module, "f", 1), 1 - number);
        }
    }
}

#[test]
fn modules_redefine_while_threads_call() {
    for mut module in all(false) {
        let id = define(&mut module, "f", None, 0);
        let caller = define(&mut module, "caller", Some(id), 0);
        module.finalize_definitions().unwrap();
        let (now, caller) = (AtomicI64::new(0), module.function_address(caller).unwrap());
        // SAFETY: as in `run`.
        let call: Unary = unsafe { std::mem::transmute(caller.0 as usize) };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while now.load(Ordering::Relaxed) < LAST {
                        let least = now.load(Ordering::SeqCst);
                        // SAFETY: as above.
                        let number = unsafe { call(0) };
                        assert!((least..=LAST).contains(&number), "{number} after {least}");
                    }
                });
            }
            for number in 1..=LAST {
                let mut context = add(&mut module, None, number);
                module.redefine_function(id, &mut context).unwrap();
                now.store(number, Ordering::SeqCst);
            }
        });
        assert_eq!(run(&module, "caller", 0), LAST);
    }
}
