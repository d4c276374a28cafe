//! Virtual and interface calls of compiled code.
#![expect(unsafe_code, reason = "calls compiled code")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, types};
use vmkit::{Chosen, DispatchTable, Error, Session, SymbolId};
use vmkit_cranelift::{Cranelift, Level, Options};

use crate::bench::{Unary, begin, signature, unary};

/// An object: the address of its class's table, and a number.
type Object = [u64; 2];

/// The methods of the classes, by the addresses of their tables.
#[derive(Default)]
struct Classes {
    known: OnceLock<Vec<(Arc<DispatchTable>, SymbolId)>>,
    asked: AtomicU64,
}

const CLASSES: [&str; 3] = ["one", "two", "three"];
/// The method's place in the tables.
const INDEX: u32 = 2;

fn start(level: Level) -> (Cranelift, Arc<Classes>) {
    let classes = Arc::new(Classes::default());
    let known = classes.clone();
    let builder = Session::builder().on_dispatch(move |asked| {
        known.asked.fetch_add(1, Ordering::Relaxed);
        // SAFETY: receivers are objects.
        let class = unsafe { (*(asked.arguments[0] as *const Object))[0] };
        let mut all = known.known.get().expect("classes are known before calls").iter();
        let found = all.find(|(table, _)| table.address().0 == class);
        let (table, function) = found.ok_or_else(|| Error::other("no such class"))?;
        let table = asked.is_virtual.then(|| table.clone());
        Ok(Chosen { function: *function, table })
    });
    let session = builder.build().unwrap();
    let options = Options { level, ..Options::default() };
    let cranelift = Cranelift::new(&session, options).unwrap();
    let stub = session.virtual_stub(INDEX).unwrap();
    let define = |(number, name): (i64, &str)| {
        define_method(&cranelift, name, 100 * number);
        let table = session.dispatch_table(3).unwrap();
        table.set_number(INDEX as usize, stub.0).unwrap();
        (table, session.symbol(name))
    };
    assert!(classes.known.set((1..).zip(CLASSES).map(define).collect()).is_ok());
    (cranelift, classes)
}

/// Defines a method that gives its object's number and some more.
fn define_method(cranelift: &Cranelift, name: &str, more: i64) {
    cranelift
        .redefine_lazy(name, unary(), move |builder, _| {
            let params = begin(builder);
            let number = builder.ins().load(types::I64, MemFlagsData::trusted(), params[0], 8);
            let sum = builder.ins().iadd_imm_s(number, more);
            builder.ins().return_(&[sum]);
            Ok(())
        })
        .unwrap();
}

/// Calls a function with an object of each class; gives the results.
fn call_all(cranelift: &Cranelift, classes: &Classes, name: &str) -> Vec<i64> {
    let function = cranelift.function::<Unary>(name).unwrap();
    let known = classes.known.get().unwrap().iter();
    let results = known.map(|(table, _)| {
        let object: Object = [table.address().0, 7];
        // SAFETY: it takes an object and gives a number.
        unsafe { function.call((&raw const object) as i64) }
    });
    results.collect()
}

#[test]
fn virtual_calls_go_over_tables() {
    for level in [Level::None, Level::Speed] {
        let (cranelift, classes) = start(level);
        cranelift
            .define_lazy("virtual", unary(), |builder, _| {
                let params = begin(builder);
                let flags = MemFlagsData::trusted();
                let table = builder.ins().load(types::I64, flags, params[0], 0);
                let code = builder.ins().load(types::I64, flags, table, 8 * INDEX as i32);
                let own = builder.import_signature(unary());
                let call = builder.ins().call_indirect(own, code, &params);
                let result = builder.inst_results(call)[0];
                builder.ins().return_(&[result]);
                Ok(())
            })
            .unwrap();
        for _ in 0..3 {
            assert_eq!(call_all(&cranelift, &classes, "virtual"), [107, 207, 307], "{level:?}");
            assert_eq!(classes.asked.load(Ordering::Relaxed), 3, "once for each class");
        }
        // Entries follow their functions.
        define_method(&cranelift, "two", 1000);
        assert_eq!(call_all(&cranelift, &classes, "virtual"), [107, 1007, 307], "{level:?}");
    }
}

#[test]
fn interface_calls_go_over_inline_caches() {
    for level in [Level::None, Level::Speed] {
        let (cranelift, classes) = start(level);
        let cache = cranelift.session().inline_cache("interface method", 5, 0).unwrap();
        cranelift
            .define_lazy("interface", unary(), |builder, building| {
                let params = begin(builder);
                let own = signature(&[types::I64], &[types::I64]);
                let method = building.function(builder.func, "interface method", &own);
                let call = builder.ins().call(method, &params);
                let result = builder.inst_results(call)[0];
                builder.ins().return_(&[result]);
                Ok(())
            })
            .unwrap();
        for _ in 0..3 {
            assert_eq!(call_all(&cranelift, &classes, "interface"), [107, 207, 307], "{level:?}");
            assert_eq!(classes.asked.load(Ordering::Relaxed), 3, "once for each class");
        }
        define_method(&cranelift, "three", 1000);
        assert_eq!(call_all(&cranelift, &classes, "interface"), [107, 207, 1007], "{level:?}");
        drop(cache);
    }
}
