//! The runtime: what every function of the language may call, and may have inlined.

use std::mem::offset_of;

use vmkit::Result;
use vmkit_cranelift::Cranelift;
use vmkit_cranelift::cranelift_codegen::ir::condcodes::IntCC;
use vmkit_cranelift::cranelift_codegen::ir::{ExceptionTableItem, InstBuilder, types};

use super::super::super::heap::Local;
use super::{Callee, Code, Function, TRUSTED, signature};

/// Defines it, by names and numbers of parameters.
pub(super) fn define(cranelift: &Cranelift) -> Result<()> {
    let functions: [(_, _, fn(&mut Function<'_, '_>)); 2] =
        [("vm_allocate", 3, allocate), ("vm_enter", 2, enter)];
    let convention = cranelift.isa().default_call_conv();
    for (name, parameters, build) in functions {
        let signature = signature(convention, parameters);
        cranelift.define_lazy(name, signature, move |builder, building| {
            build(&mut Function::new(convention, builder, building));
            Ok(())
        })?;
    }
    Ok(())
}

/// `vm_allocate`: a new object, all of whose fields are 0 or null, since memory is cleared before a
/// thread gets it.
fn allocate(function: &mut Function<'_, '_>) {
    let [thread, size, table] = [0, 1, 2].map(|index| function.parameters[index]);
    let [fast, slow] = function.blocks();
    let [next, limit] = [offset_of!(Local, next), offset_of!(Local, limit)].map(|at| at as i32);
    let builder = &mut *function.builder;
    let object = builder.ins().load(types::I64, TRUSTED, thread, next);
    let limit = builder.ins().load(types::I64, TRUSTED, thread, limit);
    let end = builder.ins().iadd(object, size);
    let fits = builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, limit);
    builder.ins().brif(fits, fast, &[], slow, &[]);
    builder.switch_to_block(fast);
    builder.ins().store(TRUSTED, end, thread, next);
    builder.ins().store(TRUSTED, table, object, 0);
    builder.ins().return_(&[object]);
    builder.set_cold_block(slow);
    builder.switch_to_block(slow);
    let object = function.invoke(Callee::Named("vm_allocate_slow"), &[thread, size]);
    function.builder.ins().store(TRUSTED, table, object, 0);
    function.builder.ins().return_(&[object]);
}

/// `vm_enter`: runs a method of the thread's object or a function, which takes nothing, and catches
/// whatever it throws.
fn enter(function: &mut Function<'_, '_>) {
    let [code, thread] = [0, 1].map(|index| function.parameters[index]);
    let [pad] = function.blocks();
    let receiver = offset_of!(Local, receiver) as i32;
    let receiver = function.builder.ins().load(types::I64, TRUSTED, thread, receiver);
    let signature = function.builder.import_signature(signature(function.convention, 2));
    let to_pad = function.builder.func.dfg.block_call(pad, &[]);
    let (next, result, table) =
        function.table(signature, vec![ExceptionTableItem::Default(to_pad)]);
    function.builder.ins().try_call_indirect(code, &[receiver, thread], table);
    function.builder.switch_to_block(next);
    let nothing = function.int(0);
    let exception = offset_of!(Local, exception) as i32;
    function.builder.ins().store(TRUSTED, nothing, thread, exception);
    function.builder.ins().return_(&[result]);
    function.builder.switch_to_block(pad);
    let nothing = function.int(0);
    function.builder.ins().return_(&[nothing]);
}
