//! Functions that are built, and compiled, when they are called.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Function, InstBuilder, UserFuncName, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use vmkit::{Error, Session, State};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{Unary, begin, call, plus, signature, start, times, unary};

#[test]
fn functions_are_built_when_they_are_called() {
    let cranelift = start(Level::None);
    let built = Arc::new(AtomicU64::new(0));
    let (count, build) = (built.clone(), times(3));
    cranelift
        .define_lazy("triple", unary(), move |builder, building| {
            count.fetch_add(1, Ordering::Relaxed);
            build(builder, building)
        })
        .unwrap();
    cranelift.define_lazy("f", unary(), plus("triple", 1)).unwrap();
    cranelift.define_lazy("never", unary(), |_, _| panic!("nobody calls it")).unwrap();
    assert_eq!(built.load(Ordering::Relaxed), 0);
    assert_eq!(call(&cranelift, "f", 5), 16);
    assert_eq!(call(&cranelift, "f", 6), 19);
    assert_eq!(built.load(Ordering::Relaxed), 1);
    assert_eq!(cranelift.session().stats().functions_compiled, 2);
}

#[test]
fn finished_functions_are_compiled_when_they_are_called() {
    for level in [Level::None, Level::Speed, Level::SpeedAndSize] {
        let cranelift = start(level);
        let mut function = Function::with_name_signature(UserFuncName::default(), unary());
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut context);
        let params = begin(&mut builder);
        let callee = cranelift.import_function(builder.func, "later", unary());
        let result = builder.ins().call(callee, &params);
        let result = builder.inst_results(result)[0];
        builder.ins().return_(&[result]);
        builder.seal_all_blocks();
        builder.finalize(cranelift.isa().frontend_config());
        let id = cranelift.define("f", function).unwrap();
        assert_eq!(cranelift.session().state(id), State::Defined);
        cranelift.define_lazy("later", unary(), times(2)).unwrap();
        assert_eq!(call(&cranelift, "f", 21), 42);
    }
}

#[test]
fn functions_call_one_another_in_circles() {
    let cranelift = start(Level::Speed);
    for (name, other, last) in [("even", "odd", 1), ("odd", "even", 0)] {
        cranelift
            .define_lazy(name, unary(), move |builder, building| {
                let params = begin(builder);
                let [more, end] = [builder.create_block(), builder.create_block()];
                let is_more = builder.ins().icmp_imm_u(IntCC::NotEqual, params[0], 0);
                builder.ins().brif(is_more, more, &[], end, &[]);
                builder.switch_to_block(more);
                let less = builder.ins().iadd_imm_s(params[0], -1);
                let other = building.function(builder.func, other, &unary());
                let call = builder.ins().call(other, &[less]);
                let result = builder.inst_results(call)[0];
                builder.ins().return_(&[result]);
                builder.switch_to_block(end);
                let last = builder.ins().iconst(types::I64, last);
                builder.ins().return_(&[last]);
                Ok(())
            })
            .unwrap();
    }
    assert_eq!((call(&cranelift, "even", 1000), call(&cranelift, "even", 7)), (1, 0));
    assert_eq!((call(&cranelift, "odd", 1000), call(&cranelift, "odd", 7)), (0, 1));
}

#[test]
fn a_functions_address_is_the_same_for_ever() {
    let cranelift = start(Level::None);
    cranelift.define_lazy("g", unary(), times(1)).unwrap();
    cranelift
        .define_lazy("address", signature(&[], &[types::I64]), |builder, building| {
            begin(builder);
            let g = building.function(builder.func, "g", &unary());
            let address = builder.ins().func_addr(types::I64, g);
            builder.ins().return_(&[address]);
            Ok(())
        })
        .unwrap();
    let address = cranelift.function::<extern "C" fn() -> u64>("address").unwrap();
    let g = cranelift.function::<Unary>("g").unwrap();
    // SAFETY: it takes nothing.
    #[expect(unsafe_code, reason = "calls compiled code")]
    let read = || unsafe { address.call() };
    assert_eq!(read(), g.address().0);
    assert_eq!(call(&cranelift, "g", 5), 5);
    assert_eq!(read(), g.address().0);
    cranelift.redefine_lazy("g", unary(), times(2)).unwrap();
    assert_eq!(call(&cranelift, "g", 5), 10);
    assert_eq!(read(), g.address().0);
}

#[test]
fn only_a_call_of_what_nobody_defines_fails() {
    let failed = Arc::new(Mutex::new(Vec::new()));
    let note = failed.clone();
    let session = Session::builder().on_failure(move |_, error: &Error, _| {
        note.lock().unwrap().push(error.clone());
        vmkit::Addr(minus_one as *const () as u64)
    });
    let session = session.build().unwrap();
    let cranelift = Cranelift::new(&session, Options::default()).unwrap();
    cranelift
        .define_lazy("f", unary(), |builder, building| {
            let params = begin(builder);
            let [missing, fine] = [builder.create_block(), builder.create_block()];
            builder.ins().brif(params[0], missing, &[], fine, &[]);
            builder.switch_to_block(missing);
            let callee = building.function(builder.func, "nobody_defines_this", &unary());
            let call = builder.ins().call(callee, &params);
            let result = builder.inst_results(call)[0];
            builder.ins().return_(&[result]);
            builder.switch_to_block(fine);
            builder.ins().return_(&params);
            Ok(())
        })
        .unwrap();
    assert_eq!(call(&cranelift, "f", 0), 0);
    assert!(failed.lock().unwrap().is_empty());
    assert_eq!(call(&cranelift, "f", 1), -1);
    let failed = failed.lock().unwrap();
    assert!(failed.len() == 1 && failed[0].is_undefined(), "{failed:?}");
    assert!(failed[0].to_string().contains("nobody_defines_this"));
}

extern "C" fn minus_one() -> i64 {
    -1
}

#[test]
fn what_cannot_be_compiled_fails_alone_and_can_be_mended() {
    let cranelift = start(Level::None);
    let session = cranelift.session();
    let check = |name: &str, what: &str| {
        let error = session.compile(session.symbol(name)).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(call(&cranelift, name, 1), -1);
        cranelift.redefine_lazy(name, unary(), times(2)).unwrap();
        assert_eq!(call(&cranelift, name, 1), 2);
    };
    cranelift.define_lazy("no", unary(), |_, _| Err(Error::other("not today"))).unwrap();
    check("no", "not today");
    cranelift.define_lazy("empty", unary(), |_, _| Ok(())).unwrap();
    check("empty", "not given a body");
    cranelift.define_lazy("panics", unary(), |_, _| panic!("as it must")).unwrap();
    check("panics", "panicked");
    let wrong = |builder: &mut FunctionBuilder<'_>, _: &_| {
        begin(builder);
        builder.ins().return_(&[]);
        Ok(())
    };
    cranelift.define_lazy("invalid", unary(), wrong).unwrap();
    check("invalid", "invalid CLIF");
}

#[test]
fn bad_definitions_are_refused_at_once() {
    let cranelift = start(Level::None);
    cranelift.define_lazy("f", unary(), times(1)).unwrap();
    let error = cranelift.define_lazy("f", unary(), times(2)).unwrap_err();
    assert!(error.to_string().contains('f'), "{error}");
    let other = signature(&[types::I64, types::I64], &[types::I64]);
    let error = cranelift.redefine_lazy("f", other, times(2)).unwrap_err();
    assert!(error.to_string().contains("i64 (i64)"), "{error}");
    let error = cranelift.function::<extern "C" fn(f64) -> i64>("f").err().unwrap();
    assert!(error.to_string().contains("i64 (double)"), "{error}");
    assert!(cranelift.function::<extern "C" fn(*const u8) -> usize>("f").is_ok());
    let empty = Function::with_name_signature(UserFuncName::default(), unary());
    assert!(cranelift.define("empty", empty).is_err());
    assert!(cranelift.function::<Unary>("empty").err().unwrap().is_undefined());
    assert!(cranelift.remove("unknown").unwrap_err().is_undefined());
    assert_eq!(call(&cranelift, "f", 4), 4);
}
