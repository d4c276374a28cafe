//! What a call costs when everything is compiled.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{Make, measure_in_turns, net, quotient, show};
use super::report::{Goal, Table};
use super::{Bench, generate};
use crate::engine::Engine;
use crate::place;
use crate::units::seconds;

/// Makes the command that calls so many million times.
type Caller<'a> = Box<dyn Fn(u32) -> Command + 'a>;

/// An engine's name, the row it is compared with, whether that ratio has a goal, and its command.
type Row<'a> = (&'a str, usize, bool, Caller<'a>);

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let millions: u32 = if bench.quick { 200 } else { 1_000 };
    let mut table = Table::new(
        &format!("{millions} million calls to a function of another module"),
        "The shortest wall time of the runs, less that of the same program without a call, over \
         that of the same bitcode compiled at the same level and linked ahead of time. `lli` \
         generates code at -O2; its lazy mode calls through a stub. They take turns.",
        &["engine", "time of the loop", "per call", "engine / native", "goal"],
    );
    let modules = modules(&bench.folder)?;
    let (good, plain) = (generate::native(&modules, "-O2")?, generate::native(&modules, "-O0")?);
    let rows: [Row<'_>; 6] = [
        ("native -O2", 0, false, native(&good)),
        ("native -O0", 1, false, native(&plain)),
        ("vmkit -O2", 0, true, jit(Engine::vmkit(&["-O2"])?, &modules)),
        ("vmkit -O0", 1, true, jit(Engine::vmkit(&["-O0"])?, &modules)),
        ("lli", 0, false, jit(Engine::lli(&[]), &modules)),
        ("lli orc-lazy", 0, false, jit(Engine::lli(&["--jit-kind=orc-lazy"]), &modules)),
    ];
    let mut commands: Vec<Make<'_>> = Vec::new();
    for (.., command) in &rows {
        commands.push(Box::new(|| command(millions)));
        commands.push(Box::new(|| command(0)));
    }
    let figures = measure_in_turns(bench.repeats.max(3), None, &commands)?;
    let time = |row: usize| net(figures[2 * row].best(), figures[2 * row + 1].best());
    for (index, (name, reference, has_goal, _)) in rows.iter().enumerate() {
        let part = quotient(time(index), time(*reference));
        let mut row = vec![
            (*name).into(),
            time(index).map_or_else(|| figures[2 * index].time(), seconds),
            time(index).map_or("-".into(), |time| per_call(time, millions)),
            show(part),
        ];
        if *has_goal {
            let what = format!("a call that was made before, {name} / native");
            row.push(table.judge(&what, part, &show(part), Goal::AtMost(1.03)));
        }
        table.row(row);
    }
    Ok(table)
}

fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let sources = place::root().join("tests/bench");
    let names = ["loop.c", "step.c"];
    names.iter().map(|name| generate::bitcode(&sources.join(name), folder, &[])).collect()
}

fn native(program: &Path) -> Caller<'_> {
    Box::new(move |count| {
        let mut command = Command::new(program);
        command.arg(count.to_string());
        command
    })
}

fn jit(engine: Engine, modules: &[PathBuf]) -> Caller<'_> {
    Box::new(move |count| engine.command("", modules, &[count.to_string()]))
}

fn per_call(time: f64, millions: u32) -> String {
    format!("{:.2} ns", time * 1e3 / f64::from(millions))
}
