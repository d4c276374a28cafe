//! What graphs say of inlined bodies, and what bodies hash to.

#![expect(unsafe_code, reason = "runs what was compiled")]

use std::collections::BTreeMap;
use std::sync::Arc;

use vmkit::graph::{Binding, Dependency, LinkGraph};
use vmkit::{Session, Source};

use crate::module::Module;
use crate::{Level, Llvm, Options};

/// A backend with modules given as IR text, named `m0`, `m1`, ….
fn backend(modules: &[&str]) -> Llvm {
    let session = Session::builder().build().unwrap();
    let llvm = Llvm::new(&session, Options { level: Level::O2, ..Options::default() });
    for (number, text) in modules.iter().enumerate() {
        llvm.add(&format!("m{number}"), text.as_bytes().to_vec()).unwrap();
    }
    llvm
}

/// The module and key of a function that all modules see.
fn definition(llvm: &Llvm, name: &str) -> (Arc<Module>, u64) {
    let id = llvm.session.find(name).unwrap();
    let (scope, key) = llvm.session.body(id).unwrap();
    let modules = llvm.modules.kept(&llvm.session);
    let found = modules.iter().find(|kept| kept.module.scope() == scope);
    (found.unwrap().module.clone(), key)
}

fn compile(llvm: &Llvm, name: &str) -> LinkGraph {
    let (module, key) = definition(llvm, name);
    module.materialize(key).unwrap()
}

/// What takes and gives a number, compiled at its first call.
fn function(llvm: &Llvm, name: &str) -> extern "C" fn(i32) -> i32 {
    let address = llvm.session.address(llvm.session.find(name).unwrap()).unwrap();
    // SAFETY: no test frees it, and all that are called so are of this type.
    unsafe { std::mem::transmute(address.0 as *const ()) }
}

fn hash(llvm: &Llvm, name: &str) -> u64 {
    let (module, key) = definition(llvm, name);
    module.body_hash(key).unwrap()
}

/// The names of the functions inlined in a graph's code, with their hashes.
fn inlined(graph: &LinkGraph) -> BTreeMap<String, u64> {
    let bodies = graph.dependencies.iter().map(|dependency| match *dependency {
        Dependency::Body { symbol, hash } => (graph.symbols[symbol].name.to_string(), hash),
        Dependency::Assumption(_) => panic!("nothing was assumed"),
    });
    bodies.collect()
}

const CALLER: &str = "
    declare i32 @middle(i32)
    define i32 @top(i32 %x) { %y = call i32 @middle(i32 %x) ret i32 %y }";
const MIDDLE: &str = "
    declare i32 @leaf(i32)
    define i32 @middle(i32 %x) { %y = call i32 @leaf(i32 %x) %z = add i32 %y, 1 ret i32 %z }";
const LEAF: &str = "define i32 @leaf(i32 %x) { %y = mul i32 %x, 3 ret i32 %y }";

#[test]
fn every_body_is_recorded_with_its_hash() {
    let llvm = backend(&[CALLER, MIDDLE, LEAF]);
    let expected = ["leaf", "middle"].map(|name| (name.to_owned(), hash(&llvm, name)));
    assert_eq!(inlined(&compile(&llvm, "top")), BTreeMap::from(expected.clone()));
    assert_eq!(inlined(&compile(&llvm, "middle")), BTreeMap::from([expected[0].clone()]));
    assert_eq!(inlined(&compile(&llvm, "leaf")), BTreeMap::new());
    assert_eq!(llvm.functions_inlined(), 3);
    // What was readied for inlining is not what is hashed.
    assert_eq!(hash(&llvm, "middle"), expected[1].1);
}

#[test]
fn only_what_became_part_of_the_code_is_recorded() {
    let refusing = MIDDLE.replace("(i32 %x) {", "(i32 %x) noinline {");
    let llvm = backend(&[CALLER, &refusing, LEAF]);
    assert_eq!(inlined(&compile(&llvm, "top")), BTreeMap::new());
    assert!(inlined(&compile(&llvm, "middle")).contains_key("leaf"));
}

/// A function of so many instructions that do not get fewer, and then what `last` says.
fn long(name: &str, instructions: usize, last: &str) -> String {
    let steps = (1..instructions).map(|n| {
        let operation = if n % 2 == 0 { "mul" } else { "xor" };
        format!("%x{n} = {operation} i32 %x{}, %y\n", n - 1)
    });
    let steps: String = steps.collect();
    let end = instructions - 1;
    format!("define i32 @{name}(i32 %x0, i32 %y) {{ {steps} {last} }}")
        .replace("%end", &format!("%x{end}"))
}

#[test]
fn a_slow_path_does_not_keep_its_function_from_being_inlined() {
    let slow = long("slow", 40, "ret i32 %end");
    let call = "%is = icmp eq i32 %end, 0  br i1 %is, label %no, label %yes
        no: %z = call i32 @slow(i32 %end, i32 %y) ret i32 %z
        yes: ret i32 %end";
    let quick = long("quick", 25, call) + "declare i32 @slow(i32, i32)";
    let top = "declare i32 @quick(i32, i32)
        define i32 @top(i32 %x, i32 %y) { %z = call i32 @quick(i32 %x, i32 %y) ret i32 %z }";
    let llvm = backend(&[top, &quick, &slow]);
    let names = |name| inlined(&compile(&llvm, name)).into_keys().collect::<Vec<_>>();
    assert_eq!(names("top"), ["quick", "slow"]);
    assert_eq!(names("quick"), ["slow"]);
}

#[test]
fn a_body_is_as_small_as_it_becomes_alone() {
    // All it works out in its loop is for nothing, which only a pass over loops can tell.
    let steps: String = (1..60).map(|n| format!("%x{n} = mul i32 %x{}, %n\n", n - 1)).collect();
    let idle = format!(
        "define i32 @idle(i32 %y) {{
         %place = alloca i32 store i32 %y, ptr %place br label %again
         again: %n = phi i32 [ 0, %0 ], [ %next, %again ] %x0 = phi i32 [ %y, %0 ], [ %x59, %again ]
         {steps} %next = add i32 %n, 1 %is = icmp ult i32 %next, 100
         br i1 %is, label %again, label %end
         end: %z = load i32, ptr %place ret i32 %z }}"
    );
    let top = "declare i32 @idle(i32)
        define i32 @top(i32 %x) { %z = call i32 @idle(i32 %x) ret i32 %z }";
    let llvm = backend(&[top, &idle]);
    assert!(inlined(&compile(&llvm, "top")).contains_key("idle"));
}

/// A function that calls `@callee` with a constant that is kept in memory, by one of two labels, which a
/// table names that others see.
const LABELS: &str = "
    declare i32 @callee(i32, i32)
    @labels = hidden constant [2 x ptr] [ptr blockaddress(@top, %a), ptr blockaddress(@top, %b)]
    define i32 @top(i32 %x) {
      %place = alloca i32 store i32 0, ptr %place
      %at = getelementptr [2 x ptr], ptr @labels, i32 0, i32 %x
      %label = load ptr, ptr %at
      indirectbr ptr %label, [label %a, label %b]
      a: ret i32 7
      b: %zero = load i32, ptr %place
      %y = call i32 @callee(i32 %zero, i32 %x)
      ret i32 %y }";

#[test]
fn callers_with_labels_in_data_are_cleaned_before_anything_is_inlined() {
    let quick = "{ %no = icmp eq i32 %x0, 0 br i1 %no, label %quick, label %slow
        quick: ret i32 %y
        slow: ";
    let callee = long("callee", 70, "ret i32 %end").replacen("{ ", quick, 1);
    let llvm = backend(&[LABELS, &callee]);
    assert_eq!(function(&llvm, "top")(1), 1);
    assert_eq!(llvm.functions_inlined(), 1);
}

#[test]
fn what_a_weak_function_returns_is_not_known_to_those_that_are_compiled_with_it() {
    // Those of one section lie side by side.
    let both = "
        define weak i32 @one(i32 %x) noinline section \"both\" {
          %place = alloca i32 store i32 7, ptr %place %y = load i32, ptr %place ret i32 %y }
        define i32 @top(i32 %x) section \"both\" {
          %place = alloca i32 %y = call i32 @one(i32 %x) store i32 %y, ptr %place
          %z = load i32, ptr %place ret i32 %z }";
    let llvm = backend(&[both, "define i32 @one(i32 %x) noinline { ret i32 8 }"]);
    assert_eq!(function(&llvm, "top")(1), 8);
}

#[test]
fn a_copy_of_what_a_library_has_is_inlined_unless_a_module_defines_it() {
    let copy = "
        define available_externally i32 @middle(i32 %x) { %y = add i32 %x, 9 ret i32 %y }
        define i32 @top(i32 %x) { %y = call i32 @middle(i32 %x) ret i32 %y }";
    let llvm = backend(&[copy]);
    assert_eq!(inlined(&compile(&llvm, "top")).into_keys().collect::<Vec<_>>(), ["middle"]);
    let llvm = backend(&[copy, MIDDLE]);
    let middle = ("middle".to_owned(), hash(&llvm, "middle"));
    assert_eq!(inlined(&compile(&llvm, "top")), BTreeMap::from([middle]));
}

#[test]
fn another_body_reaches_the_code_that_inlined_the_old_one() {
    let llvm = backend(&[CALLER, MIDDLE, LEAF]);
    let call = function(&llvm, "top");
    assert_eq!(call(5), 16);
    // Under other names at first, for names have one definition.
    for (number, factor, expected, invalidated) in [(0, 3, 16, 0), (1, 4, 21, 1)] {
        let text = LEAF.replace(", 3", &format!(", {factor}"));
        let name = format!("leaf{number}");
        llvm.add(&name, text.replace("@leaf", &format!("@{name}")).into_bytes()).unwrap();
        let (scope, key) = llvm.session.body(llvm.session.find(&name).unwrap()).unwrap();
        llvm.session.redefine(llvm.session.find("leaf").unwrap(), scope, key).unwrap();
        assert_eq!(call(5), expected);
        // Of `middle` no code was ever needed.
        assert_eq!(llvm.session.stats().functions_invalidated, invalidated, "{name}");
    }
}

#[test]
fn nothing_is_inlined_when_not_asked_for() {
    for options in [
        Options { level: Level::O2, inlining: false, ..Options::default() },
        Options { level: Level::O0, ..Options::default() },
    ] {
        let llvm = Llvm::new(&Session::builder().build().unwrap(), options);
        llvm.add("m0", CALLER.into()).unwrap();
        llvm.add("m1", MIDDLE.into()).unwrap();
        assert_eq!(inlined(&compile(&llvm, "top")), BTreeMap::new(), "{options:?}");
    }
}

#[test]
fn private_names_stay_those_of_their_modules() {
    let module = |function: &str| {
        format!(
            "@own = internal global i32 1
             define internal i32 @help(i32 %x) noinline {{ ret i32 %x }}
             define i32 @{function}() {{
               %v = load i32, ptr @own
               %n = add i32 %v, 1
               store i32 %n, ptr @own
               %y = call i32 @help(i32 %v)
               ret i32 %y }}"
        )
    };
    let both = "declare i32 @one() declare i32 @two()
        define i32 @both() { %a = call i32 @one() %b = call i32 @two() %c = sub i32 %a, %b ret i32 %c }";
    let llvm = backend(&[both, &module("one"), &module("two")]);
    let graph = compile(&llvm, "both");
    assert_eq!(inlined(&graph).len(), 2);
    for name in ["own", "help"] {
        let symbols = graph.symbols.iter().filter(|symbol| symbol.name.bytes() == name.as_bytes());
        let scopes: Vec<_> = symbols
            .map(|symbol| match symbol.binding {
                Binding::Imported(scope, _) => scope,
                binding => panic!("{name}: {binding:?}"),
            })
            .collect();
        let expected = ["one", "two"].map(|name| definition(&llvm, name).0.scope());
        assert_eq!(scopes, expected, "{name}");
    }
}

/// Do bodies in two modules hash to the same?
#[track_caller]
fn check_hashes(first: &str, second: &str, are_equal: bool) {
    // The second one has other keys, and a worker gives its types other names.
    let second =
        format!("%Other = type {{ i8 }} declare %Other @other() {}", second.replace("@f(", "@g("));
    let llvm = backend(&[first, &second]);
    assert_eq!(hash(&llvm, "f") == hash(&llvm, "g"), are_equal);
}

#[test]
fn equal_bodies_hash_to_the_same() {
    for body in [
        "define i32 @f(i32 %x) { %y = add nsw i32 %x, 1 ret i32 %y }",
        "define i32 @f(i32 %named) { %given = call i32 @f(i32 %named) ret i32 %given }",
        "%T = type { i32, ptr } declare void @use(ptr)
         define void @f(i64 %i) { %p = alloca %T %q = getelementptr %T, ptr %p, i64 %i
           call void @use(ptr %q) ret void }",
        "@text = private unnamed_addr constant [3 x i8] c\"ab\\00\" declare i32 @puts(ptr)
         define i32 @f() { %r = call i32 @puts(ptr @text) ret i32 %r }",
        "define i32 @f(ptr %p) { %v = load i32, ptr %p, !range !0 ret i32 %v } !0 = !{i32 0, i32 9}",
        "define void @f(i1 %c) { br label %loop loop: br i1 %c, label %loop, label %end, !llvm.loop !0
         end: ret void } !0 = distinct !{!0, !1} !1 = !{!\"llvm.loop.mustprogress\"}",
    ] {
        check_hashes(body, body, true);
    }
}

#[test]
fn bodies_that_differ_hash_differently() {
    let base = "declare i32 @h(i32) define i32 @f(i32 %x, ptr %p) { %y = add i32 %x, 1
        store i32 %y, ptr %p, align 4 %c = icmp slt i32 %y, 9 %z = call i32 @h(i32 %y)
        %v = load i32, ptr %p, align 4 ret i32 %z }";
    for (from, to) in [
        ("add i32 %x, 1", "add i32 %x, 2"),
        ("add i32 %x, 1", "add nsw i32 %x, 1"),
        ("add i32 %x, 1", "sub i32 %x, 1"),
        ("store i32 %y, ptr %p, align 4", "store volatile i32 %y, ptr %p, align 4"),
        ("store i32 %y, ptr %p, align 4", "store i32 %y, ptr %p, align 1"),
        ("icmp slt", "icmp sgt"),
        ("call i32 @h(i32 %y)", "tail call i32 @h(i32 %y)"),
        ("call i32 @h(i32 %y)", "call i32 @h(i32 %y) nounwind"),
        ("call i32 @h(i32 %y)", "call i32 @h(i32 %x)"),
        ("@h(", "@k("),
        (
            "%v = load i32, ptr %p, align 4",
            "%v = load i32, ptr %p, align 4, !range !{i32 0, i32 9}",
        ),
        ("ptr %p) {", "ptr noalias %p) {"),
        ("ptr %p) {", "ptr %p) alwaysinline {"),
        ("ret i32 %z", "ret i32 %v"),
    ] {
        let changed = base.replace(from, to);
        assert_ne!(changed, base, "{from} is not there");
        check_hashes(base, &changed, false);
    }
}

#[test]
fn what_only_the_module_has_is_not_another_modules() {
    let variable = "@count = internal global i32 0
        define i32 @f() { %v = load i32, ptr @count ret i32 %v }";
    check_hashes(variable, variable, false);
    let text = "@text = private unnamed_addr constant [3 x i8] c\"ab\\00\"
        define ptr @f() { ret ptr @text }";
    check_hashes(text, &text.replace("ab", "cd"), false);
}

#[test]
fn every_worker_hashes_to_the_same() {
    // The first worker meets types of these names in another order than others.
    let llvm = backend(&[
        "%T = type { i64 } declare %T @h()",
        "%T = type { i8 }
        define void @f(ptr %p) { %v = load %T, ptr %p store %T %v, ptr %p ret void }",
    ]);
    let expected = hash(&llvm, "f");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(hash(&llvm, "f"), expected));
        }
    });
}
