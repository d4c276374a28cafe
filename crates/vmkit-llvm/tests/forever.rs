//! Modules that are replaced for ever, and scopes that come and go, take no more memory.
#![expect(unsafe_code, reason = "calls compiled code, and vouches that nothing else points to it")]

use vmkit::{Name, Session};
use vmkit_llvm::{Building, Level, Llvm, Options};

type Unary = unsafe extern "C" fn(i64) -> i64;

/// A version of a module that has what compilers make: a private function that is not inlined, a
/// private text, and data that points to both.
fn version(number: i64) -> Vec<u8> {
    format!(
        "@text = private constant [4 x i64] [i64 {number}, i64 1, i64 2, i64 {number}]
         @state = internal global i64 {number}
         @table = global [2 x ptr] [ptr @text, ptr @step]
         define internal i64 @step(i64 %x) noinline {{
           %s = load i64, ptr @state  %t = add i64 %x, %s  store i64 %t, ptr @state  ret i64 %t }}
         define i64 @f(i64 %x) {{
           %p = load ptr, ptr @table         %n = load i64, ptr %p
           %q = getelementptr ptr, ptr @table, i64 1
           %step = load ptr, ptr %q          %a = call i64 %step(i64 %x)
           %b = call i64 @step(i64 0)        %c = add i64 %a, %b
           %r = add i64 %c, %n               ret i64 %r }}"
    )
    .into_bytes()
}

/// What the first call of `f` in a version gives: the step adds up.
fn expected(number: i64, x: i64) -> i64 {
    let state = number + x;
    state + state + number
}

fn start(level: Level) -> (Session, Llvm) {
    let session = Session::builder().build().unwrap();
    let llvm = Llvm::new(&session, Options { level, ..Options::default() });
    (session, llvm)
}

fn reclaim(session: &Session) {
    // SAFETY: nobody runs anything, and only the modules' own data points to what is theirs.
    unsafe {
        session.retire_replaced();
        session.reclaim();
    }
}

/// Does something for ever, as far as can be seen: so many times, and after some of them nothing more
/// is taken.
fn check(session: &Session, rounds: i64, step: impl Fn(i64)) {
    let mut before = None;
    for number in 0..rounds {
        step(number);
        reclaim(session);
        let stats = session.stats();
        let now = [stats.symbols, stats.stubs, stats.code_bytes, stats.data_bytes, stats.modules];
        if number == rounds / 4 {
            before = Some(now);
        }
        // A compile that is just ending may hold what it came from.
        let slack = [16, 8, 512, 1024, 8];
        for ((now, then), slack) in now.into_iter().zip(before.unwrap_or(now)).zip(slack) {
            assert!(now <= then + slack, "{number}: {before:?} {stats:?}");
        }
    }
}

fn replaces(level: Level, rounds: i64) {
    let (session, llvm) = start(level);
    llvm.add("m", version(0)).unwrap();
    let f = llvm.function::<Unary>("f").unwrap();
    check(&session, rounds, |number| {
        llvm.replace_all("m", version(number)).unwrap();
        // SAFETY: the module says what it takes and returns.
        assert_eq!(unsafe { f.call(7) }, expected(number, 7));
    });
}

#[test]
fn a_module_is_replaced_for_ever() {
    [Level::O0, Level::O2].into_iter().for_each(|level| replaces(level, 200));
}

#[test]
#[ignore = "takes long: make stress"]
fn a_module_is_replaced_for_ever_stress() {
    replaces(Level::O0, 20_000);
}

/// A body that calls a private function and reads a private text.
fn build(number: i64, building: &Building<'_>) {
    let builder = building.context().create_builder();
    let i64 = building.context().i64_type();
    let ty = i64.fn_type(&[i64.into()], false);
    let own = building.module().add_function("own", ty, None);
    builder.position_at_end(building.context().append_basic_block(own, ""));
    let text = builder.build_global_string_ptr("1234567", "text").unwrap().as_pointer_value();
    let loaded = builder.build_load(building.context().i8_type(), text, "").unwrap();
    let wide = builder.build_int_z_extend(loaded.into_int_value(), i64, "").unwrap();
    builder.build_return(Some(&wide)).unwrap();
    builder.position_at_end(building.context().append_basic_block(building.function(), ""));
    let called = builder.build_call(own, &[i64.const_int(0, false).into()], "").unwrap();
    let found = called.try_as_basic_value().unwrap_basic().into_int_value();
    let sum = builder.build_int_add(found, i64.const_int(number as u64, true), "").unwrap();
    builder.build_return(Some(&sum)).unwrap();
}

#[test]
fn a_closure_with_private_code_is_redefined_for_ever() {
    for level in [Level::O0, Level::O2] {
        let (session, llvm) = start(level);
        let user = "declare i64 @f(i64)
                    define i64 @user(i64 %x) { %r = call i64 @f(i64 %x)  ret i64 %r }";
        llvm.add("user", user.into()).unwrap();
        check(&session, 100, |number| {
            let body = move |building: &Building<'_>| {
                build(number, building);
                Ok(())
            };
            llvm.redefine_lazy("f", "i64 (i64)", body).unwrap();
            let user = llvm.function::<Unary>("user").unwrap();
            // SAFETY: it takes and returns a number.
            assert_eq!(unsafe { user.call(0) }, number + i64::from(b'1'), "{level:?}");
        });
    }
}

#[test]
fn a_scope_is_used_again_and_again() {
    let (session, llvm) = start(Level::O0);
    let scope = session.add_scope(&[]);
    check(&session, 100, |number| {
        llvm.add_in(scope, "m", version(number)).unwrap();
        let f = session.symbol_in(scope, &Name::from("f"));
        let f = llvm.function_of::<Unary>(f).unwrap();
        // SAFETY: the module says what it takes and returns.
        assert_eq!(unsafe { f.call(7) }, expected(number, 7));
        // SAFETY: nobody runs its code or points to its data.
        unsafe { session.drop_scope(scope) };
    });
}

#[test]
fn what_cannot_be_defined_leaves_nothing() {
    let (session, llvm) = start(Level::O0);
    llvm.add("m", version(0)).unwrap();
    check(&session, 100, |number| {
        let twice = llvm.add("again", version(number)).unwrap_err();
        assert!(twice.to_string().contains("defined twice"), "{twice}");
        let twice = llvm.define_lazy("f", "i64 (i64)", |_| Ok(())).unwrap_err();
        assert!(twice.to_string().contains("defined twice"), "{twice}");
        let other = llvm.replace("m", b"define void @f() { ret void }".to_vec()).unwrap_err();
        assert!(other.to_string().contains("in its place"), "{other}");
    });
}
