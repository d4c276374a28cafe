//! What `make run` shows: Lua, whose functions are compiled as they are called.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::build::{Built, build};
use super::table::PROGRAMS;
use crate::engine::Engine;
use crate::process;
use crate::units::seconds;

const LIMIT: Duration = Duration::from_secs(60);

/// Builds Lua, runs a script with the statistics, and tells how long others take for it.
///
/// # Errors
///
/// When it does not build or run.
pub(super) fn run(jobs: usize) -> Result<()> {
    let lua = &PROGRAMS[0];
    let engine = Engine::vmkit(&["--stats"])?;
    let built = build(&[lua], jobs)?.remove(0);
    let script = lua.driver_folder().join("hello.lua");
    let script = [script.to_str().context("the path of the script is not UTF-8")?.to_owned()];
    println!(
        "\nLua is {} files of C. Each was compiled to LLVM bitcode, none to machine code; vmkit \
         compiles a function when it is first called. What it did is told at the end.\n\n\
         $ vmkit run --stats {} -- hello.lua",
        built.modules.len(),
        names(&built.modules),
    );
    let status = engine.command("", &built.modules, &script).status();
    let status = status.context("cannot run vmkit")?;
    ensure!(status.success(), "vmkit: {status}");
    compare(&built, &script)
}

/// Shows the time of the same script elsewhere, one run each.
fn compare(built: &Built, script: &[String]) -> Result<()> {
    let mut native = Command::new(&built.native);
    native.args(script);
    let rows = [
        ("compiled and linked ahead of time", native),
        ("vmkit run", Engine::vmkit(&[])?.command("", &built.modules, script)),
        (
            "lli-22, which compiles everything first",
            Engine::lli(&[]).command("", std::slice::from_ref(&built.linked), script),
        ),
    ];
    println!("\nThe same script from start to exit, one run each:");
    let mut expected = None;
    for (name, mut command) in rows {
        let outcome = process::run(&mut command, LIMIT)?;
        let cell = match outcome.is_success() {
            true => seconds(outcome.wall.as_secs_f64()),
            false => outcome.cause(),
        };
        println!("  {name:<40} {cell:>8}");
        if *expected.get_or_insert_with(|| outcome.stdout.clone()) != outcome.stdout {
            bail!("{name}: its output differs from that of the native build");
        }
    }
    Ok(())
}

/// The first and the last file, without their folder.
fn names(modules: &[PathBuf]) -> String {
    let name =
        |path: &PathBuf| Path::new(path.file_name().unwrap_or_default()).display().to_string();
    match modules {
        [first, .., last] => format!("{} ... {}", name(first), name(last)),
        _ => modules.iter().map(name).collect(),
    }
}
