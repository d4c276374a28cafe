//! Exceptions whose tags are told apart by a value in the frame that handles them, a dynamic context.
#![expect(unsafe_code, reason = "calls compiled code, and drops its frames")]

use std::sync::Arc;

use cranelift_codegen::ir::{
    BlockArg, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder, types,
};
use cranelift_frontend::FunctionBuilder;
use vmkit::metadata::{Action, Place, TypeInfo};
use vmkit::walk::Anchor;
use vmkit::{Addr, Result};
use vmkit_cranelift::{Building, Cranelift, Level, Options, throw, throw_in};

use crate::bench::{begin, call, signature, unary};
use crate::exceptions::{MAP, mapped_session};

const TAG: u32 = 7;
/// More contexts than registers that calls preserve.
const CONTEXTS: i64 = 12;

extern "C" fn throw_by_walk(value: u64, context: u64, anchor: &mut Anchor) -> u64 {
    let map = MAP.with_borrow(Arc::as_ptr);
    let is_wanted = |wanted, found: Option<u64>| match wanted {
        TypeInfo::NumberIn(TAG, _) => found == Some(context),
        _ => false,
    };
    // SAFETY: the map is kept by this thread; the anchor is that of the entry which called, and
    // nothing here is left to drop.
    unsafe { vmkit::throw::throw(&*map, anchor, value, is_wanted) };
    0
}

vmkit::native_entry! {
    /// Throws.
    fn throw_entry(value, context) = throw_by_walk;
}

extern "C-unwind" fn throw_by_unwinder(value: u64, context: u64) -> u64 {
    throw_in(TAG, value, context);
    0
}

extern "C-unwind" fn throw_without(value: u64, _: u64) -> u64 {
    throw(TAG, value);
    0
}

/// Throws the value 5 in the context of the parameter.
fn throwing(builder: &mut FunctionBuilder<'_>, building: &Building) -> Result<()> {
    let params = begin(builder);
    let value = builder.ins().iconst(types::I64, 5);
    let own = signature(&[types::I64; 2], &[types::I64]);
    let thrower = building.function(builder.func, "throw", &own);
    let call = builder.ins().call(thrower, &[value, params[0]]);
    let result = builder.inst_results(call)[0];
    builder.ins().return_(&[result]);
    Ok(())
}

/// Calls `throwing`. For its exception in the context of 1, 2 … times a thousand, that many times a
/// hundred and the value; in any other, -1.
fn catching(builder: &mut FunctionBuilder<'_>, building: &Building) -> Result<()> {
    let params = begin(builder);
    // They are computed, so that they have to be kept somewhere, and the first is needed later.
    let zero = builder.ins().band_imm_u(params[0], 0);
    let contexts = (1..=CONTEXTS).map(|number| builder.ins().iadd_imm_s(zero, 1000 * number));
    let contexts: Vec<_> = contexts.collect();
    let normal = builder.create_block();
    let result = builder.append_block_param(normal, types::I64);
    let returned = builder.func.dfg.block_call(normal, &[BlockArg::TryCallRet(0)]);
    let mut items = Vec::new();
    let mut handlers = Vec::new();
    for &context in &contexts {
        let handler = builder.create_block();
        handlers.push((handler, builder.append_block_param(handler, types::I64)));
        let target = builder.func.dfg.block_call(handler, &[BlockArg::TryCallExn(0)]);
        items.push(ExceptionTableItem::Context(context));
        items.push(ExceptionTableItem::Tag(ExceptionTag::with_number(TAG).unwrap(), target));
    }
    let otherwise = builder.create_block();
    let target = builder.func.dfg.block_call(otherwise, &[]);
    items.push(ExceptionTableItem::Default(target));
    let own = builder.import_signature(unary());
    let table = ExceptionTableData::new(own, returned, items);
    let table = builder.func.dfg.exception_tables.push(table);
    let callee = building.function(builder.func, "throwing", &unary());
    builder.ins().try_call(callee, &params, table);
    for (context, (handler, value)) in contexts.iter().zip(handlers) {
        builder.switch_to_block(handler);
        let hundreds = builder.ins().udiv_imm_u(*context, 10);
        let sum = builder.ins().iadd(value, hundreds);
        builder.ins().return_(&[sum]);
    }
    builder.switch_to_block(otherwise);
    let none = builder.ins().iconst(types::I64, -1);
    builder.ins().return_(&[none]);
    builder.switch_to_block(normal);
    builder.ins().return_(&[result]);
    Ok(())
}

fn start(level: Level, thrower: *const ()) -> Cranelift {
    let session = mapped_session();
    let options = Options { level, ..Options::default() };
    let cranelift = Cranelift::new(&session, options).unwrap();
    // SAFETY: that is where the function is.
    unsafe { cranelift.define_native("throw", Addr(thrower as u64)) }.unwrap();
    cranelift.define_lazy("throwing", unary(), throwing).unwrap();
    cranelift.define_lazy("catching", unary(), catching).unwrap();
    cranelift
}

/// Are there contexts in registers, and on the stack?
fn kinds() -> [bool; 2] {
    let functions = MAP.with_borrow(|map| map.functions());
    let tables: Vec<_> = functions.iter().filter_map(|found| found.call_sites.as_ref()).collect();
    let actions = tables.iter().flat_map(|table| {
        let sites = table.sites().iter();
        sites.flat_map(|site| table.actions(site))
    });
    let places = actions.filter_map(|action| match *action {
        Action::Catch { type_info: TypeInfo::NumberIn(_, place), .. } => Some(place),
        _ => None,
    });
    let places: Vec<_> = places.collect();
    let has = |is: fn(&Place) -> bool| places.iter().any(is);
    [
        has(|place| matches!(place, Place::Register(_))),
        has(|place| matches!(place, Place::Memory { .. })),
    ]
}

#[test]
fn a_tag_is_of_its_context() {
    for thrower in [throw_entry as *const (), throw_by_unwinder as *const ()] {
        for level in [Level::None, Level::Speed] {
            let cranelift = start(level, thrower);
            for number in 1..=CONTEXTS {
                let caught = call(&cranelift, "catching", 1000 * number);
                assert_eq!(caught, 100 * number + 5, "{level:?}");
            }
            assert_eq!(call(&cranelift, "catching", 999), -1, "{level:?}");
            assert_eq!(kinds(), [true; 2], "{level:?}");
            assert!(MAP.with_borrow(|map| map.take_errors()).is_empty());
        }
    }
}

#[test]
fn a_tag_without_context_is_none_of_one() {
    let cranelift = start(Level::Speed, throw_without as *const ());
    assert_eq!(call(&cranelift, "catching", 1000), -1);
}
