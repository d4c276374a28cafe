//! Definitions one by one: built when they are called, redefined, replaced, inlined.
#![expect(unsafe_code, reason = "calls what was compiled")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use inkwell::memory_buffer::MemoryBuffer;
use inkwell::values::FunctionValue;
use vmkit::{Addr, Error, Name, Result, ScopeId, Session, State, SymbolId};
use vmkit_llvm::{Building, Function, Level, Llvm, Options};

type Unary = unsafe extern "C" fn(i64) -> i64;
const UNARY: &str = "i64 (i64)";

fn start(level: Level) -> (Session, Llvm) {
    let builder = Session::builder().compile_threads(2);
    let session = builder.on_failure(|_, _, _| Addr(failed as *const () as u64)).build().unwrap();
    let llvm = Llvm::new(&session, Options { level, ..Options::default() });
    (session, llvm)
}

extern "C" fn failed(_: i64) -> i64 {
    -404
}

fn call(function: &Function<Unary>, argument: i64) -> i64 {
    // SAFETY: every function of these tests takes and returns a number.
    unsafe { function.call(argument) }
}

/// The body `x + number`.
fn plus(number: i64) -> impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static {
    move |building| {
        let builder = body(building);
        let x = argument(building.function());
        let constant = building.context().i64_type().const_int(number as u64, true);
        let sum = builder.build_int_add(x, constant, "").map_err(Error::other)?;
        builder.build_return(Some(&sum)).map_err(Error::other)?;
        Ok(())
    }
}

/// The body `callee(x) * 2`.
fn twice(callee: &'static str) -> impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static {
    move |building| {
        let builder = body(building);
        let ty = building.function().get_type();
        let known = building.module().get_function(callee);
        let callee = known.unwrap_or_else(|| building.module().add_function(callee, ty, None));
        let x = argument(building.function());
        let called = builder.build_call(callee, &[x.into()], "").map_err(Error::other)?;
        let result = called.try_as_basic_value().unwrap_basic().into_int_value();
        let two = building.context().i64_type().const_int(2, false);
        let product = builder.build_int_mul(result, two, "").map_err(Error::other)?;
        builder.build_return(Some(&product)).map_err(Error::other)?;
        Ok(())
    }
}

fn body<'ctx>(building: &Building<'ctx>) -> inkwell::builder::Builder<'ctx> {
    let builder = building.context().create_builder();
    builder.position_at_end(building.context().append_basic_block(building.function(), ""));
    builder
}

fn argument(function: FunctionValue<'_>) -> inkwell::values::IntValue<'_> {
    function.get_first_param().expect("one parameter").into_int_value()
}

#[test]
fn a_closure_builds_at_the_first_call_and_not_before() {
    let (session, llvm) = start(Level::O0);
    let built = Arc::new(AtomicU64::new(0));
    let count = built.clone();
    let build = plus(5);
    let id = llvm
        .define_lazy("f", UNARY, move |building| {
            count.fetch_add(1, Ordering::Relaxed);
            build(building)
        })
        .unwrap();
    let f = llvm.function::<Unary>("f").unwrap();
    assert_eq!(
        (f.symbol(), session.state(id), built.load(Ordering::Relaxed)),
        (id, State::Defined, 0)
    );
    assert_eq!((call(&f, 1), call(&f, 2)), (6, 7));
    assert_eq!(built.load(Ordering::Relaxed), 1);
    assert_eq!(session.address(id).unwrap(), f.address());
}

#[test]
fn wrong_use_is_an_error_that_says_so() {
    let (_session, llvm) = start(Level::O0);
    llvm.define_lazy("f", UNARY, plus(1)).unwrap();
    llvm.add("g.ll", b"define i32 @g(ptr %p) { ret i32 0 }".to_vec()).unwrap();
    let check = |found: Result<String>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let done = |_| String::new();
    check(
        llvm.function::<unsafe extern "C" fn(i32) -> i64>("f").map(|_| String::new()),
        "f is of the type i64 (i64), not i64 (i32)",
    );
    check(
        llvm.function::<Unary>("g").map(|_| String::new()),
        "g is of the type i32 (ptr), not i64 (i64)",
    );
    check(
        llvm.redefine_lazy("g", UNARY, plus(1)).map(done),
        "g is of the type i32 (ptr), not i64 (i64)",
    );
    assert!(llvm.function::<Unary>("h").err().unwrap().is_undefined());
    assert!(llvm.define_lazy("f", UNARY, plus(1)).unwrap_err().to_string().contains('f'));
    let broken = llvm.define_lazy("broken", UNARY, |_| Err(Error::other("no class"))).unwrap();
    let session = llvm.function::<Unary>("broken").unwrap().session().clone();
    assert_eq!(session.compile(broken).unwrap_err().to_string(), "no class");
    let empty = llvm.define_lazy("empty", UNARY, |_| Ok(())).unwrap();
    let error = session.compile(empty).unwrap_err().to_string();
    assert!(error.contains("empty") && error.contains("not given a body"), "{error}");
    assert_eq!(call(&llvm.function::<Unary>("empty").unwrap(), 1), -404);
    let odd = llvm.define_lazy("odd", "what is this (", plus(1)).unwrap();
    assert!(session.compile(odd).unwrap_err().to_string().contains("odd"));
}

#[test]
fn what_is_of_another_session_context_or_target_is_refused() {
    let ((session, llvm), (other, foreign)) = (start(Level::O0), start(Level::O0));
    let check = |found: Option<Error>, expected: &str| {
        let found = found.expect("an error").to_string();
        assert!(found.contains(expected), "{found}");
    };
    let f = foreign.define_lazy("f", UNARY, plus(1)).unwrap();
    check(llvm.function_of::<Unary>(f).err(), "of another session: look it up here");
    check(session.redefine(f, ScopeId::GLOBAL, 0).err(), "of another session: look it up here");
    let scope = other.add_scope(&[]);
    let text = b"define i64 @g(i64 %x) { ret i64 %x }";
    check(llvm.add_in(scope, "g", text.to_vec()).err(), "of another session: make one here");
    check(llvm.define_lazy_in(scope, "g", UNARY, plus(1)).err(), "of another session");
    check(llvm.redefine_lazy_in(scope, "g", UNARY, plus(1)).err(), "of another session");
    let arm = "target triple = \"aarch64-unknown-linux-gnu\"\ndefine void @a() { ret void }";
    check(llvm.add("arm.ll", arm.into()).err(), "aarch64");
    // Nor is IR taken that LLVM's verifier refuses.
    {
        let context = inkwell::context::Context::create();
        let module = context.create_module("endless");
        let f = module.add_function("endless", context.void_type().fn_type(&[], false), None);
        context.append_basic_block(f, "");
        let error = llvm.add_module(&module).map(drop).err();
        check(error, "endless: invalid IR: Basic Block in function 'endless' does not have");
        assert!(session.find("endless").is_none());
    }
    // A module's context is no other's business: it is copied, and can be changed and go.
    let made = {
        let context = inkwell::context::Context::create();
        let memory = MemoryBuffer::create_from_memory_range_copy(text, "g");
        let module = context.create_module_from_ir(memory).unwrap();
        llvm.add_module(&module).unwrap();
        module.get_function("g").unwrap().set_linkage(inkwell::module::Linkage::Internal);
        session.symbol("g")
    };
    assert_eq!(call(&llvm.function_of(made).unwrap(), 7), 7);
}

#[test]
fn redefinition_reaches_what_was_inlined() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        let g = llvm.define_lazy("g", UNARY, plus(1)).unwrap();
        let f = llvm.define_lazy("f", UNARY, twice("g")).unwrap();
        let h = llvm.define_lazy("h", UNARY, twice("f")).unwrap();
        let run = llvm.function::<Unary>("h").unwrap();
        assert_eq!(call(&run, 10), 44, "{level:?}");
        if level != Level::O0 {
            assert_eq!(session.stats().functions_compiled, 1, "the others are part of it");
            assert_eq!(session.why(h).relies_on, [g, f]);
        }
        for number in 2..20 {
            llvm.redefine_lazy("g", UNARY, plus(number)).unwrap();
            assert_eq!(call(&run, 10), 4 * (10 + number), "{level:?}");
        }
        if level != Level::O0 {
            assert_eq!(session.why(h).outdated_by, [g]);
        }
        let before = session.stats();
        llvm.redefine_lazy("g", UNARY, plus(19)).unwrap();
        assert_eq!(call(&run, 10), 4 * 29);
        let compiled = session.stats().functions_compiled - before.functions_compiled;
        assert_eq!(compiled, u64::from(level == Level::O0), "an equal body outdates nobody");
    }
}

#[test]
fn a_function_can_keep_apart() {
    for is_apart in [false, true] {
        let (session, llvm) = start(Level::O2);
        llvm.define_lazy("g", UNARY, move |building| {
            if is_apart {
                building.keep_apart();
            }
            plus(1)(building)
        })
        .unwrap();
        llvm.define_lazy("f", UNARY, twice("g")).unwrap();
        let f = llvm.function::<Unary>("f").unwrap();
        assert_eq!(call(&f, 1), 4);
        assert_eq!(session.stats().functions_compiled, 1 + u64::from(is_apart));
    }
}

#[test]
fn an_assumption_is_made_while_building() {
    let (session, llvm) = start(Level::O2);
    let leaf = session.assumption("nobody overrides C.m");
    let holds = Arc::new(AtomicU64::new(1));
    let seen = holds.clone();
    llvm.define_lazy("f", UNARY, move |building| {
        if seen.load(Ordering::Relaxed) == 1 {
            building.assume(leaf);
            plus(1)(building)
        } else {
            plus(1000)(building)
        }
    })
    .unwrap();
    let f = llvm.function::<Unary>("f").unwrap();
    assert_eq!(call(&f, 1), 2);
    holds.store(0, Ordering::Relaxed);
    assert_eq!(call(&f, 1), 2, "nobody has said so yet");
    session.invalidate(leaf);
    assert_eq!(call(&f, 1), 1001);
    assert_eq!(session.why(f.symbol()).outdated_by, [leaf]);
}

/// `x + 1` under an assumption while `holds`, else `x + 1000`.
fn assuming(
    assumption: SymbolId,
    holds: &Arc<AtomicU64>,
) -> impl Fn(&Building<'_>) -> Result<()> + Send + Sync + 'static {
    let holds = holds.clone();
    move |building| {
        if holds.load(Ordering::Relaxed) == 0 {
            return plus(1000)(building);
        }
        building.assume(assumption);
        plus(1)(building)
    }
}

#[test]
fn an_assumption_goes_along_with_what_is_inlined() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        let (leaf, holds) = (session.assumption("leaf"), Arc::new(AtomicU64::new(1)));
        llvm.define_lazy("g", UNARY, assuming(leaf, &holds)).unwrap();
        llvm.define_lazy("f", UNARY, twice("g")).unwrap();
        llvm.define_lazy("h", UNARY, twice("f")).unwrap();
        llvm.define_lazy("late", UNARY, twice("g")).unwrap();
        let [g, h, late] = ["g", "h", "late"].map(|name| llvm.function::<Unary>(name).unwrap());
        assert_eq!(call(&h, 1), 8, "{level:?}");
        holds.store(0, Ordering::Relaxed);
        session.invalidate(leaf);
        assert_eq!(call(&h, 1), 4004, "{level:?}");
        // What was built in order to be inlined is not what is compiled or inlined now.
        assert_eq!((call(&late, 1), call(&g, 1)), (2002, 1001), "{level:?}");
    }
}

#[test]
fn what_was_built_before_an_invalidation_is_built_anew() {
    let (session, llvm) = start(Level::O2);
    let (leaf, holds) = (session.assumption("leaf"), Arc::new(AtomicU64::new(1)));
    llvm.define_lazy("g", UNARY, assuming(leaf, &holds)).unwrap();
    llvm.define_lazy("f", UNARY, twice("g")).unwrap();
    let [f, g] = ["f", "g"].map(|name| llvm.function::<Unary>(name).unwrap());
    assert_eq!(call(&f, 1), 4);
    holds.store(0, Ordering::Relaxed);
    session.invalidate(leaf);
    assert_eq!(call(&g, 1), 1001);
    assert_eq!(call(&f, 1), 2002);
}

#[test]
fn a_body_can_be_linked_in() {
    let (session, llvm) = start(Level::O0);
    llvm.define_lazy("f", UNARY, |building| {
        building.add_text(
            "define internal i64 @g(i64 %x) { ret i64 %x }
            define i64 @f(i64 %x) { %y = call i64 @g(i64 %x)  %z = mul i64 %y, 3  ret i64 %z }",
        )
    })
    .unwrap();
    assert_eq!(call(&llvm.function::<Unary>("f").unwrap(), 5), 15);
    for (name, text, expected) in [
        ("a", "define i64 @a(i64 %x) { ret %x }", "expected"),
        ("b", "define i64 @b(i64 %x) { ret i64 %x }", "multiply defined"),
    ] {
        let id = llvm.define_lazy(name, UNARY, move |building| {
            building.add_text(text)?;
            building.add_text(text)
        });
        let error = session.compile(id.unwrap()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_a_closure_brings_along_is_its_own() {
    let (session, llvm) = start(Level::O0);
    for name in ["one", "two"] {
        let number = name.len() as u64 * u64::from(name.as_bytes()[0]);
        llvm.define_lazy(name, UNARY, move |building| {
            let context = building.context();
            let counter = building.module().add_global(context.i64_type(), None, "counter");
            counter.set_initializer(&context.i64_type().const_int(number, false));
            let builder = body(building);
            let pointer = counter.as_pointer_value();
            let load = |name| builder.build_load(context.i64_type(), pointer, name);
            let value = load("").map_err(Error::other)?.into_int_value();
            let x = argument(building.function());
            let sum = builder.build_int_add(value, x, "").map_err(Error::other)?;
            builder.build_store(pointer, sum).map_err(Error::other)?;
            builder.build_return(Some(&sum)).map_err(Error::other)?;
            Ok(())
        })
        .unwrap();
    }
    let [one, two] = ["one", "two"].map(|name| llvm.function::<Unary>(name).unwrap());
    assert_eq!((call(&one, 1), call(&one, 1), call(&two, 1)), (334, 335, 349));
    assert!(session.find("counter").is_none());
}

#[test]
fn a_module_is_replaced_by_another_version() {
    let (session, llvm) = start(Level::O1);
    let version = |number: i64, extra: &str| {
        format!(
            "@state = global i64 100
             @private = internal global i64 {number}
             declare i64 @host(i64)
             define i64 @step(i64 %x) {{
               %s = load i64, ptr @state  %n = add i64 %s, {number}  store i64 %n, ptr @state
               %h = call i64 @host(i64 %n)  %r = add i64 %h, %x  ret i64 %r }}
             {extra}"
        )
        .into_bytes()
    };
    llvm.define_lazy("host", UNARY, plus(0)).unwrap();
    let old = "define i64 @old(i64 %x) { ret i64 1 }";
    llvm.add("plugin", version(1, old)).unwrap();
    let step = llvm.function::<Unary>("step").unwrap();
    let old = llvm.function::<Unary>("old").unwrap();
    assert_eq!((call(&step, 0), call(&step, 0), call(&old, 0)), (101, 102, 1));
    for number in 2..50 {
        let new = format!("define i64 @new{number}(i64 %x) {{ ret i64 {number} }}");
        let loaded = llvm.replace("plugin", version(number, &new)).unwrap();
        assert_eq!(loaded.functions, 2);
        assert_eq!(call(&old, 0), -404, "it is not there any more");
        let new = llvm.function::<Unary>(&format!("new{number}")).unwrap();
        assert_eq!(call(&new, 0), number);
    }
    // The state is what it was.
    llvm.replace("plugin", version(1000, "")).unwrap();
    assert_eq!(call(&step, 0), 1102);
    // SAFETY: nobody runs anything.
    unsafe { session.reclaim() };
    assert!(session.stats().modules < 8, "{:?}", session.stats());
    let error = llvm.replace("plugin", b"broken".to_vec()).unwrap_err();
    assert!(error.to_string().contains("plugin"), "{error}");
    assert_eq!(call(&step, 0), 2102);
    assert!(llvm.replace("nobody", Vec::new()).is_err());
    let other = "@state = global i64 0  define i32 @step(ptr %p) { ret i32 0 }";
    let error = llvm.replace("plugin", other.into()).unwrap_err().to_string();
    assert_eq!(error, "plugin: step is of the type i64 (i64), and i32 (ptr) in its place");
    let data = llvm.replace("plugin", b"@step = global i64 0".to_vec()).unwrap_err().to_string();
    assert_eq!(data, "plugin: step is of the type i64 (i64), and data in its place");
    assert_eq!(call(&step, 0), 3102);
}

#[test]
fn a_function_with_computed_gotos_is_redefined() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        let version = |number: i64| {
            format!(
                "@places = internal constant [2 x ptr]
                   [ptr blockaddress(@goes, %one), ptr blockaddress(@goes, %two)]
                 define i64 @goes(i64 %which) noinline {{
                   %place = getelementptr ptr, ptr @places, i64 %which
                   %to = load ptr, ptr %place
                   indirectbr ptr %to, [label %one, label %two]
                 one:
                   ret i64 {number}
                 two:
                   %other = call i64 @goes(i64 0)
                   %sum = add i64 %other, {number}
                   ret i64 %sum }}
                 define i64 @user(i64 %which) {{
                   %r = call i64 @goes(i64 %which)  ret i64 %r }}"
            )
            .into_bytes()
        };
        llvm.add("gotos", version(1)).unwrap();
        let user = llvm.function::<Unary>("user").unwrap();
        let mut used = None;
        for number in 1..20 {
            assert_eq!((call(&user, 0), call(&user, 1)), (number, 2 * number), "{level:?}");
            let stats = session.stats();
            let now = (stats.code_bytes, stats.data_bytes);
            assert_eq!(*used.get_or_insert(now), now, "its table goes along");
            llvm.replace("gotos", version(number + 1)).unwrap();
            // SAFETY: nobody runs anything, or keeps a label.
            unsafe {
                session.retire_replaced();
                session.reclaim();
            }
        }
    }
}

#[test]
fn types_are_compared_where_that_is_asked_for() {
    static ERRORS: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let check = |policy, expected: [i64; 2]| {
        let builder = Session::builder().signatures(policy).on_failure(|_, error, _| {
            ERRORS.lock().unwrap().push(error.to_string());
            Addr(failed as *const () as u64)
        });
        let session = builder.build().unwrap();
        let options = Options { signatures: true, ..Options::default() };
        let llvm = Llvm::new(&session, options);
        let text = "declare i32 @early(i64)
                    declare i32 @late(i64)
                    define i64 @before(i64 %x) { call i32 @early(i64 %x)  ret i64 1 }
                    define i64 @after(i64 %x) { call i32 @late(i64 %x)  ret i64 2 }";
        llvm.add("user", text.into()).unwrap();
        llvm.define_lazy("early", UNARY, plus(1)).unwrap();
        let [before, after] = ["before", "after"].map(|n| llvm.function::<Unary>(n).unwrap());
        session.compile(after.symbol()).unwrap();
        llvm.define_lazy("late", UNARY, plus(1)).unwrap();
        assert_eq!([call(&before, 1), call(&after, 1)], expected);
    };
    check(vmkit::Signatures::Allow, [1, 2]);
    assert!(ERRORS.lock().unwrap().is_empty());
    check(vmkit::Signatures::Refuse, [-404, 2]);
    let is = |name| {
        format!("{name} is of the type i64 (i64) in {name}, and taken for i32 (i64) in user")
    };
    assert_eq!(*ERRORS.lock().unwrap(), [is("early"), is("late")]);
}

#[test]
fn the_processor_can_be_used_to_the_full() {
    let bytes = |native_cpu| {
        let session = Session::builder().build().unwrap();
        let options = Options { native_cpu, level: Level::O2, ..Options::default() };
        let llvm = Llvm::new(&session, options);
        let text = "declare i64 @llvm.ctpop.i64(i64)
                    define i64 @count(i64 %x) { %r = call i64 @llvm.ctpop.i64(i64 %x)  ret i64 %r }";
        llvm.add("m", text.into()).unwrap();
        let count = llvm.function::<Unary>("count").unwrap();
        assert_eq!(call(&count, 0xff), 8);
        session.explain(count.symbol()).size
    };
    assert!(!is_x86_feature_detected!("popcnt") || bytes(true) < bytes(false));
}

#[test]
fn memory_has_a_limit() {
    let session = Session::builder().memory_limit(1 << 20).build().unwrap();
    let llvm = Llvm::new(&session, Options::default());
    let large = "@large = global [2000000 x i8] zeroinitializer
                 define ptr @user() { ret ptr @large }
                 define i64 @small(i64 %x) { ret i64 %x }";
    llvm.add("m", large.into()).unwrap();
    let error = session.compile(session.symbol("user")).unwrap_err().to_string();
    assert_eq!(error, "out of data memory: 2000000 bytes wanted, 1048544 left of 1048576");
    assert_eq!(call(&llvm.function::<Unary>("small").unwrap(), 3), 3);
}

#[test]
fn data_starts_anew_where_that_is_asked_for() {
    for (level, far_data) in [(Level::O0, false), (Level::O2, false), (Level::O0, true)] {
        let (session, llvm) = start(level);
        let llvm = match far_data {
            false => llvm,
            true => Llvm::new(&session, Options { level, far_data, ..Options::default() }),
        };
        let data = |number: i64| {
            format!("@table = global [4 x i64] [i64 {number}, i64 1, i64 2, i64 {}]", 2 * number)
        };
        let user = "
            @table = external global [4 x i64]
            @last = global ptr getelementptr ([4 x i64], ptr @table, i64 0, i64 3)
            @changed = global ptr @table
            define i64 @first(i64 %x) {
              %t = load i64, ptr @table  %r = add i64 %t, %x  ret i64 %r }
            define i64 @pointed(i64 %x) {
              %p = load ptr, ptr @last  %t = load i64, ptr %p  %r = add i64 %t, %x  ret i64 %r }
            define i64 @change(i64 %x) { store ptr @changed, ptr @changed  ret i64 0 }
            define i64 @is_changed(i64 %x) {
              %p = load ptr, ptr @changed  %c = icmp eq ptr %p, @changed
              %r = zext i1 %c to i64  ret i64 %r }";
        llvm.add("data", data(10).into_bytes()).unwrap();
        llvm.add("user", user.into()).unwrap();
        let [first, pointed, change, is_changed] = ["first", "pointed", "change", "is_changed"]
            .map(|name| llvm.function::<Unary>(name).unwrap());
        assert_eq!((call(&first, 1), call(&pointed, 1), call(&change, 0)), (11, 21, 0));
        for number in 11..20 {
            llvm.replace_all("data", data(number).into_bytes()).unwrap();
            let found = (call(&first, 1), call(&pointed, 1), call(&is_changed, 0));
            assert_eq!(found, (number + 1, 2 * number + 1, 1), "{level:?} {far_data}");
        }
        let broken = "@table = global [4 x ptr] [ptr @nowhere, ptr null, ptr null, ptr null]
                      @nowhere = external global i64";
        let error = llvm.replace_all("data", broken.into()).unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
        assert_eq!((call(&first, 1), call(&pointed, 1)), (20, 39), "as it was");
    }
}

#[test]
fn a_module_that_cannot_be_replaced_stays_as_it_is() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        let version = |number: i64, data: &str| {
            format!(
                "@first = global i64 {number}
                 @table = global [2 x ptr] [ptr {data}, ptr @first]
                 @nowhere = external global i64
                 @last = global i64 {number}
                 define i64 @sum(i64 %x) {{
                   %p = load ptr, ptr getelementptr ([2 x ptr], ptr @table, i64 0, i64 1)
                   %f = load i64, ptr %p  %g = load i64, ptr @first  %l = load i64, ptr @last
                   %n = call i64 @number(i64 %x)
                   %a = add i64 %f, %g  %b = add i64 %l, %n  %r = add i64 %a, %b  ret i64 %r }}
                 define i64 @number(i64 %x) noinline {{ %r = add i64 %x, {number}  ret i64 %r }}"
            )
        };
        llvm.add("m", (version(10, "null") + "define i64 @old(i64 %x) { ret i64 %x }").into())
            .unwrap();
        let [sum, old] = ["sum", "old"].map(|name| llvm.function::<Unary>(name).unwrap());
        assert_eq!((call(&sum, 1), call(&old, 1)), (41, 1));
        let new = "define i64 @new(i64 %x) { ret i64 %x }";
        let whole = "define i64 @whole(i64 %x) section \"named\" { ret i64 %x }";
        llvm.add("apart", whole.into()).unwrap();
        let alias = "@same = alias i64, ptr @first";
        llvm.add("alias", "@other = global i64 0  @same = alias i64, ptr @other".into()).unwrap();
        for (broken, why) in [
            (version(20, "@nowhere") + new, "nowhere"),
            (version(20, "null") + new + whole, "whole"),
            (version(20, "null") + new + alias, "same"),
            (version(20, "null") + new + "module asm \".globl old\\0Aold: ret\"", "old"),
        ] {
            let error = llvm.replace_all("m", broken.into()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert_eq!((call(&sum, 1), call(&old, 1)), (41, 1), "{level:?} {why}");
            let new = session.find("new");
            assert!(new.is_none_or(|new| !session.is_defined(new)), "{level:?} {why}");
        }
        llvm.replace_all("m", (version(20, "null") + new).into()).unwrap();
        assert_eq!((call(&sum, 1), call(&old, 1)), (81, -404));
        assert_eq!(call(&llvm.function::<Unary>("new").unwrap(), 5), 5);
    }
}

#[test]
fn nothing_else_is_taken_for_granted_of_what_can_be_redefined() {
    let (session, llvm) = start(Level::O2);
    let version = |effect: &str, constant: i64| {
        let step = match effect {
            "" => "ret i64 %x",
            _ => "store i64 7, ptr @state  ret i64 %x",
        };
        format!(
            "@state = global i64 0
             @constant = constant i64 {constant}
             define i64 @step(i64 returned %x) noinline nounwind willreturn memory({}) {{ {step} }}
             define i64 @user(i64 %x) {{
               %unused = call i64 @step(i64 %x)
               %s = load i64, ptr @state  %c = load i64, ptr @constant
               %r = add i64 %s, %c  ret i64 %r }}",
            if effect.is_empty() { "none" } else { "write" }
        )
        .into_bytes()
    };
    llvm.add("m", version("", 100)).unwrap();
    let user = llvm.function::<Unary>("user").unwrap();
    assert_eq!(call(&user, 1), 100);
    let state = |number: i64| {
        format!(
            "@state = external global i64
             define i64 @step(i64 %x) {{ store i64 {number}, ptr @state  ret i64 %x }}"
        )
    };
    llvm.add("step", b"define i64 @unused() { ret i64 0 }".to_vec()).unwrap();
    // The user is not compiled anew: it calls the new body all the same.
    let before = session.stats().functions_compiled;
    llvm.replace("step", state(7).into_bytes()).unwrap();
    assert_eq!(call(&user, 1), 107);
    assert_eq!(session.stats().functions_compiled, before + 1);
    llvm.replace_all("m", version("write", 1000)).unwrap();
    assert_eq!(call(&user, 1), 1007);
}

#[test]
fn class_loaders_have_names_of_their_own() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        llvm.add("base", b"define i64 @base(i64 %x) { ret i64 %x }".to_vec()).unwrap();
        let loaders: Vec<_> = (1..=3)
            .map(|number| {
                let scope = session.add_scope(&[]);
                let text = format!(
                    "declare i64 @base(i64)
                     @data = global i64 {number}
                     define linkonce_odr i64 @g(i64 %x) {{
                       %d = load i64, ptr @data  %y = add i64 %x, %d  ret i64 %y }}
                     define i64 @f(i64 %x) {{
                       %y = call i64 @g(i64 %x)  %z = call i64 @base(i64 %y)  ret i64 %z }}"
                );
                llvm.add_in(scope, "module", text.into_bytes()).unwrap();
                session.symbol_in(scope, &Name::from("f"))
            })
            .collect();
        for (number, &f) in (1..).zip(&loaders) {
            let address = session.address(f).unwrap();
            // SAFETY: as in `call`.
            let run: Unary = unsafe { std::mem::transmute(address.0 as *const ()) };
            // SAFETY: as above.
            assert_eq!(unsafe { run(10) }, 10 + number, "{level:?}");
        }
    }
}

#[test]
fn closures_define_in_scopes_too() {
    let (session, llvm) = start(Level::O2);
    let scopes = [(); 2].map(|()| session.add_scope(&[]));
    let handles = [1, 2].map(|number| {
        let scope = scopes[number as usize - 1];
        llvm.define_lazy_in(scope, "g", UNARY, plus(number)).unwrap();
        let f = llvm.redefine_lazy_in(scope, "f", UNARY, twice("g")).unwrap();
        llvm.function_of::<Unary>(f).unwrap()
    });
    assert_eq!(handles.each_ref().map(|f| call(f, 10)), [22, 24]);
    llvm.redefine_lazy_in(scopes[1], "g", UNARY, plus(5)).unwrap();
    assert_eq!(handles.each_ref().map(|f| call(f, 10)), [22, 30]);
    assert!(llvm.function::<Unary>("f").err().unwrap().is_undefined());
    let nobody = session.own_symbol_in(scopes[0], &Name::from("nobody"));
    assert!(llvm.function_of::<Unary>(nobody).err().unwrap().is_undefined());
    let error = llvm.redefine_lazy_in(scopes[0], "g", "void ()", plus(1)).unwrap_err();
    assert_eq!(error.to_string(), "g is of the type i64 (i64), not void ()");
}

#[test]
fn an_address_is_the_same_wherever_it_is_taken_and_never_null() {
    let (session, llvm) = start(Level::O0);
    for number in 0..20 {
        let text = format!(
            "declare i64 @f(i64)
             define ptr @take{number}() {{ ret ptr @f }}
             @table{number} = global ptr @f
             define ptr @stored{number}() {{ %p = load ptr, ptr @table{number}  ret ptr %p }}"
        );
        llvm.add(&format!("m{number}"), text.into_bytes()).unwrap();
    }
    let take = |number: usize| {
        [format!("take{number}"), format!("stored{number}")].map(|name| {
            let function = llvm.function::<unsafe extern "C" fn() -> *const u8>(&name).unwrap();
            // SAFETY: it returns a pointer.
            unsafe { function.call() as u64 }
        })
    };
    let first = take(0)[0];
    assert_ne!(first, 0);
    assert!((1..7).all(|number| take(number) == [first; 2]), "nobody defines it yet");
    llvm.define_lazy("f", UNARY, plus(1)).unwrap();
    assert!((7..14).all(|number| take(number) == [first; 2]), "it is not compiled yet");
    assert_eq!(call(&llvm.function::<Unary>("f").unwrap(), 1), 2);
    llvm.redefine_lazy("f", UNARY, plus(2)).unwrap();
    assert!((14..20).all(|number| take(number) == [first; 2]));
    assert_eq!(session.address(session.symbol("f")).unwrap().0, first);
}

#[test]
fn what_is_redefined_for_ever_takes_no_more_memory() {
    let (session, llvm) = start(Level::O0);
    llvm.define_lazy("f", UNARY, plus(0)).unwrap();
    let f = llvm.function::<Unary>("f").unwrap();
    let mut used = None;
    for number in 0..1500 {
        llvm.redefine_lazy("f", UNARY, plus(number)).unwrap();
        assert_eq!(call(&f, 1), 1 + number);
        // SAFETY: nobody runs anything.
        unsafe { session.reclaim() };
        let stats = session.stats();
        let now = (stats.code_bytes, stats.data_bytes, stats.symbols);
        // One may be held by a compile that is just ending.
        assert!(stats.modules < 8, "{stats:?}");
        if number > 10 {
            assert_eq!(*used.get_or_insert(now), now);
        }
    }
}

#[test]
fn a_session_with_closures_ends_with_its_last_handle() {
    let session = {
        let (session, llvm) = start(Level::O1);
        llvm.define_lazy("f", UNARY, plus(1)).unwrap();
        llvm.define_lazy("g", UNARY, twice("f")).unwrap();
        assert_eq!(call(&llvm.function("g").unwrap(), 20), 42);
        session.downgrade()
    };
    // Idle compile threads keep it for a moment.
    let patience = Instant::now() + Duration::from_secs(20);
    while session.upgrade().is_some() {
        assert!(Instant::now() < patience, "somebody keeps the session");
        thread::sleep(Duration::from_millis(20));
    }
}
