//! What tests define functions with.

use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Type, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use vmkit::{Addr, Error, Result, Session, SymbolId};
use vmkit_cranelift::{Building, Cranelift, Level, Options};

/// Takes a number and gives one.
pub(crate) type Unary = unsafe extern "C-unwind" fn(i64) -> i64;

pub(crate) fn signature(params: &[Type], returns: &[Type]) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    signature.returns.extend(returns.iter().copied().map(AbiParam::new));
    signature
}

/// That of [`Unary`].
pub(crate) fn unary() -> Signature {
    signature(&[types::I64], &[types::I64])
}

/// Begins a function, and gives its parameters.
pub(crate) fn begin(builder: &mut FunctionBuilder<'_>) -> Vec<Value> {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.block_params(entry).to_vec()
}

/// What runs instead of functions that cannot.
extern "C-unwind" fn missing() -> i64 {
    -1
}

fn on_failure(_: SymbolId, _: &Error, _: Addr) -> Addr {
    Addr(missing as *const () as u64)
}

/// A session in which calls give -1 that fail.
pub(crate) fn start(level: Level) -> Cranelift {
    let session = Session::builder().on_failure(on_failure).build().unwrap();
    // In builds for release, too.
    let options = Options { level, verify: true, ..Options::default() };
    Cranelift::new(&session, options).unwrap()
}

/// Builds a function that gives so many times its parameter.
pub(crate) fn times(factor: i64) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> {
    move |builder, _| {
        let params = begin(builder);
        let product = builder.ins().imul_imm_s(params[0], factor);
        builder.ins().return_(&[product]);
        Ok(())
    }
}

/// Builds a function that adds a number to what `callee` gives for its parameter.
pub(crate) fn plus(
    callee: &str,
    number: i64,
) -> impl Fn(&mut FunctionBuilder<'_>, &Building) -> Result<()> {
    let callee = callee.to_owned();
    move |builder, building| {
        let params = begin(builder);
        let callee = building.function(builder.func, &callee, &unary());
        let call = builder.ins().call(callee, &params);
        let result = builder.inst_results(call)[0];
        let sum = builder.ins().iadd_imm_s(result, number);
        builder.ins().return_(&[sum]);
        Ok(())
    }
}

/// Calls a function of the session's.
pub(crate) fn call(cranelift: &Cranelift, name: &str, number: i64) -> i64 {
    let function = cranelift.function::<Unary>(name).unwrap();
    // SAFETY: the functions of these tests take a number and give one, which the handle has checked.
    #[expect(unsafe_code, reason = "calls compiled code")]
    unsafe {
        function.call(number)
    }
}
