//! Scopes, and what is asked for undefined symbols.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use vmkit::{
    Addr, Descriptor, Error, Name, Resolution, ScopeId, Session, SymbolId, SymbolKind, Unit,
};

use crate::bench::{Bench, Body, Module, missing};

/// A class loader: a scope with one module.
struct Loader<'a> {
    bench: &'a Bench,
    module: Arc<Module>,
    home: ScopeId,
    scope: ScopeId,
}

impl<'a> Loader<'a> {
    fn new(bench: &'a Bench, order: &[ScopeId]) -> Self {
        let home = bench.session.add_scope(order);
        let module = Arc::new(Module::default());
        let scope = bench.session.add_source_in(home, module.clone());
        Self { bench, module, home, scope }
    }

    fn define(&self, key: u64, name: &str, body: Body) -> SymbolId {
        self.module.bodies.lock().unwrap().insert(key, body);
        let descriptor = Descriptor::strong(name.into(), SymbolKind::Function);
        self.bench.session.define(&descriptor, self.scope, key, Unit::Lazy).unwrap().0
    }
}

#[test]
fn each_scope_has_names_of_its_own() {
    let bench = Bench::new();
    let (one, two) = (Loader::new(&bench, &[]), Loader::new(&bench, &[]));
    let define = |loader: &Loader<'_>, number| {
        let g = loader.define(0, "g", Body::Number(number));
        (g, loader.define(1, "f", Body::Plus("g", 100)))
    };
    let ((g1, f1), (g2, f2)) = (define(&one, 1), define(&two, 2));
    assert!(g1 != g2 && f1 != f2);
    assert_eq!((bench.function(f1)(), bench.function(f2)()), (101, 2 + 100));
    assert_eq!(bench.session.symbol_in(one.home, &Name::from("g")), g1);
    assert!(bench.session.find("g").is_none(), "the scope that all share has none");
}

#[test]
fn what_a_scope_does_not_define_is_looked_up_in_order() {
    let bench = Bench::new();
    bench.define("base", Body::Number(1));
    bench.define("both", Body::Number(2));
    let library = Loader::new(&bench, &[]);
    library.define(0, "both", Body::Number(20));
    library.define(1, "late", Body::Number(30));
    let user = Loader::new(&bench, &[library.home]);
    let callers = [("base", 0), ("both", 1), ("late", 2), ("later", 3)]
        .map(|(name, key)| user.define(key, &format!("call {name}"), Body::Plus(name, 100)));
    let run = callers.map(|id| bench.function(id));
    assert_eq!([run[0](), run[1](), run[2]()], [101, 120, 130]);
    assert_eq!(run[3](), 504, "nobody defines it yet");
    library.define(2, "later", Body::Number(40));
    let again = user.define(1000, "call later again", Body::Plus("later", 100));
    assert_eq!(bench.function(again)(), 140);
}

#[test]
fn a_scope_goes_whole() {
    let bench = Bench::new();
    let library = Loader::new(&bench, &[]);
    library.define(0, "g", Body::Number(1));
    let user = Loader::new(&bench, &[library.home]);
    let f = user.define(0, "f", Body::Plus("g", 100));
    let run = bench.function(f);
    assert_eq!(run(), 101);
    let before = bench.session.stats();
    let module = Arc::downgrade(&library.module);
    let (home, scope) = (library.home, library.scope);
    drop(library);
    assert!(module.upgrade().is_some());
    drop_scope(&bench.session, home);
    assert_eq!(run(), 504, "its callers find nobody");
    assert_eq!(bench.reclaim(), 1);
    let start = std::time::Instant::now();
    // A compile thread may still be at the end of what it did.
    while module.upgrade().is_some() {
        assert!(start.elapsed().as_secs() < 20, "scope {scope:?} is still there");
        std::thread::yield_now();
    }
    let after = bench.session.stats();
    assert_eq!(after.modules, before.modules - 1);
    assert!(after.code_bytes < before.code_bytes);
}

#[expect(unsafe_code, reason = "the scopes of these tests have no data")]
fn drop_scope(session: &Session, scope: ScopeId) {
    // SAFETY: there is no data.
    unsafe { session.drop_scope(scope) }
}

#[test]
fn the_machine_is_asked_at_the_first_call() {
    static SESSION: OnceLock<(Session, ScopeId)> = OnceLock::new();
    extern "C" fn native() -> u32 {
        7
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let builder = Session::builder().whole_process(false).compile_threads(1);
    let builder = builder.on_failure(|_, error, _| {
        FAILURES.fetch_add(u64::from(error.to_string().contains("no class")), Ordering::Relaxed);
        Addr(missing as *const () as u64)
    });
    static FAILURES: AtomicU64 = AtomicU64::new(0);
    let bench = Bench::of(builder.resolver(move |undefined| {
        assert!(undefined.is_called && undefined.scope == ScopeId::GLOBAL);
        log.lock().unwrap().push(undefined.name.to_string());
        let (session, scope) = SESSION.get().expect("nothing is called before");
        Ok(match undefined.name.to_string().as_str() {
            "native" => Resolution::Address(Addr(native as *const () as u64)),
            "other" => Resolution::Symbol(session.find("known").expect("it is defined")),
            "new" => {
                let descriptor = Descriptor::strong(undefined.name.clone(), SymbolKind::Function);
                session.define(&descriptor, *scope, 77, Unit::Lazy)?;
                Resolution::Defined
            }
            "bad" => return Err(Error::other("no class Bad")),
            _ => Resolution::Process,
        })
    }));
    bench.module.bodies.lock().unwrap().insert(77, Body::Number(9));
    assert!(SESSION.set((bench.session.clone(), bench.scope)).is_ok());
    bench.define("known", Body::Number(8));
    let callers = ["native", "other", "new", "bad", "nobody"].map(|name| {
        let name: &'static str = name;
        bench.define(&format!("call {name}"), Body::Plus(name, 100))
    });
    callers.iter().for_each(|&id| bench.session.compile(id).unwrap());
    assert!(asked.lock().unwrap().is_empty(), "nothing is called yet");
    let found = callers.map(|id| bench.function(id)());
    assert_eq!(found, [107, 108, 109, 504, 504]);
    assert_eq!(FAILURES.load(Ordering::Relaxed), 1);
    assert_eq!(*asked.lock().unwrap(), ["native", "other", "new", "bad", "nobody"]);
    callers.iter().for_each(|&id| assert!(bench.function(id)() > 100));
    assert_eq!(asked.lock().unwrap().len(), 5, "each is asked for once");
}

#[test]
fn a_module_can_keep_an_address_to_itself() {
    let bench = Bench::new();
    let (one, two) = (Loader::new(&bench, &[]), Loader::new(&bench, &[]));
    let define = |loader: &Loader<'_>, address| {
        let kind = SymbolKind::Function;
        bench.session.define_absolute_in(loader.scope, &"own".into(), kind, Addr(address))
    };
    let id = define(&one, 0x1000).unwrap();
    let other = define(&two, 0x2000).unwrap();
    assert!(id != other && bench.session.find("own").is_none());
    assert_eq!(bench.session.address(id).unwrap(), Addr(0x1000));
    assert!(define(&one, 0x3000).unwrap_err().to_string().contains("own"));
}

#[test]
fn a_module_is_asked_for_names_of_its_own() {
    extern "C" fn native() -> u32 {
        7
    }
    let bench = Bench::new();
    let known = bench.define("known", Body::Number(8));
    let address = Resolution::Address(Addr(native as *const () as u64));
    let says = [("native", address), ("other", Resolution::Symbol(known))];
    let says = says.map(|(name, resolution)| (Name::from(name), resolution));
    bench.module.own.lock().unwrap().extend(says);
    let call = |name: &str| {
        let own = bench.session.own_symbol_in(bench.scope, &name.into());
        let caller = bench.define(&format!("call {name}"), Body::PlusOf(own, 100));
        bench.function(caller)()
    };
    assert_eq!((call("native"), call("other")), (107, 108));
    assert_eq!(call("nobody"), 504);
    // What all share is none of its own.
    bench.define("shared", Body::Number(9));
    assert_eq!(call("shared"), 504);
}

#[test]
fn symbols_are_known_by_their_number() {
    let bench = Bench::new();
    let id = bench.session.symbol("some");
    assert_eq!(bench.session.symbol_numbered(id.number()), Some(id));
    assert_eq!(bench.session.symbol_numbered(u32::MAX), None);
    assert_eq!(Bench::new().session.symbol_numbered(id.number()), None);
}
