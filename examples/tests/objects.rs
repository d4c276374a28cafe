//! The example `objects` runs its programs with each compiler. They say in their first lines what is to happen:
//!
//! ```text
//! prints: 1 2 3           the numbers that it prints
//! heap: 300000            bytes of the heap
//! ends: uncaught Error    with what exception, if with one
//! loads: A, B             the classes that are loaded, in this order
//! collections: 50         at least so many
//! outdated: fn f          functions that were compiled under an assumption that did not hold for ever
//! ```

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

#[expect(dead_code, reason = "the example's own `main`")]
#[path = "../objects/main.rs"]
mod objects;

use objects::code::BACKENDS;
use objects::vm::{Outcome, Setting, Vm};

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn program(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("objects/programs");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn start(text: &str, setting: Setting) -> (Arc<Vm>, Output) {
    let output = Output::default();
    let program = objects::read(text).unwrap();
    (Vm::new(program, setting, Box::new(output.clone())).unwrap(), output)
}

fn check(name: &str) {
    let text = program(name);
    let header = |key: &str| {
        let mut lines = text.lines().map_while(|line| line.strip_prefix("//"));
        lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "))
    };
    let heap = header("heap").map_or(1 << 20, |bytes| bytes.parse().unwrap());
    let both = |&(backend, make)| [false, true].map(|optimizes| (backend, make, optimizes));
    for (backend, make, optimizes) in BACKENDS.iter().flat_map(both) {
        let name = format!("{name}, {backend}, optimized: {optimizes}");
        let (vm, output) = start(&text, Setting { backend: make, optimizes, heap });
        let outcome = vm.run().unwrap();
        let printed = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        let printed: Vec<_> = printed.lines().collect();
        assert_eq!(printed.join(" "), header("prints").unwrap(), "{name}");
        let expected = header("ends").and_then(|end| end.strip_prefix("uncaught "));
        let expected =
            expected.map_or(Outcome::Returned(0), |class| Outcome::Uncaught(class.into()));
        assert_eq!(outcome, expected, "{name}");
        if let Some(classes) = header("loads") {
            assert_eq!(vm.loaded().join(", "), classes, "{name}");
        }
        let least = header("collections").map_or(0, |number| number.parse().unwrap());
        assert!(vm.heap.counts().collections >= least, "{name}: {}", vm.heap.counts().collections);
        for function in header("outdated").into_iter().flat_map(|names| names.split(", ")) {
            let why = vm.session.why(vm.session.symbol(function));
            assert!(!why.outdated_by.is_empty(), "{name}: {function}");
        }
        assert!(vm.map.take_errors().is_empty(), "{name}");
    }
}

#[test]
fn basics() {
    check("basics.obj");
}

#[test]
fn interfaces() {
    check("interfaces.obj");
}

#[test]
fn exceptions() {
    check("throws.obj");
}

#[test]
fn methods_are_overridden_later() {
    check("override.obj");
}

#[test]
fn methods_are_overridden_while_they_are_called() {
    check("surprise.obj");
}

#[test]
fn threads_collect_stress() {
    check("collect.obj");
}

#[test]
fn allocation_is_part_of_the_functions_that_allocate() {
    for &(name, backend) in BACKENDS {
        let setting = Setting { backend, optimizes: true, heap: 300_000 };
        let (vm, _) = start(&program("collect.obj"), setting);
        vm.run().unwrap();
        let [tree, create, allocate] =
            ["fn tree", "new Node", "vm_allocate"].map(|name| vm.session.symbol(name));
        let why = vm.session.why(tree);
        assert!([create, allocate].iter().all(|id| why.relies_on.contains(id)), "{name}: {why:?}");
        // It was compiled first when there was no object of the class yet.
        assert_eq!(why.outdated_by, [vm.session.assumption("Node is not loaded")], "{name}");
        assert!(vm.heap.counts().functions_freed > 0, "{name}: the old code of `tree`");
    }
}

#[test]
fn wrong_programs_are_refused() {
    let refuse = |text: &str, expected: &str| {
        assert_eq!(objects::read(text).err().as_deref(), Some(expected));
    };
    refuse("fn main() { print 1 }", "line 1: ; expected, not }");
    refuse("fn main() { this = null; }", "line 1: only variables and fields can be assigned to");
    refuse("interface I { var x: int; }", "line 1: fn expected, not var");
    refuse("class A { } interface A { }", "A is declared already");
    refuse("class int { }", "int is declared already");
    refuse("fn f() { } fn f() { }", "f is declared already");
    refuse("class A : B { }", "there is no class B");
    refuse("class A { } class B { } class C : A, B { }", "C extends both A and B");
    refuse("interface I { fn f(); } class A : I { }", "A has no f as I wants");
    refuse(
        "class A { fn f(): int { return 1; } } class B : A { fn f(n: int): int { return n; } }",
        "B.f is not as A.f",
    );
}

#[test]
fn the_command_line_names_a_compiler_that_there_is() {
    let read = |line: &str| objects::read_arguments(line.split(' ').map(String::from));
    for (name, _) in BACKENDS {
        let (file, setting, stats) = read(&format!("--backend {name} -O0 --stats a.obj")).unwrap();
        assert_eq!((&*file, setting.optimizes, stats), ("a.obj", false, true));
    }
    assert!(read("a.obj --heap=4096").is_some_and(|(_, setting, _)| setting.heap == 4096));
    for wrong in ["--backend gcc a.obj", "a.obj --backend", "--heap=much a.obj", "-O0"] {
        assert!(read(wrong).is_none(), "{wrong}");
    }
}
