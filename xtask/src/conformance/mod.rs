//! GCC's c-torture execute tests: what passes natively passes under `vmkit run`.

mod corpus;
mod native;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::engine::Engine;
use crate::process::{self, End};
use crate::{parallel, place};
use corpus::Test;
use native::{Native, Program};

const LIMIT: Duration = Duration::from_secs(20);

/// GCC's c-torture execute tests under `vmkit run`, against their native builds
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only so many of the tests, drawn by the seed
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// What the sample is drawn by
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run only the tests whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// How many tests run at once
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// The levels to run at
    #[arg(short = 'O', value_delimiter = ',', default_value = "0,2")]
    levels: Vec<u8>,
    /// Run by another program, as in "lli-22 {O} {extra} {main}"
    #[arg(long, value_name = "TEMPLATE")]
    engine: Option<String>,
}

/// Runs the tests and prints every failure and the totals.
///
/// # Errors
///
/// When a test fails, or the tests cannot be had.
pub(crate) fn run(options: &Options) -> Result<()> {
    let engine = Engine::from_option(options.engine.as_deref())?;
    let folder = place::target()?.join("conformance");
    let mut tests = corpus::unpack(&folder)?;
    tests.retain(|test| test.name.contains(&options.filter));
    let known = tests.len();
    if let Some(count) = options.sample {
        draw(&mut tests, count, options.seed);
    }
    let programs = compile(&tests, known, options.jobs, &folder)?;
    let levels: Vec<String> = options.levels.iter().map(|level| format!("-O{level}")).collect();
    let mut all_failed = 0;
    for level in &levels {
        control(&engine, level, &folder)?;
        let failed = run_all(&engine, &programs, level, options.jobs, &folder);
        println!("conformance: {level}: {} passed, {failed} failed", programs.len() - failed);
        all_failed += failed;
    }
    ensure!(!programs.is_empty() && !levels.is_empty(), "no test was run");
    if all_failed > 0 {
        bail!("conformance: {all_failed} failures");
    }
    Ok(())
}

/// Runs the programs at a level and prints every failure; returns how many there are.
fn run_all(
    engine: &Engine,
    programs: &[Program],
    level: &str,
    jobs: usize,
    folder: &Path,
) -> usize {
    let failures = parallel::map(jobs, programs, |program| {
        let failure = run_one(engine, program, level, folder);
        let failure = failure.unwrap_or_else(|error| Some(format!("{error:#}")));
        if let Some(cause) = &failure {
            println!("FAIL {} {level}: {cause}", program.name);
        }
        failure
    });
    failures.into_iter().flatten().count()
}

/// Compiles the tests and says how many count; leaves those that do.
fn compile(tests: &[Test], known: usize, jobs: usize, folder: &Path) -> Result<Vec<Program>> {
    println!("conformance: compiling {} of {known} tests", tests.len());
    native::forget_other_compilers(folder)?;
    let (mut programs, mut refused, mut failed) = (Vec::new(), 0, 0);
    for native in parallel::map(jobs, tests, |test| native::compile(test, folder)) {
        match native? {
            Native::Passes(program) => programs.push(program),
            Native::Refused => refused += 1,
            Native::Fails => failed += 1,
        }
    }
    println!(
        "conformance: {} pass natively; clang refuses {refused}, {failed} fail natively",
        programs.len(),
    );
    Ok(programs)
}

/// Checks that the engine runs what it is given: most tests print nothing and abort when they
/// fail, so that an engine which does nothing would pass them.
fn control(engine: &Engine, level: &str, folder: &Path) -> Result<()> {
    let source = folder.join("control.c");
    fs::write(&source, "int main(void) { __builtin_abort(); }\n")?;
    let module = folder.join("control.bc");
    native::bitcode(&[], &source, &module)?;
    let outcome = process::run(&mut engine.command(level, &[module], &[]), LIMIT)?;
    let aborts = outcome.end == End::Signal(Signal::SIGABRT as i32);
    ensure!(aborts, "abort() does not abort under this engine: {}", outcome.cause());
    Ok(())
}

/// Why the program does not do what its native build does, if so.
fn run_one(
    engine: &Engine,
    program: &Program,
    level: &str,
    folder: &Path,
) -> Result<Option<String>> {
    // Some tests write files.
    let scratch = folder.join("scratch").join(format!("{}{level}", program.name));
    fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let mut command = engine.command(level, &program.modules, &[]);
    let outcome = process::run(command.current_dir(&scratch), LIMIT)?;
    fs::remove_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    if !outcome.is_success() {
        return Ok(Some(outcome.cause()));
    }
    let same = program.stdout.as_ref().is_none_or(|stdout| outcome.stdout == *stdout);
    Ok((!same).then(|| "exit 0, but its output is not that of the native build".to_owned()))
}

/// Leaves `count` tests, in their order, that depend on `seed` alone.
fn draw(tests: &mut Vec<Test>, count: usize, seed: u64) {
    let mut keyed: Vec<(u64, Test)> =
        tests.drain(..).map(|test| (hash(seed, &test.name), test)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    tests.extend(keyed.into_iter().take(count).map(|(_, test)| test));
    tests.sort_by(|a, b| a.name.cmp(&b.name));
}

/// FNV-1a of the seed and the name, with its high bits stirred in.
fn hash(seed: u64, name: &str) -> u64 {
    let bytes = seed.to_le_bytes();
    let hash = bytes.iter().chain(name.as_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<String> {
        let mut tests: Vec<Test> = (0..100).map(|n| Test::named(&n.to_string())).collect();
        draw(&mut tests, 10, seed);
        tests.into_iter().map(|test| test.name).collect()
    }

    #[test]
    fn a_sample_depends_on_its_seed_alone() {
        assert_eq!(drawn(1).len(), 10);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
