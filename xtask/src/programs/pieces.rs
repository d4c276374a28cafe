//! A program that no optimizer has seen: in one module, and in one module a function.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{driver_key, flags, package_key, sources};
use super::fetch::fetch;
use super::table::Program;
use crate::{parallel, place, process};

/// As for `-O2`, whose passes are left to whoever runs it.
const FLAGS: &[&str] = &["-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"];

/// How many bytes are in front of a program's code. Functions begin at multiples of 16, processors fetch code
/// by lines of 64: each place in a line is among them, each time in other lines.
const PADS: [usize; 5] = [0, 336, 672, 1008, 1344];

/// A program that does its work a few times and tells how long the quickest took.
pub(crate) struct Pieces {
    /// One module a function; variables are spread among them.
    pub(crate) modules: Vec<PathBuf>,
    pub(crate) placements: Vec<Placement>,
}

/// A way to place a program's code.
pub(crate) struct Placement {
    /// Compiled at -O2 from one module.
    pub(crate) native: PathBuf,
    /// What comes first, to go before the modules.
    pub(crate) pad: PathBuf,
}

/// Compiles `program` with xtask/bench/rounds.c, unless that is done, and takes it to pieces.
///
/// # Errors
///
/// When its package cannot be had or something does not compile.
pub(crate) fn take_to_pieces(program: &'static Program, jobs: usize) -> Result<Pieces> {
    let folder = place::target()?.join("programs/pieces").join(program.name);
    let package = fetch(program, &place::target()?.join("programs/fetched").join(program.name))?;
    let flags = flags(program, &package);
    let [rounds, pad] =
        ["rounds.c", "pad.c"].map(|name| place::root().join("xtask/bench").join(name));
    let key = [package_key(program, &flags)?, FLAGS.join(" "), driver_key(program)?].concat();
    let key =
        key + &fs::read_to_string(&rounds)? + &fs::read_to_string(&pad)? + &format!("{PADS:?}");
    let (stamp, split) = (folder.join("stamp"), folder.join("split"));
    let placements = PADS.map(|size| Placement {
        native: folder.join(format!("{}-{size}", program.name)),
        pad: folder.join(format!("pad-{size}.bc")),
    });
    if !fs::read_to_string(&stamp).is_ok_and(|kept| kept == key) {
        println!("programs: taking {} to pieces", program.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&split)?;
        let mut sources = sources(program, &package)?;
        sources.push(rounds);
        let whole = compile(program, &sources, &flags, jobs, &folder)?;
        let object = folder.join("whole.o");
        process::output(
            Command::new("clang-22").args(["-O2", "-c"]).arg(&whole).arg("-o").arg(&object),
        )?;
        for (size, placement) in PADS.iter().zip(&placements) {
            place_behind(&pad, *size, placement, &object, program)?;
        }
        take_apart(&whole, &split, jobs)?;
        fs::write(stamp, key)?;
    }
    Ok(Pieces { modules: files(&split)?, placements: placements.into() })
}

/// Compiles so many bytes of padding, and links a program's object behind them.
fn place_behind(
    pad: &Path,
    size: usize,
    to: &Placement,
    object: &Path,
    program: &Program,
) -> Result<()> {
    let mut compile = Command::new("clang-22");
    compile.args(["-O2", "-emit-llvm", "-c"]).arg(format!("-DSIZE=\"{size}\"")).arg(pad);
    process::output(compile.arg("-o").arg(&to.pad))?;
    let mut link = Command::new(if program.is_cxx() { "clang++-22" } else { "clang-22" });
    link.arg("-O2").args([&to.pad, object]).args(["-lm", "-ldl", "-pthread", "-o"]).arg(&to.native);
    process::output(&mut link)?;
    Ok(())
}

/// One module of all sources, of which the first is the driver and the last what calls it.
fn compile(
    program: &Program,
    sources: &[PathBuf],
    flags: &[String],
    jobs: usize,
    folder: &Path,
) -> Result<PathBuf> {
    let sources: Vec<_> = sources.iter().enumerate().collect();
    let modules = parallel::map(jobs, &sources, |&(index, source)| {
        let is_c = source.extension().is_some_and(|extension| extension == "c");
        let is_own = index == 0 || index + 1 == sources.len();
        let as_cxx = !is_c || (is_own && program.is_cxx());
        let mut clang = Command::new(if as_cxx { "clang++-22" } else { "clang-22" });
        clang.args(flags.iter().filter(|flag| as_cxx || !flag.starts_with("-std=c++")));
        clang.args(FLAGS).args((index == 0).then_some("-Dmain=work"));
        clang.args(["-x", if as_cxx { "c++" } else { "c" }]).arg(source);
        let module = folder.join(format!("{index:03}.bc"));
        process::output(clang.arg("-o").arg(&module)).context(program.name)?;
        Ok(module)
    });
    let modules = modules.into_iter().collect::<Result<Vec<_>>>()?;
    let (whole, ir) = (folder.join("whole.bc"), folder.join("whole.ll"));
    process::output(Command::new("llvm-link-22").arg("-S").args(modules).arg("-o").arg(&ir))?;
    // A body that is there to be inlined, of a function that a library may have or not, defines
    // nothing for other modules.
    let text = fs::read_to_string(&ir)?;
    let text = text.replace("\ndefine available_externally ", "\ndefine linkonce_odr ");
    fs::write(&ir, text)?;
    process::output(Command::new("llvm-as-22").arg(&ir).arg("-o").arg(&whole))?;
    Ok(whole)
}

/// Puts each function of a module into one of its own, in `folder`.
///
/// A piece that `llvm-split` makes declares whatever the whole module has; so that not every function
/// carries all that, the module is taken apart in two steps.
fn take_apart(whole: &Path, folder: &Path, jobs: usize) -> Result<()> {
    let chunks = folder.with_file_name("chunks");
    fs::create_dir_all(&chunks)?;
    split(whole, functions(whole)?.isqrt(), &chunks.join("chunk"))?;
    let steps = parallel::map(jobs, &files(&chunks)?, |chunk| -> Result<()> {
        let mut strip = Command::new("opt-22");
        strip.arg("-passes=strip-dead-prototypes").arg(chunk).arg("-o").arg(chunk);
        process::output(&mut strip)?;
        let name = chunk.file_name().context("a file has a name")?;
        split(chunk, functions(chunk)?, &folder.join(name))
    });
    steps.into_iter().collect::<Result<()>>()?;
    Ok(fs::remove_dir_all(chunks)?)
}

fn split(module: &Path, pieces: usize, name: &Path) -> Result<()> {
    let mut split = Command::new("llvm-split-22");
    split.arg("--round-robin").arg(format!("-j{}", pieces.max(1)));
    process::output(split.arg(module).arg("-o").arg(format!("{}-", name.display())))?;
    Ok(())
}

/// How many functions a module defines.
fn functions(module: &Path) -> Result<usize> {
    let mut nm = Command::new("llvm-nm-22");
    let text = process::output(nm.args(["--defined-only", "--format=posix"]).arg(module))?;
    let kinds = str::from_utf8(&text)?.lines().filter_map(|line| line.split(' ').nth(1));
    Ok(kinds.filter(|kind| ["T", "t", "W", "w"].contains(kind)).count())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}
