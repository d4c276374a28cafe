//! A moving collector finds and replaces every reference in the frames of compiled code.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use vmkit::walk::Anchor;
use vmkit::{Addr, Session};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{begin, call, signature, unary};
use crate::collector::Collector;

thread_local! {
    static COLLECTOR: Collector = Collector::default();
}

extern "C" fn collect(anchor: &mut Anchor) {
    COLLECTOR.with(|collector| collector.collect(anchor));
}

vmkit::native_entry! {
    /// Collects.
    fn collect_entry() = collect;
}

#[test]
fn references_on_the_stack_are_moved() {
    // A collection in each of the five calls, of one to five frames; or all in one.
    for (level, inlining, frames) in
        [(Level::None, false, 15), (Level::Speed, false, 15), (Level::Speed, true, 5)]
    {
        let map = COLLECTOR.with(|collector| {
            collector.restart();
            collector.map.clone()
        });
        let session = Session::builder().listener(map.clone()).build().unwrap();
        let options = Options { level, inlining, ..Options::default() };
        let cranelift = Cranelift::new(&session, options).unwrap();
        session.define_absolute("collect", Addr(collect_entry as *const () as u64)).unwrap();
        // The sum of a list's numbers, collecting at each.
        cranelift
            .define_lazy("sum", unary(), |builder, building| {
                let params = begin(builder);
                let list = params[0];
                builder.declare_value_needs_stack_map(list);
                let [some, none] = [builder.create_block(), builder.create_block()];
                builder.ins().brif(list, some, &[], none, &[]);
                builder.switch_to_block(none);
                builder.ins().return_(&params);
                builder.switch_to_block(some);
                let flags = MemFlagsData::trusted();
                let next = builder.ins().load(types::I64, flags, list, 8);
                builder.declare_value_needs_stack_map(next);
                let collect = building.function(builder.func, "collect", &signature(&[], &[]));
                builder.ins().call(collect, &[]);
                let sum = building.function(builder.func, "sum", &unary());
                let rest = builder.ins().call(sum, &[next]);
                let rest = builder.inst_results(rest)[0];
                let number = builder.ins().load(types::I64, flags, list, 16);
                let total = builder.ins().iadd(rest, number);
                builder.ins().return_(&[total]);
                Ok(())
            })
            .unwrap();
        let list = COLLECTOR.with(|collector| collector.list(5));
        assert_eq!(call(&cranelift, "sum", list.cast_signed()), 15, "{level:?}");
        assert_eq!(COLLECTOR.with(|collector| collector.frames.get()), frames, "{level:?}");
        assert!(map.take_errors().is_empty());
    }
}
