//! Inputs that are made, not written.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, process};

/// Functions that one group calls; `main` calls the groups.
const GROUP: usize = 100;

/// A module of `count` functions of two instructions, all called once, or none when not `called`.
pub(super) fn tiny(folder: &Path, count: usize, called: bool) -> Result<PathBuf> {
    let name = if called { "tiny" } else { "uncalled" };
    let mut text = String::from("define i32 @main() {\n");
    let groups = count.div_ceil(GROUP);
    if called {
        for group in 0..groups {
            let _ = writeln!(text, "  call void @group{group}()");
        }
    }
    text += "  ret i32 0\n}\n";
    for group in 0..groups {
        let _ = writeln!(text, "define void @group{group}() {{");
        for f in group * GROUP..count.min((group + 1) * GROUP) {
            let _ = writeln!(text, "  call i32 @tiny{f}(i32 {f})");
        }
        text += "  ret void\n}\n";
    }
    for f in 0..count {
        let _ = writeln!(text, "define i32 @tiny{f}(i32 %x) {{\n  %y = add i32 %x, {f}");
        text += "  ret i32 %y\n}\n";
    }
    let source = folder.join(format!("{name}{count}.ll"));
    fs::write(&source, text)?;
    let module = source.with_extension("bc");
    process::output(Command::new("llvm-as-22").arg(&source).arg("-o").arg(&module))?;
    Ok(module)
}

/// tests/bench/first_calls.c with `count` functions.
pub(super) fn first_calls(folder: &Path, count: usize) -> Result<PathBuf> {
    let list: Vec<String> = (0..count).map(|n| format!("FUNCTION({n})\n")).collect();
    let header = folder.join(format!("functions{count}.h"));
    fs::write(&header, list.concat())?;
    let source = place::root().join("tests/bench/first_calls.c");
    bitcode(&source, folder, &[format!("-DFUNCTIONS=\"{}\"", header.display())])
}

/// tests/bench/lazy_load.c, which links the same LLVM as vmkit does.
pub(super) fn lazy_load(folder: &Path) -> Result<PathBuf> {
    let llvm = env::var_os("LLVM_SYS_221_PREFIX").context("LLVM_SYS_221_PREFIX is not set")?;
    let (program, library) = (folder.join("lazy_load"), Path::new(&llvm).join("lib"));
    let mut clang = Command::new("clang-22");
    clang.arg("-O1").arg(place::root().join("tests/bench/lazy_load.c")).arg("-I");
    clang.arg(Path::new(&llvm).join("include")).arg("-L").arg(&library).arg("-lLLVM-22");
    clang.arg("-rpath").arg(&library).arg("-o").arg(&program);
    process::output(&mut clang)?;
    Ok(program)
}

/// Compiles a C file to bitcode in `folder`.
pub(super) fn bitcode(source: &Path, folder: &Path, flags: &[String]) -> Result<PathBuf> {
    let stem = source.file_stem().unwrap_or_default();
    let module = folder.join(stem).with_extension("bc");
    let mut clang = Command::new("clang-22");
    clang.args(["-O1", "-emit-llvm", "-c"]).args(flags).arg(source).arg("-o").arg(&module);
    process::output(&mut clang)?;
    Ok(module)
}

/// Compiles bitcode at `level` and links it to a native program beside the first module.
pub(super) fn native(modules: &[PathBuf], level: &str) -> Result<PathBuf> {
    let program = modules[0].with_extension(level.trim_start_matches('-'));
    let mut clang = Command::new("clang-22");
    process::output(clang.arg(level).args(modules).args(["-pthread", "-o"]).arg(&program))?;
    Ok(program)
}
