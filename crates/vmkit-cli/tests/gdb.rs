//! `vmkit run --gdb` under gdb: breakpoints in code that is not there yet, frames, lines,
//! variables.

#[path = "support/process.rs"]
mod process;
#[path = "support/source.rs"]
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

use source::{compile, folder, succeed, vmkit};

/// Runs `vmkit run --gdb` with `arguments` under gdb, and gives what gdb prints for `commands`.
/// Each begins with a line `== command`.
fn gdb(folder: &Path, arguments: &[&str], commands: &[&str]) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set width 0"]);
    gdb.args(["-ex", "set breakpoint pending on"]);
    for command in commands {
        gdb.arg("-ex").arg(format!("echo == {command}\\n")).arg("-ex").arg(command);
    }
    gdb.arg("--args").arg(vmkit(folder, &[]).get_program()).args(["run", "--gdb"]);
    gdb.args(arguments).current_dir(folder);
    succeed(gdb)
}

/// What gdb printed for the first `command`.
fn answer<'a>(text: &'a str, command: &str) -> &'a str {
    let start = format!("== {command}\n");
    let from = text.find(&start).unwrap_or_else(|| panic!("no {command} in {text}")) + start.len();
    let end = text[from..].find("== ").map_or(text.len(), |length| from + length);
    &text[from..end]
}

/// Checks that gdb's answers contain what is expected, in order.
fn check(text: &str, expected: &[(&str, &[&str])]) {
    for (command, parts) in expected {
        let mut rest = answer(text, command);
        for part in *parts {
            let at = rest.find(part);
            let at = at.unwrap_or_else(|| panic!("{command} gives no {part} in order:\n{text}"));
            rest = &rest[at + part.len()..];
        }
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gdb")
}

/// Breakpoints by name, set before anything is compiled, and by line; the module is compiled with
/// `flags`, and run at `level`. Optimized code need not have every variable.
fn stops(flags: &[&str], product: &str, level: &str, has_all: bool) {
    let folder = folder("gdb");
    compile(&sources().join("lazy.c"), flags, &folder, product);
    let text = gdb(
        &folder,
        &[level, product],
        &[
            "break lazy_inner",
            "run",
            "break lazy.c:14",
            "backtrace",
            "info args",
            "print *at",
            "print calls",
            "continue",
            "print product",
            "finish",
            "up",
            "info locals",
            "delete",
            "break in_thread",
            "continue ",
            "backtrace ",
            "kill",
        ],
    );
    let main = if has_all { "main () at " } else { "main" };
    check(
        &text,
        &[
            ("break lazy_inner", &["Breakpoint 1 (lazy_inner) pending"]),
            ("break lazy.c:14", &["Breakpoint 2 at 0x", "line 14"]),
            ("run", &["Breakpoint 1, lazy_inner (at=0x", "factor=10) at ", "lazy.c:"]),
            (
                "backtrace",
                &["#0  lazy_inner (at=0x", "#1  ", " in lazy_outer (value=", "lazy.c:20", main],
            ),
            ("info args", &["at = 0x", "factor = 10"]),
            ("print *at", &["{x = 1, y = 2}"]),
            ("print calls", &["= 0"]),
            ("continue", &["Breakpoint 2, lazy_inner (at=", "lazy.c:14", "14\t"]),
            ("finish", &["lazy_outer (value=", "lazy.c:2", "Value returned is $", " = 12"]),
            ("up", &["main", "lazy.c:32"]),
            ("continue ", &["hit Breakpoint 3, in_thread (argument=0x", "lazy.c:25"]),
            ("backtrace ", &["#0  in_thread", "start_thread"]),
        ],
    );
    if has_all {
        check(&text, &[("print product", &["= 10"]), ("info locals", &["sum = 0", "seen = 0"])]);
    }
}

#[test]
fn plain_bitcode() {
    stops(&["-O0", "-g", "-emit-llvm"], "lazy.bc", "-O0", true);
}

#[test]
fn plain_bitcode_optimized_here() {
    stops(&["-O0", "-g", "-emit-llvm"], "lazy.bc", "-O2", false);
}

#[test]
fn optimized_bitcode() {
    stops(&["-O2", "-g", "-emit-llvm"], "lazy.bc", "-O0", false);
}

#[test]
fn optimized_bitcode_optimized_again() {
    stops(&["-O2", "-g", "-emit-llvm"], "lazy.bc", "-O2", false);
}

#[test]
fn frames_of_what_was_inlined_from_another_module() {
    let folder = folder("gdb");
    for name in ["inlined", "inlined_other"] {
        let flags = ["-O1", "-g", "-emit-llvm"];
        compile(&sources().join(format!("{name}.c")), &flags, &folder, &format!("{name}.bc"));
    }
    let modules = ["-O2", "inlined.bc", "inlined_other.bc"];
    let text =
        gdb(&folder, &modules, &["break leaf", "run", "backtrace", "print seen", "continue"]);
    check(
        &text,
        &[
            (
                "backtrace",
                &[
                    "leaf (value=20) at ",
                    "inlined_other.c:",
                    "middle (value=20) at ",
                    "inlined_other.c:10",
                    // Without an address of its own: both are of one frame.
                    "#2  main () at ",
                    "inlined.c:7",
                ],
            ),
            ("print seen", &["= 0"]),
            ("continue", &["42"]),
        ],
    );
}

#[test]
fn an_object() {
    stops(&["-O0", "-g", "-fPIC"], "lazy.o", "-O0", true);
}

#[test]
fn without_debug_information_there_are_names() {
    let folder = folder("gdb_names");
    let source = sources().join("lazy.c");
    compile(&source, &["-O0", "-emit-llvm"], &folder, "lazy.bc");
    // Compressed debug sections of objects are not read.
    compile(&source, &["-O0", "-g", "-gz", "-fPIC"], &folder, "lazy.o");
    for module in ["lazy.bc", "lazy.o"] {
        let text = gdb(&folder, &[module], &["break lazy_inner", "run", "backtrace", "kill"]);
        let names: &[&str] = &["in lazy_inner ()", "in lazy_outer ()", "in main ()"];
        check(&text, &[("run", &["Breakpoint 1"]), ("backtrace", names)]);
        assert!(!text.contains("Dwarf Error"), "{text}");
    }
}

#[test]
fn cpp_names() {
    let folder = folder("gdb_cpp");
    let flags = ["-O0", "-g", "-emit-llvm"];
    compile(&sources().join("shapes.cpp"), &flags, &folder, "shapes.bc");
    let text = gdb(
        &folder,
        &["shapes.bc"],
        &[
            // Conditions are read in the language of vmkit's own `main` otherwise.
            "set language c++",
            "break shapes::Square::area if side > 3",
            "break shapes::twice<int>",
            "run",
            "print this->side",
            "backtrace",
            "continue",
            "print value",
            "continue ",
        ],
    );
    check(
        &text,
        &[
            ("run", &["Breakpoint 1, shapes::Square::area (this=0x", "shapes.cpp:9"]),
            ("print this->side", &["= 4"]),
            ("backtrace", &["#0  shapes::Square::area", "in main () at ", "shapes.cpp:19"]),
            ("continue", &["Breakpoint 2, shapes::twice<int> (value=21) at "]),
            ("print value", &["= 21"]),
            ("continue ", &["16 42", "exited normally"]),
        ],
    );
}

#[test]
fn what_was_compiled_before() {
    let folder = folder("gdb_before");
    compile(&sources().join("lazy.c"), &["-O0", "-g", "-emit-llvm"], &folder, "lazy.bc");
    let text = gdb(
        &folder,
        &["lazy.bc"],
        &[
            "break in_thread",
            "run",
            "break lazy_inner",
            "break lazy_outer",
            "print lazy_outer(5)",
            "continue",
            "backtrace",
            "kill",
        ],
    );
    check(
        &text,
        &[
            ("break lazy_inner", &["Breakpoint 2 at 0x", "line 12"]),
            ("break lazy_outer", &["Breakpoint 3 at 0x", "line 19"]),
            ("print lazy_outer(5)", &["Breakpoint 3, lazy_outer (value=5) at "]),
            ("continue", &["Breakpoint 2, lazy_inner (at=0x"]),
            ("backtrace", &["lazy_outer (value=5)", "<function called from gdb>", "in_thread"]),
        ],
    );
}
