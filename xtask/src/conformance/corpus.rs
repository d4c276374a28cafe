//! The tests: unpacked from Debian's source package of GCC, compiled once and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;

const PACKAGE: &str = "/usr/src/gcc-12";
const INSIDE: &str = "gcc/testsuite/gcc.c-torture/execute";
const NATIVE_LIMIT: Duration = Duration::from_secs(10);
const FLAGS: &[&str] = &["-O1", "-w"];

/// Languages to try in turn: the compiler's own, then the one of tests that declare nothing.
const LANGUAGES: &[&[&str]] = &[&[], &["-std=gnu89"]];

/// Tests that print what `malloc` left in the memory it gave.
const PRINT_GARBAGE: &[&str] = &["941014-2"];

/// One test: the C files that make one program.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) name: String,
    sources: Vec<PathBuf>,
}

/// A test that passes natively.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) modules: Vec<PathBuf>,
    /// What the native build prints, unless that varies (with an address, say).
    pub(super) stdout: Option<Vec<u8>>,
}

/// Unpacks the tests into `folder`, unless they are there, and lists them by name.
///
/// # Errors
///
/// When Debian's package is not installed.
pub(super) fn unpack(folder: &Path) -> Result<Vec<Test>> {
    let sources = folder.join("execute");
    if !sources.is_dir() {
        let archive = archive()?;
        let fresh = folder.join("unpacking");
        fs::create_dir_all(&fresh)?;
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(&archive).arg("-C").arg(&fresh);
        process::output(tar.args(["--wildcards", "--strip-components=4", &format!("*/{INSIDE}")]))?;
        fs::rename(fresh.join("execute"), &sources)?;
        fs::remove_dir_all(&fresh)?;
    }
    forget_other_compilers(folder)?;
    let mut tests = Vec::new();
    for (prefix, part) in [("", sources.clone()), ("ieee/", sources.join("ieee"))] {
        let single = |file: PathBuf, name: &str| Test {
            name: format!("{prefix}{name}"),
            sources: vec![file],
        };
        tests.extend(c_files(&part)?.into_iter().map(|(name, file)| single(file, &name)));
    }
    tests.extend(builtins(&sources.join("builtins"))?);
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tests)
}

fn archive() -> Result<PathBuf> {
    let entries = fs::read_dir(PACKAGE).with_context(|| {
        format!("{PACKAGE} is not there; install Debian's package gcc-12-source")
    })?;
    let paths = entries.flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("gcc-12") && name.ends_with(".tar.xz")
    };
    paths.into_iter().find(named).with_context(|| format!("no gcc-12*.tar.xz in {PACKAGE}"))
}

/// Drops what was kept from another version of the compiler.
fn forget_other_compilers(folder: &Path) -> Result<()> {
    let version = process::output(Command::new("clang-22").arg("--version"))?;
    let stamp = folder.join("compiler");
    if fs::read(&stamp).is_ok_and(|kept| kept == version) {
        return Ok(());
    }
    let built = folder.join("built");
    if built.is_dir() {
        fs::remove_dir_all(&built)?;
    }
    fs::create_dir_all(&built)?;
    Ok(fs::write(stamp, version)?)
}

fn c_files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let files = entries.flatten().map(|entry| entry.path());
    let c_files = files.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    let named = c_files.map(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (stem, path)
    });
    Ok(named.collect())
}

/// Each of these tests is three modules, which replace functions of the C library.
fn builtins(folder: &Path) -> Result<Vec<Test>> {
    let main = folder.join("lib/main.c");
    let files = c_files(folder)?.into_iter().filter(|(name, _)| !name.ends_with("-lib"));
    let tests = files.map(|(name, file)| {
        let library = folder.join(format!("{name}-lib.c"));
        Test { name: format!("builtins/{name}"), sources: vec![file, library, main.clone()] }
    });
    Ok(tests.collect())
}

impl Test {
    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Test { name: name.into(), sources: Vec::new() }
    }

    /// Compiles the test, natively and to bitcode; nothing when it does not pass natively.
    ///
    /// The answer is kept in `folder`: an empty file `passes` or `counts-not`, and `stdout`.
    ///
    /// # Errors
    ///
    /// When files cannot be written or the compiler cannot be run.
    pub(super) fn compile(&self, folder: &Path) -> Result<Option<Program>> {
        let built = folder.join("built").join(self.name.replace('/', "-"));
        let (passes, counts_not) = (built.join("passes"), built.join("counts-not"));
        if counts_not.exists() {
            return Ok(None);
        }
        if !passes.exists() {
            fs::create_dir_all(&built)?;
            let verdict = if self.build(&built)? { &passes } else { &counts_not };
            fs::write(verdict, "")?;
            if verdict == &counts_not {
                return Ok(None);
            }
        }
        let modules = (0..self.sources.len()).map(|index| built.join(format!("{index}.bc")));
        let stdout = fs::read(built.join("stdout")).ok();
        Ok(Some(Program { name: self.name.clone(), modules: modules.collect(), stdout }))
    }

    /// Builds the test both ways into `built`; says whether it passes natively.
    fn build(&self, built: &Path) -> Result<bool> {
        for language in LANGUAGES {
            let compile = |args: &[&str], output: &Path| {
                let mut clang = Command::new("clang-22");
                clang.args(FLAGS).args(*language).args(args).arg("-o").arg(output);
                clang
            };
            let native = built.join("native");
            let mut clang = compile(&[], &native);
            if !process::run(clang.args(&self.sources).arg("-lm"), NATIVE_LIMIT)?.is_success() {
                continue;
            }
            let run = || process::run(Command::new(&native).current_dir(built), NATIVE_LIMIT);
            let (once, twice) = (run()?, run()?);
            if !once.is_success() || !twice.is_success() {
                continue;
            }
            if once.stdout == twice.stdout && !PRINT_GARBAGE.contains(&self.name.as_str()) {
                fs::write(built.join("stdout"), once.stdout)?;
            }
            for (index, source) in self.sources.iter().enumerate() {
                let mut clang = compile(&["-emit-llvm", "-c"], &built.join(format!("{index}.bc")));
                process::output(clang.arg(source))?;
            }
            return Ok(true);
        }
        Ok(false)
    }
}
