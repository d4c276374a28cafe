//! What the public items of `cranelift_jit` and `cranelift_module` promise, one by one, beside what
//! `module` tests.
#![expect(unsafe_code, reason = "calls compiled code, and reads its data")]

use cranelift_codegen::ir::{InstBuilder, LibCall, Signature, types};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_module::{
    DataDescription, DataId, FuncId, FuncOrDataId, Linkage, Module, ModuleDeclarations,
    ModuleError, ModuleRelocTarget, default_libcall_names,
};
use vmkit::Session;
use vmkit_cranelift::{JITBuilder, JITModule, JitBuilder, JitModule, VERSION};

use crate::bench::{begin, unary};
use crate::module::{When, add, build, builder, counter, define_add, define_caller, module, run};

extern "C" fn triple(number: i64) -> i64 {
    number * 3
}

static FIVE: u64 = 5;

/// A function that gives an address plus its parameter.
fn define_address(module: &mut JitModule, name: &str, of: ModuleRelocTarget) -> FuncId {
    let id = module.declare_function(name, Linkage::Export, &unary()).unwrap();
    let mut context = build(module, unary(), |module, builder| {
        let params = begin(builder);
        let address = if ModuleDeclarations::is_function(&of) {
            let id = FuncId::from_name(&of);
            let function = module.declare_func_in_func(id, builder.func);
            builder.ins().func_addr(types::I64, function)
        } else {
            let data = module.declare_data_in_func(DataId::from_name(&of), builder.func);
            builder.ins().symbol_value(types::I64, data)
        };
        let sum = builder.ins().iadd(address, params[0]);
        builder.ins().return_(&[sum]);
    });
    module.define_function(id, &mut context).unwrap();
    id
}

fn declare(module: &mut JitModule, name: &str, linkage: Linkage) -> (FuncId, DataId) {
    let function = module.declare_function(&format!("function {name}"), linkage, &unary()).unwrap();
    let data = module.declare_data(&format!("data {name}"), linkage, true, false).unwrap();
    (function, data)
}

fn number(value: u64) -> DataDescription {
    let mut description = DataDescription::new();
    description.define(Box::new(value.to_le_bytes()));
    description
}

/// The words of a table of pointers to a function and to data.
fn pointers(module: &mut JitModule, function: FuncId, data: DataId) -> [u64; 2] {
    let mut description = DataDescription::new();
    description.define_zeroinit(16);
    let pointed = module.declare_func_in_data(function, &mut description);
    description.write_function_addr(0, pointed);
    let pointed = module.declare_data_in_data(data, &mut description);
    description.write_data_addr(8, pointed, 0);
    let table = module.declare_anonymous_data(false, false).unwrap();
    module.define_data(table, &description).unwrap();
    let (pointer, size) = module.get_finalized_data(table);
    assert_eq!(size, 16);
    // SAFETY: the table is two words.
    unsafe { pointer.cast::<[u64; 2]>().read() }
}

#[test]
fn what_is_preemptible_and_nobody_defines_is_null() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let (function, data) = declare(&mut module, "nowhere", Linkage::Preemptible);
        let of_function = define_address(&mut module, "of function", function.into());
        let of_data = define_address(&mut module, "of data", data.into());
        module.finalize_definitions().unwrap();
        assert_eq!((run(&module, of_function, 7), run(&module, of_data, 7)), (7, 7));
        assert_eq!(pointers(&mut module, function, data), [0, 0]);
        assert!(module.get_finalized_data(data).0.is_null());
        // Of what is not, the address is an error, and only where it is needed.
        let (_, strong) = declare(&mut module, "missing", Linkage::Export);
        let of_strong = define_address(&mut module, "of missing", strong.into());
        assert_eq!(module.finalize_definitions().is_err(), when != When::Called);
        let symbol = module.function_symbol(of_strong);
        let error = module.session().compile(symbol).unwrap_err();
        assert!(error.to_string().contains("data missing"), "{error}");
        assert!(module.get_finalized_data(strong).0.is_null());
    }
}

#[test]
fn what_is_preemptible_and_defined_in_time_is_there() {
    for when in When::ALL {
        let mut builder = builder();
        when.choose(&mut builder);
        let mut module = JitModule::new(builder);
        let (function, data) = declare(&mut module, "later", Linkage::Preemptible);
        let of_function = define_address(&mut module, "of function", function.into());
        let of_data = define_address(&mut module, "of data", data.into());
        let mut context = add(&mut module, 3);
        module.define_function(function, &mut context).unwrap();
        module.define_data(data, &number(9)).unwrap();
        module.finalize_definitions().unwrap();
        let code = module.get_finalized_function(function) as i64;
        let at = module.get_finalized_data(data).0 as i64;
        assert_eq!((run(&module, of_function, 7), run(&module, of_data, 7)), (code + 7, at + 7));
        assert_eq!(pointers(&mut module, function, data), [code as u64, at as u64]);
        assert_eq!(run(&module, function, 1), 4);
    }
}

#[test]
fn what_was_to_be_defined_and_is_not_is_the_builders() {
    for when in When::ALL {
        for linkage in [Linkage::Export, Linkage::Hidden, Linkage::Preemptible] {
            let mut builder = builder();
            when.choose(&mut builder).symbol("function given", triple as *const u8);
            builder.symbol_lookup_fn(Box::new(|name| {
                (name == "data given").then_some((&raw const FIVE).cast())
            }));
            let mut module = JitModule::new(builder);
            let (function, data) = declare(&mut module, "given", linkage);
            let caller = define_caller(&mut module, "caller", function);
            let of_data = define_address(&mut module, "of data", data.into());
            module.finalize_definitions().unwrap();
            assert_eq!(run(&module, caller, 5), 15, "{linkage:?}");
            assert_eq!(run(&module, of_data, 0), (&raw const FIVE) as i64);
            // Until the module defines it after all, unless that gives way to others.
            if linkage == Linkage::Preemptible {
                continue;
            }
            let mut context = add(&mut module, 1);
            module.define_function(function, &mut context).unwrap();
            module.define_data(data, &number(9)).unwrap();
            assert_eq!((run(&module, function, 5), run(&module, caller, 5)), (6, 6), "{linkage:?}");
            let at = module.get_finalized_data(data).0;
            let of_data = define_address(&mut module, "of own data", data.into());
            assert_eq!(run(&module, of_data, 0), at as i64);
            // SAFETY: the data is eight bytes.
            assert_eq!(unsafe { at.cast::<u64>().read() }, 9);
        }
    }
}

#[test]
fn what_was_imported_first_is_the_modules_own_once_it_defines_it() {
    let mut builder = builder();
    builder.symbol("f", triple as *const u8).symbol("d", (&raw const FIVE).cast());
    let mut module = JitModule::new(builder);
    let import = module.declare_function("f", Linkage::Import, &unary()).unwrap();
    let data = module.declare_data("d", Linkage::Import, true, false).unwrap();
    let caller = define_caller(&mut module, "caller", import);
    let of_data = define_address(&mut module, "of data", data.into());
    assert_eq!(define_add(&mut module, "f", Linkage::Export, 1), import);
    assert_eq!(module.declare_data("d", Linkage::Export, true, false).unwrap(), data);
    module.define_data(data, &number(8)).unwrap();
    module.finalize_definitions().unwrap();
    assert_eq!(run(&module, caller, 5), 6);
    assert_eq!(run(&module, of_data, 0), module.get_finalized_data(data).0 as i64);
}

#[test]
fn an_instruction_set_can_be_the_callers() {
    // What `cranelift_jit` asks for: addresses are in the code.
    for (is_pic, colocated) in [("false", "false"), ("false", "true"), ("true", "false")] {
        let mut flags = settings::builder();
        flags.set("is_pic", is_pic).unwrap();
        flags.set("use_colocated_libcalls", colocated).unwrap();
        let isa = cranelift_native::builder().unwrap().finish(settings::Flags::new(flags)).unwrap();
        let mut builder = JitBuilder::with_isa(isa, default_libcall_names());
        builder.symbol("triple", triple as *const u8);
        let mut module = JitModule::new(builder);
        let import = module.declare_function("triple", Linkage::Import, &unary()).unwrap();
        let caller = define_caller(&mut module, "caller", import);
        let of_import = define_address(&mut module, "of import", import.into());
        let data = module.declare_data("data", Linkage::Local, true, false).unwrap();
        module.define_data(data, &number(100)).unwrap();
        let function = module.declare_function("counter", Linkage::Export, &unary()).unwrap();
        let mut context = counter(&mut module, data);
        module.define_function(function, &mut context).unwrap();
        module.finalize_definitions().unwrap();
        assert_eq!(run(&module, caller, 5), 15);
        assert_eq!((run(&module, function, 5), run(&module, function, 5)), (105, 110));
        let address = run(&module, of_import, 0) as *const u8;
        // SAFETY: that is where the function, or a jump to it, is.
        let function: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(address) };
        assert_eq!(function(7), 21);
    }
}

#[test]
fn addresses_are_those_of_what_relocations_name() {
    let mut module = module();
    let function = define_add(&mut module, "f", Linkage::Local, 1);
    let data = module.declare_data("d", Linkage::Local, false, false).unwrap();
    module.define_data(data, &number(8)).unwrap();
    module.finalize_definitions().unwrap();
    let code = module.get_finalized_function(function);
    assert_eq!(module.get_address(&function.into()), code);
    assert_eq!(module.get_address(&data.into()), module.get_finalized_data(data).0);
    let within = ModuleRelocTarget::FunctionOffset(function, 4);
    assert_eq!(module.get_address(&within), code.wrapping_add(4));
    assert!(!module.get_address(&ModuleRelocTarget::LibCall(LibCall::Memcpy)).is_null());
    let symbol = cranelift_codegen::ir::KnownSymbol::ElfGlobalOffsetTable;
    assert!(module.get_address(&ModuleRelocTarget::KnownSymbol(symbol)).is_null());
    assert!(module.get_address(&ModuleRelocTarget::user(0, 99)).is_null());
    assert!(module.get_address(&ModuleRelocTarget::user(1, 99)).is_null());
    assert!(module.get_address(&ModuleRelocTarget::user(7, 0)).is_null());
}

#[test]
fn data_is_as_it_is_described() {
    let mut module = module();
    for (align, size) in [(1, 0), (1, 3), (64, 5), (4096, 1 << 20)] {
        let data = module.declare_anonymous_data(true, false).unwrap();
        let mut description = DataDescription::new();
        description.define_zeroinit(size);
        description.set_align(align);
        description.set_custom_section("a section");
        description.set_used(true);
        module.define_data(data, &description).unwrap();
        let twice = module.define_data(data, &description);
        assert!(matches!(twice, Err(ModuleError::DuplicateDefinition(_))));
        module.finalize_definitions().unwrap();
        let (pointer, found) = module.get_finalized_data(data);
        assert_eq!((pointer as u64 % align, found), (0, size));
        // SAFETY: so many bytes are there, and nobody else is at them.
        let bytes = unsafe { std::slice::from_raw_parts(pointer, size) };
        assert!(bytes.iter().all(|&byte| byte == 0));
    }
    let import = module.declare_data("elsewhere", Linkage::Import, true, false).unwrap();
    let defined = module.define_data(import, &number(1));
    assert!(matches!(defined, Err(ModuleError::InvalidImportDefinition(_))));
    let odd = module.declare_anonymous_data(true, false).unwrap();
    let mut description = number(1);
    description.align = Some(3);
    assert!(module.define_data(odd, &description).is_err());
}

/// What a program does that knows only the trait.
fn define_by_trait(module: &mut impl Module) -> FuncId {
    let mut context = module.make_context();
    module.clear_context(&mut context);
    let mut signature: Signature = module.make_signature();
    module.clear_signature(&mut signature);
    assert_eq!(signature.call_conv, module.target_config().default_call_conv);
    assert_eq!(module.isa().default_call_conv(), signature.call_conv);
    let id = module.declare_function("by trait", Linkage::Export, &unary()).unwrap();
    assert_eq!(module.get_name("by trait"), Some(FuncOrDataId::Func(id)));
    assert_eq!(module.declarations().get_function_decl(id).linkage, Linkage::Export);
    let other = Signature::new(signature.call_conv);
    let again = module.declare_function("by trait", Linkage::Export, &other);
    assert!(matches!(again, Err(ModuleError::IncompatibleSignature(..))));
    let again = module.declare_data("by trait", Linkage::Export, true, false);
    assert!(matches!(again, Err(ModuleError::IncompatibleDeclaration(_))));
    id
}

#[test]
fn the_trait_is_implemented_for_references_and_boxes_too() {
    let mut boxed = Box::new(module());
    let id = define_by_trait(&mut boxed);
    assert_eq!(define_by_trait(&mut &mut *boxed), id);
    let mut context = add(&mut boxed, 1);
    let plane = &mut cranelift_codegen::control::ControlPlane::default();
    boxed.define_function_with_control_plane(id, &mut context, plane).unwrap();
    assert_eq!(run(&boxed, id, 1), 2);
}

#[test]
fn names_and_bounds_are_those_of_cranelift_jit() {
    fn is_send<T: Send>() {}
    is_send::<JITModule>();
    is_send::<JITBuilder>();
    assert!(!VERSION.is_empty());
    let unknown = JITBuilder::with_flags(&[("no such", "flag")], default_libcall_names());
    assert!(matches!(unknown, Err(ModuleError::Flag(_))));
    let bad = JITBuilder::with_flags(&[("opt_level", "many")], default_libcall_names());
    assert!(matches!(bad, Err(ModuleError::Flag(_))));
    let flags = [("opt_level", "speed")];
    let mut builder = JITBuilder::with_flags(&flags, default_libcall_names()).unwrap();
    builder.symbols([("triple", triple as *const u8)]);
    let mut module = JITModule::new(builder);
    let import = module.declare_function("triple", Linkage::Import, &unary()).unwrap();
    let caller = define_caller(&mut module, "caller", import);
    assert_eq!(run(&module, caller, 2), 6);
}

#[test]
fn a_module_is_made_on_one_thread_and_used_on_another() {
    let mut module = module();
    let id = define_add(&mut module, "f", Linkage::Export, 1);
    let (module, result) = std::thread::spawn(move || {
        let result = run(&module, id, 1);
        (module, result)
    })
    .join()
    .unwrap();
    assert_eq!((result, run(&module, id, 2)), (2, 3));
}

#[test]
fn memory_can_be_bounded() {
    for when in When::ALL {
        let hook = |_, _: &vmkit::Error, _| vmkit::Addr(triple as *const () as u64);
        let session = Session::builder().memory_limit(64 << 10).on_failure(hook).build().unwrap();
        let mut builder = builder();
        when.choose(builder.session(&session));
        let mut module = JitModule::new(builder);
        let first = define_add(&mut module, "first", Linkage::Export, 1);
        assert_eq!(run(&module, first, 1), 2);
        let large = module.declare_data("large", Linkage::Export, true, false).unwrap();
        let mut description = DataDescription::new();
        description.define_zeroinit(1 << 20);
        module.define_data(large, &description).unwrap();
        let of_large = define_address(&mut module, "of large", large.into());
        assert_eq!(module.finalize_definitions().is_err(), when != When::Called);
        assert!(module.data_address(large).unwrap_err().to_string().contains("memory"));
        assert_eq!(run(&module, of_large, 5), 15, "another function runs instead");
        // What is small still finds room.
        let last = define_add(&mut module, "last", Linkage::Export, 2);
        assert_eq!((run(&module, first, 1), run(&module, last, 1)), (2, 3));
    }
}
