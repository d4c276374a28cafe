//! The tests: unpacked from Debian's source package of GCC, and listed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

const PACKAGE: &str = "/usr/src/gcc-12";
const INSIDE: &str = "gcc/testsuite/gcc.c-torture/execute";

/// One test: the C files that make one program.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) sources: Vec<PathBuf>,
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

#[cfg(test)]
impl Test {
    pub(super) fn named(name: &str) -> Self {
        Test { name: name.into(), sources: Vec::new() }
    }
}
