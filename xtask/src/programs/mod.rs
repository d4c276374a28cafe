//! Real C and C++ programs: what they print natively they print under `vmkit run`.

mod build;
mod demo;
mod fetch;
mod pieces;
mod table;

use std::fmt;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::engine::Engine;
use crate::process::{self, Outcome};
use crate::{parallel, place};
pub(crate) use build::{Built, build};
pub(crate) use pieces::{Pieces, Placement, take_to_pieces};
pub(crate) use table::{PROGRAMS, Program};

const LIMIT: Duration = Duration::from_secs(120);
/// The levels that each form runs at.
const LEVELS: &[&str] = &["-O0", "-O2"];

/// Real programs from crates.io under `vmkit run`, against their native builds
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only a few of the programs, at the default level
    #[arg(long)]
    quick: bool,
    /// Show Lua running a script, with the statistics
    #[arg(long, conflicts_with_all = ["quick", "only", "engine"])]
    demo: bool,
    /// Only these programs
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How many compilers and programs run at once
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Run by another program, as in "lli-22 {O} {extra} {main}"
    #[arg(long, value_name = "TEMPLATE")]
    engine: Option<String>,
}

/// Builds the programs, runs them and prints each verdict and the totals.
///
/// # Errors
///
/// When one does not build, or does not do what its native build does.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.demo {
        return demo::run(options.jobs);
    }
    let engine = Engine::from_option(options.engine.as_deref())?;
    let mut runs = Vec::new();
    for built in build(&chosen(options)?, options.jobs)? {
        runs.extend(plan(&built, options.quick)?);
    }
    let failed = parallel::map(options.jobs, &runs, |run| !passes(&engine, run));
    let failed = failed.into_iter().filter(|&failed| failed).count();
    println!("{} passed, {failed} failed", runs.len() - failed);
    if failed > 0 {
        bail!("programs: {failed} failures");
    }
    Ok(())
}

/// One run of a program, and what it is to print.
struct Run {
    built: Built,
    form: Form,
    /// Empty for the engine's default.
    level: &'static str,
    expected: Vec<u8>,
}

/// How a program is given: as one module, or as one for each of its source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Linked,
    Split,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Linked => "one module",
            Form::Split => "a module a source file",
        })
    }
}

fn chosen(options: &Options) -> Result<Vec<&'static Program>> {
    if let Some(unknown) =
        options.only.iter().find(|name| PROGRAMS.iter().all(|program| program.name != **name))
    {
        let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        bail!("there is no program {unknown}; there are {}", names.join(", "));
    }
    let is_chosen = |program: &&Program| {
        let named = options.only.is_empty() || options.only.iter().any(|name| name == program.name);
        named && (!options.quick || program.quick)
    };
    Ok(PROGRAMS.iter().filter(is_chosen).collect())
}

/// The runs of a program whose native build works.
fn plan(built: &Built, quick: bool) -> Result<Vec<Run>> {
    let native = run_in_scratch(&mut Command::new(&built.native), built.program, "native")?;
    ensure!(native.is_success(), "{} natively: {}", built.program.name, native.cause());
    let levels: &[&'static str] = if quick { &[""] } else { LEVELS };
    let run = |form, level| {
        let expected = native.stdout.clone();
        Run { built: built.clone(), form, level, expected }
    };
    let forms = [Form::Linked, Form::Split];
    Ok(forms
        .iter()
        .flat_map(|&form| levels.iter().map(move |&level| (form, level)))
        .map(|(form, level)| run(form, level))
        .collect())
}

/// Prints the verdict on one run.
fn passes(engine: &Engine, run: &Run) -> bool {
    let failure = compare(engine, run).unwrap_or_else(|error| Some(format!("{error:#}")));
    let level = if run.level.is_empty() { "default level" } else { run.level };
    let title = format!("{}, {}, {level}", run.built.program.name, run.form);
    match &failure {
        None => println!("pass {title}"),
        Some(cause) => println!("FAIL {title}: {cause}"),
    }
    failure.is_none()
}

/// How the program differs from its native build under `engine`, if it does.
fn compare(engine: &Engine, run: &Run) -> Result<Option<String>> {
    let modules = match run.form {
        Form::Linked => std::slice::from_ref(&run.built.linked),
        Form::Split => run.built.modules.as_slice(),
    };
    let mut command = engine.command(run.level, modules, &[]);
    let label = format!("{:?}{}", run.form, run.level);
    let found = run_in_scratch(&mut command, run.built.program, &label)?;
    if !found.is_success() {
        return Ok(Some(found.cause()));
    }
    let differs = found.stdout != run.expected;
    Ok(differs.then(|| first_difference(&run.expected, &found.stdout)))
}

/// Runs `command` with the arguments of `program`, in a fresh folder that has the driver's files.
fn run_in_scratch(command: &mut Command, program: &Program, label: &str) -> Result<Outcome> {
    let folder = place::target()?.join("programs/scratch").join(program.name).join(label);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(program.driver_folder())? {
        let path = entry?.path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().context("a file without a name")?))?;
        }
    }
    process::run(command.args(program.args).current_dir(&folder), LIMIT)
}

fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let mut lines = expected.lines().zip(found.lines()).enumerate();
    match lines.find(|(_, (expected, found))| expected != found) {
        Some((index, (expected, found))) => {
            format!("line {} of the output is {found:?}, natively {expected:?}", index + 1)
        }
        None => format!("{} bytes of output, natively {}", found.len(), expected.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let check = |found: &str, expected: &str| {
            assert_eq!(first_difference(b"a\nb\n", found.as_bytes()), expected);
        };
        check("a\nc\n", "line 2 of the output is \"c\", natively \"b\"");
        check("a\n", "2 bytes of output, natively 4");
    }

    #[test]
    fn every_driver_is_there() {
        for program in PROGRAMS {
            assert!(program.driver_folder().join(program.driver).is_file(), "{}", program.name);
        }
    }
}
