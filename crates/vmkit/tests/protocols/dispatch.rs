//! Virtual and interface calls.
#![expect(unsafe_code, reason = "runs what was linked")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use vmkit::{Addr, Chosen, DispatchTable, Error, Session, SymbolId};

use crate::bench::{Bench, Body, missing};

/// An object: its class, which is also the address of its table in virtual calls.
#[repr(C)]
struct Object {
    class: u64,
}

type Method = extern "C" fn(*const Object, u32, f64) -> u32;

fn method(address: u64) -> Method {
    // SAFETY: every method of these tests takes and returns the same.
    unsafe { std::mem::transmute(address as *const ()) }
}

/// The classes of a machine: the methods of each, and its table.
#[derive(Default)]
struct Classes {
    methods: OnceLock<Vec<(u64, SymbolId)>>,
    tables: OnceLock<Vec<Arc<DispatchTable>>>,
    asked: AtomicU64,
}

impl Classes {
    fn bench(self: &Arc<Self>) -> Bench {
        let classes = self.clone();
        let builder = Session::builder().whole_process(false).compile_threads(2);
        let builder = builder.on_failure(|_, _, _| Addr(missing as *const () as u64));
        Bench::of(builder.on_dispatch(move |asked| {
            classes.asked.fetch_add(1, Ordering::Relaxed);
            // SAFETY: receivers are objects.
            let class = unsafe { (*(asked.arguments[0] as *const Object)).class };
            let methods = classes.methods.get().expect("classes are known before calls");
            let found = methods.iter().find(|&&(other, _)| other == class);
            let &(_, function) = found.ok_or_else(|| Error::other("no such method"))?;
            let tables = classes.tables.get();
            let table = tables.and_then(|all| all.iter().find(|table| table.address().0 == class));
            Ok(Chosen { function, table: table.filter(|_| asked.is_virtual).cloned() })
        }))
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

#[test]
fn entries_of_a_table_follow_their_functions() {
    let bench = Bench::new();
    let g = bench.define("g", Body::Sum(10));
    let table = bench.session.dispatch_table(2).unwrap();
    table.set(1, g).unwrap();
    let call = || method(table.get(1).unwrap())(std::ptr::null(), 1, 2.0);
    let stub = bench.session.address(g).unwrap();
    assert_eq!(table.get(1).unwrap(), stub.0, "nothing is compiled yet");
    assert_eq!(call(), 13);
    let code = table.get(1).unwrap();
    assert_ne!(code, stub.0, "straight to the code");
    bench.redefine(g, Body::Sum(20));
    assert_eq!(table.get(1).unwrap(), stub.0);
    assert_eq!(call(), 23);
    bench.redefine_compiled(g, Body::Sum(30)).unwrap();
    assert!(table.get(1).unwrap() != stub.0 && call() == 33);
    // Another function in its place: the first one writes here no more.
    let h = bench.define("h", Body::Sum(40));
    table.set(1, h).unwrap();
    assert_eq!(call(), 43);
    bench.redefine_compiled(g, Body::Sum(50)).unwrap();
    assert_eq!(call(), 43);
    table.set_number(1, 7).unwrap();
    bench.redefine_compiled(h, Body::Sum(60)).unwrap();
    assert_eq!(table.get(1).unwrap(), 7);
    let error = table.set(2, g).unwrap_err().to_string();
    assert_eq!(error, "word 2 of a dispatch table of 2 words");
}

#[test]
fn freed_tables_are_written_to_no_more() {
    let bench = Bench::new();
    let g = bench.define("g", Body::Sum(10));
    for round in 0..100 {
        let table = bench.session.dispatch_table(64).unwrap();
        (0..64).for_each(|index| table.set(index, g).unwrap());
        assert_eq!(method(table.get(63).unwrap())(std::ptr::null(), 1, 2.0), 13 + round);
        // SAFETY: no object points to the table.
        unsafe { table.free() };
        assert_eq!(bench.reclaim(), 1);
        bench.redefine_compiled(g, Body::Sum(11 + round)).unwrap();
        bench.reclaim();
    }
    assert!(bench.session.stats().data_bytes < 4096);
}

#[test]
fn a_virtual_stub_asks_once_for_each_class() {
    let classes = Arc::new(Classes::default());
    let bench = classes.bench();
    let stub = bench.session.virtual_stub(3).unwrap();
    assert_eq!(bench.session.virtual_stub(3).unwrap(), stub);
    assert_ne!(bench.session.virtual_stub(2).unwrap(), stub);
    let tables: Vec<_> = (0..3).map(|_| bench.session.dispatch_table(4).unwrap()).collect();
    let define = |(n, table): (usize, &Arc<DispatchTable>)| {
        table.set_number(3, stub.0).unwrap();
        let body = Body::Sum(100 * n as u32);
        (table.address().0, bench.define(["a", "b", "c"][n], body))
    };
    classes.methods.set(tables.iter().enumerate().map(define).collect()).unwrap();
    assert!(classes.tables.set(tables.clone()).is_ok());
    for round in 0..3 {
        for (n, table) in tables.iter().enumerate() {
            let object = Object { class: table.address().0 };
            let found = method(table.get(3).unwrap())(&raw const object, 1, 2.0);
            assert_eq!(found, 100 * n as u32 + 3);
            assert_eq!(classes.asked(), if round == 0 { n as u64 + 1 } else { 3 });
        }
    }
}

#[test]
fn a_hook_that_panics_fails_the_call() {
    let builder = Session::builder().whole_process(false).on_failure(|_, error, _| {
        assert_eq!(error.to_string(), "what says which method is called panicked");
        Addr(missing as *const () as u64)
    });
    let bench = Bench::of(builder.on_dispatch(|_| panic!("of the test")));
    let table = bench.session.dispatch_table(1).unwrap();
    table.set_number(0, bench.session.virtual_stub(0).unwrap().0).unwrap();
    bench.session.inline_cache("cache", 0, 0).unwrap();
    let object = Object { class: table.address().0 };
    let cache = bench.session.address(bench.session.symbol("cache")).unwrap().0;
    for address in [table.get(0).unwrap(), cache] {
        assert_eq!(method(address)(&raw const object, 1, 2.0), 404);
    }
}

/// Calls an interface method of `count` classes, from several threads at once.
fn check_interface(count: u64) {
    const NAMES: &str = "method";
    let classes = Arc::new(Classes::default());
    let bench = classes.bench();
    let define = |n: u64| {
        let name = format!("{NAMES}{n}");
        (0x6000_0000 + 48 * n, bench.define(&name, Body::Sum(10 * n as u32)))
    };
    classes.methods.set((0..count).map(define).collect()).unwrap();
    let cache = bench.session.inline_cache("call", 7, 0).unwrap();
    let call = method(bench.session.address(cache.symbol()).unwrap().0);
    thread::scope(|scope| {
        for start in 0..3 {
            let bench = &bench;
            scope.spawn(move || {
                let reader = bench.session.reader();
                for round in 0..2 * count {
                    let _reading = reader.enter();
                    let n = (start + round) % count;
                    let object = Object { class: 0x6000_0000 + 48 * n };
                    assert_eq!(call(&raw const object, 1, 2.0), 10 * n as u32 + 3);
                    bench.reclaim();
                }
            });
        }
    });
    assert_eq!(cache.targets().len() as u64, count);
    let asked = classes.asked();
    assert!((count..=3 * count).contains(&asked), "asked {asked} times for {count} classes");
    // From here on, nobody is asked: neither for a redefined method.
    let (class, symbol) = classes.methods.get().unwrap()[0];
    bench.redefine(symbol, Body::Sum(5000));
    let object = Object { class };
    assert_eq!(call(&raw const object, 1, 2.0), 5003);
    assert_eq!(classes.asked(), asked);
    cache.forget(Some(class)).unwrap();
    assert_eq!(call(&raw const object, 1, 2.0), 5003);
    assert_eq!(classes.asked(), asked + 1);
    cache.forget(None).unwrap();
    assert_eq!(call(&raw const object, 1, 2.0), 5003);
    assert_eq!(cache.targets(), [(class, symbol)]);
    let stranger = Object { class: 1 };
    assert_eq!(call(&raw const stranger, 1, 2.0), 404, "the failure hook");
}

#[test]
fn one_class() {
    check_interface(1);
}

#[test]
fn a_few_classes() {
    check_interface(4);
}

#[test]
fn many_classes() {
    check_interface(100);
}
