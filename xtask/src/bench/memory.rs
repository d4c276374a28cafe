//! What a function costs that is known and never called.

use std::process::Command;

use anyhow::Result;

use super::measure::{Figure, measure};
use super::report::Table;
use super::{Bench, generate};
use crate::engine::Engine;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let counts = if bench.quick { [1_000, 11_000] } else { [10_000, 210_000] };
    let mut table = Table::new(
        "Memory of functions that are known and never called",
        "The growth of the peak resident size from one number of functions to the other, divided by \
         the difference. `llvm-extract` loads the same bitcode lazily and does nothing with these \
         functions: LLVM's own share. The goal is for what vmkit has beyond it.",
        &["program", "n", "peak", "n", "peak", "bytes per function", "beyond LLVM's own", "goal"],
    );
    let modules = [
        generate::tiny(&bench.folder, counts[0], false)?,
        generate::tiny(&bench.folder, counts[1], false)?,
    ];
    let lli = Engine::lli(&["--jit-kind=orc-lazy"]);
    let vmkit = Engine::vmkit(&[])?;
    let run = |make: &dyn Fn(usize) -> Command| -> Result<[Figure; 2]> {
        Ok([measure(bench.repeats, None, || make(0))?, measure(bench.repeats, None, || make(1))?])
    };
    let with = |engine: &Engine, index: usize| engine.command("", &modules[index..=index], &[]);
    let llvm = run(&|index| {
        let mut extract = Command::new("llvm-extract-22");
        extract.arg("--func=main").arg(&modules[index]).args(["-o", "/dev/null"]);
        extract
    })?;
    let own = each(&llvm, counts);
    for (name, figures, goal) in [
        ("LLVM's own", llvm, "-"),
        ("vmkit", run(&|index| with(&vmkit, index))?, "250"),
        ("lli orc-lazy", run(&|index| with(&lli, index))?, "-"),
    ] {
        let bytes = each(&figures, counts);
        let show = |bytes: Option<f64>| bytes.map_or("-".into(), |bytes| format!("{bytes:.0}"));
        let mut row = vec![name.to_owned()];
        for (figure, count) in figures.iter().zip(counts) {
            row.extend([count.to_string(), memory(figure)]);
        }
        row.push(show(bytes));
        row.push(show(bytes.zip(own).map(|(bytes, own)| bytes - own)));
        row.push(goal.into());
        table.row(row);
    }
    Ok(table)
}

fn memory(figure: &Figure) -> String {
    figure.peak_rss().map_or_else(|| figure.time(), |bytes| format!("{} MB", bytes >> 20))
}

fn each(figures: &[Figure; 2], counts: [usize; 2]) -> Option<f64> {
    let (few, many) = (figures[0].peak_rss()?, figures[1].peak_rss()?);
    Some((many as f64 - few as f64) / (counts[1] - counts[0]) as f64)
}
