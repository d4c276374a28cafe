//! What a call costs when everything is compiled.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::measure::{Figure, measure, net, ratio, seconds};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;
use crate::place;

/// An engine's name, its goal, and the command that calls so many million times.
type Row<'a> = (&'a str, &'a str, &'a dyn Fn(u32) -> Command);

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let millions: u32 = if bench.quick { 200 } else { 1_000 };
    let mut table = Table::new(
        &format!("{millions} million calls to a function of another module"),
        "The shortest wall time of the runs, less that of the same program without a call, beside \
         the same bitcode linked ahead of time. The engines take turns.",
        &["engine", "time of the loop", "per call", "engine / native", "goal"],
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
    let rows: [Row<'_>; 4] = [
        ("native", "-", &|count| {
            let mut command = Command::new(&native);
            command.arg(count.to_string());
            command
        }),
        ("vmkit", "1.030", &|count| with(&vmkit, count)),
        ("lli", "-", &|count| with(&lli, count)),
        ("lli orc-lazy", "-", &|count| with(&lazy, count)),
    ];
    let mut best: [Option<f64>; 4] = [None; 4];
    let mut failures: [Option<String>; 4] = [const { None }; 4];
    for _ in 0..bench.repeats.max(3) {
        for (index, (_, _, command)) in rows.iter().enumerate() {
            let [all, none] = [millions, 0].map(|count| measure(1, None, || command(count)));
            let (all, none) = (all?, none?);
            let time = net(all.seconds(), none.seconds());
            best[index] = [best[index], time].into_iter().flatten().min_by(f64::total_cmp);
            failures[index] = failure(all);
        }
    }
    for (index, (name, goal, _)) in rows.iter().enumerate() {
        let time = best[index];
        let per_call = time.map(|time| seconds_per_call(time, millions));
        table.row(vec![
            (*name).into(),
            failures[index].clone().or(time.map(seconds)).unwrap_or("-".into()),
            per_call.unwrap_or("-".into()),
            ratio(time, best[0]),
            (*goal).into(),
        ]);
    }
    Ok(table)
}

fn seconds_per_call(time: f64, millions: u32) -> String {
    format!("{:.2} ns", time * 1e3 / f64::from(millions))
}

fn failure(figure: Figure) -> Option<String> {
    match figure {
        Figure::Failed(why) => Some(why),
        Figure::Runs { .. } => None,
    }
}
