//! Exceptions that go to the handlers of `try_call`: thrown by the session's own walk, by the system's
//! unwinder, and by Rust.
#![expect(unsafe_code, reason = "calls compiled code, and drops its frames")]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cranelift_codegen::ir::{
    BlockArg, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder, types,
};
use cranelift_frontend::FunctionBuilder;
use vmkit::code::CodeMap;
use vmkit::metadata::TypeInfo;
use vmkit::walk::Anchor;
use vmkit::{Addr, Result, Session};
use vmkit_cranelift::{Building, Cranelift, Level, Options, rethrow, throw};

use crate::bench::{begin, call, signature, unary};

thread_local! {
    /// The code of the thread's session, as its virtual machine knows it.
    pub(crate) static MAP: RefCell<Arc<CodeMap>> = RefCell::default();
    /// What cleanups saw.
    static SEEN: Cell<i64> = const { Cell::new(0) };
}

extern "C" fn throw_by_walk(number: u64, value: u64, anchor: &mut Anchor) -> u64 {
    let map = MAP.with_borrow(Arc::as_ptr);
    let number = TypeInfo::Number(number as u32);
    // SAFETY: the map is kept by this thread; the anchor is that of the entry which called, and
    // nothing here is left to drop.
    unsafe { vmkit::throw::throw(&*map, anchor, value, |wanted, _| wanted == number) };
    // Nobody handles it.
    0
}

vmkit::native_entry! {
    /// Throws.
    fn throw_entry(number, value) = throw_by_walk;
}

extern "C-unwind" fn panic_with(_: u32, value: u64) -> u64 {
    std::panic::resume_unwind(Box::new(value))
}

extern "C-unwind" fn throw_by_unwinder(number: u32, value: u64) -> u64 {
    throw(number, value);
    0
}

/// What Rust has to drop on the way.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        SEEN.set(SEEN.get() + 1000);
    }
}

extern "C-unwind" fn through_rust(function: extern "C-unwind" fn(i64) -> i64, number: i64) -> i64 {
    let _guard = Guard;
    function(number)
}

extern "C" fn see(number: i64) {
    SEEN.set(SEEN.get() + number);
}

/// Calls `callee` with the parameter, and gives what it gives; or, for exceptions of `tags`, a hundred
/// times the place of the tag and the exception's value, and eight times the parameter.
fn catching(
    callee: &'static str,
    tags: &'static [u32],
) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> {
    move |builder, building| {
        let params = begin(builder);
        // Something that lives through the call, in a register that calls preserve.
        let eight = builder.ins().imul_imm_s(params[0], 8);
        let normal = builder.create_block();
        let result = builder.append_block_param(normal, types::I64);
        let returned = builder.func.dfg.block_call(normal, &[BlockArg::TryCallRet(0)]);
        let mut items = Vec::new();
        let mut handlers = Vec::new();
        for &tag in tags {
            let handler = builder.create_block();
            handlers.push((handler, builder.append_block_param(handler, types::I64)));
            let target = builder.func.dfg.block_call(handler, &[BlockArg::TryCallExn(0)]);
            items.push(ExceptionTableItem::Tag(ExceptionTag::with_number(tag).unwrap(), target));
        }
        let signature = builder.import_signature(unary());
        let table = ExceptionTableData::new(signature, returned, items);
        let table = builder.func.dfg.exception_tables.push(table);
        let callee = building.function(builder.func, callee, &unary());
        builder.ins().try_call(callee, &params, table);
        for (place, (handler, value)) in (1..).zip(handlers) {
            builder.switch_to_block(handler);
            let sum = builder.ins().iadd_imm_s(value, 100 * place);
            let sum = builder.ins().iadd(sum, eight);
            builder.ins().return_(&[sum]);
        }
        builder.switch_to_block(normal);
        builder.ins().return_(&[result]);
        Ok(())
    }
}

/// Calls `callee`; whatever the exception is, it is seen and thrown on.
fn cleaning(callee: &'static str) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> {
    move |builder, building| {
        let params = begin(builder);
        let normal = builder.create_block();
        let result = builder.append_block_param(normal, types::I64);
        let returned = builder.func.dfg.block_call(normal, &[BlockArg::TryCallRet(0)]);
        let handler = builder.create_block();
        let values = [0, 1].map(|_| builder.append_block_param(handler, types::I64));
        let exceptions = [BlockArg::TryCallExn(0), BlockArg::TryCallExn(1)];
        let target = builder.func.dfg.block_call(handler, &exceptions);
        let own = builder.import_signature(unary());
        let table = ExceptionTableData::new(own, returned, [ExceptionTableItem::Default(target)]);
        let table = builder.func.dfg.exception_tables.push(table);
        let callee = building.function(builder.func, callee, &unary());
        builder.ins().try_call(callee, &params, table);
        builder.switch_to_block(handler);
        let see = building.function(builder.func, "see", &signature(&[types::I64], &[]));
        builder.ins().call(see, &[params[0]]);
        let on = signature(&[types::I64, types::I64], &[]);
        let on = building.function(builder.func, "rethrow", &on);
        builder.ins().call(on, &values);
        builder.ins().return_(&[values[0]]);
        builder.switch_to_block(normal);
        builder.ins().return_(&[result]);
        Ok(())
    }
}

/// Throws what the parameter says: its last digit is the tag, the rest the value.
fn throwing(builder: &mut FunctionBuilder<'_>, building: &Building) -> Result<()> {
    let params = begin(builder);
    let number = builder.ins().urem_imm_u(params[0], 10);
    let value = builder.ins().udiv_imm_u(params[0], 10);
    let number = builder.ins().ireduce(types::I32, number);
    let own = signature(&[types::I32, types::I64], &[types::I64]);
    let thrower = building.function(builder.func, "throw", &own);
    let call = builder.ins().call(thrower, &[number, value]);
    let result = builder.inst_results(call)[0];
    builder.ins().return_(&[result]);
    Ok(())
}

/// Calls another function over Rust.
fn over_rust(callee: &'static str) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> {
    move |builder, building| {
        let params = begin(builder);
        let callee = building.function(builder.func, callee, &unary());
        let address = builder.ins().func_addr(types::I64, callee);
        let own = signature(&[types::I64, types::I64], &[types::I64]);
        let rust = building.function(builder.func, "through_rust", &own);
        let call = builder.ins().call(rust, &[address, params[0]]);
        let result = builder.inst_results(call)[0];
        builder.ins().return_(&[result]);
        Ok(())
    }
}

/// A session whose code is in [`MAP`].
pub(crate) fn mapped_session() -> Session {
    let map = Arc::new(CodeMap::new());
    MAP.set(map.clone());
    Session::builder().listener(map).build().unwrap()
}

/// Functions that throw by `thrower`.
fn start(level: Level, thrower: *const ()) -> Cranelift {
    let session = mapped_session();
    let options = Options { level, ..Options::default() };
    let cranelift = Cranelift::new(&session, options).unwrap();
    define(&cranelift, thrower);
    cranelift
}

fn define(cranelift: &Cranelift, thrower: *const ()) {
    for (name, address) in [
        ("throw", thrower),
        ("see", see as *const ()),
        ("rethrow", rethrow as *const ()),
        ("through_rust", through_rust as *const ()),
    ] {
        // SAFETY: that is where these functions are.
        unsafe { cranelift.define_native(name, Addr(address as u64)) }.unwrap();
    }
    cranelift.define_lazy("thrower", unary(), throwing).unwrap();
    cranelift.define_lazy("middle", unary(), crate::bench::plus("thrower", 1)).unwrap();
    cranelift.define_lazy("catch", unary(), catching("middle", &[3, 5])).unwrap();
    cranelift.define_lazy("clean", unary(), cleaning("middle")).unwrap();
    cranelift.define_lazy("catch cleaned", unary(), catching("clean", &[3])).unwrap();
    cranelift.define_lazy("rust", unary(), over_rust("clean")).unwrap();
    cranelift.define_lazy("catch over rust", unary(), catching("rust", &[3])).unwrap();
}

const THROWERS: [fn() -> *const (); 2] =
    [|| throw_entry as *const (), || throw_by_unwinder as *const ()];

#[test]
fn exceptions_go_to_the_handler_of_their_tag() {
    for thrower in THROWERS {
        for level in [Level::None, Level::Speed] {
            let cranelift = start(level, thrower());
            assert_eq!(call(&cranelift, "catch", 73), 100 + 7 + 8 * 73, "{level:?}");
            assert_eq!(call(&cranelift, "catch", 95), 200 + 9 + 8 * 95, "{level:?}");
            assert!(MAP.with_borrow(|map| map.take_errors()).is_empty());
        }
    }
}

#[test]
fn what_nobody_handles_is_the_throwers_again() {
    let cranelift = start(Level::Speed, throw_entry as *const ());
    assert_eq!(call(&cranelift, "catch", 94), 1);
}

#[test]
fn cleanups_run_on_the_way() {
    let cranelift = start(Level::Speed, throw_by_unwinder as *const ());
    SEEN.set(0);
    assert_eq!(call(&cranelift, "catch cleaned", 73), 100 + 7 + 8 * 73);
    assert_eq!(SEEN.get(), 73);
    assert_eq!(call(&cranelift, "catch over rust", 73), 100 + 7 + 8 * 73);
    assert_eq!(SEEN.get(), 2 * 73 + 1000);
}

#[test]
fn panics_pass_through_compiled_code() {
    for level in [Level::None, Level::Speed] {
        let cranelift = start(level, panic_with as *const ());
        for (name, seen) in [("middle", 0), ("clean", 73), ("rust", 1073), ("catch", 0)] {
            SEEN.set(0);
            let panic = catch_unwind(AssertUnwindSafe(|| call(&cranelift, name, 73))).unwrap_err();
            assert_eq!(panic.downcast_ref::<u64>(), Some(&7), "{level:?} {name}");
            assert_eq!(SEEN.get(), seen, "{level:?} {name}");
        }
    }
}

/// Functions whose return addresses are signed, where the processor can.
#[cfg(target_arch = "aarch64")]
#[test]
fn exceptions_pass_through_signed_frames() {
    use cranelift_codegen::settings::{self, Configurable};
    for thrower in THROWERS {
        let session = mapped_session();
        let mut flags = settings::builder();
        for (name, value) in [("is_pic", "true"), ("unwind_info", "true")] {
            flags.set(name, value).unwrap();
        }
        let mut isa = cranelift_native::builder().unwrap();
        for name in ["sign_return_address", "sign_return_address_all"] {
            isa.enable(name).unwrap();
        }
        let isa = isa.finish(settings::Flags::new(flags)).unwrap();
        let names = cranelift_module::default_libcall_names();
        let cranelift = Cranelift::with_isa(&session, isa, names, Options::default()).unwrap();
        define(&cranelift, thrower());
        assert_eq!(call(&cranelift, "catch", 73), 100 + 7 + 8 * 73);
        assert_eq!(call(&cranelift, "catch", 95), 200 + 9 + 8 * 95);
        assert!(MAP.with_borrow(|map| map.take_errors()).is_empty());
        // The code does sign: what a function begins with is `paciasp`.
        let functions = MAP.with_borrow(|map| map.functions());
        // SAFETY: the code is there as long as the session.
        let first = functions.iter().map(|function| unsafe { *(function.start as *const u32) });
        assert!(first.into_iter().all(|word| word == 0xd503_233f));
    }
}
