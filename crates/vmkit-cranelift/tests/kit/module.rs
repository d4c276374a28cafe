//! `cranelift_module::Module` on a session.
#![expect(unsafe_code, reason = "calls compiled code, and reads its data")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use cranelift_codegen::Context;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Type, types};
use cranelift_codegen::timing;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};
use vmkit::{Addr, Binding, Session};
use vmkit_cranelift::{Cranelift, JitBuilder, JitModule, Options};

use crate::bench::{Unary, begin, call, plus, signature, times, unary};

pub(crate) fn builder() -> JitBuilder {
    JitBuilder::new(default_libcall_names()).unwrap()
}

/// When a module's functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    Called,
    Defined,
    Ahead,
}

impl When {
    pub(crate) const ALL: [Self; 3] = [Self::Called, Self::Defined, Self::Ahead];

    pub(crate) fn choose(self, builder: &mut JitBuilder) -> &mut JitBuilder {
        match self {
            Self::Called => builder,
            Self::Defined => builder.eager(true),
            Self::Ahead => builder.ahead(true),
        }
    }
}

pub(crate) fn module() -> JitModule {
    JitModule::new(builder())
}

/// A function that a context is to hold.
pub(crate) fn build(
    module: &mut JitModule,
    signature: ir::Signature,
    body: impl FnOnce(&mut JitModule, &mut FunctionBuilder<'_>),
) -> Context {
    let mut context = module.make_context();
    context.func.signature = signature;
    let mut reused = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut reused);
    body(module, &mut builder);
    builder.seal_all_blocks();
    builder.finalize(module.target_config());
    context
}

/// Declares and defines a function that adds a number to its parameter.
pub(crate) fn define_add(
    module: &mut JitModule,
    name: &str,
    linkage: Linkage,
    number: i64,
) -> FuncId {
    let id = module.declare_function(name, linkage, &unary()).unwrap();
    let mut context = add(module, number);
    module.define_function(id, &mut context).unwrap();
    id
}

pub(crate) fn add(module: &mut JitModule, number: i64) -> Context {
    build(module, unary(), |_, builder| {
        let params = begin(builder);
        let sum = builder.ins().iadd_imm_s(params[0], number);
        builder.ins().return_(&[sum]);
    })
}

/// Declares and defines a function that gives what another one does.
pub(crate) fn define_caller(module: &mut JitModule, name: &str, callee: FuncId) -> FuncId {
    let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
    let mut context = build(module, unary(), |module, builder| {
        let params = begin(builder);
        let callee = module.declare_func_in_func(callee, builder.func);
        let call = builder.ins().call(callee, &params);
        let result = builder.inst_results(call)[0];
        builder.ins().return_(&[result]);
    });
    module.define_function(id, &mut context).unwrap();
    id
}

pub(crate) fn run(module: &JitModule, id: FuncId, number: i64) -> i64 {
    let pointer = module.get_finalized_function(id);
    // SAFETY: the functions that are run so take a number and give one.
    let function: Unary = unsafe { std::mem::transmute(pointer) };
    // SAFETY: as above.
    unsafe { function(number) }
}

/// Calls a function by the address of its code.
fn run_at(address: Addr, number: i64) -> i64 {
    // SAFETY: as for `run`; the code is not freed.
    unsafe { std::mem::transmute::<usize, Unary>(address.0 as usize)(number) }
}

#[test]
fn the_address_of_code_is_not_that_of_what_follows_it() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let id = define_add(&mut module, "f", Linkage::Export, 1);
        let caller = define_caller(&mut module, "caller", id);
        let old = module.code_address(id).unwrap();
        assert_eq!(run_at(old, 1), 2);
        assert_eq!(module.code_address(id).unwrap(), old);
        assert_ne!(module.function_address(id).unwrap(), old);
        assert_eq!((run(&module, id, 1), run(&module, caller, 1)), (2, 2));
        let mut context = add(&mut module, 2);
        module.redefine_function(id, &mut context).unwrap();
        let new = module.code_address(id).unwrap();
        assert_eq!((run_at(old, 1), run_at(new, 1)), (2, 3));
        assert_eq!((run(&module, id, 1), run(&module, caller, 1)), (3, 3));
        let undefined =
            module.declare_function("nobody has it", Linkage::Import, &unary()).unwrap();
        assert!(module.code_address(undefined).unwrap_err().is_undefined());
        assert!(module.code_address(FuncId::from_u32(1000)).is_err());
    }
}

#[test]
fn functions_run_lazily_and_eagerly() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let local = define_add(&mut module, "local", Linkage::Local, 1);
        let caller = define_caller(&mut module, "caller", local);
        let unused = define_add(&mut module, "unused", Linkage::Export, 5);
        module.finalize_definitions().unwrap();
        module.finalize_definitions().unwrap();
        assert_eq!(run(&module, caller, 41), 42);
        let compiled = module.session().stats().functions_compiled;
        assert_eq!(compiled, if when == When::Called { 2 } else { 3 });
        assert_eq!(run(&module, unused, 1), 6);
        // What comes after is as good.
        let late = define_caller(&mut module, "late", unused);
        assert_eq!(run(&module, late, 2), 7);
    }
}

#[test]
fn what_is_compiled_ahead_is_there_when_definitions_are_finalized() {
    const COUNT: u32 = 500;
    let threads = Session::builder().compile_threads(4).build().unwrap();
    for session in [Session::builder().build().unwrap(), threads] {
        let mut builder = builder();
        builder.session(&session).ahead(true);
        let mut module = JitModule::new(builder);
        for round in 0..4 {
            let before = session.stats();
            let mut last = define_add(&mut module, &format!("{round}"), Linkage::Export, round);
            for number in 1..COUNT {
                last = define_caller(&mut module, &format!("{round} {number}"), last);
            }
            module.finalize_definitions().unwrap();
            let compiled = |stats: vmkit::Stats| stats.functions_compiled;
            let expected = compiled(before) + u64::from(COUNT);
            assert_eq!(compiled(session.stats()), expected);
            assert_eq!(run(&module, last, 1), round + 1);
            assert_eq!(compiled(session.stats()), expected);
            // What waited in the queue is wanted again, and again there.
            let mut context = add(&mut module, 9);
            module.redefine_function(last, &mut context).unwrap();
            assert_eq!(run(&module, last, 1), 10);
            module.remove_function(last).unwrap();
            let mut context = add(&mut module, 0);
            module.define_function(last, &mut context).unwrap();
            module.finalize_definitions().unwrap();
            assert_eq!(run(&module, last, 1), 1);
            module.remove_function(last).unwrap();
        }
    }
}

#[test]
fn what_is_wrong_with_code_that_is_compiled_ahead_is_said_when_it_is_finalized() {
    let mut builder = builder();
    builder.ahead(true);
    let mut module = JitModule::new(builder);
    let first = define_add(&mut module, "first", Linkage::Export, 1);
    for name in ["bad", "worse"] {
        let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
        let mut context = build(&mut module, unary(), |_, builder| {
            let params = begin(builder);
            let wide = builder.ins().iconcat(params[0], params[0]);
            let wide = builder.ins().udiv(wide, wide);
            let narrow = builder.ins().ireduce(types::I64, wide);
            builder.ins().return_(&[narrow]);
        });
        module.define_function(id, &mut context).unwrap();
    }
    let last = define_caller(&mut module, "last", first);
    let error = module.finalize_definitions().unwrap_err().to_string();
    assert!(error.contains("bad"), "{error}");
    assert_eq!(run(&module, last, 1), 2, "the others are there");
    module.finalize_definitions().unwrap();
}

/// Defines a function, and tells whether it was compiled at once.
fn is_compiled_at_once(module: &mut JitModule, name: &str) -> bool {
    let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
    let mut context = add(module, 1);
    module.define_function(id, &mut context).unwrap();
    context.compiled_code().is_some()
}

#[test]
fn few_functions_wait_for_compile_threads() {
    let session = Session::builder().compile_threads(1).build().unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    let (go_on, goes_on) = mpsc::channel();
    let goes_on = Mutex::new(goes_on);
    cranelift
        .define_lazy("slow", unary(), move |builder, building| {
            goes_on.lock().unwrap().recv().unwrap();
            times(2)(builder, building)
        })
        .unwrap();
    // The one compile thread has enough to do.
    session.request(session.symbol("slow"));
    let mut builder = builder();
    builder.session(&session).ahead(true);
    let mut module = JitModule::new(builder);
    assert!(is_compiled_at_once(&mut module, "first"));
    let is_done = |number| is_compiled_at_once(&mut module, &format!("f{number}"));
    let waiting = (0..1000).map(is_done).filter(|is_done| !is_done).count();
    assert!((100..500).contains(&waiting), "{waiting}");
    go_on.send(()).unwrap();
    module.finalize_definitions().unwrap();
    session.compile(session.symbol("slow")).unwrap();
    assert_eq!(session.stats().functions_compiled, 1001 + 1);
    assert!(is_compiled_at_once(&mut module, "few again"));
}

#[test]
fn an_eager_function_is_there_before_definitions_are_finalized() {
    let mut builder = builder();
    builder.eager(true);
    let mut module = JitModule::new(builder);
    let mut last = define_add(&mut module, "first", Linkage::Export, 1);
    for number in 0..100 {
        last = define_caller(&mut module, &format!("f{number}"), last);
        assert_eq!(run(&module, last, number), number + 1);
    }
    // What was removed, or called, is nothing to finalize.
    let removed = define_add(&mut module, "removed", Linkage::Export, 1);
    module.remove_function(removed).unwrap();
    let redefined = define_add(&mut module, "redefined", Linkage::Export, 1);
    let mut context = add(&mut module, 2);
    module.redefine_function(redefined, &mut context).unwrap();
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, redefined, 1), 3);
}

#[test]
fn what_is_only_called_straight_gets_a_stub_when_its_calls_are_sent_elsewhere() {
    let mut builder = builder();
    builder.eager(true);
    let mut module = JitModule::new(builder);
    let callees = ["redefined", "over its slot", "removed"]
        .map(|name| define_add(&mut module, name, Linkage::Export, 1));
    let callers: Vec<_> = (0..)
        .zip(callees)
        .map(|(number, callee)| define_caller(&mut module, &format!("f{number}"), callee))
        .collect();
    module.finalize_definitions().unwrap();
    let stubs = |module: &JitModule| module.session().stats().stubs;
    let bound = module.session().stats();
    assert_eq!((bound.stubs, bound.sites_bound, bound.sites_on_stubs), (0, 3, 0));
    let check = |module: &JitModule, expected: [i64; 2]| {
        assert_eq!([callers[0], callers[1]].map(|caller| run(module, caller, 1)), expected);
    };
    check(&module, [2, 2]);
    assert_eq!(stubs(&module), 2, "their callers' own");
    let mut context = add(&mut module, 2);
    module.redefine_function(callees[0], &mut context).unwrap();
    module.session().set_binding(module.function_symbol(callees[1]), Binding::Slot);
    module.remove_function(callees[2]).unwrap();
    assert_eq!(stubs(&module), 5);
    assert_eq!(module.session().stats().sites_bound, 0);
    check(&module, [3, 2]);
    let mut context = add(&mut module, 4);
    module.redefine_function(callees[1], &mut context).unwrap();
    let mut context = add(&mut module, 5);
    module.define_function(callees[2], &mut context).unwrap();
    check(&module, [3, 5]);
    assert_eq!(run(&module, callers[2], 1), 6);
}

#[test]
fn an_eager_context_holds_its_code() {
    let mut builder = builder();
    builder.eager(true);
    let mut module = JitModule::new(builder);
    let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
    let mut context = add(&mut module, 1);
    module.define_function(id, &mut context).unwrap();
    assert!(context.compiled_code().is_some_and(|code| !code.code_buffer().is_empty()));
}

#[test]
fn an_eager_module_has_passes_timed_if_it_is_asked_to() {
    for is_timed in [false, true] {
        let mut builder = builder();
        builder.eager(true).timed(is_timed);
        let mut module = JitModule::new(builder);
        timing::take_current();
        for number in 0..100 {
            define_add(&mut module, &format!("f{number}"), Linkage::Export, number);
        }
        assert_eq!(!timing::take_current().total().is_zero(), is_timed);
    }
}

#[test]
fn anonymous_functions_and_data_are_the_modules_own() {
    let mut module = module();
    let data = module.declare_anonymous_data(true, false).unwrap();
    let mut description = DataDescription::new();
    description.define(Box::new(7u64.to_le_bytes()));
    module.define_data(data, &description).unwrap();
    let function = module.declare_anonymous_function(&unary()).unwrap();
    let mut context = counter(&mut module, data);
    module.define_function(function, &mut context).unwrap();
    assert_eq!((run(&module, function, 1), run(&module, function, 10)), (8, 18));
    let (pointer, size) = module.get_finalized_data(data);
    // SAFETY: the data is eight bytes, and nobody else is at it.
    assert_eq!((unsafe { pointer.cast::<u64>().read() }, size), (18, 8));
}

/// A function that adds its parameter to a number in data, and gives what is there then.
pub(crate) fn counter(module: &mut JitModule, data: DataId) -> Context {
    build(module, unary(), |module, builder| {
        let params = begin(builder);
        let global = module.declare_data_in_func(data, builder.func);
        let is_thread_local = module.declarations().get_data_decl(data).tls;
        let address = match is_thread_local {
            true => builder.ins().tls_value(types::I64, global),
            false => builder.ins().symbol_value(types::I64, global),
        };
        let flags = MemFlagsData::trusted();
        let before = builder.ins().load(types::I64, flags, address, 0);
        let after = builder.ins().iadd(before, params[0]);
        builder.ins().store(flags, after, address, 0);
        builder.ins().return_(&[after]);
    })
}

#[test]
fn each_thread_has_its_own_thread_local_data() {
    let mut module = module();
    let data = module.declare_data("own", Linkage::Export, true, true).unwrap();
    let mut description = DataDescription::new();
    description.define(Box::new(100u64.to_le_bytes()));
    module.define_data(data, &description).unwrap();
    let function = module.declare_function("f", Linkage::Export, &unary()).unwrap();
    let mut context = counter(&mut module, data);
    module.define_function(function, &mut context).unwrap();
    assert_eq!((run(&module, function, 1), run(&module, function, 1)), (101, 102));
    let address = module.get_finalized_function(function) as usize;
    let threads = (0..8).map(|number| {
        thread::spawn(move || {
            // SAFETY: the function takes a number and gives one.
            let function: Unary = unsafe { std::mem::transmute(address) };
            // SAFETY: as above.
            unsafe { (function(number), function(number)) }
        })
    });
    for (number, thread) in (0..8).zip(threads.collect::<Vec<_>>()) {
        assert_eq!(thread.join().unwrap(), (100 + number, 100 + 2 * number));
    }
    assert_eq!(run(&module, function, 1), 103);
    let again = module.declare_data("own", Linkage::Import, true, false);
    assert!(matches!(again, Err(ModuleError::IncompatibleDeclaration(_))));
}

#[test]
fn data_points_to_functions_and_data() {
    let mut module = module();
    let function = define_add(&mut module, "f", Linkage::Local, 3);
    let text = module.declare_data("text", Linkage::Local, false, false).unwrap();
    let mut description = DataDescription::new();
    description.define(b"hello".to_vec().into());
    module.define_data(text, &description).unwrap();
    let table = module.declare_data("table", Linkage::Export, false, false).unwrap();
    let mut description = DataDescription::new();
    description.define_zeroinit(32);
    let pointed = module.declare_func_in_data(function, &mut description);
    description.write_function_addr(8, pointed);
    for (offset, addend) in [(16, 0), (24, 4)] {
        let pointed = module.declare_data_in_data(text, &mut description);
        description.write_data_addr(offset, pointed, addend);
    }
    module.define_data(table, &description).unwrap();
    let (pointer, size) = module.get_finalized_data(table);
    // SAFETY: the table is four words.
    let words = unsafe { pointer.cast::<[u64; 4]>().read() };
    let text = module.get_finalized_data(text).0 as u64;
    let code = module.get_finalized_function(function) as u64;
    assert_eq!((size, words), (32, [0, code, text, text + 4]));
    // SAFETY: it points to `o`.
    assert_eq!(unsafe { (words[3] as *const u8).read() }, b'o');
}

#[test]
fn libraries_functions_are_called() {
    let mut module = module();
    let signature = signature(&[types::F64], &[types::F64]);
    let id = module.declare_function("f", Linkage::Export, &signature).unwrap();
    let mut context = build(&mut module, signature, |module, builder| {
        let params = begin(builder);
        // A fused multiplication is a library's, where the processor is not asked for.
        let product = builder.ins().fma(params[0], params[0], params[0]);
        let own = self::signature(&[types::F64], &[types::F64]);
        let cos = module.declare_function("cos", Linkage::Import, &own).unwrap();
        let cos = module.declare_func_in_func(cos, builder.func);
        let call = builder.ins().call(cos, &[product]);
        let result = builder.inst_results(call)[0];
        builder.ins().return_(&[result]);
    });
    module.define_function(id, &mut context).unwrap();
    let pointer = module.get_finalized_function(id);
    // SAFETY: the function is of this type.
    let function: extern "C" fn(f64) -> f64 = unsafe { std::mem::transmute(pointer) };
    assert_eq!(function(3.0), std::hint::black_box(12f64).cos());
}

extern "C" fn triple(number: i64) -> i64 {
    number * 3
}

#[test]
fn what_is_imported_is_what_the_builder_says() {
    let asked = Arc::new(AtomicU64::new(0));
    let mut builder = builder();
    builder.symbol("triple", std::ptr::null()).symbol("triple", triple as *const u8);
    let count = asked.clone();
    builder.symbol_lookup_fn(Box::new(|_| panic!("somebody else is asked first")));
    builder.symbol_lookup_fn(Box::new(move |name| {
        count.fetch_add(1, Ordering::Relaxed);
        (name == "looked_up").then_some(triple as *const u8)
    }));
    let mut module = JitModule::new(builder);
    for (name, expected) in [("triple", 30), ("looked_up", 30)] {
        let import = module.declare_function(name, Linkage::Import, &unary()).unwrap();
        let caller = define_caller(&mut module, &format!("call {name}"), import);
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        assert_eq!(run(&module, caller, 10), expected);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// A function that calls another one and adds four.
#[cfg(target_arch = "x86_64")]
mod code {
    use cranelift_codegen::binemit::Reloc;

    /// push rbp; call; add rax, 4; pop rbp; ret
    pub(super) const PLUS_FOUR: [u8; 12] =
        [0x55, 0xe8, 0, 0, 0, 0, 0x48, 0x83, 0xc0, 4, 0x5d, 0xc3];
    pub(super) const CALL_AT: u32 = 2;
    pub(super) const CALL: Reloc = Reloc::X86CallPCRel4;
    pub(super) const ADDEND: i64 = -4;
}

/// A function that calls another one and adds four.
#[cfg(target_arch = "aarch64")]
mod code {
    use cranelift_codegen::binemit::Reloc;

    pub(super) const PLUS_FOUR: [u8; 20] = [
        0xfd, 0x7b, 0xbf, 0xa9, // stp x29, x30, [sp, #-16]!
        0, 0, 0, 0x94, // bl
        0, 0x10, 0, 0x91, // add x0, x0, #4
        0xfd, 0x7b, 0xc1, 0xa8, // ldp x29, x30, [sp], #16
        0xc0, 3, 0x5f, 0xd6, // ret
    ];
    pub(super) const CALL_AT: u32 = 4;
    pub(super) const CALL: Reloc = Reloc::Arm64Call;
    pub(super) const ADDEND: i64 = 0;
}

#[test]
fn bytes_are_code() {
    let mut module = module();
    let add = define_add(&mut module, "add", Linkage::Local, 1);
    let bytes = module.declare_function("bytes", Linkage::Export, &unary()).unwrap();
    let relocation = |offset| ModuleReloc {
        offset,
        kind: code::CALL,
        name: ModuleRelocTarget::user(0, add.as_u32()),
        addend: code::ADDEND,
    };
    let code = code::PLUS_FOUR;
    let bad = module.define_function_bytes(bytes, 1, &code, &[relocation(code.len() as u32 - 2)]);
    assert!(matches!(bad, Err(ModuleError::Backend(_))), "{bad:?}");
    module.define_function_bytes(bytes, 1, &code, &[relocation(code::CALL_AT)]).unwrap();
    assert_eq!(run(&module, bytes, 10), 15);
    let twice = module.define_function_bytes(bytes, 1, &code, &[]);
    assert!(matches!(twice, Err(ModuleError::DuplicateDefinition(name)) if name == "bytes"));
}

#[test]
fn mistakes_are_errors() {
    let mut module = module();
    let id = define_add(&mut module, "f", Linkage::Export, 1);
    let mut context = add(&mut module, 2);
    let twice = module.define_function(id, &mut context);
    assert!(matches!(twice, Err(ModuleError::DuplicateDefinition(name)) if name == "f"));
    let import = module.declare_function("import", Linkage::Import, &unary()).unwrap();
    let defined = module.define_function(import, &mut context);
    assert!(matches!(defined, Err(ModuleError::InvalidImportDefinition(_))));
    let empty = module.declare_function("empty", Linkage::Export, &unary()).unwrap();
    assert!(module.define_function(empty, &mut Context::new()).is_err());
    let data = module.declare_data("data", Linkage::Export, true, false).unwrap();
    assert!(module.define_data(data, &DataDescription::new()).is_err());
    assert_eq!(module.get_finalized_data(data), (std::ptr::null(), 0));
    let mut description = DataDescription::new();
    description.define_zeroinit(8);
    let pointed = module.declare_func_in_data(id, &mut description);
    description.write_function_addr(1, pointed);
    assert!(module.define_data(data, &description).is_err());
    assert!(module.redefine_data(data, &description).is_err());
    assert!(module.redefine_function(empty, &mut context).is_err());
    assert!(module.remove_function(empty).is_err());
    assert_eq!(run(&module, id, 1), 2);
}

#[test]
fn invalid_functions_are_refused_when_they_are_defined() {
    for when in When::ALL {
        let flags = [("enable_verifier", "true")];
        let mut builder = JitBuilder::with_flags(&flags, default_libcall_names()).unwrap();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
        let mut context = build(&mut module, unary(), |_, builder| {
            begin(builder);
            builder.ins().return_(&[]);
        });
        let error = module.define_function(id, &mut context);
        assert!(matches!(error, Err(ModuleError::Compilation(_))), "{error:?}");
        let mut context = add(&mut module, 2);
        module.define_function(id, &mut context).unwrap();
        assert_eq!(run(&module, id, 1), 3);
    }
    assert!(JitBuilder::with_flags(&[("no such", "flag")], default_libcall_names()).is_err());
}

#[test]
fn functions_can_be_called_before_they_are_defined_and_after() {
    let session = Session::builder().on_failure(|_, _, _| Addr(triple as *const () as u64));
    let session = session.build().unwrap();
    let mut builder = builder();
    builder.session(&session);
    let mut module = JitModule::new(builder);
    for (name, linkage) in [("local", Linkage::Local), ("export", Linkage::Export)] {
        let id = module.declare_function(name, linkage, &unary()).unwrap();
        let caller = define_caller(&mut module, &format!("call {name}"), id);
        assert_eq!(run(&module, caller, 10), 30, "nobody defines it, so another function runs");
        let mut context = add(&mut module, 1);
        module.define_function(id, &mut context).unwrap();
        assert_eq!(run(&module, caller, 10), 11);
        let mut context = add(&mut module, 2);
        module.redefine_function(id, &mut context).unwrap();
        assert_eq!(run(&module, caller, 10), 12);
        module.remove_function(id).unwrap();
        assert_eq!(run(&module, caller, 10), 30);
        let mut context = add(&mut module, 3);
        module.define_function(id, &mut context).unwrap();
        assert_eq!(run(&module, caller, 10), 13);
    }
}

#[test]
fn data_is_redefined() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let data = module.declare_data("data", Linkage::Export, true, false).unwrap();
        let mut description = DataDescription::new();
        description.define(Box::new(5u64.to_le_bytes()));
        module.define_data(data, &description).unwrap();
        let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
        let mut context = counter(&mut module, data);
        module.define_function(id, &mut context).unwrap();
        assert_eq!((run(&module, id, 1), run(&module, id, 1)), (6, 7));
        description.clear();
        description.define(Box::new(50u64.to_le_bytes()));
        module.redefine_data(data, &description).unwrap();
        assert_eq!((run(&module, id, 1), run(&module, id, 1)), (51, 52));
    }
}

#[test]
fn modules_of_one_session_use_each_other() {
    let session = Session::builder().build().unwrap();
    let in_session = || {
        let mut builder = builder();
        builder.session(&session);
        JitModule::new(builder)
    };
    let (mut one, mut two) = (in_session(), in_session());
    define_add(&mut one, "shared", Linkage::Export, 1);
    define_add(&mut one, "own", Linkage::Local, 10);
    define_add(&mut two, "own", Linkage::Local, 20);
    let import = two.declare_function("shared", Linkage::Import, &unary()).unwrap();
    let caller = define_caller(&mut two, "caller", import);
    assert_eq!(run(&two, caller, 1), 2);
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    cranelift.define_lazy("above", unary(), plus("caller", 100)).unwrap();
    assert_eq!(call(&cranelift, "above", 1), 102);
    let mut context = add(&mut two, 7);
    let id = two.declare_function("shared", Linkage::Export, &unary()).unwrap();
    let twice = two.define_function(id, &mut context);
    assert!(matches!(twice, Err(ModuleError::DuplicateDefinition(_))), "{twice:?}");
    // Everybody follows.
    cranelift.redefine_lazy("shared", unary(), times(5)).unwrap();
    assert_eq!(call(&cranelift, "above", 3), 115);
    // SAFETY: nothing of it runs.
    unsafe { two.free_memory() };
    let error = session.compile(session.symbol("caller")).unwrap_err();
    assert!(error.is_undefined(), "{error}");
}

#[test]
fn memory_of_a_module_is_freed_with_its_session() {
    for _ in 0..20 {
        let mut module = module();
        let id = define_add(&mut module, "f", Linkage::Export, 1);
        assert_eq!(run(&module, id, 1), 2);
        // SAFETY: nothing of it runs.
        unsafe { module.free_memory() };
    }
}

#[test]
fn functions_stay_when_their_module_is_dropped() {
    let mut module = module();
    let id = module.declare_anonymous_function(&unary()).unwrap();
    let mut context = add(&mut module, 5);
    module.define_function(id, &mut context).unwrap();
    let pointer = module.get_finalized_function(id);
    drop(module);
    // SAFETY: the function takes a number and gives one.
    let function: Unary = unsafe { std::mem::transmute(pointer) };
    // SAFETY: as above.
    assert_eq!(unsafe { function(1) }, 6);
}

#[test]
fn two_gigabytes_lie_between_functions_and_data() {
    let mut module = module();
    let far = module.declare_data("far", Linkage::Export, true, false).unwrap();
    let mut description = DataDescription::new();
    description.define_zeroinit(3 << 30);
    module.define_data(far, &description).unwrap();
    let near = module.declare_data("near", Linkage::Export, true, false).unwrap();
    let mut description = DataDescription::new();
    description.define_zeroinit(8);
    module.define_data(near, &description).unwrap();
    for (name, data) in [("far counter", far), ("near counter", near)] {
        let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
        let mut context = counter(&mut module, data);
        module.define_function(id, &mut context).unwrap();
        assert_eq!((run(&module, id, 2), run(&module, id, 3)), (2, 5));
    }
}

/// Only so that a type of another size is met as well.
#[test]
fn small_types_are_passed() {
    let mut module = module();
    let small: &[Type] = &[types::I8, types::I16, types::I32];
    let of_small = signature(small, &[types::I32]);
    let id = module.declare_function("f", Linkage::Export, &of_small).unwrap();
    let mut context = build(&mut module, of_small, |_, builder| {
        let params = begin(builder);
        let one = builder.ins().sextend(types::I32, params[0]);
        let two = builder.ins().sextend(types::I32, params[1]);
        let sum = builder.ins().iadd(one, two);
        let sum = builder.ins().iadd(sum, params[2]);
        builder.ins().return_(&[sum]);
    });
    module.define_function(id, &mut context).unwrap();
    let function = module.session().function::<extern "C" fn(i8, i16, i32) -> i32>("f").unwrap();
    // SAFETY: the function is of this type.
    assert_eq!(unsafe { function.call(-1, 300, 1000) }, 1299);
}
