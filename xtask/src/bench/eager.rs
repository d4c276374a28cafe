//! Compiling all of a large module before it runs.

use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use super::measure::{measure, ratio};
use super::report::Table;
use crate::engine::Engine;
use crate::programs::{PROGRAMS, build};

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "All of SQLite compiled before `select 1`",
        "`llc` writes an object and runs nothing.",
        &["program", "time", "vmkit --eager -O0 / it", "goal"],
    );
    let sqlite = PROGRAMS.iter().find(|program| program.name == "sqlite");
    let built = build(&[sqlite.context("an unknown program")?], 2)?.remove(0);
    let args = ["-e", "select 1"].map(String::from);
    let run = |engine: &Engine| {
        measure(bench.repeats, None, || {
            engine.command("", std::slice::from_ref(&built.linked), &args)
        })
    };
    let vmkit = run(&Engine::vmkit(&["--eager", "-O0"])?)?;
    let object = bench.folder.join("sqlite.o");
    let llc = |level: &str| {
        measure(bench.repeats, None, || {
            let mut llc = Command::new("llc-22");
            llc.args([level, "-filetype=obj", "-relocation-model=pic"]);
            llc.arg(&built.linked).arg("-o").arg(&object);
            llc
        })
    };
    table.row(vec!["vmkit --eager -O0".into(), vmkit.time(), "-".into(), "-".into()]);
    for (name, figure, goal) in [
        ("lli", run(&Engine::lli(&[]))?, "0.143"),
        ("lli -O0", run(&Engine::lli(&["-O0"]))?, "-"),
        ("llc -O0", llc("-O0")?, "-"),
        ("llc -O2", llc("-O2")?, "-"),
    ] {
        let part = ratio(vmkit.seconds(), figure.seconds());
        table.row(vec![name.into(), figure.time(), part, goal.into()]);
    }
    Ok(table)
}
