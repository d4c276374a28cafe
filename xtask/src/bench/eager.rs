//! Compiling all of a large module before it runs.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::measure::{Make, measure_in_turns, quotient, show};
use super::report::{Goal, Table};
use crate::engine::Engine;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let mut table = Table::new(
        "All of SQLite compiled before `select 1`",
        "Wall time, median. `llc` writes an object and runs nothing. They take turns.",
        &["program", "time", "vmkit --eager -O0 / it", "goal"],
    );
    let built = bench.program("sqlite")?;
    let args = ["-e", "select 1"].map(String::from);
    let object = bench.folder.join("sqlite.o");
    let run = |engine: Engine| -> Make<'_> {
        let (module, args) = (std::slice::from_ref(&built.linked), &args);
        Box::new(move || engine.command("", module, args))
    };
    let commands = [
        run(Engine::vmkit(&["--eager", "-O0"])?),
        run(Engine::lli(&[])),
        run(Engine::lli(&["-O0"])),
        Box::new(|| llc("-O0", &built.linked, &object)),
        Box::new(|| llc("-O2", &built.linked, &object)),
    ];
    let figures = measure_in_turns(bench.repeats, None, &commands)?;
    let vmkit = figures[0].median();
    table.row(vec!["vmkit --eager -O0".into(), figures[0].time()]);
    for (name, figure) in ["lli", "lli -O0", "llc -O0", "llc -O2"].iter().zip(&figures[1..]) {
        let part = quotient(vmkit, figure.median());
        let mut row = vec![(*name).into(), figure.time(), show(part)];
        if *name == "lli" {
            let what = "SQLite, `vmkit --eager -O0` / `lli`";
            row.push(table.judge(what, part, &show(part), Goal::AtMost(0.143)));
        }
        table.row(row);
    }
    Ok(table)
}

fn llc(level: &str, module: &Path, object: &Path) -> Command {
    let mut llc = Command::new("llc-22");
    llc.args([level, "-filetype=obj", "-relocation-model=pic"]).arg(module).arg("-o").arg(object);
    llc
}
