//! The parts of the runner, from a program's source to its verdict.

pub(crate) mod bad_input;
mod build;
mod damage;
mod expectation;
mod header;
mod process;
mod program;
mod variant;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Failed, Trial};

use build::Build;
use program::Program;
use variant::Variant;

/// One trial for each program, each set of compiler flags in its header, and each variant.
pub(crate) fn program_trials() -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for program in program::discover(&sources())? {
        match program {
            Ok(program) => add_trials(Arc::new(program), &mut trials),
            Err(bad) => {
                let fail = move || Err(Failed::from(format!("{:#}", bad.error)));
                trials.push(Trial::test(format!("{}::header", bad.name), fail));
            }
        }
    }
    Ok(trials)
}

fn add_trials(program: Arc<Program>, trials: &mut Vec<Trial>) {
    let missing = program.header.needs.iter().find(|file| !has_file(file));
    if let Some(file) = missing {
        eprintln!("{} is left out: the compiler has no {file}", program.name);
    }
    let is_left_out = missing.is_some();
    let flag_sets = program.flag_sets();
    for flags in &flag_sets {
        let label = match flag_sets.len() {
            1 => String::new(),
            _ => format!(" [{}]", flags.join(" ")),
        };
        let build = Arc::new(Build::new(program.clone(), flags.clone(), &scratch().join("run")));
        for variant in variant::of(&program.header) {
            let name = format!("{}::{}{label}", program.name, variant.name());
            let build = build.clone();
            let trial = Trial::test(name, move || check(&build, variant));
            trials.push(trial.with_ignored_flag(is_left_out));
        }
    }
}

/// Does the C++ compiler find a file of this name, as a library to link?
fn has_file(name: &str) -> bool {
    let option = format!("-print-file-name={name}");
    let found = Command::new("clang++-22").arg(option).output();
    // What is not found it prints as it is.
    found.is_ok_and(|found| found.stdout.trim_ascii() != name.as_bytes())
}

fn check(build: &Build, variant: Variant) -> Result<(), Failed> {
    let outcome = variant.run(build).map_err(|error| format!("{error:#}"))?;
    Ok(expectation::check(&build.program().header, variant, &outcome)?)
}

/// The folder of the programs.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/run")
}

/// Where the runner puts what it builds.
fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
