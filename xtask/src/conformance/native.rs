//! What clang makes of a test: a native program that says whether the test counts, and bitcode.
//! Both are kept until the compiler or its flags change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::corpus::Test;
use crate::process;

const LIMIT: Duration = Duration::from_secs(10);
const FLAGS: &[&str] = &["-O1", "-w"];

/// Languages to try in turn: the compiler's own, then the one of tests that declare nothing.
const LANGUAGES: &[&[&str]] = &[
    &[],
    &[
        "-std=gnu89",
        "-Wno-implicit-function-declaration",
        "-Wno-incompatible-pointer-types",
        "-Wno-int-conversion",
        "-Wno-return-mismatch",
    ],
];

/// Tests that print what `malloc` left in the memory it gave.
const PRINT_GARBAGE: &[&str] = &["941014-2"];

/// What is kept of a test that passes; of another, why it does not.
const PASSES: &str = "passes";

/// A test as it is outside of any JIT.
#[derive(Debug)]
pub(super) enum Native {
    Passes(Program),
    /// clang refuses it, most often for an extension of GCC's.
    Refused,
    /// It does something else than GCC's tests ask of GCC.
    Fails,
}

/// A test that passes natively.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) modules: Vec<PathBuf>,
    /// What the native build prints, unless that varies (with an address, say).
    pub(super) stdout: Option<Vec<u8>>,
}

/// Drops what `folder` keeps from another compiler or other flags.
///
/// # Errors
///
/// When there is no compiler, or files cannot be written.
pub(super) fn forget_other_compilers(folder: &Path) -> Result<()> {
    let version = process::output(Command::new("clang-22").arg("--version"))?;
    let version = String::from_utf8_lossy(&version);
    let key = format!("{version}{FLAGS:?} {LANGUAGES:?}\n");
    let stamp = folder.join("compiler");
    if fs::read_to_string(&stamp).is_ok_and(|kept| kept == key) {
        return Ok(());
    }
    let built = folder.join("built");
    if built.is_dir() {
        fs::remove_dir_all(&built)?;
    }
    fs::create_dir_all(&built)?;
    Ok(fs::write(stamp, key)?)
}

/// Compiles a test natively and to bitcode in `folder`, unless that was done before.
///
/// # Errors
///
/// When files cannot be written or the compiler cannot be run.
pub(super) fn compile(test: &Test, folder: &Path) -> Result<Native> {
    let built = folder.join("built").join(test.name.replace('/', "-"));
    let verdict = built.join("verdict");
    if !verdict.exists() {
        fs::create_dir_all(&built).with_context(|| built.display().to_string())?;
        fs::write(&verdict, build(test, &built)?)?;
    }
    match fs::read_to_string(verdict)?.as_str() {
        PASSES => {}
        "" => return Ok(Native::Refused),
        _ => return Ok(Native::Fails),
    }
    let modules = (0..test.sources.len()).map(|index| module(&built, index)).collect();
    let stdout = fs::read(built.join("stdout")).ok();
    Ok(Native::Passes(Program { name: test.name.clone(), modules, stdout }))
}

fn module(built: &Path, index: usize) -> PathBuf {
    built.join(format!("{index}.bc"))
}

/// Builds the test both ways into `built`; the answer is [`PASSES`], or how it ends natively, or
/// empty when it does not compile.
fn build(test: &Test, built: &Path) -> Result<String> {
    let mut verdict = String::new();
    for language in LANGUAGES {
        let native = built.join("native");
        let mut clang = clang(language, &native);
        if !process::run(clang.args(&test.sources).arg("-lm"), LIMIT)?.is_success() {
            continue;
        }
        let run = || process::run(Command::new(&native).current_dir(built), LIMIT);
        let (once, twice) = (run()?, run()?);
        if !once.is_success() || !twice.is_success() {
            verdict = once.end.to_string();
            continue;
        }
        if once.stdout == twice.stdout && !PRINT_GARBAGE.contains(&test.name.as_str()) {
            fs::write(built.join("stdout"), once.stdout)?;
        }
        for (index, source) in test.sources.iter().enumerate() {
            bitcode(language, source, &module(built, index))?;
        }
        return Ok(PASSES.into());
    }
    Ok(verdict)
}

/// Compiles a C file to bitcode.
///
/// # Errors
///
/// When clang refuses it or cannot be run.
pub(super) fn bitcode(language: &[&str], source: &Path, module: &Path) -> Result<()> {
    process::output(clang(language, module).args(["-emit-llvm", "-c"]).arg(source))?;
    Ok(())
}

fn clang(language: &[&str], output: &Path) -> Command {
    let mut clang = Command::new("clang-22");
    clang.args(FLAGS).args(language).arg("-o").arg(output);
    clang
}
