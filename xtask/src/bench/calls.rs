//! What a call costs when everything is compiled.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::measure::{Figure, measure, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;
use crate::place;

/// Makes the command that calls so many million times.
type Make<'a> = &'a dyn Fn(u32) -> Command;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let millions: u32 = if bench.quick { 200 } else { 1_000 };
    let mut table = Table::new(
        &format!("{millions} million calls to a function of another module"),
        "The shortest wall time of the runs, less that of the same program without a call, beside \
         the same bitcode linked ahead of time.",
        &[
            "engine",
            "time of the loop",
            "per call",
            "engine / native",
            "goal",
        ],
    );
    let sources = place::root().join("tests/bench");
    let modules = ["loop.c", "step.c"]
        .iter()
        .map(|name| generate::bitcode(&sources.join(name), &bench.folder, &[]))
        .collect::<Result<Vec<PathBuf>>>()?;
    let native = generate::native(&modules)?;
    let vmkit = Engine::vmkit(&[])?;
    let lli = Engine::lli(&[]);
    let lazy = Engine::lli(&["--jit-kind=orc-lazy"]);
    let with = |engine: &Engine, count: u32| engine.command("", &modules, &[count.to_string()]);
    let rows: [(&str, &str, Make<'_>); 4] = [
        ("native", "-", &|count| {
            let mut command = Command::new(&native);
            command.arg(count.to_string());
            command
        }),
        ("vmkit", "1.030", &|count| with(&vmkit, count)),
        ("lli", "-", &|count| with(&lli, count)),
        ("lli orc-lazy", "-", &|count| with(&lazy, count)),
    ];
    let mut native_time = None;
    for (name, goal, command) in rows {
        let all = measure(bench.repeats, None, || command(millions))?;
        let none = measure(bench.repeats, None, || command(0))?;
        let time = all.best().zip(none.best()).map(|(all, none)| all - none);
        native_time = native_time.or(time);
        table.row(vec![
            name.into(),
            time.map_or_else(|| failure(&all, &none), seconds),
            time.map_or("-".into(), |time| {
                format!("{:.2} ns", time * 1e3 / f64::from(millions))
            }),
            ratio(time, native_time),
            goal.into(),
        ]);
    }
    Ok(table)
}

fn failure(all: &Figure, none: &Figure) -> String {
    if all.best().is_none() {
        all.time()
    } else {
        none.time()
    }
}
