//! Functions that are inlined, and what a redefinition does to those that hold them.

use vmkit_cranelift::{Access, Building, Cranelift, Level, Options};

use crate::bench::{begin, call, plus, start, times, unary};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::DataDescription;

fn compiled(cranelift: &Cranelift) -> u64 {
    cranelift.session().stats().functions_compiled
}

#[test]
fn small_functions_become_part_of_their_callers() {
    let cranelift = start(Level::Speed);
    cranelift.define_lazy("leaf", unary(), times(2)).unwrap();
    cranelift.define_lazy("middle", unary(), plus("leaf", 10)).unwrap();
    cranelift.define_lazy("top", unary(), plus("middle", 100)).unwrap();
    assert_eq!(call(&cranelift, "top", 1), 112);
    assert_eq!(compiled(&cranelift), 1, "nothing was called but the top");
}

#[test]
fn a_redefinition_reaches_what_holds_the_old_body() {
    let cranelift = start(Level::Speed);
    let session = cranelift.session();
    cranelift.define_lazy("leaf", unary(), times(2)).unwrap();
    cranelift.define_lazy("middle", unary(), plus("leaf", 10)).unwrap();
    cranelift.define_lazy("top", unary(), plus("middle", 100)).unwrap();
    cranelift.define_lazy("other", unary(), times(7)).unwrap();
    assert_eq!((call(&cranelift, "top", 1), call(&cranelift, "other", 1)), (112, 7));
    cranelift.redefine_lazy("leaf", unary(), times(3)).unwrap();
    assert_eq!(session.stats().functions_invalidated, 1);
    assert_eq!(call(&cranelift, "top", 1), 113);
    assert_eq!(call(&cranelift, "middle", 1), 13);
    // The same body once more: nobody need know.
    cranelift.redefine_lazy("leaf", unary(), times(3)).unwrap();
    assert_eq!(session.stats().functions_invalidated, 1);
    let before = compiled(&cranelift);
    assert_eq!(call(&cranelift, "top", 1), 113);
    assert_eq!(compiled(&cranelift), before);
}

#[test]
fn recursion_is_inlined_a_few_times_only() {
    let cranelift = start(Level::Speed);
    let build = |other: &'static str| {
        move |builder: &mut FunctionBuilder<'_>, building: &Building| {
            let params = begin(builder);
            let [more, end] = [builder.create_block(), builder.create_block()];
            builder.ins().brif(params[0], more, &[], end, &[]);
            builder.switch_to_block(more);
            let less = builder.ins().iadd_imm_s(params[0], -1);
            let other = building.function(builder.func, other, &unary());
            let call = builder.ins().call(other, &[less]);
            let result = builder.inst_results(call)[0];
            let sum = builder.ins().iadd_imm_s(result, 1);
            builder.ins().return_(&[sum]);
            builder.switch_to_block(end);
            builder.ins().return_(&params);
            Ok(())
        }
    };
    cranelift.define_lazy("one", unary(), build("two")).unwrap();
    cranelift.define_lazy("two", unary(), build("one")).unwrap();
    assert_eq!(call(&cranelift, "one", 1000), 1000);
}

#[test]
fn assumptions_go_along_with_bodies() {
    let cranelift = start(Level::Speed);
    let assumption = cranelift.session().assumption("the factor is what it is");
    let factor = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(2));
    let read = factor.clone();
    cranelift
        .define_lazy("leaf", unary(), move |builder, building| {
            building.assume(assumption);
            times(read.load(std::sync::atomic::Ordering::Relaxed))(builder, building)
        })
        .unwrap();
    cranelift.define_lazy("top", unary(), plus("leaf", 100)).unwrap();
    assert_eq!(call(&cranelift, "top", 5), 110);
    factor.store(3, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(call(&cranelift, "top", 5), 110);
    cranelift.session().invalidate(assumption);
    assert_eq!(call(&cranelift, "top", 5), 115);
}

#[test]
fn what_is_inlined_keeps_its_data() {
    let cranelift = start(Level::Speed);
    for (name, number) in [("one", 1u64), ("two", 20)] {
        let mut description = DataDescription::new();
        description.define(Box::new(number.to_le_bytes()));
        cranelift.define_data(name, Access::Writable, &description).unwrap();
        let reader = format!("read {name}");
        cranelift
            .define_lazy(&reader, unary(), move |builder, building| {
                let params = begin(builder);
                let data = building.data(builder.func, name);
                let address = builder.ins().symbol_value(types::I64, data);
                let number = builder.ins().load(types::I64, MemFlagsData::trusted(), address, 0);
                let sum = builder.ins().iadd(number, params[0]);
                builder.ins().return_(&[sum]);
                Ok(())
            })
            .unwrap();
    }
    cranelift.define_lazy("middle", unary(), plus("read two", 100)).unwrap();
    cranelift
        .define_lazy("top", unary(), |builder, building| {
            let params = begin(builder);
            let own = building.data(builder.func, "one");
            let own = builder.ins().symbol_value(types::I64, own);
            let own = builder.ins().load(types::I64, MemFlagsData::trusted(), own, 0);
            let mut sum = builder.ins().iadd(own, params[0]);
            for callee in ["read one", "middle"] {
                let callee = building.function(builder.func, callee, &unary());
                let call = builder.ins().call(callee, &[sum]);
                sum = builder.inst_results(call)[0];
            }
            builder.ins().return_(&[sum]);
            Ok(())
        })
        .unwrap();
    assert_eq!(call(&cranelift, "top", 1000), 1000 + 1 + 1 + 20 + 100);
    assert_eq!((compiled(&cranelift), cranelift.functions_inlined()), (1, 3));
}

#[test]
fn nothing_is_inlined_unless_it_is_asked_for() {
    for (level, inlining) in [(Level::None, true), (Level::Speed, false)] {
        let session = vmkit::Session::builder().build().unwrap();
        let options = Options { level, inlining, ..Options::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        cranelift.define_lazy("leaf", unary(), times(2)).unwrap();
        cranelift.define_lazy("top", unary(), plus("leaf", 100)).unwrap();
        assert_eq!(call(&cranelift, "top", 5), 110);
        assert_eq!(compiled(&cranelift), 2);
    }
}

#[test]
fn a_function_can_keep_apart() {
    let cranelift = start(Level::Speed);
    cranelift
        .define_lazy("leaf", unary(), |builder, building| {
            building.keep_apart();
            times(2)(builder, building)
        })
        .unwrap();
    cranelift.define_lazy("top", unary(), plus("leaf", 100)).unwrap();
    assert_eq!(call(&cranelift, "top", 5), 110);
    assert_eq!(compiled(&cranelift), 2);
}

#[test]
fn what_cannot_be_built_is_called() {
    let cranelift = start(Level::Speed);
    cranelift.define_lazy("panics", unary(), |_, _| panic!("it is not ready")).unwrap();
    let invalid = |builder: &mut FunctionBuilder<'_>, _: &Building| {
        begin(builder);
        builder.ins().return_(&[]);
        Ok(())
    };
    cranelift.define_lazy("is invalid", unary(), invalid).unwrap();
    for callee in ["panics", "is invalid"] {
        let caller = format!("caller of what {callee}");
        cranelift.define_lazy(&caller, unary(), plus(callee, 1)).unwrap();
        assert_eq!(call(&cranelift, &caller, 1), 0, "the call of it failed");
        cranelift.redefine_lazy(callee, unary(), times(2)).unwrap();
        assert_eq!(call(&cranelift, &caller, 1), 3);
    }
}
