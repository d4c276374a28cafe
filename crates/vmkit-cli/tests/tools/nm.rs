//! `vmkit nm` against what `nm` says of the same modules compiled and linked by `ld -r`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

use super::source::{compile, folder, outcome, succeed, vmkit};
use super::{process::End, sources};

/// Programs of `tests/run` in which linkage matters.
const PROGRAMS: &[&str] = &[
    "alias",
    "alias_ir",
    "comdat",
    "common",
    "constructors",
    "cpp_rtti",
    "cpu_dispatch.c",
    "ifunc",
    "initializers",
    "linkonce",
    "linkonce_ir",
    "mixed_languages",
    "module_asm",
    "musttail_forward.ll",
    "sections",
    "static_names",
    "symbol_versions.c",
    "tls",
    "visibility",
    "weak",
    "weak_undefined",
];

#[test]
fn as_nm_prints_it() {
    for program in PROGRAMS {
        let folder = folder("nm");
        let (mut modules, mut objects) = (Vec::new(), Vec::new());
        for (number, source) in sources_of(program).iter().enumerate() {
            let include = format!("-I{}", programs().display());
            let flags = ["-O1", "-fcommon", "-emit-llvm", &include];
            let module = compile(source, &flags, &folder, &format!("{number}.bc"));
            let flags = ["-O1", "-fPIC", "-Xclang", "-disable-llvm-passes"];
            objects.push(compile(&module, &flags, &folder, &format!("{number}.o")));
            modules.push(module);
        }
        let found = nm(&folder, &modules);
        let mut expected = linked(&folder, &objects);
        expected.retain(|line| !is_of_code_generator(line) || found.contains(line));
        assert_eq!(found, expected, "{program}");
        // The same again from objects, of which nothing is left out.
        assert_eq!(nm(&folder, &objects), linked(&folder, &objects), "{program}, objects");
    }
}

/// Where the programs are.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run")
}

fn sources_of(program: &str) -> Vec<PathBuf> {
    let path = programs().join(program);
    if path.is_file() {
        return vec![path];
    }
    let mut sources: Vec<_> =
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    let extensions = ["c", "cpp", "ll"].map(Some);
    sources.retain(|path| extensions.contains(&path.extension().and_then(|e| e.to_str())));
    sources.sort();
    sources
}

/// Names that are no part of the bitcode: what code generation calls or adds.
fn is_of_code_generator(line: &str) -> bool {
    let name = &line[2..];
    let called = ["_Unwind_Resume", "__tls_get_addr", "memcpy", "memmove", "memset"];
    let added = ["DW.ref.", "GCC_except_table"];
    (line.starts_with('U') && called.contains(&name))
        || added.iter().any(|prefix| name.starts_with(prefix))
}

/// Letters and names, as `vmkit nm` prints them.
fn nm(folder: &Path, modules: &[PathBuf]) -> Vec<String> {
    let mut command = vmkit(folder, &["nm"]);
    command.args(modules);
    letters(&succeed(command))
}

/// Letters and names, as `nm` prints them of all `objects` linked to one.
fn linked(folder: &Path, objects: &[PathBuf]) -> Vec<String> {
    let all = folder.join("all.o");
    let mut command = Command::new("ld");
    command.arg("-r").arg("-o").arg(&all).args(objects);
    succeed(command);
    let mut command = Command::new("nm");
    command.arg(all);
    let mut lines = letters(&succeed(command));
    // The assembler's own, which only `ld -r` keeps.
    lines.retain(|line| !line[2..].starts_with(".L"));
    lines
}

/// Each line without its address.
fn letters(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(|line| line[17..].to_owned()).collect();
    lines.sort();
    lines
}

/// The modules of `super::program` in the forms given, as `(source, product, is bitcode)`.
fn compiled(folder: &Path, forms: &[(&str, &str, bool)]) {
    for &(source, product, is_bitcode) in forms {
        let form: &[&str] = if is_bitcode { &["-emit-llvm"] } else { &["-fPIC"] };
        let flags: Vec<_> = iter::once("-O0").chain(form.iter().copied()).collect();
        compile(&sources().join(source), &flags, folder, product);
    }
}

const SECOND: &str = "\
---------------- T second_add
---------------- D second_data
---------------- D table
---------------- t twin
---------------- T weakly_defined
";

#[test]
fn the_form_of_a_module_makes_no_difference() {
    let folder = folder("nm_forms");
    compiled(&folder, &[("second.c", "second.bc", true), ("second.c", "second.o", false)]);
    compile(&sources().join("second.c"), &["-O0", "-S", "-emit-llvm"], &folder, "second.ll");
    for module in ["second.bc", "second.ll", "second.o"] {
        assert_eq!(succeed(vmkit(&folder, &["nm", module])), SECOND, "{module}");
    }
}

#[test]
fn of_archives_what_is_needed_counts() {
    let folder = folder("nm_archives");
    compiled(
        &folder,
        &[
            ("first.c", "first.bc", true),
            ("second.c", "second.o", false),
            ("labels.c", "l.bc", true),
        ],
    );
    let mut command = Command::new("llvm-ar-22");
    command.args(["rcs", "all.a", "second.o", "l.bc"]).current_dir(&folder);
    succeed(command);
    // Beside a module, as a linker would.
    let beside = letters(&succeed(vmkit(&folder, &["nm", "first.bc", "all.a"])));
    let has = |line: &str| beside.iter().any(|found| found == line);
    assert!(has("T second_add") && has("T weakly_defined"), "{beside:?}");
    assert_eq!(beside.iter().filter(|line| *line == "t twin").count(), 2, "{beside:?}");
    assert!(has("T main") && !has("t run"), "{beside:?}");
    assert!(has("U nobody_defines_this") && !has("U second_add"), "{beside:?}");
    // Alone, all of it.
    let alone = letters(&succeed(vmkit(&folder, &["nm", "all.a"])));
    for line in ["T main", "t run", "T second_add"] {
        assert!(alone.iter().any(|found| found == line), "{line}: {alone:?}");
    }
}

#[test]
fn two_strong_definitions_are_an_error() {
    let folder = folder("nm_twice");
    compiled(&folder, &[("second.c", "a.bc", true), ("second.c", "b.o", false)]);
    let outcome = outcome(vmkit(&folder, &["nm", "a.bc", "b.o"]));
    let stderr = String::from_utf8(outcome.stderr).unwrap();
    assert_eq!(outcome.end, End::Exit(2), "{stderr}");
    assert!(outcome.stdout.is_empty());
    assert!(stderr.contains("a.bc") && stderr.contains("b.o"), "{stderr}");
}
