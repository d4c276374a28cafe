//! What compiles a function wants others, or itself, meanwhile.
#![expect(unsafe_code, reason = "calls what was compiled")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock};

use vmkit::{Addr, Error, Resolution, Result, Session, SymbolId};
use vmkit_llvm::{Building, Llvm, Options};

type Unary = unsafe extern "C" fn(i64) -> i64;
const UNARY: &str = "i64 (i64)";

extern "C" fn failed(_: i64) -> i64 {
    -404
}

fn start(threads: u32) -> (Session, Llvm) {
    let builder = Session::builder().compile_threads(threads);
    let session = builder.on_failure(|_, _, _| Addr(failed as *const () as u64)).build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    (session, llvm)
}

fn text(name: &str, body: &str) -> impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static {
    let text = format!("define i64 @{name}(i64 %x) {{ {body} }}");
    move |building| building.add_text(&text)
}

fn call(llvm: &Llvm, name: &str) -> i64 {
    // SAFETY: every function of these tests takes and returns a number.
    unsafe { llvm.function::<Unary>(name).unwrap().call(1) }
}

/// There may be no other thread that could compile it.
#[test]
fn a_closure_has_others_compiled_and_calls_them() {
    for threads in [1, 2] {
        let (session, llvm) = start(threads);
        for (name, number) in [("one", 1), ("two", 2), ("three", 3)] {
            llvm.define_lazy(name, UNARY, text(name, &format!("ret i64 {number}"))).unwrap();
        }
        let two = llvm.function::<Unary>("two").unwrap().address();
        let f = llvm.define_lazy("f", UNARY, move |building| {
            let session = building.session();
            session.compile(session.symbol("one"))?;
            // SAFETY: it takes and returns a number.
            let two = unsafe { std::mem::transmute::<*const (), Unary>(two.0 as *const ())(0) };
            session.compile_here(session.symbol("three"))?;
            text("f", &format!("ret i64 {two}"))(building)
        });
        session.compile(f.unwrap()).unwrap();
        assert_eq!((call(&llvm, "f"), session.stats().functions_compiled), (2, 4));
    }
}

#[test]
fn a_closure_that_wants_its_own_code_is_told_so() {
    let (session, llvm) = start(2);
    let own = "cannot compile f: what compiles it wants its code to go on";
    let f = llvm.define_lazy("f", UNARY, |building| {
        let session = building.session();
        session.compile(session.symbol("f"))
    });
    assert_eq!(session.compile(f.unwrap()).unwrap_err().to_string(), own);
    assert_eq!(call(&llvm, "f"), -404);
    llvm.redefine_lazy("f", UNARY, text("f", "ret i64 1")).unwrap();
    assert_eq!(call(&llvm, "f"), 1);
}

#[test]
fn closures_that_want_each_other_are_told_so() {
    let (session, llvm) = start(3);
    let meeting = Arc::new(Barrier::new(3));
    let errors = Arc::new(Mutex::new(Vec::new()));
    let ids = Arc::new(OnceLock::<[SymbolId; 3]>::new());
    let names = ["a", "b", "c"];
    let found = [0, 1, 2].map(|n| {
        let (meeting, errors, ids) = (meeting.clone(), errors.clone(), ids.clone());
        let define = llvm.define_lazy(names[n], UNARY, move |building| {
            meeting.wait();
            if let Err(error) = building.session().compile(ids.get().unwrap()[(n + 1) % 3]) {
                errors.lock().unwrap().push(error.to_string());
            }
            text(names[n], &format!("ret i64 {n}"))(building)
        });
        define.unwrap()
    });
    ids.set(found).unwrap();
    found.iter().for_each(|&id| session.request(id));
    found.iter().for_each(|&id| session.compile(id).unwrap());
    assert_eq!(names.map(|name| call(&llvm, name)), [0, 1, 2]);
    // Whoever came last could not wait.
    let errors = errors.lock().unwrap();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.ends_with(": what compiles it wants its code to go on"), "{error}");
}

#[test]
fn a_resolver_uses_the_session() {
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    let machine = Arc::new(OnceLock::<Llvm>::new());
    let known = machine.clone();
    let builder = Session::builder().compile_threads(1).whole_process(false);
    let builder = builder.on_failure(move |_, error, _| {
        told.lock().unwrap().push(error.to_string());
        Addr(failed as *const () as u64)
    });
    let builder = builder.resolver(move |undefined| {
        let llvm = known.get().expect("nothing is called before");
        assert_eq!(undefined.signature, Some(UNARY));
        let name = undefined.name.to_string();
        match &*name {
            "compiles" => {
                let other = llvm.define_lazy("other", UNARY, text("other", "ret i64 5"))?;
                let other = llvm.function_of::<Unary>(other)?;
                other.session().compile(other.symbol())?;
                Ok(Resolution::Symbol(other.symbol()))
            }
            "redefines" => {
                llvm.redefine_lazy(&name, UNARY, text(&name, "ret i64 6"))?;
                Ok(Resolution::Defined)
            }
            "panics" => panic!("of the test"),
            _ => Err(Error::other("no class")),
        }
    });
    let session = builder.build().unwrap();
    let llvm = Llvm::new(&session, Options { signatures: true, ..Options::default() });
    assert!(machine.set(llvm.clone()).is_ok());
    let found = ["compiles", "redefines", "panics", "nobody"].map(|name| {
        let user = format!(
            "declare i64 @{name}(i64)
             define i64 @call_{name}(i64 %x) {{ %y = call i64 @{name}(i64 %x)  ret i64 %y }}"
        );
        llvm.add(name, user.into_bytes()).unwrap();
        call(&llvm, &format!("call_{name}"))
    });
    assert_eq!(found, [5, 6, -404, -404]);
    let expected = ["cannot compile panics: what defines it panicked", "no class"];
    assert_eq!(*errors.lock().unwrap(), expected);
}

#[test]
fn what_is_redefined_while_it_is_compiled_is_compiled_anew() {
    let (session, llvm) = start(1);
    let (other, is_done) = (llvm.clone(), AtomicBool::new(false));
    let f = llvm.define_lazy("f", UNARY, move |building| {
        if !is_done.swap(true, Ordering::Relaxed) {
            other.redefine_lazy("f", UNARY, text("f", "ret i64 2"))?;
        }
        text("f", "ret i64 1")(building)
    });
    session.compile(f.unwrap()).unwrap();
    assert_eq!(call(&llvm, "f"), 2);
}

#[test]
fn a_function_on_the_stack_finishes_in_its_old_body() {
    static LLVM: OnceLock<Llvm> = OnceLock::new();
    extern "C" fn redefine() {
        let llvm = LLVM.get().unwrap();
        llvm.redefine_lazy("f", UNARY, text("f", "ret i64 2")).unwrap();
        assert_eq!(call(llvm, "f"), 2);
    }
    let (session, llvm) = start(1);
    assert!(LLVM.set(llvm.clone()).is_ok());
    // SAFETY: it takes and returns nothing.
    unsafe { llvm.define_native("redefine", Addr(redefine as *const () as u64)).unwrap() };
    let body = "define i64 @f(i64 %x) { call void @redefine()  ret i64 1 }";
    let body = format!("declare void @redefine() {body}");
    llvm.define_lazy("f", UNARY, move |building| building.add_text(&body)).unwrap();
    let reader = session.reader();
    let reading = reader.enter();
    assert_eq!(call(&llvm, "f"), 1);
    assert_eq!(session.stats().functions_retired, 1);
    drop(reading);
    assert_eq!(call(&llvm, "f"), 2);
    // SAFETY: nobody runs anything.
    assert_eq!(unsafe { session.reclaim() }, 1);
}
