//! Memory stays bounded, in a process of its own where that can be seen.
#![expect(unsafe_code, reason = "frees code")]

#[path = "kit/bench.rs"]
mod bench;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::sync::Mutex;

use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{Linkage, Module, default_libcall_names};
use vmkit::COMPILE_THREAD;
use vmkit_cranelift::{JitBuilder, JitModule, Level};

use self::bench::{begin, call, plus, start, times, unary};

/// One test at a time: they measure the process.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes that the process has in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn a_hundred_thousand_redefinitions_run_in_bounded_memory() {
    let _turn = TURN.lock();
    let cranelift = start(Level::None);
    cranelift.define_lazy("g", unary(), times(0)).unwrap();
    cranelift.define_lazy("f", unary(), plus("g", 0)).unwrap();
    let session = cranelift.session().clone();
    let mut before = 0;
    for round in 1..=100_000 {
        cranelift.redefine_lazy("g", unary(), times(round)).unwrap();
        // A compile each time would take minutes; many are never called.
        if round % 50 == 0 {
            assert_eq!(call(&cranelift, "f", 1), round);
            // SAFETY: nobody runs code now.
            unsafe { session.reclaim() };
        }
        if round == 10_000 {
            before = resident();
        }
    }
    let stats = session.stats();
    assert!(stats.modules < 10 && stats.code_bytes < 1 << 12, "{stats:?}");
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more");
}

/// Defines a function `f` and a number, which adds the number to its parameter.
fn define_add(module: &mut JitModule, number: i64) {
    let name = format!("f{number}");
    let id = module.declare_function(&name, Linkage::Export, &unary()).unwrap();
    let mut context = module.make_context();
    context.func.signature = unary();
    let mut reused = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    let params = begin(&mut builder);
    let sum = builder.ins().iadd_imm_s(params[0], number);
    builder.ins().return_(&[sum]);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    module.define_function(id, &mut context).unwrap();
}

/// The numbers of the threads that compile. The test runner's come and go.
fn compile_threads() -> BTreeSet<OsString> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap);
    let compiles = |task: &DirEntry| {
        // One that ended meanwhile has no name.
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        name.trim_end() == COMPILE_THREAD.to_str().unwrap()
    };
    tasks.filter(compiles).map(|task| task.file_name()).collect()
}

/// The threads of this process, and bytes of its addresses.
fn threads_and_addresses() -> (usize, u64) {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').next().unwrap().parse().unwrap();
    (threads, pages * 4096)
}

#[test]
fn few_functions_that_are_compiled_ahead_are_worth_no_thread() {
    let _turn = TURN.lock();
    let before = compile_threads();
    let begun_for = |functions| {
        let mut builder = JitBuilder::new(default_libcall_names()).unwrap();
        builder.ahead(true);
        let mut module = JitModule::new(builder);
        for number in 0..functions {
            define_add(&mut module, number);
        }
        module.finalize_definitions().unwrap();
        let compiled = module.session().stats().functions_compiled;
        assert_eq!(compiled, u64::try_from(functions).unwrap());
        let threads = compile_threads().difference(&before).count();
        // SAFETY: nothing of it runs.
        unsafe { module.free_memory() };
        threads
    };
    assert_eq!(begun_for(10), 0);
    assert_ne!(begun_for(1000), 0);
}

#[test]
fn modules_come_and_go() {
    let _turn = TURN.lock();
    let before = threads_and_addresses();
    for number in 0..1500 {
        let mut module = JitModule::new(JitBuilder::new(default_libcall_names()).unwrap());
        define_add(&mut module, number);
        let name = format!("f{number}");
        let function = module.session().function::<bench::Unary>(&name).unwrap();
        // SAFETY: it takes a number and gives one.
        assert_eq!(unsafe { function.call(1) }, number + 1);
        drop(function);
        // SAFETY: nothing of it runs.
        unsafe { module.free_memory() };
    }
    let start = std::time::Instant::now();
    loop {
        let (threads, addresses) = threads_and_addresses();
        if threads <= before.0 + 4 && addresses < before.1 + (64 << 30) {
            return;
        }
        assert!(start.elapsed().as_secs() < 20, "{threads} threads, {addresses} bytes");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
