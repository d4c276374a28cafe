//! Real C and C++ programs: what they print natively they print under `vmkit run`.

mod build;
mod demo;
mod fetch;
mod table;

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::engine::Engine;
use crate::process::{self, Outcome};
use crate::{parallel, place};
pub(crate) use build::{Built, build};
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
    let programs = chosen(options)?;
    let engine = Engine::from_option(options.engine.as_deref())?;
    let mut runs = Vec::new();
    for built in build(&programs, options.jobs)? {
        let native = run_in_scratch(&mut Command::new(&built.native), built.program, "native")?;
        ensure!(native.is_success(), "{} natively: {}", built.program.name, native.cause());
        let levels: &[&str] = if options.quick { &[""] } else { LEVELS };
        for form in [Form::Linked, Form::Split] {
            runs.extend(levels.iter().map(|level| (built.clone(), native.clone(), form, *level)));
        }
    }
    let failures = parallel::map(options.jobs, &runs, |(built, native, form, level)| {
        let failure = compare(&engine, built, native, *form, level);
        let failure = failure.unwrap_or_else(|error| Some(format!("{error:#}")));
        let (name, level) = (built.program.name, if level.is_empty() { "default" } else { level });
        match &failure {
            None => println!("pass {name}, {form:?}, {level}"),
            Some(cause) => println!("FAIL {name}, {form:?}, {level}: {cause}"),
        }
        failure
    });
    let failed = failures.iter().flatten().count();
    println!("{} passed, {failed} failed", runs.len() - failed);
    if failed > 0 {
        bail!("programs: {failed} failures");
    }
    Ok(())
}

/// How a program is given: as one module, or as one for each of its source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Linked,
    Split,
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

/// How the program differs from its native build under `engine`, if it does.
fn compare(
    engine: &Engine,
    built: &Built,
    native: &Outcome,
    form: Form,
    level: &str,
) -> Result<Option<String>> {
    let modules = match form {
        Form::Linked => std::slice::from_ref(&built.linked),
        Form::Split => built.modules.as_slice(),
    };
    let mut command = engine.command(level, modules, &[]);
    let found = run_in_scratch(&mut command, built.program, &format!("{form:?}{level}"))?;
    if !found.is_success() {
        return Ok(Some(found.cause()));
    }
    if found.stdout != native.stdout {
        return Ok(Some(first_difference(&native.stdout, &found.stdout)));
    }
    Ok(None)
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
