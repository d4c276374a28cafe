//! What a function costs that is known and never called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::measure::{Figure, Make, measure_in_turns, megabytes};
use super::report::{Goal, Table};
use super::{Bench, generate};
use crate::engine::Engine;

pub(super) fn measure_all(bench: &Bench) -> Result<Table> {
    let counts = if bench.quick { [1_000, 11_000] } else { [10_000, 210_000] };
    let mut table = Table::new(
        "Memory of functions that are known and never called",
        "The growth of the peak resident size (median) from one number of functions to the other, \
         divided by the difference. LLVM's own share is that of a program which loads the same \
         bitcode lazily through LLVM's C interface and ends (tests/bench/lazy_load.c).",
        &["program", "n", "peak", "n", "peak", "bytes per function", "beyond LLVM's own", "goal"],
    );
    let modules = [
        generate::tiny(&bench.folder, counts[0], false)?,
        generate::tiny(&bench.folder, counts[1], false)?,
    ];
    let load = generate::lazy_load(&bench.folder)?;
    let vmkit = Engine::vmkit(&[])?;
    let lli = Engine::lli(&["--jit-kind=orc-lazy"]);
    let mut commands: Vec<Make<'_>> = Vec::new();
    for module in &modules {
        commands.push(Box::new(|| loading(&load, module)));
        commands.extend([&vmkit, &lli].map(|engine| run(engine, module)));
    }
    let figures = measure_in_turns(bench.repeats, None, &commands)?;
    let own = each(&figures[0], &figures[3], counts);
    for (index, name) in ["LLVM's own", "vmkit", "lli orc-lazy"].into_iter().enumerate() {
        let (few, many) = (&figures[index], &figures[index + 3]);
        let bytes = each(few, many, counts);
        let beyond = bytes.zip(own).map(|(bytes, own)| bytes - own);
        let mut row = vec![name.to_owned()];
        for (figure, count) in [few, many].into_iter().zip(counts) {
            let peak = figure.peak_rss().map_or_else(|| figure.time(), megabytes);
            row.extend([count.to_string(), peak]);
        }
        row.extend([show(bytes), show(beyond)]);
        if name == "vmkit" {
            let what = "bytes of a function that is never called, beyond LLVM's own";
            row.push(table.judge(what, beyond, &show(beyond), Goal::AtMost(250.0)));
        }
        table.row(row);
    }
    Ok(table)
}

fn loading(program: &Path, module: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(module);
    command
}

fn run<'a>(engine: &'a Engine, module: &'a PathBuf) -> Make<'a> {
    Box::new(move || engine.command("", std::slice::from_ref(module), &[]))
}

fn show(bytes: Option<f64>) -> String {
    bytes.map_or("-".into(), |bytes| format!("{bytes:.0}"))
}

fn each(few: &Figure, many: &Figure, counts: [usize; 2]) -> Option<f64> {
    let growth = many.peak_rss()? as f64 - few.peak_rss()? as f64;
    Some(growth / (counts[1] - counts[0]) as f64)
}
