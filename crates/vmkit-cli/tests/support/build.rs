//! Compiles a program: to modules for vmkit, and natively.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use std::{fs, process};

use anyhow::{Context, Result, bail};

use super::process::{End, display, run};
use super::program::{Program, has_extension, is_main};

/// How long one compiler or linker may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What `vmkit run` gets on its command line.
#[derive(Debug)]
pub(crate) struct Modules {
    /// Bitcode, IR text, objects and archives.
    pub(crate) files: Vec<PathBuf>,
    /// Shared libraries.
    pub(crate) shared: Vec<PathBuf>,
}

/// A program with one set of compiler flags; each product is built once, when first asked for.
#[derive(Debug)]
pub(crate) struct Build {
    program: Arc<Program>,
    flags: Vec<String>,
    folder: PathBuf,
    modules: OnceLock<Result<Modules, String>>,
    native: OnceLock<Result<PathBuf, String>>,
}

/// Whether a source becomes something vmkit reads or a native object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Product {
    Module,
    Native,
}

impl Build {
    /// Plans a build in a folder of its own inside `root`.
    pub(crate) fn new(program: Arc<Program>, flags: Vec<String>, root: &Path) -> Build {
        let slug = flags.join(" ").replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        let folder = root.join(&program.name).join(if slug.is_empty() { "plain" } else { &slug });
        Build { program, flags, folder, modules: OnceLock::new(), native: OnceLock::new() }
    }

    /// The program that is built.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Where the products are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The modules for `vmkit run`.
    ///
    /// # Errors
    ///
    /// When a source does not compile.
    pub(crate) fn modules(&self) -> Result<&Modules> {
        let made =
            self.modules.get_or_init(|| self.make_modules().map_err(|error| format!("{error:#}")));
        made.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// The ahead-of-time build.
    ///
    /// # Errors
    ///
    /// When a source does not compile or the program does not link.
    pub(crate) fn native(&self) -> Result<&Path> {
        let made = self.native.get_or_init(|| self.link().map_err(|error| format!("{error:#}")));
        made.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    fn make_modules(&self) -> Result<Modules> {
        let (shared, files) = self.compile_all(Product::Module)?;
        Ok(Modules { files, shared })
    }

    fn link(&self) -> Result<PathBuf> {
        let (shared, files) = self.compile_all(Product::Native)?;
        let mut command = self
            .compiler(self.program.sources.iter().any(|source| has_extension(source, &["cpp"])));
        let position_dependent = self.flags.iter().any(|flag| flag == "-fno-pic");
        command
            .args(position_dependent.then_some("-no-pie"))
            .args(&files)
            .args(&shared)
            .arg("-pthread")
            .arg("-lm");
        command
            .args(&self.program.header.ldflags)
            .arg(format!("-Wl,-rpath,{}", self.folder.display()));
        self.step(command, &[files, shared].concat(), "native")
    }

    /// The shared libraries, and the rest with `main` where the header has it.
    fn compile_all(&self, product: Product) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let header = &self.program.header;
        let (mut shared, mut files, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for source in &self.program.sources {
            if header.shared.iter().any(|name| source.ends_with(name)) {
                shared.push(self.compile_shared(source)?);
            } else if header.archive.is_some() && !is_main(source) {
                members.push(self.compile(source, product)?);
            } else {
                files.push(self.compile(source, product)?);
            }
        }
        if let Some(letters) = &header.archive {
            files.push(self.archive(&members, product, letters)?);
        }
        Ok((shared, files))
    }

    fn compile(&self, source: &Path, product: Product) -> Result<PathBuf> {
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        let wants_object = self.program.header.objects.iter().any(|name| source.ends_with(name));
        let is_assembly = has_extension(source, &["s"]);
        let as_module = product == Product::Module && !wants_object && !is_assembly;
        if as_module && has_extension(source, &["ll"]) && self.program.header.archive.is_none() {
            return Ok(source.to_owned());
        }
        let mut command = self.compiler(has_extension(source, &["cpp"]));
        if !is_assembly {
            command.args(self.flags_of(source));
        }
        command
            .args(as_module.then_some("-emit-llvm"))
            .arg("-c")
            .arg(source)
            .args(self.includes(source));
        let name = match (as_module, product) {
            (true, _) => format!("{stem}.bc"),
            (false, Product::Module) => format!("{stem}.o"),
            (false, Product::Native) => format!("{stem}.native.o"),
        };
        self.step(command, &[], &name)
    }

    fn compile_shared(&self, source: &Path) -> Result<PathBuf> {
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        let mut command = self.compiler(has_extension(source, &["cpp"]));
        let flags = self.flags_of(source).filter(|flag| *flag != "-fno-pic");
        command.args(flags).args(["-fPIC", "-shared"]).arg(source).args(self.includes(source));
        self.step(command, &[], &format!("lib{stem}.so"))
    }

    fn archive(&self, members: &[PathBuf], product: Product, letters: &str) -> Result<PathBuf> {
        let mut command = Command::new("llvm-ar-22");
        let name = if product == Product::Module { "members.a" } else { "members.native.a" };
        command.arg(if product == Product::Module { letters } else { "rcs" });
        // The archiver takes the output first and without a flag.
        self.produce(members, name, |output| {
            command.arg(output).args(members);
            command
        })
    }

    fn compiler(&self, is_cpp: bool) -> Command {
        let mut command = Command::new(if is_cpp { "clang++-22" } else { "clang-22" });
        command.args(["-w", "-Wno-override-module"]);
        command
    }

    /// The flags of the set, then those of the one source.
    fn flags_of<'a>(&'a self, source: &'a Path) -> impl Iterator<Item = &'a String> {
        let also = self.program.header.also.iter().filter(|(name, _)| source.ends_with(name));
        self.flags.iter().chain(also.flat_map(|(_, flags)| flags))
    }

    /// Where a source that can have includes finds `check.h`.
    fn includes(&self, source: &Path) -> Option<String> {
        let folder = self.program.headers.first()?.parent()?;
        has_extension(source, &["c", "cpp"]).then(|| format!("-I{}", folder.display()))
    }

    fn step(&self, mut command: Command, inputs: &[PathBuf], name: &str) -> Result<PathBuf> {
        self.produce(inputs, name, |output| {
            command.arg("-o").arg(output);
            command
        })
    }

    /// The file `name`, made by the command for a temporary output unless it is newer than all
    /// of `inputs` and than the program's files, one of which has the flags in its header.
    fn produce(
        &self,
        inputs: &[PathBuf],
        name: &str,
        command: impl FnOnce(&OsStr) -> Command,
    ) -> Result<PathBuf> {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let output = self.folder.join(name);
        let program = self.program.sources.iter().chain(&self.program.headers);
        if is_newer(&output, inputs.iter().chain(program)) {
            return Ok(output);
        }
        fs::create_dir_all(&self.folder)?;
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{}.{serial}.{name}", process::id()));
        let command = command(temporary.as_os_str());
        let shown = display(&command);
        let outcome = run(command, None, LIMIT).with_context(|| {
            format!("cannot start `{shown}`; LLVM 22 and clang 22 must be installed")
        })?;
        if outcome.end != End::Exit(0) {
            bail!("$ {shown}\n{:?}\n{}", outcome.end, String::from_utf8_lossy(&outcome.stderr));
        }
        fs::rename(&temporary, &output)?;
        Ok(output)
    }
}

fn is_newer<'a>(output: &Path, mut inputs: impl Iterator<Item = &'a PathBuf>) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(made) = time(output) else {
        return false;
    };
    inputs.all(|input| time(input).unwrap_or(SystemTime::UNIX_EPOCH) < made)
}
