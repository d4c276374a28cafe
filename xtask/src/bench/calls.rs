//! What a call costs when everything is compiled.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{Make, measure_in_turns, net, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;
use crate::place;

/// An engine's name, which row it is compared with, its goal, and the command that calls so many
/// million times.
type Row<'a> = (&'a str, usize, &'a str, Box<dyn Fn(u32) -> Command + 'a>);

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let millions: u32 = if bench.quick { 200 } else { 1_000 };
    let mut table = Table::new(
        &format!("{millions} million calls to a function of another module"),
        "The shortest wall time of the runs, less that of the same program without a call, over \
         that of the same bitcode compiled at the same level and linked ahead of time. `lli` \
         generates code at -O2. The engines take turns.",
        &["engine", "time of the loop", "per call", "engine / native", "goal"],
    );
    let sources = place::root().join("tests/bench");
    let modules = ["loop.c", "step.c"]
        .iter()
        .map(|name| generate::bitcode(&sources.join(name), &bench.folder, &[]))
        .collect::<Result<Vec<PathBuf>>>()?;
    let native = ["-O2", "-O0"].map(|level| generate::native(&modules, level));
    let [good, plain] = native;
    let (good, plain) = (good?, plain?);
    let vmkit = Engine::vmkit(&[])?;
    let lli = Engine::lli(&[]);
    let lazy = Engine::lli(&["--jit-kind=orc-lazy"]);
    let with = |engine: &Engine, level: &str, count: u32| {
        engine.command(level, &modules, &[count.to_string()])
    };
    let rows: [Row<'_>; 6] = [
        ("native -O2", 0, "-", Box::new(|count| native_command(&good, count))),
        ("native -O0", 1, "-", Box::new(|count| native_command(&plain, count))),
        ("vmkit -O2", 0, "1.030", Box::new(|count| with(&vmkit, "-O2", count))),
        ("vmkit -O0", 1, "1.030", Box::new(|count| with(&vmkit, "-O0", count))),
        ("lli", 0, "-", Box::new(|count| with(&lli, "", count))),
        ("lli orc-lazy", 0, "-", Box::new(|count| with(&lazy, "", count))),
    ];
    let mut commands: Vec<Make<'_>> = Vec::new();
    for (.., command) in &rows {
        commands.push(Box::new(|| command(millions)));
        commands.push(Box::new(|| command(0)));
    }
    let figures = measure_in_turns(bench.repeats.max(3), None, &commands)?;
    let time = |row: usize| net(figures[2 * row].best(), figures[2 * row + 1].best());
    for (index, (name, reference, goal, _)) in rows.iter().enumerate() {
        table.row(vec![
            (*name).into(),
            time(index).map_or_else(|| figures[2 * index].time(), seconds),
            time(index).map_or("-".into(), |time| per_call(time, millions)),
            ratio(time(index), time(*reference)),
            (*goal).into(),
        ]);
    }
    Ok(table)
}

fn native_command(program: &Path, count: u32) -> Command {
    let mut command = Command::new(program);
    command.arg(count.to_string());
    command
}

fn per_call(time: f64, millions: u32) -> String {
    format!("{:.2} ns", time * 1e3 / f64::from(millions))
}
