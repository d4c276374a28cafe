//! What makes `cranelift_jit` panic is an error here, and concerns one definition or one call.

use std::sync::{Arc, Mutex};

#[cfg(target_arch = "x86_64")]
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{InstBuilder, LibCall, UserExternalName, types};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module, ModuleError, default_libcall_names,
};
#[cfg(target_arch = "x86_64")]
use cranelift_module::{ModuleReloc, ModuleRelocTarget};
use vmkit::{Addr, Error, Session};
use vmkit_cranelift::{JitBuilder, JitModule};

use crate::bench::{Unary, begin, unary};
use crate::module::{When, add, build, builder, counter, define_add, define_caller, module, run};

/// A module whose calls give -1 that fail, and what was said of them.
fn noting(libcall_names: fn(LibCall) -> String) -> (JitModule, Arc<Mutex<Vec<Error>>>) {
    extern "C" fn minus_one() -> i64 {
        -1
    }
    let failed = Arc::new(Mutex::new(Vec::new()));
    let note = failed.clone();
    let session = Session::builder().on_failure(move |_, error: &Error, _| {
        note.lock().unwrap().push(error.clone());
        Addr(minus_one as *const () as u64)
    });
    let mut builder = JitBuilder::new(Box::new(libcall_names)).unwrap();
    builder.session(&session.build().unwrap());
    (JitModule::new(builder), failed)
}

fn names(call: LibCall) -> String {
    default_libcall_names()(call)
}

/// What was said last.
fn last(failed: &Mutex<Vec<Error>>) -> String {
    failed.lock().unwrap().last().unwrap().to_string()
}

#[test]
fn an_undefined_function_is_the_error_of_its_call() {
    let (mut module, failed) = noting(names);
    for (name, linkage) in [
        ("nobody has this", Linkage::Import),
        ("not defined", Linkage::Export),
        ("not defined either", Linkage::Hidden),
        ("own", Linkage::Local),
        ("preempted", Linkage::Preemptible),
        ("with a \0 in it", Linkage::Import),
        ("", Linkage::Import),
    ] {
        let id = module.declare_function(name, linkage, &unary()).unwrap();
        let caller = define_caller(&mut module, &format!("call {name}"), id);
        module.finalize_definitions().unwrap();
        module.finalize_definitions().unwrap();
        assert_eq!(run(&module, caller, 1), -1);
        let expected = match linkage {
            Linkage::Local => "declared, but not defined",
            _ => name.split('\0').next().unwrap(),
        };
        assert!(last(&failed).contains(expected), "{}", last(&failed));
        assert!(!module.get_finalized_function(id).is_null());
    }
    let anonymous = module.declare_anonymous_function(&unary()).unwrap();
    let caller = define_caller(&mut module, "call anonymous", anonymous);
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, caller, 1), -1);
    let works = define_add(&mut module, "works", Linkage::Export, 1);
    assert_eq!(run(&module, works, 1), 2);
}

#[test]
fn a_missing_libcall_is_the_error_of_its_call() {
    let (mut module, failed) = noting(|_| "no such libcall".into());
    let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
    let mut context = build(&mut module, unary(), |module, builder| {
        let params = begin(builder);
        let [some, none] = [builder.create_block(), builder.create_block()];
        builder.ins().brif(params[0], some, &[], none, &[]);
        builder.switch_to_block(some);
        let config = module.target_config();
        builder.call_memmove(config, params[0], params[0], params[0]);
        builder.ins().return_(&params);
        builder.switch_to_block(none);
        builder.ins().return_(&params);
    });
    module.define_function(id, &mut context).unwrap();
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, id, 0), 0);
    assert!(failed.lock().unwrap().is_empty());
    assert_eq!(run(&module, id, 1), 1);
    assert!(last(&failed).contains("no such libcall"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn what_is_out_of_reach_is_an_error_that_says_so() {
    static FAR: u64 = 1;
    let mut builder = builder();
    builder.symbol("far", (&raw const FAR).cast());
    let mut module = JitModule::new(builder);
    let far = module.declare_data("far", Linkage::Import, false, false).unwrap();
    let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
    // lea rax, [rip + far]; ret
    let code = [0x48, 0x8d, 5, 0, 0, 0, 0, 0xc3];
    let relocation = ModuleReloc {
        offset: 3,
        kind: Reloc::X86PCRel4,
        name: ModuleRelocTarget::user(1, far.as_u32()),
        addend: -4,
    };
    module.define_function_bytes(id, 1, &code, &[relocation]).unwrap();
    module.finalize_definitions().unwrap();
    let error = module.session().compile(module.function_symbol(id)).unwrap_err().to_string();
    assert!(error.contains("far") && error.contains("f"), "{error}");
    assert!(error.contains("range") || error.contains("reach"), "{error}");
}

#[test]
fn ids_of_other_modules_are_errors() {
    let mut module = module();
    let mut context = add(&mut module, 1);
    let (function, data) = (FuncId::from_u32(7), DataId::from_u32(7));
    let is_undeclared = |result| matches!(result, Err(ModuleError::Undeclared(_)));
    let mut description = DataDescription::new();
    description.define_zeroinit(8);
    assert!(is_undeclared(module.define_function(function, &mut context)));
    assert!(is_undeclared(module.define_function_bytes(function, 1, &[0xc3], &[])));
    assert!(is_undeclared(module.define_data(data, &description)));
    assert!(is_undeclared(module.redefine_function(function, &mut context)));
    assert!(is_undeclared(module.remove_function(function)));
    assert!(is_undeclared(module.redefine_data(data, &description)));
    assert!(module.get_finalized_function(function).is_null());
    assert_eq!(module.get_finalized_data(data), (std::ptr::null(), 0));
    assert!(module.function_address(function).is_err() && module.data_address(data).is_err());
}

#[test]
fn names_that_stand_for_nothing_are_errors() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        for name in [(0, 99), (1, 99), (5, 0)] {
            let text = format!("f {name:?}");
            let id = module.declare_function(&text, Linkage::Export, &unary()).unwrap();
            let mut context = build(&mut module, unary(), |_, builder| {
                let params = begin(builder);
                let own = UserExternalName::new(name.0, name.1);
                let own = builder.func.declare_imported_user_function(own);
                let data = cranelift_codegen::ir::GlobalValueData::Symbol {
                    name: cranelift_codegen::ir::ExternalName::user(own),
                    offset: 0.into(),
                    colocated: false,
                    tls: false,
                };
                let data = builder.func.create_global_value(data);
                let address = builder.ins().symbol_value(types::I64, data);
                let sum = builder.ins().iadd(address, params[0]);
                builder.ins().return_(&[sum]);
            });
            let error = module.define_function(id, &mut context).unwrap_err();
            assert!(matches!(error, ModuleError::Backend(_)), "{error}");
        }
        let works = define_add(&mut module, "works", Linkage::Export, 1);
        assert_eq!(run(&module, works, 1), 2);
    }
}

extern "C" fn triple(number: i64) -> i64 {
    number * 3
}

#[test]
fn what_is_declared_local_and_never_defined_is_the_builders() {
    let mut builder = builder();
    builder.symbol("triple", triple as *const u8);
    let mut module = JitModule::new(builder);
    let id = module.declare_function("triple", Linkage::Local, &unary()).unwrap();
    let caller = define_caller(&mut module, "caller", id);
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, caller, 5), 15);
    let mut context = add(&mut module, 1);
    module.define_function(id, &mut context).unwrap();
    assert_eq!((run(&module, caller, 5), run(&module, id, 5)), (6, 6));
}

#[test]
fn data_is_what_it_was_declared_to_be() {
    let mut module = module();
    let data = module.declare_data("d", Linkage::Export, true, true).unwrap();
    let again = module.declare_data("d", Linkage::Export, true, false);
    assert!(matches!(again, Err(ModuleError::IncompatibleDeclaration(_))));
    let mut description = DataDescription::new();
    description.define(Box::new([1; 8]));
    module.define_data(data, &description).unwrap();
    let id = module.declare_function("f", Linkage::Export, &unary()).unwrap();
    let mut context = counter(&mut module, data);
    module.define_function(id, &mut context).unwrap();
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, id, 1), i64::from_le_bytes([1; 8]) + 1);
    let found = module.session().function::<Unary>("d").err().unwrap().to_string();
    assert_eq!(found, "d is data, not a function");
}

#[test]
fn data_larger_than_memory_is_an_error() {
    let mut module = module();
    for (size, align) in [(usize::MAX, 8), (usize::MAX - 7, 1 << 20), (8, 1 << 63)] {
        for tls in [false, true] {
            let data = module.declare_anonymous_data(true, tls).unwrap();
            let mut description = DataDescription::new();
            description.define_zeroinit(size);
            description.set_align(align);
            let defined = module.define_data(data, &description);
            let error = match defined {
                Ok(()) => module.data_address(data).unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(error.contains("memory"), "{error}");
        }
    }
    let works = define_add(&mut module, "works", Linkage::Export, 1);
    assert_eq!(run(&module, works, 1), 2);
}
