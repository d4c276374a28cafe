//! Builds a program three ways: a module a source file, one module, and natively from the same
//! bitcode. What is built is kept until its sources or flags change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::fetch::fetch;
use super::table::Program;
use crate::{parallel, place, process};

const FLAGS: &[&str] = &["-O1", "-w"];

/// A program that is ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) program: &'static Program,
    /// One bitcode file for each source file; the driver's is the first.
    pub(crate) modules: Vec<PathBuf>,
    /// All of them linked to one.
    pub(crate) linked: PathBuf,
    pub(crate) native: PathBuf,
}

impl Program {
    /// The folder of the driver and of what it reads.
    pub(crate) fn driver_folder(&self) -> PathBuf {
        place::root().join("xtask/programs").join(self.name)
    }

    pub(super) fn is_cxx(&self) -> bool {
        self.driver != "main.c"
    }
}

/// Fetches and builds `programs`.
///
/// # Errors
///
/// When a package cannot be had or something does not compile.
pub(crate) fn build(programs: &[&'static Program], jobs: usize) -> Result<Vec<Built>> {
    programs.iter().map(|program| build_one(program, jobs)).collect()
}

fn build_one(program: &'static Program, jobs: usize) -> Result<Built> {
    let folder = place::target()?.join("programs");
    let package = fetch(program, &folder.join("fetched").join(program.name))?;
    let sources = sources(program, &package)?;
    let flags = flags(program, &package);
    let folder = folder.join("built").join(program.name);
    let built = Built {
        program,
        modules: sources.iter().enumerate().map(|(i, path)| module(&folder, i, path)).collect(),
        linked: folder.join(format!("{}.bc", program.name)),
        native: folder.join(program.name),
    };
    let (package_stamp, driver_stamp) = (folder.join("package"), folder.join("driver"));
    let (package_key, driver_key) = (package_key(program, &flags)?, driver_key(program)?);
    let is = |stamp: &Path, key: &str| fs::read_to_string(stamp).is_ok_and(|kept| kept == key);
    if !is(&package_stamp, &package_key) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        fs::write(package_stamp, package_key)?;
    } else if is(&driver_stamp, &driver_key) {
        return Ok(built);
    }
    println!("programs: compiling {} ({} files)", program.name, sources.len());
    // The driver first: its mistakes are the likely ones.
    compile(program, &sources[0], &built.modules[0], &flags)?;
    let steps: Vec<(&PathBuf, &PathBuf)> =
        sources.iter().zip(&built.modules).filter(|(_, module)| !object(module).exists()).collect();
    parallel::map(jobs, &steps, |(source, module)| compile(program, source, module, &flags))
        .into_iter()
        .collect::<Result<()>>()?;
    link(&built)?;
    fs::write(driver_stamp, driver_key)?;
    Ok(built)
}

fn module(folder: &Path, index: usize, source: &Path) -> PathBuf {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    folder.join(format!("{index:03}-{stem}.bc"))
}

/// The driver, then the package's sources by name.
pub(super) fn sources(program: &Program, package: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for pattern in program.sources {
        let pattern = package.join(pattern);
        let pattern = pattern.to_str().context("the path of the target folder is not UTF-8")?;
        for path in glob::glob(pattern)? {
            let path = path?;
            let name = path.to_string_lossy();
            if !program.except.iter().any(|except| name.ends_with(except)) {
                sources.push(path);
            }
        }
    }
    ensure!(!sources.is_empty(), "{} has no sources in {}", program.name, package.display());
    sources.sort();
    sources.insert(0, program.driver_folder().join(program.driver));
    Ok(sources)
}

pub(super) fn flags(program: &Program, package: &Path) -> Vec<String> {
    let given = FLAGS.iter().chain(program.flags).map(|flag| (*flag).to_owned());
    let includes = program.includes.iter().map(|include| package.join(include));
    let includes = includes.chain([program.driver_folder()]);
    given.chain(includes.map(|include| format!("-I{}", include.display()))).collect()
}

/// What the package's modules depend on: compiler, flags, version.
pub(super) fn package_key(program: &Program, flags: &[String]) -> Result<String> {
    let compiler = process::output(Command::new("clang-22").arg("--version"))?;
    let compiler = String::from_utf8_lossy(&compiler);
    Ok(format!("{compiler}{flags:?} {}\n", program.version))
}

/// What the driver's module depends on besides: its text.
pub(super) fn driver_key(program: &Program) -> Result<String> {
    let driver = fs::read_to_string(program.driver_folder().join(program.driver))?;
    let shared = fs::read_to_string(place::root().join("xtask/programs/generate.h"))?;
    Ok(shared + &driver)
}

/// The native object made of a module.
fn object(module: &Path) -> PathBuf {
    module.with_extension("o")
}

fn compile(program: &Program, source: &Path, module: &Path, flags: &[String]) -> Result<()> {
    let is_c = source.extension().is_some_and(|extension| extension == "c");
    let mut clang = Command::new(if is_c { "clang-22" } else { "clang++-22" });
    let flags = flags.iter().filter(|flag| !(is_c && flag.starts_with("-std=c++")));
    clang.args(flags).args(["-emit-llvm", "-c"]).arg(source).arg("-o").arg(module);
    process::output(&mut clang).context(program.name)?;
    let mut native = Command::new("clang-22");
    native.args(FLAGS).arg("-c").arg(module).arg("-o").arg(object(module));
    process::output(&mut native).context(program.name)?;
    Ok(())
}

fn link(built: &Built) -> Result<()> {
    let mut link = Command::new("llvm-link-22");
    process::output(link.args(&built.modules).arg("-o").arg(&built.linked))?;
    let mut native = Command::new(if built.program.is_cxx() { "clang++-22" } else { "clang-22" });
    native.args(built.modules.iter().map(|module| object(module)));
    process::output(native.args(["-lm", "-ldl", "-pthread", "-o"]).arg(&built.native))?;
    Ok(())
}
